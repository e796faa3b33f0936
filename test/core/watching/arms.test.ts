// What of a tally is compared: all failures, whoever noticed them, and nothing twice.

import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/core/metering/outcome.ts";
import { addToSums, createSums } from "../../../src/core/metering/sums.ts";
import { lostCalls } from "../../../src/core/metering/tally.ts";
import { armSumsOf } from "../../../src/core/watching/arms.ts";
import { addOutcome, createTallies } from "../../../src/edge/tallies.ts";
import type { Stamp } from "../../../src/core/metering/outcome.ts";

const stamp: Stamp = {
  revision: 2,
  version: 2,
  arm: "canary",
  reason: "split",
  turn: "first",
  unitBucket: null,
};
const outcome = (more: Partial<Outcome>): Outcome => ({
  kind: "ok",
  status: 200,
  errorClass: null,
  isHung: false,
  firstTokenMs: 100,
  totalMs: 900,
  answer: null,
  cost: null,
  ...more,
});

function armOf(outcomes: Outcome[]) {
  const tallies = createTallies();
  for (const one of outcomes) addOutcome(tallies, stamp, one);
  return armSumsOf([...tallies.pending.values()][0]!);
}

describe("the sums of a tally", () => {
  it("count as failed what failed, timed out, or was waited for in vain, each once", () => {
    const { requests, counts } = armOf([
      outcome({}),
      outcome({ kind: "error", status: 500, errorClass: "server_error" }),
      outcome({ kind: "error", status: null, errorClass: "timeout" }),
      outcome({ kind: "error", status: null, errorClass: "timeout", isHung: true }),
      outcome({ kind: "aborted", status: null, isHung: true }),
      outcome({ kind: "aborted" }),
    ]);
    expect(requests).toBe(6);
    expect(counts).toMatchObject({ errors: 4, timeouts: 3 });
  });

  it("are the same with and without calls of those who were not let in", () => {
    const [bad, good] = [outcome({ kind: "error", status: 500, errorClass: "server_error" }), outcome({})];
    const refused = outcome({ kind: "error", status: 401, errorClass: "credentials" });
    expect(armOf([bad, refused, good, refused, refused])).toEqual(armOf([bad, good]));
    const withRefused = createSums();
    for (const one of [bad, refused, good, refused]) addToSums(withRefused, one, 7);
    const without = createSums();
    for (const one of [bad, good]) addToSums(without, one, 7);
    expect(withRefused.buckets).toEqual(without.buckets);
    expect(withRefused.errorClasses).toEqual({ server_error: 1, credentials: 2 });
  });

  it("count as failed what the asker may not have: a version may ask for a model that the account may not use", () => {
    const forbidden = outcome({ kind: "error", status: 403, errorClass: "permission" });
    expect(armOf([forbidden, outcome({})])).toMatchObject({ requests: 2, counts: { errors: 1 } });
  });

  it("count lost calls as failures, and leave out what takes a count back", () => {
    expect(armSumsOf(lostCalls(stamp, 7))).toMatchObject({ requests: 7, counts: { errors: 7, timeouts: 7 } });
    const sums = { ...createSums(), thumbs: { up: -1, down: 1 } };
    const replaced = { ...lostCalls(stamp, 0), sums };
    expect(armSumsOf(replaced).thumbs).toEqual({ units: 0, bad: 0 });
  });

  it("keep times of answers out of the cache apart, scores as numbers from 0 to 1", () => {
    const sums = createSums();
    const usage = {
      inputTokens: 9,
      outputTokens: 9,
      cachedInputTokens: 9,
      cacheWriteTokens: null,
      reasoningTokens: null,
    };
    const answer = { usage, finish: null, model: null, fingerprint: null, isSchemaFailure: null };
    addToSums(sums, outcome({ answer }), null);
    sums.judge = { units: 2, sum: 15_000, squares: 1.25e8, nanoUsd: 0 };
    const arm = armSumsOf({ ...stamp, requests: 1, errors: 0, aborted: 0, sums });
    expect(arm.histograms.latency).toEqual({});
    expect(Object.values(arm.histograms.latency_cached)).toEqual([1]);
    expect(Object.values(arm.histograms.first_token_cached)).toEqual([1]);
    expect(arm.judge).toEqual({ units: 2, sum: 1.5, squares: 1.25 });
  });
});
