// Tallies added up: whole numbers, so that the order and the grouping of reports do not matter. What isolates of an earlier
// deployment do not say is put as they meant it: a call that is over had begun.

import type { Tally } from "../types.ts";
import { classesOf, type Turn } from "./outcome.ts";
import { createSums, mergeSums } from "./sums.ts";

/** What is counted apart: one tally each. */
export type TallyKey = Pick<Tally, "revision" | "version" | "arm" | "reason" | "turn">;

export function keyOf({ revision, version, arm, reason, turn }: TallyKey): string {
  return `${revision}/${version}/${arm}/${reason}/${turn ?? ""}`;
}

/** Calls that began. Isolates of an earlier deployment do not count them. */
export function startedOf({ started, requests }: Tally): number {
  return started ?? requests;
}

/** Calls that are under way, as far as anybody knows. */
export function openOf(tally: Tally): number {
  return startedOf(tally) - tally.requests;
}

const ASKERS = classesOf("asker");

/** What arms are compared by: all but the calls of those who were not let in. They are neither failures nor good, so that a
 * caller with a bad key can neither convict a version nor hide its failures among his own. */
export function comparedOf({ requests, errors, sums }: Tally): Pick<Tally, "requests" | "errors"> {
  let outside = 0;
  for (const name of ASKERS) outside += sums?.errorClasses[name] ?? 0;
  return { requests: requests - outside, errors: errors - outside };
}

/** Both together, under the key of the first; neither is changed. */
export function mergeTallies(one: Tally, other: Tally): Tally {
  const { revision, version, arm, reason, turn } = one;
  const lost = (one.lost ?? 0) + (other.lost ?? 0);
  const sums = one.sums && other.sums ? mergeSums(one.sums, other.sums) : (one.sums ?? other.sums);
  return {
    revision,
    version,
    arm,
    reason,
    ...(turn !== undefined && { turn }),
    started: startedOf(one) + startedOf(other),
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    aborted: one.aborted + other.aborted,
    ...(lost !== 0 && { lost }),
    ...(sums !== undefined && { sums }),
  };
}

/** Adds to a map of tallies by key. */
export function addTo(tallies: Map<string, Tally>, key: string, tally: Tally): void {
  const held = tallies.get(key);
  tallies.set(key, held === undefined ? tally : mergeTallies(held, tally));
}

/** Reads what `keyOf` wrote. */
export function readKey(key: string): TallyKey {
  const [revision, version, arm, reason, turn] = key.split("/");
  return {
    revision: Number(revision),
    version: Number(version),
    arm: arm as TallyKey["arm"],
    reason: reason as TallyKey["reason"],
    ...(turn !== "" && { turn: turn as Turn }),
  };
}

/** `calls` that began under this tally's key and will not be heard of again: they failed, as an answer that never came.
 * Negative: they were heard of after all. */
export function lostCalls(key: TallyKey, calls: number): Tally {
  const sums = createSums();
  sums.errorClasses.timeout = calls;
  sums.counts.timeouts = calls;
  const { revision, version, arm, reason, turn } = key;
  return {
    revision,
    version,
    arm,
    reason,
    ...(turn !== undefined && { turn }),
    started: 0,
    requests: calls,
    errors: calls,
    aborted: 0,
    lost: calls,
    sums,
  };
}
