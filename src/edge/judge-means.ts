// Ties the judge to the rest of the edge: the answer that has gone down is judged beside everything else, by a call of the
// Worker's own, and what it said goes into the report of the prompt that was judged.

import type { AnswerReading } from "../wire/answer-reader.ts";
import { serveOwn } from "./edge.ts";
import { judgeAnswer, type JudgeMeans } from "./judge.ts";
import type { JudgeSample } from "./judge-draw.ts";
import { addJudged } from "./judge-tally.ts";
import { priceAnswer } from "./prices.ts";
import { scheduleFlush, type Entry, type Scope } from "./releases.ts";

/** Nothing to read is nothing to judge. */
export function judgeLater(
  entry: Entry,
  sample: JudgeSample,
  reading: AnswerReading | null,
  scope: Scope,
): void {
  const text = reading?.text ?? "";
  if (text.trim() === "") return;
  scope.ctx.waitUntil(judgeAnswer(entry.judging, sample, text, meansFor(entry, sample, scope)));
}

function meansFor(entry: Entry, { settings }: JudgeSample, scope: Scope): JudgeMeans {
  return {
    ask: (request) => serveOwn(request, scope),
    async costOf({ facts }) {
      const cost = await priceAnswer({ provider: settings.provider, askedModel: null, facts });
      return cost?.nanoUsd ?? null;
    },
    count(stamp, judgement) {
      addJudged(entry.tallies, stamp, judgement);
      scheduleFlush(entry, scope);
    },
  };
}
