// A revocation: nobody is ever served this version again, pins and conversations included, in no environment. Where
// it is the baseline, the revocation is a rollback as well; where there is nothing to roll back to, all of it is
// refused, since half a revocation would be none.

import type { DecideContext, DecideInput, Decision } from "./decide.ts";
import { commitRelease, draftRelease, type Draft } from "./decide-release.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { replaceOwner } from "./slots.ts";
import type { PromptState, Revision } from "./types.ts";

type RevokeInput = Extract<DecideInput, { type: "revoke" }>;

export function decideRevoke(
  state: PromptState,
  input: RevokeInput,
  context: DecideContext,
): Decision | Problem {
  const { version, reason } = input;
  const found = state.versions.find((one) => one.version === version);
  if (found === undefined) {
    const message = `There is no version ${version} of prompt "${state.prompt.name}" to revoke.`;
    return problem("version_not_found", message, { field: "version" });
  }
  if (found.revoked !== null) {
    const revokedAtMs = Date.parse(found.revoked.at);
    const result = { kind: "revoke" as const, version, revokedAtMs, environments: [] };
    return { state, revisions: [], action: "revoke", result };
  }
  let next = markRevoked(state, input, context);
  const revisions: Revision[] = [];
  for (const environment of Object.keys(state.releases).toSorted()) {
    const draft = draftRelease(next, environment, context.nowMs);
    if (isProblem(draft)) return draft;
    const isBaseline = draft.baseline === version;
    const without = isBaseline ? rollBack(draft, version, context) : takeOut(draft, version);
    if (isProblem(without)) return without;
    const change = { action: "revoke", reason, transition: isBaseline ? "now" : "drain" } as const;
    const committed = commitRelease(next, without, change, context);
    next = committed.state;
    revisions.push(committed.revision);
  }
  const environments = revisions.map((one) => one.environment);
  const result = { kind: "revoke", version, revokedAtMs: context.nowMs, environments } as const;
  return { state: next, revisions, action: "revoke", result };
}

function markRevoked(state: PromptState, input: RevokeInput, context: DecideContext): PromptState {
  const at = new Date(context.nowMs).toISOString();
  const revoked = { at, by: context.actor.name, reason: input.reason };
  return {
    ...state,
    prompt: { ...state.prompt, updatedAt: at, updatedBy: context.actor.name },
    versions: state.versions.map((one) => (one.version === input.version ? { ...one, revoked } : one)),
  };
}

/** Out of arms, tables and known-good baselines; its buckets, past ones too, go to the baseline, all others stay. */
function takeOut(draft: Draft, version: number): Draft {
  const { baseline, table } = draft;
  return {
    ...draft,
    canaries: draft.canaries.filter((arm) => arm.version !== version),
    table: table && { ...table, slots: replaceOwner(table.slots, version, baseline) },
    drains: draft.drains.map((drain) => ({
      ...drain,
      slots: replaceOwner(drain.slots, version, baseline),
      ...(drain.strangers === version && { strangers: baseline }),
    })),
    revoked: [...draft.revoked, version].toSorted((a, b) => a - b),
    goodBaselines: goodWithout(draft, version),
    ramp: draft.ramp?.version === version ? null : draft.ramp,
  };
}

/** All weight goes to the last known-good baseline, as every rollback has it; a repeated rollback then goes no further. */
function rollBack(draft: Draft, version: number, context: DecideContext): Draft | Problem {
  const goodBaselines = goodWithout(draft, version);
  const to = goodBaselines.at(-1);
  if (to === undefined) {
    const message =
      `Version ${version} is the baseline of ${draft.environment} and no known-good one was before it: ` +
      `promote another version there first.`;
    return problem("conflict", message, { field: "version" });
  }
  return {
    ...takeOut(draft, version),
    baseline: to,
    canaries: [],
    goodBaselines,
    lastRollback: { from: version, to, committedAtMs: context.nowMs },
    ramp: null,
  };
}

/** Neighbours that became equal count once: a rollback from one to itself would be none. */
function goodWithout(draft: Draft, version: number): number[] {
  return draft.goodBaselines.filter((one) => one !== version).filter((one, at, all) => one !== all[at - 1]);
}
