// How response chains began, by the fingerprint of each response's id: rows for those alone that would show if they were
// forgotten (core/strangers.ts), so a prompt whose traffic is all on one version writes none. A row is kept for as long as
// the provider keeps a response, and no prompt has more than a bounded number of them: the oldest go first, and their
// chains are strangers from then on.

import type { BegunChain } from "../core/ports.ts";
import { isContested, type ChainRoot } from "../core/strangers.ts";
import type { PromptState } from "../core/types.ts";
import { numberOf, textOf, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

/** `n` is the order of arrival, by which the oldest are found without a search. No response's id stands here, and no
 * customer's: fingerprints, and keys that are fingerprints or ids of our own. */
export const CHAINS_TABLE = `CREATE TABLE IF NOT EXISTS chains (n INTEGER PRIMARY KEY, environment TEXT NOT NULL,
     response TEXT NOT NULL, key TEXT, revision INTEGER NOT NULL, at_ms INTEGER NOT NULL,
     UNIQUE (environment, response)) STRICT`;

/** OpenAI keeps a response for 30 days. */
export const CHAIN_MS = 30 * 86_400_000;
/** About 30 MB. */
export const MOST_CHAINS = 200_000;
/** What is told late, or decided by a clock that is behind ours, is not forgotten before it can be asked for. */
const MARGIN_MS = 3_600_000;

/** Within a transaction. A response that is told twice keeps its first root. */
export function addChains(
  sql: Sql,
  environment: string,
  chains: readonly BegunChain[],
  nowMs: number,
  most = MOST_CHAINS,
): void {
  for (const { response, key, revision } of chains) {
    sql.exec(
      `INSERT OR IGNORE INTO chains (environment, response, key, revision, at_ms) VALUES (?, ?, ?, ?, ?)`,
      environment,
      response,
      key,
      revision,
      nowMs,
    );
  }
  sql.exec(`DELETE FROM chains WHERE n <= (SELECT MAX(n) FROM chains) - ?`, most);
}

export function readChain(store: ControlStore, environment: string, response: string): ChainRoot | null {
  if (!store.created) return null;
  const [row] = store.sql.exec(
    `SELECT key, revision FROM chains WHERE environment = ? AND response = ?`,
    environment,
    response,
  );
  if (row === undefined) return null;
  return { key: row["key"] === null ? null : textOf(row, "key"), revision: numberOf(row, "revision") };
}

/** Within a transaction: what is too old, and all of an environment in which every chain gets the same version. */
export function forgetChains(sql: Sql, state: PromptState, nowMs: number): void {
  sql.exec(
    `DELETE FROM chains WHERE n < COALESCE((SELECT n FROM chains WHERE at_ms >= ? ORDER BY n LIMIT 1), ?)`,
    nowMs - CHAIN_MS,
    Number.MAX_SAFE_INTEGER,
  );
  for (const { release } of Object.values(state.releases)) {
    if (isContested(release, nowMs - MARGIN_MS)) continue;
    sql.exec(
      `DELETE FROM chains WHERE environment = ? AND at_ms < ?`,
      release.environment,
      nowMs - MARGIN_MS,
    );
  }
}
