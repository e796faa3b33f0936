// What Control keeps about one environment in order to watch its releases: the baseline by itself, and every canary beside
// it. Plain data that survives JSON; it is stored, so a shape that changes needs another `schema` (an older one begins anew).

import { createArmSums, type ArmSums, type Stratum } from "../guardrails/arm-sums.ts";
import type { Metric } from "../guardrails/guards.ts";
import type { RampGate } from "../guardrails/ramp-gate.ts";
import type { SplitCheck } from "../guardrails/split-check.ts";
import { createUpstream, type UpstreamMetric, type UpstreamState } from "../guardrails/verdict.ts";
import { NOTHING_KNOWN, type DesignEffects, type UsualValues, type WatchState } from "../guardrails/watch.ts";
import type { VerdictKind } from "../health.ts";
import type { ErrorClass, Turn } from "../metering/outcome.ts";
import type { Unit } from "../types.ts";
import type { PairClumps } from "./clumps.ts";
import { createModelWatch, type ModelWatch } from "./models.ts";

export const WATCH_SCHEMA = 2;

export type EnvironmentWatch = {
  schema: typeof WATCH_SCHEMA;
  /** The release's revisions have been followed up to this one. */
  revision: number;
  baseline: BaselineWatch;
  pairs: readonly PairWatch[];
};

/** The baseline alone, whatever it is served for: is it as it usually is? A new baseline is learned anew. */
export type BaselineWatch = {
  version: number;
  /** Not enough to be looked at yet. */
  open: ArmSums;
  usual: UsualValues;
  upstream: UpstreamState;
  /** Since when a detector has been above zero, which is when its change began if it finds one; ms. */
  risingSinceMs: { [metric in UpstreamMetric]: number | null };
  /** Failures since then. */
  errorClasses: ErrorClasses;
  models: ModelWatch;
  /** When it was reported on last; null: never. */
  seenAtMs: number | null;
  verdict: VerdictKind;
};

export type ErrorClasses = { [errorClass in ErrorClass]?: number };

/** One canary beside one baseline. Another pair, or the same canary put on again or
 * split by another unit, is watched from the beginning. */
export type PairWatch = {
  baseline: number;
  canary: number;
  unit: Unit;
  sinceMs: number;
  /** Oldest first. */
  epochs: readonly Epoch[];
  open: readonly OpenStratum[];
  /** Why the canary's calls failed. */
  errorClasses: ErrorClasses;
  state: WatchState;
  split: PairSplit;
  /** Proof since the present weights: `since` is their revision. */
  gate: { since: number; proof: RampGate };
  /** null: every request is assigned by itself. */
  clumps: PairClumps | null;
  designEffects: DesignEffects;
  /** Requests that the design effects were read from. */
  designedAt: number;
  /** When both arms were compared last; null: never. */
  comparedAtMs: number | null;
  verdict: VerdictKind;
  /** Guardrails that have been told of. */
  noticed: readonly Metric[];
};

/** `share`: of the canary among the pair's requests, 0 to 1. */
export type Epoch = { revision: number; share: number; endedAtMs: number | null };

export type OpenStratum = Stratum & { turn: Turn | null };

/** Requests by themselves only. `expected`: canary requests that the weights meant. `peak`: a mismatch is kept. */
export type PairSplit = { check: SplitCheck; units: number; canary: number; expected: number; peak: number };

export function createBaselineWatch(version: number): BaselineWatch {
  return {
    version,
    open: createArmSums(),
    usual: NOTHING_KNOWN,
    upstream: createUpstream(),
    risingSinceMs: { errors: null, latency_tail: null },
    errorClasses: {},
    models: createModelWatch(),
    seenAtMs: null,
    verdict: "waiting",
  };
}
