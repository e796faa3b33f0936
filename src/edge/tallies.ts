// Outcomes become counters, and counters become reports. Guarantee 6: adding one is a few map operations and never
// fails a request. A report that may have been lost is sent again unchanged under its old sequence, so that Control
// counts it exactly once.

import type { Assignment, Report, Tally } from "../core/types.ts";

export type OutcomeKind = "ok" | "error" | "aborted";

export type Tallies = {
  pending: Map<string, Tally>;
  /** Sent and not yet acknowledged; sent again as it is. */
  inFlight: Report | null;
  lastSequence: number;
};

export function createTallies(): Tallies {
  return { pending: new Map(), inFlight: null, lastSequence: 0 };
}

export function addOutcome(tallies: Tallies, assignment: Assignment, outcome: OutcomeKind): void {
  const { revision, version, arm, reason } = assignment;
  const key = `${revision}/${version}/${arm}/${reason}`;
  let tally = tallies.pending.get(key);
  if (tally === undefined) {
    tally = { revision, version, arm, reason, requests: 0, errors: 0, aborted: 0 };
    tallies.pending.set(key, tally);
  }
  tally.requests += 1;
  if (outcome === "error") tally.errors += 1;
  if (outcome === "aborted") tally.aborted += 1;
}

/** The report to hand over now: the unacknowledged one, else what has gathered, else null. */
export function takeReport(tallies: Tallies): Report | null {
  if (tallies.inFlight === null && tallies.pending.size > 0) {
    tallies.lastSequence += 1;
    tallies.inFlight = { sequence: tallies.lastSequence, tallies: [...tallies.pending.values()] };
    tallies.pending = new Map();
  }
  return tallies.inFlight;
}

export function acknowledge(tallies: Tallies, sequence: number): void {
  if (tallies.inFlight !== null && tallies.inFlight.sequence <= sequence) tallies.inFlight = null;
}

export function hasUnsent(tallies: Tallies): boolean {
  return tallies.inFlight !== null || tallies.pending.size > 0;
}
