// Where watches are kept: in memory, and one row of JSON an environment, read when it is first asked for. What a crash
// takes is a second of evidence, never a verdict: the caller writes every change of one at once. One that cannot be read,
// because of a bug of then or now, begins anew: it must not leave its canary without a guardrail for good.

import { nameOfError } from "../core/problem.ts";
import { followRelease } from "../core/watching/follow.ts";
import { WATCH_SCHEMA, type EnvironmentWatch } from "../core/watching/state.ts";
import type { Release } from "../core/types.ts";
import { recordEvent } from "./events.ts";
import { readRevisionsAfter, readVersionDocument, type ControlStore } from "./store.ts";
import { textOf, type Sql } from "./sql.ts";

export const WATCHES_TABLE = `CREATE TABLE IF NOT EXISTS watches (environment TEXT PRIMARY KEY, document TEXT NOT NULL)
     STRICT, WITHOUT ROWID`;

export type HeldWatch = {
  watch: EnvironmentWatch;
  /** 0: not since the object woke up. */
  writtenAtMs: number;
  isWritten: boolean;
  /** The model that this baseline's version asks for. */
  model: { baseline: number; forced: string | null };
  /** Why the last rollback was refused, so that it is told once; null: none was. */
  refusal: string | null;
};

/** The watch of an environment, in step with its release. */
function holdWatch(store: ControlStore, release: Release): HeldWatch {
  const { environment } = release;
  const held = store.watches.get(environment) ?? loadWatch(store, release);
  if (held.watch.revision < release.revision) {
    for (const { after } of readRevisionsAfter(store.sql, environment, held.watch.revision)) {
      held.watch = followRelease(held.watch, after);
    }
    held.isWritten = false;
    held.refusal = null;
  }
  if (held.model.baseline !== release.baseline) held.model = modelOf(store.sql, release.baseline);
  store.watches.set(environment, held);
  return held;
}

/** What `use`, which must be pure, makes of the watch. Where it throws, but not of a watch that has just begun, the watch is
 * what is wrong: that one takes its place, and it is told. */
export function withWatch<Result>(
  store: ControlStore,
  release: Release,
  nowMs: number,
  use: (held: HeldWatch) => Result,
): Result {
  const held = holdWatch(store, release);
  try {
    return use(held);
  } catch (error) {
    const fresh: HeldWatch = { ...held, watch: followRelease(null, release), refusal: null };
    const result = use(fresh);
    replaceWatch(store, release, fresh, nowMs, nameOfError(error));
    return result;
  }
}

function replaceWatch(
  store: ControlStore,
  { environment, revision }: Release,
  fresh: HeldWatch,
  nowMs: number,
  error: string,
): void {
  const says = "what was known of the release could not be read: it is watched from the beginning";
  const at = new Date(nowMs).toISOString();
  store.watches.delete(environment);
  store.sql.transaction(() => {
    writeWatch(store.sql, environment, fresh.watch);
    recordEvent(store.sql, { environment, at, revision, kind: "notice", says, data: { error } });
  });
  store.watches.set(environment, fresh);
  fresh.writtenAtMs = nowMs;
  fresh.isWritten = true;
}

function loadWatch(store: ControlStore, release: Release): HeldWatch {
  const [row] = store.sql.exec(`SELECT document FROM watches WHERE environment = ?`, release.environment);
  const stored = row === undefined ? null : readDocument(textOf(row, "document"));
  return {
    watch: stored ?? followRelease(null, release),
    writtenAtMs: 0,
    isWritten: stored !== null,
    model: modelOf(store.sql, release.baseline),
    refusal: null,
  };
}

/** Of another schema: the watch begins anew. */
function readDocument(text: string): EnvironmentWatch | null {
  const document = JSON.parse(text) as EnvironmentWatch;
  return document.schema === WATCH_SCHEMA ? document : null;
}

function modelOf(sql: Sql, baseline: number): HeldWatch["model"] {
  return { baseline, forced: readVersionDocument(sql, baseline)?.compiled.model ?? null };
}

/** Within a transaction. */
export function writeWatch(sql: Sql, environment: string, watch: EnvironmentWatch): void {
  sql.exec(
    `INSERT OR REPLACE INTO watches (environment, document) VALUES (?, ?)`,
    environment,
    JSON.stringify(watch),
  );
}
