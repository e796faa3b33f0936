// Sums of outcomes: merging is exact, in whatever order and grouping reports come.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countIn } from "../../src/core/guardrails/histogram.ts";
import { ERROR_CLASSES, type Outcome } from "../../src/core/metering/outcome.ts";
import {
  addToSums,
  createSums,
  mergeSums,
  MOST_MODELS,
  OTHER_MODELS,
  type Sums,
} from "../../src/core/metering/sums.ts";

const tokens = fc.option(fc.nat(100_000));
const outcome: fc.Arbitrary<Outcome> = fc.record({
  kind: fc.constantFrom("ok", "error", "aborted"),
  status: fc.constantFrom(200, 400, 500, null),
  errorClass: fc.option(fc.constantFrom(...ERROR_CLASSES)),
  isHung: fc.boolean(),
  firstTokenMs: fc.option(fc.nat(600_000)),
  totalMs: fc.option(fc.nat(600_000)),
  answer: fc.option(
    fc.record({
      usage: fc.option(
        fc.record({
          inputTokens: tokens,
          outputTokens: tokens,
          cachedInputTokens: tokens,
          cacheWriteTokens: tokens,
          reasoningTokens: tokens,
        }),
      ),
      finish: fc.option(fc.constantFrom("stop", "length", "refusal", "tool", "other")),
      model: fc.option(fc.constantFrom("gpt-5.4-mini-2026-03-17", "claude-sonnet-5")),
      fingerprint: fc.option(fc.constantFrom("fp_1", "fp_2")),
      isSchemaFailure: fc.option(fc.boolean()),
    }),
  ),
  cost: fc.option(fc.record({ nanoUsd: fc.nat(1e9), fullNanoUsd: fc.nat(1e9) })),
});
const stamped = fc.tuple(outcome, fc.option(fc.nat(63)));

function sumsOf(outcomes: [Outcome, number | null][]): Sums {
  const sums = createSums();
  for (const [value, bucket] of outcomes) addToSums(sums, value, bucket);
  return sums;
}

const answersIn = ({ models }: Sums) => Object.values(models).reduce((sum, count) => sum + count, 0);
const of = (models: Sums["models"]): Sums => ({ ...createSums(), models });

function named(model: string): [Outcome, null] {
  const answer = { usage: null, finish: null, model, fingerprint: null, isSchemaFailure: null };
  const times = { isHung: false, firstTokenMs: null, totalMs: null };
  return [{ kind: "aborted", status: 200, errorClass: null, ...times, answer, cost: null }, null];
}

describe("sums", () => {
  it("of two reports merged are those of all their outcomes, in either order", () => {
    fc.assert(
      fc.property(fc.array(stamped), fc.array(stamped), (left, right) => {
        const whole = sumsOf([...left, ...right]);
        expect(mergeSums(sumsOf(left), sumsOf(right))).toEqual(whole);
        expect(mergeSums(sumsOf(right), sumsOf(left))).toEqual(whole);
        expect(mergeSums(createSums(), whole)).toEqual(whole);
      }),
    );
  });

  it("survive JSON, and merging changes neither side", () => {
    fc.assert(
      fc.property(fc.array(stamped), (outcomes) => {
        const sums = sumsOf(outcomes);
        const copy = JSON.parse(JSON.stringify(sums)) as Sums;
        expect(copy).toEqual(sums);
        mergeSums(sums, copy);
        expect(sums).toEqual(copy);
      }),
    );
  });

  it("name so many models and no more, however many there are and however they are merged; their answers stay exact", () => {
    const counts = fc.dictionary(fc.stringMatching(/^m[0-9]{1,3}$/), fc.integer({ min: 1, max: 9 }), {
      maxKeys: 90,
      size: "max",
    });
    fc.assert(
      fc.property(counts, counts, counts, (one, two, three) => {
        const grouped = [
          mergeSums(mergeSums(of(one), of(two)), of(three)),
          mergeSums(of(one), mergeSums(of(two), of(three))),
          mergeSums(mergeSums(of(three), of(one)), of(two)),
        ];
        const answers = answersIn(of(one)) + answersIn(of(two)) + answersIn(of(three));
        for (const merged of grouped) {
          expect(answersIn(merged)).toBe(answers);
          expect(Object.keys(merged.models).length).toBeLessThanOrEqual(MOST_MODELS + 1);
        }
        expect(mergeSums(of(two), of(one))).toEqual(mergeSums(of(one), of(two)));
      }),
    );
  });

  it("name the models that answered most", () => {
    const models = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`m${index}`, index + 1]));
    const merged = mergeSums({ ...createSums(), models }, createSums()).models;
    expect(Object.keys(merged).toSorted()).toEqual(
      [...Array.from({ length: MOST_MODELS }, (_, index) => `m${index + 20}`), OTHER_MODELS].toSorted(),
    );
    expect(merged[OTHER_MODELS]).toBe((20 * 21) / 2);
  });

  it("keep the columns of a deployment that knows more of them, whichever side it is on", () => {
    const [old, young] = [{ 3: [1, 2] }, { 3: [10, 20, 30] }].map((buckets) => ({
      ...createSums(),
      buckets,
    }));
    expect(mergeSums(old!, young!).buckets).toEqual({ 3: [11, 22, 30] });
    expect(mergeSums(young!, old!).buckets).toEqual({ 3: [11, 22, 30] });
  });

  it("count an answer by a model of a very long name with its like", () => {
    const name = "m".repeat(300);
    const others = Array.from({ length: MOST_MODELS - 1 }, (_, index) => named(`m${index}`));
    const { models } = sumsOf([named(name), ...others, named(name)]);
    expect(models[name.slice(0, 200)]).toBe(2);
    expect(models[OTHER_MODELS]).toBeUndefined();
  });

  it("time and price good answers only, and pay for every one", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cachedInputTokens: 0,
      cacheWriteTokens: null,
      reasoningTokens: null,
    };
    const answer = { usage, finish: "stop", model: null, fingerprint: null, isSchemaFailure: null } as const;
    const good = {
      kind: "ok",
      status: 200,
      errorClass: null,
      isHung: false,
      firstTokenMs: 100,
      totalMs: 900,
      answer,
      cost: { nanoUsd: 7_000, fullNanoUsd: 9_000 },
    } as const;
    const sums = sumsOf([
      [good, null],
      [{ ...good, kind: "aborted" }, null],
    ]);
    expect(countIn(sums.histograms.latency ?? {})).toBe(1);
    expect(sums.latencyMs).toBe(900);
    expect(sums.cost).toEqual({ answers: 2, nanoUsd: 14_000, fullNanoUsd: 18_000 });
    expect(sums.usage).toEqual({ answers: 2, input: 20, output: 10 });
  });
});
