// A guardrail for means (logarithms of time, cost or tokens; a judge's score): a stratified score under a one-sided normal
// mixture, valid however often it is looked at. Raw times and costs have tails that blind or mislead it: take logarithms
// and clip them first. The main test begins with the rollout and never ends; copies begun later find a late change.

import {
  addScores,
  addSpreads,
  logMixture,
  mixtureReach,
  mixtureWidth,
  NO_SCORE,
  NO_SPREAD,
  scoreOf,
  skewnessOf,
  spreadOf,
  varianceOf,
  type MeanStratum,
  type Score,
  type Spread,
} from "./normal-mixture.ts";

export type MeanGuard = {
  kind: "mean";
  /** What it tolerates: with another tolerance it begins anew. */
  margin: number;
  main: Score;
  /** Of all strata; and of the present block and the one before, for people: a change that came late drowns in a long past. */
  levels: LevelSums;
  block: LevelSums;
  blockBefore: LevelSums;
  /** Copies begun later, so that long good history hides no late change; the newest last. */
  copies: (Score & { number: number })[];
  restarts: number;
  canaryUnits: number;
  baselineUnits: number;
  spread: Spread;
  /** A crossing is kept: the highest that any test has been above its threshold, in nats. */
  peakMargin: number;
};

/** Differences of the means and the baseline's means, weighted alike, stratum by stratum. */
export type LevelSums = { weight: number; score: number; level: number; canaryUnits: number };

const NO_LEVELS: LevelSums = { weight: 0, score: 0, level: 0, canaryUnits: 0 };
/** Canary units of a block. */
const BLOCK_UNITS = 100;

export type MeanRule = {
  /** +1: more is worse (time, cost); −1: less is worse (a score). */
  sign: 1 | -1;
  /** Effects below it never fire; in units of x, so ln 1.05 for +5 %. */
  minEffect: number;
  /** Where the mixture is tightest, in canary units' information. */
  optimalVariance: number;
  /** Canary units between two copies. */
  restartUnits: number;
  /** A difference that is tolerated, in units of x. */
  margin: number;
  /** How wide the scale is that all values lie on; 0: no such scale, logarithms have none. */
  scale: number;
  /** Values that vary less are taken to vary so much: what is the same for all so far need not stay so. */
  leastVariance: number;
};

export const TIME_RULE: MeanRule = {
  sign: 1,
  minEffect: Math.log(1.05),
  optimalVariance: 200,
  restartUnits: 250,
  margin: 0,
  scale: 0,
  leastVariance: 0.01,
};
export const SCORE_RULE: MeanRule = { ...TIME_RULE, sign: -1, minEffect: 0.02, scale: 1, leastVariance: 0 };

/** Copies kept; an older one has had its chance, and the main test goes on for ever. */
const MOST_COPIES = 8;
/** Of the budget, for the test that begins with the rollout; the rest is for the copies. */
const MAIN_SHARE = 0.7;
/** Below it nobody knows how values vary: a few that happen to be alike would make the next one an outrage. */
const LEAST_DEGREES = 100;
/** Below every threshold; JSON knows no infinity. */
const NOWHERE = -1_000_000;

export function createMeanGuard({ margin }: Pick<MeanRule, "margin"> = TIME_RULE): MeanGuard {
  return {
    kind: "mean",
    margin,
    main: NO_SCORE,
    levels: NO_LEVELS,
    block: NO_LEVELS,
    blockBefore: NO_LEVELS,
    copies: [],
    restarts: 0,
    canaryUnits: 0,
    baselineUnits: 0,
    spread: NO_SPREAD,
    peakMargin: NOWHERE,
  };
}

/** One closed stratum, judged at `alpha`, this guardrail's share of the budget. */
export function addMeans(
  guard: MeanGuard,
  stratum: MeanStratum,
  rule: MeanRule,
  alpha: number,
  designEffect = 1,
): MeanGuard {
  const spread = spreadOf(stratum);
  const step = scoreOf(stratum, spread, rule.leastVariance);
  const next = {
    ...guard,
    canaryUnits: guard.canaryUnits + stratum.canary.units,
    baselineUnits: guard.baselineUnits + stratum.baseline.units,
    spread: addSpreads(guard.spread, spread),
  };
  if (step.weight > 0) {
    next.main = addScores(guard.main, step);
    next.levels = addLevels(guard.levels, step, stratum);
    next.block = addLevels(guard.block, step, stratum);
    if (next.block.canaryUnits >= BLOCK_UNITS) {
      next.blockBefore = next.block;
      next.block = NO_LEVELS;
    }
    next.copies = guard.copies.map((copy) => ({ ...addScores(copy, step), number: copy.number }));
  }
  while (Math.floor(next.canaryUnits / rule.restartUnits) > next.restarts) {
    next.restarts += 1;
    next.copies = [...next.copies, { ...NO_SCORE, number: next.restarts }].slice(-MOST_COPIES);
  }
  next.peakMargin = Math.max(guard.peakMargin, marginOf(next, rule, alpha, designEffect));
  return next;
}

