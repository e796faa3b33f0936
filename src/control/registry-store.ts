// The Registry's tables. Each is small beside what it serves: a row a prompt, a name, a token, a key.
//
// | table   | key  | holds                                                                             |
// |---------|------|-----------------------------------------------------------------------------------|
// | prompts | name | Prompt (JSON), and the order number of the summary that brought it                |
// | names   | name | which prompt it belongs to, whether confirmed, when claimed (registry-names.ts)   |
// | tokens  | hash | Token (JSON); the token itself is nowhere, only its SHA-256                       |
// | keys    | hash | ProxyKey (JSON), likewise, and when it was last used (registry-keys.ts)           |

import type { Token } from "../core/ports.ts";
import type { Prompt } from "../core/types.ts";
import { KEYS_SCHEMA } from "./registry-keys.ts";
import { confirmNames, NAMES_SCHEMA } from "./registry-names.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";

const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS prompts (name TEXT PRIMARY KEY, document TEXT NOT NULL, told INTEGER NOT NULL)
     STRICT, WITHOUT ROWID`,
  ...NAMES_SCHEMA,
  `CREATE TABLE IF NOT EXISTS tokens (hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL)
     STRICT, WITHOUT ROWID`,
  ...KEYS_SCHEMA,
];

export function createRegistryTables(sql: Sql): void {
  for (const statement of SCHEMA) sql.exec(statement);
}

/** By name. */
export function listPrompts(sql: Sql, includeArchived: boolean): Prompt[] {
  const prompts = sql.exec(`SELECT document FROM prompts ORDER BY name`).map((row) => parse<Prompt>(row));
  return includeArchived ? prompts : prompts.filter((prompt) => prompt.archivedAt === null);
}

/** Keeps a prompt's summary and settles its names. One that was overtaken by one of a higher `order` changes nothing. */
export function keepSummary(sql: Sql, prompt: Prompt, order: number): void {
  sql.transaction(() => {
    const [row] = sql.exec(`SELECT told FROM prompts WHERE name = ?`, prompt.name);
    if (row !== undefined && numberOf(row, "told") > order) return;
    sql.exec(
      `INSERT OR REPLACE INTO prompts (name, document, told) VALUES (?, ?, ?)`,
      prompt.name,
      JSON.stringify(prompt),
      order,
    );
    confirmNames(sql, prompt);
  });
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
  return tokens.toSorted((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt));
}

/** By hash, whatever its state. */
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
