// Since when is it worse? Of all stretches of the series, the one that is most surprising when all before it is taken for
// usual: by the likelihood ratio of two rates for errors, of two means of log medians for latency. So many stretches are
// looked at that the bar rises with their number (2 ln n, a union bound over n² of them); a rise that is sure but small is
// none. What has gone down again is found too, because a stretch may end before the window does; but what goes on comes first.

import type { Onset } from "./diagnosis.ts";
import type { SeriesPoint } from "./metrics-view.ts";

/** One in a thousand. */
const NATS = 7;
const LEAST_REQUESTS_BEFORE = 50;
const LEAST_REQUESTS = 10;
const LEAST_ERROR_RATIO = 1.5;
const LEAST_ERROR_RISE = 0.005;
const LEAST_STEPS_BEFORE = 3;
const LEAST_STEPS = 2;
const LEAST_LATENCY_RATIO = 1.25;
/** Histograms' bins are a tenth wide, so less noise than this is not to be believed. */
const LEAST_NOISE = 0.05;

/** In a shorter pause of a version's traffic nothing has ended. */
const LEAST_SILENCE_MS = 15 * 60_000;
/** One in twenty: that what came after a stretch was as usual again. */
const OVER_NATS = 3;
/** So many that are over are set aside to see what goes on. */
const MOST_STRETCHES = 4;

export type Rise = Onset & { nats: number; from: number; to: number };

/** Of both metrics, what goes on first, then the most surprising. `from`, `to`: epoch ms, `to` excluded. Points of one step
 * may be several: they are taken together. `lastMs`: where the last step of all traffic begins, so that what belongs to a
 * version that is gone is over. */
export function listRises(points: readonly SeriesPoint[], stepMs: number, lastMs = -Infinity): Rise[] {
  const steps = mergeSteps(points);
  const found = [findErrorStretch, findLatencyStretch].flatMap((find) =>
    peelRises(find, steps, stepMs, lastMs),
  );
  return found.toSorted(compareRises);
}

export function compareRises(one: Rise, other: Rise): number {
  return Number(one.until !== null) - Number(other.until !== null) || other.nats - one.nats;
}

/** `from`, `to`: indexes of steps. */
type Stretch = { metric: Onset["metric"]; from: number; to: number } & {
  before: number;
  after: number;
  nats: number;
  isOver: boolean;
};

/** Stretch by stretch: one that is over is set aside, so that it neither hides what goes on nor counts as usual. */
function peelRises(
  find: (steps: readonly Step[]) => Stretch | null,
  all: readonly Step[],
  stepMs: number,
  lastMs: number,
): Rise[] {
  const rises: Rise[] = [];
  let steps = all;
  while (rises.length < MOST_STRETCHES) {
    const stretch = find(steps);
    if (stretch === null) return rises;
    const endMs = steps.at(-1)!.atMs;
    const isGone = endMs < lastMs - Math.max(LEAST_SILENCE_MS, 2 * stepMs);
    const isOver = stretch.isOver || isGone;
    const [from, last] = [steps[stretch.from]!.atMs, isOver ? steps[stretch.to - 1]!.atMs : endMs];
    const to = last + stepMs;
    const { metric, before, after, nats } = stretch;
    const until = isOver ? new Date(to).toISOString() : null;
    rises.push({ at: new Date(from).toISOString(), until, metric, before, after, nats, from, to });
    if (!isOver) return rises;
    steps = steps.filter(({ atMs }) => atMs < from || atMs >= to);
  }
  return rises;
}

type Step = { atMs: number; requests: number; errors: number; logMs: number | null };

function mergeSteps(points: readonly SeriesPoint[]): Step[] {
  const byTime = new Map<number, { requests: number; errors: number; timed: number; logSum: number }>();
  for (const { at, requests, errors, latencyMs } of points) {
    const atMs = Date.parse(at);
    const step = byTime.get(atMs) ?? { requests: 0, errors: 0, timed: 0, logSum: 0 };
    const timed = latencyMs === null ? 0 : Math.max(0, requests - errors);
    byTime.set(atMs, {
      requests: step.requests + requests,
      errors: step.errors + Math.min(errors, requests),
      timed: step.timed + timed,
      logSum: step.logSum + timed * Math.log(Math.max(1, latencyMs?.p50 ?? 1)),
    });
  }
  return [...byTime]
    .toSorted(([one], [other]) => one - other)
    .map(([atMs, { requests, errors, timed, logSum }]) => {
      return { atMs, requests, errors, logMs: timed === 0 ? null : logSum / timed };
    });
}

