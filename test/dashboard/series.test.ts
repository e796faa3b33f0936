// Metrics → charts: nothing unknown is drawn as 0, and nothing that is 0 is left out.

import { describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import type { SeriesPoint } from "../../src/core/metrics-view.ts";
import type { Release, Revision } from "../../src/core/types.ts";
import {
  chartsOf,
  marksOf,
  momentAt,
  sayDot,
  sayTick,
  valuesAt,
  type ChartName,
  type Moment,
} from "../../src/dashboard/client/series.ts";

const START_MS = Date.UTC(2026, 10, 23, 12);
const MINUTE_MS = 60_000;
const at = (minute: number) => new Date(START_MS + minute * MINUTE_MS).toISOString();

function point(minute: number, more: Partial<SeriesPoint>): SeriesPoint {
  return {
    at: at(minute),
    version: 1,
    arm: "baseline",
    requests: 0,
    errors: 0,
    aborted: 0,
    lost: 0,
    latencyMs: null,
    firstTokenMs: null,
    outputTokens: null,
    usd: null,
    pricedAnswers: 0,
    ...more,
  };
}

function metricsOf(points: SeriesPoint[], untilMinute = 5): Metrics {
  const series = { stepS: 60, points };
  return { since: at(0), until: at(untilMinute), series } as Partial<Metrics> as Metrics;
}

function dotsOf(metrics: Metrics, name: ChartName, version = 1) {
  const chart = chartsOf(metrics).find((one) => one.name === name);
  const line = chart?.lines.find((one) => one.version === version);
  return line?.dots.map((dot) => [(dot.atMs - START_MS) / MINUTE_MS, dot.y]);
}

const times = (p50: number) => ({ p50, p95: 2 * p50 });

describe("the charts", () => {
  it("leave a step without a request out of rates, times and cost, and show it as 0 requests", () => {
    const metrics = metricsOf([
      point(0, { requests: 10, errors: 1, latencyMs: times(80), usd: 0.02, pricedAnswers: 9 }),
      point(3, { requests: 20, latencyMs: times(90), usd: 0.04, pricedAnswers: 20 }),
    ]);
    expect(dotsOf(metrics, "errors")).toEqual([
      [0, 0.1],
      [3, 0],
    ]);
    expect(dotsOf(metrics, "latency")).toEqual([
      [0, 80],
      [3, 90],
    ]);
    expect(dotsOf(metrics, "requests")).toEqual([
      [0, 10],
      [1, 0],
      [2, 0],
      [3, 20],
      [4, 0],
    ]);
  });

  it("take cost from the answers whose price is known, and have none where no price is", () => {
    const metrics = metricsOf([
      point(0, { requests: 10, usd: 0.01, pricedAnswers: 5 }),
      point(1, { requests: 10, usd: null }),
      point(2, { requests: 10, usd: 0, pricedAnswers: 10 }),
    ]);
    expect(dotsOf(metrics, "cost")).toEqual([
      [0, 2],
      [2, 0],
    ]);
  });

  it("tell the rate of the step under way once a quarter of it is over", () => {
    const points = [point(0, { requests: 60 }), point(1, { requests: 30 })];
    expect(dotsOf(metricsOf(points, 1.1), "requests")).toEqual([[0, 60]]);
    expect(dotsOf(metricsOf(points, 1.5), "requests")).toEqual([
      [0, 60],
      [1, 60],
    ]);
  });

  it("add the arms that a version was, and leave pinned requests out", () => {
    const metrics = metricsOf([
      point(0, { version: 2, arm: "baseline", requests: 30, errors: 3, latencyMs: times(70) }),
      point(0, { version: 2, arm: "canary", requests: 10, errors: 1, latencyMs: times(20) }),
      point(0, { version: 2, arm: "pinned", requests: 99, errors: 99, latencyMs: times(1) }),
    ]);
    expect(dotsOf(metrics, "requests", 2)?.[0]).toEqual([0, 40]);
    expect(dotsOf(metrics, "errors", 2)).toEqual([[0, 0.1]]);
    expect(dotsOf(metrics, "latency", 2)).toEqual([[0, 70]]);
  });

  it("are none without a request", () => {
    expect(chartsOf(metricsOf([]))).toEqual([]);
  });

  it("fit every line under their top, and are not blown up by the bands of few requests", () => {
    const quiet = Array.from({ length: 5 }, (_, minute) => point(minute, { requests: 1_000, errors: 10 }));
    const few = point(4, { version: 2, arm: "canary", requests: 2, errors: 0 });
    const errors = chartsOf(metricsOf([...quiet, few])).find(({ name }) => name === "errors");
    expect(errors?.frame.top).toBe(0.02);
    expect(errors?.lines[0]?.dots[0]).toMatchObject({
      y: 0.01,
      low: expect.any(Number),
      high: expect.any(Number),
    });
  });

  it("say values with their units and intervals, and labels of the scale shortly", () => {
    expect(sayDot("errors", { atMs: 0, y: 0.084, low: 0.05, high: 0.12 })).toBe("8.4 % (5.0 to 12.0 %)");
    expect(sayDot("latency", { atMs: 0, y: 1_240 })).toBe("1,240 ms");
    expect([0.0125, 0.5].map((rate) => sayTick("errors", rate))).toEqual(["1.25 %", "50 %"]);
    expect([0.0125, 1_250].map((perMinute) => sayTick("requests", perMinute))).toEqual(["0.0125", "1,250"]);
    expect([0, 0.125, 1].map((usd) => sayTick("cost", usd))).toEqual(["0", "$0.125", "$1"]);
    expect([2.5, 500, 2_500].map((ms) => sayTick("latency", ms))).toEqual(["2.5 ms", "500 ms", "2.5 s"]);
  });
});

function revision(minute: number, more: Partial<Revision>): Revision {
  const fields: Partial<Revision> = {
    revision: minute,
    at: at(minute),
    actor: "ann",
    action: "canary",
    before: null,
    after: { arms: [{ version: 1, weight: 100 }] } as Partial<Release> as Release,
    ...more,
  };
  return fields as Revision;
}

describe("a moment", () => {
  const points = [
    point(1, { requests: 6, errors: 6 }),
    point(2, { requests: 3, latencyMs: times(80) }),
    point(2, { version: 2, arm: "canary", requests: 3, latencyMs: times(90), usd: 0.003, pricedAnswers: 3 }),
  ];
  const charts = chartsOf(metricsOf(points, 3.1));
  const says = (moment: Moment | null) =>
    charts.map((chart) =>
      valuesAt(chart, moment!)
        .map(({ text }) => text)
        .join(" / "),
    );

  it("is the latest one that had anything, until somebody points at another", () => {
    const latest = momentAt(charts, [], null);
    expect(latest).toMatchObject({ time: "12:02 UTC", index: 2, last: 3, isPointed: false });
    const pointed = momentAt(charts, [], START_MS + 1.5 * MINUTE_MS);
    expect(pointed).toMatchObject({ time: "12:01 UTC", index: 1, isPointed: true });
    expect(momentAt([], [], null)).toBeNull();
  });

  it("is the one under way from its first answer on, though its rate of requests is not told yet", () => {
    const begun = chartsOf(metricsOf([point(3, { requests: 5, latencyMs: times(80) })], 3.1));
    const latest = momentAt(begun, [], null);
    expect(latest).toMatchObject({ time: "12:03 UTC", index: 3, last: 3 });
    expect(begun.map((chart) => valuesAt(chart, latest!)[0]?.text)).toEqual([
      "0 % (0 to 43.4 %)",
      "80 ms",
      "unknown",
      "not known yet",
    ]);
  });

  it("tells a version without a request from an answer that there was none of, and from a cost that nobody knows", () => {
    expect(says(momentAt(charts, [], null)).slice(1)).toEqual(["80 ms / 90 ms", "unknown / $1.00", "3 / 3"]);
    expect(says(momentAt(charts, [], START_MS + MINUTE_MS))).toEqual([
      "100 % (61.0 to 100 %) / no request",
      "no good answer / no request",
      "unknown / no request",
      "6 / 0",
    ]);
  });

  it("holds what happened to the release in it", () => {
    const marks = [{ atMs: START_MS + 1.2 * MINUTE_MS, revision: 2, kind: "change", says: "r2" } as const];
    expect(momentAt(charts, marks, START_MS + MINUTE_MS)?.changes).toEqual(["r2"]);
    expect(momentAt(charts, marks, null)?.changes).toEqual([]);
  });
});

describe("the marks", () => {
  it("tell a guardrail's rollback from one by hand and from any other change, oldest first", () => {
    const rollback = { action: "rollback" } as const;
    const revisions = [
      revision(3, { ...rollback, actor: "guardrail" }),
      revision(2, rollback),
      revision(1, {}),
    ];
    const window = { fromMs: START_MS, toMs: START_MS + 5 * MINUTE_MS, stepMs: MINUTE_MS };
    expect(marksOf(revisions, window).map(({ kind }) => kind)).toEqual(["change", "rollback", "guardrail"]);
    expect(marksOf(revisions, window)[2]?.says).toBe("r3, rollback by guardrail: v1 100 %");
  });

  it("are those of the window only", () => {
    const window = { fromMs: START_MS + 2 * MINUTE_MS, toMs: START_MS + 3 * MINUTE_MS, stepMs: MINUTE_MS };
    expect(marksOf([revision(4, {}), revision(3, {}), revision(1, {})], window)).toHaveLength(1);
  });
});
