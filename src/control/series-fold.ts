// How the series stays bounded. Once a minute is over, its seconds are added up to a row per minute, and to the hour and the
// total that it belongs to, all in one transaction; so minutes and hours that are over never change, long windows read few
// rows, and whatever is dropped for its age stands in the totals already. Seconds are kept for an hour, minutes and hours
// for 31 days. Work comes in batches of a minute, or an hour, so that no sync waits long behind it.

import { addTo, keyOf, mergeTallies } from "../core/metering/tally.ts";
import type { Tally } from "../core/types.ts";
import { forgetReporters, LOST_AFTER_MS, writeReporter } from "./reporters.ts";
import { foldedUntil, forgetMemory, FOLDED, totalsIn } from "./series.ts";
import { readSeconds, type ReadSecond } from "./series-seconds.ts";
import { readHeld, readSeries, writeSeries, writeTotal, type Held, type Step } from "./series-rows.ts";
import { numberOf, type Sql } from "./sql.ts";
import { writeMeta, type ControlStore } from "./store.ts";

type Kept = Pick<ControlStore, "sql" | "series">;

/** Later than any second. */
export const FOREVER_S = Number.MAX_SAFE_INTEGER;
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
  const fromS = oldestSecond(sql, foldedUntil(sql, series));
  if (fromS === null) return false;
  const minuteS = floorTo(fromS, MINUTE_S);
  const endS = minuteS + MINUTE_S;
  if (endS * 1_000 > nowMs) return false;
  try {
    const isRefolded = sql.transaction(() => {
      const seconds = readSeconds(sql, minuteS, endS);
      addMinute(
        sql,
        minuteS,
        seconds.flatMap(({ environment, tallies }) => tallies.map((tally) => ({ environment, tally }))),
      );
      addReporters(sql, seconds);
      writeMeta(sql, FOLDED, endS);
      sql.exec(`DELETE FROM seconds WHERE at < ?`, endS - SECONDS_KEPT_S);
      return foldEpochs(sql);
    });
    series.foldedS = endS;
    forgetReporters(store, nowMs);
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

/** The last word of each. */
function addReporters(sql: Sql, seconds: readonly ReadSecond[]): void {
  const latest = new Map(
    seconds.flatMap(({ environment, reporters }) =>
      reporters.map(([isolate, reporter]) => [isolate, { environment, reporter }] as const),
    ),
  );
  for (const [isolate, { environment, reporter }] of latest) {
    writeReporter(sql, environment, isolate, reporter);
  }
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

/** Drops what is too old, an hour of it at most; false: there was nothing. Seconds go when they are folded, or here. */
export function dropOld({ sql, series }: Kept, nowMs: number): boolean {
  const nowS = Math.floor(nowMs / 1_000);
  const secondS = oldestSecond(sql, 0);
  // What has not been folded is in no total yet.
  const keptS = Math.min(nowS - SECONDS_KEPT_S, foldedUntil(sql, series));
  if (secondS !== null && secondS < keptS) {
    sql.exec(`DELETE FROM seconds WHERE at < ?`, keptS);
    return true;
  }
  for (const step of [60, 3_600] as const) {
    const untilS = floorTo(nowS - MINUTES_KEPT_S, HOUR_S);
    const fromS = oldest(sql, step);
    if (fromS === null || fromS >= untilS) continue;
    sql.exec(`DELETE FROM series WHERE step = ? AND at < ?`, step, Math.min(fromS + HOUR_S, untilS));
    return true;
  }
  return false;
}

/** When there is something to fold or to drop next; null: never, as far as is known. */
export function nextFoldMs({ sql, series }: Kept, nowMs: number): number | null {
  const unfoldedS = oldestSecond(sql, foldedUntil(sql, series));
  const secondS = oldestSecond(sql, 0);
  const minuteS = oldest(sql, 60);
  const times = [
    // Whoever reported in it may have calls under way, and fall silent.
    unfoldedS === null ? null : nowMs + LOST_AFTER_MS,
    secondS === null ? null : (secondS + SECONDS_KEPT_S + MINUTE_S) * 1_000,
    minuteS === null ? null : (floorTo(minuteS, HOUR_S) + MINUTES_KEPT_S + HOUR_S) * 1_000,
  ].filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

function oldestSecond(sql: Sql, fromS: number): number | null {
  const [row] = sql.exec(`SELECT MIN(at) AS at FROM seconds WHERE at >= ?`, fromS);
  return typeof row?.["at"] === "number" ? row["at"] : null;
}

function oldest(sql: Sql, step: Step): number | null {
  const [row] = sql.exec(`SELECT MIN(at) AS at FROM series WHERE step = ?`, step);
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
    for (const { environment: name, tally } of sql.exec(`SELECT * FROM totals`).map(readHeld)) {
      addTo(totalsIn(totals, name), keyOf(tally), tally);
    }
    for (const { environment: name, tallies } of readSeconds(sql, foldedUntil(sql, series), FOREVER_S)) {
      for (const tally of tallies) addTo(totalsIn(totals, name), keyOf(tally), tally);
    }
    series.totals = totals;
  }
  return totalsIn(series.totals, environment);
}
