// How much worse, for people: the Mantel–Haenszel risk ratio over strata, the rates that it is the ratio of, and an interval
// that may be looked at as often as the verdict. The verdict itself does not rest on it (count-guard.ts does, exactly).
// Sums pooled over a change of weights would show what is not there (Simpson); these are weighted stratum by stratum.

import type { CountStratum } from "./count-guard.ts";
import { mixtureReach, mixtureWidth } from "./normal-mixture.ts";

/** `over / under` is the risk ratio, canary over baseline; `over / weight` and `under / weight` are the two rates. */
export type RatioSums = {
  over: number;
  under: number;
  weight: number;
  /** Of the variance of the ratio's logarithm (Greenland & Robins 1985). */
  spread: number;
  baselineUnits: number;
  canaryUnits: number;
};

export const NO_RATIO: RatioSums = {
  over: 0,
  under: 0,
  weight: 0,
  spread: 0,
  baselineUnits: 0,
  canaryUnits: 0,
};

/** Bad answers at which the interval is tightest. */
const OPTIMAL_BAD = 30;

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
    baselineUnits: sums.baselineUnits + baseline.units,
    canaryUnits: sums.canaryUnits + canary.units,
  };
}

export function addRatios(one: RatioSums, other: RatioSums): RatioSums {
  return {
    over: one.over + other.over,
    under: one.under + other.under,
    weight: one.weight + other.weight,
    spread: one.spread + other.spread,
    baselineUnits: one.baselineUnits + other.baselineUnits,
    canaryUnits: one.canaryUnits + other.canaryUnits,
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

/**
 * Around the risk ratio, holding at every moment at once with a chance of at least 1 − alpha: a normal mixture on its
 * logarithm. An approximation for large numbers, made usable for small ones by half a bad answer added to each arm;
 * measured in bench/guardrails (P6). null: nothing to compare; `high` null: no bound, the baseline had none.
 */
export function ratioInterval(
  sums: RatioSums,
  alpha: number,
  designEffect = 1,
): { low: number; high: number | null } | null {
  const { weight, baselineUnits, canaryUnits } = sums;
  if (weight === 0) return null;
  const over = sums.over + weight / canaryUnits / 2;
  const under = sums.under + weight / baselineUnits / 2;
  const spread = sums.spread + ((weight / canaryUnits) * weight) / baselineUnits;
  const variance = (spread / (over * under)) * designEffect;
  const reach = mixtureReach(1 / variance, mixtureWidth(OPTIMAL_BAD, alpha), alpha) * variance;
  const middle = Math.log(over / under);
  return {
    low: sums.over === 0 ? 0 : Math.exp(middle - reach),
    high: sums.under === 0 ? null : Math.exp(middle + reach),
  };
}
