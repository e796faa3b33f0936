// A ramp in its object: clock, alarm, reports and what the watch says are the test's. Guarantees: a step is taken once,
// whatever coincides or dies; nothing is forgotten by a restart; no alarm is asked for that nobody needs.

import { beforeEach, describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { driveRamps, type RampCare, type RampEvent } from "../../src/control/ramping.ts";
import { openStore, readRevisions, type ControlStore } from "../../src/control/store.ts";
import type { Command } from "../../src/core/ports.ts";
import { RAMP_DEFAULTS, type RampHealth, type RampPlan } from "../../src/core/ramps.ts";
import { checkHistory } from "../../src/core/replay.ts";
import { createEnvelope, expectAccepted, OPTIONS, START_MS } from "./support/commands.ts";
import { createPrompt } from "./support/prompts.ts";
import { Crash, createTestSql, type TestSql } from "./support/sqlite.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BAKE_MS = RAMP_DEFAULTS.bakeMs;
const OPEN: RampHealth = { isOpen: true, isFrozen: false, says: "errors 3.4 of 3.0 nats" };
const SHUT: RampHealth = { isOpen: false, isFrozen: false, says: "errors 1.2 of 3.0 nats" };
const FROZEN: RampHealth = { isOpen: false, isFrozen: true, says: "upstream" };
const KIND_TARGETS = {
  putStore: async () => {},
  upsertPrompt: async () => {},
  resolveAlias: async () => null,
};

let sql: TestSql;
let store: ControlStore;
let nowMs: number;
let health: { [environment: string]: RampHealth | null };
let asked: number;
let events: RampEvent[];

const care: RampCare = {
  healthOf: (_, environment) => {
    asked += 1;
    return health[environment] ?? null;
  },
  record: (_, event) => void events.push(event),
};

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  nowMs = START_MS;
  health = {};
  asked = 0;
  events = [];
  createPrompt(store);
});

function act(command: Command): void {
  expectAccepted(executeCommand(store, createEnvelope(command), null, nowMs, OPTIONS));
}

function start(plan: Partial<RampPlan> = {}, environment = "production"): void {
  act({ type: "ramp", environment, version: 2, plan: { ...RAMP_DEFAULTS, ...plan }, reason: "" });
}

function drive(environments = ["production"]): void {
  expect(driveRamps(store, environments, care, nowMs, OPTIONS)).toEqual([]);
}

/** What the object does with an alarm. */
async function fire(): Promise<void> {
  sql.alarmMs = null;
  drive(Object.keys(store.state?.releases ?? {}));
  await runAlarm(
    store,
    KIND_TARGETS,
    () => nowMs,
    () => {},
  );
}

/** Lets time go by until `atMs`, alarms included. */
async function passUntil(atMs: number): Promise<void> {
  while (sql.alarmMs !== null && sql.alarmMs <= atMs) {
    nowMs = Math.max(nowMs, sql.alarmMs);
    await fire();
  }
  nowMs = atMs;
}

const ramp = (environment = "production") => store.state!.releases[environment]?.ramp ?? null;
const weight = (environment = "production") =>
  store.state!.releases[environment]!.release.arms.find((arm) => arm.version === 2)?.weight ?? 0;
const history = (environment = "production") => readRevisions(sql, environment, 200, null).toReversed();
const marks = (environment = "production") => history(environment).flatMap((row) => row.ramp?.event ?? []);

