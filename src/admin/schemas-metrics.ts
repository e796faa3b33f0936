// Metrics as zod schemas, tied to core's shapes by `satisfies`. See docs/metrics.md for what each number rests on.

import * as z from "zod";
import type { Interval } from "../core/intervals.ts";
import { ERROR_CLASSES } from "../core/metering/outcome.ts";
import {
  COMPARED,
  type ArmStats,
  type Comparison,
  type MetricComparison,
  type MetricsView,
  type SeriesPoint,
  type StatsView,
  type Times,
  type TimesIntervals,
} from "../core/metrics-view.ts";
import { time, version } from "./schemas.ts";

const count = z.int().min(0);
const rate = z.number().nullable().describe("0 to 1; null without a request: no data is not good data.");
const known = z.number().nullable().describe("null: unknown.");

const interval = z
  .object({ low: z.number(), high: z.number().nullable().describe("null: no upper bound.") })
  .meta({ id: "Interval", description: "95 %, for this one look." }) satisfies z.ZodType<Interval>;
const maybe = interval.nullable();

const times = z
  .object({ answers: count, mean: z.number(), p50: z.number(), p95: z.number(), p99: z.number() })
  .meta({
    id: "Times",
    description: "Milliseconds of good answers; quantiles are within 4.8 %.",
  }) satisfies z.ZodType<Times>;
const timesView = z
  .object({ all: times.nullable(), cached: times.nullable(), uncached: times.nullable() })
  .describe(
    "Apart by whether the input came out of the provider's cache, where there are both; null: no answer.",
  );
const timesIntervals = z
  .object({ mean: maybe, p50: maybe, p95: maybe, p99: maybe })
  .nullable() satisfies z.ZodType<TimesIntervals | null>;

const stats = {
  requests: count.describe("Calls to the provider that are over."),
  errors: count,
  aborted: count.describe("The client left before the end."),
  errorRate: rate,
  abortedRate: rate,
  open: count.describe("Under way now, whatever the window."),
  lost: count.describe("Of `errors`: their isolate fell silent for 15 minutes before they were over."),
  errorClasses: z.partialRecord(z.enum(ERROR_CLASSES), count),
  finish: z
    .object({ refusals: count, truncations: count, toolCalls: count, schemaFailures: count })
    .nullable()
    .describe("How answers ended; null: nobody looked."),
  latencyMs: timesView,
  firstTokenMs: timesView,
  tokens: z
    .object({
      answers: count.describe("Whose usage is known."),
      input: known,
      output: known,
      cached: known,
      cacheWrite: known,
      reasoning: known,
      perAnswer: known.describe("Of the output; null: unknown."),
    })
    .describe("All null where no usage is known."),
  cost: z.object({
    answers: count.describe("Whose cost is known."),
    usd: known,
    perAnswerUsd: known,
    fullUsd: known.describe("As if nothing had come out of the provider's cache, or gone into it."),
    fullPerAnswerUsd: known,
  }),
  models: z
    .array(z.object({ model: z.string(), fingerprint: z.string().nullable(), answers: count }))
    .describe("As the answers say; the most frequent first."),
  thumbs: z.object({ up: count, down: count, rate: rate.describe("Of thumbs that are up.") }),
  scores: z.object({ units: count, mean: known.describe("0 to 1.") }),
  judge: z.object({ units: count, mean: known.describe("0 to 1."), usd: z.number() }),
  intervals: z.object({
    errorRate: maybe,
    abortedRate: maybe,
    timeoutRate: maybe,
    refusalRate: maybe,
    truncationRate: maybe,
    schemaFailureRate: maybe,
    latencyMs: timesIntervals,
    firstTokenMs: timesIntervals,
    outputTokens: maybe.describe("Of the mean."),
    fullCostUsd: maybe.describe("Of the mean, without the cache's discount."),
    thumbsUpRate: maybe,
    score: maybe,
    judgeScore: maybe,
  }),
};
const statsSchema = z.object(stats) satisfies z.ZodType<StatsView>;

const arm = z.enum(["baseline", "canary", "pinned"]);
const armStats = z
  .object({ version, arm, ...statsSchema.shape })
  .meta({ id: "ArmStats" }) satisfies z.ZodType<ArmStats>;
const versionStats = z.object({ version, ...statsSchema.shape }).meta({ id: "VersionStats" });

const side = z.object({ units: z.number().describe("Requests, answers, thumbs or scores."), value: known });
const estimate = z.object({ value: known, low: known, high: known.describe("null: no upper bound.") });
const metricComparison = z
  .object({
    metric: z.enum(COMPARED),
    kind: z
      .enum(["rate", "typical", "mean"])
      .describe(
        "`typical`: geometric means, in ms, dollars or tokens, which one slow answer does not decide.",
      ),
    baseline: side,
    canary: side,
    difference: estimate.nullable().describe("Canary − baseline."),
    ratio: estimate.nullable().describe("Canary ÷ baseline; `value` null: the baseline has none."),
    designEffect: z.number().describe("Units count as one over it, because those of one user are alike."),
  })
  .meta({ id: "MetricComparison" }) satisfies z.ZodType<MetricComparison>;
const comparison = z
  .object({
    baseline: version,
    canary: version,
    revisions: z.object({ from: z.int(), to: z.int() }),
    metrics: z.array(metricComparison),
  })
  .meta({ id: "Comparison" }) satisfies z.ZodType<Comparison>;

const quantiles = z.object({ p50: z.number(), p95: z.number() }).nullable();
const point = z
  .object({
    at: time,
    version,
    arm,
    requests: count,
    errors: count,
    aborted: count,
    lost: count,
    latencyMs: quantiles,
    firstTokenMs: quantiles,
    outputTokens: known,
    usd: known,
    pricedAnswers: count.describe("How many answers `usd` is of."),
    errorClasses: z
      .partialRecord(z.enum(ERROR_CLASSES), count)
      .exactOptional()
      .describe("Of `errors`; left out where there are none."),
  })
  .meta({ id: "SeriesPoint" }) satisfies z.ZodType<SeriesPoint>;

export const metricsSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    since: time.nullable().describe("null: since ever."),
    until: time,
    arms: z.array(armStats),
    versions: z.array(versionStats).describe("Without pinned requests and fallbacks."),
    fallbacks: z
      .array(versionStats)
      .describe("Answers that a baseline gave in a canary's stead; they are in no arm and no version."),
    comparisons: z
      .array(comparison)
      .describe(
        "Canary beside baseline, on traffic that was split between them, epoch by epoch; the newest pair first.",
      ),
    series: z
      .object({ stepS: z.int(), points: z.array(point) })
      .exactOptional()
      .describe("With `step`; oldest first, steps without a request left out."),
  })
  .meta({ id: "Metrics" }) satisfies z.ZodType<MetricsView & { prompt: string }>;
export type Metrics = z.infer<typeof metricsSchema>;
