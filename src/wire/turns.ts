// Reads a list of messages: who speaks first, whether this is a later turn, which of them instruct. One row of the
// scan's table a message; nothing is decoded.

import {
  findMember,
  firstChild,
  isText,
  kindOf,
  nameOf,
  nextSibling,
  NONE,
  type Node,
  type Tree,
} from "./json-tree.ts";

export const ROLE = nameOf("role");
const TYPE = nameOf("type");
const CONTENT = nameOf("content");
const SYSTEM = nameOf("system");
const DEVELOPER = nameOf("developer");
const USER = nameOf("user");
const ASSISTANT = nameOf("assistant");
const MESSAGE = nameOf("message");

/** Items of a Responses input that say nothing about turns before. */
const TURNLESS = ["additional_tools", "configuration_update", "compaction_trigger"].map(nameOf);

export type Turns = {
  /** The first message of a user; NONE without one. */
  firstUser: Node;
  /** An assistant turn with something behind it (a trailing one is a prefill), or a trace of one. */
  continues: boolean;
};

export function isDeveloper(tree: Tree, message: Node): boolean {
  const role = findMember(tree, message, ROLE);
  return role !== NONE && isText(tree, role, DEVELOPER);
}

/** A message of role `system` or `developer`. */
export function isInstruction(tree: Tree, message: Node): boolean {
  const role = findMember(tree, message, ROLE);
  return role !== NONE && (isText(tree, role, SYSTEM) || isText(tree, role, DEVELOPER));
}

export function readTurns(tree: Tree, list: Node): Turns {
  let firstUser = NONE;
  let hasAssistant = false;
  let continues = false;
  for (let item = firstChild(tree, list); item !== NONE; item = nextSibling(tree, list, item)) {
    if (hasAssistant) continues = true;
    const role = findMember(tree, item, ROLE);
    if (role === NONE) {
      if (isTrace(tree, item)) continues = true;
    } else if (isText(tree, role, ASSISTANT)) {
      hasAssistant = true;
    } else if (firstUser === NONE && isText(tree, role, USER)) {
      firstUser = item;
    }
    if (continues && firstUser !== NONE) break;
  }
  return { firstUser, continues };
}

/** An item of an earlier turn that is no message: a tool call and its output, reasoning, a reference, … */
function isTrace(tree: Tree, item: Node): boolean {
  const type = findMember(tree, item, TYPE);
  if (type === NONE || kindOf(tree, type) !== "string" || isText(tree, type, MESSAGE)) return false;
  return !TURNLESS.some((name) => isText(tree, type, name));
}

export function contentOf(tree: Tree, message: Node): Node {
  return findMember(tree, message, CONTENT);
}

/** The first message that does not instruct; NONE: all of them do. */
export function endOfLeading(tree: Tree, list: Node): Node {
  let item = firstChild(tree, list);
  while (item !== NONE && isInstruction(tree, item)) item = nextSibling(tree, list, item);
  return item;
}

export function instructionsIn(tree: Tree, list: Node): Node[] {
  const found: Node[] = [];
  for (let item = firstChild(tree, list); item !== NONE; item = nextSibling(tree, list, item)) {
    if (isInstruction(tree, item)) found.push(item);
  }
  return found;
}
