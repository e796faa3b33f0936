// The whole path, simulated: single outcomes are added up by the data plane's code to tallies, reported every 50 requests,
// and go through the watch that Control keeps, first and later turns apart, to a verdict.

import { GUARDS } from "../../src/core/guardrails/guards.ts";
import type { Release, Unit } from "../../src/core/types.ts";
import { addSeen } from "../../src/core/watching/add.ts";
import { conclude } from "../../src/core/watching/conclude.ts";
import { followRelease } from "../../src/core/watching/follow.ts";
import { createRandom } from "./random.ts";
import { drawTallies, USUAL, type TrafficArm } from "./traffic.ts";

const EVERY = 50;

export function createRelease(unit: Unit, share: number): Release {
  const table = { revision: 1, salt: "", slots: [] };
  const names = {
    schema: 1,
    prompt: "bot",
    environment: "production",
    revision: 1,
    unit,
    baseline: 1,
  } as const;
  const weights = [100 * (1 - share), 100 * share];
  const arms = weights.map((weight, index) => ({ version: index + 1, weight }));
  return { ...names, arms, table, drains: [], revoked: [], changedAt: "2026-01-01T00:00:00.000Z" };
}

/** Canary requests until a rollback; null: none within so many requests. `units`: so many that come back; none: every
 * request by itself. */
export function runPath(
  {
    share,
    canary,
    requests,
    units,
  }: { share: number; canary: Partial<TrafficArm>; requests: number; units?: number },
  seed: number,
): number | null {
  const random = createRandom(seed);
  const unit = units === undefined ? "request" : "conversation";
  const traffic = {
    revision: 1,
    versions: { baseline: 1, canary: 2 },
    share,
    arms: { baseline: USUAL, canary: { ...USUAL, ...canary } },
    ...(units !== undefined && { units }),
  };
  let watch = followRelease(null, createRelease(unit, share));
  let seen = 0;
  for (let at = 0; at < requests; at += EVERY) {
    const tallies = drawTallies(EVERY, traffic, random);
    for (const { arm, requests: count } of tallies) if (arm === "canary") seen += count;
    const context = { specs: GUARDS, unit, forcedModel: null, nowMs: at } as const;
    watch = addSeen(watch, { tallies }, context);
    if (conclude(watch, context).pairs[0]!.isRollback) return seen;
  }
  return null;
}
