// Response chains: requests that name the response before them (`previous_response_id`) and have no key that stays the
// same. A chain's beginning is remembered under the ids of its responses, but only where forgetting it would show. A
// *stranger* is a chain that nobody remembers. Guarantee 3 for it: while the tables of a drain are in force, a stranger
// gets what chains without memory were on under the oldest of them, so that only chains on any other version cost a row.
//
// Why that is enough: a chain begins on version v and is not remembered only if v is what strangers get by every table
// then in force (`isForgettable`). Whichever of those is the oldest later on, it still says v. A table whose strangers
// differ from an older table's says nothing about them (`Drain.strangers` is absent), because under it all were
// remembered.

import { liveDrains, ownerOfAll } from "./assign.ts";
import { mainOwner } from "./slots.ts";
import type { Release } from "./types.ts";

/** Which turn a chain began with: its unit key (null: every request says it anew) and the revision it was served under. */
export type ChainRoot = { key: string | null; revision: number };

/** Could two chains get different versions? If not, nobody needs to be asked and nothing to be remembered. */
export function isContested(release: Release, nowMs: number): boolean {
  return release.unit !== "request" && ownerOfAll(release, liveDrains(release, nowMs)) === null;
}

/** Would a chain on `version` stay on it, with nobody remembering how it began? */
export function isForgettable(release: Release, version: number, nowMs: number): boolean {
  if (mainOwner(release.table.slots, release.baseline) !== version) return false;
  return liveDrains(release, nowMs).every((drain) => drain.strangers === version);
}
