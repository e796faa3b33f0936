// Do the arms get the share of requests that the release gives them? Only where every request is assigned by itself: a
// sticky unit brings as many requests as it likes. A mismatch holds a ramp, for then every comparison is in doubt.

const RATIOS: readonly number[] = [0.5, 0.8, 0.9, 1.1, 1.25, 2];

/** A mismatch at 1/1000: found in so many nats. */
export const SPLIT_AT = Math.log(1_000);

export type SplitCheck = { logBets: number[] };

export function createSplitCheck(): SplitCheck {
  return { logBets: RATIOS.map(() => 0) };
}

/** `share` of the canary at that time, between 0 and 1. */
export function addSplit(
  check: SplitCheck,
  { units, canary, share }: { units: number; canary: number; share: number },
): SplitCheck {
  return {
    logBets: check.logBets.map((log, index) => {
      const ratio = RATIOS[index]!;
      return log + canary * Math.log(ratio) - units * Math.log(1 + share * (ratio - 1));
    }),
  };
}

/** ln E: beyond `SPLIT_AT` the split is not what was meant. */
export function splitEvidence({ logBets }: SplitCheck): number {
  const top = Math.max(...logBets);
  const sum = logBets.reduce((all, log) => all + Math.exp(log - top), 0);
  return top + Math.log(sum / logBets.length);
}
