// How the series stays bounded. Once a minute is over, its seconds are added up to a row per minute, and to the hour and the
// total that it belongs to, all in one transaction; so minutes and hours that are over never change, long windows read few
// rows, and whatever is dropped for its age stands in the totals already. Seconds are kept for an hour, minutes and hours
// for 31 days. Work comes in batches of a minute, or an hour, so that no sync waits long behind it.

import { addTo, keyOf, mergeTallies } from "../core/metering/tally.ts";
import type { Tally } from "../core/types.ts";
import { foldedUntil, forgetMemory, FOLDED, totalsIn } from "./series.ts";
import { readHeld, readSeries, writeSeries, writeTotal, type Held, type Step } from "./series-rows.ts";
import { numberOf, type Sql } from "./sql.ts";
import { writeMeta, type ControlStore } from "./store.ts";

type Kept = Pick<ControlStore, "sql" | "series">;

export const MINUTE_S = 60;
export const HOUR_S = 3_600;
export const SECONDS_KEPT_S = HOUR_S;
export const MINUTES_KEPT_S = 31 * 24 * HOUR_S;
/** Epochs whose totals are kept apart, so that arms can be compared within each; older ones are one. */
export const EPOCHS_KEPT = 16;

/** Before a report is counted: once a minute, the minute before. */
export function foldInPassing(store: Kept & { created: boolean }, nowMs: number): void {
  const minuteS = floorTo(nowMs / 1_000, MINUTE_S);
  if (!store.created || store.series.lookedS === minuteS) return;
  store.series.lookedS = minuteS;
  foldMinute(store, nowMs);
}

/** Folds the oldest minute that is over; false: there was none. */
export function foldMinute(store: Kept, nowMs: number): boolean {
  const { sql, series } = store;
  const fromS = oldest(sql, 1, foldedUntil(sql, series));
  if (fromS === null) return false;
  const minuteS = floorTo(fromS, MINUTE_S);
  const endS = minuteS + MINUTE_S;
  if (endS * 1_000 > nowMs) return false;
  try {
    const isRefolded = sql.transaction(() => {
      addMinute(sql, minuteS, readSeries(sql, 1, minuteS, endS));
      writeMeta(sql, FOLDED, endS);
      sql.exec(`DELETE FROM series WHERE step = 1 AND at < ?`, endS - SECONDS_KEPT_S);
      return foldEpochs(sql);
    });
    series.foldedS = endS;
    if (isRefolded) series.totals = null;
  } catch (error) {
    forgetMemory(series);
    throw error;
  }
  return true;
}

function addMinute(sql: Sql, minuteS: number, seconds: readonly Held[]): void {
  const whole = sumUp(seconds);
  const plain = whole.map(withoutBuckets);
  for (const held of plain) writeSeries(sql, 60, minuteS, held);
  const hourS = floorTo(minuteS, HOUR_S);
  const touched = (held: Held) => plain.some((row) => isSameRow(row, held));
  const inHour = readSeries(sql, 3_600, hourS, hourS + 1).filter(touched);
  for (const held of sumUp([...inHour, ...plain])) writeSeries(sql, 3_600, hourS, held);
  const inTotals = whole.flatMap((held) => readTotal(sql, held));
  for (const held of sumUp([...inTotals, ...whole])) writeTotal(sql, held);
}

function readTotal(sql: Sql, { environment, tally }: Held): Held[] {
  const { revision, version, arm, reason, turn = "" } = tally;
  return sql
    .exec(
      `SELECT * FROM totals WHERE environment = ? AND revision = ? AND version = ? AND arm = ? AND reason = ? AND turn = ?`,
      environment,
      revision,
      version,
      arm,
      reason,
      turn,
    )
    .map(readHeld);
}

/** Of all environments: the totals of old epochs become one. True: some did. */
function foldEpochs(sql: Sql): boolean {
  const counted = sql.exec(
    `SELECT environment, COUNT(DISTINCT revision) AS epochs FROM totals WHERE revision > 0 GROUP BY environment`,
  );
  const crowded = counted.filter((row) => numberOf(row, "epochs") > EPOCHS_KEPT);
  for (const row of crowded) foldOldEpochs(sql, String(row["environment"]));
  return crowded.length > 0;
}

