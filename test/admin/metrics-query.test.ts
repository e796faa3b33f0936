// Windows and steps of metrics and diagnoses, as URLs ask for them: what is refused comes with what is taken instead, and no
// step that is taken has more than minutes or hours read for it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOST_POINTS, readDiagnosedWindow, readMetricsQuery } from "../../src/admin/metrics.ts";
import { stepOf } from "../../src/control/diagnosing.ts";
import { isProblem } from "../../src/core/problem.ts";

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
const says = (window: string, step: string): string => {
  const read = readMetricsQuery({ window, step });
  return isProblem(read) ? read.message : "";
};

describe("a step", () => {
  test.each([
    ["1h", "5", "step: makes more than 500 points; for this window it is at least 10s."],
    ["2h", "30", "kept for an hour only; for this window it is at least 1m."],
    ["24h", "60", "it is at least 3m."],
    ["31d", "1h", "it is at least 2h."],
    ["31d", "5357s", "the nearest is 2h."],
    ["31d", "90m", "or whole hours; for this window the nearest is 2h."],
    ["100m", "90m", "the nearest is 1h."],
    ["1h", "7", "the nearest is 10s."],
    ["5m", "1h", "step: is no longer than the window."],
  ])("of %s in %s is refused with what is taken", (window, step, message) => {
    expect(says(window, step)).toContain(message);
  });

  test.each([
    ["31d", "2h"],
    ["1h", "10"],
    ["5m", "5m"],
    ["12h", "90s"],
    ["30d", "1d"],
  ])("of %s in %s is taken where it is whole", (window, step) => {
    expect(says(window, step) === "").toBe(step !== "90s");
  });

  test("that a refusal names is taken, whatever was asked for", () => {
    const unit = fc.constantFrom("s", "m", "h", "d");
    const [size, length] = [fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 4_000 })];
    const property = fc.property(size, unit, length, unit, (windowSize, windowUnit, stepSize, stepUnit) => {
      const window = `${windowSize}${windowUnit}`;
      const message = says(window, `${stepSize}${stepUnit}`);
      const named = /(?:at least|nearest is) (\w+)\.$/.exec(message)?.[1];
      if (named !== undefined) expect(says(window, named), `${message} ${window}`).toBe("");
    });
    fc.assert(property, { numRuns: 3_000 });
  });
});

describe("a diagnosis", () => {
  test("looks back from 10 minutes to 31 days, and never at all that was ever counted", () => {
    expect(readDiagnosedWindow("10m")).toBe(600);
    expect(readDiagnosedWindow("31d")).toBe(31 * DAY_S);
    expect(readDiagnosedWindow("599s")).toMatchObject({ message: "window: is at least 10m." });
    expect(readDiagnosedWindow("99d")).toMatchObject({ message: "window: is at most 31d." });
  });

  test("reads no more than five days minute by minute, and no more steps than a chart", () => {
    for (let windowS = 600; windowS <= 31 * DAY_S; windowS += 600) {
      const stepS = stepOf(windowS);
      expect(stepS % HOUR_S === 0 || windowS <= 5 * DAY_S, `${windowS} in ${stepS}`).toBe(true);
      expect(stepS % 60).toBe(0);
      expect(windowS / stepS).toBeLessThanOrEqual(MOST_POINTS);
    }
  });
});
