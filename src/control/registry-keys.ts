// Proxy keys. The key itself is nowhere, only its SHA-256, so that whoever reads the storage can use none of them. A key
// once refused stays refused: nothing ends a revocation or moves an expiry, which is what lets the edge remember it.

import type { KeyGrant, ProxyKey } from "../core/ports.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

export const KEYS_SCHEMA = [
  `CREATE TABLE IF NOT EXISTS keys (hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
     used_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
];

/** A key in use is checked every second by every isolate; a row written as often would cost more than the key does. */
const USE_WRITTEN_EVERY_MS = 60_000;

/** What is kept of a key in `document`. */
type Kept = Omit<ProxyKey, "lastUsedAt">;

/** False when a key of this hash exists already. */
export function addKey(sql: Sql, hash: string, key: Kept): boolean {
  return sql.transaction(() => {
    if (sql.exec(`SELECT id FROM keys WHERE hash = ?`, hash).length > 0) return false;
    sql.exec(
      `INSERT INTO keys (hash, id, document, used_ms) VALUES (?, ?, ?, 0)`,
      hash,
      key.id,
      JSON.stringify(key),
    );
    return true;
  });
}

/** Oldest first. */
export function listKeys(sql: Sql): ProxyKey[] {
  const keys = sql.exec(`SELECT document, used_ms FROM keys ORDER BY id`).map(readKey);
  return keys.toSorted((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt));
}

/** The key as revoked, at `nowMs` or when it was before; null: no such id. */
export function markKeyRevoked(sql: Sql, id: string, nowMs: number): ProxyKey | null {
  return sql.transaction(() => {
    const [row] = sql.exec(`SELECT document, used_ms FROM keys WHERE id = ?`, id);
    if (row === undefined) return null;
    const key = readKey(row);
    if (key.revokedAt !== null) return key;
    const revoked = { ...key, revokedAt: new Date(nowMs).toISOString() };
    const { lastUsedAt: _, ...kept } = revoked;
    sql.exec(`UPDATE keys SET document = ? WHERE id = ?`, JSON.stringify(kept), id);
    return revoked;
  });
}

/** What the key with this hash may do at `nowMs`, noting that it is in use; null: it is unknown, expired or revoked. */
export function checkKey(sql: Sql, hash: string, nowMs: number): KeyGrant | null {
  const [row] = sql.exec(`SELECT document, used_ms FROM keys WHERE hash = ?`, hash);
  if (row === undefined) return null;
  const key = readKey(row);
  if (!isInForce(key, nowMs)) return null;
  if (nowMs - numberOf(row, "used_ms") >= USE_WRITTEN_EVERY_MS) {
    sql.exec(`UPDATE keys SET used_ms = ? WHERE hash = ?`, nowMs, hash);
  }
  const { id, name, prompts, environments, providers, passThrough, requestsPerMinute, expiresAt } = key;
  return { id, name, prompts, environments, providers, passThrough, requestsPerMinute, expiresAt };
}

/** Not revoked, and not expired at `nowMs`; an expiry that cannot be read has passed. For tokens too. */
export function isInForce(
  { expiresAt, revokedAt }: Pick<ProxyKey, "expiresAt" | "revokedAt">,
  nowMs: number,
): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > nowMs);
}

function readKey(row: Row): ProxyKey {
  const kept = JSON.parse(textOf(row, "document")) as Kept;
  const usedMs = numberOf(row, "used_ms");
  return { ...kept, lastUsedAt: usedMs === 0 ? null : new Date(usedMs).toISOString() };
}
