// The real objects with nothing around them: a socket through which a test calls any of their methods, and a loop that
// calls `sync` as fast as the runtime lets it, for the bench.

import type { SyncRequest } from "../../src/core/ports.ts";
import { Registry as RealRegistry } from "../../src/control/registry.ts";
import { isProblem } from "../../src/core/problem.ts";
import { REGISTRY_NAME, type Env } from "../../src/env.ts";
import type { Load, ObjectCall } from "./support/calls.ts";

export { Control } from "../../src/control/object.ts";

/** The Registry; with the var REGISTRY_DOWN one that answers no prompt's object. */
export class Registry extends RealRegistry {
  override async upsert(...given: Parameters<RealRegistry["upsert"]>): Promise<void> {
    refuseWhileDown(this.env);
    return super.upsert(...given);
  }

  override async claim(...given: Parameters<RealRegistry["claim"]>): ReturnType<RealRegistry["claim"]> {
    refuseWhileDown(this.env);
    return super.claim(...given);
  }
}

function refuseWhileDown(env: Env): void {
  if ("REGISTRY_DOWN" in env) throw new Error("the Registry is down");
}

type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const body: unknown = await request.json();
    if (new URL(request.url).pathname === "/load") return Response.json(await applyLoad(env, body as Load));
    const call = body as ObjectCall;
    const stub =
      call.object === "control" ? env.CONTROL.getByName(call.prompt) : env.REGISTRY.getByName(REGISTRY_NAME);
    const answer = await (stub as unknown as Methods)[call.method]!(...call.args);
    return Response.json({ answer });
  },
};

/** Milliseconds for all calls. */
async function applyLoad(env: Env, { prompt, calls, atOnce, reporting }: Load): Promise<number> {
  const startedAtMs = Date.now();
  let sent = 0;
  const worker = async (isolate: string): Promise<void> => {
    for (let sequence = 1; sent < calls; sequence += 1) {
      sent += 1;
      const reply = await env.CONTROL.getByName(prompt).sync(
        createSync(prompt, isolate, reporting ? sequence : null),
      );
      if (isProblem(reply)) throw new Error(reply.message);
    }
  };
  const names = Array.from({ length: atOnce }, () => crypto.randomUUID());
  await Promise.all(names.map(worker));
  return Date.now() - startedAtMs;
}

function createSync(prompt: string, isolate: string, sequence: number | null): SyncRequest {
  const counts = { requests: 3, errors: 0, aborted: 0 };
  const tallies = (["baseline", "canary"] as const).map((arm) => {
    return { revision: 1, version: 1, arm, reason: "split" as const, ...counts };
  });
  const report = sequence === null ? null : { sequence, tallies };
  return { prompt, environment: "production", isolate, knownRevision: 1, report, began: [] };
}
