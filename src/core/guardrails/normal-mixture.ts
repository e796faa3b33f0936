// The one-sided normal mixture, by which a stratified score is judged as often as one likes (an asymptotic confidence
// sequence: Howard et al., arXiv 1810.08240; Waudby-Smith et al., arXiv 2103.06476). Canary and baseline are compared
// inside a stratum only, so a drift of both or a change of the split says nothing.

/** Sums of one arm in one stratum: of x, of x², and of x³ where it is known. */
export type MeanSums = { units: number; sum: number; squares: number; cubes?: number };
export type MeanStratum = { baseline: MeanSums; canary: MeanSums };

/** A running comparison: `score / weight` is the difference of the means, `variance` the score's own. */
export type Score = { score: number; weight: number; variance: number };

/** Sums within the arms, for the variance and the skewness that both have in common. */
export type Spread = { squares: number; cubes: number; degrees: number };

export const NO_SCORE: Score = { score: 0, weight: 0, variance: 0 };
export const NO_SPREAD: Spread = { squares: 0, cubes: 0, degrees: 0 };

export function spreadOf({ baseline, canary }: MeanStratum): Spread {
  return {
    squares: squaresWithin(baseline) + squaresWithin(canary),
    cubes: cubesWithin(baseline) + cubesWithin(canary),
    degrees: Math.max(0, baseline.units - 1) + Math.max(0, canary.units - 1),
  };
}

function squaresWithin({ units, sum, squares }: MeanSums): number {
  return units === 0 ? 0 : Math.max(0, squares - (sum * sum) / units);
}

function cubesWithin({ units, sum, squares, cubes }: MeanSums): number {
  if (units === 0 || cubes === undefined) return 0;
  const mean = sum / units;
  return cubes - 3 * mean * squares + 2 * units * mean ** 3;
}

/** What one stratum adds; nothing where an arm is missing. */
export function scoreOf({ baseline, canary }: MeanStratum, spread: Spread, leastVariance = 0): Score {
  if (baseline.units === 0 || canary.units === 0 || spread.degrees === 0) return NO_SCORE;
  const units = baseline.units + canary.units;
  const mean = (baseline.sum + canary.sum) / units;
  const weight = (baseline.units * canary.units) / units;
  return {
    score: canary.sum - canary.units * mean,
    weight,
    variance: weight * Math.max(leastVariance, spread.squares / spread.degrees),
  };
}

export function addScores(one: Score, other: Score): Score {
  return {
    score: one.score + other.score,
    weight: one.weight + other.weight,
    variance: one.variance + other.variance,
  };
}

export function addSpreads(one: Spread, other: Spread): Spread {
  return {
    squares: one.squares + other.squares,
    cubes: one.cubes + other.cubes,
    degrees: one.degrees + other.degrees,
  };
}

export function varianceOf({ squares, degrees }: Spread): number {
  return degrees === 0 ? 0 : squares / degrees;
}

/** Squared: how lopsided values are. One answer in fifty that is ten times as dear: about 47. */
export function skewnessOf({ squares, cubes, degrees }: Spread): number {
  return squares > 0 ? (cubes * cubes * degrees) / squares ** 3 : 0;
}

/** Wide enough that the mixture is tightest at `optimalVariance`; it also is what keeps the first few units from firing. */
export function mixtureWidth(optimalVariance: number, alpha: number): number {
  const twice = 2 * Math.log(2 / alpha);
  return optimalVariance / (twice + Math.log(1 + twice));
}

/** ln of the mixture's evidence that a score's mean is above zero; `z` and its variance `v` in units of one value's sigma. */
export function logMixture(z: number, v: number, width: number): number {
  const total = v + width;
  const positive = Math.max(z, 0);
  return (
    0.5 * Math.log((4 * width) / total) +
    (positive * positive) / (2 * total) +
    logNormalTail(z / Math.sqrt(total))
  );
}

/** How far a score may be off in units of one value's sigma, `v` being its variance, at every moment at once but for a
 * chance of alpha (two-sided). */
export function mixtureReach(v: number, width: number, alpha: number): number {
  return Math.sqrt((v + width) * Math.log((v + width) / (width * alpha * alpha)));
}

/** ln Φ(z), by Abramowitz & Stegun 26.2.17 (error below 7.5e-8); far below zero the mixture is far from firing. */
export function logNormalTail(z: number): number {
  const size = Math.abs(z);
  const t = 1 / (1 + 0.2316419 * size);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = Math.exp((-size * size) / 2) * 0.3989422804014327 * polynomial;
  return Math.log(Math.max(z >= 0 ? 1 - upper : upper, 1e-300));
}
