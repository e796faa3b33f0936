// The watch inside Control. Guarantees: a guardrail rolls back by the ordinary command, in the sync that showed it, exactly
// once, through crashes at any step; an incident of both arms rolls nothing back; what is reported twice counts once; an
// idle prompt costs nothing.

import { beforeEach, describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { MOST_EVENTS, readEvents, recordEvent } from "../../src/control/events.ts";
import { runAlarm } from "../../src/control/housekeeping.ts";
import type { Targets } from "../../src/control/outbox.ts";
import { LOST_AFTER_MS } from "../../src/control/reporters.ts";
import { answerSync } from "../../src/control/reports.ts";
import { openStore, readRevisions, type ControlStore } from "../../src/control/store.ts";
import { gateOf, readHealth, watchReport, watchTime } from "../../src/control/watching.ts";
import type { SyncReply } from "../../src/core/ports.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Tally } from "../../src/core/types.ts";
import { LATE_MS } from "../../src/core/watching/add.ts";
import { QUIET_MS } from "../../src/core/watching/conclude.ts";
import { createRandom, type Random } from "../../bench/guardrails/random.ts";
import { drawTallies, USUAL, type TrafficArm } from "../../bench/guardrails/traffic.ts";
import { createEnvelope, createPush, expectAccepted, LEASE, OPTIONS, START_MS } from "./support/commands.ts";
import { changeWeight, createPrompt, createSync } from "./support/prompts.ts";
import { Crash, createTestSql, type TestSql } from "./support/sqlite.ts";

let sql: TestSql;
let store: ControlStore;
let nowMs: number;
let random: Random;
let sequence: number;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  nowMs = START_MS;
  random = createRandom(11);
  sequence = 0;
  createPrompt(store);
});

const rethrow = (_: string, error: unknown) => {
  throw error;
};
const NO_TARGETS: Targets = {
  putStore: async () => {},
  upsertPrompt: async () => {},
  resolveAlias: async () => null,
};
const FAILING = { errors: 0.6 };

function releaseNow() {
  return store.state!.releases["production"]!.release;
}

function draw(canary: Partial<TrafficArm> = {}, baseline: Partial<TrafficArm> = {}, requests = 50): Tally[] {
  const { revision, arms } = releaseNow();
  const arm = { baseline: { ...USUAL, ...baseline }, canary: { ...USUAL, ...canary } };
  const share = (arms[1]?.weight ?? 0) / 100;
  return drawTallies(requests, { revision, versions: { baseline: 1, canary: 2 }, share, arms: arm }, random);
}

/** One sync of an isolate, a second after the last one. */
function report(tallies: Tally[], repeated = false, isolate = "isolate-1"): SyncReply {
  nowMs += 1_000;
  if (!repeated) sequence += 1;
  const request = createSync({
    isolate,
    report: { sequence, tallies },
    knownRevision: releaseNow().revision,
  });
  const reply = answerSync(store, request, LEASE, nowMs, (counted) =>
    watchReport(store, "production", { tallies: counted }, nowMs, OPTIONS),
  );
  if (isProblem(reply)) throw new Error(reply.message);
  return reply;
}

/** Reports until the release changes, or so many. */
function reportUntilRollback(most: number, canary: Partial<TrafficArm>, baseline: Partial<TrafficArm> = {}) {
  for (let count = 1; count <= most; count += 1) {
    const reply = report(draw(canary, baseline));
    if (reply.release !== null) return { reply, reports: count };
  }
  return null;
}

const revisions = () => readRevisions(sql, "production", 100, null);
const events = () => readEvents(sql, "production", 100, null);

