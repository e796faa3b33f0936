// Which version a request gets, and why: a pure function of the release and the unit's key (guarantee 2), fenced by
// the lease (guarantee 1), and true to the conversation's first turn while a change drains (guarantee 3).
// Compiled at write time, looked up here. Measured (Node 24, one of two shared cores): no lease or one arm 0.02 µs,
// a split 0.2 µs, a later turn against 16 drains of one ramp 0.4 µs, of 16 ramps (16 salts) 2.7-4 µs.

import { bucketOf, HASH_ALGORITHM } from "./hash.ts";
import { problem, type Problem } from "./problem.ts";
import { mainOwner, soleOwner, versionAt } from "./slots.ts";
import type { ArmName, Assignment, Drain, Reason, Release, Slot, SlotTable } from "./types.ts";

export type AssignInput = {
  release: Release;
  /** The unit key. */
  key: string;
  /** Fingerprint of the conversation's identity; null where the request names none. */
  conversation: string | null;
  /** A later turn: the request carries assistant turns or names an earlier response. */
  continues: boolean;
  /** A version that the caller asks for by number. */
  pin: number | null;
  leaseIsLive: boolean;
  nowMs: number;
  /** A later turn of a response chain of which nothing is known, not even its key (core/strangers.ts). */
  isStranger?: boolean;
  /** The revision of the conversation's first turn; null: it began before all drains; undefined: not known here. */
  began: (conversation: string) => number | null | undefined;
};

/** Only Control knows which revision this conversation began under: ask `ControlPort.began`, then assign again. */
export type NeedsBegan = { needs: "began"; conversation: string };

/** The assignment of a first turn under a live lease, with all that is needed to recompute it by hand. */
export type Explanation = {
  prompt: string;
  environment: string;
  revision: number;
  key: string;
  salt: string;
  bucket: number;
  version: number;
  arm: ArmName;
  reason: Reason;
  slots: Slot[];
  algorithm: string;
};

/** Never returns a revoked version: `version_revoked` where it was pinned or where the baseline itself is revoked. */
export function assign(input: AssignInput): Assignment | NeedsBegan | Problem {
  const { release, key, pin } = input;
  if (pin !== null) return assignPinned(input, pin);
  if (!input.leaseIsLive) return answer(release, release.baseline, "no_lease", null);
  const drains = liveDrains(release, input.nowMs);
  const owner = ownerOfAll(release, drains);
  if (owner !== null) return answer(release, owner, "static", null);
  if (input.isStranger === true) return assignStranger(release, drains);
  const bucket = bucketOf(release.table.salt, key);
  const current = versionAt(release.table.slots, bucket) ?? release.baseline;
  const usual = soleOwner(release.table.slots) === null ? "split" : "static";
  if (!input.continues || agree(release, drains, key, bucket, current)) {
    return answer(release, current, usual, bucket);
  }
  const table = tableOfFirstTurn(input, drains);
  if ("needs" in table) return table;
  const drained = versionAt(table.slots, bucketOf(table.salt, key)) ?? release.baseline;
  if (drained === current) return answer(release, current, usual, bucket);
  return answer(release, drained, "drain", bucketOf(table.salt, key));
}

function assignPinned(input: AssignInput, pin: number): Assignment | Problem {
  const { release } = input;
  if (release.revoked.includes(pin)) return revoked(pin);
  if (!input.leaseIsLive && pin !== release.baseline) {
    return answer(release, release.baseline, "no_lease", null);
  }
  return { version: pin, arm: "pinned", reason: "pinned", revision: release.revision, bucket: null };
}

function assignStranger(release: Release, drains: readonly Drain[]): Assignment | Problem {
  const current = mainOwner(release.table.slots, release.baseline);
  const version = drains[0]?.strangers ?? current;
  const usual = soleOwner(release.table.slots) === null ? "split" : "static";
  return answer(release, version, version === current ? usual : "drain", null);
}

/** Where tables disagree about a later turn, the table that its first turn was assigned by decides. */
function tableOfFirstTurn(input: AssignInput, drains: readonly Drain[]): SlotTable | NeedsBegan {
  const { release, conversation } = input;
  const began = conversation === null ? null : input.began(conversation);
  if (conversation !== null && began === undefined) return { needs: "began", conversation };
  return pickTable(drains, release.table, began ?? 0);
}

