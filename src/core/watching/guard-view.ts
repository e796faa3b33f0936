// One guardrail of one canary as people read it: values in their own units, the effect with an interval, evidence. Values
// and effect are weighted alike, stratum by stratum, so that they agree with each other whatever the weights were.

import { alphaShare, type GuardSpec, type Metric } from "../guardrails/guards.ts";
import type { CountGuard } from "../guardrails/count-guard.ts";
import { effectOf, intervalOf, latestLevels, meansIn, type MeanGuard } from "../guardrails/mean-guard.ts";
import { addRatios, ratesOf, ratioInterval, riskRatio } from "../guardrails/risk-ratio.ts";
import { evidenceOf, guardOf } from "../guardrails/watch.ts";
import type { GuardView } from "../health.ts";
import { COST_UNIT_NANO_USD } from "../metering/sums.ts";
import type { Lately } from "./says.ts";
import type { PairWatch } from "./state.ts";

/** Of the intervals: 95 %, and it may be looked at all the time. */
const INTERVAL_ALPHA = 0.05;
const NANO = 1e9;

export function viewGuards(pair: PairWatch, specs: readonly GuardSpec[]): GuardView[] {
  const threshold = -Math.log(alphaShare(specs));
  return specs.filter(({ action }) => action !== "off").map((spec) => viewGuard(pair, spec, threshold));
}

function viewGuard(pair: PairWatch, spec: GuardSpec, threshold: number): GuardView {
  const { metric, kind, action, says } = spec;
  const guard = guardOf(pair.state, spec);
  const designEffect = pair.designEffects[metric] ?? 1;
  const evidence = guard === undefined ? 0 : evidenceOf(guard, threshold);
  const head = { metric, kind, action, says, isCrossed: evidence >= threshold, evidence, threshold };
  const nothing = { units: 0, bad: null, value: null };
  if (guard === undefined) {
    return { ...head, effect: null, low: null, high: null, baseline: nothing, canary: nothing, designEffect };
  }
  const numbers =
    guard.kind === "count" ? countNumbers(guard, designEffect) : meanNumbers(guard, spec, designEffect);
  return { ...head, ...numbers, designEffect };
}

type Numbers = Pick<GuardView, "effect" | "low" | "high" | "baseline" | "canary">;

function countNumbers(guard: CountGuard, designEffect: number): Numbers {
  const { ratio, likelihood, baselineUnits, baselineBad, canaryUnits, canaryBad } = guard;
  const effect = riskRatio(ratio);
  const interval = ratioInterval(ratio, likelihood, INTERVAL_ALPHA, designEffect);
  const rates = ratesOf(ratio);
  return {
    effect: effect !== null && Number.isFinite(effect) ? effect : null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    baseline: { units: baselineUnits, bad: baselineBad, value: rates?.baseline ?? null },
    canary: { units: canaryUnits, bad: canaryBad, value: rates?.canary ?? null },
  };
}

function meanNumbers(guard: MeanGuard, spec: GuardSpec, designEffect: number): Numbers {
  const { metric } = spec;
  const means = meansIn(guard.levels);
  const interval = spec.kind === "mean" ? intervalOf(guard, spec.rule, INTERVAL_ALPHA, designEffect) : null;
  const ratioOf = (x: number | null | undefined) =>
    x == null ? null : metric === "judge_score" ? x : Math.exp(x);
  return {
    effect: ratioOf(effectOf(guard)),
    low: finite(ratioOf(interval?.low)),
    high: finite(ratioOf(interval?.high)),
    baseline: { units: guard.baselineUnits, bad: null, value: means && inUnits(metric, means.baseline) },
    canary: { units: guard.canaryUnits, bad: null, value: means && inUnits(metric, means.canary) },
  };
}

/** Logarithms back to ms, dollars and tokens; scores are what they are. */
function inUnits(metric: Metric, x: number): number {
  if (metric === "judge_score") return x;
  return metric === "cost" ? (Math.exp(x) * COST_UNIT_NANO_USD) / NANO : Math.exp(x);
}

/** JSON knows no infinity: an interval that is not bounded yet has no bound. */
function finite(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null;
}

/** Values of the latest one or two blocks, where the pair has a past that would hide them; null: it has not. */
export function latelyOf(pair: PairWatch, { metric }: Pick<GuardView, "metric">): Lately | null {
  const guard = pair.state.guards[metric];
  if (guard === undefined) return null;
  const lately = guard.kind === "count" ? countLately(guard) : meanLately(guard, metric);
  return lately !== null && guard.canaryUnits >= 3 * lately.units ? lately : null;
}

function countLately(guard: CountGuard): Lately | null {
  const sums = addRatios(guard.blockBefore, guard.block);
  const rates = ratesOf(sums);
  return rates && { ...rates, units: sums.canaryUnits };
}

function meanLately(guard: MeanGuard, metric: Metric): Lately | null {
  const sums = latestLevels(guard);
  const means = meansIn(sums);
  if (means === null) return null;
  const baseline = inUnits(metric, means.baseline);
  return { baseline, canary: inUnits(metric, means.canary), units: sums.canaryUnits };
}
