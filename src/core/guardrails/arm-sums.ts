// What one arm did in one stratum, and how reports are put together to strata. A stratum is a short stretch of time in
// which both arms met the same world; it never spans a change of weights, which is what the epoch stands for: the
// release's revision, stamped when a request is routed. First and later turns of conversations are strata of their own.

import type { Turn } from "../metering/outcome.ts";
import type { CountMetric, MeanMetric } from "./guards.ts";
import { mergeHistograms, type Histogram } from "./histogram.ts";
import type { MeanSums } from "./normal-mixture.ts";

export type HistogramMetric = Exclude<MeanMetric, "judge_score">;

/** Times of answers whose input came out of the provider's cache are compared with such times only: a small canary has a
 * cold cache, which is not the prompt's fault. */
export const ARM_HISTOGRAMS = [
  "first_token",
  "first_token_cached",
  "latency",
  "latency_cached",
  "cost",
  "tokens",
] as const;
export type ArmHistogram = (typeof ARM_HISTOGRAMS)[number];

/** What a guardrail of means compares, each with its like. */
export const HISTOGRAMS_OF: { readonly [metric in HistogramMetric]: readonly ArmHistogram[] } = {
  first_token: ["first_token", "first_token_cached"],
  latency: ["latency", "latency_cached"],
  cost: ["cost"],
  tokens: ["tokens"],
};

/** Histograms are of good answers only: a failure's time and cost say nothing about an answer's. Cost is at full price, as
 * if there were no cache. */
export type ArmSums = {
  requests: number;
  counts: { [metric in Exclude<CountMetric, "latency_tail" | "thumbs_down">]: number };
  thumbs: { units: number; bad: number };
  histograms: { [name in ArmHistogram]: Histogram };
  judge: MeanSums;
};

/** `turn`: null where nobody said. */
export type Stratum = { epoch: number; turn?: Turn | null; baseline: ArmSums; canary: ArmSums };

/** Units below which a stratum stays open, unless its epoch is over. */
export const STRATUM_UNITS = 20;

export function createArmSums(): ArmSums {
  return {
    requests: 0,
    counts: { errors: 0, timeouts: 0, refusals: 0, truncations: 0, schema_failures: 0 },
    thumbs: { units: 0, bad: 0 },
    histograms: {
      first_token: {},
      first_token_cached: {},
      latency: {},
      latency_cached: {},
      cost: {},
      tokens: {},
    },
    judge: { units: 0, sum: 0, squares: 0 },
  };
}

/** Two reports of one arm and epoch, as if they had been one. */
export function mergeArmSums(one: ArmSums, other: ArmSums): ArmSums {
  const count = (metric: keyof ArmSums["counts"]) => one.counts[metric] + other.counts[metric];
  const merge = (name: ArmHistogram) => mergeHistograms(one.histograms[name], other.histograms[name]);
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
      first_token_cached: merge("first_token_cached"),
      latency: merge("latency"),
      latency_cached: merge("latency_cached"),
      cost: merge("cost"),
      tokens: merge("tokens"),
    },
    judge: addSums(one.judge, other.judge),
  };
}

/** Enough to compare: of requests, or of feedback that came without them. */
export function isFull({ baseline, canary }: Pick<Stratum, "baseline" | "canary">): boolean {
  const units = (of: (sums: ArmSums) => number) => of(baseline) + of(canary);
  return (
    units(({ requests }) => requests) >= STRATUM_UNITS ||
    units(({ thumbs }) => thumbs.units) >= STRATUM_UNITS ||
    units(({ judge }) => judge.units) >= STRATUM_UNITS
  );
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
