// What the dashboard says about data: figures that mislead would be worse than none.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Release } from "../../src/core/types.ts";
import {
  formatAge,
  formatArms,
  formatChange,
  formatRate,
  formatWeight,
  remainingMs,
} from "../../src/dashboard/client/format.ts";
import { addSample, ratePerSecond, type Sample } from "../../src/dashboard/client/rates.ts";

const NOW_MS = Date.parse("2026-11-23T12:00:00.000Z");
const ago = (ms: number) => new Date(NOW_MS - ms).toISOString();

function releaseOf(...weights: [number, number][]): Release {
  const arms = weights.map(([version, weight]) => ({ version, weight }));
  return { arms } as Partial<Release> as Release;
}

describe("words and figures", () => {
  it("shows a weight in steps of 0.01 without noise of binary fractions", () => {
    expect(formatWeight(0.1 + 0.2)).toBe("0.3 %");
    expect(formatWeight(25)).toBe("25 %");
    expect(formatWeight(99.99)).toBe("99.99 %");
  });

  it("shows before and after of a change, and once only what did not move", () => {
    const before = releaseOf([1, 100]);
    const after = releaseOf([1, 75], [2, 25]);
    expect(formatChange(before, after)).toBe("v1 100 % → v1 75 % · v2 25 %");
    expect(formatChange(after, after)).toBe(formatArms(after.arms));
    expect(formatChange(null, before)).toBe("v1 100 %");
  });

  it("rounds an age down, so that nothing looks older than it is", () => {
    expect(formatAge(ago(0), NOW_MS)).toBe("just now");
    expect(formatAge(ago(-60_000), NOW_MS)).toBe("just now");
    expect(formatAge(ago(59_999), NOW_MS)).toBe("59 seconds ago");
    expect(formatAge(ago(60_000), NOW_MS)).toBe("1 minute ago");
    expect(formatAge(ago(47 * 3_600_000), NOW_MS)).toBe("1 day ago");
    expect(formatAge(ago(400 * 86_400_000), NOW_MS)).toBe("400 days ago");
  });

  it("shows no rate where nothing was counted", () => {
    expect(formatRate(null)).toBe("–");
    expect(formatRate(0)).toBe("0 %");
    expect(formatRate(0.0125)).toBe("1.3 %");
    expect(formatRate(0.5)).toBe("50 %");
  });
});

describe("the countdown of a rollback", () => {
  const committedAtMs = NOW_MS + 123;
  const answer = {
    committedAt: new Date(committedAtMs).toISOString(),
    enforcedBy: new Date(committedAtMs + 2_000).toISOString(),
  };

  it("never ends before enforcedBy, whatever the Date header has lost", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (sinceCommitMs) => {
        const serverNowMs = committedAtMs + sinceCommitMs;
        const headerMs = Math.floor(serverNowMs / 1_000) * 1_000;
        const endsAtMs = serverNowMs + remainingMs(answer, headerMs);
        expect(endsAtMs).toBeGreaterThanOrEqual(Math.min(committedAtMs + 2_000, serverNowMs + 2_000));
      }),
    );
  });

  it("lasts the lease when the server's time is unknown, and never longer", () => {
    expect(remainingMs(answer, null)).toBe(2_000);
    expect(remainingMs(answer, committedAtMs - 60_000)).toBe(2_000);
  });

  it("is over at once for a rollback that was enforced long ago", () => {
    expect(remainingMs(answer, committedAtMs + 60_000)).toBe(0);
  });
});

function sample(atMs: number, requests: number): Sample {
  return { atMs, requests: { 1: requests } };
}

describe("requests per second", () => {
  it("is unknown until there are two samples", () => {
    expect(ratePerSecond([], 1)).toBeNull();
    expect(ratePerSecond([sample(0, 5)], 1)).toBeNull();
  });

  it("is what was added per second, and 0 when counters start again", () => {
    expect(ratePerSecond([sample(0, 10), sample(2_000, 30)], 1)).toBe(10);
    expect(ratePerSecond([sample(0, 30), sample(2_000, 0)], 1)).toBe(0);
    expect(ratePerSecond([sample(0, 30), sample(2_000, 30)], 2)).toBe(0);
  });

  it("forgets old samples, so that an arm without traffic stands still after five seconds", () => {
    let samples: Sample[] = [];
    for (const [atMs, requests] of [
      [0, 0],
      [2_000, 100],
      [4_000, 100],
      [6_000, 100],
      [8_000, 100],
    ] as const) {
      samples = addSample(samples, sample(atMs, requests));
    }
    expect(ratePerSecond(samples, 1)).toBe(0);
    expect(samples.length).toBeLessThanOrEqual(4);
  });
});
