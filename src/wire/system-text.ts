// Our system text joined to a text of the caller's that stands in a string of its own (Responses `instructions`,
// Anthropic's `system` in its short form): a blank line between them, the caller's bytes as they were.

import { encodeUtf8 } from "../core/text.ts";
import { problem, type Problem } from "../core/problem.ts";
import type { Placement } from "../core/types.ts";
import { findMembers, kindOf, ROOT, valueFrom, valueTo, type Name, type Node } from "./json-tree.ts";
import { joinBytes, stringInside } from "./json-write.ts";
import type { Plan } from "./plan.ts";
import { insertAt } from "./splice.ts";

export type SystemText = { alone: Uint8Array; before: Uint8Array; after: Uint8Array };

const QUOTE = encodeUtf8('"');
const BLANK_LINE = stringInside("\n\n");

export function encodeSystem(text: string): SystemText {
  const inside = stringInside(text);
  return {
    alone: joinBytes([QUOTE, inside, QUOTE]),
    before: joinBytes([inside, BLANK_LINE]),
    after: joinBytes([BLANK_LINE, inside]),
  };
}

function isEmptyString(plan: Plan, node: Node): boolean {
  return valueTo(plan.tree, node) - valueFrom(plan.tree, node) === 2;
}

/** `node` is a string. An empty one is no text of the caller's. */
export function placeInString(plan: Plan, node: Node, text: SystemText, placement: Placement): void {
  if (placement === "replace" || isEmptyString(plan, node)) plan.replace(node, text.alone);
  else if (placement === "prepend") insertAt(plan.patches, valueFrom(plan.tree, node) + 1, text.before);
  else if (placement === "append") insertAt(plan.patches, valueTo(plan.tree, node) - 1, text.after);
}

/** The member `name` of the body holds the caller's own text, or is not there. */
export function placeInMember(
  plan: Plan,
  name: Name,
  text: SystemText,
  placement: Placement,
): Problem | null {
  const members = findMembers(plan.tree, ROOT, name);
  if (members.length === 0) plan.insertMember(name, text.alone);
  for (const node of members) {
    const kind = kindOf(plan.tree, node);
    if (kind === "null") plan.replace(node, text.alone);
    else if (kind === "string") placeInString(plan, node, text, placement);
    else return problem("invalid_request", `${name.text} must be a string.`, { field: name.text });
  }
  return null;
}
