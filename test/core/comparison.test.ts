// A canary beside its baseline: on split traffic only, within each epoch, like with like.

import { describe, expect, it } from "vitest";
import { compareArms } from "../../src/core/comparison.ts";
import type { Outcome } from "../../src/core/metering/outcome.ts";
import { addToSums, createSums, type Sums } from "../../src/core/metering/sums.ts";
import type { ComparedMetric, MetricComparison } from "../../src/core/metrics-view.ts";
import type { Tally } from "../../src/core/types.ts";

const KEY = { revision: 2, version: 1, arm: "baseline", reason: "split", aborted: 0 } as const;

function tally(more: Partial<Tally>): Tally {
  return { ...KEY, requests: 0, errors: 0, ...more };
}

function metricOf(tallies: Tally[], metric: ComparedMetric): MetricComparison {
  const [comparison] = compareArms(tallies);
  return comparison!.metrics.find((one) => one.metric === metric)!;
}

/** Good answers of these times, some of them out of the cache. */
function answers(times: readonly number[], cachedTokens = 0): Sums {
  const sums = createSums();
  for (const totalMs of times) addToSums(sums, answerOf(totalMs, cachedTokens), null);
  return sums;
}

function answerOf(totalMs: number, cachedInputTokens: number): Outcome {
  const usage = {
    inputTokens: 10,
    outputTokens: 20,
    cachedInputTokens,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
  };
  return {
    kind: "ok",
    status: 200,
    errorClass: null,
    isHung: false,
    firstTokenMs: null,
    totalMs,
    answer: { usage, finish: "stop", model: null, fingerprint: null, isSchemaFailure: null },
    cost: null,
  };
}

const times = (mean: number, count: number) =>
  Array.from({ length: count }, (_, index) => mean * (0.8 + (0.4 * (index % 11)) / 10));

/** Twenty of them, with fifty answers each. */
function sumsOfUsers(bad: number): Sums {
  const one = createSums();
  for (let user = 0; user < 20; user += 1) {
    const isBad = user < bad;
    const fails: Outcome = { ...answerOf(100, 0), kind: "error", errorClass: "other", answer: null };
    for (let turn = 0; turn < 50; turn += 1) addToSums(one, isBad ? fails : answerOf(100, 0), user);
  }
  return one;
}

function width({ ratio }: MetricComparison): number {
  return Math.log(ratio!.high! / ratio!.low!);
}

