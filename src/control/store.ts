// What one prompt is, in SQLite: its own object's database. State is kept as the plain documents of core, one row
// per document, because core's `decide` takes and gives whole documents. Nothing is created before the first write:
// a stranger who asks for prompts that do not exist must not fill the account with empty databases.
//
// | table       | key                                             | holds                                             | grows                             |
// |-------------|-------------------------------------------------|---------------------------------------------------|-----------------------------------|
// | state       | `prompt`, `release:{environment}`               | Prompt, ReleaseState (JSON)                       | an environment each               |
// | versions    | n (digest unique)                               | VersionSummary, PromptVersion (JSON, immutable)   | a push each, for ever             |
// | revisions   | environment, revision                           | Revision (JSON): the audit log, append-only       | a change each, for ever           |
// | idempotency | key                                             | fingerprint and answer of an accepted command     | kept 24 h                         |
// | outbox      | id (key unique)                                 | what KV or the Registry has not been told yet     | a row per key, dropped once told  |
// | seconds     | at, environment                                 | tallies and reporters of a second (JSON)          | kept an hour                      |
// | series      | step, at, environment, and key of a tally       | a tally of a minute or hour: counters, Sums (JSON)| kept 31 days                      |
// | totals      | environment, and key of a tally                 | the same since ever, all but unfolded seconds     | 16 epochs, and all before as one  |
// | tallies     | environment, revision, version, arm, reason     | what a deployment before `series` has counted     | taken over, then empty            |
// | reporters   | isolate                                         | as of the last minute folded: sequence, open calls| kept 24 h after the last report   |
// | began       | environment, conversation                       | revision of its first turn                        | kept while a drain can ask for it |
// | chains      | n (environment, response unique)                | key and revision of a response chain's first turn | kept 30 days, 200,000 at most     |
// | feedback    | n (request, name unique)                        | what was said of an answer: value, comment        | kept 30 days, see feedback.ts     |
// | feedback_totals, feedback_names | environment, name, version, …; name | counts of it                              | a few rows a revision; 32         |
// | judge_days  | day                                             | answers judged, failures, cost                    | kept 31 days                      |
// | secrets     | `feedback`                                      | what request ids are signed with                  | fixed                             |
// | watches     | environment                                     | what is known of its releases under watch (JSON)  | an environment each               |
// | events      | id                                              | ReleaseEvent: verdicts, notices                   | the latest 5,000                  |
// | seen        | environment, kind, version, value               | models and callers' shapes, first and last seen   | 500 a kind, 31 days               |
// | meta        | `schema`, `lease_ms`, `lease_longer_until_ms`,… | numbers                                           | fixed                             |
//
// A row holds at most 2 MB; core's compiler refuses a larger version.

import type {
  Prompt,
  PromptState,
  PromptVersion,
  ReleaseState,
  Revision,
  VersionSummary,
} from "../core/types.ts";
import { CHAINS_TABLE } from "./chains.ts";
import { createSeries, type Series } from "./series.ts";
import { adoptTables, SERIES_TABLES } from "./series-rows.ts";
import { FEEDBACK_TABLES } from "./feedback-rows.ts";
import { SECRETS_TABLE } from "./feedback-key.ts";
import { EVENTS_TABLE } from "./events.ts";
import { JUDGE_TABLE, type JudgeGrants } from "./judging.ts";
import { SEEN_TABLE, type HeldSeen } from "./seen.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";
import { WATCHES_TABLE, type HeldWatch } from "./watches.ts";

/** There are objects without them: each is made `IF NOT EXISTS`. */
const LATER_TABLES = [
  CHAINS_TABLE,
  SECRETS_TABLE,
  ...FEEDBACK_TABLES,
  JUDGE_TABLE,
  WATCHES_TABLE,
  EVENTS_TABLE,
  SEEN_TABLE,
];

const SCHEMA = [
  `CREATE TABLE state (key TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE versions (n INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, summary TEXT NOT NULL,
     document TEXT NOT NULL) STRICT`,
  `CREATE TABLE revisions (environment TEXT NOT NULL, revision INTEGER NOT NULL, document TEXT NOT NULL,
     PRIMARY KEY (environment, revision)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE idempotency (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL,
     at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, pending INTEGER NOT NULL,
     attempts INTEGER NOT NULL, tried_ms INTEGER NOT NULL) STRICT`,
  ...SERIES_TABLES,
  `CREATE TABLE began (environment TEXT NOT NULL, conversation TEXT NOT NULL, revision INTEGER NOT NULL,
     PRIMARY KEY (environment, conversation)) STRICT, WITHOUT ROWID`,
  ...LATER_TABLES,
  // Last: its presence says that all of them are there.
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `INSERT INTO meta (key, value) VALUES ('schema', 1)`,
];

/** The database and what is known of it without asking: `state` is the committed state, null for an unknown prompt. */
export type ControlStore = {
  sql: Sql;
  created: boolean;
  state: PromptState | null;
  /** null: nobody has asked for it since the object woke up. */
  feedbackKey: string | null;
  series: Series;
  /** By environment, those that were asked for since the object woke up. */
  watches: Map<string, HeldWatch>;
  seen: Map<string, HeldSeen>;
  judgeGrants: JudgeGrants;
  /** When what is over was forgotten last; 0: not since the object woke up. */
  forgotAtMs: number;
};

