// The audit log is the truth about the past: from it alone the present releases can be rebuilt, and any gap, fork or
// rewritten row shows. Tests and the operator's check use it; serving never does.

import { validateSlots } from "./slots.ts";
import type { Release, Revision } from "./types.ts";

/** The present release of each environment. Rows may come in any order. */
export function replayRevisions(revisions: readonly Revision[]): { [environment: string]: Release } {
  const releases: { [environment: string]: Release } = {};
  for (const { environment, after } of inOrder(revisions)) releases[environment] = after;
  return releases;
}

/** What is wrong with a full history, one sentence each; empty where it is sound. Rows may come in any order. */
export function checkHistory(revisions: readonly Revision[]): string[] {
  const faults: string[] = [];
  const last = new Map<string, Revision>();
  for (const row of inOrder(revisions)) {
    const name = `${row.environment} revision ${row.revision}`;
    const before = last.get(row.environment);
    const expected = (before?.revision ?? 0) + 1;
    if (row.revision !== expected) faults.push(`${name}: expected revision ${expected}`);
    if (!sameJson(row.before, before?.after ?? null)) {
      faults.push(`${name}: does not start from what the one before left`);
    }
    faults.push(...checkRelease(row).map((fault) => `${name}: ${fault}`));
    last.set(row.environment, row);
  }
  return faults;
}

function checkRelease({ prompt, environment, revision, after }: Revision): string[] {
  const faults: string[] = [];
  if (after.prompt !== prompt || after.environment !== environment || after.revision !== revision) {
    faults.push("holds the release of another row");
  }
  const tables = [after.table, ...after.drains];
  for (const table of tables) {
    const fault = validateSlots(table.slots);
    if (fault !== null) faults.push(fault);
  }
  const routed = new Set(tables.flatMap((table) => table.slots.map((slot) => slot.version)));
  for (const version of after.revoked) {
    if (routed.has(version) || after.baseline === version)
      faults.push(`routes the revoked version ${version}`);
  }
  return faults;
}

function inOrder(revisions: readonly Revision[]): Revision[] {
  return revisions.toSorted((a, b) => a.revision - b.revision);
}

/** Equality of JSON values, whatever the order of keys. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [one, other] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    one.length === other.size &&
    one.every(([key, value]) => other.has(key) && sameJson(value, other.get(key)))
  );
}
