// Counters per arm and per version: only added, never invented.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSums, type Sums } from "../../src/core/metering/sums.ts";
import { summarizeTallies } from "../../src/core/summary.ts";
import type { Tally } from "../../src/core/types.ts";

const tally: fc.Arbitrary<Tally> = fc.record({
  revision: fc.integer({ min: 1, max: 5 }),
  version: fc.integer({ min: 1, max: 4 }),
  arm: fc.constantFrom("baseline" as const, "canary" as const, "pinned" as const),
  reason: fc.constantFrom("static" as const, "split" as const, "fallback" as const),
  requests: fc.nat(1000),
  errors: fc.nat(1000),
  aborted: fc.nat(1000),
});

const sum = (rows: { requests: number }[]) => rows.reduce((total, row) => total + row.requests, 0);

describe("metrics", () => {
  it("lose and double no request, per arm or per version", () => {
    fc.assert(
      fc.property(fc.array(tally), (tallies) => {
        const { arms, versions, fallbacks = [] } = summarizeTallies(tallies);
        const assigned = tallies.filter(({ reason }) => reason !== "fallback");
        expect(sum(arms) + sum(fallbacks)).toBe(sum(tallies));
        expect(sum(arms)).toBe(sum(assigned));
        expect(sum(versions)).toBe(sum(assigned.filter(({ arm }) => arm !== "pinned")));
        expect(new Set(arms.map(({ version, arm }) => `${version} ${arm}`)).size).toBe(arms.length);
      }),
    );
  });

  it("keep a version's time as baseline apart from its time as canary", () => {
    const row = { revision: 1, reason: "split", requests: 10, errors: 1, aborted: 2 } as const;
    const tallies: Tally[] = [
      { ...row, version: 2, arm: "canary" },
      { ...row, version: 2, arm: "baseline", revision: 3, requests: 30 },
      { ...row, version: 2, arm: "pinned" },
    ];
    const { arms, versions } = summarizeTallies(tallies);
    expect(arms.map(({ arm, requests, errorRate }) => ({ arm, requests, errorRate }))).toEqual([
      { arm: "baseline", requests: 30, errorRate: 1 / 30 },
      { arm: "canary", requests: 10, errorRate: 0.1 },
      { arm: "pinned", requests: 10, errorRate: 0.1 },
    ]);
    expect(versions).toMatchObject([
      { version: 2, requests: 40, errors: 2, aborted: 4, errorRate: 0.05, abortedRate: 0.1 },
    ]);
  });

  it("give no rate where there was no request", () => {
    const none = {
      revision: 1,
      version: 1,
      arm: "canary",
      reason: "split",
      requests: 0,
      errors: 0,
      aborted: 0,
    } as const;
    expect(summarizeTallies([none]).arms[0]).toMatchObject({ errorRate: null, abortedRate: null });
    expect(summarizeTallies([])).toEqual({ arms: [], versions: [], fallbacks: [] });
  });

  it("keep what the baseline answered in a canary's stead out of the comparison", () => {
    const row = { revision: 1, version: 1, arm: "baseline", requests: 10, errors: 0, aborted: 0 } as const;
    const { arms, versions, fallbacks } = summarizeTallies([
      { ...row, reason: "split" },
      { ...row, reason: "fallback", requests: 4, errors: 4 },
    ]);
    expect(arms).toMatchObject([{ version: 1, requests: 10, errorRate: 0 }]);
    expect(versions).toMatchObject([{ version: 1, requests: 10, errorRate: 0 }]);
    expect(fallbacks).toMatchObject([{ version: 1, requests: 4, errorRate: 1 }]);
  });

  it("are unknown, not zero, where nobody told", () => {
    const [arm] = summarizeTallies([
      { revision: 1, version: 1, arm: "baseline", reason: "static", requests: 3, errors: 1, aborted: 0 },
    ]).arms;
    expect(arm).toMatchObject({
      open: 0,
      lost: 0,
      errorClasses: {},
      finish: null,
      latencyMs: { all: null, cached: null, uncached: null },
      firstTokenMs: { all: null, cached: null, uncached: null },
      tokens: { answers: 0, input: null, output: null, cached: null, reasoning: null, perAnswer: null },
      cost: { answers: 0, usd: null, perAnswerUsd: null, fullUsd: null },
      models: [],
      thumbs: { up: 0, down: 0, rate: null },
      scores: { units: 0, mean: null },
      judge: { units: 0, mean: null, usd: 0 },
    });
    const { errorRate, abortedRate, ...others } = arm!.intervals;
    expect([errorRate, abortedRate]).not.toContain(null);
    expect(new Set(Object.values(others))).toEqual(new Set([null]));
  });

  it("tell of calls under way now, and of nothing below zero in a window that only took something back", () => {
    const key = { revision: 1, version: 1, arm: "baseline", reason: "static", aborted: 0 } as const;
    const window = [{ ...key, started: 0, requests: -2, errors: -3, lost: -3 }];
    const totals = [{ ...key, started: 12, requests: 5, errors: 0 }];
    expect(summarizeTallies(window, totals).arms).toMatchObject([
      { requests: 0, errors: 0, lost: 0, open: 7, errorRate: null },
    ]);
    expect(summarizeTallies([], totals).arms).toEqual([]);
  });

  it("say what answers were like, cached ones apart where there are both", () => {
    const sums: Sums = {
      ...createSums(),
      counts: { refusals: 1, truncations: 2 },
      errorClasses: { timeout: 1, server_error: 0 },
      histograms: {
        latency: { 73: 90 },
        latencyCached: { 50: 10 },
        firstToken: { 60: 100 },
        tokens: { 40: 100 },
      },
      latencyMs: 100_000,
      firstTokenMs: 30_000,
      usage: { answers: 100, input: 5_000, output: 4_500 },
      cost: { answers: 50, nanoUsd: 2_000_000_000, fullNanoUsd: 4_000_000_000 },
      models: { "gpt-5.4-mini fp_1": 60, "gpt-5.4-mini": 40 },
      thumbs: { up: 3, down: 1 },
      scores: { units: 2, sum: 15_000, squares: 125_000_000 },
      judge: { units: 1, sum: 8_000, squares: 64_000_000, nanoUsd: 5_000_000 },
    };
    const [arm] = summarizeTallies([
      { revision: 1, version: 1, arm: "canary", reason: "split", requests: 110, errors: 5, aborted: 0, sums },
    ]).arms;
    expect(arm).toMatchObject({
      errorClasses: { timeout: 1 },
      finish: { refusals: 1, truncations: 2, toolCalls: 0, schemaFailures: 0 },
      latencyMs: { all: { answers: 100, mean: 1_000 }, cached: { answers: 10 }, uncached: { answers: 90 } },
      firstTokenMs: { all: { answers: 100, mean: 300 }, cached: null, uncached: null },
      tokens: { answers: 100, input: 5_000, output: 4_500, cached: 0, perAnswer: 45 },
      cost: { answers: 50, usd: 2, perAnswerUsd: 0.04, fullUsd: 4, fullPerAnswerUsd: 0.08 },
      models: [
        { model: "gpt-5.4-mini", fingerprint: "fp_1", answers: 60 },
        { model: "gpt-5.4-mini", fingerprint: null, answers: 40 },
      ],
      thumbs: { up: 3, down: 1, rate: 0.75 },
      scores: { units: 2, mean: 0.75 },
      judge: { units: 1, mean: 0.8, usd: 0.005 },
    });
    const { latencyMs, intervals } = arm!;
    // 1.1 ^ 73 is 1051 ms; nine in ten are in that bin.
    expect(latencyMs.all!.p50 / 1.1 ** 73).toBeCloseTo(1, 1);
    expect(latencyMs.cached!.p50 / 1.1 ** 50).toBeCloseTo(1, 1);
    expect(intervals.latencyMs!.p50).toEqual({ low: 1.1 ** 72, high: 1.1 ** 73 });
    expect(intervals.judgeScore).toBeNull();
    expect(intervals.score).toEqual({ low: 0, high: 1 });
    expect(intervals.thumbsUpRate!.low).toBeGreaterThan(0.3);
  });
});
