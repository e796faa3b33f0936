// Counters per arm and per version: only added, never invented.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { summarizeTallies } from "../../src/admin/metrics.ts";
import type { Tally } from "../../src/core/types.ts";

const tally: fc.Arbitrary<Tally> = fc.record({
  revision: fc.integer({ min: 1, max: 5 }),
  version: fc.integer({ min: 1, max: 4 }),
  arm: fc.constantFrom("baseline" as const, "canary" as const, "pinned" as const),
  reason: fc.constantFrom("static" as const, "split" as const, "fallback" as const),
  requests: fc.nat(1000),
  errors: fc.nat(1000),
  aborted: fc.nat(1000),
});

const sum = (rows: { requests: number }[]) => rows.reduce((total, row) => total + row.requests, 0);

describe("metrics", () => {
  it("lose and double no request, per arm or per version", () => {
    fc.assert(
      fc.property(fc.array(tally), (tallies) => {
        const { arms, versions, fallbacks = [] } = summarizeTallies(tallies);
        const assigned = tallies.filter(({ reason }) => reason !== "fallback");
        expect(sum(arms) + sum(fallbacks)).toBe(sum(tallies));
        expect(sum(arms)).toBe(sum(assigned));
        expect(sum(versions)).toBe(sum(assigned.filter(({ arm }) => arm !== "pinned")));
        expect(new Set(arms.map(({ version, arm }) => `${version} ${arm}`)).size).toBe(arms.length);
      }),
    );
  });

  it("keep a version's time as baseline apart from its time as canary", () => {
    const row = { revision: 1, reason: "split", requests: 10, errors: 1, aborted: 2 } as const;
    const tallies: Tally[] = [
      { ...row, version: 2, arm: "canary" },
      { ...row, version: 2, arm: "baseline", revision: 3, requests: 30 },
      { ...row, version: 2, arm: "pinned" },
    ];
    const { arms, versions } = summarizeTallies(tallies);
    expect(arms.map(({ arm, requests, errorRate }) => ({ arm, requests, errorRate }))).toEqual([
      { arm: "baseline", requests: 30, errorRate: 1 / 30 },
      { arm: "canary", requests: 10, errorRate: 0.1 },
      { arm: "pinned", requests: 10, errorRate: 0.1 },
    ]);
    expect(versions).toEqual([
      { version: 2, requests: 40, errors: 2, aborted: 4, errorRate: 0.05, abortedRate: 0.1 },
    ]);
  });

  it("give no rate where there was no request", () => {
    const none = {
      revision: 1,
      version: 1,
      arm: "canary",
      reason: "split",
      requests: 0,
      errors: 0,
      aborted: 0,
    } as const;
    expect(summarizeTallies([none]).arms[0]).toMatchObject({ errorRate: null, abortedRate: null });
    expect(summarizeTallies([])).toEqual({ arms: [], versions: [], fallbacks: [] });
  });

  it("keep what the baseline answered in a canary's stead out of the comparison", () => {
    const row = { revision: 1, version: 1, arm: "baseline", requests: 10, errors: 0, aborted: 0 } as const;
    const { arms, versions, fallbacks } = summarizeTallies([
      { ...row, reason: "split" },
      { ...row, reason: "fallback", requests: 4, errors: 4 },
    ]);
    expect(arms).toMatchObject([{ version: 1, requests: 10, errorRate: 0 }]);
    expect(versions).toMatchObject([{ version: 1, requests: 10, errorRate: 0 }]);
    expect(fallbacks).toMatchObject([{ version: 1, requests: 4, errorRate: 1 }]);
  });
});
