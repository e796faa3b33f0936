// The series as a whole: whatever the order of reports, repeats, crashes, silences and folds, what is counted is the sum of
// the distinct reports, in memory as in the database, and in every window that covers them.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { LOST_AFTER_MS, paceReports } from "../../src/control/reporters.ts";
import { answerSync } from "../../src/control/reports.ts";
import { countWithin } from "../../src/control/series.ts";
import { EPOCHS_KEPT, foldInPassing, foldMinute, totalsOf } from "../../src/control/series-fold.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import { createSums } from "../../src/core/metering/sums.ts";
import { mergeTallies, openOf } from "../../src/core/metering/tally.ts";
import type { SyncReply, SyncRequest } from "../../src/core/ports.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Tally } from "../../src/core/types.ts";
import { LEASE, START_MS } from "./support/commands.ts";
import { createPrompt, createSync, createTally } from "./support/prompts.ts";
import { Crash, createTestSql, listTables, type TestSql } from "./support/sqlite.ts";
import { metered, plain, sumUp } from "./support/tallies.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TARGETS = { putStore: async () => {}, upsertPrompt: async () => {}, resolveAlias: async () => null };

let sql: TestSql;
let store: ControlStore;
let nowMs: number;

beforeEach(start);

function start(): void {
  sql = createTestSql();
  store = openStore(sql);
  nowMs = START_MS;
  createPrompt(store);
}

function sync(more: Partial<SyncRequest> = {}): SyncReply {
  foldInPassing(store, nowMs);
  const reply = answerSync(store, createSync(more), LEASE, nowMs);
  if (isProblem(reply)) throw new Error(reply.message);
  return reply;
}

function report(isolate: string, sequence: number, ...tallies: Tally[]): void {
  sync({ isolate, report: { sequence, tallies } });
}

async function fireAlarm(): Promise<void> {
  sql.alarmMs = null;
  await runAlarm(
    store,
    TARGETS,
    () => nowMs,
    () => {},
  );
}

/** Lets time go by, with all alarms that are set meanwhile. */
async function passUntil(atMs: number): Promise<void> {
  while (sql.alarmMs !== null && sql.alarmMs <= atMs) {
    nowMs = Math.max(nowMs, sql.alarmMs);
    await fireAlarm();
  }
  nowMs = Math.max(nowMs, atMs);
}

