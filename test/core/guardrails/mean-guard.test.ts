// The guardrail for means: it sees a shift of one arm, does not see what both share, and says by how much.

import { describe, expect, it } from "vitest";
import {
  addMeans,
  createMeanGuard,
  effectOf,
  intervalOf,
  SCORE_RULE,
  TIME_RULE,
  type MeanGuard,
} from "../../../src/core/guardrails/mean-guard.ts";
import { logNormalTail, type MeanStratum } from "../../../src/core/guardrails/normal-mixture.ts";
import { createRandom } from "../../../bench/guardrails/random.ts";

const ALPHA = 0.01 / 8;

/** Strata of 45 and 5 values; `shift` is the canary's, `drift` is everybody's, by stratum. */
function run(
  strata: number,
  options: { shift?: number; drift?: (at: number) => number; rule?: typeof TIME_RULE; seed?: number },
): MeanGuard {
  const { shift = 0, drift = () => 0, rule = TIME_RULE, seed = 1 } = options;
  const random = createRandom(seed);
  let guard = createMeanGuard();
  for (let at = 0; at < strata; at += 1) {
    const sums = (units: number, extra: number) => {
      let sum = 0;
      let squares = 0;
      for (let index = 0; index < units; index += 1) {
        const x = 7 + 0.8 * random.normal() + extra + drift(at);
        sum += x;
        squares += x * x;
      }
      return { units, sum, squares };
    };
    const stratum: MeanStratum = { baseline: sums(45, 0), canary: sums(5, shift) };
    guard = addMeans(guard, stratum, rule, ALPHA);
  }
  return guard;
}

const drift = (at: number) => 2 * Math.sin(at / 20);

const guarded = (scale: number) => {
  let guard = createMeanGuard();
  for (let at = 0; at < 3; at += 1) {
    const stratum = {
      baseline: { units: 49, sum: 48, squares: 48 },
      canary: { units: 1, sum: 0, squares: 0 },
    };
    guard = addMeans(guard, stratum, { ...SCORE_RULE, scale }, ALPHA);
  }
  return guard.peakMargin;
};

/** Strata of costs that are all the same, but for those of the canary in the last `dear` strata. */
const costs = (strata: number, units: number, dear: number) => {
  let guard = createMeanGuard();
  for (let at = 0; at < strata; at += 1) {
    const x = at >= strata - dear ? 8.5 : 8;
    const stratum = {
      baseline: { units, sum: units * 8, squares: units * 64, cubes: units * 512 },
      canary: { units: 1, sum: x, squares: x * x, cubes: x * x * x },
    };
    guard = addMeans(guard, stratum, TIME_RULE, ALPHA);
  }
  return guard;
};

