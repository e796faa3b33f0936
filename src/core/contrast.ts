// Two arms over several strata, as one difference or ratio with its interval. Within each stratum the arms met the same
// world; strata are weighted by what both arms have of them (n·m ÷ (n+m)), as Mantel and Haenszel do, so that a change of
// the split between two strata is no difference between the arms. Intervals are 95 %, of one look (core/intervals.ts).

import { differenceInterval, normalInterval, ratioInterval, varianceOf, type Moments } from "./intervals.ts";
import type { Estimate, MetricComparison } from "./metrics-view.ts";

export type Both<Value> = { baseline: Value; canary: Value };
export type BadOf = { bad: number; units: number };
export type Compared = Omit<MetricComparison, "metric" | "designEffect">;

/** Shares weighted as by Mantel and Haenszel; each is worth the units that would make it as sure without strata. */
export function compareRates(pairs: readonly Both<BadOf>[], designEffect: number): Compared {
  const all = { weight: 0, baseline: 0, canary: 0, baselineSpread: 0, canarySpread: 0 };
  for (const { baseline, canary } of pairs) {
    if (baseline.units <= 0 || canary.units <= 0) continue;
    const weight = (baseline.units * canary.units) / (baseline.units + canary.units);
    all.weight += weight;
    all.baseline += (weight * baseline.bad) / baseline.units;
    all.canary += (weight * canary.bad) / canary.units;
    all.baselineSpread += weight ** 2 / baseline.units;
    all.canarySpread += weight ** 2 / canary.units;
  }
  const units = unitsOf(pairs);
  if (all.weight === 0) return nothing("rate", units);
  const rate = (sum: number) => Math.min(1, Math.max(0, sum / all.weight));
  const worth = (spread: number) => all.weight ** 2 / spread / designEffect;
  const baseline = { rate: rate(all.baseline), units: worth(all.baselineSpread) };
  const canary = { rate: rate(all.canary), units: worth(all.canarySpread) };
  const ratio = baseline.rate === 0 ? null : canary.rate / baseline.rate;
  return {
    kind: "rate",
    baseline: { units: units.baseline, value: baseline.rate },
    canary: { units: units.canary, value: canary.rate },
    difference: estimate(canary.rate - baseline.rate, differenceInterval(canary, baseline)),
    ratio: estimate(ratio, ratioInterval(canary, baseline)),
  };
}

/** Of means, each with the variance that values have within their strata; null: there is nothing to compare. */
function contrast(
  pairs: readonly Both<Moments>[],
  designEffect: number,
): (Both<number> & { variance: number | null }) | null {
  const both = pairs.filter(({ baseline, canary }) => baseline.units > 0 && canary.units > 0);
  if (both.length === 0) return null;
  const within = { baseline: spreadOf(both, "baseline"), canary: spreadOf(both, "canary") };
  const ofBaseline = within.baseline ?? within.canary;
  const ofCanary = within.canary ?? within.baseline;
  const all = { weight: 0, baseline: 0, canary: 0, variance: 0 };
  for (const { baseline, canary } of both) {
    const weight = (baseline.units * canary.units) / (baseline.units + canary.units);
    all.weight += weight;
    all.baseline += (weight * baseline.sum) / baseline.units;
    all.canary += (weight * canary.sum) / canary.units;
    all.variance += weight ** 2 * ((ofBaseline ?? 0) / baseline.units + (ofCanary ?? 0) / canary.units);
  }
  return {
    baseline: all.baseline / all.weight,
    canary: all.canary / all.weight,
    variance: ofBaseline === null ? null : (designEffect * all.variance) / all.weight ** 2,
  };
}

/** Variance of one value within the strata of an arm; null: there are no two in any. */
function spreadOf(pairs: readonly Both<Moments>[], arm: keyof Both<Moments>): number | null {
  const sums = { squares: 0, degrees: 0 };
  for (const pair of pairs) {
    const variance = varianceOf(pair[arm]);
    if (variance === null) continue;
    sums.squares += variance * (pair[arm].units - 1);
    sums.degrees += pair[arm].units - 1;
  }
  return sums.degrees === 0 ? null : sums.squares / sums.degrees;
}

/** Geometric means: one slow or dear answer in a thousand does not decide. */
export function compareTypical(
  pairs: readonly Both<Moments>[],
  designEffect: number,
  scale: number,
): Compared {
  const units = unitsOf(pairs);
  const found = contrast(pairs, designEffect);
  if (found === null) return nothing("typical", units);
  const { baseline, canary, variance } = found;
  const interval = variance === null ? null : normalInterval(canary - baseline, variance);
  return {
    kind: "typical",
    baseline: { units: units.baseline, value: Math.exp(baseline) * scale },
    canary: { units: units.canary, value: Math.exp(canary) * scale },
    difference: null,
    ratio: estimate(
      Math.exp(canary - baseline),
      interval && { low: Math.exp(interval.low), high: Math.exp(interval.high ?? Infinity) },
    ),
  };
}

export function compareMeans(pairs: readonly Both<Moments>[], designEffect: number): Compared {
  const units = unitsOf(pairs);
  const found = contrast(pairs, designEffect);
  if (found === null) return nothing("mean", units);
  const { baseline, canary, variance } = found;
  return {
    kind: "mean",
    baseline: { units: units.baseline, value: baseline },
    canary: { units: units.canary, value: canary },
    difference: estimate(
      canary - baseline,
      variance === null ? null : normalInterval(canary - baseline, variance),
    ),
    ratio: null,
  };
}

function unitsOf(pairs: readonly Both<{ units: number }>[]): Both<number> {
  const sum = (arm: "baseline" | "canary") => pairs.reduce((all, pair) => all + pair[arm].units, 0);
  return { baseline: sum("baseline"), canary: sum("canary") };
}

function nothing(kind: MetricComparison["kind"], { baseline, canary }: Both<number>): Compared {
  return {
    kind,
    baseline: { units: baseline, value: null },
    canary: { units: canary, value: null },
    difference: null,
    ratio: null,
  };
}

function estimate(value: number | null, interval: { low: number; high: number | null } | null): Estimate {
  return { value, low: interval?.low ?? null, high: interval?.high ?? null };
}
