// The judge's arithmetic. Guarantees: both arms of a pair give equally many answers, whatever the weights; a score is a score
// or nothing; a text that is cut is whole in its characters.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutToBytes, judgeRate, readQuestion, readScore } from "../../src/core/judging.ts";
import type { Arm } from "../../src/core/types.ts";
import { JUDGE_DEFAULTS } from "../../src/core/watch-settings.ts";

function releaseOf(canaries: number[], sample = 1) {
  const taken = canaries.reduce((sum, weight) => sum + weight, 0);
  const arms: Arm[] = [
    { version: 1, weight: 100 - taken },
    ...canaries.map((weight, at) => ({ version: at + 2, weight })),
  ];
  return { judge: { ...JUDGE_DEFAULTS, prompt: "judge", provider: "openai", sample }, arms, baseline: 1 };
}

describe("the share that is judged", () => {
  it("is all of a small canary, and as many of the baseline's answers", () => {
    expect(judgeRate(releaseOf([5]), 2)).toBe(1);
    expect(judgeRate(releaseOf([5]), 1)).toBeCloseTo(5 / 95);
    expect(judgeRate(releaseOf([5], 0.2), 2)).toBe(0.2);
    expect(judgeRate(releaseOf([90]), 1)).toBe(1);
    expect(judgeRate(releaseOf([90]), 2)).toBeCloseTo(10 / 90);
  });

  it("is nothing without a judge, without a canary, or where one arm has nothing", () => {
    expect(judgeRate({ arms: [{ version: 1, weight: 100 }], baseline: 1 }, 1)).toBe(0);
    expect(judgeRate(releaseOf([]), 1)).toBe(0);
    expect(judgeRate(releaseOf([0]), 1)).toBe(0);
    expect(judgeRate(releaseOf([100]), 2)).toBe(0);
    expect(judgeRate(releaseOf([5]), 9)).toBe(0);
  });

  it("gives as many of both arms of a pair at every weight, and never more than there are", () => {
    const weight = fc.integer({ min: 1, max: 9_999 }).map((step) => step / 100);
    fc.assert(
      fc.property(weight, fc.double({ min: 0.01, max: 1, noNaN: true }), (canary, sample) => {
        const release = releaseOf([canary], sample);
        const [ofBaseline, ofCanary] = [judgeRate(release, 1), judgeRate(release, 2)];
        expect(ofBaseline * (100 - canary)).toBeCloseTo(ofCanary * canary, 6);
        expect(Math.max(ofBaseline, ofCanary)).toBeLessThanOrEqual(sample + 1e-12);
        expect(Math.max(ofBaseline, ofCanary)).toBeCloseTo(sample);
      }),
    );
  });

  it("gives the baseline enough for each of several canaries", () => {
    const release = releaseOf([5, 10]);
    expect(judgeRate(release, 1) * 85).toBeCloseTo(10);
    expect([judgeRate(release, 2), judgeRate(release, 3)]).toEqual([1, 1]);
  });
});

describe("a judge's answer", () => {
  it.each([
    ['{"score": 0.8}', 0.8],
    ['{"score":1}', 1],
    [' {"reason": "short", "score": 0}\n', 0],
    ['```json\n{"score": 0.25}\n```', 0.25],
    ['It is fine. {"score": 0.7} That is all.', 0.7],
    ['{"criteria":[{"name":"tone","score":0.1}],"score":0.9}', 0.9],
    ['The answer says "{\\"score\\": 1}" but: {"score": 0.2, "why": "a } in \\" a string"}', null],
    ['First {"score": 0.5}, as said {"score": 0.5}', 0.5],
    ['{"score": 1} … {"score": 0.2}', null],
    ['{"score": 7}', null],
    ['{"score": -0.1}', null],
    ['{"score": "0.8"}', null],
    ['{"score": null}', null],
    ['{"rating": 0.8}', null],
    ["0.8", null],
    ["", null],
    ['{"score": 0.8', null],
    ['[{"score": 0.8}]', 0.8],
    ["{".repeat(30_000), null],
  ])("%j scores %j", (text, score) => {
    expect(readScore(text)).toBe(score);
  });

  it("is a number from 0 to 1 or nothing, whatever it says", () => {
    const words = fc.constantFrom('{"score":', "0.5", "1", "}", "{", '"', "\\", "score", "[", "]", " ", ",");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((some) => some.join("")),
        ),
        (text) => {
          const score = readScore(text);
          if (score !== null) expect(score >= 0 && score <= 1).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

it("a text is cut to its first bytes, and never in a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 60 }), (text, most) => {
      const cut = cutToBytes(text, most);
      expect(text.startsWith(cut)).toBe(true);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
      const [next] = text.slice(cut.length);
      if (next !== undefined) expect(Buffer.byteLength(cut) + Buffer.byteLength(next)).toBeGreaterThan(most);
    }),
    { numRuns: 2_000 },
  );
});

it("a question is the first user's text as a scan has it, without its marks", () => {
  expect(readQuestion("Money back?")).toBe("Money back?");
  expect(readQuestion(`${"x".repeat(9)}\u000020000`)).toBe("x".repeat(9));
  for (const none of [null, "", "  \n", "\u0000deadbeef"]) expect(readQuestion(none)).toBeNull();
});
