// Which canaries may be blamed at all. Where the baseline itself has become worse, or the provider has, a canary that was taken
// off long before explains nothing, however bad it was: it stands in the timeline, no more.

import type { Evidence } from "./diagnosis.ts";
import type { Revision } from "./types.ts";

const MINUTE_MS = 60_000;
/** A change explains what began so long after it, at most. */
const BEFORE_MS = 15 * MINUTE_MS;

/** `change` at most a quarter of an hour before it began, or as it began. */
export function isNear(beganMs: number, changeMs: number, stepMs: number): boolean {
  return changeMs >= beganMs - nearMs(stepMs) && changeMs < beganMs + 2 * stepMs;
}

function nearMs(stepMs: number): number {
  return Math.max(BEFORE_MS, 2 * stepMs);
}

/** Canary or not: whether it may be blamed, and whether it is there now. */
export type Trial = {
  isServed: (version: number) => boolean;
  isOnTrial: (version: number) => boolean;
  /** Of a rollback: that of a version which is back, or which was taken off about when it began. */
  isRelevant: (rollback: Revision) => boolean;
};

/** `troubles`: since when the baseline itself is worse, epoch ms; none: whatever happened in the window counts. */
export function openTrial({ revisions }: Evidence, troubles: readonly number[], stepMs: number): Trial {
  const now = revisions[0]?.after;
  const isServed = (version: number) =>
    now !== undefined &&
    version !== now.baseline &&
    now.arms.some((arm) => arm.version === version && arm.weight > 0);
  // A rollback answers what began, so it may as well come after it.
  const isAround = ({ at }: Revision) =>
    troubles.some((beganMs) => Math.abs(Date.parse(at) - beganMs) <= nearMs(stepMs));
  const wasTakenOff = (version: number) =>
    revisions.some((one) => listTakenOff(one).includes(version) && isAround(one));
  return {
    isServed,
    isOnTrial: (version) => troubles.length === 0 || isServed(version) || wasTakenOff(version),
    isRelevant: (rollback) =>
      troubles.length === 0 || isAround(rollback) || listTakenOff(rollback).some(isServed),
  };
}

function listTakenOff({ before, after }: Revision): number[] {
  const servedBy = (release: typeof after) =>
    release.arms.filter(({ weight }) => weight > 0).map(({ version }) => version);
  const kept = servedBy(after);
  return before === null ? [] : servedBy(before).filter((version) => !kept.includes(version));
}
