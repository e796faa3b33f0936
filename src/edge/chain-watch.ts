// Reads the id of an answer that a chain will go on from, while the answer goes by. Nothing is delayed for it, and where
// it cannot be read the next turn is a stranger's.

import { findResponseId } from "../wire/response-id.ts";
import { noteResponse } from "./chains.ts";
import type { Decision } from "./decide.ts";
import type { Look } from "./head.ts";
import { announceBeginnings, type Scope } from "./releases.ts";

/** null: nobody will have to know this answer again. */
export function lookForId({ entry, chain }: Decision, scope: Scope): Look | null {
  if (chain === null) return null;
  return (head) => {
    const found = findResponseId(head);
    if (found === "more") return false;
    if (found !== null && noteResponse(entry.chains, chain, found.id)) announceBeginnings(entry, scope);
    return true;
  };
}
