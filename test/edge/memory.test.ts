// What an isolate keeps between requests: counters that are handed over exactly once, and bounded memory.

import { describe, expect, it } from "vitest";
import type { Assignment } from "../../src/core/types.ts";
import { begin, createConversations, recall, remember } from "../../src/edge/conversations.ts";
import { acknowledge, addOutcome, createTallies, hasUnsent, takeReport } from "../../src/edge/tallies.ts";

const canary: Assignment = { version: 2, arm: "canary", reason: "split", revision: 3, bucket: 1 };
const baseline: Assignment = { version: 1, arm: "baseline", reason: "split", revision: 3, bucket: 9 };

describe("tallies", () => {
  it("count by revision, version, arm and reason", () => {
    const tallies = createTallies();
    addOutcome(tallies, canary, "ok");
    addOutcome(tallies, canary, "error");
    addOutcome(tallies, baseline, "aborted");
    expect(takeReport(tallies)?.tallies).toEqual([
      { revision: 3, version: 2, arm: "canary", reason: "split", requests: 2, errors: 1, aborted: 0 },
      { revision: 3, version: 1, arm: "baseline", reason: "split", requests: 1, errors: 0, aborted: 1 },
    ]);
  });

  it("send a report that may be lost again unchanged, and what came meanwhile in the next one", () => {
    const tallies = createTallies();
    addOutcome(tallies, canary, "ok");
    const first = takeReport(tallies);
    addOutcome(tallies, canary, "ok");
    expect(takeReport(tallies)).toBe(first);
    acknowledge(tallies, first?.sequence ?? 0);
    const second = takeReport(tallies);
    expect(second?.sequence).toBe(2);
    expect(second?.tallies[0]?.requests).toBe(1);
    acknowledge(tallies, 1);
    expect(hasUnsent(tallies)).toBe(true);
    acknowledge(tallies, 2);
    expect(hasUnsent(tallies)).toBe(false);
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
