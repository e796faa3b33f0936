// The parts beside the guardrails: histograms, what is usual, the baseline's own change detector, the check of the split,
// the design effect, the gate of a ramp.

import { describe, expect, it } from "vitest";
import {
  addBaseline,
  createChangeDetector,
  hasChanged,
} from "../../../src/core/guardrails/change-detector.ts";
import { designEffect } from "../../../src/core/guardrails/design-effect.ts";
import {
  binOf,
  BINS,
  countAbove,
  countIn,
  logSums,
  mergeHistograms,
  quantileOf,
  valueOfBin,
  type Histogram,
} from "../../../src/core/guardrails/histogram.ts";
import { addToGate, createRampGate, judgeGate } from "../../../src/core/guardrails/ramp-gate.ts";
import {
  addSplit,
  createSplitCheck,
  SPLIT_AT,
  splitEvidence,
} from "../../../src/core/guardrails/split-check.ts";
import { addToUsual, NOTHING_USUAL } from "../../../src/core/guardrails/usual.ts";
import { createRandom } from "../../../bench/guardrails/random.ts";

describe("a histogram", () => {
  it("keeps every value within five percent", () => {
    for (let value = 1.5; value < 500_000; value *= 1.037) {
      expect(Math.abs(valueOfBin(binOf(value)) / value - 1)).toBeLessThan(0.05);
    }
  });

  it("has a place for everything, nonsense included", () => {
    for (const value of [0, -1, Number.NaN, 1, 1e12, Number.POSITIVE_INFINITY]) {
      expect(binOf(value)).toBeGreaterThanOrEqual(0);
      expect(binOf(value)).toBeLessThan(BINS);
    }
  });

  it("merges to what one histogram of all values would be", () => {
    const random = createRandom(3);
    const parts: Histogram[] = [{}, {}, {}];
    const whole: Histogram = {};
    for (let index = 0; index < 3_000; index += 1) {
      const bin = binOf(Math.exp(5 + random.normal()));
      const part = parts[index % 3]!;
      part[bin] = (part[bin] ?? 0) + 1;
      whole[bin] = (whole[bin] ?? 0) + 1;
    }
    const merged = parts.reduce(mergeHistograms);
    expect(merged).toEqual(whole);
    expect(countIn(merged)).toBe(3_000);
    expect(Math.log(quantileOf(merged, 0.5)!)).toBeCloseTo(5, 0);
  });

  it("knows nothing of nothing", () => {
    expect(quantileOf({}, 0.5)).toBeNull();
    expect(logSums({}, 10)).toEqual({ units: 0, sum: 0, squares: 0, cubes: 0 });
  });

  it("clips what lies beyond, and counts it", () => {
    const histogram = { [binOf(100)]: 9, [binOf(60_000)]: 1 };
    const clip = binOf(200);
    expect(logSums(histogram, clip).sum).toBeLessThan(9 * Math.log(105) + Math.log(210));
    expect(countAbove(histogram, clip)).toBe(1);
  });
});

const feed = (rates: number[], { stepMs = 1_000, seed = 5 } = {}) => {
  const random = createRandom(seed);
  let detector = createChangeDetector();
  let changed = false;
  const noticed: number[] = [];
  for (const [at, rate] of rates.entries()) {
    const bad = random.binomial(50, rate);
    detector = addBaseline(detector, { units: 50, bad }, at * stepMs);
    changed = hasChanged(detector, changed);
    if (changed) noticed.push(at);
  }
  return noticed;
};

/** 50 requests take so long at ten a second. */
const TEN_A_SECOND_MS = 5_000;

