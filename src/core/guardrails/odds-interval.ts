// The interval of an odds ratio where one of the arms has hardly a bad answer, so that no approximation holds: by the exact
// likelihood of every odds ratio of a grid, given each stratum's totals. Its mean over the grid, over the likelihood of the
// truth, is an e-process, so the odds ratios that it does not rule out are an interval that holds at every moment at once.

import { addLogs, type CountStratum } from "./count-guard.ts";
import { logMoments } from "./hypergeometric.ts";

const ODDS: readonly number[] = [0.02, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 200];
const LOG_ODDS = ODDS.map(Math.log);

/** ln likelihood of each odds ratio of the grid, up to what all have in common. */
export type OddsLikelihood = number[];

export const NO_LIKELIHOOD: OddsLikelihood = ODDS.map(() => 0);

export function addLikelihood(held: OddsLikelihood, { baseline, canary }: CountStratum): OddsLikelihood {
  const bad = baseline.bad + canary.bad;
  if (bad === 0 || baseline.units === 0 || canary.units === 0) return held;
  const logs = logMoments({ total: baseline.units + canary.units, bad, canary: canary.units }, ODDS);
  return held.map((log, index) => log + canary.bad * LOG_ODDS[index]! - logs[index]!);
}

/** `low` 0 and `high` null where the grid sets no bound. Between two odds ratios of the grid the likelihood is taken to run
 * straight, which is harmless as long as there are few bad answers. */
export function oddsInterval(
  likelihood: OddsLikelihood,
  alpha: number,
  designEffect = 1,
): { low: number; high: number | null } {
  const logs = likelihood.map((log) => log / designEffect);
  const least = logs.reduce(addLogs) - Math.log(logs.length) + Math.log(alpha);
  const first = logs.findIndex((log) => log >= least);
  const last = logs.findLastIndex((log) => log >= least);
  const between = (inside: number, outside: number) => {
    const part = (logs[inside]! - least) / (logs[inside]! - logs[outside]!);
    return Math.exp(LOG_ODDS[inside]! + part * (LOG_ODDS[outside]! - LOG_ODDS[inside]!));
  };
  return {
    low: first === 0 ? 0 : between(first, first - 1),
    high: last === logs.length - 1 ? null : between(last, last + 1),
  };
}
