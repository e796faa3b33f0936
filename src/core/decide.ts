// What a command does to a prompt, decided without doing it: state and command in, new state, audit rows and the
// answer out, or the reason why not. The Control object loads, asks here, and saves all of it in one transaction.
// Guarantee 5: history only grows; every change of a release is its next revision, a rollback too.

import type { Command, PutPrompt } from "./ports.ts";
import { problem, type Problem } from "./problem.ts";
import { decideArchive, decidePut } from "./decide-settings.ts";
import { decideCanary } from "./decide-canary.ts";
import { decidePromote } from "./decide-promote.ts";
import { decidePush } from "./decide-push.ts";
import { decideRamp, decideRampStep, decideRampTurn } from "./decide-ramp.ts";
import { decideRevoke } from "./decide-revoke.ts";
import { decideRollback } from "./decide-rollback.ts";
import type { Action, Actor, PromptState, Revision } from "./types.ts";

export type PutInput = { type: "put"; name: string; settings: PutPrompt };
/** A version whose content is closed, compiled and stored elsewhere; `digest` stands for it. */
export type PushInput = { type: "push"; digest: string; note: string };
export type DecideInput = PutInput | PushInput | Exclude<Command, { type: "put" | "push" }>;

export type DecideResult =
  | { kind: "prompt" }
  | { kind: "push"; version: number; digest: string; created: boolean }
  | { kind: "release"; environment: string }
  | {
      kind: "rollback";
      environment: string;
      revision: number;
      from: number;
      to: number;
      committedAtMs: number;
      /** It was in force already: nothing changed, and `committedAtMs` is when it came into force. */
      repeated: boolean;
    }
  /** `environments` got a new revision; none where the version had been revoked before. */
  | { kind: "revoke"; version: number; revokedAtMs: number; environments: string[] };

export type Decision = {
  state: PromptState;
  /** To be appended to the audit log; empty where nothing about a release changed. */
  revisions: Revision[];
  action: Action;
  result: DecideResult;
};

/** Who acts, when (epoch ms), and how long conversations drain after a draining change (ms). */
export type DecideContext = { actor: Actor; nowMs: number; drainMs: number };

/** Pure: the input is never changed, and the same input gives the same decision. Access rights are checked before. */
export function decide(
  state: PromptState | null,
  input: DecideInput,
  actor: Actor,
  nowMs: number,
  options: { drainMs: number },
): Decision | Problem {
  const context: DecideContext = { actor, nowMs, drainMs: options.drainMs };
  if (input.type === "put") return decidePut(state, input, context);
  if (state === null) {
    return problem("prompt_not_found", "There is no such prompt: create it with PUT first.", {
      field: "prompt",
    });
  }
  if (state.prompt.archivedAt !== null) {
    return problem("conflict", `Prompt "${state.prompt.name}" is archived: restore it with PUT first.`);
  }
  switch (input.type) {
    case "push":
      return decidePush(state, input, context);
    case "archive":
      return decideArchive(state, input, context);
    case "canary":
      return decideCanary(state, input, context);
    case "promote":
      return decidePromote(state, input, context);
    case "rollback":
      return decideRollback(state, input, context);
    case "revoke":
      return decideRevoke(state, input, context);
    case "ramp":
      return decideRamp(state, input, context);
    case "ramp_step":
      return decideRampStep(state, input, context);
    case "ramp_pause":
    case "ramp_resume":
    case "ramp_stop":
      return decideRampTurn(state, input, context);
    default:
      input satisfies never;
      // From a Worker of a later deployment.
      return problem("release_unavailable", "A deployment is under way. Send it again shortly.");
  }
}
