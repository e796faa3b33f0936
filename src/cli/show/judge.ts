// A prompt's judge: how it is set, and day by day what it has done and cost.

import type { JudgeView } from "../../core/judge-view.ts";
import type { JudgeSettings } from "../../core/watch-settings.ts";
import { plain, type Look } from "./look.ts";
import { formatTable, type Row } from "./table.ts";

/** "answer-judge at openai, 100 % of the smaller arm, at most $5 a day" */
export function describeJudge({ prompt, provider, sample, maxUsdPerDay }: JudgeSettings): string {
  return plain(
    `${prompt} at ${provider}, ${Math.round(sample * 10_000) / 100} % of the smaller arm, at most $${maxUsdPerDay} a day`,
  );
}

export function formatJudge(look: Look, { judge, days }: JudgeView): string[] {
  const head =
    judge === null
      ? "No answer is judged: switchback judge PROMPT JUDGE --provider NAME."
      : describeJudge(judge);
  if (days.length === 0) return [head];
  const rows = days.map(({ day, answers, failures, nanoUsd }): Row => [
    day,
    { text: String(answers), align: "right" },
    { text: failures === 0 ? "" : String(failures), align: "right", style: "yellow" },
    { text: `$${(nanoUsd / 1e9).toFixed(4)}`, align: "right" },
  ]);
  return [head, ...formatTable(look, rows, { header: ["DAY", "ANSWERS", "NO SCORE", "COST"] })];
}
