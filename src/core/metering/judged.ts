// What a judge said of one answer, added to the sums of the turn that it judged.

import { SCORE_SCALE, type Sums } from "./sums.ts";

/** `score`: null where the judge failed or gave none. `nanoUsd`: what asking it cost, billionths of a dollar. */
export type Judgement = { score: number | null; nanoUsd: number };

/** Adds in place. */
export function addJudgement(sums: Sums, { score, nanoUsd }: Judgement): void {
  sums.judge.nanoUsd += nanoUsd;
  if (score === null) {
    sums.counts.judgeFailures = (sums.counts.judgeFailures ?? 0) + 1;
    return;
  }
  const scaled = Math.round(score * SCORE_SCALE);
  sums.judge.units += 1;
  sums.judge.sum += scaled;
  sums.judge.squares += scaled * scaled;
}

/** Answers that a judge was asked about, whatever it said. */
export function judgedIn({ judge, counts }: Sums): number {
  return judge.units + (counts.judgeFailures ?? 0);
}
