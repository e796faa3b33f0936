// How much worse, for people: the Mantel–Haenszel risk ratio over strata, the rates that it is the ratio of, and an interval
// that may be looked at as often as the verdict. The verdict itself does not rest on it (count-guard.ts does, exactly).
// Sums pooled over a change of weights would show what is not there (Simpson); these are weighted stratum by stratum.

import type { CountStratum } from "./count-guard.ts";
import { mixtureReach, mixtureWidth } from "./normal-mixture.ts";
import { oddsInterval, type OddsLikelihood } from "./odds-interval.ts";

/** `over / under` is the risk ratio, canary over baseline; `over / weight` and `under / weight` are the two rates. */
export type RatioSums = {
  over: number;
  under: number;
  weight: number;
  /** Of the variance of the ratio's logarithm (Greenland & Robins 1985). */
  spread: number;
  canaryUnits: number;
  baselineBad: number;
  canaryBad: number;
};

export const NO_RATIO: RatioSums = {
  over: 0,
  under: 0,
  weight: 0,
  spread: 0,
  canaryUnits: 0,
  baselineBad: 0,
  canaryBad: 0,
};

/** Bad answers at which the interval is tightest. */
const OPTIMAL_BAD = 30;
/** Of each arm: below it the interval is an exact one. */
const LEAST_BAD = 10;
/** Of alpha, for the exact interval; the rest is for the one that comes after it. */
const SPARSE_SHARE = 0.4;

export function addToRatio(sums: RatioSums, { baseline, canary }: CountStratum): RatioSums {
  if (baseline.units === 0 || canary.units === 0) return sums;
  const total = baseline.units + canary.units;
  const bad = baseline.bad + canary.bad;
  const weight = (baseline.units * canary.units) / total;
  return {
    over: sums.over + (canary.bad * baseline.units) / total,
    under: sums.under + (baseline.bad * canary.units) / total,
    weight: sums.weight + weight,
    spread: sums.spread + (weight * bad - canary.bad * baseline.bad) / total,
    canaryUnits: sums.canaryUnits + canary.units,
    baselineBad: sums.baselineBad + baseline.bad,
    canaryBad: sums.canaryBad + canary.bad,
  };
}

export function addRatios(one: RatioSums, other: RatioSums): RatioSums {
  return {
    over: one.over + other.over,
    under: one.under + other.under,
    weight: one.weight + other.weight,
    spread: one.spread + other.spread,
    canaryUnits: one.canaryUnits + other.canaryUnits,
    baselineBad: one.baselineBad + other.baselineBad,
    canaryBad: one.canaryBad + other.canaryBad,
  };
}

/** Canary over baseline; null: nothing to compare yet. Infinite where the baseline had none. */
export function riskRatio({ over, under }: RatioSums): number | null {
  if (under > 0) return over / under;
  return over > 0 ? Number.POSITIVE_INFINITY : null;
}

/** The rates that the risk ratio compares; null: nothing to compare yet. */
export function ratesOf({ over, under, weight }: RatioSums): { baseline: number; canary: number } | null {
  return weight === 0 ? null : { baseline: under / weight, canary: over / weight };
}

/** Too few bad answers in one of the arms for an approximation. */
export function isSparse({ baselineBad, canaryBad }: RatioSums): boolean {
  return Math.min(baselineBad, canaryBad) < LEAST_BAD;
}

/**
 * Around the risk ratio, holding at every moment at once with a chance of about 1 − alpha (measured in bench/guardrails,
 * P6). Of few bad answers: that of the odds ratio, carried over at the baseline's rate. Of more: a normal mixture on the
 * ratio's logarithm. null: nothing to compare; `high` null: no bound.
 */
export function ratioInterval(
  sums: RatioSums,
  likelihood: OddsLikelihood,
  alpha: number,
  designEffect = 1,
): { low: number; high: number | null } | null {
  if (sums.weight === 0) return null;
  if (isSparse(sums))
    return sparseInterval(sums, oddsInterval(likelihood, SPARSE_SHARE * alpha, designEffect));
  const left = (1 - SPARSE_SHARE) * alpha;
  const { over, under, spread } = sums;
  const variance = (spread / (over * under)) * designEffect;
  const reach = mixtureReach(1 / variance, mixtureWidth(OPTIMAL_BAD, left), left) * variance;
  const middle = Math.log(over / under);
  return { low: Math.exp(middle - reach), high: Math.exp(middle + reach) };
}

/** An odds ratio says more than a risk ratio where the baseline often fails; where it hardly does they are the same. */
function sparseInterval(sums: RatioSums, odds: { low: number; high: number | null }) {
  const rate = sums.under / sums.weight;
  const toRisk = (ratio: number) => ratio / (1 - rate + rate * ratio);
  return { low: toRisk(odds.low), high: odds.high === null ? null : toRisk(odds.high) };
}
