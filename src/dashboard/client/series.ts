// The metrics of a window → what its charts show: a line for every version, one scale each, and the revisions that fall
// into the window. Pure. Guarantees: a step without a request has no rate, no time and no cost; it has 0 requests. A cost
// that nobody knows is no point, never zero.

import { rateInterval } from "../../core/intervals.ts";
import type { SeriesPoint } from "../../core/metrics-view.ts";
import type { Revision } from "../../core/types.ts";
import { sayValue } from "../../core/watching/says.ts";
import type { Metrics } from "../../admin/schemas.ts";
import { sayInterval } from "./figures.ts";
import { ACTION_LABELS, formatChange, formatCount, formatMoment } from "./format.ts";
import { niceTop, stepsOf, type Dot, type Frame } from "./plot.ts";

export type ChartName = "errors" | "latency" | "cost" | "requests";
export type Line = { version: number; dots: Dot[] };

export type Chart = {
  name: ChartName;
  title: string;
  unit: string;
  /** Said where no line has a point. */
  blank: string;
  frame: Frame;
  lines: Line[];
};

/** One step of one version. The arms that it was are added up. */
export type VersionPoint = Pick<SeriesPoint, "version" | "requests" | "errors" | "usd" | "pricedAnswers"> & {
  atMs: number;
  p50Ms: number | null;
};

const MINUTE_MS = 60_000;
const PER = 1_000;

/** Of a step that is under way, the rate of requests is told only once so much of it is over: before, one request more or
 * less would be a spike. */
const LEAST_SHARE_OF_STEP = 0.25;

const TITLES: { [name in ChartName]: Pick<Chart, "title" | "unit" | "blank"> } = {
  errors: { title: "Error rate", unit: "of all requests, with its 95 % interval", blank: "No request" },
  latency: { title: "Latency p50", unit: "of good answers", blank: "No good answer" },
  cost: { title: "Cost", unit: "of 1,000 answers", blank: "Unknown: no price, or no usage in the answers" },
  requests: { title: "Requests", unit: "per minute", blank: "Not known yet" },
};

/** Metrics that were read with a step. Empty where there was no request in any whole step. */
export function chartsOf(metrics: Metrics): Chart[] {
  const points = versionPoints(metrics);
  const { series, since, until } = metrics;
  if (series === undefined || since === null || points.length === 0) return [];
  const span = { fromMs: Date.parse(since), toMs: Date.parse(until), stepMs: series.stepS * 1_000 };
  const versions = [...new Set(points.map(({ version }) => version))].toSorted((one, other) => one - other);
  return (Object.keys(TITLES) as ChartName[]).map((name) => {
    const lines = versions.map((version) => {
      const own = points.filter((point) => point.version === version);
      const dots = name === "requests" ? requestDots(own, span) : own.flatMap((point) => dotOf(name, point));
      return { version, dots };
    });
    return { name, ...TITLES[name], lines, frame: { ...span, top: topOf(name, lines) } };
  });
}

/** Oldest first, without pinned requests, which chose their version themselves. */
export function versionPoints({ series }: Pick<Metrics, "series">): VersionPoint[] {
  const points = new Map<string, VersionPoint>();
  for (const point of series?.points ?? []) {
    if (point.arm === "pinned") continue;
    const key = `${point.at} ${point.version}`;
    const held = points.get(key);
    const { version, requests, errors, usd, pricedAnswers } = point;
    const p50Ms = point.latencyMs?.p50 ?? null;
    const own = { atMs: Date.parse(point.at), version, requests, errors, usd, pricedAnswers, p50Ms };
    points.set(key, held === undefined ? own : addPoints(held, own));
  }
  return [...points.values()];
}

/** Where a version changed its arm. Medians cannot be added: the arm with more requests speaks for both. */
function addPoints(one: VersionPoint, other: VersionPoint): VersionPoint {
  const [most, least] = one.requests >= other.requests ? [one, other] : [other, one];
  return {
    ...one,
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    usd: one.usd === null && other.usd === null ? null : (one.usd ?? 0) + (other.usd ?? 0),
    pricedAnswers: one.pricedAnswers + other.pricedAnswers,
    p50Ms: most.p50Ms ?? least.p50Ms,
  };
}

/** Dollars for 1,000 answers like those whose cost is known; null: of none it is. */
export function costPerThousand({ usd, pricedAnswers }: Pick<VersionPoint, "usd" | "pricedAnswers">) {
  return usd === null || pricedAnswers === 0 ? null : (PER * usd) / pricedAnswers;
}

function dotOf(name: Exclude<ChartName, "requests">, point: VersionPoint): Dot[] {
  const { atMs, requests, errors } = point;
  if (name === "errors") {
    const interval = rateInterval(errors, requests);
    if (interval === null) return [];
    return [{ atMs, y: errors / requests, low: interval.low, high: interval.high ?? 1 }];
  }
  const y = name === "latency" ? point.p50Ms : costPerThousand(point);
  return y === null ? [] : [{ atMs, y }];
}

