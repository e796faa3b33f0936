// The judge of a prompt's answers, as its Control knows it: what it has cost today, and how many answers each isolate may
// still have judged (core/judge-budget.ts). Days are kept for a month. Grants are remembered in memory alone.

import { dayOf, grantAnswers, RESERVED_MS, type JudgeGrant } from "../core/judge-budget.ts";
import type { JudgeDay, JudgeView } from "../core/judge-view.ts";
import { judgedIn } from "../core/metering/judged.ts";
import type { Prompt, Release, Tally } from "../core/types.ts";
import { numberOf, textOf, type Row, type Sql } from "./sql.ts";
import type { ControlStore } from "./store.ts";

export const JUDGE_TABLE = `CREATE TABLE IF NOT EXISTS judge_days (day TEXT PRIMARY KEY, answers INTEGER NOT NULL,
     failures INTEGER NOT NULL, nano_usd INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

const KEEP_DAYS = 31;
const DAY_MS = 86_400_000;

/** Within the transaction that counts these tallies. */
export function countJudged(sql: Sql, tallies: readonly Tally[], nowMs: number): void {
  let [answers, failures, nanoUsd] = [0, 0, 0];
  for (const { sums } of tallies) {
    if (sums === undefined) continue;
    answers += judgedIn(sums);
    failures += sums.counts.judgeFailures ?? 0;
    nanoUsd += sums.judge.nanoUsd;
  }
  if (answers === 0 && nanoUsd === 0) return;
  sql.exec(
    `INSERT INTO judge_days (day, answers, failures, nano_usd) VALUES (?, ?, ?, ?)
     ON CONFLICT (day) DO UPDATE SET answers = answers + excluded.answers,
       failures = failures + excluded.failures, nano_usd = nano_usd + excluded.nano_usd`,
    dayOf(nowMs),
    answers,
    failures,
    nanoUsd,
  );
}

/** What a reporter may have judged until it asks again; null: nothing is judged here. To be asked after its report has been
 * counted. */
export function grantJudging(
  { sql, judgeGrants }: Pick<ControlStore, "sql" | "judgeGrants">,
  { judge, arms }: Release,
  reporter: string,
  nowMs: number,
): number | null {
  if (judge === undefined || arms.length < 2) return null;
  for (const [other, { untilMs }] of judgeGrants) if (untilMs <= nowMs) judgeGrants.delete(other);
  judgeGrants.delete(reporter);
  const spending = readDay(sql, dayOf(nowMs));
  const answers = grantAnswers(judge, spending, judgeGrants.values(), nowMs);
  if (answers > 0) judgeGrants.set(reporter, { answers, untilMs: nowMs + RESERVED_MS });
  return answers;
}

export type JudgeGrants = Map<string, JudgeGrant>;

function readDay(sql: Sql, day: string): JudgeDay {
  const [row] = sql.exec(`SELECT * FROM judge_days WHERE day = ?`, day);
  return row === undefined ? { day, answers: 0, failures: 0, nanoUsd: 0 } : dayIn(row);
}

export function viewJudge({ sql }: Pick<ControlStore, "sql">, { judge }: Prompt): JudgeView {
  return { judge: judge ?? null, days: readJudgeDays(sql) };
}

/** Newest first. */
export function readJudgeDays(sql: Sql): JudgeDay[] {
  return sql.exec(`SELECT * FROM judge_days ORDER BY day DESC`).map(dayIn);
}

function dayIn(row: Row): JudgeDay {
  return {
    day: textOf(row, "day"),
    answers: numberOf(row, "answers"),
    failures: numberOf(row, "failures"),
    nanoUsd: numberOf(row, "nano_usd"),
  };
}

/** Within a transaction. */
export function forgetJudging(sql: Sql, nowMs: number): void {
  sql.exec(`DELETE FROM judge_days WHERE day < ?`, dayOf(nowMs - KEEP_DAYS * DAY_MS));
}
