// PUT and DELETE of a prompt: settings, aliases, restore and archive. They move no traffic between versions, but
// whatever a release carries or whoever asks its audit log must learn of them, so each release gets a revision.

import type { DecideContext, DecideInput, Decision, PutInput } from "./decide.ts";
import { commitRelease, draftRelease, routingOf, type Routing } from "./decide-release.ts";
import type { PutPrompt } from "./ports.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import {
  ALIAS_PATTERN,
  NAME_PATTERN,
  type Action,
  type Prompt,
  type PromptState,
  type Revision,
} from "./types.ts";

/** Creates a prompt, changes the settings that are named, or restores an archived prompt. */
export function decidePut(
  state: PromptState | null,
  input: PutInput,
  context: DecideContext,
): Decision | Problem {
  const { name, settings } = input;
  if (!NAME_PATTERN.test(name)) {
    const message = `"${name}" is no name of a prompt: use a-z, 0-9, "-" and "_", at most 63, not "-" or "_" first.`;
    return problem("invalid_request", message, { field: "prompt" });
  }
  const unfit = settings.aliases?.find((alias) => !ALIAS_PATTERN.test(alias));
  if (unfit !== undefined) {
    const message = `"${unfit}" is no alias: use letters, digits, "-", "_" and ".", at most 128, a letter or digit first.`;
    return problem("invalid_request", message, { field: "aliases" });
  }
  const ownJudge = checkJudge(name, settings, state);
  if (ownJudge !== null) return ownJudge;
  if (state === null) return create(name, settings, context);
  const { prompt } = state;
  const kind = settings.kind ?? prompt.kind;
  if (kind !== prompt.kind && state.versions.length > 0) {
    const message = `The kind stays "${prompt.kind}" once there is a version: use another prompt for a ${kind}.`;
    return problem("conflict", message, { field: "kind" });
  }
  return update(state, apply({ ...prompt, kind }, settings), context);
}

function create(name: string, settings: PutPrompt, context: DecideContext): Decision {
  const at = new Date(context.nowMs).toISOString();
  const fresh: Prompt = {
    name,
    kind: settings.kind ?? "prompt",
    description: "",
    owner: "",
    tags: [],
    aliases: [],
    unit: "conversation",
    shield: true,
    agents: "append",
    createdAt: at,
    updatedAt: at,
    updatedBy: context.actor.name,
    archivedAt: null,
    latestVersion: 0,
  };
  const state = { prompt: apply(fresh, settings), versions: [], releases: {} };
  return { state, revisions: [], action: "settings", result: { kind: "prompt" } };
}

/** A judge that is the prompt itself would score itself; and under the prompt's settings, too. */
function checkJudge(name: string, settings: PutPrompt, state: PromptState | null): Problem | null {
  const judge = settings.judge === undefined ? state?.prompt.judge : settings.judge;
  const aliases = settings.aliases ?? state?.prompt.aliases ?? [];
  if (judge == null || (judge.prompt !== name && !aliases.includes(judge.prompt))) return null;
  const message = `"${judge.prompt}" is the prompt itself: a judge is another prompt, which answers with {"score": 0…1}.`;
  return problem("invalid_request", message, { field: "judge.prompt" });
}

function apply(prompt: Prompt, settings: PutPrompt): Prompt {
  const { judge: heldJudge, guardrails: heldGuardrails, ...kept } = prompt;
  const judge = settings.judge === undefined ? heldJudge : settings.judge;
  const guardrails = settings.guardrails === undefined ? heldGuardrails : settings.guardrails;
  return {
    ...kept,
    description: settings.description ?? prompt.description,
    owner: settings.owner ?? prompt.owner,
    tags: settings.tags === undefined ? prompt.tags : [...new Set(settings.tags)],
    aliases: settings.aliases === undefined ? prompt.aliases : [...new Set(settings.aliases)],
    unit: settings.unit ?? prompt.unit,
    shield: settings.shield ?? prompt.shield ?? true,
    agents: settings.agents ?? prompt.agents ?? "append",
    ...(judge != null && { judge }),
    ...(guardrails != null && { guardrails }),
    archivedAt: null,
  };
}

function update(state: PromptState, changed: Prompt, context: DecideContext): Decision {
  const { prompt } = state;
  const restores = prompt.archivedAt !== null;
  const action = restores ? "restore" : "settings";
  const result = { kind: "prompt" } as const;
  if (sameSettings(prompt, changed)) return { state, revisions: [], action, result };
  const next = { ...state, prompt: touch(changed, context) };
  const routing = routingOf(changed);
  const reroutes = JSON.stringify(routing) !== JSON.stringify(routingOf(prompt));
  if (!restores && !reroutes) return { state: next, revisions: [], action, result };
  return { ...reviseAll(next, { action, reason: "", routing }, context), action, result };
}

function sameSettings(a: Prompt, b: Prompt): boolean {
  return JSON.stringify(settingsOf(a)) === JSON.stringify(settingsOf(b));
}

function settingsOf(prompt: Prompt): unknown[] {
  const { kind, description, owner, tags, aliases, archivedAt, guardrails = null } = prompt;
  return [kind, description, owner, tags, aliases, routingOf(prompt), archivedAt, guardrails];
}

export function decideArchive(
  state: PromptState,
  input: Extract<DecideInput, { type: "archive" }>,
  context: DecideContext,
): Decision {
  const archivedAt = new Date(context.nowMs).toISOString();
  const next = { ...state, prompt: touch({ ...state.prompt, archivedAt }, context) };
  const change = { action: "archive", reason: input.reason, routing: routingOf(state.prompt) } as const;
  return { ...reviseAll(next, change, context), action: "archive", result: { kind: "prompt" } };
}

/** A revision in every environment that routes as before. */
function reviseAll(
  state: PromptState,
  change: { action: Action; reason: string; routing: Routing },
  context: DecideContext,
): { state: PromptState; revisions: Revision[] } {
  let next = state;
  const revisions: Revision[] = [];
  for (const environment of Object.keys(state.releases).toSorted()) {
    const draft = draftRelease(next, environment, context.nowMs);
    if (isProblem(draft)) throw new Error(draft.message);
    const committed = commitRelease(
      next,
      { ...draft, routing: change.routing, ...(change.action === "archive" && { ramp: null }) },
      { ...change, transition: "drain" },
      context,
    );
    next = committed.state;
    revisions.push(committed.revision);
  }
  return { state: next, revisions };
}

function touch(prompt: Prompt, context: DecideContext): Prompt {
  return { ...prompt, updatedAt: new Date(context.nowMs).toISOString(), updatedBy: context.actor.name };
}