describe("a ramp that is proven safe", () => {
  test("completes by its alarms alone, at the times of its plan, and leaves a holdback for a day", async () => {
    health["production"] = OPEN;
    start();
    const weights: number[] = [];
    for (let step = 0; step < 4; step += 1) {
      weights.push(weight());
      await passUntil(START_MS + (step + 1) * BAKE_MS - 1);
      expect(weight()).toBe(weights.at(-1));
      await passUntil(START_MS + (step + 1) * BAKE_MS);
    }
    expect(weights).toEqual([5, 25, 50, 95]);
    expect(ramp()).toMatchObject({ state: "holdback" });
    await passUntil(START_MS + 3 * BAKE_MS + 24 * HOUR_MS - 1);
    expect(weight()).toBe(95);
    await passUntil(START_MS + 3 * BAKE_MS + 24 * HOUR_MS);
    expect(store.state!.releases["production"]!.release).toMatchObject({
      baseline: 2,
      arms: [{ weight: 100 }],
    });
    expect(ramp()).toBeNull();
    expect(marks()).toEqual(["start", "step", "step", "holdback", "complete"]);
    expect(
      history()
        .slice(2)
        .map((row) => [row.actor, row.reason]),
    ).toEqual([
      ["ramp", "10 m at 5 % are over and proven safe: errors 3.4 of 3.0 nats"],
      ["ramp", "10 m at 25 % are over and proven safe: errors 3.4 of 3.0 nats"],
      ["ramp", "10 m at 50 % are over and proven safe: errors 3.4 of 3.0 nats"],
      ["ramp", "24 h at 95 % are over, the holdback ends: errors 3.4 of 3.0 nats"],
    ]);
    expect(checkHistory(history())).toEqual([]);
    await passUntil(nowMs + 48 * HOUR_MS);
    expect(sql.alarmMs).toBeNull();
  });

  test("has its alarm with the change that needs it, on time to the millisecond", async () => {
    health["production"] = OPEN;
    await passUntil(START_MS + HOUR_MS);
    start({ bakeMs: 100 });
    expect(sql.alarmMs).toBe(START_MS + HOUR_MS + 100);
    await passUntil(START_MS + HOUR_MS + 100);
    expect([weight(), sql.alarmMs]).toEqual([25, START_MS + HOUR_MS + 200]);
  });

  test("takes a step once, though alarm and report coincide and both come late", async () => {
    health["production"] = OPEN;
    start();
    nowMs = START_MS + BAKE_MS + 1;
    drive();
    await fire();
    drive();
    expect(marks()).toEqual(["start", "step"]);
    expect(weight()).toBe(25);
  });

  test("in two environments goes on in each by its own time and proof", async () => {
    start();
    nowMs += 3 * MINUTE_MS;
    start({ bakeMs: MINUTE_MS }, "staging");
    health["staging"] = OPEN;
    await passUntil(START_MS + 4 * MINUTE_MS);
    expect([weight(), weight("staging")]).toEqual([5, 25]);
    health["production"] = OPEN;
    await passUntil(START_MS + BAKE_MS);
    expect([weight(), weight("staging")]).toEqual([25, 95]);
    expect(marks("staging")).toEqual(["start", "step", "step", "holdback"]);
  });
});

describe("a ramp that is not proven safe", () => {
  test("waits, is looked at every minute and with every report, and goes on with the first that proves it", async () => {
    health["production"] = SHUT;
    start();
    await passUntil(START_MS + BAKE_MS);
    const before = asked;
    await passUntil(START_MS + BAKE_MS + 30 * MINUTE_MS);
    expect(asked - before).toBe(30);
    expect(weight()).toBe(5);
    health["production"] = OPEN;
    drive();
    expect(weight()).toBe(25);
  });

  test("without any traffic waits for ever, asks for a person once, and then is looked at once an hour", async () => {
    start();
    await passUntil(START_MS + 24 * HOUR_MS - 1);
    expect(events).toEqual([]);
    await passUntil(START_MS + 25 * HOUR_MS);
    expect(events).toEqual([
      {
        environment: "production",
        at: new Date(START_MS + 24 * HOUR_MS).toISOString(),
        revision: history().length,
        kind: "ramp",
        says: "Ramp of version 2: 24 h at 5 % and still not proven safe, so somebody has to decide: there is nothing to compare yet.",
        data: { version: 2, step: 0, weight: 5 },
      },
    ]);
    const before = asked;
    await passUntil(START_MS + 30 * 24 * HOUR_MS);
    expect(asked - before).toBe(29 * 24 - 1);
    expect(events).toHaveLength(1);
    expect([weight(), marks()]).toEqual([5, ["start"]]);
    health["production"] = OPEN;
    drive();
    expect(weight()).toBe(25);
  });
});

