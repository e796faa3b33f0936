// Who owns which name. Names and aliases share one space, so that no request can mean two prompts. A prompt's object
// claims names before it commits and its summary confirms them after; between the two nobody else gets them. A claim
// whose command was refused or died is taken over after a minute, once its claimant's own object has been asked.

import { problem, type Problem } from "../core/problem.ts";
import type { Prompt } from "../core/types.ts";
import { numberOf, textOf, type Sql } from "./sql.ts";

/** `claimedMs`: a claim that no summary has answered yet; null: none. Only a confirmed name resolves. */
export type Name = { name: string; prompt: string; confirmed: boolean; claimedMs: number | null };

export const NAMES_SCHEMA = [
  `CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY, prompt TEXT NOT NULL, confirmed INTEGER NOT NULL,
     claimed_ms INTEGER) STRICT, WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS names_by_prompt ON names (prompt)`,
];

/** A command commits within seconds of its claim or not at all. */
const CLAIM_HOLDS_MS = 60_000;

/** Claims the prompt's own name and all aliases, or none. `isListed` asks a prompt's object whether it has a name. */
export async function claimNames(
  sql: Sql,
  prompt: string,
  aliases: string[],
  now: () => number,
  isListed: (prompt: string, name: string) => Promise<boolean>,
): Promise<Problem | null> {
  const wanted = [...new Set([prompt, ...aliases])];
  let others = takeNames(sql, prompt, wanted, now(), []);
  const doubtful = others.filter(
    (other) => !other.confirmed && now() - (other.claimedMs ?? 0) > CLAIM_HOLDS_MS,
  );
  if (others.length > 0 && doubtful.length === others.length) {
    const listed = await Promise.all(doubtful.map((other) => isListed(other.prompt, other.name)));
    const abandoned = doubtful.filter((_, index) => !listed[index]);
    others = takeNames(sql, prompt, wanted, now(), abandoned);
  }
  const [first] = others;
  if (first === undefined) return null;
  const message = `"${first.name}" is a name or an alias of the prompt "${first.prompt}" already.`;
  return problem("conflict", message, { field: first.name === prompt ? "prompt" : "aliases" });
}

/** Returns what belongs to others; only where nothing does, all is taken. `abandoned` names may be, if unchanged. */
function takeNames(sql: Sql, prompt: string, wanted: string[], nowMs: number, abandoned: Name[]): Name[] {
  return sql.transaction(() => {
    const held = wanted.map((name) => readName(sql, name)).filter((name) => name !== null);
    const others = held.filter(
      (one) => one.prompt !== prompt && !abandoned.some((dead) => isSame(dead, one)),
    );
    if (others.length > 0) return others;
    for (const name of wanted) {
      const confirmed = held.some((one) => one.name === name && one.prompt === prompt && one.confirmed);
      writeName(sql, { name, prompt, confirmed, claimedMs: nowMs });
    }
    return [];
  });
}

/** Within the transaction that keeps a summary: confirms its names, and frees those that it gave up. One that is claimed
 * anew stays its own, since the summary may be older than the claim. */
export function confirmNames(sql: Sql, { name: prompt, aliases }: Prompt): void {
  const wanted = [prompt, ...aliases];
  for (const row of sql.exec(
    `SELECT name, claimed_ms FROM names WHERE prompt = ? AND confirmed = 1`,
    prompt,
  )) {
    const name = textOf(row, "name");
    if (wanted.includes(name)) continue;
    if (row["claimed_ms"] === null) sql.exec(`DELETE FROM names WHERE name = ?`, name);
    else writeName(sql, { name, prompt, confirmed: false, claimedMs: numberOf(row, "claimed_ms") });
  }
  for (const name of wanted) {
    const owner = readName(sql, name)?.prompt ?? prompt;
    if (owner === prompt) writeName(sql, { name, prompt, confirmed: true, claimedMs: null });
  }
}

/** The prompt that a name or alias belongs to, once its object has committed it. */
export function resolveName(sql: Sql, name: string): string | null {
  const found = readName(sql, name);
  return found?.confirmed ? found.prompt : null;
}

function readName(sql: Sql, name: string): Name | null {
  const [row] = sql.exec(`SELECT prompt, confirmed, claimed_ms FROM names WHERE name = ?`, name);
  if (row === undefined) return null;
  return {
    name,
    prompt: textOf(row, "prompt"),
    confirmed: numberOf(row, "confirmed") === 1,
    claimedMs: row["claimed_ms"] === null ? null : numberOf(row, "claimed_ms"),
  };
}

function writeName(sql: Sql, { name, prompt, confirmed, claimedMs }: Name): void {
  sql.exec(
    `INSERT OR REPLACE INTO names (name, prompt, confirmed, claimed_ms) VALUES (?, ?, ?, ?)`,
    name,
    prompt,
    confirmed ? 1 : 0,
    claimedMs,
  );
}

function isSame(one: Name, other: Name): boolean {
  return (
    one.name === other.name &&
    one.prompt === other.prompt &&
    one.confirmed === other.confirmed &&
    one.claimedMs === other.claimedMs
  );
}
