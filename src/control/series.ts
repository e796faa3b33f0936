// What edges report, kept exactly: each tally is added to the row of the second in which it is counted, within the
// transaction that notes the report as counted. The rows of the present second are held in memory, so that a report costs
// one write a tally and no reading. Memory is a copy of what is committed: it changes after the transaction, and a
// transaction that throws throws it away, to be read anew.

import { addTo, keyOf, mergeTallies } from "../core/metering/tally.ts";
import type { Tally } from "../core/types.ts";
import type { Heard } from "./reporters.ts";
import { readSeries, writeSeries, type Held } from "./series-rows.ts";
import type { Sql } from "./sql.ts";
import { readMeta, type ControlStore } from "./store.ts";

export type Series = {
  /** Rows of the second that is being counted; null: not read yet. */
  second: { atS: number; rows: Map<string, Held> } | null;
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
  return { second: null, totals: null, foldedS: null, lookedS: 0, heard };
}

export function forgetMemory(series: Series): void {
  series.second = null;
  series.totals = null;
  series.foldedS = null;
}

/** Adds tallies, which may carry feedback alone. */
export type Count = (environment: string, tallies: readonly Tally[]) => void;

type Change = { atS: number; rows: Map<string, Held>; counted: Held[] };

/** A transaction that counts at `nowMs`: `run` may write what it likes beside. */
export function countWithin<Result>(
  store: Pick<ControlStore, "sql" | "series">,
  nowMs: number,
  run: (count: Count) => Result,
): Result {
  const { sql, series } = store;
  const change: Change = { atS: 0, rows: new Map(), counted: [] };
  try {
    const result = sql.transaction(() => {
      const answer = run((environment, tallies) => {
        for (const tally of tallies) change.counted.push({ environment, tally });
      });
      if (change.counted.length > 0) writeCounted(sql, series, change, nowMs);
      return answer;
    });
    if (change.counted.length > 0) keep(series, change);
    return result;
  } catch (error) {
    forgetMemory(series);
    throw error;
  }
}

function writeCounted(sql: Sql, series: Series, change: Change, nowMs: number): void {
  const atS = Math.max(Math.floor(nowMs / 1_000), foldedUntil(sql, series), series.second?.atS ?? 0);
  const held = series.second?.atS === atS ? series.second.rows : readSecond(sql, atS);
  change.atS = atS;
  for (const { environment, tally } of change.counted) {
    const key = `${environment} ${keyOf(tally)}`;
    const before = change.rows.get(key) ?? held.get(key);
    const after = before === undefined ? tally : mergeTallies(before.tally, tally);
    change.rows.set(key, { environment, tally: after });
  }
  for (const row of change.rows.values()) writeSeries(sql, 1, atS, row);
  for (const [key, row] of held) if (!change.rows.has(key)) change.rows.set(key, row);
}

/** Empty but where an object that was thrown out of memory comes back within the second. */
function readSecond(sql: Sql, atS: number): Map<string, Held> {
  const rows = readSeries(sql, 1, atS, atS + 1);
  return new Map(rows.map((held) => [`${held.environment} ${keyOf(held.tally)}`, held]));
}

function keep(series: Series, { atS, rows, counted }: Change): void {
  series.second = { atS, rows };
  if (series.totals === null) return;
  for (const { environment, tally } of counted) {
    addTo(totalsIn(series.totals, environment), keyOf(tally), tally);
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
