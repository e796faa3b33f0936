// A ramp: one version's share grows by a plan, step by step, each step a revision of its own. People start, pause, resume
// and stop it; the steps are commands by the actor `ramp`, which names the step that it believes the ramp to be at, so
// that a late or repeated one does nothing. Every other change of who is served what puts an end to the ramp, in the
// revision of that change (decide-release.ts). Guarantee: a ramp never lowers its canary, and never goes past its plan.

import { RAMP_ACTOR } from "./actors.ts";
import type { DecideContext, DecideInput, Decision } from "./decide.ts";
import { promoteIn } from "./decide-promote.ts";
import { commitRelease, draftRelease, findServable, type Draft } from "./decide-release.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { checkPlan, isLastStep, weightAt } from "./ramp-plan.ts";
import type { Ramp, RampEvent, RampPlan } from "./ramps.ts";
import type { Arm, PromptState } from "./types.ts";

type RampInput = Extract<DecideInput, { type: "ramp" }>;
type StepInput = Extract<DecideInput, { type: "ramp_step" }>;
type TurnInput = Extract<DecideInput, { type: "ramp_pause" | "ramp_resume" | "ramp_stop" }>;

/** Starts a ramp. A canary that has a share already keeps it as the first step: steps up to it drop out of the plan. */
export function decideRamp(state: PromptState, input: RampInput, context: DecideContext): Decision | Problem {
  const draft = draftRelease(state, input.environment, context.nowMs);
  if (isProblem(draft)) return draft;
  const refused = checkPlan(input.plan) ?? refuseStart(draft, input);
  if (refused !== null) return refused;
  const found = findServable(state, input.version);
  if (isProblem(found)) return found;
  const plan = takeOver(draft, input);
  if (isProblem(plan)) return plan;
  const { nowMs, actor } = context;
  const ramp: Ramp = {
    version: found.version,
    plan,
    state: "running",
    step: 0,
    stepSinceMs: nowMs,
    startedAtMs: nowMs,
    startedBy: actor.name,
  };
  return commitRamp(state, weigh(draft, ramp), { event: "start", reason: input.reason }, context);
}

function refuseStart(draft: Draft, { version }: RampInput): Problem | null {
  const { ramp, environment, baseline } = draft;
  if (ramp !== null) {
    const message = `A ramp of version ${ramp.version} is on in ${environment}: stop it first.`;
    return problem("conflict", message);
  }
  if (version === baseline) {
    const message = `Version ${version} is the baseline of ${environment}: a ramp is for another version.`;
    return problem("conflict", message, { field: "version" });
  }
  const others = draft.canaries.filter((arm) => arm.version !== version && arm.weight > 0);
  if (others.length === 0) return null;
  const names = others.map((arm) => `version ${arm.version} (${arm.weight} %)`).join(", ");
  const message = `Another canary is live in ${environment}, ${names}: take it to 0 %, promote it or roll it back first.`;
  return problem("conflict", message);
}

function takeOver({ canaries }: Draft, { version, plan }: RampInput): RampPlan | Problem {
  const present = canaries.find((arm) => arm.version === version)?.weight ?? 0;
  if (present === 0) return plan;
  const most = weightAt(plan, plan.steps.length - 1);
  if (present < 100 && present <= most) {
    return { ...plan, steps: [present, ...plan.steps.filter((step) => step > present)] };
  }
  const message = `Version ${version} has ${present} % already and the plan leaves it ${most} %: promote it.`;
  return problem("conflict", message, { field: "version" });
}

/** Takes the step after `step`, the promotion included. Only the ramp itself does. */
export function decideRampStep(
  state: PromptState,
  input: StepInput,
  context: DecideContext,
): Decision | Problem {
  if (context.actor.name !== RAMP_ACTOR.name) {
    return problem("forbidden", "Steps of a ramp are taken by the ramp itself.");
  }
  const found = findRamp(state, input.environment, context.nowMs);
  if (isProblem(found)) return found;
  const { draft, ramp } = found;
  if (ramp.step !== input.step || ramp.state === "paused") {
    const message = `The ramp of version ${ramp.version} is ${ramp.state} at step ${ramp.step}, not at ${input.step}.`;
    return problem("conflict", message);
  }
  const { reason } = input;
  const next = { ...settle(ramp, context.nowMs), step: ramp.step + 1 };
  if (isLastStep(ramp) || (isLastStep(next) && next.plan.holdback === 0)) {
    return commitRamp(state, promoteIn(draft, ramp.version), { event: "complete", reason }, context);
  }
  if (!isLastStep(next)) return commitRamp(state, weigh(draft, next), { event: "step", reason }, context);
  const held = weigh(draft, { ...next, state: "holdback" });
  return commitRamp(state, held, { event: "holdback", reason }, context);
}

/** Pause, resume, stop: all of them leave the weights. Pausing what is paused changes nothing. */
export function decideRampTurn(
  state: PromptState,
  input: TurnInput,
  context: DecideContext,
): Decision | Problem {
  const found = findRamp(state, input.environment, context.nowMs);
  if (isProblem(found)) return found;
  const { draft, ramp } = found;
  const { reason } = input;
  const isPaused = ramp.state === "paused";
  if (input.type === "ramp_stop") {
    return commitRamp(state, { ...draft, ramp: null }, { event: "stop", reason }, context);
  }
  const pauses = input.type === "ramp_pause";
  if (pauses === isPaused) {
    const result = { kind: "release", environment: draft.environment } as const;
    return { state, revisions: [], action: "ramp", result };
  }
  const resumed = isLastStep(ramp) ? "holdback" : "running";
  const turned: Ramp = { ...settle(ramp, context.nowMs), state: pauses ? "paused" : resumed };
  const event = pauses ? "pause" : "resume";
  return commitRamp(state, { ...draft, ramp: turned }, { event, reason }, context);
}

function findRamp(
  state: PromptState,
  environment: string,
  nowMs: number,
): { draft: Draft; ramp: Ramp } | Problem {
  const draft = draftRelease(state, environment, nowMs);
  if (isProblem(draft)) return draft;
  if (draft.ramp !== null) return { draft, ramp: draft.ramp };
  return problem("conflict", `No ramp is on in ${environment}.`);
}

/** At the beginning of a step: nothing of the time before counts. */
function settle(ramp: Ramp, nowMs: number): Ramp {
  const { version, plan, state, step, startedAtMs, startedBy } = ramp;
  return { version, plan, state, step, stepSinceMs: nowMs, startedAtMs, startedBy };
}

function weigh(draft: Draft, ramp: Ramp): Draft {
  const arm: Arm = { version: ramp.version, weight: weightAt(ramp.plan, ramp.step) };
  const isThere = draft.canaries.some((one) => one.version === arm.version);
  const canaries = isThere
    ? draft.canaries.map((one) => (one.version === arm.version ? arm : one))
    : [...draft.canaries, arm];
  return { ...draft, canaries, ramp, lastRollback: null };
}

function commitRamp(
  state: PromptState,
  draft: Draft,
  { event, reason }: { event: RampEvent; reason: string },
  context: DecideContext,
): Decision {
  const action = event === "complete" ? "promote" : "ramp";
  const change = { action, reason, transition: "drain", rampEvent: event } as const;
  const committed = commitRelease(state, draft, change, context);
  const result = { kind: "release", environment: draft.environment } as const;
  return { state: committed.state, revisions: [committed.revision], action, result };
}
