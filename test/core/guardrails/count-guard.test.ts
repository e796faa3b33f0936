// The count guardrail keeps its promise about false alarms and finds what is bad: exact where it can be computed by
// hand, by seeded simulation where it cannot.

import { describe, expect, it } from "vitest";
import {
  addCounts,
  COUNT_RULE,
  createCountGuard,
  logEvidence,
} from "../../../src/core/guardrails/count-guard.ts";
import { riskRatio } from "../../../src/core/guardrails/risk-ratio.ts";
import { logMoments } from "../../../src/core/guardrails/hypergeometric.ts";

/** By counting every way to choose: the definition itself. */
function momentByHand(total: number, bad: number, canary: number, odds: number): number {
  const choose = (n: number, k: number): number =>
    k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
  let sum = 0;
  for (let x = 0; x <= Math.min(bad, canary); x += 1) {
    sum += ((choose(bad, x) * choose(total - bad, canary - x)) / choose(total, canary)) * odds ** x;
  }
  return sum;
}

describe("the hypergeometric's moments", () => {
  it("are those of the definition, for all small margins", () => {
    for (let total = 1; total <= 12; total += 1) {
      for (let bad = 0; bad <= total; bad += 1) {
        for (let canary = 0; canary <= total; canary += 1) {
          const [log = Number.NaN] = logMoments({ total, bad, canary }, [3]);
          expect(Math.exp(log)).toBeCloseTo(momentByHand(total, bad, canary, 3), 8);
        }
      }
    }
  });

  it("stay finite and consistent for margins whose powers overflow", () => {
    const [low = 0, high = 0] = logMoments({ total: 4_000, bad: 2_000, canary: 2_000 }, [1, 25]);
    expect(low).toBeCloseTo(0, 6);
    expect(Number.isFinite(high)).toBe(true);
    expect(high).toBeGreaterThan(1_000 * Math.log(25) * 0.9);
  });
});

describe("a high tolerance", () => {
  const rule = { ...COUNT_RULE, margin: 100 };

  it("keeps capital that survives JSON, however large a stratum is", () => {
    for (const units of [50, 100, 140, 149, 151, 400]) {
      const both = { baseline: { units, bad: units - 1 }, canary: { units, bad: 1 } };
      const { logCapital } = addCounts(createCountGuard(rule), both, rule);
      expect(JSON.parse(JSON.stringify(logCapital))).toEqual(logCapital);
      expect(logCapital.every(Number.isFinite)).toBe(true);
    }
  });

  it("is summed up alike on both sides of the bound from which logarithms are", () => {
    // 101 terms: at an odds ratio of e to the 600 / 101. Over so short a stretch ln M runs straight.
    const odds = [-3, -1, 1, 3].map((step) => Math.exp(600 / 101 + step / 1_000));
    const logs = logMoments({ total: 240, bad: 100, canary: 120 }, odds);
    const rises = logs.slice(1).map((log, index) => log - logs[index]!);
    expect(rises[1]).toBeCloseTo(rises[0]!, 4);
    expect(rises[2]).toBeCloseTo(rises[1]!, 4);
    expect(rises[1]).toBeGreaterThan(0.1);
  });
});

const stratum = (baselineBad: number, canaryBad: number) => ({
  baseline: { units: 45, bad: baselineBad },
  canary: { units: 5, bad: canaryBad },
});

describe("the count guardrail", () => {
  it("begins with no evidence at all", () => {
    expect(logEvidence(createCountGuard())).toBeCloseTo(0, 12);
    expect(riskRatio(createCountGuard().ratio)).toBeNull();
  });

  it("is a fair game: over every outcome of one stratum, evidence is worth what it was", () => {
    for (const bad of [1, 3, 10, 49]) {
      let expected = 0;
      for (let x = Math.max(0, bad - 45); x <= Math.min(5, bad); x += 1) {
        const choose = (n: number, k: number): number =>
          k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
        const chance = (choose(bad, x) * choose(50 - bad, 5 - x)) / choose(50, 5);
        expected += chance * Math.exp(logEvidence(addCounts(createCountGuard(), stratum(bad - x, x))));
      }
      expect(expected).toBeCloseTo(1, 9);
    }
  });

  it("loses nothing by fresh capital: what is put in was there before", () => {
    let guard = createCountGuard();
    for (let index = 0; index < 2_000; index += 1) guard = addCounts(guard, stratum(0, 0));
    expect(guard.restarts).toBe(20);
    expect(logEvidence(guard)).toBeCloseTo(0, 9);
  });

  it("learns nothing from a stratum without one of the arms, or without anything bad", () => {
    const alone = { baseline: { units: 50, bad: 25 }, canary: { units: 0, bad: 0 } };
    expect(logEvidence(addCounts(createCountGuard(), alone))).toBeCloseTo(0, 12);
    expect(logEvidence(addCounts(createCountGuard(), stratum(0, 0)))).toBeCloseTo(0, 12);
  });

  it("finds a canary that always fails within a dozen of its requests", () => {
    let guard = createCountGuard();
    for (let index = 0; index < 2; index += 1) guard = addCounts(guard, stratum(0, 5));
    expect(logEvidence(guard)).toBeGreaterThan(Math.log(800));
    expect(riskRatio(guard.ratio)).toBe(Number.POSITIVE_INFINITY);
  });

  it("blames nobody when both fail alike", () => {
    let guard = createCountGuard();
    for (let index = 0; index < 500; index += 1) guard = addCounts(guard, stratum(45, 5));
    expect(guard.peakLogEvidence).toBeLessThan(1);
  });

  it("counts correlated units for less", () => {
    const plain = addCounts(createCountGuard(), stratum(0, 5));
    const clumped = addCounts(createCountGuard(), stratum(0, 5), COUNT_RULE, 3);
    expect(logEvidence(clumped)).toBeLessThan(logEvidence(plain) / 2);
  });

  it("divides what it has gained already by a design effect that comes to light late", () => {
    let early = createCountGuard();
    let late = createCountGuard();
    for (let index = 0; index < 10; index += 1) {
      early = addCounts(early, stratum(1, 1), COUNT_RULE, 4);
      late = addCounts(late, stratum(1, 1), COUNT_RULE, index < 9 ? 1 : 4);
    }
    for (const [index, log] of early.logCapital.entries()) expect(late.logCapital[index]).toBeCloseTo(log, 9);
  });

  it("tolerates what its margin tolerates", () => {
    let strict = createCountGuard();
    let lenient = createCountGuard();
    for (let index = 0; index < 200; index += 1) {
      strict = addCounts(strict, stratum(4, 1));
      lenient = addCounts(lenient, stratum(4, 1), { ...COUNT_RULE, margin: 4 });
    }
    expect(strict.peakLogEvidence).toBeGreaterThan(Math.log(800));
    expect(lenient.peakLogEvidence).toBeLessThan(1);
  });
});
