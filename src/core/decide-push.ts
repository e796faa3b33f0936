// A push: the next version number for a content that was not there before, the old number for one that was.
// It routes nothing, but for a prompt's first version, which becomes production's baseline: nothing else could answer.

import type { DecideContext, Decision, PushInput } from "./decide.ts";
import { commitRelease, draftFirst } from "./decide-release.ts";
import { problem, type Problem } from "./problem.ts";
import { DEFAULT_ENVIRONMENT, type PromptState, type VersionSummary } from "./types.ts";

export function decidePush(state: PromptState, input: PushInput, context: DecideContext): Decision | Problem {
  const { digest, note } = input;
  const known = state.versions.find((one) => one.digest === digest);
  if (known !== undefined) return answerKnown(state, known);
  const version = state.prompt.latestVersion + 1;
  const next = addVersion(state, { version, digest, note }, context);
  const result = { kind: "push", version, digest, created: true } as const;
  if (state.versions.length > 0) return { state: next, revisions: [], action: "push", result };
  const draft = draftFirst(next, DEFAULT_ENVIRONMENT, version);
  const change = { action: "push", reason: note, transition: "now" } as const;
  const committed = commitRelease(next, draft, change, context);
  return { state: committed.state, revisions: [committed.revision], action: "push", result };
}

function answerKnown(state: PromptState, known: VersionSummary): Decision | Problem {
  const { version, digest } = known;
  if (known.revoked !== null) {
    const message = `This content is version ${version}, which was revoked: push another content.`;
    return problem("version_revoked", message);
  }
  const result = { kind: "push", version, digest, created: false } as const;
  return { state, revisions: [], action: "push", result };
}

function addVersion(
  state: PromptState,
  { version, digest, note }: { version: number; digest: string; note: string },
  context: DecideContext,
): PromptState {
  const at = new Date(context.nowMs).toISOString();
  const by = context.actor.name;
  const summary: VersionSummary = { version, digest, createdAt: at, createdBy: by, note, revoked: null };
  return {
    ...state,
    prompt: { ...state.prompt, latestVersion: version, updatedAt: at, updatedBy: by },
    versions: [...state.versions, summary],
  };
}
