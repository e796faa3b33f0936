// Who signs the audit log besides people. Guarantee: what an entry by one of these names says was done by Switchback itself,
// or with ADMIN_TOKEN; no token is minted under such a name, and one from before this was so signs with an addition that
// no token's name can hold.

import type { Actor } from "./types.ts";

/** Whoever sends ADMIN_TOKEN. */
export const ADMIN_ACTOR = { name: "admin", role: "admin" } as const;
/** Who rolls back what a guardrail convicted. */
export const GUARDRAIL_ACTOR = { name: "guardrail", role: "releaser" } as const;
/** Who takes the steps of a ramp. */
export const RAMP_ACTOR = { name: "ramp", role: "releaser" } as const;

const OWN_NAMES: readonly string[] = [ADMIN_ACTOR, GUARDRAIL_ACTOR, RAMP_ACTOR].map(({ name }) => name);

/** Would a reader of the log take it for one of ours? Case and blanks around it make no other name. */
export function isOwnName(name: string): boolean {
  return OWN_NAMES.includes(name.trim().toLowerCase());
}

/** Who acts by a minted token. */
export function actorOfToken({ name, role }: Actor): Actor {
  return { name: isOwnName(name) ? `${name} (token)` : name, role };
}