/** Nats by which the strongest of the tests is beyond its threshold; negative: none is. */
function marginOf(guard: MeanGuard, rule: MeanRule, alpha: number, designEffect: number): number {
  const variance = Math.max(rule.leastVariance, varianceOf(guard.spread));
  if (!(variance > 0) || guard.spread.degrees < LEAST_DEGREES) return NOWHERE;
  const sigma = Math.sqrt(variance);
  const width = widthOf(rule, guard.spread, alpha);
  const over = (test: Score, threshold: number) => {
    const score = rule.sign * test.score;
    if (test.weight === 0 || score / test.weight < rule.minEffect) return NOWHERE;
    const z = (score - rule.margin * test.weight) / (sigma * Math.sqrt(designEffect));
    return logMixture(z, test.variance / variance, width) - threshold;
  };
  let best = over(guard.main, -Math.log(MAIN_SHARE * alpha));
  for (const copy of guard.copies) {
    const threshold = Math.log((copy.number * (copy.number + 1)) / ((1 - MAIN_SHARE) * alpha));
    best = Math.max(best, over(copy, threshold));
  }
  return best;
}

/**
 * The mixture's width, a soft least number of units, of which lopsided values need more until their sum is anything like
 * normal: twice their skewness squared. On a scale it is at most scale / sigma (one answer in fifty fails, all others are
 * right); without one it is measured (one answer in fifty is ten times as dear).
 */
function widthOf({ optimalVariance, scale, leastVariance }: MeanRule, spread: Spread, alpha: number): number {
  const variance = Math.max(leastVariance, varianceOf(spread));
  const skewness = scale > 0 ? (scale * scale) / variance : skewnessOf(spread);
  return Math.max(mixtureWidth(optimalVariance, alpha), 2 * skewness);
}

/** Difference of the means, canary less baseline, in units of x; null: nothing to compare. */
export function effectOf({ main }: MeanGuard): number | null {
  return main.weight === 0 ? null : main.score / main.weight;
}

function addLevels(held: LevelSums, { score, weight }: Score, { baseline, canary }: MeanStratum): LevelSums {
  return {
    weight: held.weight + weight,
    score: held.score + score,
    level: held.level + weight * (baseline.sum / baseline.units),
    canaryUnits: held.canaryUnits + canary.units,
  };
}

/** Means of x that the effect is the difference of; null: nothing to compare. */
export function meansIn({ weight, score, level }: LevelSums): { baseline: number; canary: number } | null {
  return weight === 0 ? null : { baseline: level / weight, canary: (level + score) / weight };
}

/** Of the latest block or two. */
export function latestLevels({ block, blockBefore }: MeanGuard): LevelSums {
  return {
    weight: block.weight + blockBefore.weight,
    score: block.score + blockBefore.score,
    level: block.level + blockBefore.level,
    canaryUnits: block.canaryUnits + blockBefore.canaryUnits,
  };
}

/** An interval for the effect that holds at every moment at once (for charts); null: too little to compare. */
export function intervalOf(
  guard: MeanGuard,
  rule: MeanRule,
  alpha: number,
  designEffect = 1,
): { low: number; high: number } | null {
  const effect = effectOf(guard);
  if (effect === null || guard.spread.degrees < LEAST_DEGREES) return null;
  const variance = Math.max(rule.leastVariance, varianceOf(guard.spread));
  const v = variance === 0 ? 0 : guard.main.variance / variance;
  const width = variance === 0 ? 1 : widthOf(rule, guard.spread, alpha);
  const half = (Math.sqrt(variance * designEffect) * mixtureReach(v, width, alpha)) / guard.main.weight;
  return { low: effect - half, high: effect + half };
}
