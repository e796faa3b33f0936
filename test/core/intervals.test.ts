// Intervals against published examples, and by how often they hold what they should.

import { describe, expect, it } from "vitest";
import { binOf, type Histogram } from "../../src/core/guardrails/histogram.ts";
import {
  differenceInterval,
  meanInterval,
  momentsOf,
  quantileInterval,
  rateInterval,
  ratioInterval,
  studentQuantile,
  type Interval,
} from "../../src/core/intervals.ts";

/** Mulberry32: the same numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function createNormal(random: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** How often `make` holds `truth`. */
function coverage(truth: number, runs: number, make: () => Interval | null): number {
  let held = 0;
  for (let run = 0; run < runs; run += 1) {
    const interval = make();
    if (interval !== null && interval.low <= truth && truth <= (interval.high ?? Infinity)) held += 1;
  }
  return held / runs;
}

describe("a rate", () => {
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i is as Newcombe (1998) has Wilson's", (bad, units, low, high) => {
    const interval = rateInterval(bad, units)!;
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it("of nothing has none, and never leaves 0 to 1", () => {
    expect(rateInterval(0, 0)).toBeNull();
    expect(rateInterval(5, 5)).toMatchObject({ high: 1 });
    expect(rateInterval(9, 5)).toMatchObject({ high: 1 });
    expect(rateInterval(-1, 5)).toMatchObject({ low: 0 });
  });
});

describe("two rates", () => {
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ])("%i in %i less %i in %i is as Newcombe (1998) has it", (bad, units, others, of, low, high) => {
    const interval = differenceInterval({ rate: bad / units, units }, { rate: others / of, units: of })!;
    expect(interval.low).toBeCloseTo(low, 3);
    expect(interval.high!).toBeCloseTo(high, 3);
  });

  it("hold their ratio 95 times in 100, rare ones too", () => {
    const random = createRandom(7);
    const draw = (rate: number, units: number) => {
      let bad = 0;
      for (let unit = 0; unit < units; unit += 1) if (random() < rate) bad += 1;
      return { rate: bad / units, units };
    };
    for (const [canary, baseline, units, of] of [
      [0.05, 0.05, 100, 1_000],
      [0.1, 0.05, 200, 200],
      [0.02, 0.01, 300, 3_000],
    ] as const) {
      const held = coverage(canary / baseline, 2_000, () =>
        ratioInterval(draw(canary, units), draw(baseline, of)),
      );
      expect(held).toBeGreaterThan(0.93);
      expect(held).toBeLessThan(0.99);
    }
  });

  it("have no upper bound where the baseline had none, and nothing to say without units", () => {
    const one = { rate: 0.1, units: 100 };
    expect(ratioInterval(one, { rate: 0, units: 100 })).toMatchObject({ high: null });
    expect(ratioInterval(one, { rate: 0, units: 100 })!.low).toBeGreaterThan(1);
    expect(ratioInterval({ rate: 0, units: 100 }, one)).toMatchObject({ low: 0 });
    expect(ratioInterval({ rate: 0, units: 100 }, { rate: 0, units: 100 })).toEqual({ low: 0, high: null });
    expect(ratioInterval(one, { rate: 0, units: 0 })).toBeNull();
    expect(differenceInterval({ rate: 0, units: 0 }, one)).toBeNull();
  });
});

describe("a quantile", () => {
  it.each([
    [0.5, 30],
    [0.95, 200],
    [0.95, 5_000],
    [0.99, 1_000],
  ])("%f of %i values is held at least 95 times in 100", (quantile, units) => {
    const random = createRandom(11);
    const truth = 10 + 10_000 * quantile;
    const held = coverage(truth, 600, () => {
      const histogram: Histogram = {};
      for (let unit = 0; unit < units; unit += 1) {
        const bin = binOf(10 + 10_000 * random());
        histogram[bin] = (histogram[bin] ?? 0) + 1;
      }
      return quantileInterval(histogram, quantile);
    });
    expect(held).toBeGreaterThan(0.94);
  });

  it("has no upper bound where there are too few values, and none at all without any", () => {
    expect(quantileInterval({ 20: 10 }, 0.99)).toMatchObject({ high: null });
    expect(quantileInterval({ 20: 10 }, 0.5)).toEqual({ low: 1.1 ** 19, high: 1.1 ** 20 });
    expect(quantileInterval({ 20: 400 }, 0.99)).toEqual({ low: 1.1 ** 19, high: 1.1 ** 20 });
    expect(quantileInterval({ 0: 3 }, 0.5)).toEqual({ low: 0, high: null });
    expect(quantileInterval({}, 0.5)).toBeNull();
    // As by the tables for the median of 20 values: the 6th to the 15th.
    const each = Object.fromEntries(Array.from({ length: 20 }, (_, bin) => [bin + 1, 1]));
    expect(quantileInterval(each, 0.5)).toEqual({ low: 1.1 ** 5, high: 1.1 ** 15 });
  });
});

describe("a mean", () => {
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
    [1_000, 1.962],
  ])("of %i degrees has Student's quantile", (degrees, quantile) => {
    expect(Math.abs(studentQuantile(degrees) / quantile - 1)).toBeLessThan(0.004);
  });

  it("of skewed times is held nearly 95 times in 100", () => {
    const normal = createNormal(createRandom(3));
    const sigma = 0.8;
    const held = coverage(400 * Math.exp(sigma ** 2 / 2), 1_000, () => {
      const histogram: Histogram = {};
      for (let unit = 0; unit < 400; unit += 1) {
        const bin = binOf(400 * Math.exp(sigma * normal()));
        histogram[bin] = (histogram[bin] ?? 0) + 1;
      }
      return meanInterval(momentsOf(histogram));
    });
    expect(held).toBeGreaterThan(0.92);
  });

  it("of one value is not known", () => {
    expect(meanInterval({ units: 1, sum: 5, squares: 25 })).toBeNull();
    expect(meanInterval({ units: 0, sum: 0, squares: 0 })).toBeNull();
  });
});
