// What a plan of a ramp may say, and which weight each of its steps means. Guarantee: the weights of a plan only grow,
// the one under a holdback included, so a ramp never takes anybody off the canary again.

import { problem, type Problem } from "./problem.ts";
import type { Ramp, RampPlan } from "./ramps.ts";
import { bucketsWeight, weightBuckets } from "./slots.ts";
import { BUCKETS } from "./types.ts";

export const STEPS_MAX = 20;
/** Of every time in a plan: 90 days. */
export const LONGEST_MS = 90 * 86_400_000;

const TOO_FEW = "A ramp needs a step before 100, such as 5, 25, 50, 100; a promotion needs no ramp.";

/** The first thing that is wrong with the plan, with its field and how to mend it. */
export function checkPlan(plan: RampPlan): Problem | null {
  return checkSteps(plan.steps) ?? checkHoldback(plan) ?? checkTimes(plan);
}

function checkSteps(steps: number[]): Problem | null {
  if (steps.length === 0) return refuseSteps(TOO_FEW);
  if (steps.length > STEPS_MAX)
    return refuseSteps(`A ramp has at most ${STEPS_MAX} steps, not ${steps.length}.`);
  const odd = steps.find((step) => !(step > 0) || weightBuckets(step) === null);
  if (odd !== undefined) {
    return refuseSteps(`A step is a percentage above 0 and up to 100 in steps of 0.01, not ${odd}.`);
  }
  const at = steps.findIndex((step, index) => index > 0 && step <= steps[index - 1]!);
  if (at > 0) return refuseSteps(`Steps ascend: ${steps[at]} may not follow ${steps[at - 1]}.`);
  if (steps.at(-1) !== 100) return refuseSteps(`The last step is 100, not ${steps.at(-1)}: add 100.`);
  return steps.length < 2 ? refuseSteps(TOO_FEW) : null;
}

function refuseSteps(message: string): Problem {
  return problem("invalid_request", message, { field: "steps" });
}

function checkHoldback({ steps, holdback }: RampPlan): Problem | null {
  const before = steps.at(-2)!;
  const most = bucketsWeight(BUCKETS - (weightBuckets(before) ?? 0));
  if (weightBuckets(holdback) !== null && holdback <= most) return null;
  const message =
    weightBuckets(holdback) === null
      ? `A holdback is a percentage from 0 to 100 in steps of 0.01, not ${holdback}.`
      : `A holdback of ${holdback} % would take some of the ${before} % before it back: at most ${most}.`;
  return problem("invalid_request", message, { field: "holdback" });
}

function checkTimes(plan: RampPlan): Problem | null {
  for (const field of ["bakeMs", "holdbackMs", "askAfterMs"] as const) {
    const value = plan[field];
    if (Number.isInteger(value) && value >= 0 && value <= LONGEST_MS) continue;
    const message = `${field} is a whole number of milliseconds from 0 to ${LONGEST_MS} (90 days), not ${value}.`;
    return problem("invalid_request", message, { field });
  }
  return null;
}

/** The canary's percent at a step; at the last one without the holdback. */
export function weightAt({ steps, holdback }: Pick<RampPlan, "steps" | "holdback">, step: number): number {
  const weight = steps[step]!;
  return step < steps.length - 1 ? weight : bucketsWeight(weightBuckets(100 - holdback) ?? 0);
}

export function isLastStep({ plan, step }: Ramp): boolean {
  return step === plan.steps.length - 1;
}

/** Is something left to the old version after the last step? */
export function isHeldBack({ holdback }: Pick<RampPlan, "holdback">): boolean {
  return holdback > 0;
}
