// The tables of feedback, and how long their rows are kept: for as long as somebody may repeat one (7 days), so that nothing
// is counted twice; the newest 50,000 for 30 days and with their comments. Totals stay.

import { FEEDBACK_WITHIN_MS, type FeedbackValue } from "../core/feedback.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

export const FEEDBACK_TABLES = [
  `CREATE TABLE IF NOT EXISTS feedback (n INTEGER PRIMARY KEY, request TEXT NOT NULL, name TEXT NOT NULL,
     environment TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL, arm TEXT NOT NULL,
     reason TEXT NOT NULL, turn TEXT NOT NULL, value TEXT NOT NULL, comment TEXT, given_by TEXT NOT NULL,
     served_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (request, name)) STRICT`,
  // What is forgotten is found without reading the rest, which is up to 500,000 rows.
  `CREATE INDEX IF NOT EXISTS feedback_served ON feedback (served_ms)`,
  `CREATE INDEX IF NOT EXISTS feedback_comments ON feedback (n) WHERE comment IS NOT NULL`,
  `CREATE TABLE IF NOT EXISTS feedback_totals (environment TEXT NOT NULL, name TEXT NOT NULL,
     revision INTEGER NOT NULL, version INTEGER NOT NULL, arm TEXT NOT NULL, reason TEXT NOT NULL,
     turn TEXT NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL, units INTEGER NOT NULL, sum INTEGER NOT NULL,
     squares INTEGER NOT NULL, labels INTEGER NOT NULL,
     PRIMARY KEY (environment, name, revision, version, arm, reason, turn)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS feedback_names (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
];

export const MOST_KEPT = 50_000;
const KEEP_MS = 30 * 86_400_000;
/** Clocks of edges may be a little behind ours. */
const MARGIN_MS = 3_600_000;

/** Written from a `FeedbackValue`. */
export function readValue(row: Row): FeedbackValue {
  return JSON.parse(textOf(row, "value")) as FeedbackValue;
}

/** Within a transaction: what is too old, and more than is kept of what nobody may repeat any more. */
export function forgetFeedback(sql: Sql, nowMs: number, most = MOST_KEPT): void {
  const [last] = sql.exec(`SELECT COALESCE(MAX(n), 0) AS n FROM feedback`);
  const oldest = numberOf(last!, "n") - most;
  sql.exec(
    `DELETE FROM feedback WHERE served_ms < ? AND (n <= ? OR at_ms < ?)`,
    nowMs - FEEDBACK_WITHIN_MS - MARGIN_MS,
    oldest,
    nowMs - KEEP_MS,
  );
  sql.exec(
    `UPDATE feedback INDEXED BY feedback_comments SET comment = NULL WHERE n <= ? AND comment IS NOT NULL`,
    oldest,
  );
}
