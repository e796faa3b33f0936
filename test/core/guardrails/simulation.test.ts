// A fast part of `npm run simulate:guardrails`, on the same code and with fixed seeds: few runs, so bounds are wide, but a
// guardrail that cries wolf, sleeps, or blames a prompt for an incident fails here.

import { describe, expect, it } from "vitest";
import { COSTS, runCosts } from "../../../bench/guardrails/shapes.ts";
import { runCountGuard, runGate, runMeanGuard, runSplit, SHAPES } from "../../../bench/guardrails/single.ts";
import { sticky, TARGETS } from "../../../bench/guardrails/targets.ts";
import { alike, quantile, runTrials } from "../../../bench/guardrails/trial.ts";
import { HEALTHY } from "../../../bench/guardrails/world.ts";

const base = { requests: 20_000, share: () => 0.1, baseline: alike() };
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);

const incident = (at: number) => (at < 10_000 ? HEALTHY : { ...HEALTHY, errors: 0.1, latency: 2 });

describe("simulated rollouts", () => {
  it("roll nothing back while the arms are alike, at any share", () => {
    for (const share of [0.01, 0.1, 0.5]) {
      const trials = runTrials({ ...base, share: () => share, canary: alike() }, 8, 1);
      expect(trials.filter(({ detectedAfter }) => detectedAfter !== null)).toEqual([]);
    }
  });

  it.each([
    ["all requests fail", { errors: 1 }, 12],
    ["a fifth fails", { errors: 0.2 }, 60],
    ["twice as slow", { latency: 2 }, 60],
    ["a third more to wait for the first token", { firstToken: 1.3 }, 160],
    ["a fifth dearer", { cost: 1.2 }, 330],
  ])("roll back soon: %s", (_, change, most) => {
    const trials = runTrials({ ...base, canary: alike({ ...HEALTHY, ...change }) }, 15, 2);
    const found = trials.map(({ detectedAfter }) => detectedAfter);
    expect(quantile(found, 0.5)).toBeLessThanOrEqual(most);
  });

  it("blame no prompt for an incident of both arms, and notice it within 300 requests", () => {
    const trials = runTrials({ ...base, baseline: incident, canary: incident, brokenFrom: 10_000 }, 10, 3);
    for (const trial of trials) {
      expect(trial.detectedAfter).toBeNull();
      expect(trial.noticedAfter).toBeLessThanOrEqual(300);
      expect(trial.verdict).toBe("upstream");
    }
  });

  it("take clumps of a few heavy users for what they are, and find what is bad for all", () => {
    const alikeTrials = runTrials(() => ({ ...sticky(0)(), requests: 20_000 }), 10, 4);
    expect(alikeTrials.filter(({ detectedAfter }) => detectedAfter !== null)).toEqual([]);
    const broken = runTrials(sticky(0.19), 10, 5).map(({ detectedAfter }) => detectedAfter);
    expect(quantile(broken, 0.5)).toBeLessThan(150);
  });

  it("cover the targets by their numbers", () => {
    expect(TARGETS.map(({ id }) => id)).toEqual(seeds(16).map((at) => `T${at + 1}`));
  });
});

describe("the single parts, simulated", () => {
  it("a count guardrail at 1 % hardly ever fires at any error rate", () => {
    for (const rate of [0.001, 0.01, 0.2]) {
      expect(seeds(12).filter((seed) => runCountGuard(rate, seed)).length).toBeLessThanOrEqual(1);
    }
  });

  it.each(Object.keys(SHAPES))("a mean guardrail at 1 %% hardly ever fires for %s", (name) => {
    expect(seeds(8).filter((seed) => runMeanGuard(name, 0.1, seed)).length).toBeLessThanOrEqual(1);
  });

  it.each(Object.keys(COSTS))("costs of another shape raise hardly an alarm: %s", (name) => {
    expect(seeds(10).filter((seed) => runCosts(name, 0.05, 0, seed) !== null).length).toBeLessThanOrEqual(1);
    expect(seeds(3).every((seed) => runCosts(name, 0.05, Math.log(1.5), seed) !== null)).toBe(true);
  });

  it("a ramp's gate opens for what is fine and not at its bounds", () => {
    const fine = { share: 0.1, errors: 0.01, canaryErrors: 0.01, slower: 0 };
    expect(seeds(5).every((seed) => runGate(fine, "both", seed) !== null)).toBe(true);
    const bad = { ...fine, canaryErrors: 0.025 };
    expect(seeds(5).filter((seed) => runGate(bad, "errors", seed) !== null)).toEqual([]);
  });

  it("a wrong split is found and the meant one is not", () => {
    expect(runSplit(0.05, 0.04, 60_000, 1)).not.toBeNull();
    expect(seeds(10).filter((seed) => runSplit(0.05, 0.05, 20_000, seed) !== null)).toEqual([]);
  });
});
