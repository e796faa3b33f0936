// Who reports: how far each isolate has been counted, what of its calls is under way, and how often it should report. An
// isolate that has been silent for longer than any call can last (the edge itself gives one up after 10 minutes) is given
// up: its open calls are counted as lost, into the epoch that they began in (core/metering/open-calls.ts).

import type { SyncRequest } from "../core/ports.ts";
import { giveUpCalls, settleCalls, type Calls } from "../core/metering/open-calls.ts";
import type { Tally } from "../core/types.ts";
import { countWithin, foldedUntil, type Count, type Note } from "./series.ts";
import { readSeconds, type Reporter } from "./series-seconds.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

type Kept = Pick<ControlStore, "sql" | "series">;

export const LOST_AFTER_MS = 15 * 60_000;
/** Reporters given up in one transaction. */
const BATCH = 100;

/** As it was counted last: out of the seconds, which are read once and then held, else out of its table, which gets what
 * is folded. null: it has not reported, or was forgotten. */
function findReporter(store: Kept, isolate: string): Reporter | null {
  store.series.reporters ??= readUnfolded(store);
  return store.series.reporters.get(isolate) ?? readReporter(store.sql, isolate);
}

function readUnfolded({ sql, series }: Kept): Map<string, Reporter> {
  const reporters = new Map<string, Reporter>();
  for (const second of readSeconds(sql, foldedUntil(sql, series), Number.MAX_SAFE_INTEGER)) {
    for (const [isolate, reporter] of second.reporters) reporters.set(isolate, reporter);
  }
  for (const [isolate, { sequence }] of reporters) {
    // An earlier deployment that was gone back to for a while has counted on in the table alone.
    if ((readReporter(sql, isolate)?.sequence ?? 0) > sequence) reporters.delete(isolate);
  }
  return reporters;
}

/** Highest sequence counted of this isolate. */
export function lastSequence(store: Kept, isolate: string): number {
  return findReporter(store, isolate)?.sequence ?? 0;
}

/** Within a transaction that counts: a report that has been counted is not counted again. Returns the highest sequence. */
export function addReport(
  store: Kept,
  { environment, isolate, report }: Pick<SyncRequest, "environment" | "isolate" | "report">,
  count: Count,
  note: Note,
  nowMs: number,
): number {
  const known = findReporter(store, isolate) ?? { sequence: 0, open: {}, lost: {} };
  if (report === null || report.sequence <= known.sequence) return known.sequence;
  const { open, lost, corrections } = settleCalls(known, report.tallies);
  count(environment, [...report.tallies, ...corrections]);
  note(environment, isolate, { sequence: report.sequence, atMs: nowMs, open, lost });
  if (Object.keys(open).length > 0) store.sql.wakeBy(nowMs + LOST_AFTER_MS);
  return report.sequence;
}

/** Within the transaction that folds the seconds they stand in. What is older than the table changes nothing. */
export function writeReporter(sql: Sql, environment: string, isolate: string, reporter: Reporter): void {
  const { sequence, atMs, open, lost } = reporter;
  sql.exec(
    `INSERT INTO reporters (isolate, sequence, at_ms, environment, open, lost) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (isolate) DO UPDATE SET sequence = excluded.sequence, at_ms = excluded.at_ms,
       environment = excluded.environment, open = excluded.open, lost = excluded.lost
       WHERE excluded.sequence >= sequence`,
    isolate,
    sequence,
    atMs,
    environment,
    writeCalls(open),
    writeCalls(lost),
  );
}

/** Once they are folded: their table knows as much as memory does. */
export function forgetReporters({ series }: Pick<Kept, "series">, nowMs: number): void {
  for (const [isolate, { atMs }] of series.reporters ?? []) {
    if (nowMs - atMs > LOST_AFTER_MS) series.reporters?.delete(isolate);
  }
}

/** Gives up those that have been silent for too long, some at a time. What was counted as lost, by environment; null: there
 * is nobody to give up. To be called when all minutes that are over have been folded: what is in the table is the latest then. */
export function giveUpSilent(store: Kept, nowMs: number): { environment: string; tallies: Tally[] }[] | null {
  const { sql, series } = store;
  const silentSinceMs = nowMs - LOST_AFTER_MS;
  const silent = sql
    .exec(`SELECT * FROM reporters WHERE open <> '' AND at_ms <= ?`, silentSinceMs)
    // Who asks for the release and has nothing to tell is not silent.
    .filter((row) => (series.heard.atMs.get(textOf(row, "isolate")) ?? 0) <= silentSinceMs)
    .slice(0, BATCH);
  if (silent.length === 0) return null;
  const lost = countWithin(store, nowMs, (count) =>
    silent.map((row) => {
      const [isolate, environment] = [textOf(row, "isolate"), textOf(row, "environment")];
      const reporter = reporterOf(row);
      const { corrections, ...calls } = giveUpCalls(reporter);
      count(environment, corrections);
      writeReporter(sql, environment, isolate, { ...reporter, ...calls });
      return { environment, tallies: corrections };
    }),
  );
  for (const row of silent) series.reporters?.delete(textOf(row, "isolate"));
  return lost;
}

/** When somebody has to be given up next, should nothing be heard of them; null: nobody has calls under way. */
export function nextGiveUpMs(sql: Sql): number | null {
  const [row] = sql.exec(`SELECT MIN(at_ms) AS at_ms FROM reporters WHERE open <> ''`);
  return typeof row?.["at_ms"] === "number" ? row["at_ms"] + LOST_AFTER_MS : null;
}

function readReporter(sql: Sql, isolate: string): Reporter | null {
  const [row] = sql.exec(`SELECT * FROM reporters WHERE isolate = ?`, isolate);
  return row === undefined ? null : reporterOf(row);
}

function reporterOf(row: Row): Reporter {
  const calls = (column: string): Calls => {
    const text = textOf(row, column);
    return text === "" ? {} : (JSON.parse(text) as Calls);
  };
  return {
    sequence: numberOf(row, "sequence"),
    atMs: numberOf(row, "at_ms"),
    open: calls("open"),
    lost: calls("lost"),
  };
}

function writeCalls(calls: Calls): string {
  return Object.keys(calls).length === 0 ? "" : JSON.stringify(calls);
}

// ── how often ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Isolates heard of, by when; `count` as of `countedMs`. */
export type Heard = { atMs: Map<string, number>; count: number; countedMs: number };

/** All of them together report so often, at most. */
const REPORTS_PER_SECOND = 50;
const RECENT_MS = 10_000;
export const LEAST_REPORT_MS = 1_000;
const MOST_MS = 60_000;
const COUNT_EVERY_MS = 1_000;

/** Notes that an isolate was heard of, and says how long it should let pass between two reports: 20 ms for every isolate
 * that was heard of in the last 10 s, which makes 50 reports a second of them all; at least 1 s, at most 60 s. */
export function paceReports(heard: Heard, isolate: string, nowMs: number): number {
  heard.atMs.set(isolate, nowMs);
  if (Math.abs(nowMs - heard.countedMs) >= COUNT_EVERY_MS) {
    heard.countedMs = nowMs;
    heard.count = 0;
    for (const [name, atMs] of heard.atMs) {
      if (nowMs - atMs < RECENT_MS) heard.count += 1;
      else if (nowMs - atMs > LOST_AFTER_MS) heard.atMs.delete(name);
    }
  }
  return Math.min(MOST_MS, Math.max(LEAST_REPORT_MS, (heard.count * 1_000) / REPORTS_PER_SECOND));
}
