// Tells KV and the Registry what has been committed: rows are added in the transaction of the change and leave only
// after they were delivered, so nothing is lost and the newest state arrives last. A row names what to tell, not what
// it says: the value is read when it is sent, so that several changes become one write and a version of up to 2 MB
// is not stored twice. KV takes one write per second and key, hence SPACING_MS between attempts at one key.
//
// Order: a version is told before any release that may name it, and the Registry before its aliases.

import type { Prompt, PromptState } from "../core/types.ts";
import { readVersionDocument, type Changes, type ControlStore } from "./store.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

/** The row that stands for the prompt's entry in the Registry; all others are keys of KV. */
export const REGISTRY_KEY = "registry";
const SPACING_MS = 1_100;
const LONGEST_BACKOFF_MS = 300_000;
/** An alarm set for "now" fires while its own transaction is still being answered. */
const ALARM_AHEAD_MS = 250;
/** An invocation may make 1,000 external calls; an alias costs two. */
const MOST_PER_DRAIN = 400;

export type Targets = {
  putStore(key: string, value: string): Promise<void>;
  /** `order` only grows: an upsert that was overtaken must not win. */
  upsertPrompt(prompt: Prompt, order: number): Promise<void>;
  /** Who owns an alias now. The Registry decides, since a late row must not undo another prompt's claim. */
  resolveAlias(alias: string): Promise<string | null>;
};

type OutboxRow = { id: number; key: string; attempts: number; triedMs: number };

/** Keys that a change makes stale, versions first. */
export function staleKeys(
  before: PromptState | null,
  after: PromptState,
  changes: Changes,
  pushed: number | null,
): string[] {
  const name = after.prompt.name;
  const keys: string[] = [];
  if (pushed !== null) keys.push(`version:${name}:${pushed}`);
  if (changes.prompt) {
    keys.push(REGISTRY_KEY);
    const held = before?.prompt.aliases ?? [];
    const wanted = after.prompt.aliases;
    const dropped = held.filter((alias) => !wanted.includes(alias));
    const added = wanted.filter((alias) => !held.includes(alias));
    keys.push(...[...dropped, ...added].map((alias) => `alias:${alias}`));
  }
  // Archiving and restoring give every release a revision of its own.
  keys.push(...changes.environments.map((environment) => `release:${name}:${environment}`));
  return keys;
}

/** Within the transaction of the change. A key that waits already gets a new id, so that the attempt in flight, which
 * may carry the older value, does not settle it. When it was last tried is kept, and whether that came to an end: a
 * write of which nothing was heard may still be on its way. */
export function enqueue(sql: Sql, keys: string[], nowMs: number): void {
  for (const key of keys) {
    sql.exec(
      `INSERT OR REPLACE INTO outbox (key, pending, attempts, tried_ms)
       SELECT ?, 1, coalesce(max(attempts > 0), 0), coalesce(max(tried_ms), 0) FROM outbox WHERE key = ?`,
      key,
      key,
    );
  }
  if (keys.length > 0) sql.wakeBy(nowMs + ALARM_AHEAD_MS);
}

/** Delivers every row that is due; a row that fails stays and is tried again later, for ever. Never throws for a
 * target's failure: `onFailure` hears of it. */
export async function drainOutbox(
  store: ControlStore,
  targets: Targets,
  now: () => number,
  onFailure: (key: string, error: unknown) => void,
): Promise<void> {
  if (!store.created) return;
  store.sql.exec(`DELETE FROM outbox WHERE pending = 0 AND tried_ms < ?`, now() - SPACING_MS);
  const due = readPending(store.sql).filter((row) => dueMs(row) <= now());
  for (const row of due.slice(0, MOST_PER_DRAIN)) {
    if (isBlocked(store.sql, row)) continue;
    await deliverRow(store, targets, row, now).catch((error: unknown) => onFailure(row.key, error));
  }
}

/** Delivers one key at once, due or not: a new prompt is listed as soon as it exists. False: it failed or has nothing to
 * tell, and the alarm sees to it. */
