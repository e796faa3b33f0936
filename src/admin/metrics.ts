// Tallies (one row per revision, version, arm and reason) as people compare them: per arm, and per version.
// Guarantee: counts are only added, and a rate without requests is null, because no data is not good data. What the
// baseline answered in a canary's stead is kept apart: requests that a canary failed are no sample of its own traffic.

import type { ArmName, Tally } from "../core/types.ts";
import type { Metrics } from "./schemas.ts";

type Counters = Pick<Tally, "requests" | "errors" | "aborted">;

type Summary = Pick<Metrics, "arms" | "versions" | "fallbacks">;

/** Sums tallies per (version, arm), and per version without pinned requests, which choose their version themselves. */
export function summarizeTallies(tallies: readonly Tally[]): Summary {
  const arms = new Map<string, { version: number; arm: ArmName } & Counters>();
  const versions = new Map<number, { version: number } & Counters>();
  const fallbacks = new Map<number, { version: number } & Counters>();
  for (const tally of tallies) {
    const { version, arm, reason } = tally;
    if (reason === "fallback") {
      addTo(fallbacks, version, { version }, tally);
      continue;
    }
    addTo(arms, `${version} ${arm}`, { version, arm }, tally);
    if (arm !== "pinned") addTo(versions, version, { version }, tally);
  }
  return {
    arms: [...arms.values()].map(withRates).toSorted((left, right) => compareArms(left, right)),
    versions: byVersion(versions),
    fallbacks: byVersion(fallbacks),
  };
}

function byVersion(sums: Map<number, { version: number } & Counters>) {
  return [...sums.values()].map(withRates).toSorted((left, right) => left.version - right.version);
}

function addTo<Key, Head extends object>(
  sums: Map<Key, Head & Counters>,
  key: Key,
  head: Head,
  { requests, errors, aborted }: Counters,
): void {
  const sum = sums.get(key) ?? { ...head, requests: 0, errors: 0, aborted: 0 };
  sums.set(key, {
    ...sum,
    requests: sum.requests + requests,
    errors: sum.errors + errors,
    aborted: sum.aborted + aborted,
  });
}

function withRates<Sum extends Counters>(
  sum: Sum,
): Sum & { errorRate: number | null; abortedRate: number | null } {
  const rate = (count: number) => (sum.requests === 0 ? null : count / sum.requests);
  return { ...sum, errorRate: rate(sum.errors), abortedRate: rate(sum.aborted) };
}

type Ordered = { version: number; arm: ArmName };

function compareArms(left: Ordered, right: Ordered): number {
  return left.version - right.version || (left.arm < right.arm ? -1 : 1);
}
