// What happened to a prompt without a change of its release: verdicts that came and went, notices, ramps that wait for
// somebody. The audit log beside it (revisions) is kept for ever; of these the latest are kept.

import type { ReleaseEvent } from "../core/health.ts";
import { numberOf, textOf, type Sql } from "./sql.ts";

export const EVENTS_TABLE = `CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT,
     environment TEXT NOT NULL, at TEXT NOT NULL, revision INTEGER NOT NULL, kind TEXT NOT NULL, says TEXT NOT NULL,
     data TEXT NOT NULL) STRICT`;

/** Of a prompt, over all its environments. */
export const MOST_EVENTS = 5_000;

/** Within a transaction. */
export function recordEvent(sql: Sql, event: Omit<ReleaseEvent, "id">, most = MOST_EVENTS): void {
  sql.exec(
    `INSERT INTO events (environment, at, revision, kind, says, data) VALUES (?, ?, ?, ?, ?, ?)`,
    event.environment,
    event.at,
    event.revision,
    event.kind,
    event.says,
    JSON.stringify(event.data),
  );
  sql.exec(`DELETE FROM events WHERE id <= (SELECT MAX(id) FROM events) - ?`, most);
}

/** Newest first; `before` (an id, excluded) asks for the page after it. */
export function readEvents(
  sql: Sql,
  environment: string,
  limit: number,
  before: number | null,
): ReleaseEvent[] {
  const rows = sql.exec(
    `SELECT * FROM events WHERE environment = ? AND id < ? ORDER BY id DESC LIMIT ?`,
    environment,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  );
  return rows.map((row) => ({
    id: numberOf(row, "id"),
    environment,
    at: textOf(row, "at"),
    revision: numberOf(row, "revision"),
    // Written from a ReleaseEvent.
    kind: textOf(row, "kind") as ReleaseEvent["kind"],
    says: textOf(row, "says"),
    data: JSON.parse(textOf(row, "data")) as ReleaseEvent["data"],
  }));
}
