// What changed around a prompt, and when: values that were not seen before, in answers and in what callers send. Something
// is new only where something else of its kind was there before: the first request of a prompt changes nothing.

import type { Evidence, TimelineEntry } from "./diagnosis.ts";
import type { SeenValue } from "./seen.ts";
import type { Revision } from "./types.ts";

/** `seen` came at `firstMs`, in place of what was there before, or beside it. */
export type Change = { cause: "model" | "caller"; atMs: number; says: string };

/** What appears together with the first of its kind is no change: a deployment starts with all that it has. */
const START_MS = 5 * 60_000;
/** As many requests say that it was no accident. */
const LEAST_REQUESTS = 5;
const VANISHED_MS = 10 * 60_000;
const MOST_ENTRIES = 100;

const NOUNS = {
  model: "asked for the model",
  tools: "sent the tools",
  schema: "sent the schema",
  client: "came as",
};

/** Values that came within the window. A new model of answers that callers began to ask for then is the callers' change. */
export function listChanges({ seen, sinceMs, untilMs }: Evidence): Change[] {
  const fresh = seen.filter((one) => one.firstMs >= sinceMs && one.firstMs <= untilMs && isChange(one, seen));
  return fresh.map((one) => ({ cause: causeOf(one, fresh), atMs: one.firstMs, says: sayChange(one) }));
}

function isChange(
  { kind, version, firstMs, requests, value }: SeenValue,
  seen: readonly SeenValue[],
): boolean {
  if (requests < LEAST_REQUESTS || value === "other") return false;
  const same = seen.filter((one) => one.kind === kind && one.version === version);
  return same.some((one) => one.firstMs < firstMs - START_MS);
}

function causeOf(one: SeenValue, fresh: readonly SeenValue[]): Change["cause"] {
  if (one.kind !== "response") return "caller";
  const isAsked = fresh.some(
    ({ kind, firstMs }) => kind === "model" && Math.abs(firstMs - one.firstMs) <= START_MS,
  );
  return isAsked ? "caller" : "model";
}

function sayChange({ kind, version, value, requests }: SeenValue): string {
  return kind === "response"
    ? `answers of v${version} by ${value} began (${requests} since)`
    : `requests that ${sayShape(kind, value)} began (${requests} since)`;
}

/** Where a body has none of it, the edge says `none`. */
function sayShape(kind: Exclude<SeenValue["kind"], "response">, value: string): string {
  return value === "none" ? NOUNS[kind].replace("the", "no") : `${NOUNS[kind]} ${value}`;
}

/** Newest first: releases, events, what came and what went. */
export function listTimeline(evidence: Evidence, changes: readonly Change[]): TimelineEntry[] {
  const { sinceMs, untilMs, revisions, events } = evidence;
  const isWithin = (at: string) => Date.parse(at) >= sinceMs && Date.parse(at) <= untilMs;
  const entries: TimelineEntry[] = [
    ...revisions
      .filter(({ at }) => isWithin(at))
      .map((one) => ({ at: one.at, kind: "release" as const, says: sayRevision(one) })),
    ...events.filter(({ at }) => isWithin(at)).map(({ at, kind, says }) => ({ at, kind, says })),
    ...changes.map(({ cause, atMs, says }) => ({ at: new Date(atMs).toISOString(), kind: cause, says })),
    ...listVanished(evidence),
  ];
  return entries.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at)).slice(0, MOST_ENTRIES);
}

/** Gone while others of its kind go on. */
function listVanished({ seen, sinceMs, untilMs }: Evidence): TimelineEntry[] {
  return seen
    .filter(
      ({ kind, version, lastMs, requests }) =>
        requests >= LEAST_REQUESTS &&
        lastMs >= sinceMs &&
        lastMs <= untilMs - VANISHED_MS &&
        seen.some((one) => one.kind === kind && one.version === version && one.lastMs > lastMs + VANISHED_MS),
    )
    .map(({ kind, version, value, lastMs }) => ({
      at: new Date(lastMs).toISOString(),
      kind: kind === "response" ? ("model" as const) : ("caller" as const),
      says:
        kind === "response"
          ? `last answer of v${version} by ${value}`
          : `last request that ${sayShape(kind, value)}`,
    }));
}

export function sayRevision({ revision, action, actor, after, reason }: Revision): string {
  const arms = after.arms.map(({ version, weight }) => `v${version} ${Number(weight.toFixed(2))} %`);
  const why = reason === "" ? "" : `: ${reason}`;
  return `revision ${revision}, ${action} by ${actor} (${arms.join(", ")})${why}`;
}
