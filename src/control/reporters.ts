// Who reports: how far each isolate has been counted, what of its calls is under way, and how often it should report. An
// isolate that has been silent for longer than any call can last (the edge itself gives one up after 10 minutes) is given
// up: its open calls are counted as lost, into the epoch that they began in (core/metering/open-calls.ts).

import type { SyncRequest } from "../core/ports.ts";
import { giveUpCalls, settleCalls, type Calls, type OpenCalls } from "../core/metering/open-calls.ts";
import type { Tally } from "../core/types.ts";
import { countWithin, type Count } from "./series.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

export const LOST_AFTER_MS = 15 * 60_000;
/** Reporters given up in one transaction. */
const BATCH = 100;

/** Highest sequence counted of this isolate. */
export function lastSequence(sql: Sql, isolate: string): number {
  const [row] = sql.exec(`SELECT sequence FROM reporters WHERE isolate = ?`, isolate);
  return row === undefined ? 0 : numberOf(row, "sequence");
}

/** Within a transaction that counts: a report that has been counted is not counted again. Returns the highest sequence. */
export function addReport(
  sql: Sql,
  { environment, isolate, report }: Pick<SyncRequest, "environment" | "isolate" | "report">,
  count: Count,
  nowMs: number,
): number {
  const [row] = sql.exec(`SELECT sequence, open, lost FROM reporters WHERE isolate = ?`, isolate);
  const counted = row === undefined ? 0 : numberOf(row, "sequence");
  if (report === null || report.sequence <= counted) return counted;
  const { open, lost, corrections } = settleCalls(readCalls(row), report.tallies);
  count(environment, [...report.tallies, ...corrections]);
  sql.exec(
    `INSERT OR REPLACE INTO reporters (isolate, sequence, at_ms, environment, open, lost) VALUES (?, ?, ?, ?, ?, ?)`,
    isolate,
    report.sequence,
    nowMs,
    environment,
    writeCalls(open),
    writeCalls(lost),
  );
  if (Object.keys(open).length > 0) sql.wakeBy(nowMs + LOST_AFTER_MS);
  return report.sequence;
}

/** Gives up those that have been silent for too long, some at a time. What was counted as lost, by environment; null: there
 * is nobody to give up. */
export function giveUpSilent(
  store: Pick<ControlStore, "sql" | "series">,
  nowMs: number,
): { environment: string; tallies: Tally[] }[] | null {
  const { sql, series } = store;
  const silentSinceMs = nowMs - LOST_AFTER_MS;
  const silent = sql
    .exec(
      `SELECT isolate, environment, open, lost FROM reporters WHERE open <> '' AND at_ms <= ? LIMIT ?`,
      silentSinceMs,
      BATCH,
    )
    // Who asks for the release and has nothing to tell is not silent.
    .filter((row) => (series.heard.atMs.get(textOf(row, "isolate")) ?? 0) <= silentSinceMs);
  if (silent.length === 0) return null;
  return countWithin(store, nowMs, (count) =>
    silent.map((row) => {
      const environment = textOf(row, "environment");
      const { lost, corrections } = giveUpCalls(readCalls(row));
      count(environment, corrections);
      sql.exec(
        `UPDATE reporters SET open = '', lost = ? WHERE isolate = ?`,
        writeCalls(lost),
        textOf(row, "isolate"),
      );
      return { environment, tallies: corrections };
    }),
  );
}

/** When somebody has to be given up next, should nothing be heard of them; null: nobody has calls under way. */
export function nextGiveUpMs(sql: Sql): number | null {
  const [row] = sql.exec(`SELECT MIN(at_ms) AS at_ms FROM reporters WHERE open <> ''`);
  return typeof row?.["at_ms"] === "number" ? row["at_ms"] + LOST_AFTER_MS : null;
}

function readCalls(row: Row | undefined): OpenCalls {
  const parse = (column: string): Calls => {
    const text = row === undefined ? "" : textOf(row, column);
    return text === "" ? {} : (JSON.parse(text) as Calls);
  };
  return { open: parse("open"), lost: parse("lost") };
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
