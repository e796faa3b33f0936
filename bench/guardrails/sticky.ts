// Sticky traffic of heavy users: 20 requests each on average, log-normal, who are slow or failing together. An arm gets
// users, not requests, which is what the design effect is for.

import { designEffect, UNIT_BUCKETS, type BucketSums } from "../../src/core/guardrails/design-effect.ts";
import { createArmSums, type ArmSums, type Stratum } from "../../src/core/guardrails/arm-sums.ts";
import type { DesignEffects } from "../../src/core/guardrails/watch.ts";
import type { Random } from "./random.ts";
import { addRequest, HEALTHY } from "./world.ts";

/** Share of the variance of ln latency that is the user's own, and how uneven error rates are between users. */
const LATENCY_OF_USER = Math.sqrt(0.18) * 0.8;
const ERRORS_OF_USER = 1.6;
const ACTIVE_USERS = 200;

type User = { left: number; isCanary: boolean; bucket: number; slow: number; errors: number };
type Sums = { buckets: BucketSums[]; squares: number };

type ArmClumps = { errors: Sums; latency: Sums };
export type Designer = { baseline: ArmClumps; canary: ArmClumps };

export function createDesigner(): Designer {
  return { baseline: createClumps(), canary: createClumps() };
}

function createClumps(): ArmClumps {
  return { errors: createSums(), latency: createSums() };
}

function createSums(): Sums {
  return { buckets: Array.from({ length: UNIT_BUCKETS }, () => ({ units: 0, sum: 0 })), squares: 0 };
}

export function effectsOf({ baseline, canary }: Designer): DesignEffects {
  const latency = designEffect(baseline.latency, canary.latency);
  return { errors: designEffect(baseline.errors, canary.errors), latency, latency_tail: latency };
}

/** `extraErrors`: of the canary, for every user alike. */
export function drawSticky(
  share: number,
  designer: Designer,
  extraErrors = 0,
): (at: number, random: Random) => Stratum {
  let users: User[] = [];
  return (_, random) => {
    while (users.length < ACTIVE_USERS) users.push(createUser(share, random));
    const stratum = { epoch: 0, baseline: createArmSums(), canary: createArmSums() };
    for (let index = 0; index < 50; index += 1) {
      const user = users[Math.floor(random.uniform() * users.length)]!;
      const arm = user.isCanary ? "canary" : "baseline";
      const errors = Math.min(1, user.errors + (user.isCanary ? extraErrors : 0));
      serve(user, errors, { sums: stratum[arm], clumps: designer[arm] }, random);
    }
    users = users.filter(({ left }) => left > 0);
    return stratum;
  };
}

function createUser(share: number, random: Random): User {
  return {
    left: Math.max(1, Math.round((20 / Math.exp(1.125)) * Math.exp(1.5 * random.normal()))),
    isCanary: random.uniform() < share,
    bucket: Math.floor(random.uniform() * UNIT_BUCKETS),
    slow: LATENCY_OF_USER * random.normal(),
    errors: Math.min(
      1,
      HEALTHY.errors * Math.exp(ERRORS_OF_USER * random.normal() - ERRORS_OF_USER ** 2 / 2),
    ),
  };
}

function serve(
  user: User,
  errors: number,
  { sums, clumps }: { sums: ArmSums; clumps: ArmClumps },
  random: Random,
): void {
  user.left -= 1;
  const latency = addRequest(sums, HEALTHY, random, user.slow, errors);
  addTo(clumps.errors, user.bucket, latency === null ? 1 : 0);
  if (latency !== null) addTo(clumps.latency, user.bucket, latency);
}

function addTo(sums: Sums, bucket: number, x: number): void {
  const held = sums.buckets[bucket]!;
  held.units += 1;
  held.sum += x;
  sums.squares += x * x;
}
