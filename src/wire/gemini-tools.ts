// A version's tools among the caller's. Google wants the functions of a request in one tool, so the version's go first
// into the caller's first tool that declares functions; the caller's of the same name go, and a tool that is left with
// nothing goes with them. What a provider has beside functions (`googleSearch`, …) is a tool of its own.

import { problem, type Problem } from "../core/problem.ts";
import { googleName } from "./gemini-names.ts";
import {
  findMember,
  findMembers,
  firstChild,
  isText,
  kindOf,
  nameOf,
  nextSibling,
  NONE,
  type Name,
  type Node,
  type Tree,
} from "./json-tree.ts";
import { joinBytes, listBytes, objectBytes } from "./json-write.ts";
import type { Plan } from "./plan.ts";
import type { Settings } from "./settings.ts";

const TOOLS = nameOf("tools");
const DECLARATIONS = googleName("functionDeclarations");
const NAME = nameOf("name");

export function mergeGeminiTools(changes: Plan, target: Node, { tools, owned }: Settings): Problem | null {
  if (tools.items.length + tools.declarations.length === 0 || owned.has(TOOLS.text)) return null;
  const { tree } = changes;
  const members = findMembers(tree, target, TOOLS);
  const alone = [...declare(tools), ...tools.items];
  if (members.length === 0) changes.insertMember(TOOLS, listBytes(alone), target);
  for (const node of members) {
    const kind = kindOf(tree, node);
    if (kind === "null" || (kind === "array" && firstChild(tree, node) === NONE)) {
      changes.replace(node, listBytes(alone));
    } else if (kind === "array" || kind === "object") {
      mergeInto(changes, node, tools);
    } else {
      return problem("invalid_request", "tools must be an array.", { field: "tools" });
    }
  }
  return null;
}

function declare({ declarations }: Settings["tools"]): Uint8Array[] {
  if (declarations.length === 0) return [];
  return [objectBytes([joinBytes([DECLARATIONS.prefix, listBytes(declarations)])])];
}

function mergeInto(changes: Plan, list: Node, tools: Settings["tools"]): void {
  const { tree } = changes;
  const callers = kindOf(tree, list) === "array" ? childrenOf(tree, list) : [list];
  const host =
    tools.declarations.length === 0 ? undefined : callers.find((tool) => listsIn(tree, tool).length > 0);
  const removed = callers.filter((tool) => thinOut(changes, tool, tools, tool === host));
  const items = [...(host === undefined ? declare(tools) : []), ...tools.items];
  if (kindOf(tree, list) === "array") {
    changes.editList(list, removed, [{ before: firstChild(tree, list), items }]);
  } else if (removed.length > 0) {
    changes.replace(list, listBytes(items));
  } else if (items.length > 0) {
    changes.addToList(list, items, "prepend");
  }
}

/** Lists of functions, or single ones in their place. Of a name that stands twice the last is what is read. */
function listsIn(tree: Tree, tool: Node): Node[] {
  if (kindOf(tree, tool) !== "object") return [];
  const members = findMembers(tree, tool, DECLARATIONS);
  const lists = members.filter((node) => ["array", "object"].includes(kindOf(tree, node)));
  return lists.at(-1) === members.at(-1) ? lists : [];
}

/** Takes out of a tool of the caller's what the version has, and puts its functions into the host; true: nothing is left. */
function thinOut(changes: Plan, tool: Node, tools: Settings["tools"], isHost: boolean): boolean {
  const { tree } = changes;
  if (kindOf(tree, tool) !== "object") return false;
  const lists = listsIn(tree, tool);
  const last = lists.at(-1);
  // One that is taken out must not uncover another of its name.
  const isCovered = !isHost && last !== undefined && isAllOurs(tree, last, tools.declared);
  const dropped = tools.keys.flatMap((key) => findMembers(tree, tool, key));
  if (isCovered) dropped.push(...findMembers(tree, tool, DECLARATIONS));
  else for (const list of lists) thinOutList(changes, list, tools, isHost);
  if (dropped.length > 0 && dropped.length === childrenOf(tree, tool).length) return true;
  for (const member of dropped) changes.removeMember(member, tool);
  return false;
}

function thinOutList(changes: Plan, list: Node, tools: Settings["tools"], isHost: boolean): void {
  const { tree } = changes;
  const items = isHost ? tools.declarations : [];
  if (isHost && isAllOurs(tree, list, tools.declared)) {
    changes.replace(list, listBytes(items));
  } else if (kindOf(tree, list) === "array") {
    const same = childrenOf(tree, list).filter((declaration) => isOneOf(tree, declaration, tools.declared));
    changes.editList(list, same, [{ before: firstChild(tree, list), items }]);
  } else if (isHost) {
    changes.addToList(list, items, "prepend");
  }
}

/** Nothing is left of it once what the version has is out. */
function isAllOurs(tree: Tree, list: Node, names: readonly Name[]): boolean {
  const declared = kindOf(tree, list) === "array" ? childrenOf(tree, list) : [list];
  return declared.length > 0 && declared.every((declaration) => isOneOf(tree, declaration, names));
}

function isOneOf(tree: Tree, declaration: Node, names: readonly Name[]): boolean {
  const name = findMember(tree, declaration, NAME);
  return name !== NONE && names.some((own) => isText(tree, name, own));
}

function childrenOf(tree: Tree, parent: Node): Node[] {
  const found: Node[] = [];
  for (let node = firstChild(tree, parent); node !== NONE; node = nextSibling(tree, parent, node))
    found.push(node);
  return found;
}
