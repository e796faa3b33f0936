// Keeps a watch in step with the release: every revision, in order, says which pairs there are and since when. A canary
// that was taken off, or given no weight, and is put on again meets a new watch: old evidence says nothing about a new try.
// A change of weights begins a new epoch and a new proof for the ramp, and keeps the evidence. A change of unit begins anew:
// what came of conversations or users is clumped by them, and would prove too much as that of single requests.

import { createRampGate } from "../guardrails/ramp-gate.ts";
import { createSplitCheck } from "../guardrails/split-check.ts";
import { createWatch } from "../guardrails/watch.ts";
import type { Release } from "../types.ts";
import { createClumps } from "./clumps.ts";
import {
  createBaselineWatch,
  WATCH_SCHEMA,
  type BaselineWatch,
  type EnvironmentWatch,
  type PairWatch,
} from "./state.ts";

/** Feedback comes days late, for an epoch that was. */
const MOST_EPOCHS = 64;

/** `watch` null: nothing has been kept so far. A revision that has been followed already changes nothing. */
export function followRelease(watch: EnvironmentWatch | null, release: Release): EnvironmentWatch {
  if (watch !== null && watch.revision >= release.revision) return watch;
  const isSame = watch?.baseline.version === release.baseline;
  const baseline = isSame ? watch.baseline : createBaselineWatch(release.baseline);
  const held = isSame ? watch.pairs : [];
  const pairs = release.arms
    .filter((arm) => arm.version !== release.baseline && arm.weight > 0)
    .map((arm) => {
      const pair = held.find((one) => one.canary === arm.version && one.unit === release.unit);
      return pair === undefined ? beginPair(baseline, arm.version, release) : goOn(pair, release);
    });
  return { schema: WATCH_SCHEMA, revision: release.revision, baseline, pairs };
}

function beginPair(baseline: BaselineWatch, canary: number, release: Release): PairWatch {
  return {
    baseline: baseline.version,
    canary,
    unit: release.unit,
    sinceMs: Date.parse(release.changedAt),
    epochs: [{ revision: release.revision, share: shareOf(release, canary), endedAtMs: null }],
    open: [],
    errorClasses: {},
    state: createWatch(baseline.usual),
    split: { check: createSplitCheck(), units: 0, canary: 0, expected: 0, peak: 0 },
    gate: { since: release.revision, proof: createRampGate() },
    clumps: release.unit === "request" ? null : createClumps(),
    designEffects: {},
    designedAt: 0,
    comparedAtMs: null,
    verdict: "waiting",
    noticed: [],
  };
}

function goOn(pair: PairWatch, release: Release): PairWatch {
  const share = shareOf(release, pair.canary);
  const endedAtMs = Date.parse(release.changedAt);
  const past = pair.epochs.map((epoch) => (epoch.endedAtMs === null ? { ...epoch, endedAtMs } : epoch));
  const epochs = [...past, { revision: release.revision, share, endedAtMs: null }].slice(-MOST_EPOCHS);
  const isReweighted = past.at(-1)?.share !== share;
  return {
    ...pair,
    epochs,
    gate: isReweighted ? { since: release.revision, proof: createRampGate() } : pair.gate,
  };
}

/** The canary's part of what both arms get, 0 to 1. */
function shareOf({ arms, baseline }: Release, canary: number): number {
  const weightOf = (version: number) => arms.find((arm) => arm.version === version)?.weight ?? 0;
  return weightOf(canary) / (weightOf(canary) + weightOf(baseline));
}
