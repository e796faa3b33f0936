// What is remembered of models and callers. Guarantees: first and last sight survive a new process; what is known costs a
// write a minute at most; no caller can fill the table; an older object gets it when it is opened; what was counted already
// is not seen twice.

import { beforeEach, describe, expect, test } from "vitest";
import { keepSeen, MOST_SEEN, noteSeen, OTHER, readSeen, SEEN_MS } from "../../src/control/seen.ts";
import { answerSync } from "../../src/control/reports.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { CallerShape } from "../../src/core/ports.ts";
import { createSums } from "../../src/core/metering/sums.ts";
import type { Tally } from "../../src/core/types.ts";
import { LEASE, START_MS } from "./support/commands.ts";
import { createPrompt, createSync, createTally } from "./support/prompts.ts";
import { createTestSql, type TestSql } from "./support/sqlite.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
let sql: TestSql;
let store: ControlStore;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  createPrompt(store);
});

const tools = (value: string, requests = 1): CallerShape => ({ kind: "tools", value, requests });
const note = (callers: CallerShape[], nowMs = START_MS) => noteSeen(store, "production", [], callers, nowMs);
const read = (nowMs = START_MS) => readSeen(store, "production", nowMs);
const rows = () => sql.exec(`SELECT * FROM seen`);

function answeredBy(model: string, answers: number, version = 1): Tally {
  return createTally({ version, requests: answers, sums: { ...createSums(), models: { [model]: answers } } });
}

function sync(more: Parameters<typeof createSync>[0]): void {
  const request = createSync(more);
  answerSync(store, request, LEASE, START_MS, (counted) =>
    noteSeen(store, "production", counted, request.callers ?? [], START_MS),
  );
}

describe("what was seen", () => {
  test("is known to the next process, with when it was first and last seen", () => {
    note([tools("t1", 3)]);
    note([tools("t1", 4)], START_MS + 5 * MINUTE_MS);
    store = openStore(sql);
    expect(read(START_MS + HOUR_MS)).toEqual([
      {
        kind: "tools",
        version: 0,
        value: "t1",
        firstMs: START_MS,
        lastMs: START_MS + 5 * MINUTE_MS,
        requests: 7,
      },
    ]);
  });

  test("of answers' models is kept by version", () => {
    noteSeen(store, "production", [answeredBy("m-1 fp_1", 5), answeredBy("m-1 fp_1", 2, 2)], [], START_MS);
    expect(read().map(({ kind, version, value, requests }) => [kind, version, value, requests])).toEqual([
      ["response", 1, "m-1 fp_1", 5],
      ["response", 2, "m-1 fp_1", 2],
    ]);
  });

  test("is another environment's own", () => {
    note([tools("t1")]);
    expect(readSeen(store, "staging", START_MS)).toEqual([]);
  });

  test("is found in an object that was created without the table", () => {
    sql.exec(`DROP TABLE seen`);
    store = openStore(sql);
    note([tools("t1")]);
    expect(rows()).toHaveLength(1);
  });
});

describe("writing", () => {
  test("what is known is written once a minute, what is new at once", () => {
    note([tools("t1")]);
    note([tools("t1")], START_MS + 1_000);
    expect(rows()).toMatchObject([{ value: "t1", requests: 1 }]);
    note([tools("t2")], START_MS + 2_000);
    expect(rows()).toMatchObject([
      { value: "t1", requests: 2 },
      { value: "t2", requests: 1 },
    ]);
    note([tools("t1")], START_MS + 3_000);
    expect(rows()).toMatchObject([{ requests: 2 }, { requests: 1 }]);
    note([tools("t1")], START_MS + 2_000 + MINUTE_MS);
    expect(rows()).toMatchObject([{ requests: 4 }, { requests: 1 }]);
  });

  test("that fails leaves nothing in memory that is not stored", () => {
    note([tools("t1")]);
    sql.crashAfter(1);
    expect(() => note([tools("t2")])).toThrow("died");
    expect(read().map(({ value }) => value)).toEqual(["t1"]);
  });

  test("an alarm writes what is left and drops what is older than 31 days", () => {
    note([tools("t1")]);
    note([tools("t1")], START_MS + 1_000);
    keepSeen(store, START_MS + 2_000);
    expect(rows()).toMatchObject([{ requests: 2 }]);
    keepSeen(store, START_MS + 2_000 + SEEN_MS);
    expect(rows()).toEqual([]);
    expect(read(START_MS + 2_000 + SEEN_MS)).toEqual([]);
  });
});

describe("a caller whose every request is another", () => {
  test("fills no more than the room there is, and pushes out nobody who was seen of late", () => {
    note([tools("mine")]);
    for (let n = 0; n < MOST_SEEN + 100; n++) note([tools(`t${n}`)], START_MS + n);
    expect(rows()).toHaveLength(MOST_SEEN + 1);
    const known = read();
    expect(known.some(({ value }) => value === "mine")).toBe(true);
    expect(known.find(({ value }) => value === OTHER)).toMatchObject({ requests: 101 });
    // Another kind has room of its own.
    note([{ kind: "client", value: "sdk", requests: 1 }], START_MS + 1_000);
    expect(read().some(({ kind }) => kind === "client")).toBe(true);
  });

  test("makes room for somebody new once it is an hour ago", () => {
    for (let n = 0; n < MOST_SEEN; n++) note([tools(`t${n}`)], START_MS + n);
    note([tools("new")], START_MS + 2 * HOUR_MS);
    expect(rows()).toHaveLength(MOST_SEEN);
    const values = read(START_MS + 2 * HOUR_MS).map(({ value }) => value);
    expect(values).toContain("new");
    expect(values).not.toContain("t0");
  });
});

describe("a sync", () => {
  test("hands over a report's models once, however often it is repeated", () => {
    const report = { sequence: 1, tallies: [answeredBy("m-1", 5)] };
    sync({ report });
    sync({ report });
    expect(read()).toMatchObject([{ value: "m-1", requests: 5 }]);
  });

  test("hands over callers without a report too", () => {
    sync({ callers: [tools("t1", 2)] });
    expect(read()).toMatchObject([{ value: "t1", requests: 2 }]);
  });
});
