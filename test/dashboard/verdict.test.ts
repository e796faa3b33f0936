// What the page says of verdicts, guardrails and events.

import { describe, expect, it } from "vitest";
import type { GuardView, ReleaseEvent } from "../../src/core/health.ts";
import type { Action } from "../../src/core/types.ts";
import {
  convictionOf,
  eventLine,
  guardRows,
  rollbackInForce,
  sentence,
} from "../../src/dashboard/client/verdict.ts";

function guardOf(more: Partial<GuardView>): GuardView {
  return {
    metric: "errors",
    kind: "count",
    action: "rollback",
    says: "answers that failed",
    isCrossed: false,
    evidence: 1,
    threshold: 6.7,
    effect: 2,
    low: 1.1,
    high: 4,
    baseline: { units: 900, bad: 9, value: 0.01 },
    canary: { units: 100, bad: 2, value: 0.02 },
    designEffect: 1,
    ...more,
  };
}

function eventOf(more: Partial<ReleaseEvent>): ReleaseEvent {
  return {
    id: 1,
    environment: "production",
    at: "2026-11-23T12:00:00.000Z",
    revision: 6,
    kind: "verdict",
    says: "prompt: errors 1.0 % on v1, 8.4 % on v2",
    data: { from: "watching", to: "prompt", baseline: 1, canary: 2, guards: [guardOf({ isCrossed: true })] },
    ...more,
  };
}

describe("guardrails", () => {
  it("are rows with the nearest to its threshold first, and how far it is", () => {
    const guards = [
      guardOf({ metric: "refusals", evidence: 0.5 }),
      guardOf({ metric: "errors", evidence: 8, isCrossed: true }),
      guardOf({
        metric: "latency",
        kind: "mean",
        evidence: 4,
        canary: { units: 90, bad: null, value: 1_240 },
      }),
    ];
    const { rows } = guardRows(guards);
    expect(rows.map(({ metric, state }) => `${metric} ${state}`)).toEqual([
      "errors crossed",
      "latency rising",
      "refusals quiet",
    ]);
    expect(rows[0]).toMatchObject({
      evidence: "8.0 of 6.7",
      share: 1,
      effect: "×2.0, 1.10 to 4.0",
      action: "rollback",
    });
    expect(rows[1]?.canary).toEqual({ value: "1,240 ms", of: "90" });
  });

  it("without data on both sides are named, and not shown as quiet", () => {
    const nothing = { units: 0, bad: null, value: null };
    const { rows, without } = guardRows([
      guardOf({ metric: "thumbs_down", canary: nothing }),
      guardOf({ metric: "judge_score", baseline: nothing, canary: nothing }),
    ]);
    expect(rows).toEqual([]);
    expect(without).toEqual(["thumbs down", "score by the judge"]);
  });
});

const revisionOf = (revision: number, actor: string, action: Action = "rollback") => {
  return { revision, actor, action };
};

function releaseOf(revision: number, changedBy: string, action: Action = "rollback") {
  return { revision, changedBy, action, changedAt: "2026-11-23T12:00:00.000Z", reason: "errors 8.4 %" };
}

describe("a rollback by a guardrail", () => {
  it("is told of the event that it followed only where the log has it", () => {
    const rollbackAfter = (...revisions: ReturnType<typeof revisionOf>[]) =>
      eventLine(eventOf({}), revisions).rollback;
    expect(rollbackAfter(revisionOf(8, "ann"), revisionOf(7, "guardrail"))).toBe(7);
    expect(rollbackAfter()).toBeNull();
    expect(rollbackAfter(revisionOf(7, "ann"))).toBeNull();
    expect(rollbackAfter(revisionOf(7, "guardrail", "ramp"))).toBeNull();
    expect(rollbackAfter(revisionOf(8, "guardrail"))).toBeNull();
  });

  it("is none where guardrails only notify, or where nothing crossed", () => {
    const notifying = guardOf({ isCrossed: true, action: "notify" });
    expect(convictionOf(eventOf({ data: { baseline: 1, canary: 2, guards: [notifying] } }))).toBeNull();
    expect(convictionOf(eventOf({ data: { baseline: 1, canary: 2, guards: [] } }))).toBeNull();
    expect(convictionOf(eventOf({ kind: "notice" }))).toBeNull();
  });

  it("is in force until the release changes again", () => {
    const inForce = rollbackInForce([eventOf({})], releaseOf(7, "guardrail"));
    expect(inForce).toMatchObject({ revision: 7, conviction: { baseline: 1, canary: 2 } });
    expect(rollbackInForce([eventOf({})], releaseOf(8, "ann"))).toBeNull();
    expect(rollbackInForce([eventOf({})], releaseOf(7, "ann"))).toBeNull();
    expect(rollbackInForce([eventOf({})], releaseOf(7, "guardrail", "ramp"))).toBeNull();
  });

  it("without a verdict of its own has the reason of the release", () => {
    const inForce = rollbackInForce([eventOf({})], releaseOf(9, "guardrail"));
    expect(inForce).toMatchObject({ revision: 9, reason: "errors 8.4 %", conviction: null });
  });
});

describe("an event", () => {
  it("of a verdict has it as its label, and not twice", () => {
    expect(eventLine(eventOf({}), [revisionOf(7, "guardrail")])).toMatchObject({
      label: "prompt",
      tone: "bad",
      says: "Errors 1.0 % on v1, 8.4 % on v2.",
      rollback: 7,
    });
  });

  it("of another kind is called by it", () => {
    const event = eventOf({ kind: "ramp", says: "waits for proof", data: {} });
    expect(eventLine(event, [])).toMatchObject({ label: "ramp", says: "Waits for proof.", rollback: null });
  });
});

describe("a sentence", () => {
  it("begins with a capital and ends with a stop; names of versions stay as they are", () => {
    expect(sentence("errors 1.0 % on v1. v2 gets 3 % of them. more")).toBe(
      "Errors 1.0 % on v1. v2 gets 3 % of them. More.",
    );
  });
});
