// What an isolate keeps between requests: counters that are handed over exactly once, and bounded memory.

import { describe, expect, it } from "vitest";
import type { Outcome, Stamp } from "../../src/core/metering/outcome.ts";
import { begin, createConversations, recall, remember } from "../../src/edge/conversations.ts";
import {
  acknowledge,
  addOutcome,
  addStarted,
  createTallies,
  hasUnsent,
  takeReport,
} from "../../src/edge/tallies.ts";

const canary: Stamp = {
  revision: 3,
  version: 2,
  arm: "canary",
  reason: "split",
  turn: "first",
  unitBucket: null,
};
const baseline: Stamp = { ...canary, version: 1, arm: "baseline" };

const OK: Outcome = {
  kind: "ok",
  status: 200,
  errorClass: null,
  isHung: false,
  firstTokenMs: null,
  totalMs: 120,
  answer: null,
  cost: null,
};

describe("tallies", () => {
  it("count by revision, version, arm, reason and turn", () => {
    const tallies = createTallies();
    for (const stamp of [canary, canary, baseline, baseline]) addStarted(tallies, stamp);
    addOutcome(tallies, canary, OK);
    addOutcome(tallies, canary, { ...OK, kind: "error", errorClass: "overloaded" });
    addOutcome(tallies, baseline, { ...OK, kind: "aborted" });
    addOutcome(tallies, { ...baseline, turn: "later" }, OK);
    const split = { revision: 3, reason: "split" };
    expect(takeReport(tallies)?.tallies).toMatchObject([
      { ...split, version: 2, arm: "canary", turn: "first", started: 2, requests: 2, errors: 1, aborted: 0 },
      {
        ...split,
        version: 1,
        arm: "baseline",
        turn: "first",
        started: 2,
        requests: 1,
        errors: 0,
        aborted: 1,
      },
      {
        ...split,
        version: 1,
        arm: "baseline",
        turn: "later",
        started: 0,
        requests: 1,
        errors: 0,
        aborted: 0,
      },
    ]);
  });

  it("take a call back that was never sent", () => {
    const tallies = createTallies();
    addStarted(tallies, canary);
    addStarted(tallies, canary, -1);
    expect(takeReport(tallies)?.tallies).toMatchObject([{ started: 0, requests: 0 }]);
  });

  it("send a report that may be lost again unchanged, and what came meanwhile in the next one", () => {
    const tallies = createTallies();
    addOutcome(tallies, canary, OK);
    const first = takeReport(tallies);
    const sent = JSON.stringify(first);
    addOutcome(tallies, canary, OK);
    expect(takeReport(tallies)).toBe(first);
    expect(JSON.stringify(first)).toBe(sent);
    acknowledge(tallies, first?.sequence ?? 0);
    const second = takeReport(tallies);
    expect(second?.sequence).toBe(2);
    expect(second?.tallies[0]?.requests).toBe(1);
    acknowledge(tallies, 1);
    expect(hasUnsent(tallies)).toBe(true);
    acknowledge(tallies, 2);
    expect(hasUnsent(tallies)).toBe(false);
  });

  it("wait with a report until Control wants one, but never keep one back that may be lost", () => {
    const tallies = createTallies();
    tallies.nextReportAtMs = 5_000;
    addOutcome(tallies, canary, OK);
    expect(takeReport(tallies, 4_999)).toBeNull();
    const sent = takeReport(tallies, 5_000);
    expect(sent?.sequence).toBe(1);
    tallies.nextReportAtMs = 9_000;
    expect(takeReport(tallies, 5_001)).toBe(sent);
  });
});

describe("conversations", () => {
  it("keep the first turn's revision over a repeated first turn, and report it once", () => {
    const conversations = createConversations();
    begin(conversations, "a", 4);
    begin(conversations, "a", 5);
    expect(recall(conversations, "a")).toBe(4);
    expect(conversations.unreported).toEqual([{ conversation: "a", revision: 4 }]);
  });

  it("stay bounded, dropping the oldest", () => {
    const conversations = createConversations();
    for (let index = 0; index < 6_000; index += 1) remember(conversations, String(index), index);
    expect(conversations.known.size).toBe(5_000);
    expect(recall(conversations, "0")).toBeUndefined();
    expect(recall(conversations, "5999")).toBe(5_999);
  });
});
