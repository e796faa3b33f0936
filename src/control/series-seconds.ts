// What is counted in one second of one environment, as one row: the tallies, and how far each isolate that reported in it
// has been counted. So a report costs one written row whatever it holds, and its sums and its number stand or fall together.
// Texts of tallies that did not change are kept, so that a report does not write out what others have brought.

import type { Calls, OpenCalls } from "../core/metering/open-calls.ts";
import { readSumsDocument, writeSums, type SumsDocument } from "../core/metering/sums-text.ts";
import { keyOf, mergeTallies, startedOf } from "../core/metering/tally.ts";
import type { Turn } from "../core/metering/outcome.ts";
import type { ArmName, Reason, Tally } from "../core/types.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

/** `sequence`: the highest that was counted. */
export type Reporter = OpenCalls & { sequence: number; atMs: number };

type Written<Value> = { value: Value; text: string };

/** Tallies by key, reporters by isolate. Never changed: a change makes another one. */
export type Second = { tallies: Map<string, Written<Tally>>; reporters: Map<string, Written<Reporter>> };

export const EMPTY_SECOND: Second = { tallies: new Map(), reporters: new Map() };

/** What is added to a second in one transaction. */
export type Addition = { tallies: readonly Tally[]; reporters: ReadonlyMap<string, Reporter> };

export function addToSecond(second: Second, added: Addition): Second {
  const tallies = new Map(second.tallies);
  const changed = new Map<string, Tally>();
  for (const tally of added.tallies) {
    const key = keyOf(tally);
    const held = changed.get(key) ?? tallies.get(key)?.value;
    changed.set(key, held === undefined ? tally : mergeTallies(held, tally));
  }
  for (const [key, value] of changed) tallies.set(key, { value, text: writeTally(value) });
  const reporters = new Map(second.reporters);
  for (const [isolate, value] of added.reporters) {
    reporters.set(isolate, { value, text: writeReporter(isolate, value) });
  }
  return { tallies, reporters };
}

export function writeSecond(sql: Sql, atS: number, environment: string, second: Second): void {
  sql.exec(
    `INSERT OR REPLACE INTO seconds (at, environment, document) VALUES (?, ?, ?)`,
    atS,
    environment,
    `{"t":[${listTexts(second.tallies)}],"r":[${listTexts(second.reporters)}]}`,
  );
}

function listTexts(written: ReadonlyMap<string, Written<unknown>>): string {
  return Array.from(written.values(), ({ text }) => text).join(",");
}

export type ReadSecond = {
  atS: number;
  environment: string;
  tallies: Tally[];
  reporters: [isolate: string, Reporter][];
};

/** `fromS` included, `toS` excluded, oldest first; of all environments, or of one. */
export function readSeconds(sql: Sql, fromS: number, toS: number, environment?: string): ReadSecond[] {
  const rows =
    environment === undefined
      ? sql.exec(`SELECT * FROM seconds WHERE at >= ? AND at < ? ORDER BY at`, fromS, toS)
      : sql.exec(
          `SELECT * FROM seconds WHERE at >= ? AND at < ? AND environment = ? ORDER BY at`,
          fromS,
          toS,
          environment,
        );
  return rows.map(readSecond);
}

/** As a second that can be added to. */
export function resumeSecond({ tallies, reporters }: ReadSecond): Second {
  return addToSecond(EMPTY_SECOND, { tallies, reporters: new Map(reporters) });
}

// ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────

type TallyDocument = [
  revision: number,
  version: number,
  arm: ArmName,
  reason: Reason,
  turn: Turn | "",
  requests: number,
  errors: number,
  aborted: number,
  started: number,
  lost: number,
  sums: SumsDocument | 0,
];
type ReporterDocument = [isolate: string, sequence: number, atMs: number, open: Calls | 0, lost: Calls | 0];
type Document = { t: TallyDocument[]; r: ReporterDocument[] };

function writeTally(tally: Tally): string {
  const { revision, version, arm, reason, turn = "", requests, errors, aborted, lost = 0, sums } = tally;
  const counters = [revision, version, arm, reason, turn, requests, errors, aborted, startedOf(tally), lost];
  const text = (sums === undefined ? "" : writeSums(sums)) || "0";
  return `${JSON.stringify(counters).slice(0, -1)},${text}]`;
}

function writeReporter(isolate: string, { sequence, atMs, open, lost }: Reporter): string {
  const document: ReporterDocument = [isolate, sequence, atMs, orNothing(open), orNothing(lost)];
  return JSON.stringify(document);
}

function orNothing(calls: Calls): Calls | 0 {
  return Object.keys(calls).length === 0 ? 0 : calls;
}

function readSecond(row: Row): ReadSecond {
  const { t, r } = JSON.parse(textOf(row, "document")) as Document;
  return {
    atS: numberOf(row, "at"),
    environment: textOf(row, "environment"),
    tallies: t.map(readTally),
    reporters: r.map(([isolate, sequence, atMs, open, lost]) => [
      isolate,
      { sequence, atMs, open: open || {}, lost: lost || {} },
    ]),
  };
}

function readTally(document: TallyDocument): Tally {
  const [revision, version, arm, reason, turn, requests, errors, aborted, started, lost, sums] = document;
  return {
    revision,
    version,
    arm,
    reason,
    ...(turn !== "" && { turn }),
    started,
    requests,
    errors,
    aborted,
    ...(lost !== 0 && { lost }),
    ...(sums !== 0 && { sums: readSumsDocument(sums) }),
  };
}
