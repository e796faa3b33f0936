// Tallies in a row of the database and back, and calls that are presumed lost: nothing is lost, nothing is counted twice.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { giveUpCalls, settleCalls, type OpenCalls } from "../../src/core/metering/open-calls.ts";
import { readSums, writeSums } from "../../src/core/metering/sums-text.ts";
import { createSums, mergeSums } from "../../src/core/metering/sums.ts";
import { keyOf, lostCalls, mergeTallies, openOf, readKey } from "../../src/core/metering/tally.ts";
import type { Tally } from "../../src/core/types.ts";
import { metered, plain, sums, sumUp } from "../control/support/tallies.ts";

const tally = fc.oneof(metered, plain);

describe("sums in a row", () => {
  it("come out as they went in", () => {
    fc.assert(
      fc.property(sums, (one) => {
        expect(readSums(writeSums(one)) ?? createSums()).toEqual(one);
      }),
    );
  });

  it("are nothing where there is nothing in them", () => {
    expect(writeSums(createSums())).toBe("");
    expect(readSums("")).toBeUndefined();
  });

  it("keep what a feedback took back, though no unit came or went", () => {
    const taken = createSums();
    taken.scores.sum = -2_500;
    taken.thumbs = { up: -1, down: 1 };
    expect(readSums(writeSums(taken))).toEqual(taken);
  });

  it("leave out what a merge has brought to nothing in a histogram no more than they must", () => {
    fc.assert(
      fc.property(sums, sums, (one, other) => {
        const whole = mergeSums(one, other);
        expect(readSums(writeSums(whole)) ?? createSums()).toEqual(whole);
      }),
    );
  });
});

function normal(tallies: Map<string, Tally>): [string, Tally][] {
  const entries = [...tallies].map(([key, one]): [string, Tally] => [
    key,
    mergeTallies({ ...one, sums: createSums() }, one),
  ]);
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

describe("tallies", () => {
  it("add up in any order and grouping, and a call that is over had begun", () => {
    fc.assert(
      fc.property(fc.array(tally, { maxLength: 12 }), fc.nat(12), (tallies, cut) => {
        const whole = sumUp(tallies);
        const parts = [...sumUp(tallies.slice(0, cut)).values(), ...sumUp(tallies.slice(cut)).values()];
        expect(normal(sumUp(parts.toReversed()))).toEqual(normal(whole));
        for (const one of whole.values()) expect(openOf(one)).toBe(0);
      }),
    );
  });

  it("are found again by their keys", () => {
    fc.assert(
      fc.property(tally, (one) => {
        expect(keyOf({ ...one, ...readKey(keyOf(one)) })).toBe(keyOf(one));
        expect(keyOf(lostCalls(readKey(keyOf(one)), 1))).toBe(keyOf(one));
      }),
    );
  });
});

/** One isolate under one key: calls begin and end, it reports or is given up. */
type Act = "begin" | "end" | "report" | "give up";
const act = fc.constantFrom<Act>("begin", "begin", "end", "end", "report", "report", "give up");
const STAMP = { revision: 1, version: 2, arm: "canary", reason: "split", turn: "first" } as const;

function live(acts: readonly Act[], endsAll: boolean): { counted: Tally; began: number; ended: number } {
  let calls: OpenCalls = { open: {}, lost: {} };
  let counted: Tally = { ...STAMP, started: 0, requests: 0, errors: 0, aborted: 0 };
  const began = { all: 0, told: 0 };
  const ended = { all: 0, told: 0 };
  const report = () => {
    const told = { started: began.all - began.told, requests: ended.all - ended.told };
    const own: Tally = { ...STAMP, ...told, errors: 0, aborted: 0 };
    const { corrections, ...next } = settleCalls(calls, [own]);
    calls = next;
    counted = [own, ...corrections].reduce(mergeTallies, counted);
    began.told = began.all;
    ended.told = ended.all;
  };
  const giveUp = () => {
    const { corrections, ...next } = giveUpCalls(calls);
    calls = next;
    counted = corrections.reduce(mergeTallies, counted);
  };
  for (const one of acts) {
    if (one === "begin") began.all += 1;
    if (one === "end" && ended.all < began.all) ended.all += 1;
    if (one === "report") report();
    if (one === "give up") giveUp();
    expect(counted.requests).toBeGreaterThanOrEqual(ended.told);
    expect(counted.requests).toBeLessThanOrEqual(began.told);
    expect(counted.lost ?? 0).toBe(counted.requests - ended.told);
  }
  if (endsAll) {
    ended.all = began.all;
    report();
  } else {
    giveUp();
  }
  return { counted, began: began.told, ended: ended.told };
}

describe("calls of an isolate that was given up", () => {
  it("are counted once each when it comes back and tells how they ended, and none is lost", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const { counted, began } = live(acts, true);
        expect(counted).toMatchObject({ started: began, requests: began, errors: 0 });
        expect(counted.lost ?? 0).toBe(0);
        expect(counted.sums?.counts.timeouts ?? 0).toBe(0);
        expect(counted.sums?.errorClasses.timeout ?? 0).toBe(0);
      }),
    );
  });

  it("are errors by timeout when it does not", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const { counted, began, ended } = live(acts, false);
        const lost = began - ended;
        expect(counted).toMatchObject({ started: began, requests: began, errors: lost });
        expect(counted.lost ?? 0).toBe(lost);
        expect(counted.sums?.errorClasses.timeout ?? 0).toBe(lost);
      }),
    );
  });

  it("are not made up for isolates that do not say what began", () => {
    const own: Tally = { ...STAMP, requests: 5, errors: 0, aborted: 0 };
    expect(settleCalls({ open: {}, lost: {} }, [own])).toEqual({ open: {}, lost: {}, corrections: [] });
  });
});
