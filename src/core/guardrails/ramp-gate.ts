// May a ramp go on? The opposite bet of a guardrail: not "is it worse" but "is it proven not to be much worse". Proof for
// errors is either that twice the baseline's odds are ruled out, or that the canary's own rate is ruled out to be above
// what matters (else a prompt that never fails could never pass); for times, that a fifth more is ruled out. Without
// traffic there is no proof, and the ramp waits. Begin a new gate at every step.

import { addLogs, type CountStratum } from "./count-guard.ts";
import { logMoments } from "./hypergeometric.ts";
import {
  addScores,
  addSpreads,
  logMixture,
  mixtureWidth,
  NO_SCORE,
  NO_SPREAD,
  scoreOf,
  spreadOf,
  varianceOf,
  type MeanStratum,
  type Score,
  type Spread,
} from "./normal-mixture.ts";

export type GateRule = {
  /** Odds ratio of bad answers that must be ruled out … */
  odds: number;
  /** … or the rate of bad answers of the canary. */
  rate: number;
  /** Difference of ln time that must be ruled out. */
  slower: number;
  /** Chance to pass while truly at one of those bounds. */
  alpha: number;
};

export const GATE_RULE: GateRule = { odds: 2, rate: 0.005, slower: Math.log(1.2), alpha: 0.05 };

/** What the canary's rate is bet to be, as parts of the rate to rule out. */
const RATE_PARTS: readonly number[] = [0, 0.2];
/** Times that vary less are taken to vary so much (of their logarithms). */
const LEAST_VARIANCE = 0.01;
/** Information at which the mixture for times is tightest, in canary units. */
const OPTIMAL_VARIANCE = 300;

export type RampGate = {
  /** As if every request spoke for itself. */
  logOdds: number;
  logRates: number[];
  time: Score;
  spread: Spread;
  /** Of the latest stratum: all that was gained is divided by it, what was gained before too. */
  designEffects: { errors: number; latency: number };
};

export type GateAnswer = {
  isOpen: boolean;
  /** Nats of proof, and how many are needed. */
  errors: number;
  time: number;
  threshold: number;
};

export function createRampGate(): RampGate {
  return {
    logOdds: 0,
    logRates: RATE_PARTS.map(() => 0),
    time: NO_SCORE,
    spread: NO_SPREAD,
    designEffects: { errors: 1, latency: 1 },
  };
}

/** `latency`: times that are compared with their like, apart. */
export function addToGate(
  gate: RampGate,
  { errors, latency }: { errors: CountStratum; latency: readonly MeanStratum[] },
  designEffects: { errors?: number; latency?: number } = {},
  rule: GateRule = GATE_RULE,
): RampGate {
  const spreads = latency.map(spreadOf);
  return {
    logOdds: gate.logOdds + oddsGain(errors, rule),
    logRates: gate.logRates.map((log, index) => log + rateGain(errors.canary, index, rule)),
    time: latency.reduce(
      (sum, stratum, index) => addScores(sum, scoreOf(stratum, spreads[index]!, LEAST_VARIANCE)),
      gate.time,
    ),
    spread: spreads.reduce(addSpreads, gate.spread),
    designEffects: { errors: designEffects.errors ?? 1, latency: designEffects.latency ?? 1 },
  };
}

/** The likelihood of equal odds against that of the odds to rule out. */
function oddsGain({ baseline, canary }: CountStratum, { odds }: GateRule): number {
  const bad = baseline.bad + canary.bad;
  if (bad === 0 || canary.units === 0 || baseline.units === 0) return 0;
  const [log = 0] = logMoments({ total: baseline.units + canary.units, bad, canary: canary.units }, [odds]);
  return log - canary.bad * Math.log(odds);
}

/** The likelihood of a lower rate against that of the rate to rule out: worth at most 1 whatever higher rate is true. */
function rateGain({ units, bad }: { units: number; bad: number }, index: number, { rate }: GateRule): number {
  const part = RATE_PARTS[index]!;
  const good = (units - bad) * Math.log((1 - part * rate) / (1 - rate));
  // A bet on no bad answer at all is lost with the first one; JSON knows no infinity.
  return good + (bad === 0 ? 0 : bad * (part === 0 ? -1_000 : Math.log(part)));
}

export function judgeGate(gate: RampGate, rule: GateRule = GATE_RULE): GateAnswer {
  const { errors: clumps } = gate.designEffects;
  const rates = gate.logRates.map((log) => log / clumps).reduce(addLogs) - Math.log(gate.logRates.length);
  // Both bets are fair where both bounds are exceeded, so the mean of their capital is; that is the case to rule out.
  const errors = addLogs(gate.logOdds / clumps, rates) - Math.LN2;
  const time = timeProof(gate, rule);
  const threshold = -Math.log(rule.alpha);
  return { isOpen: errors >= threshold && time >= threshold, errors, time, threshold };
}

function timeProof({ time, spread, designEffects }: RampGate, { slower, alpha }: GateRule): number {
  if (time.weight === 0) return 0;
  const variance = Math.max(LEAST_VARIANCE, varianceOf(spread));
  const z = (slower * time.weight - time.score) / Math.sqrt(variance * designEffects.latency);
  return logMixture(z, time.variance / variance, mixtureWidth(OPTIMAL_VARIANCE, alpha));
}
