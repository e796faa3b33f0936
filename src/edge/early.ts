// May a turn be decided before its body is there? Only where nothing that is still to come can change what is decided:
// the arm never depends on whether a body was read whole.

import { soleOwner } from "../core/slots.ts";
import type { Release, Unit } from "../core/types.ts";
import type { Scan } from "../wire/wire.ts";
import type { Decision, Question } from "./decide.ts";
import type { Reader } from "./naming.ts";
import type { Account } from "./respond.ts";
import { peekVersion } from "./versions.ts";

/** `question.scan` is of a body that is cut; `decision` was made by it. */
export function isDecidedEarly(decision: Decision, question: Question, account: Account): boolean {
  const { assignment, assignedVersion } = account;
  const release = decision.entry.grant?.release;
  if (release === undefined || assignment === null || assignedVersion !== null) return false;
  // While a change drains, it matters whether an assistant has spoken, and what the first message was.
  if (assignment.revision !== release.revision || release.drains.length > 0) return false;
  // Variables may stand behind the messages.
  if (peekVersion(decision.entry.prompt, assignment.version)?.hasVariables !== false) return false;
  // An agent's system text has a rule of its own, and names its session.
  if (question.agent !== null) return false;
  return isAnyones(release, question.pin) || isKeyKnown(release.unit, question.headers, question.scan);
}

/** Whatever the key. */
function isAnyones(release: Release, pin: number | null): boolean {
  return pin !== null || soleOwner(release.table.slots) !== null;
}

/** By a header, or by a field that goes before all others that may still come, but for a second one of its own name. */
function isKeyKnown(unit: Unit, headers: Reader, scan: Scan): boolean {
  if (headers.get("prompt-key")) return true;
  switch (unit) {
    case "conversation":
      return scan.conversationKey !== null;
    case "user":
      return scan.userKey !== null;
    case "request": {
      const named = headers.get("idempotency-key") || headers.get("amz-sdk-invocation-id");
      return Boolean(named) || headers.get("x-stainless-retry-count") === undefined;
    }
  }
}
