// A promotion: one version gets all the weight and becomes the baseline, and so the version that a later rollback of
// another one comes back to. Conversations begun before keep their version while the old tables drain.

import type { DecideContext, DecideInput, Decision } from "./decide.ts";
import { commitRelease, draftRelease, findServable, type Draft } from "./decide-release.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import type { PromptState } from "./types.ts";

type PromoteInput = Extract<DecideInput, { type: "promote" }>;

export function decidePromote(
  state: PromptState,
  input: PromoteInput,
  context: DecideContext,
): Decision | Problem {
  const draft = draftRelease(state, input.environment, context.nowMs);
  if (isProblem(draft)) return draft;
  const wanted = input.version ?? onlyCanary(draft);
  if (isProblem(wanted)) return wanted;
  const found = findServable(state, wanted);
  if (isProblem(found)) return found;
  const { version } = found;
  const result = { kind: "release", environment: draft.environment } as const;
  const isAlone = draft.before !== null && draft.baseline === version && draft.canaries.length === 0;
  if (isAlone) return { state, revisions: [], action: "promote", result };
  const change = { action: "promote", reason: input.reason, transition: "drain" } as const;
  const committed = commitRelease(state, promoteIn(draft, version), change, context);
  return { state: committed.state, revisions: [committed.revision], action: "promote", result };
}

/** The baseline before stays known-good: a later rollback returns to it. */
export function promoteIn(draft: Draft, version: number): Draft {
  const goodBaselines = draft.baseline === version ? draft.goodBaselines : [...draft.goodBaselines, version];
  return { ...draft, baseline: version, canaries: [], goodBaselines, lastRollback: null, ramp: null };
}

function onlyCanary(draft: Draft): number | Problem {
  const [first, ...others] = draft.canaries;
  if (first === undefined) {
    const message = `${draft.environment} has no canary to promote, only its baseline ${draft.baseline}: name a version.`;
    return problem("invalid_request", message, { field: "version" });
  }
  if (others.length > 0) {
    const names = draft.canaries.map((one) => `${one.version} (${one.weight} %)`).join(", ");
    const message = `${draft.environment} has several canaries, ${names}: name the version to promote.`;
    return problem("invalid_request", message, { field: "version" });
  }
  return first.version;
}