describe("a guardrail that crosses", () => {
  test("rolls back in that very sync, by the command that people use, with the numbers as its reason", () => {
    changeWeight(store, 10, nowMs);
    for (let count = 0; count < 30; count += 1) report(draw());
    const found = reportUntilRollback(60, FAILING)!;
    expect(found.reply.release).toEqual(releaseNow());
    expect(releaseNow()).toMatchObject({ baseline: 1, arms: [{ version: 1, weight: 100 }], drains: [] });
    const [row] = revisions();
    expect(row).toMatchObject({ action: "rollback", actor: "guardrail", revision: 3 });
    expect(row!.reason).toMatch(
      /^errors \d\.\d % on v1, \d+\.\d % on v2 \(×.*\) after \d+ canary requests.*; evidence \d+\.\d of 6\.7/,
    );
    expect(events()[0]).toMatchObject({ kind: "verdict", revision: 2, data: { to: "prompt", canary: 2 } });
    expect(events()[0]!.says).toContain(row!.reason);
  });

  test("takes a canary off that nothing was found about, too, and says so", () => {
    const push = createEnvelope({ type: "push", content: "c" });
    expectAccepted(executeCommand(store, push, createPush("c"), nowMs, OPTIONS));
    changeWeight(store, 10, nowMs);
    changeWeight(store, 5, nowMs, 3);
    for (let count = 0; count < 30; count += 1) report(draw());
    reportUntilRollback(60, FAILING);
    const [row] = revisions();
    expect(row).toMatchObject({ action: "rollback", actor: "guardrail" });
    expect(row!.reason).toMatch(/^errors .*Takes off v3 as well$/);
  });

  test("is told to KV and the Registry like any rollback", () => {
    changeWeight(store, 10, nowMs);
    reportUntilRollback(60, FAILING);
    const keys = sql.exec(`SELECT key FROM outbox WHERE pending = 1`).map((row) => row["key"]);
    expect(keys).toContain("release:support-bot:production");
    expect(sql.alarmMs).not.toBeNull();
  });

  test("rolls back once: neither late reports nor the same canary put on again meet the old evidence", () => {
    changeWeight(store, 10, nowMs);
    reportUntilRollback(60, FAILING);
    const late = draw(FAILING, {}, 500).map((tally) => ({ ...tally, revision: 2 }));
    report(late);
    expect(revisions()).toHaveLength(3);
    changeWeight(store, 10, nowMs);
    report(draw());
    report(late);
    expect(revisions()).toHaveLength(4);
    expect(readHealth(store, releaseNow(), nowMs).comparisons[0]!.verdict).not.toBe("prompt");
    expect(reportUntilRollback(60, FAILING)).not.toBeNull();
  });

  test("takes no canary off that an incident of both arms has hit, and says what it is", () => {
    changeWeight(store, 20, nowMs);
    for (let count = 0; count < 60; count += 1) report(draw());
    expect(reportUntilRollback(60, { errors: 0.3 }, { errors: 0.3 })).toBeNull();
    expect(readHealth(store, releaseNow(), nowMs)).toMatchObject({ verdict: "upstream", isFrozen: true });
    expect(gateOf(store, "production", 2, nowMs)).toMatchObject({ isFrozen: true });
    expect(events()[0]).toMatchObject({ kind: "verdict", data: { to: "upstream" } });
  });

  test("does as the prompt's settings say", () => {
    const guardrails = Object.fromEntries(
      ["errors", "first_token", "latency", "latency_tail", "cost"].map((metric) => [
        metric,
        { action: "notify" as const },
      ]),
    );
    expectAccepted(
      executeCommand(store, createEnvelope({ type: "put", settings: { guardrails } }), null, nowMs, OPTIONS),
    );
    changeWeight(store, 10, nowMs);
    expect(reportUntilRollback(60, FAILING)).toBeNull();
    expect(events().filter(({ kind }) => kind === "notice")).toMatchObject([{ data: { canary: 2 } }]);
    const { verdict, isFrozen, comparisons } = readHealth(store, releaseNow(), nowMs);
    expect({ verdict, isFrozen }).toEqual({ verdict: "prompt", isFrozen: true });
    expect(comparisons[0]!.guards.find(({ metric }) => metric === "errors")!.action).toBe("notify");
  });

  test("is refused in words, once, where there is nothing good to go back to", () => {
    changeWeight(store, 10, nowMs);
    const broken = structuredClone(store.state!);
    broken.versions[0]!.revoked = { at: "", by: "ada", reason: "" };
    store.state = broken;
    expect(reportUntilRollback(60, FAILING)).toBeNull();
    const refused = events().filter(({ says }) => says.startsWith("the rollback was refused"));
    expect(refused).toMatchObject([{ kind: "notice", data: { problem: "version_revoked" } }]);
  });
});

