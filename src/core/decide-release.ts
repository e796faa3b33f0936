// How every command makes the next revision of a release: it takes a draft of the present one, changes what it is
// about, and commits. Weights, slots, salt and drains follow from the draft here, and only here.
// Guarantees 2 and 3: fewest buckets moved, a new salt only when one version owns every bucket, and tables that
// earlier conversations still need are kept with the revision that they came into force at.

import type { DecideContext } from "./decide.ts";
import { problem, type Problem } from "./problem.ts";
import type { Ramp, RampEvent, RampMark } from "./ramps.ts";
import { bucketsWeight, compileSlots, mainOwner, sameEffect, soleOwner, weightBuckets } from "./slots.ts";
import {
  BUCKETS,
  DEFAULT_ENVIRONMENT,
  NAME_PATTERN,
  type Action,
  type Agents,
  type Arm,
  type Drain,
  type Prompt,
  type PromptState,
  type Release,
  type ReleaseState,
  type Revision,
  type SlotTable,
  type Transition,
  type Unit,
  type VersionSummary,
} from "./types.ts";
import type { JudgeSettings } from "./watch-settings.ts";

/** Past tables kept at most: a release is read on every request. A day rarely has so many changes. */
export const DRAINS_MAX = 16;
/** Known-good baselines remembered at most, so that a state that is promoted for years does not grow for ever. */
export const GOOD_BASELINES_MAX = 100;

/** What a release carries of its prompt's settings. */
export type Routing = { unit: Unit; shield: boolean; agents: Agents; judge?: JudgeSettings };

export type Draft = {
  environment: string;
  /** null: this will be the environment's first release. */
  before: ReleaseState | null;
  routing: Routing;
  baseline: number;
  /** In the order they were added. The baseline takes what they leave. */
  canaries: Arm[];
  table: SlotTable | null;
  drains: Drain[];
  revoked: number[];
  goodBaselines: number[];
  lastRollback: ReleaseState["lastRollback"];
  /** null: none is on any more. Whatever changes who is served what takes it out. */
  ramp: Ramp | null;
};

/** `rampEvent`: where the change is one of its ramp. */
export type Change = {
  action: Action;
  reason: string;
  transition: Transition;
  rampEvent?: RampEvent;
};

/** A copy of the environment's release to change; a new environment starts from production's baseline. */
export function draftRelease(state: PromptState, environment: string, nowMs: number): Draft | Problem {
  if (!NAME_PATTERN.test(environment)) {
    const message = `"${environment}" is no name of an environment: use a-z, 0-9, "-" and "_", at most 63.`;
    return problem("invalid_request", message, { field: "environment" });
  }
  const before = releaseStateOf(state, environment);
  if (before !== null) return draftFrom(before, nowMs);
  const production = releaseStateOf(state, DEFAULT_ENVIRONMENT);
  if (production === null) {
    return problem("version_not_found", `Prompt "${state.prompt.name}" has no version yet: push one first.`);
  }
  return draftFirst(state, environment, production.release.baseline);
}

/** The first release of an environment, with all weight on `baseline`. */
export function draftFirst(state: PromptState, environment: string, baseline: number): Draft {
  return {
    environment,
    before: null,
    routing: routingOf(state.prompt),
    baseline,
    canaries: [],
    table: null,
    drains: [],
    revoked: state.versions.filter((one) => one.revoked !== null).map((one) => one.version),
    goodBaselines: [baseline],
    lastRollback: null,
    ramp: null,
  };
}

function draftFrom(before: ReleaseState, nowMs: number): Draft {
  const { release, goodBaselines, lastRollback, ramp = null } = before;
  return {
    environment: release.environment,
    before,
    routing: routingOf(release),
    baseline: release.baseline,
    canaries: release.arms.filter((arm) => arm.version !== release.baseline),
    table: release.table,
    drains: release.drains.filter((drain) => drain.until > nowMs),
    revoked: release.revoked,
    goodBaselines,
    lastRollback,
    ramp,
  };
}

/** Of a prompt or of a release; what was stored before a setting was made reads as its default. */
export function routingOf({ unit, shield = true, agents = "append", judge }: Prompt | Release): Routing {
  return { unit, shield, agents, ...(judge !== undefined && { judge }) };
}

/** The release state of an environment, or null. (A name like "constructor" is no environment.) */
export function releaseStateOf(state: PromptState, environment: string): ReleaseState | null {
  return Object.hasOwn(state.releases, environment) ? state.releases[environment]! : null;
}

/** A version that may be routed to, or why not. */
export function findServable(state: PromptState, version: number): VersionSummary | Problem {
  const found = state.versions.find((one) => one.version === version);
  const name = `prompt "${state.prompt.name}"`;
  if (found === undefined) {
    const latest = state.prompt.latestVersion;
    const mend = latest === 0 ? "it has none yet: push one first" : `the latest is ${latest}`;
    return problem("version_not_found", `There is no version ${version} of ${name}; ${mend}.`, {
      field: "version",
    });
  }
  if (found.revoked !== null) {
    const message = `Version ${version} of ${name} was revoked, which cannot be undone: use another version.`;
    return problem("version_revoked", message, { field: "version" });
  }
  return found;
}

