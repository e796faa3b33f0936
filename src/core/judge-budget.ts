// The judge's budget for a day, held by the prompt's Control, which hands it out as numbers of answers: an isolate judges no
// answer that it was not granted. What is granted and not reported yet is reserved at what an answer has cost so far, so
// that spent + reserved never passes the budget. It is passed by no more than the answers in reserve cost above the mean,
// plus what isolates that were not heard of for a minute had still under way, plus, where the object lost its memory, the
// grants that it forgot (4 answers for each of `concurrency`, an isolate).

import type { JudgeSettings } from "./watch-settings.ts";

/** What a judged answer counts where nobody knows what it cost (the model's price or the usage is not known, or no answer
 * came in time): 2 cents, several times what 4,000 tokens at $3 per million cost. */
export const UNKNOWN_NANO_USD = 20_000_000;

/** How long an isolate may use a grant, from when it asked for it; Control reserves it for longer, as a judge takes its
 * time. */
export const GRANT_MS = 30_000;
export const RESERVED_MS = 60_000;
/** An isolate asks about once a second, and a judge takes about one. */
const ANSWERS_A_SLOT = 4;
const NANO = 1_000_000_000;

/** `answers`: judged ones, well or not. */
export type JudgeSpending = { answers: number; nanoUsd: number };

export type JudgeGrant = { answers: number; untilMs: number };

/** What one answer will cost, as far as today tells. */
export function estimateOf({ answers, nanoUsd }: JudgeSpending): number {
  return answers === 0 ? UNKNOWN_NANO_USD : Math.max(1, Math.ceil(nanoUsd / answers));
}

/** How many answers the reporter may have judged: its grants before are replaced by it, and those of the others stand. */
export function grantAnswers(
  settings: Pick<JudgeSettings, "maxUsdPerDay" | "concurrency">,
  spending: JudgeSpending,
  others: Iterable<JudgeGrant>,
  nowMs: number,
): number {
  const estimate = estimateOf(spending);
  let reserved = 0;
  for (const { answers, untilMs } of others) if (untilMs > nowMs) reserved += answers;
  const leftNanoUsd = settings.maxUsdPerDay * NANO - spending.nanoUsd;
  const left = Math.floor(leftNanoUsd / estimate) - reserved;
  return Math.max(0, Math.min(left, ANSWERS_A_SLOT * settings.concurrency));
}

/** What an isolate makes of a grant: answers that it has begun to judge and not reported yet are in it already. */
export function allowanceOf(granted: number, unreported: number): number {
  return Math.max(0, granted - unreported);
}

/** Budgets begin anew with it: `2026-11-27`. */
export function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}
