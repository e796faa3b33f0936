// Outcomes added up: whole numbers throughout, so that merging reports, seconds and minutes is exact in any order.
// Sums of logarithms and of their squares follow from the histograms (core/guardrails/histogram.ts), whose bins are counts.

import { binOf, mergeHistograms, type Histogram } from "../guardrails/histogram.ts";
import { isAskers, type ErrorClass, type Outcome } from "./outcome.ts";

/** Good answers only. Times in ms, apart for answers whose input came out of the provider's cache; cost at full price in
 * hundred-thousandths of a dollar; tokens of the output. */
export const HISTOGRAMS = [
  "firstToken",
  "firstTokenCached",
  "latency",
  "latencyCached",
  "cost",
  "tokens",
] as const;
export type HistogramName = (typeof HISTOGRAMS)[number];

/** `judgeFailures`: of answers that a judge was asked about, those that it gave no score. */
export const COUNTS = [
  "timeouts",
  "refusals",
  "truncations",
  "schemaFailures",
  "toolCalls",
  "judgeFailures",
] as const;
export type CountName = (typeof COUNTS)[number];

export const USAGE_SUMS = ["answers", "input", "output", "cached", "cacheWrite", "reasoning"] as const;

/** Columns of one bucket of units, over what arms are compared by: counts, then units and sum of thousandths of ln x for each mean. */
export const BUCKET_COLUMNS = [
  "requests",
  "errors",
  "timeouts",
  "refusals",
  "truncations",
  "schemaFailures",
  "firstTokenUnits",
  "firstToken",
  "latencyUnits",
  "latency",
  "costUnits",
  "cost",
  "tokensUnits",
  "tokens",
] as const;

export type Sums = {
  counts: { [count in CountName]?: number };
  errorClasses: { [errorClass in ErrorClass]?: number };
  histograms: { [name in HistogramName]?: Histogram };
  /** Sums of milliseconds, for plain means: of good answers. */
  latencyMs: number;
  firstTokenMs: number;
  usage: { [sum in (typeof USAGE_SUMS)[number]]?: number };
  /** `answers`: those whose cost is known. Billionths of a dollar. */
  cost: { answers: number; nanoUsd: number; fullNanoUsd: number };
  /** `model fingerprint` → answers; the most frequent ones, and the rest of them as `other`. */
  models: { [seen: string]: number };
  /** Bucket of units → columns; only where units are sticky. */
  buckets: { [bucket: number]: number[] };
  thumbs: { up: number; down: number };
  /** Ten-thousandths, so that sums are exact; squares of ten-thousandths. */
  scores: { units: number; sum: number; squares: number };
  judge: { units: number; sum: number; squares: number; nanoUsd: number };
};

export const SCORE_SCALE = 10_000;
/** Of the cost histogram. */
export const COST_UNIT_NANO_USD = 10_000;
export const MOST_MODELS = 40;
/** The name of the models that are too many to be told apart. */
export const OTHER_MODELS = "other";
const MOST_MODEL_NAME = 200;

export function createSums(): Sums {
  return {
    counts: {},
    errorClasses: {},
    histograms: {},
    latencyMs: 0,
    firstTokenMs: 0,
    usage: {},
    cost: { answers: 0, nanoUsd: 0, fullNanoUsd: 0 },
    models: {},
    buckets: {},
    thumbs: { up: 0, down: 0 },
    scores: { units: 0, sum: 0, squares: 0 },
    judge: { units: 0, sum: 0, squares: 0, nanoUsd: 0 },
  };
}

/** Is it a failure of the arm's? A client that waited in vain counts like a timeout. */
export function isFailure({ kind, isHung }: Outcome): boolean {
  return kind === "error" || isHung;
}

