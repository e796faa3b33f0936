// How sure a number is: 95 % intervals for rates, quantiles and means, and for how two of them compare. They say what is
// known at one look and take every answer for itself; verdicts over time, which may be looked at as often as one likes, are
// the guardrails' (core/guardrails). Unknown is null, and so is a bound that does not exist.

import { binBelow, binUpTo, countIn, valueOfBin, type Histogram } from "./guardrails/histogram.ts";

/** `high` null: no upper bound. */
export type Interval = { low: number; high: number | null };

const Z = 1.959963984540054;

/** Of `bad` among `units`, which may be fewer than were counted where they are alike (a design effect). Wilson 1927: its
 * coverage is near 95 % for small numbers too, and it never leaves 0 to 1. */
export function rateInterval(bad: number, units: number): Interval | null {
  if (!(units > 0)) return null;
  const rate = Math.min(1, Math.max(0, bad / units));
  const weight = 1 + (Z * Z) / units;
  const middle = (rate + (Z * Z) / (2 * units)) / weight;
  const reach = (Z * Math.sqrt((rate * (1 - rate)) / units + (Z * Z) / (4 * units * units))) / weight;
  return {
    low: rate === 0 ? 0 : Math.max(0, middle - reach),
    high: rate === 1 ? 1 : Math.min(1, middle + reach),
  };
}

/** Beyond so many values the binomial is taken for normal. */
const EXACT_UNITS = 500;

/** Between two order statistics, whatever the distribution (Conover 1999, §3.2; Hahn & Meeker 1991, §5.2), each widened to
 * the edge of its bin. `high` null: too few values to bound it from above. */
export function quantileInterval(histogram: Histogram, quantile: number): Interval | null {
  const units = countIn(histogram);
  if (units === 0) return null;
  const { low, high } = units <= EXACT_UNITS ? exactRanks(units, quantile) : normalRanks(units, quantile);
  return {
    low: low < 1 ? 0 : edgesOfRank(histogram, low).low,
    high: high > units ? null : edgesOfRank(histogram, high).high,
  };
}

/** The narrowest ranks outside of which the quantile lies with at most 2.5 % each: P(X < low), P(X ≥ high) of a binomial. */
function exactRanks(units: number, quantile: number): { low: number; high: number } {
  if (quantile > 0.5) {
    // From the other end, where the first mass is not too small to be held.
    const mirrored = exactRanks(units, 1 - quantile);
    return { low: units + 1 - mirrored.high, high: units + 1 - mirrored.low };
  }
  const odds = quantile / (1 - quantile);
  let mass = (1 - quantile) ** units;
  let below = 0;
  let low = 0;
  let high = units + 1;
  for (let rank = 0; rank <= units; rank += 1) {
    // `below` is P(X < rank), X the number of values under the quantile.
    if (below <= 0.025) low = rank;
    if (below >= 0.975) {
      high = rank;
      break;
    }
    below += mass;
    mass *= (odds * (units - rank)) / (rank + 1);
  }
  return { low, high };
}

function normalRanks(units: number, quantile: number): { low: number; high: number } {
  const reach = Z * Math.sqrt(units * quantile * (1 - quantile));
  return { low: Math.floor(units * quantile - reach), high: Math.ceil(units * quantile + reach) + 1 };
}

function edgesOfRank(histogram: Histogram, rank: number): Interval {
  let seen = 0;
  for (const bin in histogram) {
    seen += histogram[bin] ?? 0;
    if (seen >= rank) return { low: binBelow(Number(bin)), high: binUpTo(Number(bin)) };
  }
  return { low: 0, high: null };
}

export type Moments = { units: number; sum: number; squares: number };

/** Of the values that bins stand for. */
export function momentsOf(histogram: Histogram): Moments {
  const moments = { units: 0, sum: 0, squares: 0 };
  for (const bin in histogram) {
    const count = histogram[bin] ?? 0;
    const value = valueOfBin(Number(bin));
    moments.units += count;
    moments.sum += count * value;
    moments.squares += count * value * value;
  }
  return moments;
}

/** Of the mean of one value; null: fewer than two. */
export function varianceOf({ units, sum, squares }: Moments): number | null {
  return units < 2 ? null : Math.max(0, squares - (sum * sum) / units) / (units - 1);
}

/** Student's. For values that are skewed (times, costs) it wants some hundreds of them. */
export function meanInterval(moments: Moments): Interval | null {
  const variance = varianceOf(moments);
  if (variance === null) return null;
  const mean = moments.sum / moments.units;
  const reach = studentQuantile(moments.units - 1) * Math.sqrt(variance / moments.units);
  return { low: mean - reach, high: mean + reach };
}

/** The 97.5 % quantile; from 3 degrees on by its expansion (Abramowitz & Stegun 26.7.5; within 0.3 %). */
export function studentQuantile(degrees: number): number {
  if (degrees <= 1) return Math.tan(0.475 * Math.PI);
  if (degrees <= 2) return 0.95 * Math.sqrt(2 / (1 - 0.95 ** 2));
  const [z3, z5, z7, z9] = [3, 5, 7, 9].map((power) => Z ** power) as [number, number, number, number];
  return (
    Z +
    (z3 + Z) / (4 * degrees) +
    (5 * z5 + 16 * z3 + 3 * Z) / (96 * degrees ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * Z) / (384 * degrees ** 3) +
    (79 * z9 + 776 * z7 + 1_482 * z5 - 1_920 * z3 - 945 * Z) / (92_160 * degrees ** 4)
  );
}

/** A rate and the number of units that it is worth. */
export type Rate = { rate: number; units: number };

/** canary − baseline, from the two Wilson intervals (Newcombe 1998, method 10). */
export function differenceInterval(canary: Rate, baseline: Rate): Interval | null {
  const [one, other] = [boundsOf(canary), boundsOf(baseline)];
  if (one === null || other === null) return null;
  const difference = canary.rate - baseline.rate;
  return {
    low: difference - Math.hypot(canary.rate - one.low, other.high - baseline.rate),
    high: difference + Math.hypot(one.high - canary.rate, baseline.rate - other.low),
  };
}

/** canary ÷ baseline, from the two Wilson intervals (Donner & Zou 2012, MOVER-R): good for rates of 0, too. */
export function ratioInterval(canary: Rate, baseline: Rate): Interval | null {
  const [one, other] = [boundsOf(canary), boundsOf(baseline)];
  if (one === null || other === null) return null;
  const product = canary.rate * baseline.rate;
  const lowOver = one.low * (2 * canary.rate - one.low);
  const highUnder = other.high * (2 * baseline.rate - other.high);
  const highOver = one.high * (2 * canary.rate - one.high);
  const lowUnder = other.low * (2 * baseline.rate - other.low);
  const lowRest = product + Math.sqrt(Math.max(0, product ** 2 - lowOver * highUnder));
  return {
    low: lowOver === 0 ? 0 : lowOver / lowRest,
    high:
      lowUnder <= 0
        ? null
        : (product + Math.sqrt(Math.max(0, product ** 2 - highOver * lowUnder))) / lowUnder,
  };
}

function boundsOf({ rate, units }: Rate): { low: number; high: number } | null {
  const interval = rateInterval(rate * units, units);
  return interval === null ? null : { low: interval.low, high: interval.high ?? 1 };
}

/** `value` ± what its variance allows. */
export function normalInterval(value: number, variance: number): Interval {
  const reach = Z * Math.sqrt(variance);
  return { low: value - reach, high: value + reach };
}
