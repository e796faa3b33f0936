// A guardrail for what is either good or bad (errors, timeouts, refusals, thumbs): an exact e-process. Within every
// stratum the canary is compared with the baseline at the same moment, by bets on odds ratios against the hypergeometric
// that holds if the arms are alike; evidence multiplies over strata. By Ville's inequality the chance that it ever
// crosses 1/alpha while the arms are alike is at most alpha, however often it is looked at and however weights change.
// (Cochran–Mantel–Haenszel as an e-process: Lindon & Malek, arXiv 2011.03567; Turner & Grünwald, arXiv 2302.11401.)

import { logMoments } from "./hypergeometric.ts";
import { addLikelihood, NO_LIKELIHOOD, type OddsLikelihood } from "./odds-interval.ts";
import { addToRatio, isSparse, NO_RATIO, type RatioSums } from "./risk-ratio.ts";

/** Counts of one stratum; `bad` of `units`. Whole numbers. */
export type CountStratum = {
  baseline: { units: number; bad: number };
  canary: { units: number; bad: number };
};

export type CountGuard = {
  kind: "count";
  /** What it tolerates: with another tolerance it begins anew. */
  margin: number;
  /** ln of each bet's capital. */
  logCapital: number[];
  /** Fresh capital put in so far: a canary that was fine for long must not be owed a long time to be found out. */
  restarts: number;
  canaryUnits: number;
  canaryBad: number;
  /** Highest evidence so far, in nats: a crossing is kept. */
  peakLogEvidence: number;
  /** Since the beginning, over all strata. */
  ratio: RatioSums;
  /** For the interval, as long as the counts are too small for the sums above. */
  likelihood: OddsLikelihood;
  /** Of the present block and the one before, for people: a change that came late drowns in a long past. */
  block: RatioSums;
  blockBefore: RatioSums;
  baselineUnits: number;
  baselineBad: number;
  /** By which the capital's gains have been divided so far. */
  designEffect: number;
};

export const ODDS: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 40];
const LOG_ODDS = ODDS.map(Math.log);

/** Canary units of a block: about as many as it takes to find something. */
const BLOCK_UNITS = 100;
/** Of the capital, what the rollout begins with; the restarts share the rest. */
const FIRST_SHARE = 0.65;

export type CountRule = {
  /** Odds ratio that is tolerated; 1: none. */
  margin: number;
  /** Canary units between two puts of fresh capital. */
  restartUnits: number;
};

export const COUNT_RULE: CountRule = { margin: 1, restartUnits: 500 };

export function createCountGuard({ margin }: Pick<CountRule, "margin"> = COUNT_RULE): CountGuard {
  return {
    kind: "count",
    margin,
    logCapital: ODDS.map(() => Math.log(FIRST_SHARE / ODDS.length)),
    restarts: 0,
    canaryUnits: 0,
    canaryBad: 0,
    peakLogEvidence: 0,
    ratio: NO_RATIO,
    likelihood: NO_LIKELIHOOD,
    block: NO_RATIO,
    blockBefore: NO_RATIO,
    baselineUnits: 0,
    baselineBad: 0,
    designEffect: 1,
  };
}

/** One closed stratum. `designEffect` ≥ 1: how much less the units say because they are correlated. */
export function addCounts(
  guard: CountGuard,
  stratum: CountStratum,
  rule: CountRule = COUNT_RULE,
  designEffect = 1,
): CountGuard {
  const { baseline, canary } = stratum;
  const total = baseline.units + canary.units;
  const bad = baseline.bad + canary.bad;
  const next = designEffect === guard.designEffect ? { ...guard } : rescale(guard, designEffect);
  if (canary.units > 0 && baseline.units > 0 && bad > 0) {
    next.logCapital = bet(
      next.logCapital,
      { total, bad, canary: canary.units },
      canary.bad,
      rule,
      designEffect,
    );
  }
  next.ratio = addToRatio(guard.ratio, stratum);
  if (isSparse(guard.ratio)) next.likelihood = addLikelihood(guard.likelihood, stratum);
  next.block = addToRatio(guard.block, stratum);
  next.canaryUnits += canary.units;
  next.canaryBad += canary.bad;
  next.baselineUnits += baseline.units;
  next.baselineBad += baseline.bad;
  while (Math.floor(next.canaryUnits / rule.restartUnits) > next.restarts) refill(next);
  if (next.block.canaryUnits >= BLOCK_UNITS) {
    next.blockBefore = next.block;
    next.block = NO_RATIO;
  }
  next.peakLogEvidence = Math.max(guard.peakLogEvidence, logEvidence(next));
  return next;
}

function bet(
  logCapital: number[],
  margins: { total: number; bad: number; canary: number },
  canaryBad: number,
  { margin }: CountRule,
  designEffect: number,
): number[] {
  const logs = logMoments(margins, margin === 1 ? ODDS : [margin, ...ODDS.map((ratio) => ratio * margin)]);
  const offset = margin === 1 ? 0 : logs.shift()!;
  return logCapital.map((log, index) => {
    const gain = canaryBad * LOG_ODDS[index]! - (logs[index]! - offset);
    return log + gain / designEffect;
  });
}

/** How clumped the units are becomes known late: what was gained or lost before is divided by it as well. */
function rescale(guard: CountGuard, designEffect: number): CountGuard {
  const putIn = Math.log((1 - unspentOf(guard.restarts)) / ODDS.length);
  const ratio = guard.designEffect / designEffect;
  return {
    ...guard,
    designEffect,
    logCapital: guard.logCapital.map((log) => putIn + (log - putIn) * ratio),
  };
}

/** What has not been put in yet: block i puts in 1 / i (i + 1) of what the restarts share, spread over the bets. */
function unspentOf(restarts: number): number {
  return (1 - FIRST_SHARE) / (restarts + 1);
}

function refill(guard: CountGuard): void {
  guard.restarts += 1;
  const share = Math.log((unspentOf(guard.restarts - 1) - unspentOf(guard.restarts)) / ODDS.length);
  guard.logCapital = guard.logCapital.map((log) => addLogs(log, share));
}

/** ln E: the bets' capital and what has not been put in yet. */
export function logEvidence({ logCapital, restarts }: CountGuard): number {
  return logCapital.reduce(addLogs, Math.log(unspentOf(restarts)));
}

export function addLogs(one: number, other: number): number {
  const top = Math.max(one, other);
  return top === Number.NEGATIVE_INFINITY ? top : top + Math.log1p(Math.exp(Math.min(one, other) - top));
}
