// The versions side by side: what is unknown says so, and never reads as 0.

import { describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import type { Comparison, MetricComparison, VersionStats } from "../../src/core/metrics-view.ts";
import { summarizeTallies } from "../../src/core/summary.ts";
import { columnsOf, figureRows, sayInterval } from "../../src/dashboard/client/figures.ts";

const TALLY = {
  revision: 1,
  version: 1,
  arm: "baseline",
  reason: "split",
  turn: "first",
  requests: 100,
  errors: 0,
  aborted: 0,
} as const;

/** Of 100 requests that nothing more is known of. */
function statsOf(more: Partial<VersionStats> = {}): VersionStats {
  const [stats] = summarizeTallies([TALLY]).versions;
  return { ...stats!, ...more };
}

function comparisonOf(...metrics: Partial<MetricComparison>[]): Comparison {
  const side = { units: 100, value: 1 };
  const whole = metrics.map(
    (one) =>
      ({
        kind: "rate",
        baseline: side,
        canary: side,
        difference: null,
        ratio: null,
        designEffect: 1,
        ...one,
      }) as MetricComparison,
  );
  return { baseline: 1, canary: 2, revisions: { from: 1, to: 2 }, metrics: whole };
}

function cell(row: string, stats: VersionStats | null) {
  const rows = figureRows([{ version: 1, stats, comparison: null }]);
  return rows.find(({ name }) => name === row)?.figures[0];
}

function contrast(row: string, metric: Partial<MetricComparison>) {
  const rows = figureRows([{ version: 2, stats: statsOf(), comparison: comparisonOf(metric) }]);
  return rows.find(({ name }) => name === row)?.contrasts[0];
}

const percent = (value: number) => `${value} %`;

function difference(low: number, high: number): Partial<MetricComparison> {
  return { metric: "errors", difference: { value: 0.02, low, high } };
}

const NO_COST = { answers: 0, usd: null, perAnswerUsd: null, fullUsd: null, fullPerAnswerUsd: null };
const cost = (perAnswerUsd: number, fullPerAnswerUsd = perAnswerUsd) => ({
  cost: {
    answers: 100,
    usd: 100 * perAnswerUsd,
    perAnswerUsd,
    fullUsd: 100 * fullPerAnswerUsd,
    fullPerAnswerUsd,
  },
});

describe("a version's figures", () => {
  it("call a cost unknown that nobody knows, and say why", () => {
    const { tokens } = statsOf();
    const priceless = { cost: NO_COST, models: [{ model: "house-7b", fingerprint: null, answers: 100 }] };
    expect(
      cell("Cost of 1,000 answers", statsOf({ ...priceless, tokens: { ...tokens, answers: 100 } })),
    ).toEqual({
      text: "unknown",
      note: "no price of house-7b is known",
    });
    expect(
      cell("Cost of 1,000 answers", statsOf({ ...priceless, tokens: { ...tokens, answers: 0 } }))?.note,
    ).toBe("no usage in the answers");
  });

  it("show a cost that is known to be nothing as nothing, and say what it is without the cache", () => {
    expect(cell("Cost of 1,000 answers", statsOf(cost(0)))?.text).toBe("$0.00");
    expect(cell("Cost of 1,000 answers", statsOf(cost(0.0042)))?.text).toBe("$4.20");
    expect(cell("Cost of 1,000 answers", statsOf(cost(0.0021, 0.0042)))?.note).toMatch(
      /^without the cache \$4\.20/,
    );
    expect(cell("Cost of 1,000 answers", statsOf(cost(0.005, 0.004)))?.note).toMatch(
      /^without the cache \$4\.00/,
    );
  });

  it("are dashes without a request, and words without feedback", () => {
    expect(cell("Error rate", null)).toEqual({ text: "–", note: "" });
    expect(cell("Thumbs up", statsOf())?.text).toBe("none given");
    expect(cell("Score by the judge", statsOf())?.text).toBe("not judged");
    expect(cell("Score by users", statsOf())).toBeUndefined();
    expect(cell("Score by users", statsOf({ scores: { units: 4, mean: 0.75 } }))?.text).toBe("0.75");
  });

  it("say a unit once, and a bound that is not there not at all", () => {
    expect(sayInterval({ low: 1, high: 3 }, percent)).toBe("1 to 3 %");
    expect(sayInterval({ low: 1, high: null }, percent)).toBe("at least 1 %");
    expect(sayInterval({ low: 0, high: 3 }, (value) => `$${value}`)).toBe("$0 to $3");
  });
});

describe("a contrast", () => {
  it("is worse or better only where the whole interval says so", () => {
    expect(contrast("Error rate", difference(0.01, 0.03))).toEqual({
      text: "+2.0 pp",
      note: "+1.0 to +3.0 pp",
      tone: "worse",
    });
    expect(contrast("Error rate", difference(-0.01, 0.03))?.tone).toBe("same");
    expect(contrast("Error rate", difference(-0.03, -0.01))?.tone).toBe("better");
  });

  it("of a score is worse where it is lower, of times and cost where it is higher", () => {
    const score = { value: -0.1, low: -0.2, high: -0.05 };
    expect(
      contrast("Score by the judge", { metric: "judge_score", kind: "mean", difference: score })?.tone,
    ).toBe("worse");
    const ratio = { value: 1.3, low: 1.2, high: null };
    expect(contrast("Latency p50", { metric: "latency", kind: "typical", ratio })).toEqual({
      text: "+30 %",
      note: "at least +20 %, typical answer",
      tone: "worse",
    });
  });

  it("is left out where nothing was compared", () => {
    expect(contrast("Error rate", { metric: "errors", difference: null })).toBeNull();
    expect(contrast("Requests", { metric: "errors" })).toBeNull();
  });
});

describe("the columns", () => {
  const versions = [1, 2, 3, 4].map((version) => statsOf({ version }));
  const metrics = { versions, comparisons: [comparisonOf()] } as Partial<Metrics> as Metrics;

  it("are the release's arms in their order, then what else had traffic", () => {
    const { columns } = columnsOf(metrics, [{ version: 3 }, { version: 5 }]);
    expect(columns.map(({ version }) => version)).toEqual([3, 5, 4, 2, 1]);
    expect(columns.find(({ version }) => version === 5)?.stats).toBeNull();
    expect(columns.find(({ version }) => version === 2)?.comparison?.baseline).toBe(1);
  });

  it("name the versions that there is no room for", () => {
    const many = Array.from({ length: 9 }, (_, index) => statsOf({ version: index + 1 }));
    const { columns, left } = columnsOf({ ...metrics, versions: many } as Metrics, [{ version: 1 }]);
    expect(columns).toHaveLength(6);
    expect(left).toEqual([4, 3, 2]);
  });
});
