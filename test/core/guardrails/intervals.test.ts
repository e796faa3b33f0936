// Intervals of the risk ratio: they hold the truth and get narrower, and where one arm has not failed at all they still say
// something.

import { describe, expect, it } from "vitest";
import { addLikelihood, NO_LIKELIHOOD, oddsInterval } from "../../../src/core/guardrails/odds-interval.ts";
import {
  addRatios,
  addToRatio,
  isSparse,
  NO_RATIO,
  ratesOf,
  ratioInterval,
  riskRatio,
} from "../../../src/core/guardrails/risk-ratio.ts";
import { runInterval } from "../../../bench/guardrails/single.ts";

const stratum = (baselineBad: number, canaryBad: number, units = 50) => ({
  baseline: { units, bad: baselineBad },
  canary: { units, bad: canaryBad },
});

function after(strata: ReturnType<typeof stratum>[]) {
  const sums = strata.reduce(addToRatio, NO_RATIO);
  return { sums, likelihood: strata.reduce(addLikelihood, NO_LIKELIHOOD) };
}
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe("the risk ratio", () => {
  it("is that of the rates that it is shown with, whatever the weights were", () => {
    const strata = [stratum(1, 4), { baseline: { units: 90, bad: 9 }, canary: { units: 10, bad: 3 } }];
    const { sums } = after(strata);
    const rates = ratesOf(sums)!;
    expect(rates.canary / rates.baseline).toBeCloseTo(riskRatio(sums)!, 12);
    expect(addRatios(addToRatio(NO_RATIO, strata[0]!), addToRatio(NO_RATIO, strata[1]!))).toEqual(sums);
  });

  it("is not moved by a ramp during an incident, which moves pooled rates", () => {
    // 10 % of both fail later, when the canary has most of the traffic.
    const { sums } = after([
      { baseline: { units: 900, bad: 9 }, canary: { units: 100, bad: 1 } },
      { baseline: { units: 100, bad: 10 }, canary: { units: 900, bad: 90 } },
    ]);
    expect(riskRatio(sums)).toBeCloseTo(1, 9);
  });
});

describe("its interval", () => {
  it("holds the ratio and narrows with the data", () => {
    const few = after(times(20, stratum(1, 3)));
    const many = after(times(500, stratum(1, 3)));
    const [wide, narrow] = [few, many].map(({ sums, likelihood }) => ratioInterval(sums, likelihood, 0.05)!);
    for (const { low, high } of [wide!, narrow!]) {
      expect(low).toBeLessThan(3);
      expect(high!).toBeGreaterThan(3);
    }
    expect(narrow!.high! / narrow!.low).toBeLessThan(1.5);
    expect(narrow!.low).toBeGreaterThan(wide!.low);
  });

  it("says at least so much where the baseline has not failed at all", () => {
    const { sums, likelihood } = after(times(4, stratum(0, 5)));
    expect(isSparse(sums)).toBe(true);
    const { low, high } = ratioInterval(sums, likelihood, 0.05)!;
    expect(low).toBeGreaterThan(2.5);
    expect(high).toBeNull();
  });

  it("is open where there is nothing bad yet, and there is none where nothing was compared", () => {
    const { sums, likelihood } = after([stratum(0, 0)]);
    expect(ratioInterval(sums, likelihood, 0.05)).toEqual({ low: 0, high: null });
    expect(ratioInterval(NO_RATIO, NO_LIKELIHOOD, 0.05)).toBeNull();
  });

  it("is wider for clumped units", () => {
    for (const strata of [times(4, stratum(2, 4)), times(100, stratum(2, 4))]) {
      const { sums, likelihood } = after(strata);
      const plain = ratioInterval(sums, likelihood, 0.05)!;
      const clumped = ratioInterval(sums, likelihood, 0.05, 3)!;
      expect(clumped.low).toBeLessThan(plain.low);
      expect(clumped.high!).toBeGreaterThan(plain.high!);
    }
  });

  it("of few bad answers is the exact one: no odds ratio of the grid is left out more often than allowed", () => {
    // By enumeration of one stratum, at odds 1: the chance that 1 lies outside.
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    let missed = 0;
    for (let x = 0; x <= 12; x += 1) {
      const { low, high } = oddsInterval(addLikelihood(NO_LIKELIHOOD, stratum(12 - x, x)), 0.2);
      const chance = (choose(50, x) * choose(50, 12 - x)) / choose(100, 12);
      if (low > 1 || (high !== null && high < 1)) missed += chance;
    }
    expect(missed).toBeGreaterThan(0);
    expect(missed).toBeLessThanOrEqual(0.2);
  });

  it("hardly ever leaves out the truth, however often it is looked at", () => {
    const worlds = [
      { share: 0.1, errors: 0.01, ratio: 3 },
      { share: 0.5, errors: 0.002, ratio: 1 },
    ];
    for (const world of worlds) {
      expect(
        Array.from({ length: 12 }, (_, seed) => runInterval(world, seed)).filter(Boolean).length,
      ).toBeLessThan(4);
    }
  });
});
