// Whose fault is it? The guardrails say whether the canary is worse than the baseline under the same conditions; the
// change detectors say whether the baseline itself has changed. An incident at the provider never rolls anything back: it
// freezes the ramp. And no data is not good data: without a comparison the verdict is to wait.

import { addBaseline, createChangeDetector, hasChanged, type ChangeDetector } from "./change-detector.ts";
import type { Stratum } from "./arm-sums.ts";
import { GUARDS, type GuardSpec } from "./guards.ts";
import { countsOf, findCrossings, type Finding, type UsualValues, type WatchState } from "./watch.ts";

/** Watched on the baseline: two detectors see an incident sooner and more surely than one. */
export const UPSTREAM_METRICS = ["errors", "latency_tail"] as const;
export type UpstreamMetric = (typeof UPSTREAM_METRICS)[number];

export type UpstreamState = {
  [metric in UpstreamMetric]: { detector: ChangeDetector; isChanged: boolean };
};

/** The baseline's rate, as it was and as it is since it changed. */
export type UpstreamChange = { metric: UpstreamMetric; usualRate: number; rate: number | null };

export type Verdict = {
  /** `watching`: compared, and nothing found so far. */
  kind: "waiting" | "watching" | "prompt" | "upstream" | "prompt+upstream";
  /** A guardrail that may roll back has crossed. */
  isRollback: boolean;
  /** The ramp must not go on. */
  isFrozen: boolean;
  findings: Finding[];
  changes: UpstreamChange[];
};

export function createUpstream(): UpstreamState {
  const none = { detector: createChangeDetector(), isChanged: false };
  return { errors: none, latency_tail: none };
}

/** To be called with the watch as it was before this stratum: the tail's bound is fixed before what it judges. */
export function addToUpstream(
  upstream: UpstreamState,
  stratum: Pick<Stratum, "baseline" | "canary">,
  usual: UsualValues,
  nowMs: number,
): UpstreamState {
  const next = (metric: UpstreamMetric) => {
    const { detector: held, isChanged } = upstream[metric];
    const counts = countsOf(metric, stratum, usual).reduce(
      (sum, { baseline }) => ({ units: sum.units + baseline.units, bad: sum.bad + baseline.bad }),
      { units: 0, bad: 0 },
    );
    const detector = addBaseline(held, counts, nowMs);
    return { detector, isChanged: hasChanged(detector, isChanged) };
  };
  // The first strata fix no tail yet: all of them would be called fast.
  const isTailKnown = usual.latency.units + usual.latency_cached.units > 0;
  return { errors: next("errors"), latency_tail: isTailKnown ? next("latency_tail") : upstream.latency_tail };
}

export function findChanges(upstream: UpstreamState): UpstreamChange[] {
  return UPSTREAM_METRICS.filter((metric) => upstream[metric].isChanged).map((metric) => {
    const { usual, unusual } = upstream[metric].detector;
    return {
      metric,
      usualRate: usual.bad / usual.units,
      rate: unusual.units === 0 ? null : unusual.bad / unusual.units,
    };
  });
}

export function judge(
  watch: WatchState,
  upstream: UpstreamState,
  specs: readonly GuardSpec[] = GUARDS,
): Verdict {
  const findings = findCrossings(watch, specs);
  const changes = findChanges(upstream);
  const rest = { findings, changes, isRollback: findings.some(({ action }) => action === "rollback") };
  if (findings.length > 0) {
    return { ...rest, kind: changes.length > 0 ? "prompt+upstream" : "prompt", isFrozen: true };
  }
  if (changes.length > 0) return { ...rest, kind: "upstream", isFrozen: true };
  return isCompared(watch)
    ? { ...rest, kind: "watching", isFrozen: false }
    : { ...rest, kind: "waiting", isFrozen: true };
}

function isCompared({ guards }: WatchState): boolean {
  return Object.values(guards).some(({ baselineUnits, canaryUnits }) => baselineUnits > 0 && canaryUnits > 0);
}