/** As if it had never been: the next round starts from the same state. */
function undoRollback(): void {
  const [rollback] = revisions();
  sql.exec(`DELETE FROM revisions WHERE revision = ?`, rollback!.revision);
  const held = store.state!.releases["production"]!;
  const document = { ...held, release: rollback!.before };
  sql.exec(`UPDATE state SET document = ? WHERE key = 'release:production'`, JSON.stringify(document));
}

describe("a process that dies", () => {
  test("at any step around the rollback has rolled back once after the next report", () => {
    changeWeight(store, 10, nowMs);
    for (let count = 0; count < 20; count += 1) report(draw());
    const before = sql.exec(`SELECT document FROM watches`)[0]!["document"];
    const crossing = draw({ errors: 1 }, {}, 400);
    let crashes = 0;
    for (let steps = 0; ; steps += 1) {
      sql.exec(`UPDATE watches SET document = ?`, before!);
      store = openStore(sql);
      nowMs += 1_000;
      const atMs = nowMs;
      sql.crashAfter(steps);
      let hasDied = false;
      try {
        watchReport(store, "production", { tallies: crossing }, atMs, OPTIONS);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        hasDied = true;
        crashes += 1;
      }
      sql.crashAfter(null);
      if (!hasDied) break;
      store = openStore(sql);
      nowMs += 1_000;
      watchReport(store, "production", { tallies: draw({ errors: 1 }, {}, 400) }, nowMs, OPTIONS);
      expect(revisions().map(({ action }) => action)).toEqual(["rollback", "canary", "push"]);
      undoRollback();
    }
    expect(crashes).toBeGreaterThan(6);
    expect(revisions()[0]!.actor).toBe("guardrail");
  });

  test("between verdict and rollback is made good by the alarm too, without any report", () => {
    changeWeight(store, 10, nowMs);
    for (let count = 0; count < 20; count += 1) report(draw());
    // The verdict's transaction is done; the one of the rollback is not.
    const run = sql.transaction;
    let transactions = 0;
    sql.transaction = (...args) => {
      transactions += 1;
      if (transactions === 2) throw new Crash("the process died");
      return run(...args);
    };
    const tallies = draw({ errors: 1 }, {}, 400);
    nowMs += 1_000;
    expect(() => watchReport(store, "production", { tallies }, nowMs, OPTIONS)).toThrow(Crash);
    sql.transaction = run;
    expect(revisions()).toHaveLength(2);
    store = openStore(sql);
    watchTime(store, nowMs + 500, OPTIONS);
    expect(revisions()[0]).toMatchObject({ action: "rollback", actor: "guardrail" });
    expect(events().filter(({ data }) => data["to"] === "prompt")).toHaveLength(1);
  });
});

const unitsIn = () => {
  const { comparisons } = readHealth(store, releaseNow(), nowMs);
  const errors = comparisons[0]!.guards.find(({ metric }) => metric === "errors")!;
  return errors.baseline.units + errors.canary.units;
};

const countWrites = () => Number(sql.exec(`SELECT total_changes() AS n`)[0]!["n"]);