/** Adds in place: this is on the data plane. */
export function addToSums(sums: Sums, outcome: Outcome, unitBucket: number | null): void {
  const { answer, errorClass } = outcome;
  const isCompared = unitBucket !== null && !isAskers(errorClass);
  const columns = isCompared ? (sums.buckets[unitBucket] ??= BUCKET_COLUMNS.map(() => 0)) : null;
  addColumn(columns, "requests", 1);
  if (errorClass !== null) sums.errorClasses[errorClass] = (sums.errorClasses[errorClass] ?? 0) + 1;
  if (isFailure(outcome)) addColumn(columns, "errors", 1);
  if (outcome.isHung || errorClass === "timeout") count(sums, columns, "timeouts");
  if (answer?.finish === "refusal") count(sums, columns, "refusals");
  if (answer?.finish === "length") count(sums, columns, "truncations");
  if (answer?.finish === "tool") sums.counts.toolCalls = (sums.counts.toolCalls ?? 0) + 1;
  if (answer?.isSchemaFailure === true) count(sums, columns, "schemaFailures");
  if (answer?.model != null) addModel(sums, `${answer.model} ${answer.fingerprint ?? ""}`.trimEnd());
  addUsage(sums, outcome);
  if (outcome.kind === "ok") addGoodAnswer(sums, columns, outcome);
}

function addGoodAnswer(sums: Sums, columns: number[] | null, outcome: Outcome): void {
  const { firstTokenMs, totalMs, answer, cost } = outcome;
  const isCached = (answer?.usage?.cachedInputTokens ?? 0) > 0;
  if (firstTokenMs !== null) {
    addValue(sums, isCached ? "firstTokenCached" : "firstToken", firstTokenMs);
    sums.firstTokenMs += Math.round(firstTokenMs);
    addMean(columns, "firstToken", firstTokenMs);
  }
  if (totalMs !== null) {
    addValue(sums, isCached ? "latencyCached" : "latency", totalMs);
    sums.latencyMs += Math.round(totalMs);
    addMean(columns, "latency", totalMs);
  }
  if (cost !== null) {
    addValue(sums, "cost", cost.fullNanoUsd / COST_UNIT_NANO_USD);
    addMean(columns, "cost", cost.fullNanoUsd / COST_UNIT_NANO_USD);
  }
  const tokens = answer?.usage?.outputTokens ?? null;
  if (tokens !== null) {
    addValue(sums, "tokens", tokens);
    addMean(columns, "tokens", tokens);
  }
}

/** What was used has to be paid for, whatever became of the answer. */
function addUsage(sums: Sums, { answer, cost }: Outcome): void {
  if (cost !== null) {
    sums.cost.answers += 1;
    sums.cost.nanoUsd += cost.nanoUsd;
    sums.cost.fullNanoUsd += cost.fullNanoUsd;
  }
  const usage = answer?.usage ?? null;
  if (usage === null) return;
  const add = (name: (typeof USAGE_SUMS)[number], value: number | null) => {
    if (value !== null && value !== 0) sums.usage[name] = (sums.usage[name] ?? 0) + value;
  };
  add("answers", 1);
  add("input", usage.inputTokens);
  add("output", usage.outputTokens);
  add("cached", usage.cachedInputTokens);
  add("cacheWrite", usage.cacheWriteTokens);
  add("reasoning", usage.reasoningTokens);
}

function count(
  sums: Sums,
  columns: number[] | null,
  name: Exclude<CountName, "toolCalls" | "judgeFailures">,
): void {
  sums.counts[name] = (sums.counts[name] ?? 0) + 1;
  addColumn(columns, name, 1);
}

function addValue(sums: Sums, name: HistogramName, value: number): void {
  const histogram = (sums.histograms[name] ??= {});
  const bin = binOf(value);
  histogram[bin] = (histogram[bin] ?? 0) + 1;
}

type Column = (typeof BUCKET_COLUMNS)[number];
const COLUMN = new Map<Column, number>(BUCKET_COLUMNS.map((name, index) => [name, index]));

