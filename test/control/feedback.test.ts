// Feedback in a prompt's Control. Guarantees: only signed ids of this prompt's are heard, within 7 days; each (answer, name)
// counts once, as what was said of it last, for the version that served the answer; rows are bounded, and none goes while it
// is what tells a repetition.

import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { giveFeedback, MOST_NAMES } from "../../src/control/feedback.ts";
import { feedbackKeyOf } from "../../src/control/feedback-key.ts";
import { readFeedback } from "../../src/control/feedback-reads.ts";
import { forgetFeedback } from "../../src/control/feedback-rows.ts";
import { totalsOf } from "../../src/control/series-fold.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import type { Feedback, FeedbackReceipt, FeedbackValue } from "../../src/core/feedback.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { ServedTurn } from "../../src/core/request-id.ts";
import { START_MS } from "./support/commands.ts";
import { createFeedback, createTurn, signTurn } from "./support/feedback.ts";
import { createPrompt } from "./support/prompts.ts";
import { Crash, createTestSql, type TestSql } from "./support/sqlite.ts";

const DAY_MS = 86_400_000;
const ALL = { environment: "production", limit: 500, before: null, version: null, name: null };

let sql: TestSql;
let store: ControlStore;

beforeEach(() => {
  sql = createTestSql();
  store = openStore(sql);
  createPrompt(store);
});

/** A random id with this number in it. */
function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

async function give(
  turn: Partial<ServedTurn>,
  more: Partial<Feedback> = {},
  nowMs = START_MS,
): Promise<FeedbackReceipt> {
  const receipt = await giveFeedback(store, createFeedback(store, turn, more), nowMs);
  if (isProblem(receipt)) throw new Error(receipt.message);
  return receipt;
}

const totals = (more = {}) => readFeedback(sql, { ...ALL, ...more }).totals;
const entries = (more = {}) => readFeedback(sql, { ...ALL, ...more }).feedback;

describe("an id", () => {
  it("is heard within 7 days of the answer, and then no more", async () => {
    await give({}, {}, START_MS + 7 * DAY_MS);
    const late = await giveFeedback(store, createFeedback(store, {}), START_MS + 7 * DAY_MS + 1);
    expect(late).toMatchObject({ problem: "feedback_too_late", field: "request_id" });
  });

  it("is not heard when it is of another prompt, whoever has signed it", async () => {
    const another = openStore(createTestSql());
    createPrompt(another);
    const stranger = { ...createFeedback(another, {}), value: false };
    expect(await giveFeedback(store, stranger, START_MS)).toMatchObject({ problem: "invalid_request" });
    const own = signTurn(feedbackKeyOf(store), createTurn({ prompt: "another" }));
    const misnamed = { ...stranger, requestId: own };
    expect(await giveFeedback(store, misnamed, START_MS)).toMatchObject({ problem: "invalid_request" });
    expect(totals()).toEqual([]);
  });

  it("is not heard where there is no prompt, and leaves no trace there", async () => {
    const empty = openStore(createTestSql());
    const refused = await giveFeedback(empty, createFeedback(store, {}), START_MS);
    expect(refused).toMatchObject({ problem: "invalid_request" });
    expect(empty.sql.exec(`SELECT name FROM sqlite_master`)).toEqual([]);
  });

  it("whose every single character counts is refused by Control when one is changed", async () => {
    const feedback = createFeedback(store, {});
    const { requestId } = feedback;
    for (let at = 0; at < requestId.length; at += 1) {
      for (const other of ["", "a", "B", "7", "."]) {
        const changed = requestId.slice(0, at) + other + requestId.slice(at + 1);
        if (changed === requestId) continue;
        const refused = await giveFeedback(store, { ...feedback, requestId: changed }, START_MS);
        expect(refused, changed).toMatchObject({ problem: "invalid_request", field: "request_id" });
      }
    }
    expect(totals()).toEqual([]);
  });
});

