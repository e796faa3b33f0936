// The judge in an isolate. Guarantees: whether an answer is judged never depends on the answer; no more are judged than Control
// has granted, nor at a time than is set; whatever the judge does is counted once and disturbs nobody; no text is logged.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GRANT_MS, UNKNOWN_NANO_USD } from "../../src/core/judge-budget.ts";
import type { Judgement } from "../../src/core/metering/judged.ts";
import type { Assignment, Release } from "../../src/core/types.ts";
import { JUDGE_DEFAULTS } from "../../src/core/watch-settings.ts";
import { judgeAnswer, type JudgeMeans } from "../../src/edge/judge.ts";
import {
  createJudging,
  drawSample,
  takeGrant,
  type JudgeSample,
  type Judging,
} from "../../src/edge/judge-draw.ts";
import { addJudged, judgedUnsent } from "../../src/edge/judge-tally.ts";
import { acknowledge, createTallies, takeReport } from "../../src/edge/tallies.ts";

const JUDGE = { ...JUDGE_DEFAULTS, prompt: "answer-judge", provider: "openai" };
const RELEASE = {
  judge: JUDGE,
  baseline: 1,
  arms: [
    { version: 1, weight: 80 },
    { version: 2, weight: 20 },
  ],
} as Release;
const CANARY: Assignment = { version: 2, arm: "canary", reason: "split", revision: 7, bucket: 1 };
const BASELINE: Assignment = { ...CANARY, version: 1, arm: "baseline" };
const TURN = { firstUserText: "Money back?", continues: false, isJudge: false };
const STAMP = {
  revision: 7,
  version: 2,
  arm: "canary",
  reason: "split",
  turn: "first",
  unitBucket: null,
} as const;
const SAMPLE: JudgeSample = { settings: JUDGE, question: "Money back?", stamp: STAMP };

function granted(answers: number, atMs = Date.now()): Judging {
  const judging = createJudging();
  takeGrant(judging, answers, 0, atMs, atMs);
  return judging;
}

function draw(
  assignment: Assignment,
  more: { turn?: object; judging?: Judging; chance?: number; nowMs?: number } = {},
) {
  const { turn, judging = granted(8), chance = 0, nowMs = Date.now() } = more;
  return drawSample(RELEASE, assignment, { ...TURN, ...turn }, judging, nowMs, () => chance);
}

/** Of a thousand chances, evenly from 0 to 1. */
const drawn = (assignment: Assignment) =>
  Array.from({ length: 1_000 }, (_, at) => draw(assignment, { chance: at / 1_000 })).filter(
    (one) => one !== null,
  );

describe("the draw", () => {
  it("takes all of a small canary and as many of the baseline's answers", () => {
    expect(drawn(CANARY)).toHaveLength(1_000);
    expect(drawn(BASELINE)).toHaveLength(250);
  });

  it("knows which turn it is on, under which release", () => {
    expect(draw(CANARY)).toEqual(SAMPLE);
  });

  it("takes nothing that was not split by chance, no later turn, no judge's own, none without a question", () => {
    for (const reason of ["static", "pinned", "drain", "no_lease", "fallback"] as const) {
      expect(draw({ ...CANARY, reason })).toBeNull();
    }
    for (const turn of [
      { continues: true },
      { isJudge: true },
      { firstUserText: null },
      { firstUserText: "\u0000ab" },
    ]) {
      expect(draw(CANARY, { turn })).toBeNull();
    }
  });

  it("takes nothing beyond a grant, nor by one that is old, nor by a clock that went backwards", () => {
    const nowMs = Date.now();
    expect(draw(CANARY, { judging: granted(0) })).toBeNull();
    expect(draw(CANARY, { judging: createJudging() })).toBeNull();
    const judging = granted(1, nowMs);
    expect(draw(CANARY, { judging, nowMs: nowMs + GRANT_MS - 1 })).not.toBeNull();
    expect(draw(CANARY, { judging, nowMs: nowMs + GRANT_MS })).toBeNull();
    expect(draw(CANARY, { judging, nowMs: nowMs - 1 })).toBeNull();
  });
});

it("of a grant what is under way and not reported is used up already", () => {
  const judging = createJudging();
  judging.running.push(1_000);
  judging.waiting.push(1_000, 1_000);
  takeGrant(judging, 8, 3, 2_000, 2_000);
  expect(judging.allowance).toBe(2);
  // Who was never heard of again has gone with its request.
  takeGrant(judging, 8, 3, 40_000, 40_000);
  expect([judging.allowance, judging.running, judging.waiting]).toEqual([5, [], []]);
  takeGrant(judging, undefined, 0, 41_000, 41_000);
  expect(judging.allowance).toBe(0);
});

const says = (content: string) => () => Response.json({ choices: [{ index: 0, message: { content } }] });
const judge = (means_: JudgeMeans, judging = granted(8), answer = "Any time!") =>
  judgeAnswer(judging, SAMPLE, answer, means_);

