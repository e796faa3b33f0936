// The Registry's tables, and what may be done to them. Names and aliases share one space of names, so that no request
// can mean two prompts. A claim is made before the prompt's own object commits and confirmed by its summary after it;
// a claim that was never confirmed (its command was refused, or died) may be taken over.
//
// | table   | key  | holds                                                                        |
// |---------|------|------------------------------------------------------------------------------|
// | prompts | name | Prompt (JSON), and the order number of the summary that brought it           |
// | names   | name | which prompt it belongs to, whether confirmed, when claimed                  |
// | tokens  | hash | Token (JSON); the token itself is nowhere, only its SHA-256                  |

import type { Token } from "../core/ports.ts";
import type { Prompt } from "../core/types.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

/** A claim of a name. */
export type Claim = { name: string; prompt: string; confirmed: boolean; atMs: number };

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS prompts (name TEXT PRIMARY KEY, document TEXT NOT NULL, told INTEGER NOT NULL)
     STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY, prompt TEXT NOT NULL, confirmed INTEGER NOT NULL,
     at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS names_by_prompt ON names (prompt)`,
  `CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL)
     STRICT, WITHOUT ROWID`,
];

export function createRegistryTables(sql: Sql): void {
  for (const statement of SCHEMA) sql.exec(statement);
}

export function listPrompts(sql: Sql, includeArchived: boolean): Prompt[] {
  const prompts = sql.exec(`SELECT document FROM prompts ORDER BY name`).map((row) => parse<Prompt>(row));
  return includeArchived ? prompts : prompts.filter((prompt) => prompt.archivedAt === null);
}

/** Claims all of `names` or none; returns the claims that stand against it. `abandoned` ones are taken over, if they
 * are still the same. */
export function claimNames(
  sql: Sql,
  prompt: string,
  names: string[],
  nowMs: number,
  abandoned: Claim[],
): Claim[] {
  return sql.transaction(() => {
    const held = names.map((name) => readClaim(sql, name)).filter((claim) => claim !== null);
    const against = held.filter(
      (claim) => claim.prompt !== prompt && !abandoned.some((dead) => isSameClaim(dead, claim)),
    );
    if (against.length > 0) return against;
    for (const name of names) {
      const own = held.find((claim) => claim.name === name && claim.prompt === prompt);
      if (own?.confirmed) continue;
      writeClaim(sql, { name, prompt, confirmed: false, atMs: nowMs });
    }
    return [];
  });
}

/** Keeps a prompt's summary, confirms its names and frees the confirmed ones that it gave up. A summary that was
 * overtaken by one of a higher `order` changes nothing. */
export function keepSummary(sql: Sql, prompt: Prompt, order: number, nowMs: number): void {
  sql.transaction(() => {
    const [row] = sql.exec(`SELECT told FROM prompts WHERE name = ?`, prompt.name);
    if (row !== undefined && numberOf(row, "told") > order) return;
    sql.exec(
      `INSERT OR REPLACE INTO prompts (name, document, told) VALUES (?, ?, ?)`,
      prompt.name,
      JSON.stringify(prompt),
      order,
    );
    const wanted = [prompt.name, ...prompt.aliases];
    for (const { name } of sql.exec(
      `SELECT name FROM names WHERE prompt = ? AND confirmed = 1`,
      prompt.name,
    )) {
      if (!wanted.includes(String(name))) sql.exec(`DELETE FROM names WHERE name = ?`, name!);
    }
    for (const name of wanted) {
      const holder = readClaim(sql, name)?.prompt ?? prompt.name;
      if (holder === prompt.name)
        writeClaim(sql, { name, prompt: prompt.name, confirmed: true, atMs: nowMs });
    }
  });
}

/** The prompt that a name or alias belongs to, once its object has committed it. */
export function resolveName(sql: Sql, name: string): string | null {
  const claim = readClaim(sql, name);
  return claim?.confirmed ? claim.prompt : null;
}

function readClaim(sql: Sql, name: string): Claim | null {
  const [row] = sql.exec(`SELECT name, prompt, confirmed, at_ms FROM names WHERE name = ?`, name);
  if (row === undefined) return null;
  return {
    name,
    prompt: textOf(row, "prompt"),
    confirmed: numberOf(row, "confirmed") === 1,
    atMs: numberOf(row, "at_ms"),
  };
}

function writeClaim(sql: Sql, claim: Claim): void {
  sql.exec(
    `INSERT OR REPLACE INTO names (name, prompt, confirmed, at_ms) VALUES (?, ?, ?, ?)`,
    claim.name,
    claim.prompt,
    claim.confirmed ? 1 : 0,
    claim.atMs,
  );
}

function isSameClaim(one: Claim, other: Claim): boolean {
  return (
    one.name === other.name && one.prompt === other.prompt && !other.confirmed && one.atMs === other.atMs
  );
}

/** False when a token of this hash exists already. */
export function addToken(sql: Sql, hash: string, token: Token): boolean {
  return sql.transaction(() => {
    if (findToken(sql, hash) !== null) return false;
    sql.exec(
      `INSERT INTO tokens (hash, id, document) VALUES (?, ?, ?)`,
      hash,
      token.id,
      JSON.stringify(token),
    );
    return true;
  });
}

/** Oldest first. */
export function listTokens(sql: Sql): Token[] {
  const tokens = sql.exec(`SELECT document FROM tokens ORDER BY id`).map((row) => parse<Token>(row));
  return tokens.toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
}

export function findToken(sql: Sql, hash: string): Token | null {
  const [row] = sql.exec(`SELECT document FROM tokens WHERE hash = ?`, hash);
  return row === undefined ? null : parse<Token>(row);
}

/** The token as revoked, at `nowMs` or when it was before; null: no such id. */
export function markTokenRevoked(sql: Sql, id: string, nowMs: number): Token | null {
  return sql.transaction(() => {
    const [row] = sql.exec(`SELECT document FROM tokens WHERE id = ?`, id);
    if (row === undefined) return null;
    const token = parse<Token>(row);
    if (token.revokedAt !== null) return token;
    const revoked = { ...token, revokedAt: new Date(nowMs).toISOString() };
    sql.exec(`UPDATE tokens SET document = ? WHERE id = ?`, JSON.stringify(revoked), id);
    return revoked;
  });
}

function parse<Document>(row: Row): Document {
  return JSON.parse(textOf(row, "document")) as Document;
}
