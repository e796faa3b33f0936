// A canary: gives one version a share of the traffic, or another share than it has. People write percents for the
// canaries and the baseline takes the rest, so weights cannot fail to add up. Weight 0 keeps the version at hand.

import type { DecideContext, DecideInput, Decision } from "./decide.ts";
import { commitRelease, draftRelease, findServable, type Draft } from "./decide-release.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { bucketsWeight, weightBuckets } from "./slots.ts";
import { BUCKETS, type Arm, type PromptState } from "./types.ts";

type CanaryInput = Extract<DecideInput, { type: "canary" }>;

export function decideCanary(
  state: PromptState,
  input: CanaryInput,
  context: DecideContext,
): Decision | Problem {
  const draft = draftRelease(state, input.environment, context.nowMs);
  if (isProblem(draft)) return draft;
  const found = findServable(state, input.version);
  if (isProblem(found)) return found;
  if (found.version === draft.baseline) {
    const message =
      `Version ${found.version} is the baseline of ${draft.environment} and takes what the canaries leave: ` +
      `set a canary's weight instead.`;
    return problem("conflict", message, { field: "version" });
  }
  const arm = weighCanary(draft, input);
  if (isProblem(arm)) return arm;
  const result = { kind: "release", environment: draft.environment } as const;
  if (isUnchanged(draft, arm, input)) return { state, revisions: [], action: "canary", result };
  const canaries = draft.canaries.some((one) => one.version === arm.version)
    ? draft.canaries.map((one) => (one.version === arm.version ? arm : one))
    : [...draft.canaries, arm];
  const { reason, transition } = input;
  const change = { action: "canary", reason, transition } as const;
  const committed = commitRelease(
    state,
    { ...draft, canaries, lastRollback: null, ramp: null },
    change,
    context,
  );
  return { state: committed.state, revisions: [committed.revision], action: "canary", result };
}

function weighCanary(draft: Draft, { version, weight }: CanaryInput): Arm | Problem {
  const buckets = weightBuckets(weight);
  if (buckets === null) {
    const message = `A weight is a percentage from 0 to 100 in steps of 0.01, not ${weight}.`;
    return problem("invalid_request", message, { field: "weight" });
  }
  const others = draft.canaries.filter((one) => one.version !== version);
  const left = others.reduce((rest, one) => rest - (weightBuckets(one.weight) ?? 0), BUCKETS);
  if (buckets > left) {
    const taken = others.map((one) => `version ${one.version} has ${one.weight} %`).join(", ");
    const message = `At most ${bucketsWeight(left)} % is left for version ${version}: ${taken}.`;
    return problem("invalid_request", message, { field: "weight" });
  }
  return { version, weight: bucketsWeight(buckets) };
}

/** The same weight again changes nothing, unless it comes to end the drains, or takes it over from a ramp. */
function isUnchanged(draft: Draft, arm: Arm, input: CanaryInput): boolean {
  const present = draft.canaries.find((one) => one.version === arm.version);
  const endsDrains = input.transition === "now" && draft.drains.length > 0;
  const isSame = draft.before !== null && present?.weight === arm.weight;
  return isSame && !endsDrains && draft.ramp === null;
}
