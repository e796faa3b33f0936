// Guarantee 1 as a property of the bookkeeping alone: whatever the delays, losses and reorderings of answers, nobody
// holds a live lease on a release that was superseded more than `leaseMs` ago.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Release } from "../../src/core/types.ts";
import { adopt, adoptCopy, DISPATCH_MARGIN_MS, freshnessOf, type Grant } from "../../src/edge/lease.ts";

const LEASE = { softMs: 1_000, leaseMs: 2_000 };

function release(revision: number): Release {
  return {
    schema: 1,
    prompt: "p",
    environment: "production",
    revision,
    unit: "conversation",
    baseline: 1,
    arms: [{ version: 1, weight: 100 }],
    table: { revision, salt: "s", slots: [{ version: 1, from: 0, to: 10_000 }] },
    drains: [],
    revoked: [],
    changedAt: "2026-11-01T00:00:00.000Z",
  };
}

function grant(revision: number, askedAtMs: number | null): Grant {
  return { release: release(revision), lease: LEASE, askedAtMs };
}

describe("freshnessOf", () => {
  it("dates a grant by when it was asked for, and stops a margin before the lease is up", () => {
    const held = grant(1, 10_000);
    expect(freshnessOf(held, 10_999)).toBe("fresh");
    expect(freshnessOf(held, 11_000)).toBe("soft");
    expect(freshnessOf(held, 12_000 - DISPATCH_MARGIN_MS - 1)).toBe("soft");
    expect(freshnessOf(held, 12_000 - DISPATCH_MARGIN_MS)).toBe("dead");
  });

  it("takes no release, a copy out of KV and a clock that went backwards for dead", () => {
    expect(freshnessOf(null, 0)).toBe("dead");
    expect(freshnessOf(grant(1, null), 0)).toBe("dead");
    expect(freshnessOf(grant(1, 10_000), 9_999)).toBe("dead");
  });
});

describe("adopt", () => {
  it("never replaces a higher revision by a lower one", () => {
    const held = grant(7, 5_000);
    const answer = { release: release(6), lease: LEASE, askedAtMs: 5_500, askedWithRevision: 0 };
    expect(adopt(held, answer)).toBe(held);
  });

  it("does not extend a revision by an answer that was asked for another", () => {
    const held = grant(7, 5_000);
    const answer = { release: null, lease: LEASE, askedAtMs: 6_500, askedWithRevision: 6 };
    expect(adopt(held, answer)).toBe(held);
  });

  it("extends on an unchanged answer, and a late answer never shortens what is held", () => {
    const held = grant(7, 5_000);
    const extended = adopt(held, { release: null, lease: LEASE, askedAtMs: 6_000, askedWithRevision: 7 });
    expect(extended?.askedAtMs).toBe(6_000);
    const late = adopt(extended, { release: null, lease: LEASE, askedAtMs: 5_500, askedWithRevision: 7 });
    expect(late?.askedAtMs).toBe(6_000);
  });

  it("lets a copy out of KV grant nothing and never go back", () => {
    expect(adoptCopy(null, release(3), LEASE).askedAtMs).toBeNull();
    const held = grant(4, 1_000);
    expect(adoptCopy(held, release(4), LEASE)).toBe(held);
    expect(adoptCopy(held, release(3), LEASE)).toBe(held);
    expect(adoptCopy(held, release(5), LEASE).askedAtMs).toBeNull();
  });

  it("under any delays and reorderings, no superseded release is live once the lease since its end is over", () => {
    const ask = fc.record({
      atMs: fc.nat(20_000),
      thereMs: fc.nat(3_000),
      backMs: fc.nat(3_000),
      lost: fc.boolean(),
    });
    const scenario = fc.record({
      commitsMs: fc.array(fc.nat(20_000), { minLength: 1, maxLength: 8 }),
      asks: fc.array(ask, { minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(scenario, ({ commitsMs, asks }) => {
        const commits = commitsMs.toSorted((one, other) => one - other);
        const revisionAt = (ms: number) => 1 + commits.filter((commit) => commit <= ms).length;
        expect(liveBeyondBound(asks, revisionAt, commits)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

type Ask = { atMs: number; thereMs: number; backMs: number; lost: boolean };

/** Replays asks and answers in order of time and reports every moment at which a dead release was still live. */
function liveBeyondBound(asks: Ask[], revisionAt: (ms: number) => number, commits: number[]): string[] {
  let held: Grant | null = null;
  const found: string[] = [];
  const pending = new Map<Ask, number>();
  const events = asks
    .flatMap((ask) => [
      { ms: ask.atMs, ask, arrives: false },
      { ms: ask.atMs + ask.thereMs + ask.backMs, ask, arrives: true },
    ])
    .toSorted((one, other) => one.ms - other.ms || Number(one.arrives) - Number(other.arrives));
  for (const { ms, ask, arrives } of events) {
    if (!arrives) pending.set(ask, held?.release.revision ?? 0);
    if (arrives && !ask.lost) {
      const askedWithRevision = pending.get(ask) ?? 0;
      const newest = revisionAt(ask.atMs + ask.thereMs);
      const answer = newest > askedWithRevision ? release(newest) : null;
      held = adopt(held, { release: answer, lease: LEASE, askedAtMs: ask.atMs, askedWithRevision });
    }
    for (const laterMs of [ms, ms + 700, ms + 1_500, ms + 2_500]) {
      if (held === null || freshnessOf(held, laterMs) === "dead") continue;
      const endedMs = commits[held.release.revision - 1];
      if (endedMs !== undefined && laterMs > endedMs + LEASE.leaseMs)
        found.push(`${held.release.revision} at ${laterMs}`);
    }
  }
  return found;
}