function foldOldEpochs(sql: Sql, environment: string): void {
  const [row] = sql.exec(
    `SELECT DISTINCT revision FROM totals WHERE environment = ? ORDER BY revision DESC LIMIT 1 OFFSET ?`,
    environment,
    EPOCHS_KEPT - 1,
  );
  const keptFrom = numberOf(row!, "revision");
  const old = sql
    .exec(`SELECT * FROM totals WHERE environment = ? AND revision < ?`, environment, keptFrom)
    .map(readHeld);
  sql.exec(`DELETE FROM totals WHERE environment = ? AND revision < ?`, environment, keptFrom);
  const folded = old.map(withoutBuckets).map(({ tally }) => ({ environment, tally: withoutEpoch(tally) }));
  for (const held of sumUp(folded)) writeTotal(sql, held);
}

function withoutEpoch(tally: Tally): Tally {
  const { turn, ...rest } = tally;
  void turn;
  return { ...rest, revision: 0 };
}

/** Which units' requests are alike is asked of totals alone. */
function withoutBuckets(held: Held): Held {
  const { sums } = held.tally;
  return sums === undefined ? held : { ...held, tally: { ...held.tally, sums: { ...sums, buckets: {} } } };
}

function sumUp(rows: readonly Held[]): Held[] {
  const sums = new Map<string, Held>();
  for (const held of rows) {
    const key = `${held.environment} ${keyOf(held.tally)}`;
    const before = sums.get(key);
    sums.set(key, before === undefined ? held : { ...held, tally: mergeTallies(before.tally, held.tally) });
  }
  return [...sums.values()];
}

function isSameRow(one: Held, other: Held): boolean {
  return one.environment === other.environment && keyOf(one.tally) === keyOf(other.tally);
}

/** Drops what is too old, an hour of it at most; false: there was nothing. */
export function dropOld({ sql }: Kept, nowMs: number): boolean {
  const nowS = Math.floor(nowMs / 1_000);
  const ages: [Step, number][] = [
    [1, SECONDS_KEPT_S],
    [60, MINUTES_KEPT_S],
    [3_600, MINUTES_KEPT_S],
  ];
  for (const [step, keptS] of ages) {
    // A second that has not been folded is in no total yet.
    const untilS = step === 1 ? Math.min(nowS - keptS, foldedSoFar(sql)) : floorTo(nowS - keptS, HOUR_S);
    const fromS = oldest(sql, step, 0);
    if (fromS === null || fromS >= untilS) continue;
    const batchS = step === 1 ? MINUTE_S : HOUR_S;
    sql.exec(`DELETE FROM series WHERE step = ? AND at < ?`, step, Math.min(fromS + batchS, untilS));
    return true;
  }
  return false;
}

function foldedSoFar(sql: Sql): number {
  const [row] = sql.exec(`SELECT value FROM meta WHERE key = ?`, FOLDED);
  return row === undefined ? 0 : numberOf(row, "value");
}

/** When there is something to fold or to drop next; null: never, as far as is known. */
export function nextFoldMs({ sql }: Kept): number | null {
  const secondS = oldest(sql, 1, 0);
  const minuteS = oldest(sql, 60, 0);
  const times = [
    secondS === null ? null : secondS + SECONDS_KEPT_S + MINUTE_S,
    minuteS === null ? null : floorTo(minuteS, HOUR_S) + MINUTES_KEPT_S + HOUR_S,
  ].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times) * 1_000;
}

function oldest(sql: Sql, step: Step, fromS: number): number | null {
  const [row] = sql.exec(`SELECT MIN(at) AS at FROM series WHERE step = ? AND at >= ?`, step, fromS);
  return typeof row?.["at"] === "number" ? row["at"] : null;
}

export function floorTo(timeS: number, stepS: number): number {
  return Math.floor(timeS / stepS) * stepS;
}

/** Since ever, as it is committed: what is folded, and the seconds after it. */
export function totalsOf(store: Kept, environment: string): Map<string, Tally> {
  const { sql, series } = store;
  if (series.totals === null) {
    const totals = new Map<string, Map<string, Tally>>();
    const folded = sql.exec(`SELECT * FROM totals`).map(readHeld);
    const seconds = readSeries(sql, 1, foldedUntil(sql, series), Number.MAX_SAFE_INTEGER);
    for (const { environment: name, tally } of [...folded, ...seconds]) {
      addTo(totalsIn(totals, name), keyOf(tally), tally);
    }
    series.totals = totals;
  }
  return totalsIn(series.totals, environment);
}