function requestDots(points: readonly VersionPoint[], { fromMs, toMs, stepMs }: Omit<Frame, "top">): Dot[] {
  const counted = new Map(points.map(({ atMs, requests }) => [atMs, requests]));
  return stepsOf({ fromMs, toMs, stepMs }).flatMap((atMs) => {
    const overMs = Math.min(stepMs, toMs - atMs);
    if (overMs < stepMs * LEAST_SHARE_OF_STEP) return [];
    return [{ atMs, y: ((counted.get(atMs) ?? 0) * MINUTE_MS) / overMs }];
  });
}

/** Above every line. A band of few requests reaches far beyond what is of interest, so only half of the bands have to fit. */
function topOf(name: ChartName, lines: readonly Line[]): number {
  const dots = lines.flatMap((line) => line.dots);
  const highs = dots.map(({ y, high }) => high ?? y).toSorted((one, other) => one - other);
  const most = Math.max(0, ...dots.map(({ y }) => 1.1 * y), highs[Math.floor(highs.length / 2)] ?? 0);
  return name === "errors" ? Math.min(1, niceTop(most)) : niceTop(most);
}

/** A value of a chart, with its unit. */
export function sayDot(name: ChartName, { y, low, high }: Dot): string {
  if (name === "requests") return formatCount(Number(y.toPrecision(3)));
  const say = (value: number) => sayValue(name, value);
  return low === undefined || high === undefined ? say(y) : `${say(y)} (${sayInterval({ low, high }, say)})`;
}

/** A label of the scale: exact, as a half of a nice top has three digits at most. */
export function sayTick(name: ChartName, y: number): string {
  if (y === 0) return "0";
  switch (name) {
    case "errors":
      return `${sayShort(100 * y)} %`;
    case "latency":
      return y < 1_000 ? `${sayShort(y)} ms` : `${sayShort(y / 1_000)} s`;
    case "cost":
      return `$${sayShort(y)}`;
    case "requests":
      return sayShort(y);
  }
}

function sayShort(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** What a change of the release is, for the eye: another one, a rollback by hand, a guardrail's. */
export type MarkKind = "change" | "rollback" | "guardrail";
export type Mark = { atMs: number; revision: number; kind: MarkKind; says: string };

/** Oldest first. */
export function marksOf(revisions: readonly Revision[], { fromMs, toMs }: Omit<Frame, "top">): Mark[] {
  return revisions
    .map(({ revision, at, actor, action, before, after }): Mark => {
      const kind = action !== "rollback" ? "change" : actor === "guardrail" ? "guardrail" : "rollback";
      const says = `r${revision}, ${ACTION_LABELS[action]} by ${actor}: ${formatChange(before, after)}`;
      return { atMs: Date.parse(at), revision, kind, says };
    })
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .toSorted((one, other) => one.atMs - other.atMs);
}

/** The step that is looked at, the same in all charts. */
export type Moment = {
  index: number;
  last: number;
  startMs: number;
  time: string;
  /** Versions that had requests in it. */
  served: number[];
  /** What happened to the release in it. */
  changes: string[];
  isPointed: boolean;
};

/** `pointedMs` null: nobody points, so the latest step that anything is known of, the one under way included. */
export function momentAt(
  charts: readonly Chart[],
  marks: readonly Mark[],
  pointedMs: number | null,
): Moment | null {
  const requests = charts.find(({ name }) => name === "requests");
  if (requests === undefined) return null;
  const { frame } = requests;
  const steps = stepsOf(frame);
  const latestMs = Math.max(
    ...charts.flatMap(({ lines }) => lines.flatMap(({ dots }) => dots.map(({ atMs }) => atMs))),
  );
  const wantedMs = pointedMs ?? latestMs;
  const index = Math.max(
    0,
    steps.findLastIndex((startMs) => startMs <= wantedMs),
  );
  const startMs = steps[index] ?? frame.fromMs;
  return {
    index,
    last: steps.length - 1,
    startMs,
    time: formatMoment(startMs, frame.stepMs),
    served: versionsAt(charts, startMs),
    changes: marks
      .filter(({ atMs }) => atMs >= startMs && atMs < startMs + frame.stepMs)
      .map(({ says }) => says),
    isPointed: pointedMs !== null,
  };
}

/** A rate is there wherever there was a request. */
function versionsAt(charts: readonly Chart[], startMs: number): number[] {
  const rates = charts.find(({ name }) => name === "errors")?.lines ?? [];
  return rates.filter(({ dots }) => dots.some(({ atMs }) => atMs === startMs)).map(({ version }) => version);
}

/** Where there were requests. */
const NO_DOT = {
  errors: "no request",
  latency: "no good answer",
  cost: "unknown",
  requests: "not known yet",
};

/** What each line says of a moment. */
export function valuesAt(
  { name, lines }: Chart,
  { startMs, served }: Moment,
): { version: number; text: string }[] {
  return lines.map(({ version, dots }) => {
    const dot = dots.find(({ atMs }) => atMs === startMs);
    if (dot !== undefined) return { version, text: sayDot(name, dot) };
    return { version, text: served.includes(version) ? NO_DOT[name] : "no request" };
  });
}
