// Runs the cases one after the other: each on a clean upstream, on every route that it is meant for.

import { CASES } from "./cases/index.ts";
import { neverAsked } from "./compare.ts";
import { cross, EVERY_SHAPE, type Case, type Kit, type Route, type Verdict } from "./kit.ts";
import { hangBell } from "./bell.ts";
import type { ShapeName } from "./shapes.ts";
import { routesOf, type Target } from "./target.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export type Result = { name: string; route: string } & Verdict;

export type Pace = Pick<Kit, "deadlineMs" | "slowMs" | "stallMs">;

export const DEFAULT_PACE: Pace = { deadlineMs: 3_000, slowMs: 1_500, stallMs: 1_000 };

export type Bench = { upstream: Upstream; elsewhere: Upstream; bell: Kit["bell"]; stop(): Promise<void> };

/** The kit's own side of the gateway: the provider, and a host that nobody may call. */
export async function openBench(host: string, port: number): Promise<Bench> {
  const bell = hangBell();
  const upstream = await startUpstream(host, port, bell);
  const elsewhere = await startUpstream("127.0.0.1", 0, bell);
  const stop = async () => {
    await upstream.stop();
    await elsewhere.stop();
  };
  return { upstream, elsewhere, bell, stop };
}

export type RunOptions = {
  pace?: Pace;
  /** Only cases whose name holds this text. */
  only?: string | undefined;
  /** Only these shapes; every one unless given. */
  shapes?: readonly ShapeName[];
  onResult?: (result: Result) => void;
};

export async function runCases(target: Target, bench: Bench, options: RunOptions = {}): Promise<Result[]> {
  const { pace = DEFAULT_PACE, only = "", shapes = EVERY_SHAPE, onResult = () => undefined } = options;
  const results: Result[] = [];
  for (const each of selectCases(only)) {
    const limited = { ...each, on: each.on.filter((shape) => shapes.includes(shape)) };
    for (const result of await runCase(limited, target, bench, pace)) {
      results.push(result);
      onResult(result);
    }
  }
  return results;
}

export function selectCases(only = ""): Case[] {
  const exact = CASES.filter(({ name }) => name === only);
  return exact.length > 0 ? exact : CASES.filter(({ name, group }) => name.includes(only) || group === only);
}

async function runCase(each: Case, target: Target, bench: Bench, pace: Pace): Promise<Result[]> {
  const reason = target.skips.get(each.name);
  if (reason !== undefined) return [{ name: each.name, route: each.on.join(", "), ...skipped(reason) }];
  const { routes, absent } = routesOf(target);
  const results: Result[] = [];
  for (const route of routes) {
    if (!each.on.includes(route.shape.name) || (route.injects && each.injecting === "never")) continue;
    const verdict = await runOn(route, each, target, bench, pace);
    results.push({ name: each.name, route: route.name, ...verdict });
  }
  for (const { shape, reason: why } of absent) {
    if (each.on.some((name) => name === shape))
      results.push({ name: each.name, route: shape, ...skipped(why) });
  }
  return results;
}

function skipped(seen: string): Verdict {
  return { result: "skipped", seen };
}

async function runOn(route: Route, each: Case, target: Target, bench: Bench, pace: Pace): Promise<Verdict> {
  const { upstream, elsewhere, bell } = bench;
  const { url, ownHeaders } = target;
  const kit: Kit = { target: url, route, upstream, elsewhere, bell, ...pace, ownHeaders, clients: [] };
  try {
    return await each.run(kit);
  } finally {
    for (const client of kit.clients) client.reset();
    upstream.clear();
    elsewhere.clear();
  }
}

/** What is wrong when the gateway does not lead to the kit's upstream at all; null when a single route does. */
export async function findOut(
  target: Target,
  bench: Bench,
  pace: Pace = DEFAULT_PACE,
): Promise<string | null> {
  let seen = "no route is configured";
  for (const route of routesOf(target).routes) {
    let asked = "";
    const probe: Pick<Case, "run"> = {
      async run(kit) {
        const { up, down } = await cross(
          kit,
          {},
          { body: "{}", headers: [["Content-Type", "application/json"]] },
        );
        asked = up.length > 0 ? "" : `${route.name}: ${neverAsked(down)}`;
        return skipped("");
      },
    };
    await runOn(route, probe as Case, target, bench, pace);
    if (asked === "") return null;
    seen = asked;
  }
  return seen;
}