describe("what is kept", () => {
  test("counts a repeated report once", () => {
    changeWeight(store, 50, nowMs);
    const tallies = draw({}, {}, 400);
    report(tallies);
    const once = unitsIn();
    report(tallies, true);
    report(tallies, true);
    expect(unitsIn()).toBe(once);
  });

  test("survives a restart, but for less than a second of reports", () => {
    changeWeight(store, 50, nowMs);
    for (let count = 0; count < 10; count += 1) report(draw({}, {}, 100));
    const kept = unitsIn();
    store = openStore(sql);
    expect(unitsIn()).toBe(kept);
  });

  test("is written at most once a second, and at once where there is a verdict", () => {
    changeWeight(store, 10, nowMs);
    report(draw());
    report(draw());
    const before = countWrites();
    const eventsBefore = events().length;
    for (let count = 0; count < 20; count += 1) {
      watchReport(store, "production", { tallies: draw() }, nowMs + 10 * count, OPTIONS);
    }
    expect(countWrites()).toBe(before);
    watchReport(store, "production", { tallies: draw({ errors: 1 }, {}, 500) }, nowMs + 300, OPTIONS);
    expect(countWrites()).toBeGreaterThan(before);
    expect(events().length).toBeGreaterThan(eventsBefore);
  });

  test("begins where an object of old, with a canary and without any of these tables, is opened", () => {
    changeWeight(store, 10, nowMs);
    sql.exec(`DROP TABLE watches`);
    sql.exec(`DROP TABLE events`);
    store = openStore(sql);
    expect(reportUntilRollback(60, FAILING)).not.toBeNull();
  });

  test("is not what another schema wrote", () => {
    changeWeight(store, 10, nowMs);
    report(draw());
    sql.exec(`UPDATE watches SET document = '{"schema":0}'`);
    store = openStore(sql);
    expect(readHealth(store, releaseNow(), nowMs)).toMatchObject({ verdict: "waiting" });
  });
});

describe("time", () => {
  test("without traffic ends what is open, says that there is nothing to compare, and then sets no alarm", () => {
    changeWeight(store, 50, nowMs);
    report(draw({}, {}, 100));
    report(draw({}, {}, 5));
    expect(readHealth(store, releaseNow(), nowMs).verdict).toBe("watching");
    changeWeight(store, 60, nowMs);
    report(draw({}, {}, 5));
    const fired: number[] = [];
    for (let alarms = 0; alarms < 12 && sql.alarmMs !== null; alarms += 1) {
      nowMs = Math.max(nowMs, sql.alarmMs);
      sql.alarmMs = null;
      watchTime(store, nowMs, OPTIONS);
      fired.push(nowMs);
    }
    expect(sql.alarmMs).toBeNull();
    expect(fired.at(-1)! - START_MS).toBeGreaterThan(LATE_MS);
    expect(readHealth(store, releaseNow(), nowMs)).toMatchObject({ verdict: "waiting", isFrozen: true });
    expect(events()[0]).toMatchObject({ kind: "verdict", data: { from: "watching", to: "waiting" } });
    expect(gateOf(store, "production", 2, nowMs)).toBeNull();
  });

  test("of a prompt without a canary and without traffic sets none at all", () => {
    report(draw());
    nowMs += 2 * QUIET_MS;
    sql.alarmMs = null;
    watchTime(store, nowMs, OPTIONS);
    expect(sql.alarmMs).toBeNull();
  });
});

const record = (count: number, environment = "production", most = MOST_EVENTS) => {
  for (let index = 0; index < count; index += 1) {
    const event = { environment, at: "2026-01-01T00:00:00.000Z", revision: 1, kind: "notice" as const };
    recordEvent(sql, { ...event, says: `notice ${index}`, data: { index } }, most);
  }
};