export async function deliverKey(
  store: ControlStore,
  targets: Targets,
  key: string,
  now: () => number,
): Promise<void> {
  const row = readPending(store.sql).find((pending) => pending.key === key);
  if (row !== undefined) await deliverRow(store, targets, row, now);
}

/** When the next row wants to be tried (epoch ms); null: all is told. */
export function nextDeliveryMs(sql: Sql, nowMs: number): number | null {
  const times = readPending(sql)
    .filter((row) => !isBlocked(sql, row))
    .map(dueMs);
  return times.length === 0 ? null : Math.max(Math.min(...times), nowMs + ALARM_AHEAD_MS);
}

async function deliverRow(
  store: ControlStore,
  targets: Targets,
  row: OutboxRow,
  now: () => number,
): Promise<void> {
  const { sql, state } = store;
  // Replaced since it was listed: the new row has its own place in the order.
  if (state === null || !isPending(sql, row)) return;
  const triedMs = now();
  sql.transaction(() => {
    sql.exec(`UPDATE outbox SET attempts = attempts + 1, tried_ms = ? WHERE id = ?`, triedMs, row.id);
    // Should this very attempt be killed, somebody has to come back.
    sql.wakeBy(dueMs({ ...row, attempts: row.attempts + 1, triedMs }));
  });
  try {
    await send(store, state, targets, row);
  } catch (error) {
    // A write that failed late may have arrived late all the same.
    sql.exec(`UPDATE outbox SET tried_ms = ? WHERE key = ?`, now(), row.key);
    throw error;
  }
  sql.transaction(() => {
    sql.exec(`UPDATE outbox SET attempts = 0, tried_ms = ? WHERE key = ?`, now(), row.key);
    sql.exec(`UPDATE outbox SET pending = 0 WHERE id = ?`, row.id);
  });
}

async function send(
  store: ControlStore,
  state: PromptState,
  targets: Targets,
  row: OutboxRow,
): Promise<void> {
  const { prompt, releases } = state;
  const [kind, , ...rest] = row.key.split(":");
  if (kind === REGISTRY_KEY) return targets.upsertPrompt(prompt, row.id);
  if (kind === "alias") {
    const owner = await targets.resolveAlias(row.key.slice("alias:".length));
    return targets.putStore(row.key, JSON.stringify(owner === null ? null : { prompt: owner }));
  }
  // JSON null reads like a missing key: nobody may serve an archived prompt out of KV.
  const value =
    kind === "version"
      ? readVersionDocument(store.sql, Number(rest[0]))
      : prompt.archivedAt === null
        ? releases[rest[0]!]?.release
        : null;
  return targets.putStore(row.key, JSON.stringify(value ?? null));
}

/** In the order they were committed. */
function readPending(sql: Sql): OutboxRow[] {
  const rows = sql.exec(`SELECT id, key, attempts, tried_ms FROM outbox WHERE pending = 1 ORDER BY id`);
  return rows.map((row: Row) => ({
    id: numberOf(row, "id"),
    key: textOf(row, "key"),
    attempts: numberOf(row, "attempts"),
    triedMs: numberOf(row, "tried_ms"),
  }));
}

function dueMs(row: OutboxRow): number {
  return row.triedMs + Math.min(SPACING_MS * 2 ** Math.min(row.attempts, 16), LONGEST_BACKOFF_MS);
}

function isPending(sql: Sql, row: OutboxRow): boolean {
  return sql.exec(`SELECT 1 FROM outbox WHERE id = ? AND pending = 1`, row.id).length > 0;
}

function isBlocked(sql: Sql, row: OutboxRow): boolean {
  if (row.key.startsWith("release:")) {
    const earlier = `SELECT 1 FROM outbox WHERE pending = 1 AND id < ? AND key GLOB 'version:*' LIMIT 1`;
    return sql.exec(earlier, row.id).length > 0;
  }
  // Whatever its id: a replaced row stands for the earlier change too.
  return (
    row.key.startsWith("alias:") &&
    sql.exec(`SELECT 1 FROM outbox WHERE pending = 1 AND key = ?`, REGISTRY_KEY).length > 0
  );
}
