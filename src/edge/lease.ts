// Guarantee 1, the fenced lease, as pure bookkeeping: what an isolate may still do with the release that it holds.
// A grant is dated by when it was asked for, on this isolate's own clock, so a slow answer can only shorten it. A
// lower revision never replaces a higher one. What is not provably live is not live.

import type { Assignment, Lease, Release } from "../core/types.ts";

/** A request let through at the last moment needs time to reach the provider; `enforcedBy` already counts from the
 * commit, so the edge stops this much before the lease is up. */
export const DISPATCH_MARGIN_MS = 200;

export type Grant = {
  release: Release;
  lease: Lease;
  /** When the newest grant for this release was asked for; null: never granted (a copy out of KV). */
  askedAtMs: number | null;
};

export type Freshness = "fresh" | "soft" | "dead";

/** `fresh`: use it. `soft`: use it and renew in the background. `dead`: the baseline only. */
export function freshnessOf(grant: Grant | null, nowMs: number): Freshness {
  if (grant === null || grant.askedAtMs === null) return "dead";
  const ageMs = nowMs - grant.askedAtMs;
  // A clock that went backwards proves nothing about the age.
  if (ageMs < 0 || ageMs >= grant.lease.leaseMs - DISPATCH_MARGIN_MS) return "dead";
  return ageMs < grant.lease.softMs ? "fresh" : "soft";
}

/** May what was assigned still be dispatched? The baseline always; any other version by the release as it is now, and only
 * under a live lease. */
export function isInForce(
  grant: Grant | null,
  { arm, version, revision }: Assignment,
  nowMs: number,
): boolean {
  if (arm === "baseline" || version === grant?.release.baseline) return true;
  return grant?.release.revision === revision && freshnessOf(grant, nowMs) !== "dead";
}

/** The grant to hold after an answer: `release` null means that the revision asked with is still the newest. */
export function adopt(
  held: Grant | null,
  answer: { release: Release | null; lease: Lease; askedAtMs: number; askedWithRevision: number },
): Grant | null {
  if (answer.release === null) {
    if (held === null || held.release.revision !== answer.askedWithRevision) return held;
    return {
      release: held.release,
      lease: answer.lease,
      askedAtMs: latest(held.askedAtMs, answer.askedAtMs),
    };
  }
  if (held !== null && answer.release.revision < held.release.revision) return held;
  const sameRevision = held?.release.revision === answer.release.revision;
  return {
    release: answer.release,
    lease: answer.lease,
    askedAtMs: sameRevision ? latest(held.askedAtMs, answer.askedAtMs) : answer.askedAtMs,
  };
}

/** A copy out of KV, which grants nothing: it only tells which version is the baseline. */
export function adoptCopy(held: Grant | null, release: Release, lease: Lease): Grant {
  if (held !== null && held.release.revision >= release.revision) return held;
  return { release, lease, askedAtMs: null };
}

function latest(one: number | null, other: number): number {
  return one === null ? other : Math.max(one, other);
}
