// The key that a prompt's request ids are signed with: random, made when it is first asked for, kept in the prompt's own
// database and given to edges with every sync. It opens nothing; whoever has it can make up feedback on this one prompt.

import { isSameSeal, writeSeal, type SignedId } from "../core/request-id.ts";
import { textOf, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

export const SECRETS_TABLE = `CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL)
  STRICT, WITHOUT ROWID`;
const NAME = "feedback";
const KEY_BYTES = 32;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** As base64url. One read per life of the object, one write per life of the prompt. */
export function feedbackKeyOf(store: ControlStore): string {
  store.feedbackKey ??= readKey(store.sql) ?? makeKey(store.sql);
  return store.feedbackKey;
}

function readKey(sql: Sql): string | null {
  const [row] = sql.exec(`SELECT value FROM secrets WHERE name = ?`, NAME);
  return row === undefined ? null : textOf(row, "value");
}

function makeKey(sql: Sql): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const key = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
  sql.exec(`INSERT INTO secrets (name, value) VALUES (?, ?)`, NAME, key);
  return key;
}

/** Has an edge of this prompt's signed it, as it stands? In constant time. */
export async function isSealed(store: ControlStore, { claim, seal }: SignedId): Promise<boolean> {
  const letters = atob(feedbackKeyOf(store).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign"]);
  const mac = await crypto.subtle.sign(HMAC.name, key, new TextEncoder().encode(claim));
  return isSameSeal(writeSeal(new Uint8Array(mac)), seal);
}
