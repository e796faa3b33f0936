// How long a grant may be used, and the promise that follows from it. Guarantee 1: `enforcedBy` is the commit plus
// the longest lease that anybody may still hold. A deployment that shortens the lease therefore keeps promising what
// its predecessor granted, until the last such grant must have run out; what was granted is in the database.

import type { Lease } from "../core/types.ts";
import { readMeta, writeMeta, type ControlStore } from "./store.ts";

export type HeldLease = Lease & {
  /** Grants of a longer lease, made before a deployment shortened it, may be in use until then; 0: none. */
  longerUntilMs: number;
};

/** The lease to grant from `nowMs` on. It is on record before it is granted; call it before every answer. */
export function holdLease(store: ControlStore, lease: Lease, nowMs: number): HeldLease {
  if (!store.created) return { ...lease, longerUntilMs: 0 };
  const grantedMs = readMeta(store.sql, "lease_ms");
  const longerUntilMs = readMeta(store.sql, "lease_longer_until_ms") ?? 0;
  if (grantedMs === lease.leaseMs) return { ...lease, longerUntilMs };
  const heldUntilMs = grantedMs === null || grantedMs < lease.leaseMs ? 0 : nowMs + grantedMs;
  const held = { ...lease, longerUntilMs: Math.max(longerUntilMs, heldUntilMs) };
  store.sql.transaction(() => {
    writeMeta(store.sql, "lease_ms", lease.leaseMs);
    writeMeta(store.sql, "lease_longer_until_ms", held.longerUntilMs);
  });
  return held;
}

/** When a change committed at `committedAtMs` is in force everywhere (epoch ms). */
export function enforcedByMs(held: HeldLease, committedAtMs: number): number {
  return Math.max(committedAtMs + held.leaseMs, held.longerUntilMs);
}