export function openStore(sql: Sql): ControlStore {
  const created = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'meta'`).length > 0;
  // Objects that were created before there were these tables.
  if (created) {
    for (const table of LATER_TABLES) sql.exec(table);
    adoptTables(sql);
  }
  const state = created ? readState(sql) : null;
  return {
    sql,
    created,
    state,
    feedbackKey: null,
    series: createSeries(),
    watches: new Map(),
    seen: new Map(),
    judgeGrants: new Map(),
    forgotAtMs: 0,
  };
}

/** Within the transaction of the first write. `store.created` is for the caller to set once that is committed. */
export function createTables(sql: Sql): void {
  for (const statement of SCHEMA) sql.exec(statement);
}

function readState(sql: Sql): PromptState | null {
  let prompt: Prompt | null = null;
  const releases: PromptState["releases"] = {};
  for (const row of sql.exec(`SELECT key, document FROM state`)) {
    const key = textOf(row, "key");
    if (key === "prompt") prompt = parse<Prompt>(row);
    else releases[key.slice("release:".length)] = parse<ReleaseState>(row);
  }
  if (prompt === null) return null;
  const summaries = sql.exec(`SELECT summary AS document FROM versions ORDER BY n`);
  return { prompt, releases, versions: summaries.map((row) => parse<VersionSummary>(row)) };
}

/** Which documents a decision changed; the caller publishes exactly these. */
export type Changes = { prompt: boolean; environments: string[]; summaries: VersionSummary[] };

export function compareStates(before: PromptState | null, after: PromptState): Changes {
  const known = new Map(before?.versions.map((summary) => [summary.version, summary]));
  return {
    prompt: differs(before?.prompt, after.prompt),
    environments: Object.keys(after.releases).filter((name) =>
      differs(before?.releases[name], after.releases[name]),
    ),
    summaries: after.versions.filter((summary) => differs(known.get(summary.version), summary)),
  };
}

/** Writes what changed. `created` is the document of the version that a push made. */
export function writeState(
  sql: Sql,
  after: PromptState,
  changes: Changes,
  created: PromptVersion | null,
): void {
  if (changes.prompt) writeDocument(sql, "prompt", after.prompt);
  for (const environment of changes.environments) {
    writeDocument(sql, `release:${environment}`, after.releases[environment]!);
  }
  for (const summary of changes.summaries) {
    if (summary.version !== created?.version) {
      sql.exec(`UPDATE versions SET summary = ? WHERE n = ?`, JSON.stringify(summary), summary.version);
      continue;
    }
    sql.exec(
      `INSERT INTO versions (n, digest, summary, document) VALUES (?, ?, ?, ?)`,
      summary.version,
      summary.digest,
      JSON.stringify(summary),
      JSON.stringify(created),
    );
  }
}

export function writeDocument(sql: Sql, key: string, document: Prompt | ReleaseState): void {
  sql.exec(`INSERT OR REPLACE INTO state (key, document) VALUES (?, ?)`, key, JSON.stringify(document));
}

export function appendRevisions(sql: Sql, revisions: Revision[]): void {
  for (const revision of revisions) {
    sql.exec(
      `INSERT INTO revisions (environment, revision, document) VALUES (?, ?, ?)`,
      revision.environment,
      revision.revision,
      JSON.stringify(revision),
    );
  }
}

/** Newest first; `before` (excluded) continues an earlier page. */
export function readRevisions(
  sql: Sql,
  environment: string,
  limit: number,
  before: number | null,
): Revision[] {
  const rows = sql.exec(
    `SELECT document FROM revisions WHERE environment = ? AND revision < ? ORDER BY revision DESC LIMIT ?`,
    environment,
    before ?? Number.MAX_SAFE_INTEGER,
    limit,
  );
  return rows.map((row) => parse<Revision>(row));
}

/** Oldest first. */
export function readRevisionsAfter(sql: Sql, environment: string, after: number): Revision[] {
  const rows = sql.exec(
    `SELECT document FROM revisions WHERE environment = ? AND revision > ? ORDER BY revision`,
    environment,
    after,
  );
  return rows.map((row) => parse<Revision>(row));
}

export function readVersionDocument(sql: Sql, version: number): PromptVersion | null {
  const [row] = sql.exec(`SELECT document FROM versions WHERE n = ?`, version);
  return row === undefined ? null : parse<PromptVersion>(row);
}

export function readMeta(sql: Sql, key: string): number | null {
  const [row] = sql.exec(`SELECT value FROM meta WHERE key = ?`, key);
  return row === undefined ? null : numberOf(row, "value");
}

export function writeMeta(sql: Sql, key: string, value: number): void {
  sql.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)`, key, value);
}

/** What stands in our own tables was written by `JSON.stringify` of the same type. */
function parse<Document>(row: Row): Document {
  return JSON.parse(textOf(row, "document")) as Document;
}

function differs(before: object | undefined, after: object | undefined): boolean {
  return before !== after && JSON.stringify(before) !== JSON.stringify(after);
}
