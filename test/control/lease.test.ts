// The lease and its promise: whoever was granted a lease before a change has lost it by `enforcedBy`.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { enforcedByMs, holdLease } from "../../src/control/lease.ts";
import { configuredLease } from "../../src/core/lease.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import { createEnvelope, OPTIONS, START_MS } from "./support/commands.ts";
import { createTestSql, listTables } from "./support/sqlite.ts";

function createStore(): ControlStore {
  const store = openStore(createTestSql());
  executeCommand(store, createEnvelope({ type: "put", settings: {} }), null, START_MS, OPTIONS);
  return store;
}

describe("the configured lease", () => {
  test.each([
    [{}, { softMs: 1_000, leaseMs: 2_000 }],
    [
      { LEASE_SOFT_MS: "400", LEASE_MS: "1000" },
      { softMs: 400, leaseMs: 1_000 },
    ],
    [{ LEASE_MS: "0" }, { softMs: 100, leaseMs: 200 }],
    [{ LEASE_MS: "3600000" }, { softMs: 1_000, leaseMs: 60_000 }],
    [{ LEASE_SOFT_MS: "0" }, { softMs: 1, leaseMs: 2_000 }],
    [{ LEASE_SOFT_MS: "2000" }, { softMs: 1_000, leaseMs: 2_000 }],
    [
      { LEASE_SOFT_MS: "1s", LEASE_MS: "-5" },
      { softMs: 1_000, leaseMs: 2_000 },
    ],
    [{ LEASE_MS: "1e9" }, { softMs: 1_000, leaseMs: 2_000 }],
  ])("%o is %o", (vars, lease) => {
    expect(configuredLease(vars)).toEqual(lease);
  });

  test("is always 200 ms to 60 s, soft before hard", () => {
    const value = fc.option(fc.oneof(fc.nat(), fc.string()).map(String), { nil: undefined });
    const property = fc.property(value, value, (soft, hard) => {
      const lease = configuredLease({
        ...(soft && { LEASE_SOFT_MS: soft }),
        ...(hard && { LEASE_MS: hard }),
      });
      expect(lease.leaseMs).toBeGreaterThanOrEqual(200);
      expect(lease.leaseMs).toBeLessThanOrEqual(60_000);
      expect(lease.softMs).toBeGreaterThan(0);
      expect(lease.softMs).toBeLessThan(lease.leaseMs);
    });
    fc.assert(property);
  });
});

describe("the promise", () => {
  test("covers every grant, through any deployments that change the lease (500 histories)", () => {
    const deployment = fc.record({
      leaseMs: fc.integer({ min: 200, max: 60_000 }),
      grants: fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 5 }),
    });
    const property = fc.property(fc.array(deployment, { minLength: 1, maxLength: 8 }), (deployments) => {
      const store = createStore();
      let nowMs = START_MS;
      let lastGrantEndsMs = 0;
      for (const { leaseMs, grants } of deployments) {
        for (const gapMs of grants) {
          nowMs += gapMs;
          const held = holdLease(openStore(store.sql), { softMs: 100, leaseMs }, nowMs);
          lastGrantEndsMs = Math.max(lastGrantEndsMs, nowMs + held.leaseMs);
          expect(enforcedByMs(held, nowMs)).toBeGreaterThanOrEqual(lastGrantEndsMs);
        }
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("is one lease again once the longer leases must have run out", () => {
    const store = createStore();
    const long = { softMs: 1_000, leaseMs: 30_000 };
    const short = { softMs: 1_000, leaseMs: 2_000 };
    holdLease(store, long, START_MS);
    expect(enforcedByMs(holdLease(store, short, START_MS + 1_000), START_MS + 1_500)).toBe(START_MS + 31_000);
    expect(enforcedByMs(holdLease(store, short, START_MS + 40_000), START_MS + 40_000)).toBe(
      START_MS + 42_000,
    );
  });

  test("writes nothing for an unknown prompt", () => {
    const store = openStore(createTestSql());
    expect(holdLease(store, { softMs: 1_000, leaseMs: 2_000 }, START_MS)).toMatchObject({
      leaseMs: 2_000,
      longerUntilMs: 0,
    });
    expect(listTables(store.sql)).toEqual([]);
  });
});
