// Single parts of the guardrails by themselves, without a whole rollout around them: false alarms of one CountGuard and of
// one MeanGuard for any shape of values, the gate of a ramp, the check of the split.

import { addLikelihood, NO_LIKELIHOOD } from "../../src/core/guardrails/odds-interval.ts";
import { addToRatio, isSparse, NO_RATIO, ratioInterval } from "../../src/core/guardrails/risk-ratio.ts";
import { addCounts, createCountGuard } from "../../src/core/guardrails/count-guard.ts";
import {
  addMeans,
  createMeanGuard,
  intervalOf,
  SCORE_RULE,
  TIME_RULE,
  type MeanGuard,
  type MeanRule,
} from "../../src/core/guardrails/mean-guard.ts";
import { addToGate, createRampGate, judgeGate } from "../../src/core/guardrails/ramp-gate.ts";
import {
  addSplit,
  createSplitCheck,
  SPLIT_AT,
  splitEvidence,
} from "../../src/core/guardrails/split-check.ts";
import { createRandom, type Random } from "./random.ts";

const REQUESTS = 100_000;
const EVERY = 50;
const SHARE = 0.1;

/** True: it fired at 1 % within 100,000 requests. */
export function runCountGuard(rate: number, seed: number): boolean {
  const random = createRandom(seed);
  let guard = createCountGuard();
  for (let at = 0; at < REQUESTS; at += EVERY) {
    const units = random.binomial(EVERY, SHARE);
    const bad = random.binomial(units, rate);
    const baseline = { units: EVERY - units, bad: random.binomial(EVERY - units, rate) };
    guard = addCounts(guard, { baseline, canary: { units, bad } });
    if (guard.peakLogEvidence >= Math.log(100)) return true;
  }
  return false;
}

/** Values of ln time or of a score, as they come: what a test for means must stand. */
export const SHAPES: Readonly<Record<string, (random: Random) => number>> = {
  "log-normal": (random) => 0.8 * random.normal(),
  "cache hits and misses": (random) => (random.uniform() < 0.3 ? 0 : 2) + 0.3 * random.normal(),
  "rare stalls, 60 times as long": (random) =>
    0.8 * random.normal() + (random.uniform() < 0.005 ? Math.log(60) : 0),
  "log-Student, 3 degrees": (random) => {
    const squares = random.normal() ** 2 + random.normal() ** 2 + random.normal() ** 2;
    return (0.5 * random.normal()) / Math.sqrt(squares / 3);
  },
  "scores 0 or 1, 2 % of them 0": (random) => (random.uniform() < 0.02 ? 0 : 1),
};

/** True: it fired at 1 % within 100,000 requests; without a least effect, which would hide a weakness. */
export function runMeanGuard(name: string, share: number, seed: number): boolean {
  return watchMeans(name, share, seed, ({ peakMargin }) => peakMargin >= 0);
}

/** True: at some look within 100,000 requests the interval of 95 % did not hold the true difference, which is none. */
export function runMeanInterval(name: string, share: number, seed: number): boolean {
  return watchMeans(name, share, seed, (guard, rule) => {
    const interval = intervalOf(guard, rule, 0.05);
    return interval !== null && (interval.low > 0 || interval.high < 0);
  });
}

function watchMeans(
  name: string,
  share: number,
  seed: number,
  isHit: (guard: MeanGuard, rule: MeanRule) => boolean,
): boolean {
  const draw = SHAPES[name]!;
  const random = createRandom(seed);
  const rule = { ...(name.startsWith("scores") ? SCORE_RULE : TIME_RULE), minEffect: 0 };
  let guard = createMeanGuard();
  for (let at = 0; at < REQUESTS; at += EVERY) {
    const stratum = {
      baseline: { units: 0, sum: 0, squares: 0, cubes: 0 },
      canary: { units: 0, sum: 0, squares: 0, cubes: 0 },
    };
    for (let index = 0; index < EVERY; index += 1) {
      const sums = random.uniform() < share ? stratum.canary : stratum.baseline;
      const x = draw(random);
      sums.units += 1;
      sums.sum += x;
      sums.squares += x * x;
      sums.cubes += x * x * x;
    }
    guard = addMeans(guard, stratum, rule, 0.01);
    if (isHit(guard, rule)) return true;
  }
  return false;
}

/** Canary requests until the gate opens; null: it never did. `slower` is the canary's ln time more than the baseline's. */
export function runGate(
  world: { share: number; errors: number; canaryErrors: number; slower: number },
  needs: "errors" | "time" | "both",
  seed: number,
): number | null {
  const random = createRandom(seed);
  let gate = createRampGate();
  let seen = 0;
  for (let at = 0; at < REQUESTS; at += EVERY) {
    const units = random.binomial(EVERY, world.share);
    seen += units;
    const arm = (count: number, errors: number, shift: number) => {
      const bad = random.binomial(count, errors);
      const times = { units: count - bad, sum: 0, squares: 0 };
      for (let index = 0; index < count - bad; index += 1) {
        const x = shift + 0.8 * random.normal();
        times.sum += x;
        times.squares += x * x;
      }
      return { counts: { units: count, bad }, times };
    };
    const baseline = arm(EVERY - units, world.errors, 0);
    const canary = arm(units, world.canaryErrors, world.slower);
    gate = addToGate(gate, {
      errors: { baseline: baseline.counts, canary: canary.counts },
      latency: [{ baseline: baseline.times, canary: canary.times }],
    });
    const { isOpen, errors, time, threshold } = judgeGate(gate);
    if (needs === "both" ? isOpen : (needs === "errors" ? errors : time) >= threshold) return seen;
  }
  return null;
}

/** Requests until the split is found to be wrong; null: it was not. */
export function runSplit(meant: number, real: number, requests: number, seed: number): number | null {
  const random = createRandom(seed);
  let check = createSplitCheck();
  for (let at = EVERY; at <= requests; at += EVERY) {
    check = addSplit(check, { units: EVERY, canary: random.binomial(EVERY, real), share: meant });
    if (splitEvidence(check) >= SPLIT_AT) return at;
  }
  return null;
}

/** True: at some look within 100,000 requests the interval of 95 % did not hold the true risk ratio. */
export function runInterval(world: { share: number; errors: number; ratio: number }, seed: number): boolean {
  const random = createRandom(seed);
  let sums = NO_RATIO;
  let likelihood = NO_LIKELIHOOD;
  for (let at = 0; at < REQUESTS; at += EVERY) {
    const units = random.binomial(EVERY, world.share);
    const canary = { units, bad: random.binomial(units, world.errors * world.ratio) };
    const baseline = { units: EVERY - units, bad: random.binomial(EVERY - units, world.errors) };
    if (isSparse(sums)) likelihood = addLikelihood(likelihood, { baseline, canary });
    sums = addToRatio(sums, { baseline, canary });
    const interval = ratioInterval(sums, likelihood, 0.05);
    if (interval === null) continue;
    if (world.ratio < interval.low || world.ratio > (interval.high ?? Number.POSITIVE_INFINITY)) return true;
  }
  return false;
}