describe("the mean guardrail", () => {
  it("crosses for a canary that is a third slower, and says how much slower", () => {
    const guard = run(200, { shift: Math.log(1.3) });
    expect(guard.peakMargin).toBeGreaterThan(0);
    expect(Math.exp(effectOf(guard)!)).toBeCloseTo(1.3, 1);
  });

  it("does not cross for arms that are alike, however far both drift", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      expect(run(400, { drift, seed }).peakMargin).toBeLessThan(0);
    }
  });

  it("does not cross for a canary that is faster", () => {
    expect(run(400, { shift: Math.log(0.5) }).peakMargin).toBeLessThan(0);
  });

  it("takes a lower score for worse where the rule says so", () => {
    const rule = { ...SCORE_RULE, minEffect: 0.02 };
    expect(run(200, { shift: -0.4, rule }).peakMargin).toBeGreaterThan(0);
    expect(run(200, { shift: 0.4, rule }).peakMargin).toBeLessThan(0);
  });

  it("does not cross for an effect below the least that matters, however sure it is", () => {
    expect(run(20_000, { shift: Math.log(1.02) }).peakMargin).toBeLessThan(0);
  });

  it("keeps a crossing", () => {
    const crossed = run(200, { shift: Math.log(2) });
    const later = addMeans(
      crossed,
      { baseline: { units: 45, sum: 450, squares: 4_600 }, canary: { units: 5, sum: 5, squares: 6 } },
      TIME_RULE,
      ALPHA,
    );
    expect(later.peakMargin).toBeGreaterThanOrEqual(crossed.peakMargin);
  });

  it("gives an interval around the effect that tightens", () => {
    const [few, many] = [run(50, { shift: 0.2 }), run(2_000, { shift: 0.2 })];
    const [wide, tight] = [intervalOf(few, TIME_RULE, ALPHA)!, intervalOf(many, TIME_RULE, ALPHA)!];
    expect(tight.high - tight.low).toBeLessThan((wide.high - wide.low) / 3);
    expect(tight.low).toBeLessThan(0.2);
    expect(tight.high).toBeGreaterThan(0.2);
  });

  it("says the effect as it is, whichever way is worse", () => {
    const rule = { ...SCORE_RULE, minEffect: 0.02 };
    expect(effectOf(run(200, { shift: -0.4, rule }))!).toBeCloseTo(-0.4, 0);
    expect(effectOf(run(200, { shift: 0.4 }))!).toBeCloseTo(0.4, 0);
  });

  it("counts correlated units for less, and widens its interval", () => {
    const random = createRandom(8);
    let plain = createMeanGuard();
    let clumped = createMeanGuard();
    for (let at = 0; at < 40; at += 1) {
      const sums = (units: number, shift: number) => {
        const x = shift + 0.1 * random.normal();
        return { units, sum: units * x, squares: units * (x * x + 0.64) };
      };
      const stratum = { baseline: sums(45, 7), canary: sums(5, 7.5) };
      plain = addMeans(plain, stratum, TIME_RULE, ALPHA);
      clumped = addMeans(clumped, stratum, TIME_RULE, ALPHA, 9);
    }
    expect(plain.peakMargin).toBeGreaterThan(0);
    expect(clumped.peakMargin).toBeLessThan(0);
    const [narrow, wide] = [intervalOf(plain, TIME_RULE, ALPHA)!, intervalOf(plain, TIME_RULE, ALPHA, 9)!];
    expect((wide.high - wide.low) / (narrow.high - narrow.low)).toBeCloseTo(3, 6);
  });

  it("waits for more units where scores hardly vary, for then they are skewed", () => {
    expect(guarded(0)).toBeGreaterThan(-5);
    expect(guarded(1)).toBeLessThan(guarded(0) - 1);
  });

  it("takes no few that happen to be alike for how all are", () => {
    // The canary has the first dear answer; the baseline's would have come.
    expect(costs(1, 19, 1).peakMargin).toBeLessThan(-1_000);
    expect(costs(10, 19, 1).peakMargin).toBeLessThan(0);
  });

  it("finds what is dearer where all cost the same to the cent", () => {
    const guard = costs(10, 19, 10);
    expect(guard.peakMargin).toBeGreaterThan(0);
    expect(Math.exp(effectOf(guard)!)).toBeCloseTo(Math.exp(0.5), 6);
  });

  it("learns nothing from a stratum without one of the arms", () => {
    const alone: MeanStratum = {
      baseline: { units: 50, sum: 350, squares: 2_500 },
      canary: { units: 0, sum: 0, squares: 0 },
    };
    const guard = addMeans(createMeanGuard(), alone, TIME_RULE, ALPHA);
    expect(effectOf(guard)).toBeNull();
    expect(guard.peakMargin).toBeLessThan(-1_000);
  });
});

describe("the logarithm of the normal distribution", () => {
  it("agrees with tabled values", () => {
    // Φ(−3), Φ(−1), Φ(0), Φ(1.96)
    const tabled: [number, number][] = [
      [-3, 0.0013498980316],
      [-1, 0.1586552539315],
      [0, 0.5],
      [1.96, 0.9750021048518],
    ];
    for (const [z, phi] of tabled) expect(Math.exp(logNormalTail(z))).toBeCloseTo(phi, 6);
  });
});