function findErrorStretch(steps: readonly Step[]): Stretch | null {
  const requests = sumUp(steps.map((step) => step.requests));
  const errors = sumUp(steps.map((step) => step.errors));
  let best: Omit<Stretch, "metric" | "isOver"> | null = null;
  for (let from = 1; from < steps.length; from++) {
    const [unitsBefore, badBefore] = [requests[from]!, errors[from]!];
    if (unitsBefore < LEAST_REQUESTS_BEFORE || steps[from]!.errors === 0) continue;
    const before = badBefore / unitsBefore;
    for (let to = from + 1; to <= steps.length; to++) {
      const units = requests[to]! - unitsBefore;
      if (units < LEAST_REQUESTS) continue;
      const after = (errors[to]! - badBefore) / units;
      if (after < before * LEAST_ERROR_RATIO || after - before < LEAST_ERROR_RISE) continue;
      const all = errors[to]! / requests[to]!;
      const nats = unitsBefore * divergence(before, all) + units * divergence(after, all);
      if (nats > (best?.nats ?? NATS + 2 * Math.log(steps.length))) {
        best = { from, to, before, after, nats };
      }
    }
  }
  if (best === null) return null;
  const [units, bad] = [requests.at(-1)! - requests[best.to]!, errors.at(-1)! - errors[best.to]!];
  const before = inUnits(best.before, requests[best.from]!);
  const after = inUnits(best.after, requests[best.to]! - requests[best.from]!);
  const nats = bad * Math.log(before / after) + (units - bad) * Math.log((1 - before) / (1 - after));
  return { metric: "errors", ...best, isOver: nats > OVER_NATS };
}

/** No rate out of so many is known to be 0 or 1. */
function inUnits(rate: number, units: number): number {
  const least = 0.5 / (units + 1);
  return Math.min(1 - least, Math.max(least, rate));
}

/** Kullback–Leibler, of two Bernoullis. */
function divergence(rate: number, from: number): number {
  return surprise(rate, from) + surprise(1 - rate, 1 - from);
}

function surprise(one: number, other: number): number {
  return one === 0 ? 0 : one * Math.log(one / other);
}

function findLatencyStretch(all: readonly Step[]): Stretch | null {
  // Steps without a good answer have no latency: indexes of the others.
  const timed = [...all.keys()].filter((index) => all[index]!.logMs !== null);
  const values = timed.map((index) => all[index]!.logMs ?? 0);
  const sums = sumUp(values);
  const noise = noiseOf(values);
  let best: Omit<Stretch, "metric" | "isOver"> | null = null;
  for (let from = LEAST_STEPS_BEFORE; from < values.length; from++) {
    const before = sums[from]! / from;
    if (values[from]! - before < Math.log(LEAST_LATENCY_RATIO) / 2) continue;
    for (let to = from + LEAST_STEPS; to <= values.length; to++) {
      const after = (sums[to]! - sums[from]!) / (to - from);
      if (after - before < Math.log(LEAST_LATENCY_RATIO)) continue;
      const nats = (after - before) ** 2 / (2 * noise ** 2 * (1 / from + 1 / (to - from)));
      if (nats > (best?.nats ?? NATS + 2 * Math.log(values.length))) best = { from, to, before, after, nats };
    }
  }
  if (best === null) return null;
  const { from, to, before, after } = best;
  // A sum of squares, as the normal has it.
  const nats = values
    .slice(to)
    .reduce((sum, value) => sum + ((value - after) ** 2 - (value - before) ** 2) / (2 * noise ** 2), 0);
  return {
    metric: "latency",
    from: timed[from]!,
    to: timed[to - 1]! + 1,
    before: Math.exp(before),
    after: Math.exp(after),
    nats: best.nats,
    isOver: nats > OVER_NATS,
  };
}

/** From one step to the next, so that a change of level is not taken for noise: by the median, at the normal's scale. */
function noiseOf(values: readonly number[]): number {
  const jumps = values.slice(1).map((value, index) => Math.abs(value - values[index]!));
  const median = jumps.toSorted((one, other) => one - other)[Math.floor(jumps.length / 2)] ?? 0;
  return Math.max(LEAST_NOISE, median / (0.6745 * Math.SQRT2));
}

function sumUp(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return sums;
}
