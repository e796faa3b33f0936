// A rollout under watch: strata in, findings out. Pure: the state goes in and the next state comes out, plain data that
// survives JSON, so that a simulation and the single writer run the very same code.

import {
  createGathering,
  gather,
  type ArmSums,
  type Gathering,
  type HistogramMetric,
  type Stratum,
} from "./arm-sums.ts";
import { addCounts, createCountGuard, riskRatio, type CountGuard, type CountStratum } from "./count-guard.ts";
import {
  ALPHA_TOTAL,
  GUARDS,
  type CountMetric,
  type GuardAction,
  type GuardSpec,
  type Metric,
} from "./guards.ts";
import { countAbove, countIn, logSums } from "./histogram.ts";
import { addMeans, createMeanGuard, effectOf, type MeanGuard } from "./mean-guard.ts";
import type { MeanStratum } from "./normal-mixture.ts";
import { addToUsual, NOTHING_USUAL, type Usual } from "./usual.ts";

export type WatchState = {
  guards: { [metric in Metric]?: CountGuard | MeanGuard };
  usual: { [metric in HistogramMetric]: Usual };
  gathering: Gathering;
};

export type Actions = { [metric in Metric]?: GuardAction };
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

export function createWatch(): WatchState {
  return {
    guards: {},
    usual: {
      first_token: NOTHING_USUAL,
      latency: NOTHING_USUAL,
      cost: NOTHING_USUAL,
      tokens: NOTHING_USUAL,
    },
    gathering: createGathering(0),
  };
}

export function actionOf(spec: GuardSpec, actions: Actions): GuardAction {
  return actions[spec.metric] ?? spec.action;
}

/** Each guardrail's share of the budget: those that may roll back share it, the others look at it alone. */
export function alphaShare(actions: Actions): number {
  const sharing = GUARDS.filter((spec) => actionOf(spec, actions) === "rollback").length;
  return ALPHA_TOTAL / Math.max(1, sharing);
}

/** One closed stratum. `designEffects` are for sticky units; none: every request is assigned by itself. */
export function addStratum(
  state: WatchState,
  stratum: Stratum,
  actions: Actions,
  designEffects: DesignEffects = {},
): WatchState {
  const alpha = alphaShare(actions);
  const { thumbs, judge, rest } = gather(state.gathering, stratum);
  const guards = { ...state.guards };
  for (const spec of GUARDS) {
    if (actionOf(spec, actions) === "off") continue;
    const effect = designEffects[spec.metric] ?? 1;
    const held = guards[spec.metric];
    if (spec.kind === "count") {
      const strata = spec.metric === "thumbs_down" ? thumbs : [countsOf(spec.metric, stratum, state.usual)];
      guards[spec.metric] = strata.reduce(
        (guard, counts) => addCounts(guard, counts, spec.rule, effect),
        held?.kind === "count" ? held : createCountGuard(),
      );
    } else {
      const strata = spec.metric === "judge_score" ? judge : [meansOf(spec.metric, stratum, state.usual)];
      guards[spec.metric] = strata.reduce(
        (guard, means) => addMeans(guard, means, spec.rule, alpha, effect),
        held?.kind === "mean" ? held : createMeanGuard(),
      );
    }
  }
  return { guards, usual: addUsual(state.usual, stratum), gathering: rest };
}

function addUsual(
  usual: WatchState["usual"],
  { baseline: { histograms } }: Pick<Stratum, "baseline">,
): WatchState["usual"] {
  return {
    first_token: addToUsual(usual.first_token, histograms.first_token),
    latency: addToUsual(usual.latency, histograms.latency),
    cost: addToUsual(usual.cost, histograms.cost),
    tokens: addToUsual(usual.tokens, histograms.tokens),
  };
}

export function countsOf(
  metric: Exclude<CountMetric, "thumbs_down">,
  { baseline, canary }: Pick<Stratum, "baseline" | "canary">,
  usual: WatchState["usual"],
): CountStratum {
  const of = ({ requests, counts, histograms: { latency } }: ArmSums) =>
    metric === "latency_tail"
      ? { units: countIn(latency), bad: countAbove(latency, usual.latency.tailBin) }
      : { units: requests, bad: counts[metric] };
  return { baseline: of(baseline), canary: of(canary) };
}

/** Means of logarithms, clipped where the baseline's slowest hundredth began: the tail has a guardrail of its own. */
export function meansOf(
  metric: HistogramMetric,
  { baseline, canary }: Pick<Stratum, "baseline" | "canary">,
  usual: WatchState["usual"],
): MeanStratum {
  const of = ({ histograms }: ArmSums) => logSums(histograms[metric], usual[metric].clipBin);
  return { baseline: of(baseline), canary: of(canary) };
}

/** Every guardrail that has crossed its threshold, those that roll back first. */
export function findCrossings(state: WatchState, actions: Actions): Finding[] {
  const threshold = -Math.log(alphaShare(actions));
  const found: Finding[] = [];
  for (const spec of GUARDS) {
    const action = actionOf(spec, actions);
    const guard = state.guards[spec.metric];
    if (action === "off" || guard === undefined) continue;
    const evidence = guard.kind === "count" ? guard.peakLogEvidence : guard.peakMargin + threshold;
    if (evidence < threshold) continue;
    found.push({ metric: spec.metric, action, evidence, threshold, ...numbersOf(guard) });
  }
  return found.toSorted(
    (one, other) => Number(other.action === "rollback") - Number(one.action === "rollback"),
  );
}

function numbersOf(guard: CountGuard | MeanGuard): Pick<Finding, "effect" | "baseline" | "canary"> {
  if (guard.kind === "count") {
    const ratio = riskRatio(guard);
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
