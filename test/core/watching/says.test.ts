// The sentences that people read at night: right numbers, right units.

import { describe, expect, it } from "vitest";
import type { GuardView } from "../../../src/core/health.ts";
import { sayCount, sayGuard, sayRate, sayUpstream, sayValue } from "../../../src/core/watching/says.ts";

const guard = (more: Partial<GuardView>): GuardView => ({
  metric: "errors",
  kind: "count",
  action: "rollback",
  says: "answers that failed",
  isCrossed: true,
  evidence: 7.42,
  threshold: 6.685,
  effect: 7.9,
  low: 4.1,
  high: 15.2,
  baseline: { units: 5_800, bad: 58, value: 0.01 },
  canary: { units: 310, bad: 26, value: 0.084 },
  designEffect: 1,
  ...more,
});
const versions = { baseline: 1, canary: 2 };

describe("a guardrail in a sentence", () => {
  it.each<[Partial<GuardView>, string]>([
    [
      {},
      "errors 1.0 % on v1, 8.4 % on v2 (×7.9, 4.1 to 15.2) after 310 canary requests; evidence 7.4 of 6.7",
    ],
    [
      { effect: null, high: null, low: 6.25, baseline: { units: 90, bad: 0, value: 0 } },
      "errors 0 % on v1, 8.4 % on v2 (at least ×6.3) after 310 canary requests; evidence 7.4 of 6.7",
    ],
    [
      {
        metric: "first_token",
        kind: "mean",
        effect: 1.372,
        low: 1.21,
        high: 1.55,
        baseline: { units: 9_000, bad: null, value: 301.4 },
        canary: { units: 20_310, bad: null, value: 413.5 },
      },
      "time to first token 301 ms on v1, 414 ms on v2 (+37 %, +21 % to +55 %) after 20,310 canary answers; evidence 7.4 of 6.7",
    ],
    [
      {
        metric: "judge_score",
        kind: "mean",
        effect: -0.05,
        low: -0.08,
        high: -0.02,
        baseline: { units: 400, bad: null, value: 0.8 },
        canary: { units: 200, bad: null, value: 0.75 },
      },
      "score by the judge 0.80 on v1, 0.75 on v2 (−0.05, −0.08 to −0.02) after 200 judged canary answers; evidence 7.4 of 6.7",
    ],
  ])("reads well: %#", (more, sentence) => {
    expect(sayGuard(guard(more), versions)).toBe(sentence);
  });

  it("knows its units", () => {
    expect(sayValue("latency", 12_340)).toBe("12.3 s");
    expect(sayValue("cost", 0.003_14)).toBe("$0.0031");
    expect(sayValue("cost", 2.5)).toBe("$2.50");
    expect(sayValue("cost", 0.000_000_4)).toBe("$0.00000040");
    expect(sayValue("tokens", 1_234.4)).toBe("1,234");
    expect(sayRate(0.0004)).toBe("0.04 %");
    expect(sayRate(1)).toBe("100 %");
    expect(sayCount(1_234_567)).toBe("1,234,567");
    const since = "2026-03-01T14:02:03.000Z";
    expect(sayUpstream({ metric: "errors", usualRate: 0.01, rate: 0.098, since })).toBe(
      "errors 1.0 % → 9.8 % on the baseline since 14:02 UTC",
    );
  });
});
