// Counts are exact on real workerd: four isolates, a Control that is killed under load, answers that are lost and syncs that
// arrive twice. `node bench/exact.ts` does the same with 100,000 requests.

import { expect, test } from "vitest";
import { countExactly, OUTPUT_TOKENS } from "./exact-rig.ts";

test(
  "what is counted per version is what the provider saw, to the request",
  { timeout: 120_000 },
  async () => {
    const exact = await countExactly({
      requests: 2_000,
      edges: 4,
      atOnce: 24,
      kills: 2,
      loseEvery: 3,
      repeatEvery: 4,
      failEvery: 20,
      settleMs: 40_000,
    });
    const { versions, failures, syncs } = exact;
    expect(failures).toEqual([]);
    for (const counted of Object.values(versions)) {
      const { seen, failed, requests, errors, fallbacks, outputTokens, timed } = counted;
      expect({ requests: requests + fallbacks, errors, outputTokens, timed }).toEqual({
        requests: seen,
        errors: failed,
        outputTokens: OUTPUT_TOKENS * (seen - failed),
        timed: seen - failed,
      });
    }
    const canary = versions[2]!;
    expect(versions[1]!.fallbacks).toBe(canary.failed);
    expect(Object.values(versions).reduce((sum, { seen }) => sum + seen, 0)).toBe(2_000 + canary.failed);
    expect([exact.open, exact.lost]).toEqual([0, 0]);
    // It was not for want of trouble.
    expect(canary.seen).toBeGreaterThan(200);
    expect(canary.failed).toBeGreaterThan(0);
    expect(exact.revisions).toBe(4);
    expect(syncs.lost).toBeGreaterThan(5);
    expect(syncs.repeated).toBeGreaterThan(3);
  },
);