function addColumn(columns: number[] | null, name: Column, by: number): void {
  if (columns !== null) columns[COLUMN.get(name)!]! += by;
}

function addMean(
  columns: number[] | null,
  name: "firstToken" | "latency" | "cost" | "tokens",
  value: number,
): void {
  if (columns === null) return;
  addColumn(columns, `${name}Units`, 1);
  addColumn(columns, name, Math.round(1_000 * Math.log(Math.max(1, value))));
}

function addModel(sums: Sums, seen: string): void {
  const name = seen.slice(0, MOST_MODEL_NAME);
  const isNew = sums.models[name] === undefined;
  const key = isNew && Object.keys(sums.models).length >= MOST_MODELS ? OTHER_MODELS : name;
  sums.models[key] = (sums.models[key] ?? 0) + 1;
}

/** Both together, as if they had been one; neither is changed. Exact in any order and grouping, but for which models have
 * a name where there are more than 40: their answers in all are exact, too. */
export function mergeSums(one: Sums, other: Sums): Sums {
  return {
    counts: mergeCounts(one.counts, other.counts),
    errorClasses: mergeCounts(one.errorClasses, other.errorClasses),
    histograms: mergeEach(one.histograms, other.histograms, mergeHistograms),
    latencyMs: one.latencyMs + other.latencyMs,
    firstTokenMs: one.firstTokenMs + other.firstTokenMs,
    usage: mergeCounts(one.usage, other.usage),
    cost: mergeCounts(one.cost, other.cost),
    models: boundModels(mergeCounts(one.models, other.models)),
    buckets: mergeBuckets(one.buckets, other.buckets),
    thumbs: mergeCounts(one.thumbs, other.thumbs),
    scores: mergeCounts(one.scores, other.scores),
    judge: mergeCounts(one.judge, other.judge),
  };
}

export function mergeBuckets(one: Sums["buckets"], other: Sums["buckets"]): Sums["buckets"] {
  // Of a deployment that knows more columns, or fewer.
  return mergeEach(one, other, (left, right) =>
    (left.length < right.length ? right : left).map((_, index) => (left[index] ?? 0) + (right[index] ?? 0)),
  );
}

/** A provider may give every answer a fingerprint of its own, and callers ask for whatever they like: a row that kept every
 * name would grow until the database refuses it (at 2 MB), and with it the fold of its minute, for good. */
function boundModels(models: Sums["models"]): Sums["models"] {
  const names = Object.keys(models).filter((name) => name !== OTHER_MODELS);
  if (names.length <= MOST_MODELS) return models;
  const byAnswers = names.toSorted((one, other) => models[other]! - models[one]! || (one < other ? -1 : 1));
  const kept = byAnswers.slice(0, MOST_MODELS).map((name) => [name, models[name]!] as const);
  const rest = byAnswers.slice(MOST_MODELS).reduce((sum, name) => sum + models[name]!, 0);
  return { ...Object.fromEntries(kept), [OTHER_MODELS]: (models[OTHER_MODELS] ?? 0) + rest };
}

/** Of two objects of counts: every count of either. */
export function mergeCounts<Counts extends { [name: string]: number | undefined }>(
  one: Counts,
  other: Counts,
): Counts {
  const merged: { [name: string]: number | undefined } = { ...one };
  for (const name of Object.keys(other)) merged[name] = (merged[name] ?? 0) + (other[name] ?? 0);
  return merged as Counts;
}

function mergeEach<Value>(
  one: { [name: string]: Value | undefined },
  other: { [name: string]: Value | undefined },
  merge: (left: Value, right: Value) => Value,
): { [name: string]: Value } {
  const merged: { [name: string]: Value } = {};
  for (const [name, value] of Object.entries(one)) if (value !== undefined) merged[name] = value;
  for (const [name, value] of Object.entries(other)) {
    if (value === undefined) continue;
    const held = merged[name];
    merged[name] = held === undefined ? value : merge(held, value);
  }
  return merged;
}
