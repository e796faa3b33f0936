// What the formats with a list of `messages` share: their scan, and the list itself.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { readCommon } from "./facts.ts";
import { textOf } from "./first-text.ts";
import { scanJson, type Field } from "./json-scan.ts";
import {
  findMember,
  findMembers,
  firstChild,
  kindOf,
  nameOf,
  NONE,
  ROOT,
  type Node,
  type Tree,
} from "./json-tree.ts";
import { contentOf, readTurns } from "./turns.ts";
import type { Scan } from "./wire.ts";

export const MESSAGES = nameOf("messages");

export function scanMessages(body: Uint8Array, fields: Field[]): Scan<Tree> | Problem {
  const tree = scanJson(body, fields);
  if (isProblem(tree)) return tree;
  const common = readCommon(tree);
  if (isProblem(common)) return common;
  const list = findMember(tree, ROOT, MESSAGES);
  const turns = list === NONE ? { firstUser: NONE, continues: false } : readTurns(tree, list);
  const content = turns.firstUser === NONE ? NONE : contentOf(tree, turns.firstUser);
  return {
    ...common,
    firstUserText: content === NONE ? null : textOf(tree, content),
    continues: turns.continues,
    previousResponse: null,
  };
}

/** A call site that sends nothing but the name of a prompt: the version's own messages are the conversation. */
export function saysNothing(tree: Tree): boolean {
  return findMembers(tree, ROOT, MESSAGES).every((node) => kindOf(tree, node) === "null");
}

/** While the list is still coming: examples go before the first message, and the rest of what a version says elsewhere. */
export function isPlaceForExamples(
  { spans: tree }: Scan<Tree>,
  { examples }: { examples: Uint8Array[] },
): boolean {
  const list = findMembers(tree, ROOT, MESSAGES).at(-1) ?? NONE;
  return examples.length === 0 || (list !== NONE && firstChild(tree, list) !== NONE);
}

/** Every `messages` of the body. An empty list is one; the provider says whether it will do. */
export function messageLists(tree: Tree): Node[] | Problem {
  const lists = findMembers(tree, ROOT, MESSAGES);
  if (lists.length > 0 && lists.every((list) => kindOf(tree, list) === "array")) return lists;
  return problem("invalid_request", "messages must be an array of messages.", { field: "messages" });
}
