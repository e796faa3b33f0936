// The one distribution that the count guardrail bets against: given a stratum's totals, random assignment makes the
// canary's share of the bad answers hypergeometric, whatever the error rate, the drift or an incident is doing.

/** `canaryBad` of `canary` draws out of `total` units of which `bad` are bad. */
export type Margins = { total: number; bad: number; canary: number };

/** Beyond this many terms, or this power of e (the largest number is at 709), the sums are taken in logarithms, where nothing
 * overflows: infinite ones would make capital of minus infinity, which JSON does not keep. */
const MOST_PLAIN_POWER = 600;
const MOST_PLAIN_TERMS = 150;

/** `ln E[odds^X]` for each of `odds`, X hypergeometric: exact, O(min(bad, canary)) per odds ratio. */
export function logMoments(margins: Margins, odds: readonly number[]): number[] {
  const { total, bad, canary } = margins;
  const least = Math.max(0, bad - (total - canary));
  const most = Math.min(bad, canary);
  if (least === most) return odds.map((ratio) => least * Math.log(ratio));
  const weights = weighTerms(margins, least, most);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return odds.map((ratio) => {
    const logRatio = Math.log(ratio);
    if (weights.length > MOST_PLAIN_TERMS || weights.length * logRatio > MOST_PLAIN_POWER) {
      return logSum(weights, logRatio, least) - Math.log(sum);
    }
    let value = 0;
    for (let index = weights.length - 1; index >= 0; index -= 1) value = value * ratio + weights[index]!;
    return least * logRatio + Math.log(value / sum);
  });
}

/** Probabilities up to a common factor, the largest one 1: neighbours differ by a simple ratio. */
function weighTerms({ total, bad, canary }: Margins, least: number, most: number): number[] {
  const mode = Math.floor(((bad + 1) * (canary + 1)) / (total + 2));
  const start = Math.min(most, Math.max(least, mode));
  const weights = Array.from({ length: most - least + 1 }, () => 0);
  weights[start - least] = 1;
  for (let x = start; x < most; x += 1) {
    const ratio = ((bad - x) * (canary - x)) / ((x + 1) * (total - bad - canary + x + 1));
    weights[x + 1 - least] = weights[x - least]! * ratio;
  }
  for (let x = start; x > least; x -= 1) {
    const ratio = (x * (total - bad - canary + x)) / ((bad - x + 1) * (canary - x + 1));
    weights[x - 1 - least] = weights[x - least]! * ratio;
  }
  return weights;
}

function logSum(weights: number[], logRatio: number, least: number): number {
  const logs = weights.map((weight, index) => Math.log(weight) + (least + index) * logRatio);
  const top = Math.max(...logs);
  return top + Math.log(logs.reduce((all, log) => all + Math.exp(log - top), 0));
}
