// Metrics out of the series. Since ever they are in memory. A window is put together from hours, and at its edges from
// minutes and seconds, in slices: between two of them the object answers syncs, because nobody's lease may wait for a chart.
// What is being put together stays consistent: seconds, minutes and hours that have been folded never change.

import { compareArms } from "../core/comparison.ts";
import { addTo, keyOf } from "../core/metering/tally.ts";
import type { MetricsQuery, MetricsView } from "../core/metrics-view.ts";
import { addToPoints, viewPoints, type Point } from "../core/series-points.ts";
import { summarizeTallies } from "../core/summary.ts";
import type { Tally } from "../core/types.ts";
import { foldedUntil } from "./series.ts";
import { floorTo, FOREVER_S, HOUR_S, MINUTE_S, SECONDS_KEPT_S, totalsOf } from "./series-fold.ts";
import { readSeriesOf, type Step } from "./series-rows.ts";
import { readSeconds } from "./series-seconds.ts";
import type { ControlStore } from "./store.ts";

type Kept = Pick<ControlStore, "sql" | "series">;
type Range = { step: 1 | Step; fromS: number; toS: number };
type Counted = { atS: number; tally: Tally };

/** Of rows by time: what is read at once. */
const SLICE_STEPS = 60;

/** What was counted in the window up to `nowMs`. */
export async function readMetrics(
  store: Kept,
  environment: string,
  query: MetricsQuery,
  nowMs: number,
): Promise<MetricsView> {
  const reading = readInTurns(store, environment, query, nowMs);
  for (let turn = reading.next(); ; turn = reading.next()) {
    if (turn.done === true) return turn.value;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** What has no use for scrapers, and is most of a tally where units are sticky, stays here. */
export function readTotals(store: Kept, environment: string): Tally[] {
  return [...totalsOf(store, environment).values()].map((tally) =>
    tally.sums === undefined ? tally : { ...tally, sums: { ...tally.sums, buckets: {}, models: {} } },
  );
}

/** Yields wherever others may come first. */
export function* readInTurns(
  store: Kept,
  environment: string,
  { windowS, stepS }: MetricsQuery,
  nowMs: number,
): Generator<undefined, MetricsView> {
  const nowS = Math.floor(nowMs / 1_000);
  const head = { environment, since: null, until: new Date(nowMs).toISOString() };
  const totals = totalsOf(store, environment);
  if (windowS === null) return { ...head, ...summarize(totals, totals) };
  const wantedS = nowS - windowS;
  const fromS = wantedS >= nowS - SECONDS_KEPT_S ? wantedS : floorTo(wantedS, MINUTE_S);
  const tallies = new Map<string, Tally>();
  for (const rows of readSlices(store, environment, fromS, nowS, HOUR_S)) {
    for (const { tally } of rows) addTo(tallies, keyOf(tally), tally);
    yield;
  }
  const since = new Date(fromS * 1_000).toISOString();
  const view = { ...head, since, ...summarize(tallies, totalsOf(store, environment)) };
  if (stepS === null) return view;
  const points = new Map<string, Point>();
  const coarsest = stepS % HOUR_S === 0 ? HOUR_S : stepS % MINUTE_S === 0 ? MINUTE_S : 1;
  for (const rows of readSlices(store, environment, ceilTo(fromS, stepS), nowS, coarsest)) {
    for (const { atS, tally } of rows) addToPoints(points, floorTo(atS, stepS), tally);
    yield;
  }
  return { ...view, series: { stepS, points: viewPoints(points.values()) } };
}

function summarize(tallies: Map<string, Tally>, totals: Map<string, Tally>) {
  return {
    ...summarizeTallies(tallies.values(), totals.values()),
    comparisons: compareArms(tallies.values(), totals.values()),
  };
}

/** Rows that together hold all that was counted from `fromS` on, none of it twice. */
function* readSlices(
  { sql, series }: Kept,
  environment: string,
  fromS: number,
  nowS: number,
  coarsest: Range["step"],
): Generator<Counted[]> {
  const read = ({ step, fromS: from, toS }: Range): Counted[] =>
    step === 1
      ? readSeconds(sql, from, toS, environment).flatMap(({ atS, tallies }) =>
          tallies.map((tally) => ({ atS, tally })),
        )
      : readSeriesOf(sql, environment, step, from, toS);
  const foldedS = foldedUntil(sql, series);
  // In one go: a minute that is folded while we look away would be there twice, or not at all.
  const { seconds, rest } = rangesOf(fromS, foldedS, nowS, coarsest);
  yield seconds.flatMap(read);
  for (const { step, fromS: from, toS } of rest) {
    for (let at = from; at < toS; at += SLICE_STEPS * step) {
      yield read({ step, fromS: at, toS: Math.min(toS, at + SLICE_STEPS * step) });
    }
  }
}

/** `seconds`: those that are not folded, and what begins before a whole minute. */
function rangesOf(
  fromS: number,
  foldedS: number,
  nowS: number,
  coarsest: Range["step"],
): { seconds: Range[]; rest: Range[] } {
  const unfolded: Range = { step: 1, fromS: Math.max(fromS, foldedS), toS: FOREVER_S };
  if (fromS >= foldedS) return { seconds: [unfolded], rest: [] };
  const hasSeconds = fromS >= nowS - SECONDS_KEPT_S;
  if (coarsest === 1 && hasSeconds) {
    return { seconds: [unfolded], rest: [{ step: 1, fromS, toS: foldedS }] };
  }
  const minuteS = hasSeconds ? ceilTo(fromS, MINUTE_S) : floorTo(fromS, MINUTE_S);
  const edge: Range[] = hasSeconds ? [{ step: 1, fromS, toS: minuteS }] : [];
  const [hourS, lastHourS] = [ceilTo(minuteS, HOUR_S), floorTo(foldedS, HOUR_S)];
  const rest: Range[] =
    coarsest < HOUR_S || hourS >= lastHourS
      ? [{ step: 60, fromS: minuteS, toS: foldedS }]
      : [
          { step: 60, fromS: minuteS, toS: hourS },
          { step: 3_600, fromS: hourS, toS: lastHourS },
          { step: 60, fromS: lastHourS, toS: foldedS },
        ];
  return { seconds: [unfolded, ...edge], rest };
}

function ceilTo(timeS: number, stepS: number): number {
  return Math.ceil(timeS / stepS) * stepS;
}
