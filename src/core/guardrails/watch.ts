// A rollout under watch: strata in, findings out. Pure: the state goes in and the next state comes out, plain data that
// survives JSON, so that a simulation and the single writer run the very same code. Like is compared with like: times of
// answers out of the provider's cache with such times, and those without it by themselves.

import {
  ARM_HISTOGRAMS,
  HISTOGRAMS_OF,
  type ArmHistogram,
  type ArmSums,
  type HistogramMetric,
  type Stratum,
} from "./arm-sums.ts";
import { addCounts, createCountGuard, type CountGuard, type CountStratum } from "./count-guard.ts";
import { gather, type Gathering } from "./gather.ts";
import {
  alphaShare,
  GUARDS,
  type CountMetric,
  type GuardAction,
  type GuardSpec,
  type Metric,
} from "./guards.ts";
import { countAbove, countIn, logSums, type Histogram } from "./histogram.ts";
import { addMeans, createMeanGuard, effectOf, type MeanGuard } from "./mean-guard.ts";
import type { MeanStratum } from "./normal-mixture.ts";
import { riskRatio } from "./risk-ratio.ts";
import { addToUsual, NOTHING_USUAL, type Usual } from "./usual.ts";

export type UsualValues = { readonly [name in ArmHistogram]: Usual };

export type WatchState = {
  guards: { [metric in Metric]?: CountGuard | MeanGuard };
  usual: UsualValues;
  gatherings: readonly Gathering[];
};

export type DesignEffects = { [metric in Metric]?: number };

/** A guardrail that has crossed its threshold, with the numbers of the latest stratum. */
export type Finding = {
  metric: Metric;
  action: Exclude<GuardAction, "off">;
  /** Nats of evidence at its highest, and nats that were needed. */
  evidence: number;
  threshold: number;
  /** Risk ratio for counts (null: the baseline had none); for means the difference, of ln x or of the score. */
  effect: number | null;
  baseline: { units: number; bad: number | null };
  canary: { units: number; bad: number | null };
};

export const NOTHING_KNOWN: UsualValues = {
  first_token: NOTHING_USUAL,
  first_token_cached: NOTHING_USUAL,
  latency: NOTHING_USUAL,
  latency_cached: NOTHING_USUAL,
  cost: NOTHING_USUAL,
  tokens: NOTHING_USUAL,
};

/** `usual`: what the baseline's answers were like before. */
export function createWatch(usual: UsualValues = NOTHING_KNOWN): WatchState {
  return { guards: {}, usual, gatherings: [] };
}

/** One closed stratum. `designEffects` are for sticky units; none: every request is assigned by itself. */
export function addStratum(
  state: WatchState,
  stratum: Stratum,
  specs: readonly GuardSpec[] = GUARDS,
  designEffects: DesignEffects = {},
): WatchState {
  const alpha = alphaShare(specs);
  const { thumbs, judge, rest } = gather(state.gatherings, stratum);
  const guards = { ...state.guards };
  for (const spec of specs) {
    if (spec.action === "off") continue;
    const effect = designEffects[spec.metric] ?? 1;
    const held = guardOf(state, spec);
    if (spec.kind === "count") {
      const strata = spec.metric === "thumbs_down" ? thumbs : countsOf(spec.metric, stratum, state.usual);
      guards[spec.metric] = strata.reduce(
        (guard, counts) => addCounts(guard, counts, spec.rule, effect),
        held?.kind === "count" ? held : createCountGuard(spec.rule),
      );
    } else {
      const strata = spec.metric === "judge_score" ? judge : meansOf(spec.metric, stratum, state.usual);
      guards[spec.metric] = strata.reduce(
        (guard, means) => addMeans(guard, means, spec.rule, alpha, effect),
        held?.kind === "mean" ? held : createMeanGuard(spec.rule),
      );
    }
  }
  return { guards, usual: addUsual(state.usual, stratum.baseline), gatherings: rest };
}

