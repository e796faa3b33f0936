// What an object forgets and when. Guarantees: nothing that somebody may still ask for is dropped, and an object with
// nothing left to forget sleeps for good.

import { beforeEach, describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { answerSync, readBegan, readTallies } from "../../src/control/reports.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { SyncRequest } from "../../src/core/ports.ts";
import { createEnvelope, DRAIN_MS, expectAccepted, LEASE, OPTIONS, START_MS } from "./support/commands.ts";
import { changeWeight, createPrompt, createSync, createTally } from "./support/prompts.ts";
import { createTestSql, type TestSql } from "./support/sqlite.ts";

const HOUR_MS = 3_600_000;
const KIND_TARGETS = {
  putStore: async () => {},
  upsertPrompt: async () => {},
  resolveAlias: async () => null,
};

let sql: TestSql;
let store: ControlStore;
let nowMs: number;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  nowMs = START_MS;
  createPrompt(store);
});

function sync(more: Partial<SyncRequest>): void {
  answerSync(store, createSync(more), LEASE, nowMs);
}

/** Lets time go by until `atMs`, alarms included; stops early when none is set. */
async function passUntil(atMs: number): Promise<void> {
  while (sql.alarmMs !== null && sql.alarmMs <= atMs) {
    nowMs = sql.alarmMs;
    sql.alarmMs = null;
    await runAlarm(
      store,
      KIND_TARGETS,
      () => nowMs,
      () => {},
    );
  }
}

function readProduction(conversation: string): number | null {
  return readBegan(store, "production", conversation);
}

describe("a conversation begun in a drain", () => {
  test("is known by the revision of its first turn, in its environment alone", () => {
    changeWeight(store, 5, nowMs);
    sync({ began: [{ conversation: "one", revision: 2 }] });
    sync({ began: [{ conversation: "one", revision: 3 }] });
    expect(readProduction("one")).toBe(2);
    expect(readBegan(store, "staging", "one")).toBeNull();
    expect(readProduction("two")).toBeNull();
    expect(readBegan(openStore(createTestSql()), "production", "one")).toBeNull();
  });

  test("is kept as long as an older table is in force, and not longer", async () => {
    changeWeight(store, 5, START_MS);
    sync({ began: [{ conversation: "under 2", revision: 2 }] });
    nowMs = START_MS + DRAIN_MS / 2;
    changeWeight(store, 10, nowMs);
    sync({ began: [{ conversation: "under 3", revision: 3 }] });
    await passUntil(START_MS + DRAIN_MS);
    expect(readProduction("under 2")).toBe(2);
    // The table of revision 1 has run out: whoever began under 2 began under the oldest one now.
    await passUntil(START_MS + DRAIN_MS + 80_000);
    // At the latest within the hour, and by the first alarm of a process.
    store = openStore(sql);
    sql.wakeBy(START_MS + DRAIN_MS + 90_000);
    await passUntil(START_MS + DRAIN_MS + 90_000);
    expect(readProduction("under 2")).toBeNull();
    expect(readProduction("under 3")).toBe(3);
    await passUntil(START_MS + 10 * DRAIN_MS);
    expect(readProduction("under 3")).toBeNull();
    expect(sql.alarmMs).toBeNull();
  });
});

describe("what is over", () => {
  test("is forgotten within the hour after its day, the series in 31 days; counters stay, and then no alarm is left", async () => {
    const idempotency = { key: "k", fingerprint: "f" };
    const envelope = createEnvelope({ type: "put", settings: { owner: "ada" } }, { idempotency });
    expectAccepted(executeCommand(store, envelope, null, nowMs, OPTIONS));
    sync({ report: { sequence: 1, tallies: [createTally()] } });
    await passUntil(START_MS + 23.9 * HOUR_MS);
    expect(sql.exec(`SELECT key FROM idempotency`)).toHaveLength(1);
    expect(sql.exec(`SELECT isolate FROM reporters`)).toHaveLength(1);
    await passUntil(START_MS + 25.1 * HOUR_MS);
    expect(sql.exec(`SELECT key FROM idempotency`)).toEqual([]);
    expect(sql.exec(`SELECT isolate FROM reporters`)).toEqual([]);
    expect(sql.exec(`SELECT step FROM series ORDER BY step`)).toEqual([{ step: 60 }, { step: 3_600 }]);
    // Nothing is to be done for a month.
    expect(sql.alarmMs).toBeGreaterThanOrEqual(START_MS + 31 * 24 * HOUR_MS);
    await passUntil(START_MS + 32 * 24 * HOUR_MS);
    expect(sql.exec(`SELECT step FROM series`)).toEqual([]);
    expect(sql.alarmMs).toBeNull();
    expect(readTallies(store, "production")).toEqual([createTally()]);
    expect(readTallies(openStore(sql), "production")).toEqual([createTally()]);
  });

  test("is looked for once an hour, however often alarms go off; the series is folded each time", async () => {
    let forgets = 0;
    const { exec } = sql;
    sql.exec = (statement, ...parameters) => {
      if (statement.startsWith("DELETE FROM idempotency")) forgets += 1;
      return exec(statement, ...parameters);
    };
    for (let minute = 0; minute < 180; minute += 1) {
      sync({ report: { sequence: minute + 1, tallies: [createTally()] } });
      nowMs += 60_000;
      sql.wakeBy(nowMs);
      await passUntil(nowMs);
      // The minute that is under way is left.
      expect(exec(`SELECT at FROM series WHERE step = 60`)).toHaveLength(minute);
    }
    expect(forgets).toBe(3);
  });

  test("leaves the state as the audit log explains it, expired drains included", async () => {
    changeWeight(store, 5, START_MS);
    const before = store.state;
    await passUntil(START_MS + 3 * DRAIN_MS);
    expect(openStore(sql).state).toEqual(before);
  });
});