describe("an answer that was drawn", () => {
  let asked: { url: string; body: { [name: string]: unknown }; headers: Headers }[];
  let counted: Judgement[];
  let logged: string[];

  beforeEach(() => {
    asked = [];
    counted = [];
    logged = [];
    vi.spyOn(console, "warn").mockImplementation((line: string) => void logged.push(line));
  });
  afterEach(() => vi.restoreAllMocks());

  function means(
    answer: (request: Request) => Response | Promise<Response>,
    costUsd: number | null = 0.001,
  ): JudgeMeans {
    return {
      async ask(request) {
        const body = (await request.clone().json()) as { [name: string]: unknown };
        asked.push({ url: request.url, body, headers: request.headers });
        return answer(request);
      },
      costOf: async () => (costUsd === null ? null : costUsd * 1e9),
      count(stamp, judgement) {
        expect(stamp).toEqual(STAMP);
        counted.push(judgement);
      },
    };
  }

  it("is put to the judge's prompt with question and answer, and its score counts for what was judged", async () => {
    await judge(means(says('{"score": 0.25}')));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      url: "https://switchback.invalid/p/answer-judge/openai/v1/chat/completions",
      body: { prompt_variables: { question: "Money back?", answer: "Any time!" } },
    });
    // Else all that is ever judged would be one unit to the judge's own split.
    expect(asked[0]?.headers.get("prompt-key")).toMatch(/^[0-9a-f-]{36}$/);
    expect(counted).toEqual([{ score: 0.25, nanoUsd: 1_000_000 }]);
    expect(logged).toEqual([]);
  });

  it("is cut where it is long, and judged all the same", async () => {
    await judge(means(says('{"score": 1}')), granted(1), "é".repeat(20_000));
    const { answer } = asked[0]!.body["prompt_variables"] as { answer: string };
    expect(Buffer.byteLength(answer)).toBe(JUDGE.maxBytes);
    expect(counted).toHaveLength(1);
  });

  it.each<[string, () => Response | Promise<Response>, number, RegExp]>([
    ["gives no score", says("I like it."), 1_000_000, /no score/],
    ["gives a score out of range", says('{"score": 9}'), 1_000_000, /no score/],
    ["answers no JSON", () => new Response("<html>"), 1_000_000, /no score/],
    ["is refused by its provider", () => Response.json({}, { status: 429 }), 0, /status 429/],
    [
      "does not exist",
      () => Response.json({}, { status: 404, headers: { "prompt-error": "prompt_not_found" } }),
      0,
      /prompt_not_found/,
    ],
    ["breaks", () => Promise.reject(new TypeError("secret words")), UNKNOWN_NANO_USD, /TypeError/],
  ])(
    "whose judge %s is counted as a failure, with what that cost, and logged without its words",
    async (_, answer, nanoUsd, why) => {
      const judging = granted(8);
      await judge(means(answer), judging);
      await judge(means(answer), judging);
      expect(counted).toEqual([
        { score: null, nanoUsd },
        { score: null, nanoUsd },
      ]);
      expect(logged).toHaveLength(1);
      expect(logged[0]).toMatch(why);
      for (const secret of ["Money", "Any time", "I like", "secret words"])
        expect(logged[0]).not.toContain(secret);
      expect([judging.running, judging.waiting]).toEqual([[], []]);
    },
  );

  it("counts a stated amount where nobody knows what the judge cost", async () => {
    await judge(means(says('{"score": 1}'), null));
    expect(counted).toEqual([{ score: 1, nanoUsd: UNKNOWN_NANO_USD }]);
  });

  it("waits while as many as may be are being judged, and no more than granted ever are", async () => {
    let running = 0;
    let most = 0;
    const slow = means(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return says('{"score": 1}')();
    });
    const judging = granted(5);
    await Promise.all(Array.from({ length: 8 }, () => judge(slow, judging)));
    expect(most).toBe(JUDGE.concurrency);
    expect(counted).toHaveLength(5);
    expect(judging).toMatchObject({ allowance: 0, running: [], waiting: [] });
  });
});

it("judgements go up in the report, and count as unsent until Control has them", () => {
  const tallies = createTallies();
  addJudged(tallies, STAMP, { score: 0.5, nanoUsd: 7 });
  addJudged(tallies, STAMP, { score: null, nanoUsd: 3 });
  addJudged(tallies, { ...STAMP, version: 1, arm: "baseline" }, { score: 1, nanoUsd: 0 });
  expect(judgedUnsent(tallies)).toBe(3);
  const report = takeReport(tallies);
  expect(report?.tallies).toMatchObject([
    {
      revision: 7,
      version: 2,
      arm: "canary",
      reason: "split",
      turn: "first",
      requests: 0,
      started: 0,
      sums: {
        judge: { units: 1, sum: 5_000, squares: 25_000_000, nanoUsd: 10 },
        counts: { judgeFailures: 1 },
      },
    },
    { version: 1, sums: { judge: { units: 1, sum: 10_000 } } },
  ]);
  addJudged(tallies, STAMP, { score: 1, nanoUsd: 0 });
  expect(judgedUnsent(tallies)).toBe(4);
  acknowledge(tallies, 1);
  expect(judgedUnsent(tallies)).toBe(1);
});