describe("the baseline's change detector", () => {
  it("is silent while nothing changes", () => {
    expect(feed(Array.from({ length: 4_000 }, () => 0.01))).toEqual([]);
  });

  it("notices a tenfold error rate within 300 requests, and that it is over", () => {
    const rates = Array.from({ length: 1_000 }, (_, at) => (at >= 300 && at < 500 ? 0.1 : 0.01));
    const noticed = feed(rates);
    expect(noticed[0]).toBeGreaterThanOrEqual(300);
    expect(noticed[0]).toBeLessThan(306);
    expect(noticed).toContain(480);
    expect(noticed.at(-1)).toBeLessThan(999);
  });

  it.each([
    [0, 30],
    [0.001, 80],
    [0.003, 100],
    [0.01, 140],
  ])("knows that it is over soon where %d fail as a rule: within %i times 50 requests", (usual, most) => {
    const rates = Array.from({ length: 800 }, (_, at) => (at >= 300 && at < 320 ? 0.5 : usual));
    for (let seed = 1; seed <= 20; seed += 1) {
      const noticed = feed(rates, { seed, stepMs: TEN_A_SECOND_MS });
      expect(noticed).toContain(319);
      expect(noticed.at(-1)! - 319, `seed ${seed}`).toBeLessThanOrEqual(most);
    }
  });

  it.each([0, 0.001, 0.01])("takes none for over that goes on, where %d fail as a rule", (usual) => {
    for (const worse of [0.03 + 2 * usual, 0.1, 1]) {
      const rates = Array.from({ length: 600 }, (_, at) => (at >= 100 ? worse : usual));
      const noticed = feed(rates);
      expect(noticed).toEqual(Array.from({ length: 600 - noticed[0]! }, (_, at) => noticed[0]! + at));
    }
  });

  it.each([
    ["a fortieth of a second", 25, 30 * 60_000],
    ["ten seconds", 10_000, 400 * 10_000],
  ])(
    "takes an incident for usual once it has lasted 20,000 requests and half an hour (50 in %s)",
    (_, stepMs, leastMs) => {
      const settled = feed(
        Array.from({ length: 300 }, () => 0.01),
        { stepMs },
      );
      expect(settled).toEqual([]);
      const steps = Math.ceil((1.2 * leastMs) / stepMs);
      const noticed = feed(
        [...Array.from({ length: 300 }, () => 0.01), ...Array.from({ length: steps }, () => 0.1)],
        { stepMs },
      );
      const lastedMs = (noticed.at(-1)! - noticed[0]!) * stepMs;
      expect(lastedMs).toBeGreaterThan(0.97 * leastMs);
      expect(lastedMs).toBeLessThan(1.03 * leastMs);
    },
  );

  it.each([
    [0.002, 1_500],
    [0.005, 3_000],
  ])(
    "lets go of a short run of errors after 500 requests that did not fail once by luck (usual rate %d, 95 %% of 200 runs)",
    (rate, mostRequests) => {
      const rates = [...Array<number>(10).fill(0), 0.5, ...Array<number>(800).fill(rate)];
      const called = Array.from({ length: 200 }, (_, seed) => {
        const noticed = feed(rates, { seed: seed + 1, stepMs: TEN_A_SECOND_MS });
        expect(noticed[0]).toBe(10);
        return 50 * noticed.length;
      });
      const inTime = called.filter((requests) => requests <= mostRequests);
      expect(inTime.length).toBeGreaterThanOrEqual(190);
    },
  );

  it("sees one incident in the waves of a limit by the minute, not one a minute", () => {
    const stepMs = 500;
    const minutes = 30;
    const wave = Array.from({ length: 60_000 / stepMs }, (_, at) => (at < 10 ? 0.5 : 0.001));
    const rates = [...Array<number>(300).fill(0.001), ...Array.from({ length: minutes }, () => wave).flat()];
    const noticed = feed(rates, { stepMs });
    expect(noticed).toEqual(Array.from({ length: rates.length - noticed[0]! }, (_, at) => noticed[0]! + at));
  });

  it("takes a first error after none at all for no alarm", () => {
    expect(feed([...Array.from({ length: 20 }, () => 0), 0.02])).toEqual([]);
  });
});

describe("the check of the split", () => {
  it("stays quiet at the share that was meant, and finds another", () => {
    const random = createRandom(9);
    let meant = createSplitCheck();
    let missing = createSplitCheck();
    for (let at = 0; at < 400; at += 1) {
      meant = addSplit(meant, { units: 50, canary: random.binomial(50, 0.05), share: 0.05 });
      missing = addSplit(missing, { units: 50, canary: random.binomial(50, 0.035), share: 0.05 });
    }
    expect(splitEvidence(meant)).toBeLessThan(SPLIT_AT);
    expect(splitEvidence(missing)).toBeGreaterThan(SPLIT_AT);
  });
});

