// Judgements in an isolate's report, under the key of the turn that was judged.

import { addJudgement, judgedIn, type Judgement } from "../core/metering/judged.ts";
import type { Stamp } from "../core/metering/outcome.ts";
import { tallyOf, type Tallies } from "./tallies.ts";

export function addJudged(tallies: Tallies, stamp: Stamp, judgement: Judgement): void {
  addJudgement(tallyOf(tallies, stamp).sums, judgement);
}

/** Judged answers that Control has not heard of. */
export function judgedUnsent({ pending, inFlight }: Tallies): number {
  let judged = 0;
  for (const { sums } of [...pending.values(), ...(inFlight?.tallies ?? [])]) {
    if (sums !== undefined) judged += judgedIn(sums);
  }
  return judged;
}