/**
 * Do the tables disagree about this unit? Then the edge records the first turn of a conversation (`SyncRequest.began`);
 * where they agree, any of them answers a later turn.
 */
export function isAmbiguous(release: Release, key: string, nowMs: number): boolean {
  const drains = liveDrains(release, nowMs);
  if (drains.length === 0 || ownerOfAll(release, drains) !== null) return false;
  const bucket = bucketOf(release.table.salt, key);
  const current = versionAt(release.table.slots, bucket) ?? release.baseline;
  return !agree(release, drains, key, bucket, current);
}

/** The table in force at a revision; the oldest one known where the revision is older than all. */
export function tableAt(release: Release, revision: number, nowMs = 0): SlotTable {
  return pickTable(liveDrains(release, nowMs), release.table, revision);
}

/** What the first turn of a conversation gets, and why. `version_revoked` only where the baseline itself is revoked. */
export function explainAssignment(release: Release, key: string, nowMs: number): Explanation | Problem {
  const assignment = assign({
    release,
    key,
    conversation: null,
    continues: false,
    pin: null,
    leaseIsLive: true,
    nowMs,
    began: () => null,
  });
  if ("problem" in assignment) return assignment;
  if ("needs" in assignment) throw new Error("a first turn asked for its beginning");
  const { prompt, environment, revision, table } = release;
  const { version, arm, reason } = assignment;
  const bucket = bucketOf(table.salt, key);
  const { salt, slots } = table;
  return {
    prompt,
    environment,
    revision,
    key,
    salt,
    bucket,
    version,
    arm,
    reason,
    slots,
    algorithm: HASH_ALGORITHM,
  };
}

/** The baseline in a canary's stead; null where there is none to stand in: it is that version by now, or was revoked. */
export function assignFallback(release: Release, failed: Assignment): Assignment | null {
  const { baseline, revision, revoked: gone } = release;
  if (baseline === failed.version || gone.includes(baseline)) return null;
  return { version: baseline, arm: "baseline", reason: "fallback", revision, bucket: failed.bucket };
}

const NO_DRAINS: readonly Drain[] = [];

/** A unit `request` has no later turns, hence no drains. */
export function liveDrains(release: Release, nowMs: number): readonly Drain[] {
  if (release.drains.length === 0 || release.unit === "request") return NO_DRAINS;
  return release.drains.every((drain) => drain.until > nowMs)
    ? release.drains
    : release.drains.filter((drain) => drain.until > nowMs);
}

/** The version that owns every bucket of every table; no hash is needed then. */
export function ownerOfAll(release: Release, drains: readonly Drain[]): number | null {
  const owner = soleOwner(release.table.slots);
  return owner !== null && drains.every((drain) => soleOwner(drain.slots) === owner) ? owner : null;
}

/** All drains give the unit `current` too. Hashes once per salt: the tables of one ramp share theirs. */
function agree(
  release: Release,
  drains: readonly Drain[],
  key: string,
  bucket: number,
  current: number,
): boolean {
  let hashed = { salt: release.table.salt, bucket };
  for (const drain of drains) {
    let version = soleOwner(drain.slots);
    if (version === null) {
      if (drain.salt !== hashed.salt) hashed = { salt: drain.salt, bucket: bucketOf(drain.salt, key) };
      version = versionAt(drain.slots, hashed.bucket) ?? release.baseline;
    }
    if (version !== current) return false;
  }
  return true;
}

function pickTable(drains: readonly Drain[], current: SlotTable, revision: number): SlotTable {
  if (current.revision <= revision) return current;
  return drains.findLast((drain) => drain.revision <= revision) ?? drains[0] ?? current;
}

/** The last gate: a revoked version gives way to the baseline, whatever the tables say. */
function answer(
  release: Release,
  wanted: number,
  reason: Reason,
  bucket: number | null,
): Assignment | Problem {
  const isRevoked = release.revoked.includes(wanted);
  if (isRevoked && release.revoked.includes(release.baseline)) return revoked(release.baseline);
  const version = isRevoked ? release.baseline : wanted;
  const arm = version === release.baseline ? "baseline" : "canary";
  return { version, arm, reason, revision: release.revision, bucket };
}

function revoked(version: number): Problem {
  return problem(
    "version_revoked",
    `Version ${version} was revoked and is not served any more: use another version.`,
  );
}