describe("a read", () => {
  it("looks for no more rows than were ever counted under its name and version, so a rare name ends it early", async () => {
    for (let at = 0; at < 5; at += 1) await give({ id: idOf(at), version: 1 + (at % 2) });
    await give({ id: idOf(5) }, { name: "helpful", value: "a label" });
    await give({ id: idOf(5) }, { name: "helpful", value: 0.5 });
    const limits: unknown[] = [];
    const spy = {
      ...sql,
      exec: (statement: string, ...values: Parameters<TestSql["exec"]>[1][]) => {
        if (statement.includes("FROM feedback WHERE")) limits.push(values.at(-1));
        return sql.exec(statement, ...values);
      },
    } as TestSql;
    const read = (more: object) => readFeedback(spy, { ...ALL, ...more }).feedback.length;
    expect([read({}), read({ name: "helpful" }), read({ name: "zzz" }), read({ version: 9 })]).toEqual([
      6, 1, 0, 0,
    ]);
    expect(read({ version: 1, name: "thumbs" })).toBe(3);
    expect(read({ limit: 2 })).toBe(2);
    expect(limits).toEqual([6, 1, 3, 2]);
  });
});

describe("feedback", () => {
  it("counts for what served the answer, as its id says, whatever is released by now", async () => {
    const receipt = await give({ revision: 7, version: 2, arm: "canary", turn: "later" }, { value: false });
    expect(receipt).toEqual({
      prompt: "support-bot",
      environment: "production",
      revision: 7,
      version: 2,
      arm: "canary",
      reason: "split",
      result: "counted",
    });
    expect(totals()).toEqual([
      { version: 2, name: "thumbs", up: 0, down: 1, scores: 0, meanScore: null, labels: 0 },
    ]);
    expect(entries()[0]).toMatchObject({
      revision: 7,
      version: 2,
      arm: "canary",
      turn: "later",
      value: false,
    });
  });

  it("that is repeated changes nothing; another value takes its place, with its comment", async () => {
    const results: string[] = [];
    const say = async (more: Partial<Feedback>) => results.push((await give({}, more)).result);
    await say({ value: true, comment: "good" });
    await say({ value: true });
    await say({ value: true, comment: "good" });
    expect(entries()).toMatchObject([{ value: true, comment: "good" }]);
    await say({ value: true, comment: "very good" });
    await say({ value: false });
    await say({ value: false });
    expect(results).toEqual(["counted", "repeated", "repeated", "replaced", "replaced", "repeated"]);
    expect(entries()).toMatchObject([{ value: false, comment: null }]);
    expect(totals()).toMatchObject([{ up: 0, down: 1 }]);
  });

  it("is read by version and name, a page at a time, newest first", async () => {
    for (let at = 0; at < 10; at += 1) {
      const name = at % 2 === 0 ? "thumbs" : "helpful";
      await give({ id: idOf(at), version: 1 + (at % 3) }, { name }, START_MS + at);
    }
    const first = readFeedback(sql, { ...ALL, limit: 6 });
    expect(first.feedback.map(({ requestId }) => requestId)).toEqual([9, 8, 7, 6, 5, 4].map(idOf));
    const rest = readFeedback(sql, { ...ALL, limit: 6, before: first.nextBefore });
    expect(rest.feedback.map(({ requestId }) => requestId)).toEqual([3, 2, 1, 0].map(idOf));
    expect(rest.nextBefore).toBeNull();
    expect(entries({ version: 2, name: "helpful" }).map(({ requestId }) => requestId)).toEqual(
      [7, 1].map(idOf),
    );
    expect(totals({ version: 2, name: "helpful" })).toMatchObject([{ version: 2, name: "helpful", up: 2 }]);
    expect(totals({ environment: "staging" })).toEqual([]);
  });

  it("is in the time series and their totals under its turn's key, thumbs and scores alone, exactly", async () => {
    const served = { version: 2, arm: "canary", revision: 3 } as const;
    for (let at = 0; at < 3; at += 1) await give({ ...served, id: idOf(at) }, { value: at > 0 });
    await give({ ...served, id: idOf(0) }, { value: true }, START_MS + 90_000);
    await give({ ...served, id: idOf(1) }, { name: "score", value: 0.25 });
    await give({ ...served, id: idOf(1) }, { name: "score", value: 0.75 }, START_MS + 5_000);
    await give({ ...served, id: idOf(1), turn: "later" }, { name: "helpful" });
    await give({ id: idOf(3) }, { value: false });
    const found = [...totalsOf(store, "production").values()].map(
      ({ version, arm, turn, requests, sums }) => {
        return { version, arm, turn, requests, thumbs: sums?.thumbs, scores: sums?.scores };
      },
    );
    expect(found.toSorted((one, other) => other.version - one.version)).toEqual([
      {
        version: 2,
        arm: "canary",
        turn: "first",
        requests: 0,
        thumbs: { up: 3, down: 0 },
        scores: { units: 1, sum: 7_500, squares: 7_500 ** 2 },
      },
      {
        version: 1,
        arm: "baseline",
        turn: "first",
        requests: 0,
        thumbs: { up: 0, down: 1 },
        scores: { units: 0, sum: 0, squares: 0 },
      },
    ]);
  });

  it("is told to guardrails once, as what was said first, and only what they watch", async () => {
    const told: unknown[] = [];
    const say = (more: Partial<Feedback>) =>
      giveFeedback(store, createFeedback(store, {}, more), START_MS, (environment, tallies) => {
        for (const { sums } of tallies) told.push([environment, sums?.thumbs, sums?.scores.units]);
      });
    await say({ value: false });
    await say({ value: false });
    await say({ value: true });
    await say({ name: "score", value: 0.5 });
    await say({ name: "helpful", value: false });
    expect(told).toEqual([
      ["production", { up: 0, down: 1 }, 0],
      ["production", { up: 0, down: 0 }, 1],
    ]);
  });

  it("has a mean only where there is a score", async () => {
    await give({ id: idOf(1) }, { name: "score", value: 0.25 });
    await give({ id: idOf(2) }, { name: "score", value: 1 });
    expect(totals()).toMatchObject([{ name: "score", scores: 2, meanScore: 0.625 }]);
    await give({ id: idOf(3) }, { name: "other" });
    expect(totals({ name: "other" })).toMatchObject([{ scores: 0, meanScore: null }]);
  });
});

