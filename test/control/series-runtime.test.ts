// The series in the real runtime: its tables, its reads in turns, and objects that an earlier deployment has left.

import { afterAll, beforeAll, expect, test } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import type { MetricsView } from "../../src/core/metrics-view.ts";
import { createSync, createTally } from "./support/prompts.ts";
import { startRuntime, type Runtime } from "./support/runtime.ts";
import { createSender } from "./support/sender.ts";
import { sumsOf } from "./support/tallies.ts";

const PROMPT = "counted";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await startRuntime();
  await createSender(() => runtime).createTwoVersions(PROMPT);
});
afterAll(() => runtime?.stop());

async function report(isolate: string, sequence: number, ...tallies: ReturnType<typeof createTally>[]) {
  const request = createSync({ prompt: PROMPT, isolate, report: { sequence, tallies } });
  expect(await runtime.control(PROMPT).sync(request)).toMatchObject({ acceptedSequence: sequence });
}

async function read(windowS: number | null, stepS: number | null = null): Promise<MetricsView> {
  const view = await runtime.control(PROMPT).readMetrics("production", { windowS, stepS });
  if (isProblem(view)) throw new Error(view.message);
  return view;
}

async function expectEverywhere(): Promise<void> {
  for (const [windowS, stepS] of [
    [null, null],
    [60, 1],
    [3_600, 60],
    [31 * 86_400, 86_400],
  ] as const) {
    const view = await read(windowS, stepS);
    expect(view.arms).toMatchObject([
      { version: 1, arm: "baseline", requests: 1, open: 1, cost: { usd: 0.002, fullUsd: 0.003 } },
      { version: 2, arm: "canary", requests: 1, open: 1, latencyMs: { all: { answers: 1, mean: 900 } } },
    ]);
    expect(view.comparisons).toMatchObject([{ baseline: 1, canary: 2 }]);
    expect(view.series?.points.map(({ requests }) => requests)).toEqual(stepS === null ? undefined : [1, 1]);
  }
}

test("what isolates report is read in every window, and after the object was thrown out of memory", async () => {
  const outcome = {
    kind: "ok",
    status: 200,
    errorClass: null,
    isHung: false,
    firstTokenMs: 200,
    totalMs: 900,
    answer: null,
    cost: { nanoUsd: 2_000_000, fullNanoUsd: 3_000_000 },
  } as const;
  const sums = sumsOf([[outcome, 7]]);
  const tally = createTally({ reason: "split", turn: "first", started: 2, sums });
  await report("one", 1, tally, { ...tally, version: 2, arm: "canary" });
  await expectEverywhere();
  await runtime.evict(PROMPT);
  await expectEverywhere();
  await report("one", 1, tally);
  await expectEverywhere();
});

test("an object that an earlier deployment has left keeps its counts and its reporters", async () => {
  await runtime.edit((database) => {
    for (const table of ["seconds", "series", "totals", "reporters", "tallies"])
      database.exec(`DROP TABLE ${table}`);
    database.exec(`DELETE FROM meta WHERE key = 'folded_s'`);
    database.exec(
      `CREATE TABLE tallies (environment TEXT NOT NULL, revision INTEGER NOT NULL, version INTEGER NOT NULL,
         arm TEXT NOT NULL, reason TEXT NOT NULL, requests INTEGER NOT NULL, errors INTEGER NOT NULL,
         aborted INTEGER NOT NULL, PRIMARY KEY (environment, revision, version, arm, reason)) STRICT, WITHOUT ROWID`,
    );
    database.exec(
      `CREATE TABLE reporters (isolate TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at_ms INTEGER NOT NULL)
         STRICT, WITHOUT ROWID`,
    );
    database.exec(`INSERT INTO tallies VALUES ('production', 1, 1, 'baseline', 'static', 40, 3, 2)`);
    database.exec(`INSERT INTO reporters VALUES ('old', 4, ${Date.now()})`);
  });
  expect((await read(null)).arms).toMatchObject([
    { requests: 40, errors: 3, aborted: 2, finish: null, open: 0 },
  ]);
  await report("old", 4, createTally());
  expect((await read(null)).arms).toMatchObject([{ requests: 40 }]);
  await report("old", 5, createTally());
  expect((await read(null)).arms).toMatchObject([{ requests: 41 }]);
  expect(await runtime.control(PROMPT).readTallies("production")).toEqual([
    createTally({ requests: 41, errors: 3, aborted: 2 }),
  ]);
});
