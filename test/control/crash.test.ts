// A process may die between any two steps of a command. Guarantee: a command is in force completely or not at all, and
// whoever sends it again under its idempotency key gets one answer for one effect.

import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { openStore, readRevisions, readVersionDocument, type ControlStore } from "../../src/control/store.ts";
import type { Accepted } from "../../src/core/ports.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { checkHistory, replayRevisions } from "../../src/core/replay.ts";
import { lives, OPTIONS, type Step } from "./support/commands.ts";
import { Crash, createTestSql, type TestSql } from "./support/sqlite.ts";

type Answer = Accepted | Problem;

function execute(store: ControlStore, { envelope, prepared, nowMs }: Step): Answer {
  return executeCommand(store, envelope, prepared, nowMs, OPTIONS);
}

/** Runs a step on whatever the crash left; null: it crashed. */
function tryStep(sql: TestSql, step: Step, crashAfter: number | null): Answer | null {
  const store = openStore(sql);
  sql.crashAfter(crashAfter);
  try {
    return execute(store, step);
  } catch (error) {
    if (error instanceof Crash) return null;
    throw error;
  } finally {
    sql.crashAfter(null);
  }
}

/** The same life without any crash. */
function liveUndisturbed(life: Step[]): { answers: Answer[]; store: ControlStore } {
  const store = openStore(createTestSql());
  return { answers: life.map((step) => execute(store, step)), store };
}

function expectSound(sql: TestSql, expected: ControlStore["state"]): void {
  const { state } = openStore(sql);
  // Ten thousand times: `expect` takes several times as long.
  deepStrictEqual(state, expected);
  if (state === null) return;
  const environments = Object.keys(state.releases);
  const history = environments.flatMap((environment) => readRevisions(sql, environment, 1_000, null));
  deepStrictEqual(checkHistory(history), []);
  const present = Object.entries(state.releases).map(([environment, { release }]) => [environment, release]);
  deepStrictEqual(replayRevisions(history), Object.fromEntries(present));
  for (const { version, digest } of state.versions) {
    const document = readVersionDocument(sql, version);
    deepStrictEqual([document?.version, document?.digest], [version, digest]);
  }
}

describe("a command that is sent again after a crash", () => {
  test("has one effect and one answer, wherever the crash was (10,000 lives)", { timeout: 180_000 }, () => {
    const crashes = new Map<number, number>();
    const point = fc.integer({ min: 0, max: 16 });
    const property = fc.property(lives(5), fc.infiniteStream(point), (life, points) => {
      const expected = liveUndisturbed(life);
      const sql = createTestSql();
      const answers = life.map((step) => {
        const after = points.next().value ?? 0;
        const first = tryStep(sql, step, after);
        if (first === null) crashes.set(after, (crashes.get(after) ?? 0) + 1);
        const answer = first ?? tryStep(sql, step, null);
        const again = tryStep(sql, step, null);
        if (answer !== null && !isProblem(answer)) deepStrictEqual(again, answer);
        return answer;
      });
      deepStrictEqual(answers, expected.answers);
      expectSound(sql, expected.store.state);
    });
    fc.assert(property, { numRuns: 10_000 });
    // Every step a place to die at.
    for (let after = 0; after < 16; after += 1) expect(crashes.get(after) ?? 0).toBeGreaterThan(20);
  });

  test("survives a crash at every step of every command, one after the other", () => {
    const property = fc.property(lives(8), (life) => {
      const expected = liveUndisturbed(life);
      const sql = createTestSql();
      for (const [index, step] of life.entries()) {
        let answer: Answer | null = null;
        for (let after = 0; answer === null; after += 1) answer = tryStep(sql, step, after);
        deepStrictEqual(answer, expected.answers[index]);
      }
      expectSound(sql, expected.store.state);
    });
    fc.assert(property, { numRuns: 300 });
  });

  test("is told apart from another request under the same key", () => {
    const sql = createTestSql();
    const [step] = fc.sample(lives(1), 1)[0]!;
    expect(isProblem(tryStep(sql, step!, null))).toBe(false);
    const other = { key: step!.envelope.idempotency!.key, fingerprint: "another request" };
    const reused = { ...step!, envelope: { ...step!.envelope, idempotency: other } };
    expect(tryStep(sql, reused, null)).toMatchObject({ problem: "idempotency_key_reused" });
  });
});
