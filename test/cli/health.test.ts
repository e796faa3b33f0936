// The verdict in `status`: what a person concludes from it is what the numbers say, at any width; no data is a dash.

import { describe, expect, it } from "vitest";
import { formatHealth } from "../../src/cli/show/health.ts";
import { measure, type Look } from "../../src/cli/show/look.ts";
import type { HealthView } from "../../src/core/health.ts";
import type { Comparison, MetricComparison } from "../../src/core/metrics-view.ts";
import { guard, health, metrics, NOW_MS } from "./samples.ts";

const LOOK: Look = { width: 80, height: 40, cut: true, colour: false, unicode: true };

function compared(
  more: Partial<MetricComparison> & Pick<MetricComparison, "metric" | "kind">,
): MetricComparison {
  const unknown = { units: 0, value: null };
  return { baseline: unknown, canary: unknown, difference: null, ratio: null, designEffect: 1, ...more };
}

const errors = compared({
  metric: "errors",
  kind: "rate",
  baseline: { units: 5_800, value: 0.01 },
  canary: { units: 310, value: 0.1 },
  difference: { value: 0.09, low: 0.06, high: 0.13 },
});
const latency = compared({
  metric: "latency",
  kind: "typical",
  baseline: { units: 5_000, value: 1_200 },
  canary: { units: 300, value: 1_500 },
  ratio: { value: 1.25, low: 1.1, high: 1.42 },
});
const cost = compared({ metric: "cost", kind: "typical", baseline: { units: 5_000, value: 0.00312 } });
const pair = (...all: MetricComparison[]): Comparison => {
  return { baseline: 2, canary: 3, revisions: { from: 7, to: 7 }, metrics: all };
};
const side = {
  ...metrics,
  comparisons: [pair(errors, latency, cost, compared({ metric: "tokens", kind: "typical" }))],
};
const show = (view: HealthView = health, look = LOOK) => formatHealth(look, view, side, NOW_MS).join("\n");

describe("the verdict in status", () => {
  it("comes first, then both arms with intervals; what nobody knows is a dash or left out", () => {
    const text = show();
    expect(text).toMatch(/^\n {2}watching: nothing found so far/);
    expect(text).toMatch(/errors +1 % +10 % +\+9 %, \+6 % to \+13 %/);
    expect(text).toMatch(/latency +1200 ms +1500 ms +x1\.25, 1\.10 to 1\.42/);
    expect(text).toMatch(/cost per answer +\$0\.00312 +· +·/);
    expect(text).not.toContain("output tokens");
  });

  it("shows the guardrails nearest to firing, the nearest first, and no idle ones", () => {
    const guards = [
      guard,
      { ...guard, says: "time to first token", evidence: 7, isCrossed: true },
      { ...guard, says: "cost of an answer", evidence: 4 },
      { ...guard, says: "thumbs down", evidence: 0 },
      { ...guard, says: "least of all", evidence: 0.1 },
    ];
    const text = show({ ...health, comparisons: [{ ...health.comparisons[0]!, guards }] });
    expect(text).toMatch(
      /first token +7\.0 of 6\.7 +crossed\n.*cost of an answer +4\.0 of 6\.7 +rollback\n.*failed +0\.4/,
    );
    expect(text).not.toMatch(/thumbs down|least of all/);
  });

  it("tells of the provider and of another model, without a canary too", () => {
    const since = "2026-03-01T11:50:00.000Z";
    const text = show({
      ...health,
      verdict: "upstream",
      isFrozen: true,
      comparisons: [],
      upstream: [{ metric: "errors", usualRate: 0.01, rate: 0.3, since }],
      modelChanges: [{ asked: null, from: "m-1 fp_1", to: "m-1 fp_2", since }],
    });
    expect(text).toMatch(/upstream: .*\(ramps are\s+frozen\)/s);
    expect(text).toContain("errors 30 %, usually 1 %, 10 m ago");
    expect(text).toContain("m-1 fp_1 → m-1 fp_2");
  });

  it("is nothing where there is neither a canary nor news", () => {
    expect(formatHealth(LOOK, { ...health, comparisons: [] }, side, NOW_MS)).toEqual([]);
  });

  it("needs no metrics, and is never wider than the screen", () => {
    expect(formatHealth(LOOK, health, null, NOW_MS).join("\n")).toContain("0.4 of 6.7");
    for (const width of [60, 80, 120]) {
      for (const line of show(health, { ...LOOK, width }).split("\n")) {
        expect(measure(line), line).toBeLessThanOrEqual(width);
      }
    }
  });
});
