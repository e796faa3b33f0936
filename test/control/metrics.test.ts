// Windows and charts out of the series: each request that was counted in a window is in it once, whatever has been folded.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { countWithin } from "../../src/control/series.ts";
import { foldInPassing } from "../../src/control/series-fold.ts";
import { readInTurns, readMetrics, readTotals } from "../../src/control/series-read.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import { createSums, mergeSums, type Sums } from "../../src/core/metering/sums.ts";
import { mergeTallies } from "../../src/core/metering/tally.ts";
import type { MetricsQuery, MetricsView } from "../../src/core/metrics-view.ts";
import type { Tally } from "../../src/core/types.ts";
import { START_MS } from "./support/commands.ts";
import { createPrompt, createTally } from "./support/prompts.ts";
import { createTestSql } from "./support/sqlite.ts";
import { metered } from "./support/tallies.ts";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const TARGETS = { putStore: async () => {}, upsertPrompt: async () => {}, resolveAlias: async () => null };

type Counted = { atS: number; tally: Tally };

function start(): ControlStore {
  const store = openStore(createTestSql());
  createPrompt(store);
  return store;
}

function count(store: ControlStore, atS: number, ...tallies: Tally[]): void {
  foldInPassing(store, atS * 1_000);
  countWithin(store, atS * 1_000, (add) => add("production", tallies));
}

async function fireAlarm(store: ControlStore, atS: number): Promise<void> {
  await runAlarm(
    store,
    TARGETS,
    () => atS * 1_000,
    () => {},
  );
}

const read = (store: ControlStore, atS: number, query: MetricsQuery): Promise<MetricsView> =>
  readMetrics(store, "production", query, atS * 1_000);

function sumOf(tallies: readonly Tally[]): { requests: number; errors: number; sums: Sums } {
  const nothing = { ...createTally({ requests: 0 }), sums: createSums() };
  const { requests, errors, sums } = tallies.reduce(mergeTallies, nothing);
  return { requests, errors, sums: mergeSums(createSums(), sums ?? createSums()) };
}

/** What a view holds of it, over all arms. */
function expectHeld({ arms }: MetricsView, tallies: readonly Tally[]): void {
  const { requests, errors, sums } = sumOf(tallies);
  const add = (of: (arm: (typeof arms)[number]) => number) => arms.reduce((all, arm) => all + of(arm), 0);
  expect(add((arm) => arm.requests)).toBe(requests);
  expect(add((arm) => arm.errors)).toBe(errors);
  expect(add((arm) => arm.tokens.output ?? 0)).toBe(sums.usage.output ?? 0);
  expect(add((arm) => arm.latencyMs.all?.answers ?? 0)).toBe(
    Object.values({ ...sums.histograms.latency }).reduce((all, n) => all + n, 0) +
      Object.values({ ...sums.histograms.latencyCached }).reduce((all, n) => all + n, 0),
  );
}

const gapS = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 4, arbitrary: fc.integer({ min: 5, max: 120 }) },
  { weight: 3, arbitrary: fc.integer({ min: 600, max: 3 * HOUR_S }) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_S, max: 9 * DAY_S }) },
);
const lives = fc.array(fc.record({ gapS, tally: metered, alarm: fc.boolean() }), { maxLength: 30 });
const windows = fc.constantFrom(
  30,
  5 * MINUTE_S,
  15 * MINUTE_S,
  HOUR_S,
  2 * HOUR_S,
  DAY_S,
  7 * DAY_S,
  30 * DAY_S,
);

type Steps = { gapS: number; tally: Tally; alarm: boolean }[];

async function live(steps: Steps): Promise<{ store: ControlStore; counted: Counted[]; nowS: number }> {
  const store = start();
  const counted: Counted[] = [];
  let nowS = START_MS / 1_000;
  for (const { gapS: gap, tally, alarm } of steps) {
    nowS += gap;
    if (alarm) await fireAlarm(store, nowS);
    count(store, nowS, tally);
    counted.push({ atS: nowS, tally });
  }
  return { store, counted, nowS };
}

describe("a window", () => {
  test("holds what was counted in it, once: to the second within the hour, to the minute beyond (250 lives)", async () => {
    const property = fc.asyncProperty(
      lives,
      windows,
      fc.integer({ min: 0, max: 90 }),
      async (steps, windowS, wait) => {
        const { store, counted, nowS: lastS } = await live(steps);
        const nowS = lastS + wait;
        const view = await read(store, nowS, { windowS, stepS: null });
        const fromS = Date.parse(view.since!) / 1_000;
        expect(fromS).toBeLessThanOrEqual(nowS - windowS);
        expect(fromS).toBeGreaterThan(nowS - windowS - (windowS <= HOUR_S ? 1 : MINUTE_S));
        expectHeld(
          view,
          counted.filter(({ atS }) => atS >= fromS).map(({ tally }) => tally),
        );
      },
    );
    await fc.assert(property, { numRuns: 250 });
  });

  test("is not disturbed by what is counted and folded while it is read", async () => {
    const store = start();
    const beginS = START_MS / 1_000;
    // Ends within a minute that is folded, with all before it, in the middle of the reading.
    const endS = beginS + 5 * HOUR_S + 59;
    for (let atS = beginS; atS <= endS; atS += 20) count(store, atS, createTally());
    const expected = await read(store, endS, { windowS: 3 * HOUR_S, stepS: null });
    const reading = readInTurns(store, "production", { windowS: 3 * HOUR_S, stepS: null }, endS * 1_000);
    let laterS = endS;
    let turn = reading.next();
    for (; turn.done !== true; turn = reading.next()) {
      laterS += MINUTE_S;
      count(store, laterS, createTally({ version: 2 }));
      await fireAlarm(store, laterS);
    }
    expect(laterS - endS).toBeGreaterThanOrEqual(2 * MINUTE_S);
    expect(turn.value.arms).toMatchObject([{ version: 1, requests: expected.arms[0]!.requests }]);
  });
});

