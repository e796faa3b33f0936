// A prompt's life in a test: commands applied to a frozen state, so that a decision that writes to its input throws.

import { decide, type DecideInput, type Decision, type DecideResult } from "../../src/core/decide.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { RAMP_ACTOR } from "../../src/core/actors.ts";
import { RAMP_DEFAULTS, type Ramp, type RampPlan } from "../../src/core/ramps.ts";
import type { Actor, PromptState, Release, Revision } from "../../src/core/types.ts";

export const START_MS = Date.parse("2026-01-01T00:00:00.000Z");
export const DRAIN_MS = 86_400_000;
export const ADA: Actor = { name: "ada", role: "admin" };

export function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/** Commands with what the callers leave out filled in. */
export const command = {
  put: (settings: Extract<DecideInput, { type: "put" }>["settings"] = {}): DecideInput => ({
    type: "put",
    name: "support-bot",
    settings,
  }),
  push: (digest: string, note = ""): DecideInput => ({ type: "push", digest, note }),
  archive: (reason = ""): DecideInput => ({ type: "archive", reason }),
  canary: (version: number, weight: number, more: Partial<Canary> = {}): DecideInput => ({
    type: "canary",
    environment: "production",
    version,
    weight,
    transition: "drain",
    reason: "",
    ...more,
  }),
  promote: (version?: number, more: Partial<Promote> = {}): DecideInput => ({
    type: "promote",
    environment: "production",
    ...(version === undefined ? {} : { version }),
    reason: "",
    ...more,
  }),
  rollback: (more: Partial<Rollback> = {}): DecideInput => ({
    type: "rollback",
    environment: "production",
    mode: "now",
    reason: "",
    ...more,
  }),
  revoke: (version: number, reason = ""): DecideInput => ({ type: "revoke", version, reason }),
  ramp: (version: number, plan: Partial<RampPlan> = {}, environment = "production"): DecideInput => ({
    type: "ramp",
    environment,
    version,
    plan: { ...RAMP_DEFAULTS, ...plan },
    reason: "",
  }),
  step: (step: number, reason = "proven", environment = "production"): DecideInput => ({
    type: "ramp_step",
    environment,
    step,
    reason,
  }),
  turn: (what: "pause" | "resume" | "stop", environment = "production"): DecideInput => ({
    type: `ramp_${what}`,
    environment,
    reason: "",
  }),
};
type Canary = Extract<DecideInput, { type: "canary" }>;
type Promote = Extract<DecideInput, { type: "promote" }>;
type Rollback = Extract<DecideInput, { type: "rollback" }>;

/** Steps of a ramp are the ramp's own. */
export function actorOf({ type }: DecideInput, actor: Actor): Actor {
  return type === "ramp_step" ? RAMP_ACTOR : actor;
}

export class Life {
  state: PromptState | null = null;
  nowMs = START_MS;
  history: Revision[] = [];
  actor: Actor = ADA;
  drainMs = DRAIN_MS;

  /** The decision, one second after the last one; the state moves on unless it is a problem. */
  attempt(input: DecideInput): Decision | Problem {
    this.nowMs += 1000;
    const actor = actorOf(input, this.actor);
    const decision = decide(freeze(this.state), freeze(input), actor, this.nowMs, { drainMs: this.drainMs });
    if (isProblem(decision)) return decision;
    this.state = freeze(decision.state);
    this.history.push(...decision.revisions);
    return decision;
  }

  do(...inputs: DecideInput[]): DecideResult {
    let result: DecideResult = { kind: "prompt" };
    for (const input of inputs) {
      const decision = this.attempt(input);
      if (isProblem(decision)) throw new Error(`${input.type}: ${decision.message}`);
      result = decision.result;
    }
    return result;
  }

  refused(input: DecideInput): Problem {
    const before = this.state;
    const decision = this.attempt(input);
    if (!isProblem(decision)) throw new Error(`${input.type} was accepted`);
    if (this.state !== before) throw new Error("a refusal changed the state");
    return decision;
  }

  wait(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  release(environment = "production"): Release {
    const found = this.state?.releases[environment];
    if (found === undefined) throw new Error(`no release in ${environment}`);
    return found.release;
  }

  ramp(environment = "production"): Ramp | null {
    return this.state?.releases[environment]?.ramp ?? null;
  }

  weight(version: number, environment = "production"): number {
    return this.release(environment).arms.find((arm) => arm.version === version)?.weight ?? 0;
  }
}

/** A prompt with `count` versions, the first one the baseline. */
export function lifeWith(count: number): Life {
  const life = new Life();
  life.do(command.put());
  for (let version = 1; version <= count; version++)
    life.do(command.push(`digest-${version}`, `note ${version}`));
  return life;
}