describe("a paused ramp", () => {
  test("asks for no alarm and nobody looks at it; resumed, it begins its time anew", async () => {
    health["production"] = OPEN;
    start();
    act({ type: "ramp_pause", environment: "production", reason: "" });
    await passUntil(START_MS + 72 * HOUR_MS);
    expect(sql.alarmMs).toBeNull();
    asked = 0;
    drive();
    expect([asked, weight()]).toEqual([0, 5]);
    act({ type: "ramp_resume", environment: "production", reason: "" });
    await passUntil(START_MS + 72 * HOUR_MS + BAKE_MS - 1);
    expect(weight()).toBe(5);
    await passUntil(START_MS + 72 * HOUR_MS + BAKE_MS);
    expect(weight()).toBe(25);
  });
});

describe("a frozen ramp", () => {
  test("stands still through restarts, says so once, and then has the rest of its time to go", async () => {
    health["production"] = OPEN;
    start();
    await passUntil(START_MS + 4 * MINUTE_MS);
    health["production"] = FROZEN;
    drive();
    drive();
    expect(events.map(({ says }) => says)).toEqual([
      "Ramp of version 2: frozen at 5 %, its time stands still: upstream.",
    ]);
    store = openStore(sql);
    health = {};
    await passUntil(START_MS + 3 * HOUR_MS);
    expect(ramp()).toMatchObject({ frozenSinceMs: START_MS + 4 * MINUTE_MS });
    health["production"] = OPEN;
    drive();
    expect(events[1]!.says).toBe(
      "Ramp of version 2: no longer frozen, after 2 h 56 m; 10 m at 5 %, 6 m to go.",
    );
    store = openStore(sql);
    await passUntil(START_MS + 3 * HOUR_MS + 6 * MINUTE_MS - 1);
    expect(weight()).toBe(5);
    await passUntil(START_MS + 3 * HOUR_MS + 6 * MINUTE_MS);
    expect(weight()).toBe(25);
    expect(marks(), "a freeze is no change of the release").toEqual(["start", "step"]);
  });
});

describe("what ends a ramp", () => {
  test("leaves nothing for its alarm to do", async () => {
    health["production"] = OPEN;
    start();
    nowMs += MINUTE_MS;
    act({ type: "rollback", environment: "production", mode: "now", reason: "bad" });
    await passUntil(START_MS + 72 * HOUR_MS);
    expect([weight(), marks()]).toEqual([0, ["start", "end"]]);
    expect(sql.alarmMs).toBeNull();
  });
});

describe("the clock", () => {
  test("that goes back does not make a step last longer than its plan; one that goes forth takes one step", async () => {
    health["production"] = OPEN;
    start();
    nowMs = START_MS - 48 * HOUR_MS;
    drive();
    await passUntil(nowMs + BAKE_MS);
    expect(weight()).toBe(25);
    nowMs += 1_000 * HOUR_MS;
    await fire();
    expect(weight()).toBe(50);
    expect(ramp()).toMatchObject({ stepSinceMs: nowMs });
  });
});

describe("a process that dies", () => {
  test("at any statement of a step or of a note leaves a ramp that goes on, each step once", async () => {
    for (const seen of [OPEN, FROZEN]) {
      for (let steps = 0; steps < 40; steps += 1) {
        sql = createTestSql();
        store = openStore(sql);
        nowMs = START_MS;
        createPrompt(store);
        start();
        nowMs += BAKE_MS;
        health["production"] = seen;
        sql.crashAfter(steps);
        try {
          drive();
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
        sql.crashAfter(null);
        store = openStore(sql);
        expect(sql.alarmMs, "an alarm is left").not.toBeNull();
        await fire();
        if (seen === OPEN) expect(marks()).toEqual(["start", "step"]);
        else expect(ramp()).toMatchObject({ frozenSinceMs: nowMs, step: 0 });
        expect(openStore(sql).state).toEqual(store.state);
        expect(checkHistory(history())).toEqual([]);
      }
    }
  });
});