type Said = {
  request: number;
  version: number;
  name: string;
  value: FeedbackValue;
  fate: "told" | "crash";
  after: number;
};

/** What the totals must be: of each (request, name) what was said last. */
function expected(said: Said[]) {
  const last = new Map(said.map((one) => [`${one.request} ${one.name}`, one]));
  const sums = new Map<string, { up: number; down: number; scores: number; sum: number; labels: number }>();
  for (const { version, name, value } of last.values()) {
    const key = `${version} ${name}`;
    const sum = sums.get(key) ?? { up: 0, down: 0, scores: 0, sum: 0, labels: 0 };
    if (value === true) sum.up += 1;
    if (value === false) sum.down += 1;
    if (typeof value === "string") sum.labels += 1;
    if (typeof value === "number")
      [sum.scores, sum.sum] = [sum.scores + 1, sum.sum + Math.round(value * 1e4)];
    sums.set(key, sum);
  }
  return sums;
}

it("counts each answer and name once, as what was said last, under repeats and crashes (500 runs)", async () => {
  const said: fc.Arbitrary<Said> = fc.record({
    request: fc.integer({ min: 0, max: 5 }),
    version: fc.constant(1),
    name: fc.constantFrom("thumbs", "score", "x"),
    value: fc.oneof(fc.boolean(), fc.constantFrom(0, 0.3333, 0.5, 1), fc.constantFrom("a", "b")),
    fate: fc.constantFrom("told", "told", "crash"),
    after: fc.integer({ min: 0, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(said, { maxLength: 25 }), async (all) => {
      sql = createTestSql();
      store = openStore(sql);
      createPrompt(store);
      feedbackKeyOf(store);
      for (const one of all) {
        one.version = 1 + (one.request % 2);
        const turn = { id: idOf(one.request), version: one.version };
        const feedback = createFeedback(store, turn, { name: one.name, value: one.value });
        if (one.fate === "crash") {
          sql.crashAfter(one.after);
          await giveFeedback(store, feedback, START_MS).catch((error: unknown) => {
            if (!(error instanceof Crash)) throw error;
          });
          sql.crashAfter(null);
          sql.isDead = false;
          store = openStore(sql);
        }
        // Who has heard nothing sends it again.
        await giveFeedback(store, feedback, START_MS);
      }
      const sums = expected(all);
      const found = totals().filter(({ up, down, scores, labels }) => up + down + scores + labels > 0);
      expect(found.length).toBe(sums.size);
      for (const { version, name, up, down, scores, meanScore, labels } of found) {
        const { sum, ...counts } = sums.get(`${version} ${name}`)!;
        expect({ up, down, scores, labels }).toEqual(counts);
        expect(meanScore).toBe(scores === 0 ? null : sum / scores / 1e4);
      }
    }),
    { numRuns: 500 },
  );
});

const refuse = (turn: Partial<ServedTurn>, name: string, most?: number) =>
  giveFeedback(store, createFeedback(store, turn, { name }), START_MS, undefined, most);

/** Numbers of the answers that rows are left of, and what was said. */
const left = () => entries().map(({ requestId, comment }) => [Number(requestId.slice(-12)), comment]);

describe("what is kept", () => {
  it("has bounds: names of an answer and of a prompt, and rows", async () => {
    for (let at = 0; at < 8; at += 1) await give({}, { name: `name-${at}` });
    expect(await refuse({}, "one-more")).toMatchObject({ problem: "conflict", field: "name" });
    expect((await give({}, { name: "name-3", value: false })).result).toBe("replaced");
    for (let at = 8; at < MOST_NAMES; at += 1) await give({ id: idOf(at) }, { name: `name-${at}` });
    expect(await refuse({ id: idOf(99) }, "one-more")).toMatchObject({
      problem: "conflict",
      message: expect.stringContaining("name-31"),
    });
    await give({ id: idOf(99) }, { name: "name-1" });
    const full = await refuse({ id: idOf(100) }, "name-1", 33);
    expect(full).toMatchObject({ problem: "rate_limited" });
  });

  it("goes after 30 days, or when it is old and there is newer; never while it may be repeated", async () => {
    const say = (number: number, days: number) =>
      give(
        { id: idOf(number), servedAtMs: START_MS + days * DAY_MS },
        { comment: "why" },
        START_MS + days * DAY_MS,
      );
    for (let at = 0; at < 10; at += 1) await say(at, at);
    forgetFeedback(sql, START_MS + 9 * DAY_MS, 4);
    // 0 and 1 are older than 7 days; 2 to 5 tell repetitions, though their words have gone.
    expect(left()).toEqual([
      [9, "why"],
      [8, "why"],
      [7, "why"],
      [6, "why"],
      [5, null],
      [4, null],
      [3, null],
      [2, null],
    ]);
    forgetFeedback(sql, START_MS + 20 * DAY_MS, 4);
    expect(left().map(([number]) => number)).toEqual([9, 8, 7, 6]);
    forgetFeedback(sql, START_MS + 38 * DAY_MS, 4);
    expect(left().map(([number]) => number)).toEqual([9, 8]);
    expect(totals()).toMatchObject([{ up: 10 }]);
  });

  it("is forgotten without reading what stays", () => {
    const statements: string[] = [];
    const { exec } = sql;
    sql.exec = (statement, ...parameters) => {
      statements.push(statement);
      return exec(statement, ...parameters);
    };
    forgetFeedback(sql, START_MS);
    const plans = statements.map((statement) =>
      exec(`EXPLAIN QUERY PLAN ${statement.replaceAll("?", "1")}`).map((row) => String(row["detail"])),
    );
    const used = plans.flat().filter((detail) => detail.includes("feedback"));
    expect(used).toEqual([
      "SEARCH feedback",
      "SEARCH feedback USING INDEX feedback_served (served_ms<?)",
      expect.stringMatching(/^SEARCH feedback USING (COVERING )?INDEX feedback_comments/),
    ]);
  });

  it("is found in an object that was made before there was feedback", async () => {
    for (const table of ["feedback", "feedback_totals", "feedback_names", "secrets"])
      sql.exec(`DROP TABLE ${table}`);
    store = openStore(sql);
    expect(totals()).toEqual([]);
    expect((await give({})).result).toBe("counted");
  });
});
