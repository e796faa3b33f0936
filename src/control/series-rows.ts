// The tables of the series, and the rows that minutes, hours (`series`) and what was counted since ever (`totals`) are kept
// in: one a tally. Counters are columns, all else is one short text. What is counted just now stands in `seconds`
// (series-seconds.ts). All are WITHOUT ROWID: no index beside the row, which would have to be written and paid for, too.

import { readSums, writeSums } from "../core/metering/sums-text.ts";
import { startedOf } from "../core/metering/tally.ts";
import type { Turn } from "../core/metering/outcome.ts";
import type { ArmName, Reason, Tally } from "../core/types.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

const COUNTERS = `requests INTEGER NOT NULL, errors INTEGER NOT NULL, aborted INTEGER NOT NULL,
     started INTEGER NOT NULL, lost INTEGER NOT NULL, sums TEXT NOT NULL`;
const KEY = `environment TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL, arm TEXT NOT NULL,
     reason TEXT NOT NULL, turn TEXT NOT NULL`;

/** `at`: where the step begins, in seconds since 1970, when Control counted it. */
const SERIES_TABLE = `CREATE TABLE IF NOT EXISTS series (step INTEGER NOT NULL, at INTEGER NOT NULL, ${KEY}, ${COUNTERS},
     PRIMARY KEY (step, at, environment, revision, version, arm, reason, turn)) STRICT, WITHOUT ROWID`;
/** Revision 0: all those that are no longer kept apart. */
const TOTALS_TABLE = `CREATE TABLE IF NOT EXISTS totals (${KEY}, ${COUNTERS},
     PRIMARY KEY (environment, revision, version, arm, reason, turn)) STRICT, WITHOUT ROWID`;
/** `open`, `lost`: calls (core/metering/open-calls.ts), JSON or empty. */
const REPORTERS_TABLE = `CREATE TABLE IF NOT EXISTS reporters (isolate TEXT PRIMARY KEY, sequence INTEGER NOT NULL,
     at_ms INTEGER NOT NULL, environment TEXT NOT NULL DEFAULT '', open TEXT NOT NULL DEFAULT '',
     lost TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID`;
/** Where an earlier deployment counts: empty but after one was gone back to for a while. */
const TALLIES_TABLE = `CREATE TABLE IF NOT EXISTS tallies (environment TEXT NOT NULL, revision INTEGER NOT NULL,
     version INTEGER NOT NULL, arm TEXT NOT NULL, reason TEXT NOT NULL, requests INTEGER NOT NULL,
     errors INTEGER NOT NULL, aborted INTEGER NOT NULL,
     PRIMARY KEY (environment, revision, version, arm, reason)) STRICT, WITHOUT ROWID`;

/** `document`: see series-seconds.ts. */
const SECONDS_TABLE = `CREATE TABLE IF NOT EXISTS seconds (at INTEGER NOT NULL, environment TEXT NOT NULL,
     document TEXT NOT NULL, PRIMARY KEY (at, environment)) STRICT, WITHOUT ROWID`;

export const SERIES_TABLES = [SECONDS_TABLE, SERIES_TABLE, TOTALS_TABLE, REPORTERS_TABLE, TALLIES_TABLE];

/** An object of an earlier deployment gets the tables, and what it has counted is taken over, once. */
export function adoptTables(sql: Sql): void {
  const isNew = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'totals'`).length > 0;
  if (isNew && sql.exec(`SELECT 1 FROM tallies LIMIT 1`).length === 0) return;
  sql.transaction(() => {
    if (!isNew) extendTables(sql);
    sql.exec(
      `INSERT INTO totals SELECT environment, revision, version, arm, reason, '', requests, errors, aborted, requests, 0, ''
       FROM tallies WHERE true
       ON CONFLICT (environment, revision, version, arm, reason, turn) DO UPDATE SET
         requests = requests + excluded.requests, errors = errors + excluded.errors,
         aborted = aborted + excluded.aborted, started = started + excluded.started`,
    );
    sql.exec(`DELETE FROM tallies`);
  });
}

function extendTables(sql: Sql): void {
  for (const statement of SERIES_TABLES) sql.exec(statement);
  for (const column of ["environment", "open", "lost"]) {
    sql.exec(`ALTER TABLE reporters ADD COLUMN ${column} TEXT NOT NULL DEFAULT ''`);
  }
}

/** A tally and where it belongs. */
export type Held = { environment: string; tally: Tally };

/** Of `series`. */
export type Step = 60 | 3_600;

export function writeSeries(sql: Sql, step: Step, atS: number, held: Held): void {
  sql.exec(
    `INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    step,
    atS,
    ...valuesOf(held),
  );
}

export function writeTotal(sql: Sql, held: Held): void {
  sql.exec(`INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ...valuesOf(held));
}

/** Rows of one step, `fromS` included, `toS` excluded. */
export function readSeries(sql: Sql, step: Step, fromS: number, toS: number): Held[] {
  return sql
    .exec(`SELECT * FROM series WHERE step = ? AND at >= ? AND at < ?`, step, fromS, toS)
    .map(readHeld);
}

/** The same of one environment alone. */
export function readSeriesOf(sql: Sql, environment: string, step: Step, fromS: number, toS: number) {
  const rows = sql.exec(
    `SELECT * FROM series WHERE step = ? AND at >= ? AND at < ? AND environment = ?`,
    step,
    fromS,
    toS,
    environment,
  );
  return rows.map((row) => ({ atS: numberOf(row, "at"), tally: readHeld(row).tally }));
}

export function readHeld(row: Row): Held {
  const turn = textOf(row, "turn");
  const lost = numberOf(row, "lost");
  const sums = readSums(textOf(row, "sums"));
  return {
    environment: textOf(row, "environment"),
    // Written from a Tally.
    tally: {
      revision: numberOf(row, "revision"),
      version: numberOf(row, "version"),
      arm: textOf(row, "arm") as ArmName,
      reason: textOf(row, "reason") as Reason,
      ...(turn !== "" && { turn: turn as Turn }),
      started: numberOf(row, "started"),
      requests: numberOf(row, "requests"),
      errors: numberOf(row, "errors"),
      aborted: numberOf(row, "aborted"),
      ...(lost !== 0 && { lost }),
      ...(sums !== undefined && { sums }),
    },
  };
}

function valuesOf({ environment, tally }: Held) {
  const { revision, version, arm, reason, turn = "", requests, errors, aborted, lost = 0, sums } = tally;
  const text = sums === undefined ? "" : writeSums(sums);
  return [
    environment,
    revision,
    version,
    arm,
    reason,
    turn,
    requests,
    errors,
    aborted,
    startedOf(tally),
    lost,
    text,
  ];
}