/** Comparable whichever way it came about. */
function normal(tallies: Iterable<Tally>): [string, Tally][] {
  const empty = { started: 0, requests: 0, errors: 0, aborted: 0, sums: createSums() };
  const entries = [...sumUp(tallies)].map(
    ([key, tally]) =>
      [key, withoutNoughts(mergeTallies({ ...tally, ...empty, lost: 0 }, tally))] as [string, Tally],
  );
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** What was taken back again counts like what never was. */
function withoutNoughts(tally: Tally): Tally {
  const sums = structuredClone(tally.sums!);
  for (const counts of [sums.counts, sums.errorClasses] as { [name: string]: number }[]) {
    for (const name of Object.keys(counts)) if (counts[name] === 0) delete counts[name];
  }
  return { ...tally, sums };
}

function read(held: ControlStore = store): Tally[] {
  return [...totalsOf(held, "production").values()];
}

/** Memory, and what an object that wakes up now reads. */
function expectCounted(expected: readonly Tally[]): void {
  expect(normal(read())).toEqual(normal(expected));
  expect(normal(read(openStore(sql)))).toEqual(normal(expected));
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant("report" as const),
      isolate: fc.integer({ min: 0, max: 2 }),
      tallies: fc.array(fc.oneof(metered, plain), { minLength: 1, maxLength: 3 }),
      fate: fc.constantFrom("answered", "answer lost", "sent twice"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant("wait" as const),
      forMs: fc.constantFrom(
        10,
        700,
        1_000,
        45_000,
        MINUTE_MS,
        20 * MINUTE_MS,
        3 * HOUR_MS,
        40 * 24 * HOUR_MS,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant("calls" as const),
      isolate: fc.integer({ min: 0, max: 2 }),
      begin: fc.nat(3),
      end: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("silence" as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("alarm" as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("evict" as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("read" as const) }) },
);
const life = fc.array(fc.record({ step, crashAfter: fc.option(fc.nat(12), { freq: 3 }) }), { maxLength: 25 });

/** As the edge is one: a report in flight is sent again as it was until it is acknowledged. */
function createIsolate(id: string) {
  let sequence = 0;
  let under = 0;
  let inFlight: Tally[] | null = null;
  const reported: Tally[] = [];
  const deliver = (fate: string) => {
    if (inFlight === null) return;
    report(id, sequence, ...inFlight);
    if (fate === "sent twice") report(id, sequence, ...inFlight);
    if (fate !== "answer lost") inFlight = null;
  };
  const tell = (tallies: Tally[], fate: string) => {
    if (inFlight === null) {
      sequence += 1;
      inFlight = tallies;
      reported.push(...tallies);
    }
    deliver(fate);
  };
  const beginAndEnd = (begin: number, most: number) => {
    // Before anything else may be told.
    deliver("answered");
    const end = Math.min(most, under + begin);
    under += begin - end;
    tell([createTally({ turn: "first", reason: "split", started: begin, requests: end })], "answered");
  };
  return { reported, tell, beginAndEnd, endAll: () => (deliver("answered"), beginAndEnd(0, under)) };
}

describe("what is counted since ever", () => {
  test("is the sum of the distinct reports under losses, repeats, crashes, silences and folds (500 lives)", async () => {
    const seen = { crashes: 0, givenUp: 0 };
    const property = fc.asyncProperty(life, async (steps) => {
      start();
      const isolates = [0, 1, 2].map((id) => createIsolate(`isolate-${id}`));
      for (const { step: one, crashAfter } of steps) {
        sql.crashAfter(crashAfter);
        try {
          if (one.act === "wait") {
            // Isolates are remembered for a day; what they have to tell they tell within minutes.
            if (one.forMs > HOUR_MS) for (const isolate of isolates) isolate.endAll();
            nowMs += one.forMs;
          }
          if (one.act === "silence") await passUntil(nowMs + 20 * MINUTE_MS);
          if (one.act === "alarm") await fireAlarm();
          if (one.act === "evict") store = openStore(sql);
          if (one.act === "read") read();
          if (one.act === "report") isolates[one.isolate]!.tell(one.tallies, one.fate);
          if (one.act === "calls") isolates[one.isolate]!.beginAndEnd(one.begin, one.end);
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          seen.crashes += 1;
          sql.crashAfter(null);
          store = openStore(sql);
        } finally {
          sql.crashAfter(null);
        }
        if (read().some(({ lost = 0 }) => lost > 0)) seen.givenUp += 1;
      }
      for (const isolate of isolates) isolate.endAll();
      expectCounted(isolates.flatMap(({ reported }) => reported));
    });
    await fc.assert(property, { numRuns: 500 });
    expect(seen.crashes).toBeGreaterThan(200);
    expect(seen.givenUp).toBeGreaterThan(20);
  });

  test("is right in memory after a transaction that was thrown back, wherever it was thrown (each step)", () => {
    for (let after = 0; after < 12; after += 1) {
      start();
      report("one", 1, createTally({ requests: 3 }));
      read();
      sql.crashAfter(after);
      let isThrown = false;
      try {
        report("one", 2, createTally({ requests: 4 }));
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        isThrown = true;
      }
      sql.crashAfter(null);
      // The same store goes on, in another second: nobody has restarted it.
      nowMs += 1_000;
      report("one", 2, createTally({ requests: 4 }));
      expectCounted([createTally({ requests: 7 })]);
      if (after === 0) expect(isThrown).toBe(true);
    }
  });

  test("stays exact when there are more epochs than are kept apart", async () => {
    const reported: Tally[] = [];
    for (let revision = 1; revision <= 3 * EPOCHS_KEPT; revision += 1) {
      const tally = createTally({ revision, requests: revision, reason: "split", turn: "first" });
      reported.push(tally);
      report("one", revision, tally);
      nowMs += MINUTE_MS;
    }
    await passUntil(nowMs + 2 * HOUR_MS);
    const totals = read();
    expect(totals).toHaveLength(EPOCHS_KEPT + 1);
    expect(totals.reduce((sum, { requests }) => sum + requests, 0)).toBe(
      reported.reduce((sum, { requests }) => sum + requests, 0),
    );
    expect(totals.map(({ revision }) => revision).toSorted((one, other) => one - other)).toEqual([
      0,
      ...reported.slice(-EPOCHS_KEPT).map(({ revision }) => revision),
    ]);
  });

  test("counts environments apart", () => {
    countWithin(store, nowMs, (count) => {
      count("production", [createTally()]);
      count("staging", [createTally({ requests: 5 })]);
    });
    expect(read()).toMatchObject([{ requests: 1 }]);
    expect([...totalsOf(store, "staging").values()]).toMatchObject([{ requests: 5 }]);
    expectCounted([createTally()]);
  });

  test("survives a clock that goes back", () => {
    report("one", 1, createTally());
    nowMs += 3 * MINUTE_MS;
    report("one", 2, createTally());
    foldMinute(store, nowMs + MINUTE_MS);
    nowMs -= 10 * MINUTE_MS;
    report("one", 3, createTally());
    nowMs += 12 * MINUTE_MS;
    report("one", 4, createTally());
    expectCounted([createTally({ requests: 4 })]);
  });
});

function countChanges(): number {
  return Number(sql.exec(`SELECT total_changes() AS n`)[0]!["n"]);
}

function countRows() {
  const [row] = sql.exec(
    `SELECT (SELECT COUNT(*) FROM seconds) AS seconds, (SELECT COUNT(*) FROM series WHERE step = 60) AS minutes,
       (SELECT COUNT(*) FROM series WHERE step = 3600) AS hours`,
  );
  return { ...row };
}

describe("what it costs", () => {
  test("one row, whatever the report holds, and nothing is read to be added to", () => {
    report("one", 1, createTally(), createTally({ version: 2 }));
    const reads: string[] = [];
    const { exec } = sql;
    sql.exec = (statement, ...parameters) => {
      if (statement.startsWith("SELECT")) reads.push(statement);
      return exec(statement, ...parameters);
    };
    const before = countChanges();
    reads.length = 0;
    report("one", 2, createTally(), createTally({ version: 2, started: 3 }), createTally({ version: 3 }));
    sql.exec = exec;
    expect(countChanges() - before).toBe(1);
    expect(reads).toEqual([]);
  });

  test("a row a second, and one a minute and hour for each tally; none but totals after a month", async () => {
    for (let sequence = 1; sequence <= 150; sequence += 1) {
      report("one", sequence, createTally(), createTally({ version: 2 }));
      nowMs += 1_000;
    }
    await fireAlarm();
    expect(countRows()).toEqual({ seconds: 150, minutes: 4, hours: 2 });
    await passUntil(nowMs + 3 * HOUR_MS);
    expect(countRows()).toEqual({ seconds: 0, minutes: 6, hours: 2 });
    await passUntil(nowMs + 33 * 24 * HOUR_MS);
    expect(countRows()).toEqual({ seconds: 0, minutes: 0, hours: 0 });
    expect(sql.alarmMs).toBeNull();
    expectCounted([createTally({ requests: 150 }), createTally({ version: 2, requests: 150 })]);
  });
});

describe("answers that each name another build of the model", () => {
  test("leave rows of the database as small as they were, and each is counted", () => {
    for (let minute = 0; minute < 20; minute += 1) {
      const models = Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [`gpt-5.4-mini fp_${minute}_${index}`, 1]),
      );
      report("isolate-1", minute + 1, createTally({ requests: 40, sums: { ...createSums(), models } }));
      nowMs += MINUTE_MS;
    }
    foldInPassing(store, nowMs);
    const rows = sql.exec(`SELECT sums FROM totals UNION ALL SELECT sums FROM series WHERE step = 3600`);
    for (const row of rows) expect(String(row["sums"]).length).toBeLessThan(2_000);
    const [total] = read();
    expect(total!.requests).toBe(800);
    expect(Object.values(total!.sums!.models).reduce((sum, answers) => sum + answers, 0)).toBe(800);
  });
});

describe("an isolate that falls silent with calls under way", () => {
  const open = { turn: "first", started: 5, requests: 2, errors: 0, aborted: 0 } as const;

  test("is given up after a quarter of an hour, and its calls are lost where they began", async () => {
    report("one", 1, createTally({ ...open, revision: 7 }));
    await passUntil(START_MS + LOST_AFTER_MS - 1);
    expect(read().map(openOf)).toEqual([3]);
    await passUntil(START_MS + LOST_AFTER_MS + MINUTE_MS);
    expect(read()).toMatchObject([{ revision: 7, started: 5, requests: 5, errors: 3, lost: 3 }]);
    expect(read()[0]!.sums).toMatchObject({ errorClasses: { timeout: 3 }, counts: { timeouts: 3 } });
    // Once is enough.
    await passUntil(START_MS + 30 * HOUR_MS);
    expectCounted(read());
    expect(read()).toMatchObject([{ requests: 5, lost: 3 }]);
  });

  test("is taken back when it comes back, whatever happened to the object meanwhile", async () => {
    report("one", 1, createTally(open));
    await passUntil(START_MS + LOST_AFTER_MS + MINUTE_MS);
    store = openStore(sql);
    report("one", 2, createTally({ ...open, started: 1, requests: 4, errors: 1 }));
    expectCounted([createTally({ ...open, started: 6, requests: 6, errors: 1 })]);
    expect(read()[0]!.lost ?? 0).toBe(0);
  });

  test("is left alone as long as it asks for the release", async () => {
    report("one", 1, createTally(open));
    nowMs = START_MS + LOST_AFTER_MS - 1_000;
    sync({ isolate: "one" });
    await passUntil(START_MS + LOST_AFTER_MS + MINUTE_MS);
    expect(read().map(openOf)).toEqual([3]);
    await passUntil(START_MS + 2 * LOST_AFTER_MS + 2 * MINUTE_MS);
    expect(read()).toMatchObject([{ requests: 5, lost: 3 }]);
  });

  test("is not made up of isolates that do not say what began", async () => {
    report("one", 1, createTally({ requests: 2 }));
    await passUntil(START_MS + 3 * HOUR_MS);
    expectCounted([createTally({ requests: 2 })]);
  });
});

describe("how often isolates report", () => {
  test("is each second up to fifty of them, then as often as makes fifty reports a second", () => {
    const { heard } = store.series;
    const pace = (isolates: number, atMs: number) => {
      for (let index = 0; index < isolates; index += 1) paceReports(heard, `i-${index}`, atMs);
      return paceReports(heard, "i-0", atMs + 1_000);
    };
    expect(pace(50, nowMs)).toBe(1_000);
    expect(pace(200, nowMs + 60_000)).toBe(4_000);
    expect(pace(10_000, nowMs + 120_000)).toBe(60_000);
    // Who was not heard of for ten seconds is not waited for.
    expect(paceReports(heard, "i-0", nowMs + 140_000)).toBe(1_000);
    expect(paceReports(heard, "i-0", nowMs + 60 * MINUTE_MS)).toBe(1_000);
    expect(heard.atMs.size).toBe(1);
  });

  test("is said in the answer only where it is not each second", () => {
    expect(sync()).not.toHaveProperty("reportAfterMs");
    for (let index = 0; index < 100; index += 1) sync({ isolate: `i-${index}` });
    nowMs += 1_000;
    expect(sync({ isolate: "i-0" })).toMatchObject({ reportAfterMs: 2_020 });
  });
});

/** As that deployment made it: no series, no totals, reporters without calls. */
function makeOld(): void {
  for (const table of ["seconds", "series", "totals", "reporters", "tallies"])
    sql.exec(`DROP TABLE ${table}`);
  sql.exec(
    `CREATE TABLE tallies (environment TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
       arm TEXT NOT NULL, reason TEXT NOT NULL, requests INTEGER NOT NULL, errors INTEGER NOT NULL,
       aborted INTEGER NOT NULL, PRIMARY KEY (environment, revision, version, arm, reason)) STRICT, WITHOUT ROWID`,
  );
  sql.exec(
    `CREATE TABLE reporters (isolate TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at_ms INTEGER NOT NULL)
       STRICT, WITHOUT ROWID`,
  );
  sql.exec(`INSERT INTO reporters VALUES ('one', 4, ?)`, nowMs);
  countAsOld(10);
}

function countAsOld(requests: number): void {
  sql.exec(`INSERT INTO tallies VALUES ('production', 1, 1, 'baseline', 'static', ?, 2, 1)`, requests);
}

function expectCounters(requests: number, errors: number, aborted: number): void {
  expectCounted([createTally({ requests, errors, aborted })]);
}

describe("an object of an earlier deployment", () => {
  test("keeps what it has counted, and whom it has heard of", () => {
    makeOld();
    store = openStore(sql);
    expectCounters(10, 2, 1);
    store = openStore(sql);
    report("one", 4, createTally());
    expectCounters(10, 2, 1);
    report("one", 5, createTally());
    expectCounters(11, 2, 1);
  });

  test("is taken over at once or not at all, wherever it dies", () => {
    for (let after = 0; after < 20; after += 1) {
      start();
      makeOld();
      sql.crashAfter(after);
      try {
        store = openStore(sql);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      sql.crashAfter(null);
      store = openStore(sql);
      expectCounters(10, 2, 1);
    }
  });

  test("loses nothing when that deployment is gone back to for a while", () => {
    report("one", 1, createTally());
    // It counts where it always did, and knows nothing of calls.
    countAsOld(10);
    sql.exec(`INSERT OR REPLACE INTO reporters (isolate, sequence, at_ms) VALUES ('one', 2, ?)`, nowMs);
    store = openStore(sql);
    expectCounters(11, 2, 1);
    report("one", 2, createTally());
    report("one", 3, createTally());
    expectCounters(12, 2, 1);
    expect(listTables(sql)).toContain("tallies");
  });
});