describe("events", () => {
  test("are read newest first, page by page, each environment by itself", () => {
    record(5);
    record(1, "staging");
    const first = readEvents(sql, "production", 2, null);
    expect(first.map(({ says }) => says)).toEqual(["notice 4", "notice 3"]);
    const second = readEvents(sql, "production", 10, first.at(-1)!.id);
    expect(second.map(({ data }) => data["index"])).toEqual([2, 1, 0]);
    expect(readEvents(sql, "staging", 10, null)).toHaveLength(1);
  });

  test("are the latest, however many there were", () => {
    record(30, "production", 10);
    expect(events().map(({ data }) => data["index"])).toEqual([29, 28, 27, 26, 25, 24, 23, 22, 21, 20]);
  });
});

/** As if it had been written by a deployment with a bug, or with other shapes under the same number. */
function spoil(path: string): void {
  changeWeight(store, 20, nowMs);
  for (let count = 0; count < 5; count += 1) report(draw());
  sql.exec(`UPDATE watches SET document = json_remove(document, ?)`, path);
  store = openStore(sql);
}

describe("a watch that cannot be read", () => {
  test.each(["$.pairs[0].state.usual.latency", "$.pairs[0].state.guards.errors.ratio", "$.baseline.models"])(
    "(%s) begins anew by the first report, tells so once, and rolls back what is bad",
    (path) => {
      spoil(path);
      const found = reportUntilRollback(60, FAILING);
      expect(found).not.toBeNull();
      expect(revisions()[0]).toMatchObject({ action: "rollback", actor: "guardrail" });
      const notices = events().filter(({ kind }) => kind === "notice");
      expect(notices).toMatchObject([{ says: expect.stringContaining("from the beginning"), revision: 2 }]);
    },
  );

  test("is no error to whoever asks for the health or the gate", () => {
    spoil("$.pairs[0].state.guards.errors.ratio");
    expect(readHealth(store, releaseNow(), nowMs).verdict).toBe("waiting");
    store = openStore(sql);
    expect(gateOf(store, "production", 2, nowMs)).toBeNull();
    expect(events().filter(({ kind }) => kind === "notice")).toHaveLength(1);
  });

  test("is not taken for one because of a report that cannot be: what is known stays", () => {
    changeWeight(store, 20, nowMs);
    for (let count = 0; count < 5; count += 1) report(draw());
    const before = readHealth(store, releaseNow(), nowMs);
    const broken = { ...draw()[0]!, sums: { thumbs: 1 } } as unknown as Tally;
    const watch = () => watchReport(store, "production", { tallies: [broken] }, nowMs, OPTIONS);
    expect(watch).toThrow();
    expect(readHealth(store, releaseNow(), nowMs)).toEqual(before);
    expect(events().filter(({ kind }) => kind === "notice")).toEqual([]);
  });
});

describe("calls that never end", () => {
  test("are given up by the alarm, and their canary with them", async () => {
    changeWeight(store, 50, nowMs);
    const { revision } = releaseNow();
    const hang = (arm: "baseline" | "canary", calls: number, over: number): Tally => ({
      revision,
      version: arm === "canary" ? 2 : 1,
      arm,
      reason: "split",
      turn: "first",
      started: calls,
      requests: over,
      errors: 0,
      aborted: 0,
    });
    report([hang("baseline", 60, 60), hang("canary", 60, 0)]);
    expect(revisions()).toHaveLength(2);
    const alarm = () =>
      runAlarm(
        store,
        NO_TARGETS,
        () => nowMs,
        rethrow,
        (environment, tallies) => watchReport(store, environment, { tallies }, nowMs, OPTIONS),
      );
    nowMs += LOST_AFTER_MS - 5_000;
    await alarm();
    expect(revisions()).toHaveLength(2);
    // Others go on meanwhile: what is lost now is compared with what is answered now.
    sequence = 0;
    report([hang("baseline", 15, 15)], false, "isolate-2");
    nowMs += 10_000;
    await alarm();
    const [row] = revisions();
    expect(row).toMatchObject({ action: "rollback", actor: "guardrail" });
    expect(row!.reason).toMatch(/^errors 0 % on v1, 100 % on v2 \(at least ×\d/);
  });
});