describe("a comparison", () => {
  it("is of traffic that was split, and of nothing else", () => {
    const split = [
      tally({ requests: 1_000, errors: 10 }),
      tally({ version: 2, arm: "canary", requests: 100, errors: 5 }),
    ];
    const others: Tally[] = (["static", "drain", "fallback", "no_lease"] as const).flatMap((reason) => [
      tally({ reason, requests: 500, errors: 500 }),
      tally({ reason, version: 2, arm: "canary", requests: 500, errors: 0 }),
    ]);
    const pinned = tally({ version: 2, arm: "pinned", reason: "pinned", requests: 90, errors: 90 });
    const folded = [
      tally({ revision: 0, requests: 70, errors: 70 }),
      tally({ revision: 0, version: 2, arm: "canary", requests: 70 }),
    ];
    const found = compareArms([...others, ...split, pinned, ...folded]);
    expect(found).toEqual(compareArms(split));
    expect(found).toMatchObject([{ baseline: 1, canary: 2, revisions: { from: 2, to: 2 } }]);
    expect(metricOf(split, "errors")).toMatchObject({
      kind: "rate",
      baseline: { units: 1_000, value: 0.01 },
      canary: { units: 100, value: expect.closeTo(0.05, 9) },
      difference: { value: expect.closeTo(0.04, 9) },
      ratio: { value: expect.closeTo(5, 9) },
      designEffect: 1,
    });
  });

  it("does not take a change of the weights for the prompt's doing (Simpson)", () => {
    // A bad night at 5 %, a good day at 50 %: in each epoch the arms are alike.
    const tallies = [
      tally({ revision: 2, requests: 9_500, errors: 950 }),
      tally({ revision: 2, version: 2, arm: "canary", requests: 500, errors: 50 }),
      tally({ revision: 3, requests: 5_000, errors: 50 }),
      tally({ revision: 3, version: 2, arm: "canary", requests: 5_000, errors: 50 }),
    ];
    const { ratio, difference } = metricOf(tallies, "errors");
    expect(ratio!.value).toBeCloseTo(1, 9);
    expect(difference!.value).toBeCloseTo(0, 9);
    expect(ratio!.low!).toBeLessThan(1);
    expect(ratio!.high!).toBeGreaterThan(1);
    // Pooled, the canary would look three times as good.
    expect(1_000 / 14_500 / (100 / 5_500)).toBeGreaterThan(3);
  });

  it("does not take a cold cache for the prompt's doing", () => {
    const tallies = [
      tally({ requests: 900, turn: "first", sums: answers(times(200, 800), 5) }),
      tally({ requests: 100, turn: "first", sums: answers(times(1_000, 100)) }),
      tally({ version: 2, arm: "canary", requests: 90, turn: "first", sums: answers(times(1_000, 80)) }),
      tally({ version: 2, arm: "canary", requests: 20, turn: "first", sums: answers(times(200, 20), 5) }),
    ];
    const { kind, ratio, baseline, canary } = metricOf(tallies, "latency");
    expect([kind, baseline.units, canary.units]).toEqual(["typical", 900, 100]);
    expect(ratio!.value).toBeCloseTo(1, 1);
    expect(ratio!.low!).toBeLessThan(1);
    expect(ratio!.high!).toBeGreaterThan(1);
  });

  it("compares first turns with first turns", () => {
    const later = { turn: "later" } as const;
    const tallies = [
      tally({ turn: "first", requests: 100, sums: answers(times(500, 100)) }),
      tally({ ...later, requests: 900, sums: answers(times(5_000, 900)) }),
      tally({ turn: "first", version: 2, arm: "canary", requests: 100, sums: answers(times(600, 100)) }),
    ];
    const { ratio, baseline } = metricOf(tallies, "latency");
    expect(baseline.units).toBe(100);
    expect(ratio!.value).toBeCloseTo(1.2, 1);
    expect(ratio!.low!).toBeGreaterThan(1.1);
    const tail = metricOf(tallies, "latency_tail");
    expect(tail.baseline.value).toBeLessThanOrEqual(0.05);
    expect(tail.canary.value).toBeGreaterThan(0.2);
  });

  it("says nothing where there is nothing to compare", () => {
    const alone = [tally({ requests: 10 }), tally({ revision: 3, version: 2, arm: "canary", requests: 5 })];
    expect(compareArms(alone)).toEqual([]);
    const noSums = [tally({ requests: 10 }), tally({ version: 2, arm: "canary", requests: 5 })];
    for (const metric of ["latency", "cost", "refusals", "thumbs_down", "judge_score"] as const) {
      expect(metricOf(noSums, metric)).toMatchObject({
        baseline: { value: null },
        canary: { value: null },
        difference: null,
        ratio: null,
      });
    }
  });

  it("counts the requests of a few users as fewer", () => {
    const sticky = [
      tally({ requests: 1_000, errors: 100, sums: sumsOfUsers(2) }),
      tally({ version: 2, arm: "canary", requests: 1_000, errors: 150, sums: sumsOfUsers(3) }),
    ];
    const free = sticky.map(({ sums: own, ...rest }) => ({ ...rest, sums: { ...own!, buckets: {} } }));
    expect(metricOf(sticky, "errors").designEffect).toBeGreaterThan(20);
    expect(metricOf(free, "errors").designEffect).toBe(1);
    expect(width(metricOf(sticky, "errors"))).toBeGreaterThan(3 * width(metricOf(free, "errors")));
    // How alike they are is read from all there was, whatever the window has kept.
    const [windowed] = compareArms(free, sticky);
    expect(windowed!.metrics.find(({ metric }) => metric === "errors")!.designEffect).toBeGreaterThan(20);
  });

  it("shows the newest pair first", () => {
    const tallies = [2, 3, 4].flatMap((version) => [
      tally({ revision: version, requests: 10 }),
      tally({ revision: version, version, arm: "canary", requests: 10 }),
    ]);
    expect(compareArms(tallies).map(({ canary }) => canary)).toEqual([4, 3, 2]);
  });
});
