// Which pairs are watched, and since when: evidence lives exactly as long as a pair of versions is compared without a break.

import { describe, expect, it } from "vitest";
import { followRelease } from "../../../src/core/watching/follow.ts";
import { createRelease, START_MS, Watched } from "./support.ts";

const follow = (...releases: ReturnType<typeof createRelease>[]) =>
  releases.reduce<ReturnType<typeof followRelease> | null>(followRelease, null)!;

describe("a watch follows the release", () => {
  it("with every canary beside the baseline, each with its share of the two", () => {
    const watch = follow(createRelease(4, { 2: 10, 3: 30 }));
    expect(watch.pairs.map(({ canary, baseline }) => [canary, baseline])).toEqual([
      [2, 1],
      [3, 1],
    ]);
    expect(watch.pairs[0]!.epochs[0]!.share).toBeCloseTo(10 / 70, 12);
    expect(watch.pairs[1]!.epochs[0]!.share).toBeCloseTo(30 / 90, 12);
  });

  it("through changes of weight: evidence stays, the epoch and the proof for the ramp are new", () => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.run(60);
    const [before] = watched.watch.pairs;
    watched.follow(createRelease(3, { 2: 25 }));
    const [after] = watched.watch.pairs;
    expect(after!.state).toEqual(before!.state);
    expect(after!.sinceMs).toBe(before!.sinceMs);
    expect(after!.epochs).toMatchObject([
      { revision: 2, endedAtMs: START_MS + 3_000 },
      { revision: 3, endedAtMs: null },
    ]);
    expect(before!.gate.proof.logOdds).not.toBe(0);
    expect(after!.gate).toMatchObject({ since: 3, proof: { logOdds: 0 } });
  });

  it("and gives a new step of a ramp no proof from calls that were routed before it", () => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.follow(createRelease(3, { 2: 25 }));
    watched.run(30, {}, { revision: 2 });
    expect(watched.watch.pairs[0]!.state.guards.errors!.canaryUnits).toBeGreaterThan(0);
    expect(watched.watch.pairs[0]!.gate.proof.logRates).toEqual([0, 0]);
    watched.run(30);
    expect(watched.watch.pairs[0]!.gate.proof.logRates).not.toEqual([0, 0]);
  });

  it("and keeps the proof where a revision left the weights alone", () => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.run(60);
    const { proof } = watched.watch.pairs[0]!.gate;
    watched.follow(createRelease(3, { 2: 10 }, { shield: false }));
    expect(watched.watch.pairs[0]!.gate).toEqual({ since: 2, proof });
  });

  it.each([
    ["taken off", {}],
    ["left without weight", { 2: 0 }],
  ])("but a canary that was %s and is put on again begins anew", (_, between) => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.run(60);
    const off = followRelease(watched.watch, createRelease(3, between));
    expect(off.pairs).toEqual([]);
    const again = followRelease(off, createRelease(4, { 2: 10 }));
    expect(again.pairs[0]).toMatchObject({ sinceMs: START_MS + 4_000, state: { guards: {} } });
    expect(again.pairs[0]!.epochs.map(({ revision }) => revision)).toEqual([4]);
  });

  it.each([
    ["conversation", "request"],
    ["user", "request"],
    ["user", "conversation"],
    ["request", "conversation"],
  ] as const)("and what was split by %s proves nothing once it is split by %s", (before, after) => {
    const watched = new Watched(createRelease(2, { 2: 30 }, { unit: before }));
    watched.run(60);
    expect(watched.watch.pairs[0]!.state.guards.errors!.canaryUnits).toBeGreaterThan(0);
    watched.follow(createRelease(3, { 2: 30 }, { unit: after }));
    expect(watched.watch.pairs[0]).toMatchObject({
      unit: after,
      sinceMs: START_MS + 3_000,
      state: { guards: {}, usual: watched.watch.baseline.usual },
      gate: { since: 3, proof: { logOdds: 0, logRates: [0, 0] } },
      designEffects: {},
      clumps: after === "request" ? null : { canary: { buckets: {} } },
    });
    watched.run(20, {}, { revision: 2 });
    expect(watched.watch.pairs[0]!.state.guards).toEqual({});
  });

  it("and another baseline is another comparison, and is learned anew", () => {
    const watched = new Watched(createRelease(2, { 2: 10 }));
    watched.run(60);
    const promoted = followRelease(watched.watch, createRelease(3, { 3: 10 }, { baseline: 2 }));
    expect(promoted.baseline).toMatchObject({ version: 2, seenAtMs: null });
    expect(promoted.pairs.map(({ canary, baseline }) => [canary, baseline])).toEqual([[3, 2]]);
  });

  it("from what the baseline's answers were usually like before its canary began", () => {
    const watched = new Watched(createRelease(1, {}));
    watched.run(30);
    watched.follow(createRelease(2, { 2: 10 }));
    const { usual } = watched.watch.pairs[0]!.state;
    expect(usual.latency.units).toBeGreaterThan(1_000);
    expect(usual).toEqual(watched.watch.baseline.usual);
  });

  it("once: a revision that was followed changes nothing", () => {
    const watch = follow(createRelease(2, { 2: 10 }));
    expect(followRelease(watch, createRelease(2, {}))).toBe(watch);
    expect(followRelease(watch, createRelease(1, {}))).toBe(watch);
  });
});
