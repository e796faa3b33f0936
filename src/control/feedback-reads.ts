// Reads what people said of a prompt's answers: the newest of it, and totals per version and name.

import type { FeedbackEntry, FeedbackPage, FeedbackQuery, FeedbackTotal } from "../core/feedback.ts";
import type { Turn } from "../core/metering/outcome.ts";
import { SCORE_SCALE } from "../core/metering/sums.ts";
import type { ArmName, Reason } from "../core/types.ts";
import { readValue } from "./feedback-rows.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

export function readFeedback(sql: Sql, query: FeedbackQuery): FeedbackPage {
  const { environment, limit, before, version, name } = query;
  const totals = readTotals(sql, query);
  // There are no more than were ever counted: a name that is rare or none does not have all 500,000 rows looked at.
  const most = totals.reduce((sum, { up, down, scores, labels }) => sum + up + down + scores + labels, 0);
  if (most === 0) return { totals, feedback: [], nextBefore: null };
  const rows = sql.exec(
    `SELECT * FROM feedback WHERE n < ?1 AND environment = ?2 AND (?3 IS NULL OR version = ?3)
       AND (?4 IS NULL OR name = ?4) ORDER BY n DESC LIMIT ?5`,
    before ?? Number.MAX_SAFE_INTEGER,
    environment,
    version,
    name,
    Math.min(limit, most),
  );
  const feedback = rows.map(entryOf);
  const nextBefore = feedback.length === limit ? (feedback.at(-1)?.id ?? null) : null;
  return { totals, feedback, nextBefore };
}

function readTotals(sql: Sql, { environment, version, name }: FeedbackQuery): FeedbackTotal[] {
  const rows = sql.exec(
    `SELECT version, name, SUM(up) AS up, SUM(down) AS down, SUM(units) AS units, SUM(sum) AS sum,
       SUM(labels) AS labels FROM feedback_totals
     WHERE environment = ?1 AND (?2 IS NULL OR version = ?2) AND (?3 IS NULL OR name = ?3)
     GROUP BY version, name ORDER BY version DESC, name`,
    environment,
    version,
    name,
  );
  return rows.map((row) => {
    const scores = numberOf(row, "units");
    return {
      version: numberOf(row, "version"),
      name: textOf(row, "name"),
      up: numberOf(row, "up"),
      down: numberOf(row, "down"),
      scores,
      meanScore: scores === 0 ? null : numberOf(row, "sum") / scores / SCORE_SCALE,
      labels: numberOf(row, "labels"),
    };
  });
}

/** Written from a `ServedTurn`. */
function entryOf(row: Row): FeedbackEntry {
  return {
    id: numberOf(row, "n"),
    requestId: textOf(row, "request"),
    revision: numberOf(row, "revision"),
    version: numberOf(row, "version"),
    arm: textOf(row, "arm") as ArmName,
    reason: textOf(row, "reason") as Reason,
    turn: textOf(row, "turn") as Turn,
    name: textOf(row, "name"),
    value: readValue(row),
    comment: row["comment"] === null ? null : textOf(row, "comment"),
    by: textOf(row, "given_by"),
    servedAt: new Date(numberOf(row, "served_ms")).toISOString(),
    at: new Date(numberOf(row, "at_ms")).toISOString(),
  };
}
