// Commands as people, scripts and guardrails send them: some make sense, some are refused, some come from a stale page.

import fc from "fast-check";
import type { PreparedPush } from "../../../src/control/commands.ts";
import type { HeldLease } from "../../../src/control/lease.ts";
import type { Accepted, Command, Envelope } from "../../../src/core/ports.ts";
import { isProblem, type Problem } from "../../../src/core/problem.ts";
import { RAMP_ACTOR } from "../../../src/core/actors.ts";
import { RAMP_DEFAULTS } from "../../../src/core/ramps.ts";

export const PROMPT = "support-bot";
export const START_MS = Date.parse("2026-11-23T00:00:00Z");
export const DRAIN_MS = 3_600_000;
export const LEASE: HeldLease = { softMs: 1_000, leaseMs: 2_000, longerUntilMs: 0 };
export const OPTIONS = { drainMs: DRAIN_MS, lease: LEASE };

export type Step = { envelope: Envelope; prepared: PreparedPush | null; nowMs: number };

export function createEnvelope(command: Command, more: Partial<Envelope> = {}): Envelope {
  return {
    prompt: PROMPT,
    command,
    actor: command.type === "ramp_step" ? RAMP_ACTOR : { name: "ada", role: "admin" },
    ifMatch: null,
    idempotency: null,
    ...more,
  };
}

/** A version saying `text`, as `preparePush` would hand it over; its digest is as good as any. */
export function createPush(text: string): PreparedPush {
  return {
    digest: `digest of ${text}`,
    content: { messages: [{ role: "system", content: text }], placement: "prepend", note: `says ${text}` },
    compiled: {
      system: [text],
      examples: [],
      placement: "prepend",
      model: null,
      params: {},
      defaults: {},
      tools: [],
      responseFormat: null,
      providerParams: {},
      variables: {},
    },
    partials: [],
  };
}

export function expectAccepted(answer: Accepted | Problem): Accepted {
  if (isProblem(answer)) throw new Error(`refused: ${answer.problem}: ${answer.message}`);
  return answer;
}

const environment = fc.constantFrom("production", "production", "staging");
const version = fc.integer({ min: 1, max: 4 });
const reason = fc.constantFrom("", "looks bad");
const transition = fc.constantFrom("drain" as const, "now" as const);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant("put" as const), settings: settings() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("push" as const),
      content: fc.constantFrom("a", "b", "c", "d"),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("canary" as const),
      environment,
      version,
      weight: fc.constantFrom(0, 0.01, 5, 50, 100),
      transition,
      reason,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { type: fc.constant("promote" as const), environment, version, reason },
      { requiredKeys: ["type", "environment", "reason"] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record(
      { type: fc.constant("rollback" as const), environment, to: version, mode: transition, reason },
      { requiredKeys: ["type", "environment", "mode", "reason"] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("revoke" as const), version, reason }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("archive" as const), reason }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("ramp" as const),
      environment,
      version,
      plan: fc.constantFrom(RAMP_DEFAULTS, { ...RAMP_DEFAULTS, holdback: 0 }),
      reason,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("ramp_step" as const),
      environment,
      step: fc.integer({ min: 0, max: 2 }),
      reason,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom("ramp_pause" as const, "ramp_resume" as const, "ramp_stop" as const),
      environment,
      reason,
    }),
  },
);

function settings(): fc.Arbitrary<Extract<Command, { type: "put" }>["settings"]> {
  return fc.record(
    {
      description: fc.constantFrom("Answers customers", "Answers"),
      aliases: fc.subarray(["pmpt_1", "pmpt_2", "helper"]),
      unit: fc.constantFrom("conversation" as const, "user" as const),
    },
    { requiredKeys: [] },
  );
}

/** A life of a prompt: created, then whatever comes, each command under an idempotency key of its own. */
export function lives(longest: number): fc.Arbitrary<Step[]> {
  const stale = fc.option(fc.integer({ min: 0, max: 3 }), { freq: 6 });
  const gapMs = fc.constantFrom(1, 40, 2_000, DRAIN_MS + 1);
  return fc
    .array(fc.record({ command, stale, gapMs }), { minLength: 1, maxLength: longest })
    .map((chosen) => {
      let nowMs = START_MS;
      const first = { command: { type: "put" as const, settings: {} }, stale: null, gapMs: 1 };
      return [first, ...chosen].map((one, index) => {
        nowMs += one.gapMs;
        const ifMatch = one.stale === null ? null : { environment: "production", revision: one.stale };
        const idempotency = { key: `key-${index}`, fingerprint: `request-${index}` };
        const prepared = one.command.type === "push" ? createPush(String(one.command.content)) : null;
        return { envelope: createEnvelope(one.command, { ifMatch, idempotency }), prepared, nowMs };
      });
    });
}