/** Makes the draft the environment's next revision. */
export function commitRelease(
  state: PromptState,
  draft: Draft,
  change: Change,
  context: DecideContext,
): { state: PromptState; revision: Revision } {
  const { environment, before } = draft;
  const release = compileRelease(state.prompt.name, draft, change, context);
  const after: ReleaseState = {
    release,
    goodBaselines: draft.goodBaselines.slice(-GOOD_BASELINES_MAX),
    lastAction: change.action,
    lastActor: context.actor.name,
    lastReason: change.reason,
    lastRollback: draft.lastRollback,
    ...(draft.ramp !== null && { ramp: draft.ramp }),
  };
  const mark = markRamp(draft, change.rampEvent);
  const revision: Revision = {
    prompt: release.prompt,
    environment,
    revision: release.revision,
    at: release.changedAt,
    actor: context.actor.name,
    action: change.action,
    reason: change.reason,
    before: before?.release ?? null,
    after: release,
    ...(mark !== null && { ramp: mark }),
  };
  return { state: { ...state, releases: { ...state.releases, [environment]: after } }, revision };
}

/** A ramp that is gone without a word of its own was ended by the change. */
function markRamp({ before, ramp }: Draft, rampEvent: RampEvent | undefined): RampMark | null {
  const event = rampEvent ?? (before?.ramp !== undefined && ramp === null ? "end" : null);
  const marked = ramp ?? before?.ramp;
  if (event === null || marked === undefined) return null;
  return { event, version: marked.version, step: marked.step, steps: marked.plan.steps };
}

function compileRelease(prompt: string, draft: Draft, change: Change, context: DecideContext): Release {
  const { environment, routing, baseline, revoked } = draft;
  const { unit, shield, agents, judge } = routing;
  const revision = (draft.before?.release.revision ?? 0) + 1;
  const arms = armsOf(draft);
  const next = { revision, salt: `${prompt}:${environment}:${revision}` };
  const { table, drains } = routeBuckets(draft, arms, next, change.transition, context);
  const changedAt = new Date(context.nowMs).toISOString();
  return {
    schema: 1,
    prompt,
    environment,
    revision,
    unit,
    ...(!shield && { shield }),
    ...(agents !== "append" && { agents }),
    ...(judge !== undefined && { judge }),
    baseline,
    arms,
    table,
    drains,
    revoked,
    changedAt,
  };
}

function armsOf(draft: Draft): Arm[] {
  const taken = draft.canaries.reduce((sum, arm) => sum + (weightBuckets(arm.weight) ?? 0), 0);
  return [{ version: draft.baseline, weight: bucketsWeight(BUCKETS - taken) }, ...draft.canaries];
}

/** The table that the arms compile to, and the tables that conversations begun earlier are still assigned by. */
function routeBuckets(
  draft: Draft,
  arms: Arm[],
  next: { revision: number; salt: string },
  transition: Transition,
  context: DecideContext,
): { table: SlotTable; drains: Drain[] } {
  if (draft.before === null || draft.table === null) {
    const whole = [{ version: draft.baseline, from: 0, to: BUCKETS }];
    return { table: { ...next, slots: compileSlots(whole, arms) }, drains: [] };
  }
  const slots = compileSlots(draft.table.slots, arms);
  const owner = soleOwner(slots);
  // A new salt moves nobody while one version owns all, and the next canary then meets other users.
  const rotates = owner !== null && owner !== soleOwner(draft.before.release.table.slots);
  const table = { revision: next.revision, salt: rotates ? next.salt : draft.table.salt, slots };
  const strangers = strangersOf(draft.before.release, draft.drains);
  const until = context.nowMs + context.drainMs;
  const past: Drain = { ...draft.table, until, ...(strangers !== null && { strangers }) };
  const settled = collapseTables([...draft.drains, past], table);
  const live = settled.drains.filter((drain) => drain.until > context.nowMs);
  return { table: settled.table, drains: transition === "now" ? [] : thinOut(live) };
}

/**
 * What a response chain that nobody remembers was on while this release was in force (core/strangers.ts). Where an older
 * table with another answer is still in force, all chains begun since are remembered, and null says so.
 */
function strangersOf({ table, baseline }: Release, drains: Drain[]): number | null {
  const version = mainOwner(table.slots, baseline);
  return drains.every((drain) => drain.strangers === version) ? version : null;
}

/**
 * Past the most, the table that was in force for the shortest time gives way to the one before it: few conversations
 * began under it. Never the oldest, under which most did, and which speaks for all that nothing is known of.
 */
function thinOut(drains: Drain[]): Drain[] {
  let kept = drains;
  while (kept.length > DRAINS_MAX) {
    // Tables are replaced one after the other, so what lies between two ends is how long the second was in force.
    const timesMs = kept.slice(1).map((drain, index) => drain.until - kept[index]!.until);
    const at = timesMs.indexOf(Math.min(...timesMs));
    const heir = { ...kept[at]!, until: Math.max(kept[at]!.until, kept[at + 1]!.until) };
    kept = kept.toSpliced(at, 2, heir);
  }
  return kept;
}

/**
 * Neighbours that assign alike become one table, in force since the earlier revision. Only neighbours: of A, B, A
 * the first A is still needed to tell conversations begun under it from those begun under B.
 */
function collapseTables(drains: Drain[], table: SlotTable): { table: SlotTable; drains: Drain[] } {
  const kept: Drain[] = [];
  for (const drain of drains) {
    const last = kept.at(-1);
    if (last === undefined || !sameEffect(last, drain)) kept.push(drain);
    else kept[kept.length - 1] = { ...last, until: Math.max(last.until, drain.until) };
  }
  const last = kept.at(-1);
  if (last === undefined || !sameEffect(last, table)) return { table, drains: kept };
  return { table: { ...table, revision: last.revision }, drains: kept.slice(0, -1) };
}
