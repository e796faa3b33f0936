// What one arm did in one stratum, and how reports are put together to strata. A stratum is a short stretch of time in
// which both arms met the same world; it never spans a change of weights, which is what the epoch stands for: the
// release's revision, stamped when a request is routed.

import type { CountStratum } from "./count-guard.ts";
import type { CountMetric, MeanMetric } from "./guards.ts";
import { mergeHistograms, type Histogram } from "./histogram.ts";
import type { MeanStratum, MeanSums } from "./normal-mixture.ts";

export type HistogramMetric = Exclude<MeanMetric, "judge_score">;

/** Histograms are of good answers only: a failure's time and cost say nothing about an answer's. */
export type ArmSums = {
  requests: number;
  counts: { [metric in Exclude<CountMetric, "latency_tail" | "thumbs_down">]: number };
  thumbs: { units: number; bad: number };
  histograms: { [metric in HistogramMetric]: Histogram };
  judge: MeanSums;
};

export type Stratum = { epoch: number; baseline: ArmSums; canary: ArmSums };

/** Units below which a stratum stays open, unless its epoch ends. */
export const STRATUM_UNITS = 20;

export function createArmSums(): ArmSums {
  return {
    requests: 0,
    counts: { errors: 0, timeouts: 0, refusals: 0, truncations: 0, schema_failures: 0 },
    thumbs: { units: 0, bad: 0 },
    histograms: { first_token: {}, latency: {}, cost: {}, tokens: {} },
    judge: { units: 0, sum: 0, squares: 0 },
  };
}

/** Two reports of one arm and epoch, as if they had been one. */
export function mergeArmSums(one: ArmSums, other: ArmSums): ArmSums {
  const count = (metric: keyof ArmSums["counts"]) => one.counts[metric] + other.counts[metric];
  const merge = (metric: HistogramMetric) =>
    mergeHistograms(one.histograms[metric], other.histograms[metric]);
  return {
    requests: one.requests + other.requests,
    counts: {
      errors: count("errors"),
      timeouts: count("timeouts"),
      refusals: count("refusals"),
      truncations: count("truncations"),
      schema_failures: count("schema_failures"),
    },
    thumbs: addPairs(one.thumbs, other.thumbs),
    histograms: {
      first_token: merge("first_token"),
      latency: merge("latency"),
      cost: merge("cost"),
      tokens: merge("tokens"),
    },
    judge: addSums(one.judge, other.judge),
  };
}

export function isFull({ baseline, canary }: Stratum): boolean {
  return baseline.requests + canary.requests >= STRATUM_UNITS;
}

export function addPairs(one: { units: number; bad: number }, other: { units: number; bad: number }) {
  return { units: one.units + other.units, bad: one.bad + other.bad };
}

export function addSums(one: MeanSums, other: MeanSums): MeanSums {
  return {
    units: one.units + other.units,
    sum: one.sum + other.sum,
    squares: one.squares + other.squares,
  };
}

/** Thumbs and scores are rare, and gather until there are enough of them to compare, within their epoch. */
export type Gathering = { epoch: number; thumbs: CountStratum; judge: MeanStratum };

export function createGathering(epoch: number): Gathering {
  const pair = { units: 0, bad: 0 };
  const sums = { units: 0, sum: 0, squares: 0 };
  return { epoch, thumbs: { baseline: pair, canary: pair }, judge: { baseline: sums, canary: sums } };
}

function isEnough({ baseline, canary }: CountStratum | MeanStratum): boolean {
  return baseline.units + canary.units >= STRATUM_UNITS;
}

/** What is complete now, and what goes on gathering. */
export function gather(
  held: Gathering,
  { epoch, baseline, canary }: Stratum,
): { thumbs: CountStratum[]; judge: MeanStratum[]; rest: Gathering } {
  const isOver = epoch !== held.epoch;
  const open = isOver ? createGathering(epoch) : held;
  const thumbs = {
    baseline: addPairs(open.thumbs.baseline, baseline.thumbs),
    canary: addPairs(open.thumbs.canary, canary.thumbs),
  };
  const judge = {
    baseline: addSums(open.judge.baseline, baseline.judge),
    canary: addSums(open.judge.canary, canary.judge),
  };
  const none = createGathering(epoch);
  return {
    thumbs: [...(isOver ? [held.thumbs] : []), ...(isEnough(thumbs) ? [thumbs] : [])],
    judge: [...(isOver ? [held.judge] : []), ...(isEnough(judge) ? [judge] : [])],
    rest: {
      epoch,
      thumbs: isEnough(thumbs) ? none.thumbs : thumbs,
      judge: isEnough(judge) ? none.judge : judge,
    },
  };
}
