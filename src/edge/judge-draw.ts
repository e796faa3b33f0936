// Which answers of live traffic are judged. The draw is made when a turn is decided, by chance and by what the release and
// the day's budget say, so that it cannot depend on the answer; of the conversation's first turn alone, whose question is
// known. What an isolate may have judged Control has granted it, for a short time.

import { allowanceOf, GRANT_MS } from "../core/judge-budget.ts";
import { judgeRate, readQuestion } from "../core/judging.ts";
import type { Stamp } from "../core/metering/outcome.ts";
import type { Assignment, Release } from "../core/types.ts";
import type { JudgeSettings } from "../core/watch-settings.ts";

/** What an isolate knows of the judging of one prompt. */
export type Judging = {
  allowance: number;
  /** When it was asked for; what is older than `GRANT_MS` is void. */
  askedAtMs: number;
  /** When each answer that is being judged began to be, and each that waits for its turn began to wait. One that vanished
   * with its request counts no longer after a while. */
  running: number[];
  waiting: number[];
  /** When a failure was logged last. */
  warnedAtMs: number;
};

/** One answer that will be judged, should it be a good one. */
export type JudgeSample = { settings: JudgeSettings; question: string; stamp: Stamp };

/** An isolate's request lives no longer than half a minute behind its answer. */
const VANISHED_MS = 30_000;
/** More would wait for longer than a request lives. */
export const MOST_WAITING = 8;

export function createJudging(): Judging {
  return { allowance: 0, askedAtMs: 0, running: [], waiting: [], warnedAtMs: 0 };
}

/** After a sync: `unreported` are answers that were judged and that Control has not heard of. */
export function takeGrant(
  judging: Judging,
  granted: number | undefined,
  unreported: number,
  askedAtMs: number,
  nowMs: number,
): void {
  judging.running = withoutVanished(judging.running, nowMs);
  judging.waiting = withoutVanished(judging.waiting, nowMs);
  const begun = judging.running.length + judging.waiting.length + unreported;
  judging.allowance = allowanceOf(granted ?? 0, begun);
  judging.askedAtMs = askedAtMs;
}

export function withoutVanished(startsMs: number[], nowMs: number): number[] {
  return startsMs.filter((startMs) => nowMs - startMs < VANISHED_MS);
}

export function mayJudge(judging: Judging, nowMs: number): boolean {
  const ageMs = nowMs - judging.askedAtMs;
  return judging.allowance > 0 && ageMs >= 0 && ageMs < GRANT_MS && judging.waiting.length < MOST_WAITING;
}

/** `chance`: from 0 up to 1, and never again the same. `isJudge`: it is a judge's own call, of which none is judged. */
export function drawSample(
  release: Release,
  assignment: Assignment,
  turn: { firstUserText: string | null; continues: boolean; isJudge: boolean },
  judging: Judging,
  nowMs: number,
  chance: () => number,
): JudgeSample | null {
  const { judge } = release;
  if (judge === undefined || turn.isJudge || turn.continues || assignment.reason !== "split") return null;
  if (!mayJudge(judging, nowMs) || chance() >= judgeRate(release, assignment.version)) return null;
  const question = readQuestion(turn.firstUserText);
  if (question === null) return null;
  const { revision, version, arm, reason } = assignment;
  const stamp: Stamp = { revision, version, arm, reason, turn: "first", unitBucket: null };
  return { settings: judge, question, stamp };
}
