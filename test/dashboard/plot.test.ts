// Series → paths: what is drawn is what was counted, where it was counted.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  drawPaths,
  HEIGHT,
  niceTop,
  placeOf,
  timeTicks,
  WIDTH,
  type Dot,
} from "../../src/dashboard/client/plot.ts";

const FRAME = { fromMs: 0, toMs: 10_000, stepMs: 1_000, top: 50 };
const dot = (step: number, y: number, more: Partial<Dot> = {}): Dot => ({ atMs: step * 1_000, y, ...more });

/** All numbers of a path, in pairs as they stand. */
function numbersIn(path: string): number[] {
  return (path.match(/-?[\d.]+/g) ?? []).map(Number);
}

describe("a line", () => {
  it("goes through the middle of each step, upwards with the value", () => {
    expect(drawPaths([dot(0, 0), dot(1, 25), dot(2, 50)], FRAME).line).toBe("M50 100L150 50L250 0");
  });

  it("is interrupted where nothing was counted, and a step alone is as wide as it is", () => {
    const { line } = drawPaths([dot(0, 50), dot(1, 50), dot(4, 25), dot(7, 50), dot(8, 50)], FRAME);
    expect(line).toBe("M50 0L150 0M400 50H500M750 0L850 0");
  });

  it("of nothing is nothing", () => {
    expect(drawPaths([], FRAME)).toEqual({ line: "", band: "" });
  });
});

describe("a band", () => {
  it("goes there along the upper bound and back along the lower one", () => {
    const dots = [dot(0, 25, { low: 10, high: 40 }), dot(1, 25, { low: 20, high: 30 })];
    expect(drawPaths(dots, FRAME).band).toBe("M50 20L150 40L150 60L50 80Z");
    expect(drawPaths(dots.slice(0, 1), FRAME).band).toBe("M0 20H100V80H0Z");
  });

  it("is left out where it is not known how sure a value is", () => {
    expect(drawPaths([dot(0, 25, { low: 10, high: 40 }), dot(1, 25)], FRAME).band).toBe("");
  });
});

describe("a drawing", () => {
  it("never leaves its frame, whatever the values are", () => {
    const dots = fc.array(
      fc.record({
        atMs: fc.integer({ min: -5_000, max: 20_000 }),
        y: fc.double({ min: -100, max: 1e6, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(dots, (some) => {
        const sorted = some.toSorted((one, other) => one.atMs - other.atMs);
        const { line, band } = drawPaths(
          sorted.map((one) => ({ ...one, low: one.y / 2, high: one.y * 2 })),
          FRAME,
        );
        for (const number of numbersIn(line + band)) {
          expect(number).toBeGreaterThanOrEqual(0);
          expect(number).toBeLessThanOrEqual(Math.max(WIDTH, HEIGHT));
        }
      }),
    );
  });
});

describe("a scale", () => {
  it("has a round top that everything fits under, and not much more room than needed", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (most) => {
        const top = niceTop(most);
        expect(top).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        expect(top).toBeLessThanOrEqual(most * 2.5);
        expect(["1", "2", "25", "5"]).toContain(top.toExponential().replace(/e.*|\./g, ""));
      }),
    );
    expect(niceTop(0)).toBe(1);
    expect(niceTop(0.02)).toBe(0.02);
  });

  it("names whole moments between the edges", () => {
    const frame = { fromMs: Date.UTC(2026, 10, 23, 12, 2), toMs: Date.UTC(2026, 10, 23, 13, 2) };
    const ticks = timeTicks(frame, 15 * 60_000).map((atMs) => new Date(atMs).toISOString().slice(11, 16));
    expect(ticks).toEqual(["12:15", "12:30", "12:45"]);
    expect(placeOf(frame.fromMs + 15 * 60_000, frame)).toBe(25);
  });
});
