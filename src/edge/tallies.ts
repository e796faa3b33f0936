// Outcomes become counters, and counters become reports. Guarantee 6: adding one is a few map operations and never
// fails a request. A report that may have been lost is sent again unchanged under its old sequence, so that Control
// counts it exactly once.

import type { Outcome, Stamp } from "../core/metering/outcome.ts";
import { addToSums, createSums, type Sums } from "../core/metering/sums.ts";
import { keyOf } from "../core/metering/tally.ts";
import type { Report, Tally } from "../core/types.ts";

export type Tallies = {
  pending: Map<string, Tally>;
  /** Sent and not yet acknowledged; sent again as it is. */
  inFlight: Report | null;
  lastSequence: number;
  /** Control asks for reports no sooner than that; ms since the epoch. */
  nextReportAtMs: number;
};

export function createTallies(): Tallies {
  return { pending: new Map(), inFlight: null, lastSequence: 0, nextReportAtMs: 0 };
}

/** A call has been sent; `by` −1: it turns out that it was not. */
export function addStarted(tallies: Tallies, stamp: Stamp, by: 1 | -1 = 1): void {
  const tally = tallyOf(tallies, stamp);
  tally.started = (tally.started ?? 0) + by;
}

export function addOutcome(tallies: Tallies, stamp: Stamp, outcome: Outcome): void {
  const tally = tallyOf(tallies, stamp);
  tally.requests += 1;
  if (outcome.kind === "error") tally.errors += 1;
  if (outcome.kind === "aborted") tally.aborted += 1;
  addToSums(tally.sums, outcome, stamp.unitBucket);
}

type Summed = Tally & { sums: Sums };

/** Their number is bounded by what can be in force within a second: revisions × arms × reasons × turns. */
export function tallyOf({ pending }: Tallies, stamp: Stamp): Summed {
  const key = keyOf(stamp);
  const held = pending.get(key);
  if (held !== undefined) return held as Summed;
  const { revision, version, arm, reason, turn } = stamp;
  const counts = { started: 0, requests: 0, errors: 0, aborted: 0 };
  const tally = { revision, version, arm, reason, turn, ...counts, sums: createSums() };
  pending.set(key, tally);
  return tally;
}

/** The report to hand over now: the unacknowledged one, else what has gathered, where it is time; else null. */
export function takeReport(tallies: Tallies, nowMs = Infinity): Report | null {
  if (tallies.inFlight === null && tallies.pending.size > 0 && nowMs >= tallies.nextReportAtMs) {
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
