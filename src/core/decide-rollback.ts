// A rollback: one recorded act that puts all weight back on a known-good version. It is what people and guardrails
// reach for twice when in doubt, so a repeated one changes nothing: it never slips one baseline further back.
// A `now` after a `drain` is no repeat: it also moves the conversations that the first one let finish.

import type { DecideContext, DecideInput, Decision } from "./decide.ts";
import { commitRelease, draftRelease, findServable, type Draft } from "./decide-release.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { countBuckets, soleOwner } from "./slots.ts";
import type { PromptState, SlotTable, Transition } from "./types.ts";

type RollbackInput = Extract<DecideInput, { type: "rollback" }>;

export function decideRollback(
  state: PromptState,
  input: RollbackInput,
  context: DecideContext,
): Decision | Problem {
  const draft = draftRelease(state, input.environment, context.nowMs);
  if (isProblem(draft)) return draft;
  const to = input.to ?? chooseTarget(draft);
  if (isProblem(to)) return to;
  const found = findServable(state, to);
  if (isProblem(found)) return { ...found, field: "to" };
  if (isInForce(draft, to, input.mode)) return answerRepeated(state, draft, to);
  const from = takenOff(draft, to);
  const lastRollback = { from, to, committedAtMs: context.nowMs };
  const goodBaselines = goodUpTo(draft, to);
  const rolledBack: Draft = {
    ...draft,
    baseline: to,
    canaries: [],
    goodBaselines,
    lastRollback,
    ramp: null,
  };
  const change = { action: "rollback", reason: input.reason, transition: input.mode } as const;
  const { state: next, revision } = commitRelease(state, rolledBack, change, context);
  return {
    state: next,
    revisions: [revision],
    action: "rollback",
    result: {
      kind: "rollback",
      environment: draft.environment,
      revision: revision.revision,
      ...lastRollback,
      repeated: false,
    },
  };
}

/** The baseline while a canary is live, else the last known-good baseline before it. */
function chooseTarget(draft: Draft): number | Problem {
  const { baseline, lastRollback } = draft;
  if (lastRollback !== null) return lastRollback.to;
  if (draft.canaries.some((arm) => arm.weight > 0 || isDraining(draft, arm.version))) return baseline;
  const earlier = draft.goodBaselines.findLast((version) => version !== baseline);
  if (earlier !== undefined) return earlier;
  const message =
    `${draft.environment} has no canary to take off and no known-good baseline before version ${baseline}: ` +
    `name one with "to".`;
  return problem("conflict", message, { field: "to" });
}

function isDraining(draft: Draft, version: number): boolean {
  return draft.drains.some((drain) => drain.slots.some((slot) => slot.version === version));
}

function isInForce(draft: Draft, to: number, mode: Transition): boolean {
  const isAlone = draft.table !== null && draft.baseline === to && soleOwner(draft.table.slots) === to;
  return isAlone && (mode === "drain" || draft.drains.length === 0);
}

function answerRepeated(state: PromptState, draft: Draft, to: number): Decision {
  const { release } = draft.before!;
  const last = draft.lastRollback ?? {
    from: takenOff(draft, to),
    to,
    committedAtMs: Date.parse(release.changedAt),
  };
  const { environment, revision } = release;
  const result = { kind: "rollback", environment, revision, ...last, repeated: true } as const;
  return { state, revisions: [], action: "rollback", result };
}

/**
 * The version that loses most: by weight now, or where only drains still hold one, by its share of the newest such.
 * `to` itself where there is none.
 */
function takenOff(draft: Draft, to: number): number {
  const tables: SlotTable[] = draft.drains.toReversed();
  if (draft.table !== null) tables.unshift(draft.table);
  for (const table of tables) {
    const others = [...countBuckets(table.slots)].filter(([version]) => version !== to);
    const [most] = others.toSorted((a, b) => b[1] - a[1] || b[0] - a[0]);
    if (most !== undefined) return most[0];
  }
  return draft.before === null ? draft.baseline : to;
}

/** What was baseline after `to` was rolled back and is known-good no more. */
function goodUpTo(draft: Draft, to: number): number[] {
  const { baseline, goodBaselines } = draft;
  if (to === baseline) return goodBaselines;
  const at = goodBaselines.lastIndexOf(to);
  return at >= 0 ? goodBaselines.slice(0, at + 1) : [...goodBaselines.slice(0, -1), to];
}
