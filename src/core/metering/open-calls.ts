// Calls that began in an isolate and are not over, per tally. An isolate that falls silent takes them with it: they are
// counted as lost then. Should it come back and tell how they ended, what was counted in their stead is taken off again:
// guarantee: once all of an isolate's calls have been told of, each is counted once, whatever was presumed in between.

import type { Tally } from "../types.ts";
import { keyOf, lostCalls, readKey } from "./tally.ts";

/** Key of a tally → calls; none that are nothing. */
export type Calls = { [key: string]: number };

/** `open`: under way as far as anybody knows. `lost`: under way by the isolate's own word, and counted as lost by us. */
export type OpenCalls = { open: Calls; lost: Calls };

/** After a report. `corrections` are what is to be counted besides it. Tallies that do not say what began (of isolates of
 * an earlier deployment, and of feedback) leave nothing open. */
export function settleCalls(
  { open, lost }: OpenCalls,
  tallies: readonly Tally[],
): OpenCalls & { corrections: Tally[] } {
  const next = { open: { ...open }, lost: { ...lost } };
  const corrections: Tally[] = [];
  for (const tally of tallies) {
    if (tally.started === undefined) continue;
    const key = keyOf(tally);
    const presumed = next.lost[key] ?? 0;
    const under = Math.max(0, (next.open[key] ?? 0) + presumed + tally.started - tally.requests);
    // Which of them have ended nobody can tell, so those that were given up are taken for the last to come back.
    const stillLost = Math.min(presumed, under);
    if (stillLost < presumed) corrections.push(lostCalls(tally, stillLost - presumed));
    setCalls(next.lost, key, stillLost);
    setCalls(next.open, key, under - stillLost);
  }
  return { ...next, corrections };
}

/** The isolate is given up. */
export function giveUpCalls({ open, lost }: OpenCalls): OpenCalls & { corrections: Tally[] } {
  const next = { ...lost };
  for (const [key, calls] of Object.entries(open)) setCalls(next, key, (next[key] ?? 0) + calls);
  const corrections = Object.entries(open).map(([key, calls]) => lostCalls(readKey(key), calls));
  return { open: {}, lost: next, corrections };
}

function setCalls(calls: Calls, key: string, count: number): void {
  if (count === 0) delete calls[key];
  else calls[key] = count;
}
