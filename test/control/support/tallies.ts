// Tallies as isolates report them, at random: with what began and sums, or as isolates of an earlier deployment do.

import fc from "fast-check";
import { ERROR_CLASSES, type Outcome } from "../../../src/core/metering/outcome.ts";
import { addToSums, createSums, isFailure, type Sums } from "../../../src/core/metering/sums.ts";
import { keyOf, mergeTallies } from "../../../src/core/metering/tally.ts";
import type { Tally } from "../../../src/core/types.ts";

const tokens = fc.option(fc.nat(5_000));
const usage = fc.record({
  inputTokens: tokens,
  outputTokens: tokens,
  cachedInputTokens: tokens,
  cacheWriteTokens: tokens,
  reasoningTokens: tokens,
});

export const outcome: fc.Arbitrary<Outcome> = fc.record({
  kind: fc.constantFrom("ok", "ok", "error", "aborted"),
  status: fc.constantFrom(200, 500, null),
  errorClass: fc.option(fc.constantFrom(...ERROR_CLASSES)),
  isHung: fc.boolean(),
  firstTokenMs: fc.option(fc.nat(60_000)),
  totalMs: fc.option(fc.nat(600_000)),
  answer: fc.option(
    fc.record({
      usage: fc.option(usage),
      finish: fc.option(fc.constantFrom("stop", "length", "refusal", "tool", "other")),
      model: fc.option(fc.constantFrom("gpt-5.4-mini", "claude-sonnet-5")),
      fingerprint: fc.option(fc.constantFrom("fp_1", "fp_2")),
      isSchemaFailure: fc.option(fc.boolean()),
    }),
  ),
  cost: fc.option(fc.record({ nanoUsd: fc.nat(1e9), fullNanoUsd: fc.nat(1e9) })),
});

const bucket = fc.option(fc.nat(63));

export const sums: fc.Arbitrary<Sums> = fc
  .array(fc.tuple(outcome, bucket), { maxLength: 4 })
  .map((outcomes) => sumsOf(outcomes));

export function sumsOf(outcomes: readonly (readonly [Outcome, number | null])[]): Sums {
  const all = createSums();
  for (const [one, unit] of outcomes) addToSums(all, one, unit);
  return all;
}

const key = {
  revision: fc.integer({ min: 1, max: 3 }),
  version: fc.integer({ min: 1, max: 2 }),
  arm: fc.constantFrom("baseline" as const, "canary" as const),
  reason: fc.constantFrom("split" as const, "drain" as const),
};

/** Of calls that are all over. */
export const metered: fc.Arbitrary<Tally> = fc
  .record({
    ...key,
    turn: fc.constantFrom("first" as const, "later" as const),
    outcomes: fc.array(fc.tuple(outcome, bucket), { minLength: 1, maxLength: 4 }),
  })
  .map(({ outcomes, ...stamp }) => ({
    ...stamp,
    started: outcomes.length,
    requests: outcomes.length,
    errors: outcomes.filter(([one]) => isFailure(one)).length,
    aborted: outcomes.filter(([one]) => one.kind === "aborted").length,
    sums: sumsOf(outcomes),
  }));

/** Of an earlier deployment. */
export const plain: fc.Arbitrary<Tally> = fc.record({
  ...key,
  requests: fc.integer({ min: 1, max: 9 }),
  errors: fc.integer({ min: 0, max: 3 }),
  aborted: fc.integer({ min: 0, max: 3 }),
});

/** By key, with nothing in them that is nothing. */
export function sumUp(tallies: Iterable<Tally>): Map<string, Tally> {
  const all = new Map<string, Tally>();
  for (const tally of tallies) {
    const held = all.get(keyOf(tally));
    all.set(keyOf(tally), held === undefined ? tally : mergeTallies(held, tally));
  }
  return all;
}
