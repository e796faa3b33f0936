// Sums as a short text, for a row of the database: what is nothing is left out, and histograms are flat lists, because a
// prompt under load keeps tens of thousands of these rows. Reading gives back the same sums.

import type { Histogram } from "../guardrails/histogram.ts";
import { createSums, HISTOGRAMS, type HistogramName, type Sums } from "./sums.ts";

/** bin, count, bin, count … */
type FlatHistogram = number[];

export type SumsDocument = {
  c?: Sums["counts"];
  e?: Sums["errorClasses"];
  h?: { [name in HistogramName]?: FlatHistogram };
  l?: number;
  f?: number;
  u?: Sums["usage"];
  /** answers, nanoUsd, fullNanoUsd */
  p?: [number, number, number];
  m?: Sums["models"];
  /** bucket, then its columns */
  b?: number[][];
  /** up, down */
  t?: [number, number];
  /** units, sum, squares */
  s?: [number, number, number];
  /** units, sum, squares, nanoUsd */
  j?: [number, number, number, number];
};

/** Empty where there is nothing in them. */
export function writeSums(sums: Sums): string {
  const { counts, errorClasses, histograms, usage, cost, models, buckets, thumbs, scores, judge } = sums;
  const document: SumsDocument = {};
  if (hasAny(counts)) document.c = counts;
  if (hasAny(errorClasses)) document.e = errorClasses;
  for (const name of HISTOGRAMS) {
    const histogram = histograms[name];
    if (histogram !== undefined && hasAny(histogram)) (document.h ??= {})[name] = flatten(histogram);
  }
  if (sums.latencyMs !== 0) document.l = sums.latencyMs;
  if (sums.firstTokenMs !== 0) document.f = sums.firstTokenMs;
  if (hasAny(usage)) document.u = usage;
  // A feedback that was changed takes off what it had added: a sum may change where no unit does.
  if (isAny(cost.answers, cost.nanoUsd, cost.fullNanoUsd))
    document.p = [cost.answers, cost.nanoUsd, cost.fullNanoUsd];
  if (hasAny(models)) document.m = models;
  if (hasAny(buckets)) {
    document.b = Object.entries(buckets).map(([bucket, columns]) => [Number(bucket), ...columns]);
  }
  if (isAny(thumbs.up, thumbs.down)) document.t = [thumbs.up, thumbs.down];
  if (isAny(scores.units, scores.sum, scores.squares))
    document.s = [scores.units, scores.sum, scores.squares];
  if (isAny(judge.units, judge.sum, judge.squares, judge.nanoUsd))
    document.j = [judge.units, judge.sum, judge.squares, judge.nanoUsd];
  return hasAny(document) ? JSON.stringify(document) : "";
}

/** What `writeSums` wrote. */
export function readSums(text: string): Sums | undefined {
  return text === "" ? undefined : readSumsDocument(JSON.parse(text) as SumsDocument);
}

/** The same, parsed. */
export function readSumsDocument(document: SumsDocument): Sums {
  const sums = createSums();
  if (document.c !== undefined) sums.counts = document.c;
  if (document.e !== undefined) sums.errorClasses = document.e;
  for (const name of HISTOGRAMS) {
    const flat = document.h?.[name];
    if (flat !== undefined) sums.histograms[name] = unflatten(flat);
  }
  sums.latencyMs = document.l ?? 0;
  sums.firstTokenMs = document.f ?? 0;
  if (document.u !== undefined) sums.usage = document.u;
  if (document.p !== undefined) {
    const [answers, nanoUsd, fullNanoUsd] = document.p;
    sums.cost = { answers, nanoUsd, fullNanoUsd };
  }
  if (document.m !== undefined) sums.models = document.m;
  for (const [bucket = 0, ...columns] of document.b ?? []) sums.buckets[bucket] = columns;
  if (document.t !== undefined) sums.thumbs = { up: document.t[0], down: document.t[1] };
  if (document.s !== undefined) {
    const [units, sum, squares] = document.s;
    sums.scores = { units, sum, squares };
  }
  if (document.j !== undefined) {
    const [units, sum, squares, nanoUsd] = document.j;
    sums.judge = { units, sum, squares, nanoUsd };
  }
  return sums;
}

function isAny(...values: number[]): boolean {
  return values.some((value) => value !== 0);
}

function hasAny(object: object): boolean {
  for (const _ in object) return true;
  return false;
}

function flatten(histogram: Histogram): FlatHistogram {
  const flat: FlatHistogram = [];
  for (const bin in histogram) flat.push(Number(bin), histogram[bin] ?? 0);
  return flat;
}

function unflatten(flat: FlatHistogram): Histogram {
  const histogram: Histogram = {};
  for (let at = 0; at + 1 < flat.length; at += 2) histogram[flat[at]!] = flat[at + 1]!;
  return histogram;
}
