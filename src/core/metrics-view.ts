// What `GET …/metrics` says, as plain data: made by core/summary.ts and core/comparison.ts, described by the admin room's
// schemas, read by the CLI and the dashboard. Unknown is null, never zero.

import type { Interval } from "./intervals.ts";
import type { ErrorClass } from "./metering/outcome.ts";
import type { ArmName } from "./types.ts";

/** `windowS` null: since ever. `stepS` null: no series. */
export type MetricsQuery = { windowS: number | null; stepS: number | null };

/** Milliseconds, of good answers. Quantiles are within 4.8 %. */
export type Times = { answers: number; mean: number; p50: number; p95: number; p99: number };

/** `cached`, `uncached`: by whether the input came out of the provider's cache; null unless there are both. */
export type TimesView = { all: Times | null; cached: Times | null; uncached: Times | null };

export type TimesIntervals = { [name in "mean" | "p50" | "p95" | "p99"]: Interval | null };

/** All null where nobody knows. */
export type TokensView = {
  /** Whose usage is known. */
  answers: number;
  input: number | null;
  output: number | null;
  cached: number | null;
  cacheWrite: number | null;
  reasoning: number | null;
  /** Of the output. */
  perAnswer: number | null;
};

export type CostView = {
  /** Whose cost is known. */
  answers: number;
  usd: number | null;
  perAnswerUsd: number | null;
  /** As if nothing had come out of the provider's cache, or gone into it. */
  fullUsd: number | null;
  fullPerAnswerUsd: number | null;
};

/** null: nobody looked at how answers end (isolates of an earlier deployment). */
export type FinishView = {
  refusals: number;
  truncations: number;
  toolCalls: number;
  schemaFailures: number;
} | null;

export type Intervals = {
  errorRate: Interval | null;
  abortedRate: Interval | null;
  timeoutRate: Interval | null;
  refusalRate: Interval | null;
  truncationRate: Interval | null;
  schemaFailureRate: Interval | null;
  latencyMs: TimesIntervals | null;
  firstTokenMs: TimesIntervals | null;
  outputTokens: Interval | null;
  fullCostUsd: Interval | null;
  thumbsUpRate: Interval | null;
  score: Interval | null;
  judgeScore: Interval | null;
};

export type StatsView = {
  /** Calls that are over. */
  requests: number;
  errors: number;
  aborted: number;
  errorRate: number | null;
  abortedRate: number | null;
  /** Under way now, whatever the window. */
  open: number;
  /** Of `errors`: their isolate fell silent before they were over. */
  lost: number;
  errorClasses: { [errorClass in ErrorClass]?: number };
  finish: FinishView;
  latencyMs: TimesView;
  firstTokenMs: TimesView;
  tokens: TokensView;
  cost: CostView;
  models: { model: string; fingerprint: string | null; answers: number }[];
  thumbs: { up: number; down: number; rate: number | null };
  scores: { units: number; mean: number | null };
  judge: { units: number; mean: number | null; usd: number };
  intervals: Intervals;
};

export type ArmStats = { version: number; arm: ArmName } & StatsView;
export type VersionStats = { version: number } & StatsView;

export const COMPARED = [
  "errors",
  "aborted",
  "timeouts",
  "refusals",
  "truncations",
  "schema_failures",
  "first_token",
  "latency",
  "latency_tail",
  "cost",
  "tokens",
  "thumbs_down",
  "score",
  "judge_score",
] as const;
export type ComparedMetric = (typeof COMPARED)[number];

export type Estimate = { value: number | null; low: number | null; high: number | null };

/** One metric of a canary beside its baseline's. `rate`: shares, weighted stratum by stratum. `typical`: geometric means in
 * the metric's unit (ms, dollars, tokens). `mean`: of scores, 0 to 1. */
export type MetricComparison = {
  metric: ComparedMetric;
  kind: "rate" | "typical" | "mean";
  baseline: { units: number; value: number | null };
  canary: { units: number; value: number | null };
  /** canary − baseline; null for `typical`. */
  difference: Estimate | null;
  /** canary ÷ baseline; null for `mean`. */
  ratio: Estimate | null;
  /** Units count as one over it, because those of one user or conversation are alike. */
  designEffect: number;
};

/** Traffic that was split between the two, epoch by epoch. */
export type Comparison = {
  baseline: number;
  canary: number;
  /** Of the release, first and last. */
  revisions: { from: number; to: number };
  metrics: MetricComparison[];
};

/** One step of one arm; steps without a request are left out. */
export type SeriesPoint = {
  at: string;
  version: number;
  arm: ArmName;
  requests: number;
  errors: number;
  aborted: number;
  lost: number;
  latencyMs: { p50: number; p95: number } | null;
  firstTokenMs: { p50: number; p95: number } | null;
  outputTokens: number | null;
  usd: number | null;
  /** How many answers `usd` is of. */
  pricedAnswers: number;
  /** Of `errors`; left out where there are none. */
  errorClasses?: { [errorClass in ErrorClass]?: number };
};

export type MetricsView = {
  environment: string;
  /** null: since ever. */
  since: string | null;
  until: string;
  /** Fallbacks apart. */
  arms: ArmStats[];
  /** Without pinned requests and fallbacks. */
  versions: VersionStats[];
  /** What the baseline answered in a canary's stead. */
  fallbacks: VersionStats[];
  /** Newest first. */
  comparisons: Comparison[];
  series?: { stepS: number; points: SeriesPoint[] };
};