/** What has been gathered by this very rule; undefined: nothing yet, or by another tolerance. */
export function guardOf(
  { guards }: Pick<WatchState, "guards">,
  { metric, kind, rule }: GuardSpec,
): CountGuard | MeanGuard | undefined {
  const held = guards[metric];
  return held?.kind === kind && held.margin === rule.margin ? held : undefined;
}

/** Reads what is usual off the baseline; to be called after what it is to judge has been judged. */
export function addUsual(usual: UsualValues, { histograms }: ArmSums): UsualValues {
  const next: { [name in ArmHistogram]: Usual } = { ...usual };
  for (const name of ARM_HISTOGRAMS) {
    if (!isEmpty(histograms[name])) next[name] = addToUsual(usual[name], histograms[name]);
  }
  return next;
}

type Arms = Pick<Stratum, "baseline" | "canary">;

/** The counts that a guardrail compares. The tail is one of answers that missed the cache, and one of those that hit it. */
export function countsOf(
  metric: Exclude<CountMetric, "thumbs_down">,
  { baseline, canary }: Arms,
  usual: UsualValues,
): CountStratum[] {
  if (metric !== "latency_tail") {
    const of = ({ requests, counts }: ArmSums) => ({ units: requests, bad: counts[metric] });
    return [{ baseline: of(baseline), canary: of(canary) }];
  }
  return filledOf("latency", { baseline, canary }).map((name) => {
    const of = ({ histograms }: ArmSums) => ({
      units: countIn(histograms[name]),
      bad: countAbove(histograms[name], usual[name].tailBin),
    });
    return { baseline: of(baseline), canary: of(canary) };
  });
}

/** Means of logarithms, clipped where the baseline's slowest hundredth began: the tail has a guardrail of its own. */
export function meansOf(
  metric: HistogramMetric,
  { baseline, canary }: Arms,
  usual: UsualValues,
): MeanStratum[] {
  return filledOf(metric, { baseline, canary }).map((name) => {
    const of = ({ histograms }: ArmSums) => logSums(histograms[name], usual[name].clipBin);
    return { baseline: of(baseline), canary: of(canary) };
  });
}

function filledOf(metric: HistogramMetric, { baseline, canary }: Arms): ArmHistogram[] {
  return HISTOGRAMS_OF[metric].filter(
    (name) => !isEmpty(baseline.histograms[name]) || !isEmpty(canary.histograms[name]),
  );
}

function isEmpty(histogram: Histogram): boolean {
  for (const _ in histogram) return false;
  return true;
}

/** Every guardrail that has crossed its threshold, those that roll back first. */
export function findCrossings(state: WatchState, specs: readonly GuardSpec[] = GUARDS): Finding[] {
  const threshold = -Math.log(alphaShare(specs));
  const found: Finding[] = [];
  for (const spec of specs) {
    const { action, metric } = spec;
    const guard = guardOf(state, spec);
    if (action === "off" || guard === undefined) continue;
    const evidence = evidenceOf(guard, threshold);
    // Not "<": what is no number takes nothing off.
    if (!(evidence >= threshold)) continue;
    found.push({ metric, action, evidence, threshold, ...numbersOf(guard) });
  }
  return found.toSorted(
    (one, other) => Number(other.action === "rollback") - Number(one.action === "rollback"),
  );
}

/** Nats at their highest, on the scale of the threshold. */
export function evidenceOf(guard: CountGuard | MeanGuard, threshold: number): number {
  return guard.kind === "count" ? guard.peakLogEvidence : Math.max(0, guard.peakMargin + threshold);
}

function numbersOf(guard: CountGuard | MeanGuard): Pick<Finding, "effect" | "baseline" | "canary"> {
  if (guard.kind === "count") {
    const ratio = riskRatio(guard.ratio);
    return {
      effect: ratio !== null && Number.isFinite(ratio) ? ratio : null,
      baseline: { units: guard.baselineUnits, bad: guard.baselineBad },
      canary: { units: guard.canaryUnits, bad: guard.canaryBad },
    };
  }
  return {
    effect: effectOf(guard),
    baseline: { units: guard.baselineUnits, bad: null },
    canary: { units: guard.canaryUnits, bad: null },
  };
}
