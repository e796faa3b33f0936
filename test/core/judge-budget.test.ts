// The judge's budget across isolates. Guarantee: what is spent never passes it by more than the stated bound, whatever the
// order of asking, judging and reporting.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allowanceOf,
  estimateOf,
  GRANT_MS,
  grantAnswers,
  RESERVED_MS,
  UNKNOWN_NANO_USD,
  type JudgeGrant,
  type JudgeSpending,
} from "../../src/core/judge-budget.ts";

const SETTINGS = { maxUsdPerDay: 1, concurrency: 2 };
const NOTHING: JudgeSpending = { answers: 0, nanoUsd: 0 };

describe("a grant", () => {
  it("is four answers for each that may be judged at a time, while there is money", () => {
    expect(grantAnswers(SETTINGS, NOTHING, [], 0)).toBe(8);
    expect(grantAnswers({ ...SETTINGS, maxUsdPerDay: 0 }, NOTHING, [], 0)).toBe(0);
    expect(grantAnswers(SETTINGS, { answers: 100, nanoUsd: 980_000_000 }, [], 0)).toBe(2);
    expect(grantAnswers(SETTINGS, { answers: 100, nanoUsd: 2_000_000_000 }, [], 0)).toBe(0);
  });

  it("leaves what others were granted, until that is over", () => {
    const others: JudgeGrant[] = [{ answers: 46, untilMs: 10 }];
    expect(grantAnswers(SETTINGS, NOTHING, others, 9)).toBe(4);
    expect(grantAnswers(SETTINGS, NOTHING, others, 10)).toBe(8);
  });

  it("reckons with what answers have cost so far, and before the first one with a stated amount", () => {
    expect(estimateOf(NOTHING)).toBe(UNKNOWN_NANO_USD);
    expect(estimateOf({ answers: 4, nanoUsd: 10 })).toBe(3);
    expect(estimateOf({ answers: 4, nanoUsd: 0 })).toBe(1);
  });
});

type Step = { isolate: number; does: "begin" | "end" | "sync" };

/** What five isolates spend that judge and sync as they please; answers cost what `costOf` gives in turn. */
function spendOf(steps: Step[], costOf: () => number, maxUsdPerDay: number): number {
  const spending = { ...NOTHING };
  const grants = new Map<number, JudgeGrant>();
  const isolates = Array.from({ length: 5 }, () => ({
    allowance: 0,
    begun: [] as number[],
    ended: [] as number[],
  }));
  let spent = 0;
  for (const { isolate: at, does } of steps) {
    const isolate = isolates[at]!;
    if (does === "begin" && isolate.allowance > 0) {
      const cost = costOf();
      isolate.allowance -= 1;
      isolate.begun.push(cost);
      spent += cost;
    }
    if (does === "end") isolate.ended.push(...isolate.begun.splice(0, 1));
    if (does === "sync") {
      for (const one of isolate.ended) spending.nanoUsd += one;
      spending.answers += isolate.ended.length;
      isolate.ended = [];
      const others = [...grants].filter(([other]) => other !== at).map(([, grant]) => grant);
      const answers = grantAnswers({ ...SETTINGS, maxUsdPerDay }, spending, others, 0);
      grants.set(at, { answers, untilMs: RESERVED_MS });
      isolate.allowance = allowanceOf(answers, isolate.begun.length);
    }
  }
  return spent;
}

const steps = fc.array(
  fc.record({
    isolate: fc.integer({ min: 0, max: 4 }),
    does: fc.constantFrom<Step["does"][]>("begin", "begin", "end", "sync"),
  }),
  { minLength: 30, maxLength: 300, size: "max" },
);

const budget = fc.constantFrom(0.04, 0.1, 0.3, 1);
const costs = fc.infiniteStream(fc.integer({ min: 1, max: 60_000_000 }));

describe("the budget", () => {
  it("is never passed where answers cost the same, and no more than is reckoned at first (1,000 runs)", () => {
    fc.assert(
      fc.property(steps, budget, fc.integer({ min: 1_000_000, max: UNKNOWN_NANO_USD }), (done, usd, cost) => {
        expect(spendOf(done, () => cost, usd)).toBeLessThanOrEqual(usd * 1e9);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is passed by no more than what is in reserve costs above the mean (1,000 runs)", () => {
    fc.assert(
      fc.property(steps, budget, costs, (done, usd, cost) => {
        const reserve = 5 * 4 * SETTINGS.concurrency;
        const spent = spendOf(done, () => cost.next().value!, usd);
        expect(spent).toBeLessThanOrEqual(usd * 1e9 + reserve * 60_000_000);
      }),
      { numRuns: 1_000 },
    );
  });
});

it("is reserved for longer than it may be used", () => {
  expect(RESERVED_MS).toBeGreaterThan(GRANT_MS);
});
