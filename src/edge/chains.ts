// Response chains: a Responses request that carries nothing but `previous_response_id` would be keyed by its own first
// message, another one each turn. So the ids of responses whose chain would be switched are remembered with how their
// chain began (core/strangers.ts): in this isolate at once, at Control within a moment, and a turn whose chain is not
// known here asks there, once, and only while more than one version is possible. Only fingerprints of ids are kept.

import { isAmbiguous } from "../core/assign.ts";
import { fingerprint64 } from "../core/hash.ts";
import type { BegunChain } from "../core/ports.ts";
import { isContested, isForgettable, type ChainRoot } from "../core/strangers.ts";
import type { Assignment, Release } from "../core/types.ts";
import type { Endpoint, Scan } from "../wire/wire.ts";
import type { Conversations } from "./conversations.ts";
import type { UnitKey } from "./naming.ts";

export type Chains = {
  /** Fingerprint of a response's id → how its chain began; null: nobody remembers, it is a stranger's. */
  known: Map<string, ChainRoot | null>;
  /** Responses that Control has not been told of. */
  unreported: BegunChain[];
};

const MOST_KNOWN = 5_000;
const MOST_UNREPORTED = 1_000;

export function createChains(): Chains {
  return { known: new Map(), unreported: [] };
}

export function rememberChain({ known }: Chains, response: string, root: ChainRoot | null): void {
  known.delete(response);
  known.set(response, root);
  if (known.size <= MOST_KNOWN) return;
  const oldest = known.keys().next().value;
  if (oldest !== undefined) known.delete(oldest);
}

/** A later turn of a chain. `root` null: a stranger's; undefined: not known here, and Control has to be asked. */
export type Link = { response: string; kind: "keyed" | "keyless"; root: ChainRoot | null | undefined };

/** null: the request continues no chain, names its conversation itself, or gets the same version whatever its chain. */
export function linkOf(
  chains: Chains,
  unit: UnitKey,
  scan: Scan,
  release: Release,
  nowMs: number,
): Link | null {
  const { chain: kind, key } = unit;
  if (kind === null || scan.previousResponse === null) return null;
  if (kind === "keyless" ? !isContested(release, nowMs) : !isAmbiguous(release, key, nowMs)) return null;
  const response = fingerprint64(scan.previousResponse);
  const root = chains.known.get(response);
  // It began with a key, and this turn says none.
  if (kind === "keyless" && root?.key === null) return { response, kind, root: null };
  return { response, kind, root };
}

/** What the next turn of this chain has to find: how the chain began, and whether Control has to know it too. */
export type ChainNote = { root: ChainRoot | null; isTold: boolean };

export type Turn = {
  endpoint: Endpoint;
  scan: Scan;
  pin: number | null;
  unit: UnitKey;
  link: Link | null;
  release: Release;
  assignment: Assignment;
  conversations: Conversations;
};

/** null: there is nothing that a next turn could not find out by itself. A stranger's turn is noted in this isolate
 * alone, so that its next one does not ask again. */
export function noteOf(turn: Turn, nowMs: number): ChainNote | null {
  const { endpoint, scan, pin, unit, link, release, assignment } = turn;
  const isChain = unit.chain !== null && pin === null && scan.isUnstored !== true;
  if (!isChain || endpoint.count || endpoint.format.id !== "openai-responses") return null;
  const isKeyless = unit.chain === "keyless";
  if (isKeyless ? !isContested(release, nowMs) : !isAmbiguous(release, unit.key, nowMs)) return null;
  if (assignment.reason === "no_lease") {
    // It got the baseline for want of a lease: a chain that is known goes back afterwards, others stay there.
    const known = link?.root ?? null;
    return known === null ? null : { root: known, isTold: true };
  }
  if (isKeyless && isForgettable(release, assignment.version, nowMs)) {
    return link === null ? null : { root: null, isTold: false };
  }
  const root = link === null ? rootOf(turn) : (link.root ?? null);
  return { root, isTold: root !== null };
}

/** Of a first turn; a history that was sent along may have begun earlier, under another table. */
function rootOf({ unit, scan, release, conversations }: Turn): ChainRoot {
  const began = unit.conversation === null ? undefined : conversations.known.get(unit.conversation);
  const revision = scan.continues ? (began ?? 0) : release.revision;
  return { key: unit.chain === "keyless" ? unit.key : null, revision };
}

/** Once the answer has told its id. True: there is something to tell Control. */
export function noteResponse(chains: Chains, note: ChainNote, id: string): boolean {
  const response = fingerprint64(id);
  rememberChain(chains, response, note.root);
  if (note.root === null || !note.isTold || chains.unreported.length >= MOST_UNREPORTED) return false;
  chains.unreported.push({ response, ...note.root });
  return true;
}
