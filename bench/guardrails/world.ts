// The traffic that guardrails are tried on: errors, times with heavy tails, costs, thumbs and a judge, for two arms that
// differ where a scenario says so. Strata come out as Control would make them of real reports.

import { binOf, type Histogram } from "../../src/core/guardrails/histogram.ts";
import { createArmSums, type ArmSums, type Stratum } from "../../src/core/guardrails/arm-sums.ts";
import type { Random } from "./random.ts";

/** What one arm's answers are like. Factors are of the usual time or cost. */
export type Arm = {
  errors: number;
  refusals: number;
  latency: number;
  firstToken: number;
  cost: number;
  thumbsDown: number;
  judge: number;
  /** How many answers' input comes out of the provider's cache, and whether they are told apart. */
  cache?: { hits: number; isApart: boolean };
};

export const HEALTHY: Arm = {
  errors: 0.01,
  refusals: 0.005,
  latency: 1,
  firstToken: 1,
  cost: 1,
  thumbsDown: 0.2,
  judge: 0.8,
};

/** ln of 1,200 ms, 300 ms and 3,000 millionths of a dollar. */
const LATENCY = Math.log(1_200);
const FIRST_TOKEN = Math.log(300);
const COST = Math.log(3_000);
const LATENCY_SPREAD = 0.8;
const SPREAD = 0.6;
const STALLS = 0.01;
const STALL = Math.log(30);
const THUMBS_SHARE = 0.05;
const JUDGED_SHARE = 0.1;
const JUDGE_SPREAD = 0.2;
/** What came out of the provider's cache is there in a third of the time, for a tenth of the money. */
const HIT_TIME = Math.log(1 / 3);
const HIT_COST = Math.log(1 / 10);

/**
 * Adds one request to the sums; gives its ln latency, null where it failed. `clump` shifts its time as its user's do,
 * `errors` replaces the arm's rate.
 */
export function addRequest(
  sums: ArmSums,
  arm: Arm,
  random: Random,
  clump = 0,
  errors = arm.errors,
): number | null {
  sums.requests += 1;
  if (random.uniform() < errors) {
    sums.counts.errors += 1;
    return null;
  }
  if (random.uniform() < arm.refusals) sums.counts.refusals += 1;
  const stall = random.uniform() < STALLS ? STALL : 0;
  const isHit = arm.cache !== undefined && random.uniform() < arm.cache.hits;
  const isApart = arm.cache?.isApart === true;
  const hit = isHit ? HIT_TIME : 0;
  const latency = LATENCY + Math.log(arm.latency) + LATENCY_SPREAD * random.normal() + clump + stall + hit;
  const firstToken = FIRST_TOKEN + Math.log(arm.firstToken) + SPREAD * random.normal() + hit;
  // Apart, the cost is that of the full price.
  const discount = isHit && !isApart ? HIT_COST : 0;
  const { histograms } = sums;
  count(isHit && isApart ? histograms.latency_cached : histograms.latency, latency);
  count(isHit && isApart ? histograms.first_token_cached : histograms.first_token, firstToken);
  count(histograms.cost, COST + Math.log(arm.cost) + SPREAD * random.normal() + discount);
  if (random.uniform() < THUMBS_SHARE) {
    sums.thumbs.units += 1;
    if (random.uniform() < arm.thumbsDown) sums.thumbs.bad += 1;
  }
  if (random.uniform() < JUDGED_SHARE) {
    add(sums.judge, Math.min(1, Math.max(0, arm.judge + JUDGE_SPREAD * random.normal())));
  }
  return latency;
}

function count(histogram: Histogram, logValue: number): void {
  const bin = binOf(Math.exp(logValue));
  histogram[bin] = (histogram[bin] ?? 0) + 1;
}

function add(sums: { units: number; sum: number; squares: number }, x: number): void {
  sums.units += 1;
  sums.sum += x;
  sums.squares += x * x;
}

/** `requests` in a row, each assigned by itself. */
export function drawStratum(
  requests: number,
  share: number,
  arms: { baseline: Arm; canary: Arm },
  random: Random,
  epoch = 0,
): Stratum {
  const stratum = { epoch, baseline: createArmSums(), canary: createArmSums() };
  for (let index = 0; index < requests; index += 1) {
    const name = random.uniform() < share ? "canary" : "baseline";
    addRequest(stratum[name], arms[name], random);
  }
  return stratum;
}
