// What may be said of an answer, and how it counts. Guarantees: what is refused says how to mend it; what counted can be
// taken out again without a trace.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addCounts,
  countsOf,
  MOST_LABEL_CHARACTERS,
  readFeedbackId,
  readFeedbackValue,
} from "../../src/core/feedback.ts";

describe("a value", () => {
  it.each([
    ["thumbs", true, true],
    ["thumbs", "up", true],
    ["thumbs", 1, true],
    ["thumbs", false, false],
    ["thumbs", "down", false],
    ["thumbs", -1, false],
    ["thumbs", 0, false],
    ["score", 0, 0],
    ["score", 0.85, 0.85],
    ["score", 1, 1],
    ["label", "too long", "too long"],
    ["label", "  up ", "up"],
    ["helpful", true, true],
    ["helpful", 1, 1],
    ["helpful", "up", "up"],
  ])("of %s may be %j", (name, value, kept) => {
    expect(readFeedbackValue(name, value)).toBe(kept);
  });

  it.each([
    ["thumbs", "great", /true or false, "up" or "down"/],
    ["thumbs", 0.5, /true or false/],
    ["score", 4, /\(rating - 1\) \/ 4/],
    ["score", -0.1, /from 0 to 1/],
    ["score", true, /a number from 0 to 1/],
    ["score", "0.8", /a number from 0 to 1/],
    ["score", Number.NaN, /from 0 to 1/],
    ["label", 1, /a text/],
    ["label", "  ", /1 to 200 characters/],
    ["label", "x".repeat(MOST_LABEL_CHARACTERS + 1), /comment/],
    ["helpful", 7, /from 0 to 1/],
  ])("of %s must not be %j, and the refusal names the mend", (name, value, mend) => {
    expect(readFeedbackValue(name, value)).toMatchObject({
      problem: "invalid_request",
      field: "value",
      message: expect.stringMatching(mend),
    });
  });
});

describe("a request id", () => {
  it("that is plain or none of ours is refused, each with its own reason", () => {
    const plain = readFeedbackId("3f2504e0-4f89-41d3-9a0c-0305e82c3301");
    expect(plain).toMatchObject({ problem: "invalid_request", message: expect.stringMatching(/no version/) });
    const other = readFeedbackId("req_0123456789");
    expect(other).toMatchObject({ problem: "invalid_request", message: expect.stringMatching(/none that/) });
  });
});

it("what is counted and taken out again leaves nothing, in whole numbers", () => {
  const value = fc.oneof(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), fc.constant("label"));
  fc.assert(
    fc.property(fc.array(value), (values) => {
      let counts = countsOf("x", 1);
      for (const one of values) counts = addCounts(counts, countsOf(one, 1));
      expect(Object.values(counts).every(Number.isSafeInteger)).toBe(true);
      for (const one of values.toReversed()) counts = addCounts(counts, countsOf(one, -1));
      expect(addCounts(counts, countsOf("x", -1))).toEqual({
        up: 0,
        down: 0,
        units: 0,
        sum: 0,
        squares: 0,
        labels: 0,
      });
    }),
  );
});
