// Judgements in an isolate's report, under the key of the turn that was judged.

import { addJudgement, judgedIn, type Judgement } from "../core/metering/judged.ts";
import type { Stamp } from "../core/metering/outcome.ts";
import { createSums } from "../core/metering/sums.ts";
import { keyOf } from "../core/metering/tally.ts";
import type { Tally } from "../core/types.ts";
import type { Tallies } from "./tallies.ts";

/** A tally of its own: Control adds up what has the same key. */
export function addJudged(tallies: Tallies, stamp: Stamp, judgement: Judgement): void {
  const { revision, version, arm, reason, turn } = stamp;
  const key = `judged ${keyOf(stamp)}`;
  const none = { started: 0, requests: 0, errors: 0, aborted: 0 };
  const held: Tally = tallies.pending.get(key) ?? { revision, version, arm, reason, turn, ...none };
  const sums = held.sums ?? createSums();
  addJudgement(sums, judgement);
  tallies.pending.set(key, { ...held, sums });
}

/** Judged answers that Control has not heard of. */
export function judgedUnsent({ pending, inFlight }: Tallies): number {
  let judged = 0;
  for (const { sums } of [...pending.values(), ...(inFlight?.tallies ?? [])]) {
    if (sums !== undefined) judged += judgedIn(sums);
  }
  return judged;
}
