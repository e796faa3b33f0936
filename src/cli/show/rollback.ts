// The answer of a rollback: the line that somebody copies into the incident channel. It promises nothing that the
// server did not promise.

import type { RollbackAnswer } from "../../core/ports.ts";
import { glyph, paint, type Look } from "./look.ts";
import { formatClock, formatSeconds } from "./time.ts";

/** A repeated rollback answers with the first one's times. Beyond this age the promise is told as kept; below it our
 * clock, which may be off by seconds, has no say. */
const CERTAINLY_PAST_MS = 60_000;

export function formatRollback(
  look: Look,
  about: { prompt: string; environment: string; waited: boolean; nowMs: number },
  answer: RollbackAnswer,
): string {
  const name = paint(look, "bold", about.prompt);
  const change = paint(look, "green", `rolled back ${answer.from} ${glyph(look, "arrow")} ${answer.to}`);
  const promise = formatPromise(answer, about.waited, about.nowMs);
  return `${name} ${about.environment}  ${change}  revision ${answer.revision}  ${promise}`;
}

/** How long after `committedAt` the promise holds, in ms. */
export function enforcementMs(answer: { committedAt: string; enforcedBy: string }): number {
  const ms = Date.parse(answer.enforcedBy) - Date.parse(answer.committedAt);
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

function formatPromise(answer: RollbackAnswer, waited: boolean, nowMs: number): string {
  const clock = formatClock(answer.enforcedBy);
  const past = nowMs - Date.parse(answer.enforcedBy) > CERTAINLY_PAST_MS;
  if (waited || past) return `enforced everywhere (since ${past ? answer.enforcedBy : clock})`;
  return `enforced everywhere in ${formatSeconds(enforcementMs(answer))} (by ${clock})`;
}
