// What an object keeps of response chains: their first root, bounded in time and number, and nothing while every chain
// is on one version anyway.

import { beforeEach, describe, expect, test } from "vitest";
import { addChains, CHAIN_MS, readChain } from "../../src/control/chains.ts";
import { executeCommand } from "../../src/control/commands.ts";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { answerSync } from "../../src/control/reports.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { BegunChain } from "../../src/core/ports.ts";
import { createEnvelope, DRAIN_MS, expectAccepted, LEASE, OPTIONS, START_MS } from "./support/commands.ts";
import { changeWeight, createPrompt, createSync, createTally } from "./support/prompts.ts";
import { createTestSql, listTables, type TestSql } from "./support/sqlite.ts";

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

function tell(...chains: BegunChain[]): void {
  answerSync(store, createSync({ chains }), LEASE, nowMs);
}

const chain = (response: string, more: Partial<BegunChain> = {}): BegunChain => ({
  response,
  key: `key of ${response}`,
  revision: 2,
  ...more,
});

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
  nowMs = atMs;
}

const countRows = (): unknown => sql.exec(`SELECT COUNT(*) AS n FROM chains`)[0]!["n"];

describe("a chain", () => {
  test("is known by its first root, in its environment alone", () => {
    tell(chain("one"), chain("two", { key: null, revision: 7 }));
    tell(chain("one", { revision: 3 }));
    expect(readChain(store, "production", "one")).toEqual({ key: "key of one", revision: 2 });
    expect(readChain(store, "production", "two")).toEqual({ key: null, revision: 7 });
    expect(readChain(store, "staging", "one")).toBeNull();
    expect(readChain(store, "production", "three")).toBeNull();
    expect(readChain(openStore(createTestSql()), "production", "one")).toBeNull();
  });

  test("comes with a sync like any other, or with none at all", () => {
    const report = { sequence: 1, tallies: [createTally()] };
    answerSync(store, createSync({ report, chains: [chain("one")] }), LEASE, nowMs);
    answerSync(store, createSync({ report, chains: [chain("two")] }), LEASE, nowMs);
    answerSync(store, createSync(), LEASE, nowMs);
    expect(countRows()).toBe(2);
  });

  test("finds its table in an object that was made before there was one", () => {
    sql.exec(`DROP TABLE chains`);
    store = openStore(sql);
    tell(chain("one"));
    expect(readChain(store, "production", "one")).not.toBeNull();
    expect(listTables(createTestSql())).toEqual([]);
  });
});

describe("what is kept of chains", () => {
  test("is kept for thirty days while versions are contested, and then no alarm is left", async () => {
    changeWeight(store, 5, nowMs);
    tell(chain("old"));
    await passUntil(START_MS + CHAIN_MS / 2);
    tell(chain("young"));
    await passUntil(START_MS + CHAIN_MS - 2 * 3_600_000);
    expect(countRows()).toBe(2);
    await passUntil(START_MS + CHAIN_MS + 2 * 3_600_000);
    expect(readChain(store, "production", "old")).toBeNull();
    expect(readChain(store, "production", "young")).not.toBeNull();
    await passUntil(START_MS + 2 * CHAIN_MS);
    expect(countRows()).toBe(0);
    expect(sql.alarmMs).toBeNull();
  });

  test("is dropped when one version is all there is, not before the drain is over", async () => {
    changeWeight(store, 5, nowMs);
    tell(chain("one"));
    const rollback = { type: "rollback", environment: "production", mode: "drain", reason: "" } as const;
    expectAccepted(executeCommand(store, createEnvelope(rollback), null, nowMs, OPTIONS));
    await passUntil(START_MS + DRAIN_MS - 1);
    expect(countRows()).toBe(1);
    await passUntil(START_MS + DRAIN_MS + 3 * 3_600_000);
    expect(countRows()).toBe(0);
  });

  test("is bounded: the oldest go first", () => {
    for (let index = 0; index < 50; index += 1) {
      addChains(sql, "production", [chain(`${index}`), chain(`${index}`), chain(`${index} too`)], nowMs, 20);
    }
    expect(countRows()).toBe(20);
    expect(readChain(store, "production", "49 too")).not.toBeNull();
    expect(readChain(store, "production", "40")).not.toBeNull();
    expect(readChain(store, "production", "39 too")).toBeNull();
  });
});
