// What edges report, kept exactly: each tally is added to the row of the second in which it is counted, and the number of
// its report stands in the same row. The present second is held in memory, so that a report costs one written row and
// nothing is read for it. Memory is a copy of what is committed: it changes after the transaction, and a transaction that
// throws throws it away, to be read anew.

import { addTo, keyOf } from "../core/metering/tally.ts";
import type { Tally } from "../core/types.ts";
import type { Heard } from "./reporters.ts";
import {
  addToSecond,
  EMPTY_SECOND,
  readSeconds,
  resumeSecond,
  writeSecond,
  type Reporter,
  type Second,
} from "./series-seconds.ts";
import type { Sql } from "./sql.ts";
import { readMeta, type ControlStore } from "./store.ts";

export type Series = {
  /** The second that is being counted, by environment; null: not read yet. */
  second: { atS: number; parts: Map<string, Second> } | null;
  /** Those that were counted lately, as they stand in the seconds: newer than in their table; null: not read yet. */
  reporters: Map<string, Reporter> | null;
  /** Since ever, by environment and key; null: nobody has asked yet. */
  totals: Map<string, Map<string, Tally>> | null;
  /** Seconds before this one are in minutes, hours and totals too (series-fold.ts); null: not read yet. */
  foldedS: number | null;
  /** The last minute at whose beginning was looked for what is to be folded. */
  lookedS: number;
  heard: Heard;
};

export function createSeries(): Series {
  const heard = { atMs: new Map<string, number>(), count: 0, countedMs: 0 };
  return { second: null, reporters: null, totals: null, foldedS: null, lookedS: 0, heard };
}

export function forgetMemory(series: Series): void {
  series.second = null;
  series.reporters = null;
  series.totals = null;
  series.foldedS = null;
}

/** Adds tallies, which may carry feedback alone. */
export type Count = (environment: string, tallies: readonly Tally[]) => void;
/** Notes how far an isolate has been counted. */
export type Note = (environment: string, isolate: string, reporter: Reporter) => void;

type Added = Map<string, { tallies: Tally[]; reporters: Map<string, Reporter> }>;

/** A transaction that counts at `nowMs`: `run` may write what it likes beside. */
export function countWithin<Result>(
  store: Pick<ControlStore, "sql" | "series">,
  nowMs: number,
  run: (count: Count, note: Note) => Result,
): Result {
  const { sql, series } = store;
  const added: Added = new Map();
  const partOf = (environment: string) => {
    const part = added.get(environment) ?? { tallies: [], reporters: new Map<string, Reporter>() };
    added.set(environment, part);
    return part;
  };
  try {
    const { result, second } = sql.transaction(() => {
      const answer = run(
        (environment, tallies) => void partOf(environment).tallies.push(...tallies),
        (environment, isolate, reporter) => void partOf(environment).reporters.set(isolate, reporter),
      );
      return { result: answer, second: added.size === 0 ? null : writeAdded(sql, series, added, nowMs) };
    });
    if (second !== null) keep(series, second, added);
    return result;
  } catch (error) {
    forgetMemory(series);
    throw error;
  }
}

function writeAdded(sql: Sql, series: Series, added: Added, nowMs: number): NonNullable<Series["second"]> {
  const atS = Math.max(Math.floor(nowMs / 1_000), foldedUntil(sql, series), series.second?.atS ?? 0);
  const parts = new Map(series.second?.atS === atS ? series.second.parts : readParts(sql, atS));
  for (const [environment, addition] of added) {
    const second = addToSecond(parts.get(environment) ?? EMPTY_SECOND, addition);
    parts.set(environment, second);
    writeSecond(sql, atS, environment, second);
  }
  return { atS, parts };
}

/** Empty but where an object that was thrown out of memory comes back within the second. */
function readParts(sql: Sql, atS: number): Map<string, Second> {
  return new Map(readSeconds(sql, atS, atS + 1).map((read) => [read.environment, resumeSecond(read)]));
}

function keep(series: Series, second: NonNullable<Series["second"]>, added: Added): void {
  series.second = second;
  for (const [environment, { tallies, reporters }] of added) {
    if (series.reporters !== null) {
      for (const [isolate, reporter] of reporters) series.reporters.set(isolate, reporter);
    }
    if (series.totals === null) continue;
    for (const tally of tallies) addTo(totalsIn(series.totals, environment), keyOf(tally), tally);
  }
}

export function totalsIn(totals: NonNullable<Series["totals"]>, environment: string): Map<string, Tally> {
  let held = totals.get(environment);
  if (held === undefined) {
    held = new Map();
    totals.set(environment, held);
  }
  return held;
}

export const FOLDED = "folded_s";

export function foldedUntil(sql: Sql, series: Series): number {
  series.foldedS ??= readMeta(sql, FOLDED) ?? 0;
  return series.foldedS;
}
