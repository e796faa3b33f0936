// Which models answered, and what callers sent, with when it was first and last seen: what a diagnosis looks for changes
// in. Kept in memory; what is new is durable at once, what is known at most once a minute, so that a sync pays for a write
// only when something changed. No caller can fill the table: there are so many values of a kind, and no more.

import { OTHER_MODELS } from "../core/metering/sums.ts";
import type { CallerShape } from "../core/ports.ts";
import { SEEN_KINDS, type SeenKind, type SeenValue } from "../core/seen.ts";
import type { Tally } from "../core/types.ts";
import { numberOf, textOf, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

export const SEEN_TABLE = `CREATE TABLE IF NOT EXISTS seen (environment TEXT NOT NULL, kind TEXT NOT NULL,
     version INTEGER NOT NULL, value TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
     requests INTEGER NOT NULL, PRIMARY KEY (environment, kind, version, value)) STRICT, WITHOUT ROWID`;

/** Of a kind and environment. */
export const MOST_SEEN = 500;
export const SEEN_MS = 31 * 86_400_000;
const WRITE_EVERY_MS = 60_000;
/** Whoever was seen within it does not make room for somebody new. */
const ROOM_MS = 3_600_000;
const MOST_VALUE = 200;
/** What there is no room for goes by this name. */
export const OTHER = "other";

export type HeldSeen = { values: Map<string, SeenValue>; changed: Set<string>; writtenAtMs: number };

/** What a report brought: models out of its tallies, and what callers were like. */
export function noteSeen(
  store: ControlStore,
  environment: string,
  tallies: readonly Tally[],
  callers: readonly CallerShape[],
  nowMs: number,
): void {
  const brought = [...listModels(tallies), ...callers.map((one) => ({ ...one, version: 0 }))].filter(
    ({ value, requests, kind }) => value !== "" && requests > 0 && SEEN_KINDS.includes(kind),
  );
  if (!store.created || brought.length === 0) return;
  const held = holdSeen(store, environment);
  const gone: SeenValue[] = [];
  let isNew = false;
  for (const one of brought) isNew = add(held, one, gone, nowMs) || isNew;
  if (isNew || nowMs - held.writtenAtMs >= WRITE_EVERY_MS) write(store, environment, held, gone, nowMs);
}

/** All of an environment's, within what is kept. */
export function readSeen(store: ControlStore, environment: string, nowMs: number): SeenValue[] {
  if (!store.created) return [];
  return [...holdSeen(store, environment).values.values()].filter(({ lastMs }) => lastMs >= nowMs - SEEN_MS);
}

/** At an alarm that goes off anyway: writes what is not written, and drops what is too old. No alarm is asked for. */
export function keepSeen(store: ControlStore, nowMs: number): void {
  for (const [environment, held] of store.seen) {
    if (held.changed.size > 0) write(store, environment, held, [], nowMs);
    for (const [key, { lastMs }] of held.values) if (lastMs < nowMs - SEEN_MS) held.values.delete(key);
  }
  if (store.created) store.sql.exec(`DELETE FROM seen WHERE last_ms < ?`, nowMs - SEEN_MS);
}

type Brought = { kind: SeenKind; version: number; value: string; requests: number };

function listModels(tallies: readonly Tally[]): Brought[] {
  return tallies.flatMap(({ version, sums }) =>
    Object.entries(sums?.models ?? {})
      .filter(([value]) => value !== OTHER_MODELS)
      .map(([value, requests]) => ({ kind: "response" as const, version, value, requests })),
  );
}

/** Is it new? */
function add(held: HeldSeen, brought: Brought, gone: SeenValue[], nowMs: number): boolean {
  const { kind, version, requests } = brought;
  let value = brought.value.slice(0, MOST_VALUE);
  let key = keyOf(kind, version, value);
  let known = held.values.get(key);
  if (known === undefined && !makeRoom(held, kind, gone, nowMs)) {
    value = OTHER;
    key = keyOf(kind, version, value);
    known = held.values.get(key);
  }
  held.values.set(key, {
    kind,
    version,
    value,
    firstMs: known?.firstMs ?? nowMs,
    lastMs: nowMs,
    requests: (known?.requests ?? 0) + requests,
  });
  held.changed.add(key);
  return known === undefined;
}

/** False: all of that kind were seen of late. */
function makeRoom(held: HeldSeen, kind: SeenKind, gone: SeenValue[], nowMs: number): boolean {
  const same = [...held.values].filter(([, one]) => one.kind === kind && one.value !== OTHER);
  if (same.length < MOST_SEEN) return true;
  const [key, oldest] = same.reduce((one, other) => (other[1].lastMs < one[1].lastMs ? other : one));
  if (nowMs - oldest.lastMs < ROOM_MS) return false;
  held.values.delete(key);
  held.changed.delete(key);
  gone.push(oldest);
  return true;
}

function holdSeen(store: ControlStore, environment: string): HeldSeen {
  const known = store.seen.get(environment);
  if (known !== undefined) return known;
  const held: HeldSeen = { values: new Map(), changed: new Set(), writtenAtMs: 0 };
  for (const row of store.sql.exec(`SELECT * FROM seen WHERE environment = ?`, environment)) {
    // Written from a SeenKind.
    const kind = textOf(row, "kind") as SeenKind;
    const [version, value] = [numberOf(row, "version"), textOf(row, "value")];
    const [firstMs, lastMs] = [numberOf(row, "first_ms"), numberOf(row, "last_ms")];
    const requests = numberOf(row, "requests");
    held.values.set(keyOf(kind, version, value), { kind, version, value, firstMs, lastMs, requests });
  }
  store.seen.set(environment, held);
  return held;
}

function write(
  store: ControlStore,
  environment: string,
  held: HeldSeen,
  gone: readonly SeenValue[],
  nowMs: number,
): void {
  const { sql } = store;
  // Should this fail, memory would be ahead of what is stored: then it is read anew.
  store.seen.delete(environment);
  sql.transaction(() => {
    for (const { kind, version, value } of gone) {
      sql.exec(
        `DELETE FROM seen WHERE environment = ? AND kind = ? AND version = ? AND value = ?`,
        environment,
        kind,
        version,
        value,
      );
    }
    for (const key of held.changed) writeValue(sql, environment, held.values.get(key)!);
  });
  held.changed.clear();
  held.writtenAtMs = nowMs;
  store.seen.set(environment, held);
}

function writeValue(sql: Sql, environment: string, seen: SeenValue): void {
  sql.exec(
    `INSERT OR REPLACE INTO seen (environment, kind, version, value, first_ms, last_ms, requests)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    environment,
    seen.kind,
    seen.version,
    seen.value,
    seen.firstMs,
    seen.lastMs,
    seen.requests,
  );
}

function keyOf(kind: SeenKind, version: number, value: string): string {
  return `${kind} ${version} ${value}`;
}
