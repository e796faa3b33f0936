// The release as people and scripts read it (contract §4): arms with what each version is, and who changed it last.
// The edge never reads this shape; it decides by `Release`.

import { releaseStateOf } from "./decide-release.ts";
import { problem, type Problem } from "./problem.ts";
import { viewRamp } from "./ramp-next.ts";
import type { RampHealth } from "./ramps.ts";
import { sameEffect, soleOwner, versionAt } from "./slots.ts";
import { DEFAULT_ENVIRONMENT } from "./types.ts";
import type { Arm, PromptState, Release, ReleaseView, SlotTable } from "./types.ts";

/**
 * `version_not_found` while the prompt has no version, `environment_not_found` where nothing was released yet.
 * Without `nowMs` (epoch ms), drains that have run out since the last change are still listed, with their `until`.
 * `health`: what the watch says of the canary of a ramp.
 */
export function viewRelease(
  state: PromptState,
  environment: string,
  nowMs = 0,
  health: RampHealth | null = null,
): ReleaseView | Problem {
  const found = releaseStateOf(state, environment);
  if (found === null) return explainMissing(state, environment);
  const { release, lastActor, lastAction, lastReason, ramp } = found;
  return {
    prompt: release.prompt,
    environment,
    revision: release.revision,
    unit: release.unit,
    baseline: release.baseline,
    arms: release.arms.map((arm) => viewArm(state, release, arm)),
    draining: listDraining(release, nowMs),
    revoked: release.revoked,
    changedAt: release.changedAt,
    changedBy: lastActor,
    action: lastAction,
    reason: lastReason,
    ...(ramp !== undefined && { ramp: viewRamp(ramp, health, nowMs) }),
  };
}

/** For the control plane, whose callers may know the other environments. */
export function explainMissing(state: PromptState, environment: string): Problem {
  const { name } = state.prompt;
  if (state.versions.length === 0) {
    return problem("version_not_found", `Prompt "${name}" has no version yet: push one first.`);
  }
  const known = Object.keys(state.releases).toSorted().join(", ") || DEFAULT_ENVIRONMENT;
  const message =
    `Prompt "${name}" has no release in "${environment}", only in ${known}: ` +
    `a canary, promotion, rollback or the start of a ramp that names it makes one.`;
  return problem("environment_not_found", message, { field: "environment" });
}

function viewArm(state: PromptState, release: Release, arm: Arm): ReleaseView["arms"][number] {
  const version = state.versions.find((one) => one.version === arm.version);
  if (version === undefined) throw new Error(`version ${arm.version} is routed but not there`);
  return {
    version: arm.version,
    weight: arm.weight,
    arm: arm.version === release.baseline ? "baseline" : "canary",
    digest: version.digest,
    versionCreatedAt: version.createdAt,
    note: version.note,
  };
}

/** Versions that conversations are kept on in buckets that are another version's now, and until when at most. */
function listDraining(release: Release, nowMs: number): ReleaseView["draining"] {
  const untilMs = new Map<number, number>();
  if (release.unit === "request") return [];
  for (const drain of release.drains.filter((one) => one.until > nowMs)) {
    for (const version of heldBack(drain, release.table)) {
      untilMs.set(version, Math.max(drain.until, untilMs.get(version) ?? 0));
    }
  }
  return [...untilMs]
    .toSorted(([a], [b]) => a - b)
    .map(([version, until]) => ({ version, until: new Date(until).toISOString() }));
}

/** Versions of a past table that own a unit there which they do not own in the current one. */
function heldBack(past: SlotTable, current: SlotTable): Set<number> {
  if (sameEffect(past, current)) return new Set();
  const owner = soleOwner(current.slots);
  const lost = past.slots.filter((slot) => {
    if (owner !== null) return slot.version !== owner;
    if (past.salt !== current.salt && soleOwner(past.slots) === null) return true;
    const cuts = current.slots.map(({ from }) => from).filter((from) => from > slot.from && from < slot.to);
    return [slot.from, ...cuts].some((bucket) => versionAt(current.slots, bucket) !== slot.version);
  });
  return new Set(lost.map((slot) => slot.version));
}
