// Rollouts whose costs have other shapes than a bell: nearly all alike, and a few far dearer. Everything else is left out, so
// that only the guardrails of costs speak. Through the watch, with its clip, as in life.

import { createArmSums } from "../../src/core/guardrails/arm-sums.ts";
import { binOf } from "../../src/core/guardrails/histogram.ts";
import { addStratum, createWatch, findCrossings } from "../../src/core/guardrails/watch.ts";
import { createRandom, type Random } from "./random.ts";

const MEDIAN = 3_000;
const REQUESTS = 30_000;
const EVERY = 20;

/** ln of a cost over the usual one. */
export const COSTS: Readonly<Record<string, (random: Random) => number>> = {
  "all alike, 2 % ten times as dear": (random) =>
    0.02 * random.normal() + (random.uniform() < 0.02 ? 2.3 : 0),
  "all alike, 0.5 % ten times": (random) => 0.02 * random.normal() + (random.uniform() < 0.005 ? 2.3 : 0),
  "exactly alike, 1 % three times": (random) => (random.uniform() < 0.01 ? 1.1 : 0),
  "exactly alike, 5 % a third more": (random) => (random.uniform() < 0.05 ? 0.29 : 0),
  "a tenth twenty times as dear": (random) => (random.uniform() < 0.1 ? 3 : 0),
  "little spread": (random) => 0.15 * random.normal(),
};

/** Canary requests until a guardrail crosses; null: none within 30,000. `dearer`: the canary's ln cost more. */
export function runCosts(name: string, share: number, dearer: number, seed: number): number | null {
  const draw = COSTS[name]!;
  const random = createRandom(seed);
  let watch = createWatch();
  let seen = 0;
  for (let at = 0; at < REQUESTS; at += EVERY) {
    const stratum = { epoch: 1, baseline: createArmSums(), canary: createArmSums() };
    for (let index = 0; index < EVERY; index += 1) {
      const isCanary = random.uniform() < share;
      const sums = isCanary ? stratum.canary : stratum.baseline;
      const bin = binOf(MEDIAN * Math.exp(draw(random) + (isCanary ? dearer : 0)));
      sums.requests += 1;
      sums.histograms.cost[bin] = (sums.histograms.cost[bin] ?? 0) + 1;
    }
    seen += stratum.canary.requests;
    watch = addStratum(watch, stratum);
    if (findCrossings(watch).length > 0) return seen;
  }
  return null;
}
