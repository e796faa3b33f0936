// A chart's points: what one arm did in one step of time, small enough that hundreds of them travel.

import { addHistogram, quantileOf, type Histogram } from "./guardrails/histogram.ts";
import type { ErrorClass } from "./metering/outcome.ts";
import type { SeriesPoint } from "./metrics-view.ts";
import type { Tally } from "./types.ts";

export type Point = Pick<SeriesPoint, "version" | "arm" | "requests" | "errors" | "aborted" | "lost"> & {
  atS: number;
  latency: Histogram;
  firstToken: Histogram;
  output: number;
  usages: number;
  nanoUsd: number;
  costs: number;
  errorClasses: Map<ErrorClass, number>;
};

/** Adds a tally that was counted in the step beginning at `atS`. Fallbacks are no arm's own. */
export function addToPoints(points: Map<string, Point>, atS: number, tally: Tally): void {
  const { version, arm, reason, sums } = tally;
  if (reason === "fallback") return;
  const key = `${atS} ${version} ${arm}`;
  let point = points.get(key);
  if (point === undefined) {
    const counts = {
      requests: 0,
      errors: 0,
      aborted: 0,
      lost: 0,
      output: 0,
      usages: 0,
      nanoUsd: 0,
      costs: 0,
    };
    point = { atS, version, arm, ...counts, latency: {}, firstToken: {}, errorClasses: new Map() };
    points.set(key, point);
  }
  point.requests += tally.requests;
  point.errors += tally.errors;
  point.aborted += tally.aborted;
  point.lost += tally.lost ?? 0;
  if (sums === undefined) return;
  const { histograms, usage, cost, errorClasses } = sums;
  for (const name of ["latency", "latencyCached"] as const) addHistogram(point.latency, histograms[name]);
  for (const name of ["firstToken", "firstTokenCached"] as const) {
    addHistogram(point.firstToken, histograms[name]);
  }
  for (const [name, count] of Object.entries(errorClasses) as [ErrorClass, number][]) {
    point.errorClasses.set(name, (point.errorClasses.get(name) ?? 0) + count);
  }
  point.output += usage.output ?? 0;
  point.usages += usage.answers ?? 0;
  point.nanoUsd += cost.nanoUsd;
  point.costs += cost.answers;
}

/** Oldest first. */
export function viewPoints(points: Iterable<Point>): SeriesPoint[] {
  return [...points]
    .toSorted(
      (one, other) => one.atS - other.atS || one.version - other.version || (one.arm < other.arm ? -1 : 1),
    )
    .map(({ atS, version, arm, requests, errors, aborted, lost, ...sums }) => ({
      at: new Date(atS * 1_000).toISOString(),
      version,
      arm,
      // What was lost and came back later is taken off in a later step.
      requests: Math.max(0, requests),
      errors: Math.max(0, errors),
      aborted,
      lost: Math.max(0, lost),
      latencyMs: quantilesOf(sums.latency),
      firstTokenMs: quantilesOf(sums.firstToken),
      outputTokens: sums.usages > 0 ? sums.output : null,
      usd: sums.costs > 0 ? sums.nanoUsd / 1e9 : null,
      pricedAnswers: Math.max(0, sums.costs),
      ...viewClasses(sums.errorClasses),
    }));
}

function viewClasses(counts: Point["errorClasses"]): Pick<SeriesPoint, "errorClasses"> {
  const some = [...counts].filter(([, count]) => count > 0);
  return some.length === 0 ? {} : { errorClasses: Object.fromEntries(some) };
}

function quantilesOf(histogram: Histogram): { p50: number; p95: number } | null {
  const [p50, p95] = [quantileOf(histogram, 0.5), quantileOf(histogram, 0.95)];
  return p50 === null || p95 === null ? null : { p50, p95 };
}
