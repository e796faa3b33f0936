// The judge in a prompt's Control: what was judged is counted once with its report, and isolates are granted no more than the
// day's budget has left.

import { beforeEach, describe, expect, it } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { forgetJudging, readJudgeDays } from "../../src/control/judging.ts";
import { answerSync } from "../../src/control/reports.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import { RESERVED_MS } from "../../src/core/judge-budget.ts";
import { addJudgement, type Judgement } from "../../src/core/metering/judged.ts";
import { createSums } from "../../src/core/metering/sums.ts";
import type { SyncReply, SyncRequest } from "../../src/core/ports.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Tally } from "../../src/core/types.ts";
import { JUDGE_DEFAULTS } from "../../src/core/watch-settings.ts";
import { createEnvelope, expectAccepted, LEASE, OPTIONS, START_MS } from "./support/commands.ts";
import { changeWeight, createPrompt, createSync, createTally } from "./support/prompts.ts";
import { createTestSql, type TestSql } from "./support/sqlite.ts";

const JUDGE = { ...JUDGE_DEFAULTS, prompt: "answer-judge", provider: "openai", maxUsdPerDay: 0.5 };
const CENT = 10_000_000;

let sql: TestSql;
let store: ControlStore;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  createPrompt(store);
});

function put(judge: typeof JUDGE | null): void {
  const command = { type: "put", settings: { judge } } as const;
  expectAccepted(executeCommand(store, createEnvelope(command), null, START_MS, OPTIONS));
}

function sync(more: Partial<SyncRequest> = {}, nowMs = START_MS): SyncReply {
  const reply = answerSync(store, createSync(more), LEASE, nowMs);
  if (isProblem(reply)) throw new Error(reply.message);
  return reply;
}

function judged(...judgements: Judgement[]): Tally {
  const sums = createSums();
  for (const one of judgements) addJudgement(sums, one);
  return createTally({ requests: 0, sums });
}

const report = (sequence: number, ...judgements: Judgement[]) => ({
  sequence,
  tallies: [judged(...judgements)],
});

describe("an allowance", () => {
  it("is given where there is a judge and a canary, and nowhere else", () => {
    expect(sync()).not.toHaveProperty("judgeAllowance");
    put(JUDGE);
    expect(sync()).not.toHaveProperty("judgeAllowance");
    changeWeight(store, 5, START_MS);
    expect(sync().judgeAllowance).toBe(8);
    put(null);
    expect(sync()).not.toHaveProperty("judgeAllowance");
  });

  it("divides what the day has left among isolates, and comes back where one falls silent", () => {
    put(JUDGE);
    changeWeight(store, 5, START_MS);
    // 50 cents at 2 cents each: 25 answers.
    const grants = ["a", "b", "c", "d", "e"].map((isolate) => sync({ isolate }).judgeAllowance);
    expect(grants).toEqual([8, 8, 8, 1, 0]);
    expect(sync({ isolate: "a" }).judgeAllowance).toBe(8);
    expect(sync({ isolate: "e" }, START_MS + RESERVED_MS - 1).judgeAllowance).toBe(0);
    expect(sync({ isolate: "e" }, START_MS + RESERVED_MS).judgeAllowance).toBe(8);
  });

  it("goes by what answers have cost, until the budget is spent; the next day begins anew", () => {
    put(JUDGE);
    changeWeight(store, 5, START_MS);
    const cheap = Array.from({ length: 10 }, () => ({ score: 0.5, nanoUsd: CENT / 10 }));
    sync({ report: report(1, ...cheap) });
    expect(["a", "b", "c", "d", "e"].map((isolate) => sync({ isolate }).judgeAllowance)).toEqual([
      8, 8, 8, 8, 8,
    ]);
    const dear = { score: null, nanoUsd: 49 * CENT };
    expect(sync({ report: report(2, dear) }).judgeAllowance).toBe(0);
    expect(sync({ isolate: "f" }, START_MS + 86_400_000).judgeAllowance).toBe(8);
  });
});

describe("what was judged", () => {
  it("is counted once with its report, failures apart, by days", () => {
    const once = report(1, { score: 0.8, nanoUsd: CENT }, { score: null, nanoUsd: 3 });
    sync({ report: once });
    sync({ report: once });
    sync({ report: report(2, { score: 0, nanoUsd: 0 }) }, START_MS + 86_400_000);
    sync({ report: { sequence: 3, tallies: [createTally()] } }, START_MS + 2 * 86_400_000);
    expect(readJudgeDays(sql)).toEqual([
      { day: "2026-11-24", answers: 1, failures: 0, nanoUsd: 0 },
      { day: "2026-11-23", answers: 2, failures: 1, nanoUsd: CENT + 3 },
    ]);
  });

  it("is forgotten after a month", () => {
    sync({ report: report(1, { score: 0.8, nanoUsd: 1 }) });
    forgetJudging(sql, START_MS + 31 * 86_400_000);
    expect(readJudgeDays(sql)).toHaveLength(1);
    forgetJudging(sql, START_MS + 32 * 86_400_000);
    expect(readJudgeDays(sql)).toEqual([]);
  });
});
