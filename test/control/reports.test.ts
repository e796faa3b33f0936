// What comes up and goes down with a sync. Guarantees: a report is counted exactly once, whatever is lost or repeated;
// a release is sent only where it is news; an unknown prompt leaves no trace.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { answerSync, readTallies } from "../../src/control/reports.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { SyncReply, SyncRequest } from "../../src/core/ports.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Tally } from "../../src/core/types.ts";
import { createEnvelope, expectAccepted, LEASE, OPTIONS, START_MS } from "./support/commands.ts";
import { changeWeight, createPrompt, createSync, createTally } from "./support/prompts.ts";
import { Crash, createTestSql, listTables, type TestSql } from "./support/sqlite.ts";

let sql: TestSql;
let store: ControlStore;
let nowMs: number;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  nowMs = START_MS;
});

function sync(more: Partial<SyncRequest> = {}): SyncReply {
  const reply = answerSync(store, createSync(more), LEASE, nowMs);
  if (isProblem(reply)) throw new Error(reply.message);
  return reply;
}

describe("the release", () => {
  test("comes with the lease, and only to those who hold another revision", () => {
    createPrompt(store);
    const first = sync();
    expect(first.release).toEqual(store.state?.releases["production"]?.release);
    expect(first.lease).toEqual({ softMs: 1_000, leaseMs: 2_000 });
    expect(sync({ knownRevision: 1 }).release).toBeNull();
    changeWeight(store, 5, nowMs);
    expect(sync({ knownRevision: 1 }).release?.revision).toBe(2);
  });

  test("is not confirmed to one who knows a revision that is none of ours", () => {
    createPrompt(store);
    expect(sync({ knownRevision: 9 }).release?.revision).toBe(1);
  });

  test("is refused for what is unknown, empty, archived or not released, and then nothing is written", () => {
    const report = { sequence: 1, tallies: [createTally()] };
    const refuse = (more: Partial<SyncRequest> = {}) =>
      answerSync(store, createSync({ report, ...more }), LEASE, nowMs);
    expect(refuse()).toMatchObject({ problem: "prompt_not_found" });
    expect(listTables(sql)).toEqual([]);
    expectAccepted(
      executeCommand(store, createEnvelope({ type: "put", settings: {} }), null, nowMs, OPTIONS),
    );
    expect(refuse()).toMatchObject({ problem: "version_not_found" });
    createPrompt(store);
    expect(refuse({ prompt: "another" })).toMatchObject({ problem: "prompt_not_found" });
    for (const environment of ["staging", "constructor"]) {
      expect(refuse({ environment })).toMatchObject({ problem: "environment_not_found" });
    }
    expectAccepted(
      executeCommand(store, createEnvelope({ type: "archive", reason: "" }), null, nowMs, OPTIONS),
    );
    expect(refuse()).toMatchObject({ problem: "prompt_not_found" });
    expect(readTallies(store, "production")).toEqual([]);
  });

  test("costs no write when nothing is reported, once the prompt has its key for request ids", () => {
    createPrompt(store);
    sync();
    const before = sql.exec(`SELECT total_changes() AS n`)[0]!["n"];
    for (let count = 0; count < 10; count += 1) sync();
    expect(sql.exec(`SELECT total_changes() AS n`)[0]!["n"]).toBe(before);
  });
});

/** An isolate as the edge has it: one report in flight, sent again unchanged until it is acknowledged. */
type Isolate = { id: string; sequence: number; inFlight: Tally[] | null };

const tally = fc.record({
  revision: fc.integer({ min: 1, max: 3 }),
  version: fc.integer({ min: 1, max: 2 }),
  arm: fc.constantFrom("baseline" as const, "canary" as const),
  reason: fc.constantFrom("split" as const, "drain" as const),
  requests: fc.integer({ min: 1, max: 9 }),
  errors: fc.integer({ min: 0, max: 3 }),
  aborted: fc.integer({ min: 0, max: 3 }),
});
const turn = fc.record({
  isolate: fc.integer({ min: 0, max: 2 }),
  tallies: fc.array(tally, { minLength: 1, maxLength: 3 }),
  fate: fc.constantFrom("answered", "answer lost", "crashed", "sent twice"),
  crashAfter: fc.integer({ min: 0, max: 7 }),
});

function sumTallies(tallies: Tally[]): Tally[] {
  const sums = new Map<string, Tally>();
  for (const one of tallies) {
    const key = `${one.revision} ${one.version} ${one.arm} ${one.reason}`;
    const sum = sums.get(key) ?? { ...one, requests: 0, errors: 0, aborted: 0 };
    sum.requests += one.requests;
    sum.errors += one.errors;
    sum.aborted += one.aborted;
    sums.set(key, sum);
  }
  const entries = [...sums.entries()].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([, sum]) => sum);
}

test("a report counts once under lost answers, repeats and crashes (2,000 runs)", () => {
  const property = fc.property(fc.array(turn, { maxLength: 20 }), (turns) => {
    sql = createTestSql();
    store = openStore(sql);
    createPrompt(store);
    const isolates = [0, 1, 2].map((id): Isolate => ({ id: `isolate-${id}`, sequence: 0, inFlight: null }));
    const reported: Tally[] = [];
    for (const { isolate: index, tallies, fate, crashAfter } of turns) {
      const isolate = isolates[index]!;
      if (isolate.inFlight === null) {
        isolate.sequence += 1;
        isolate.inFlight = tallies;
        reported.push(...tallies);
      }
      sendReport(isolate, fate, crashAfter);
    }
    for (const isolate of isolates) if (isolate.inFlight !== null) sendReport(isolate, "answered", 0);
    expect(readTallies(store, "production")).toEqual(sumTallies(reported));
  });
  fc.assert(property, { numRuns: 2_000 });
});

function sendReport(isolate: Isolate, fate: string, crashAfter: number): void {
  const { id, sequence, inFlight } = isolate;
  const request = { isolate: id, report: { sequence, tallies: inFlight! } };
  if (fate === "crashed") sql.crashAfter(crashAfter);
  try {
    const { acceptedSequence } = sync(request);
    expect(acceptedSequence).toBe(sequence);
    if (fate === "sent twice") expect(sync(request).acceptedSequence).toBe(sequence);
    if (fate !== "answer lost") isolate.inFlight = null;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    store = openStore(sql);
  } finally {
    sql.crashAfter(null);
  }
}

test("an older report that arrives late is acknowledged and not counted, and environments count apart", () => {
  createPrompt(store);
  const tallies = [createTally()];
  expect(sync({ report: { sequence: 2, tallies } }).acceptedSequence).toBe(2);
  expect(sync({ report: { sequence: 1, tallies } }).acceptedSequence).toBe(2);
  expect(sync().acceptedSequence).toBe(2);
  expect(readTallies(store, "production")).toEqual([createTally()]);
  expect(readTallies(store, "staging")).toEqual([]);
});
