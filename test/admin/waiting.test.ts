// How long a rollback that waits has to wait: the object's clock is not ours.

import { describe, expect, it } from "vitest";
import { enforcedInMs } from "../../src/admin/release-handlers.ts";

const COMMITTED_MS = Date.parse("2026-11-23T12:00:00.000Z");

/** By the object's clock. */
function rollback(promisedInMs: number) {
  const committedAt = new Date(COMMITTED_MS).toISOString();
  const enforcedBy = new Date(COMMITTED_MS + promisedInMs).toISOString();
  return { revision: 3, from: 2, to: 1, committedAt, enforcedBy };
}

describe("a rollback that waits", () => {
  it("waits for the whole lease, however far our clock is ahead of the object's or behind it", () => {
    for (const aheadMs of [-5_000, 0, 20, 900, 1_999]) {
      expect(enforcedInMs(rollback(2_000), COMMITTED_MS + aheadMs)).toBe(2_000);
    }
  });

  it("does not wait for what has been enforced long ago", () => {
    expect(enforcedInMs(rollback(2_000), COMMITTED_MS + 2_000)).toBe(0);
    expect(enforcedInMs(rollback(2_000), COMMITTED_MS + 3_600_000)).toBe(0);
  });

  it("never waits longer than the longest lease", () => {
    expect(enforcedInMs(rollback(3_600_000), COMMITTED_MS + 3_590_000)).toBe(60_000);
  });
});
