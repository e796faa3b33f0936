// Since when it is worse: of errors and of latency, by the minute. Guarantees: what goes on comes before what is over, and what
// is over says until when.

import { describe, expect, test } from "vitest";
import type { SeriesPoint } from "../../src/core/metrics-view.ts";
import { listRises } from "../../src/core/onset.ts";
import { MINUTE_MS, START_MS } from "./support/stories.ts";

function pointsOf(rates: number[], requests = 100): SeriesPoint[] {
  return rates.map((rate, minute) => ({
    at: new Date(START_MS + minute * MINUTE_MS).toISOString(),
    version: 1,
    arm: "baseline" as const,
    requests,
    errors: Math.round(rate * requests),
    aborted: 0,
    lost: 0,
    latencyMs: null,
    firstTokenMs: null,
    outputTokens: null,
    usd: null,
    pricedAnswers: 0,
  }));
}

const minuteAt = (minute: number) => new Date(START_MS + minute * MINUTE_MS).toISOString();
const fill = (minutes: number, value: number): number[] => Array<number>(minutes).fill(value);

const times = (values: number[]) =>
  pointsOf(values.map(() => 0)).map((point, index) => {
    return { ...point, latencyMs: { p50: values[index]!, p95: values[index]! } };
  });

describe("an onset", () => {
  test("is the minute that errors rose in", () => {
    const rates = [...Array(20).fill(0.01), ...Array(5).fill(0.2)] as number[];
    expect(listRises(pointsOf(rates), MINUTE_MS)).toMatchObject([
      { metric: "errors", at: minuteAt(20), until: null, before: 0.01, after: 0.2 },
    ]);
  });

  test("is none where errors fell, stayed, or one came in a handful of requests", () => {
    const fell = [...Array(20).fill(0.2), ...Array(5).fill(0.01)] as number[];
    expect(listRises(pointsOf(fell), MINUTE_MS)).toEqual([]);
    expect(listRises(pointsOf(Array(30).fill(0.05) as number[]), MINUTE_MS)).toEqual([]);
    expect(listRises(pointsOf([0, 0, 0, 0, 0.5], 20), MINUTE_MS)).toHaveLength(1);
    expect(listRises(pointsOf([0, 0, 0, 0, 0.5], 2), MINUTE_MS)).toEqual([]);
    expect(listRises([], MINUTE_MS)).toEqual([]);
  });

  test("that is over says until when, and neither hides what goes on nor is taken for usual", () => {
    const over = [...fill(300, 0.01), ...fill(90, 0.8), ...fill(600, 0.01)];
    expect(listRises(pointsOf(over), MINUTE_MS)).toMatchObject([
      { at: minuteAt(300), until: minuteAt(390), after: 0.8 },
    ]);
    const both = [...over, ...fill(40, 0.3)];
    expect(listRises(pointsOf(both), MINUTE_MS)).toMatchObject([
      { at: minuteAt(990), until: null, before: 0.01, after: 0.3 },
      { at: minuteAt(300), until: minuteAt(390), before: 0.01, after: 0.8 },
    ]);
  });

  test("goes on though the last step, of a few requests, had no error", () => {
    const points = [...pointsOf([...fill(60, 0.01), ...fill(20, 0.3)]), ...pointsOf([0], 5)];
    points.at(-1)!.at = minuteAt(80);
    expect(listRises(points, MINUTE_MS)).toMatchObject([{ at: minuteAt(60), until: null }]);
  });

  test("is over with the version whose it was", () => {
    const points = pointsOf([...fill(60, 0.01), ...fill(20, 0.3)]);
    const lastMs = START_MS + 200 * MINUTE_MS;
    expect(listRises(points, MINUTE_MS, lastMs)).toMatchObject([{ until: minuteAt(80) }]);
    expect(listRises(points, MINUTE_MS, START_MS + 90 * MINUTE_MS)).toMatchObject([{ until: null }]);
  });

  test("of latency is over or goes on, too", () => {
    const slow = [...fill(60, 100), ...fill(30, 200), ...fill(60, 100)];
    expect(listRises(times(slow), MINUTE_MS)).toMatchObject([
      { metric: "latency", at: minuteAt(60), until: minuteAt(90) },
    ]);
    expect(listRises(times([...slow, ...fill(10, 140)]), MINUTE_MS)).toMatchObject([
      { metric: "latency", at: minuteAt(150), until: null },
      { metric: "latency", at: minuteAt(60), until: minuteAt(90) },
    ]);
  });
});
