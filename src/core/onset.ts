// Since when is it worse? Of all stretches of the series, the one that is most surprising when all before it is taken for
// usual: by the likelihood ratio of two rates for errors, of two means of log medians for latency. So many stretches are
// looked at that the bar rises with their number (2 ln n, a union bound over n² of them); a rise that is sure but small is
// none. What has gone down again is found too, because a stretch may end before the window does.

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

export type Rise = Onset & { nats: number; from: number; to: number };

/** `from`, `to`: epoch ms, `to` excluded. Points of one step may be several: they are taken together. */
export function findOnset(points: readonly SeriesPoint[], stepMs: number): Rise | null {
  const steps = mergeSteps(points);
  const found = [findErrorRise(steps, stepMs), findLatencyRise(steps, stepMs)].filter((one) => one !== null);
  return found.toSorted((one, other) => other.nats - one.nats)[0] ?? null;
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

function findErrorRise(steps: readonly Step[], stepMs: number): Rise | null {
  const requests = sumUp(steps.map((step) => step.requests));
  const errors = sumUp(steps.map((step) => step.errors));
  let best: Rise | null = null;
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
        best = riseOf("errors", steps, stepMs, { from, to, before, after, nats });
      }
    }
  }
  return best;
}

/** Kullback–Leibler, of two Bernoullis. */
function divergence(rate: number, from: number): number {
  return surprise(rate, from) + surprise(1 - rate, 1 - from);
}

function surprise(one: number, other: number): number {
  return one === 0 ? 0 : one * Math.log(one / other);
}

function findLatencyRise(all: readonly Step[], stepMs: number): Rise | null {
  const steps = all.filter(({ logMs }) => logMs !== null);
  const values = steps.map(({ logMs }) => logMs ?? 0);
  const sums = sumUp(values);
  const noise = noiseOf(values);
  let best: Rise | null = null;
  for (let from = LEAST_STEPS_BEFORE; from < steps.length; from++) {
    const before = sums[from]! / from;
    if (values[from]! - before < Math.log(LEAST_LATENCY_RATIO) / 2) continue;
    for (let to = from + LEAST_STEPS; to <= steps.length; to++) {
      const after = (sums[to]! - sums[from]!) / (to - from);
      if (after - before < Math.log(LEAST_LATENCY_RATIO)) continue;
      const nats = (after - before) ** 2 / (2 * noise ** 2 * (1 / from + 1 / (to - from)));
      if (nats > (best?.nats ?? NATS + 2 * Math.log(steps.length))) {
        const level = { before: Math.exp(before), after: Math.exp(after) };
        best = riseOf("latency", steps, stepMs, { from, to, ...level, nats });
      }
    }
  }
  return best;
}

/** From one step to the next, so that a change of level is not taken for noise: by the median, at the normal's scale. */
function noiseOf(values: readonly number[]): number {
  const jumps = values.slice(1).map((value, index) => Math.abs(value - values[index]!));
  const median = jumps.toSorted((one, other) => one - other)[Math.floor(jumps.length / 2)] ?? 0;
  return Math.max(LEAST_NOISE, median / (0.6745 * Math.SQRT2));
}

function riseOf(
  metric: Onset["metric"],
  steps: readonly Step[],
  stepMs: number,
  { from, to, ...rest }: { from: number; to: number; before: number; after: number; nats: number },
): Rise {
  const [first, last] = [steps[from]!.atMs, steps[to - 1]!.atMs];
  return { at: new Date(first).toISOString(), metric, from: first, to: last + stepMs, ...rest };
}

function sumUp(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1)! + value);
  return sums;
}
