// How long what an isolate was told may be used: `softMs` without asking again, `leaseMs` at all. One pair for
// everything that is held under a lease: releases (Control grants them) and proxy keys (the edge asks for them).

import type { Lease } from "./types.ts";

const DEFAULT_LEASE_MS = 2_000;
const DEFAULT_SOFT_MS = 1_000;
const SHORTEST_MS = 200;
const LONGEST_MS = 60_000;

/** The lease from the Worker's vars: hard within 200 ms to 60 s, soft below it. What is no number counts as unset. */
export function configuredLease(vars: { LEASE_SOFT_MS?: string; LEASE_MS?: string }): Lease {
  const leaseMs = Math.min(Math.max(wholeMs(vars.LEASE_MS) ?? DEFAULT_LEASE_MS, SHORTEST_MS), LONGEST_MS);
  const softMs = Math.max(wholeMs(vars.LEASE_SOFT_MS) ?? DEFAULT_SOFT_MS, 1);
  return { leaseMs, softMs: softMs < leaseMs ? softMs : Math.floor(leaseMs / 2) };
}

/** A var in whole milliseconds; null: unset, or no number. */
export function wholeMs(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}