describe("a chart", () => {
  test.each([
    [15 * MINUTE_S, 5],
    [HOUR_S, MINUTE_S],
    [6 * HOUR_S, 5 * MINUTE_S],
    [7 * DAY_S, HOUR_S],
    [30 * DAY_S, DAY_S],
  ])("over %i s in steps of %i s shows each request of whole steps once", async (windowS, stepS) => {
    const property = fc.asyncProperty(lives, async (steps) => {
      const { store, counted, nowS } = await live(steps);
      const { series } = await read(store, nowS, { windowS, stepS });
      const fromS = Math.ceil(Math.max(nowS - windowS, 0) / MINUTE_S - 1) * MINUTE_S;
      const expected = new Map<number, number>();
      for (const { atS, tally } of counted) {
        const stepAtS = Math.floor(atS / stepS) * stepS;
        if (stepAtS < nowS - windowS) continue;
        expected.set(stepAtS, (expected.get(stepAtS) ?? 0) + tally.requests);
      }
      const shown = new Map<number, number>();
      for (const { at, requests } of series!.points) {
        const atS = Date.parse(at) / 1_000;
        if (atS < nowS - windowS) continue;
        expect(atS % stepS).toBe(0);
        expect(atS).toBeGreaterThanOrEqual(fromS);
        shown.set(atS, (shown.get(atS) ?? 0) + requests);
      }
      expect(shown).toEqual(expected);
      expect(series!.points.map(({ at }) => at)).toEqual(series!.points.map(({ at }) => at).toSorted());
    });
    await fc.assert(property, { numRuns: 40 });
  });

  test("says of how many answers a cost is, so that one of some is not taken for one of all", async () => {
    const store = start();
    const nowS = START_MS / 1_000;
    const cost = { answers: 2, nanoUsd: 4_000_000_000, fullNanoUsd: 4_000_000_000 };
    count(store, nowS, { ...createTally({ requests: 5 }), sums: { ...createSums(), cost } });
    const { series } = await read(store, nowS, { windowS: HOUR_S, stepS: MINUTE_S });
    expect(series!.points).toMatchObject([{ requests: 5, usd: 4, pricedAnswers: 2 }]);
  });

  test("leaves out what a baseline answered in a canary's stead", async () => {
    const store = start();
    const nowS = START_MS / 1_000;
    count(store, nowS, createTally(), createTally({ reason: "fallback", requests: 4 }));
    const { series, fallbacks } = await read(store, nowS, { windowS: HOUR_S, stepS: MINUTE_S });
    expect(series!.points).toMatchObject([
      { version: 1, arm: "baseline", requests: 1, latencyMs: null, usd: null },
    ]);
    expect(fallbacks).toMatchObject([{ version: 1, requests: 4 }]);
  });
});

test("since ever is read without a look at the series once it is in memory", async () => {
  const store = start();
  const nowS = START_MS / 1_000;
  count(store, nowS, createTally());
  await read(store, nowS, { windowS: null, stepS: null });
  const { sql } = store;
  const statements: string[] = [];
  store.sql = {
    ...sql,
    exec: (statement, ...given) => {
      statements.push(statement);
      return sql.exec(statement, ...given);
    },
  };
  const view = await read(store, nowS, { windowS: null, stepS: null });
  expect(statements).toEqual([]);
  expect(view).toMatchObject({ since: null, arms: [{ requests: 1 }] });
});

test("Totals for scrapers hold every sum but the buckets of units and the models, and take nothing off what is kept.", () => {
  fc.assert(
    fc.property(fc.array(metered, { maxLength: 12 }), (tallies) => {
      const store = start();
      tallies.forEach((tally, index) => count(store, START_MS / 1_000 + index, tally));
      const whole = sumOf(tallies);
      const expected = { ...whole, sums: { ...whole.sums, buckets: {}, models: {} } };
      expect(sumOf(readTotals(store, "production"))).toEqual(expected);
      expect(sumOf(readTotals(store, "production"))).toEqual(expected);
      expect(readTotals(store, "staging")).toEqual([]);
    }),
    { numRuns: 40 },
  );
});
