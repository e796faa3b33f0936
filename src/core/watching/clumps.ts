// How much less a pair's requests say because a unit's are alike: buckets of units, of both arms since the pair began, and
// the design effects read off them. Only for releases whose unit is a conversation or a user.

import { designEffect, type BucketSums, type ClumpSums } from "../guardrails/design-effect.ts";
import { BINS, logSums } from "../guardrails/histogram.ts";
import { HISTOGRAMS_OF, type HistogramMetric } from "../guardrails/arm-sums.ts";
import type { DesignEffects } from "../guardrails/watch.ts";
import { BUCKET_COLUMNS, mergeBuckets, type Sums } from "../metering/sums.ts";
import { armSumsOf } from "./arms.ts";
import type { Tally } from "../types.ts";

type Column = (typeof BUCKET_COLUMNS)[number];

export type ArmClumps = {
  /** bucket → columns (core/metering/sums.ts). */
  buckets: Sums["buckets"];
  /** Of ln x, over all buckets. */
  squares: { [metric in HistogramMetric]: number };
};
export type PairClumps = { baseline: ArmClumps; canary: ArmClumps };

/** Rare feedback is clumped like the answers that it is given for, as far as two of them come from one unit. */
const LEAST_FOR_FEEDBACK = 1.5;
/** Sums of means are in thousandths. */
const MEAN_SCALE = 1_000;

const COLUMN = new Map<Column, number>(BUCKET_COLUMNS.map((name, index) => [name, index]));

export function createClumps(): PairClumps {
  return { baseline: createArm(), canary: createArm() };
}

function createArm(): ArmClumps {
  return { buckets: {}, squares: { first_token: 0, latency: 0, cost: 0, tokens: 0 } };
}

/** A tally without buckets, of a time when every request was assigned by itself, adds nothing. */
export function addClumps(clumps: PairClumps, arm: "baseline" | "canary", tally: Tally): PairClumps {
  const added = tally.sums?.buckets ?? {};
  if (Object.keys(added).length === 0) return clumps;
  const { buckets, squares } = clumps[arm];
  const { histograms } = armSumsOf(tally);
  const add = (metric: HistogramMetric) =>
    HISTOGRAMS_OF[metric].reduce(
      (sum, name) => sum + logSums(histograms[name], BINS - 1).squares,
      squares[metric],
    );
  const next: ArmClumps = {
    buckets: mergeBuckets(buckets, added),
    squares: {
      first_token: add("first_token"),
      latency: add("latency"),
      cost: add("cost"),
      tokens: add("tokens"),
    },
  };
  return { ...clumps, [arm]: next };
}

/** `feedback`: the part of the canary's requests that thumbs were given for, and that were judged. */
export function designEffectsOf(
  { baseline, canary }: PairClumps,
  feedback: { thumbs: number; judged: number },
): DesignEffects {
  const ofCount = (column: Column) =>
    designEffect(countClumps(baseline, column), countClumps(canary, column));
  const ofMean = (metric: HistogramMetric, units: Column, sum: Column) =>
    designEffect(meanClumps(baseline, metric, units, sum), meanClumps(canary, metric, units, sum));
  const errors = ofCount("errors");
  const latency = ofMean("latency", "latencyUnits", "latency");
  const ofFeedback = (share: number) =>
    Math.max(LEAST_FOR_FEEDBACK, 1 + (Math.max(errors, latency) - 1) * Math.min(1, share));
  return {
    errors,
    timeouts: ofCount("timeouts"),
    refusals: ofCount("refusals"),
    truncations: ofCount("truncations"),
    schema_failures: ofCount("schemaFailures"),
    latency,
    latency_tail: latency,
    first_token: ofMean("first_token", "firstTokenUnits", "firstToken"),
    cost: ofMean("cost", "costUnits", "cost"),
    tokens: ofMean("tokens", "tokensUnits", "tokens"),
    thumbs_down: ofFeedback(feedback.thumbs),
    judge_score: ofFeedback(feedback.judged),
  };
}

function countClumps({ buckets }: ArmClumps, column: Column): ClumpSums {
  const sums = bucketSums(buckets, COLUMN.get("requests")!, COLUMN.get(column)!, 1);
  // Of what is 0 or 1, the sum of squares is the sum.
  return { buckets: sums, squares: sums.reduce((all, { sum }) => all + sum, 0) };
}

function meanClumps(
  { buckets, squares }: ArmClumps,
  metric: HistogramMetric,
  units: Column,
  sum: Column,
): ClumpSums {
  const sums = bucketSums(buckets, COLUMN.get(units)!, COLUMN.get(sum)!, MEAN_SCALE);
  return { buckets: sums, squares: squares[metric] };
}

function bucketSums(buckets: ArmClumps["buckets"], units: number, sum: number, scale: number): BucketSums[] {
  return Object.values(buckets).map((columns) => ({
    units: columns[units] ?? 0,
    sum: (columns[sum] ?? 0) / scale,
  }));
}