describe("what is usual", () => {
  it("is read off the past, never off the stratum that it judges", () => {
    const first = addToUsual(NOTHING_USUAL, { [binOf(100)]: 99, [binOf(5_000)]: 1 });
    expect(NOTHING_USUAL.tailBin).toBe(BINS - 1);
    expect(first.tailBin).toBe(binOf(100));
    expect(first.clipBin).toBeGreaterThanOrEqual(first.tailBin);
  });

  it("forgets: tens of thousands of answers later the new times are the usual ones", () => {
    let usual = NOTHING_USUAL;
    for (let at = 0; at < 1_000; at += 1) usual = addToUsual(usual, { [binOf(100)]: 50 });
    for (let at = 0; at < 2_000; at += 1) usual = addToUsual(usual, { [binOf(1_000)]: 50 });
    expect(usual.units).toBeLessThanOrEqual(40_000);
    expect(usual.units).toBe(countIn(usual.histogram));
    expect(usual.histogram[binOf(100)]!).toBeLessThan(usual.units / 4);
  });
});

const armOf = (units: number, sums: number[]) => ({
  buckets: sums.map((sum) => ({ units, sum })),
  squares: sums.reduce((all, sum) => all + sum, 0),
});

describe("the design effect", () => {
  const even = armOf(
    100,
    Array.from({ length: 64 }, (_, at) => 8 + (at % 5)),
  );

  it("is one for independent values and large for clumps, in whichever arm", () => {
    const random = createRandom(4);
    const independent = armOf(
      100,
      Array.from({ length: 64 }, () => random.binomial(100, 0.1)),
    );
    expect(designEffect(independent, even)).toBeLessThan(3);
    const clumps = armOf(
      100,
      Array.from({ length: 64 }, (_, at) => (at % 8 === 0 ? 80 : 0)),
    );
    expect(designEffect(clumps, even)).toBeGreaterThan(50);
    expect(designEffect(even, clumps)).toBeGreaterThan(50);
  });

  it("lets a single user who always fails speak once, however often they try", () => {
    expect(designEffect(even, armOf(30, [30]))).toBe(30);
    expect(designEffect(even, armOf(1, [1, 1, 1, 1, 1]))).toBe(1.5);
  });

  it("is its margin of safety where there is nothing to tell", () => {
    expect(designEffect(armOf(0, []), armOf(0, []))).toBe(1.5);
  });
});

const open = (world: { errors: number; canaryErrors: number; slower: number; canary?: number }) => {
  const { canary = 5 } = world;
  const random = createRandom(6);
  let gate = createRampGate();
  const arm = (units: number, errors: number, slower: number) => {
    const bad = random.binomial(units, errors);
    const sums = { units: units - bad, sum: 0, squares: 0 };
    for (let index = 0; index < units - bad; index += 1) {
      const x = 7 + slower + 0.8 * random.normal();
      sums.sum += x;
      sums.squares += x * x;
    }
    return { counts: { units, bad }, sums };
  };
  for (let at = 0; at < 1_000; at += 1) {
    const one = arm(50 - canary, world.errors, 0);
    const other = arm(canary, world.canaryErrors, world.slower);
    gate = addToGate(JSON.parse(JSON.stringify(gate)), {
      errors: { baseline: one.counts, canary: other.counts },
      latency: [{ baseline: one.sums, canary: other.sums }],
    });
  }
  return judgeGate(gate);
};

describe("the gate of a ramp", () => {
  it("opens for a canary that is as good as the baseline", () => {
    expect(open({ errors: 0.02, canaryErrors: 0.02, slower: 0 }).isOpen).toBe(true);
  });

  it("stays shut for a canary that fails twice as often, or takes a fifth longer", () => {
    expect(open({ errors: 0.02, canaryErrors: 0.045, slower: 0 })).toMatchObject({ isOpen: false });
    const slow = open({ errors: 0.02, canaryErrors: 0.02, slower: Math.log(1.25) });
    expect(slow.isOpen).toBe(false);
    expect(slow.errors).toBeGreaterThan(slow.threshold);
    expect(slow.time).toBeLessThan(slow.threshold);
  });

  it("opens where nobody ever fails, and where the canary fails too rarely to matter", () => {
    expect(open({ errors: 0, canaryErrors: 0, slower: 0 }).isOpen).toBe(true);
    expect(open({ errors: 0, canaryErrors: 0.0005, slower: 0 }).isOpen).toBe(true);
    expect(open({ errors: 0, canaryErrors: 0.02, slower: 0 }).isOpen).toBe(false);
  });

  it("stays shut without traffic", () => {
    expect(open({ errors: 0.02, canaryErrors: 0, slower: 0, canary: 0 }).isOpen).toBe(false);
    expect(judgeGate(createRampGate()).isOpen).toBe(false);
  });
});
