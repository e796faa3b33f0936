// What a Gemini request says about itself. A content without a role is the user's; Vertex AI's `labels` are the only
// place in which it may name a session or a user. A count of tokens may hold the request that it counts for.

import { isProblem, type Problem } from "../core/problem.ts";
import { fieldsOf, readCommon, textIn as textAt } from "./facts.ts";
import { textIn } from "./first-text.ts";
import { googleName } from "./gemini-names.ts";
import { scanJson } from "./json-scan.ts";
import {
  findMember,
  firstChild,
  isText,
  kindOf,
  nameOf,
  nextSibling,
  NONE,
  ROOT,
  type Node,
  type Tree,
} from "./json-tree.ts";
import type { Resource, Scan } from "./wire.ts";

/** `resource`: the model as the path names it; null: unknown. */
export type GeminiSpans = { tree: Tree; resource: Resource | null };

export const GENERATE = googleName("generateContentRequest");
const CONTENTS = nameOf("contents");
const LABELS = nameOf("labels");
const ROLE = nameOf("role");
const MODEL = nameOf("model");
const USER = nameOf("user");
const PARTS = nameOf("parts");
const TEXT = nameOf("text");
const SESSION_LABELS = [nameOf("session_id"), nameOf("conversation_id")];
const USER_LABELS = [nameOf("user_id"), nameOf("user")];
const DEPTHS = {
  contents: 4,
  tools: 4,
  systemInstruction: 2,
  system_instruction: 2,
  generationConfig: 2,
  generation_config: 2,
  toolConfig: 1,
  tool_config: 1,
  labels: 1,
  generateContentRequest: 5,
  generate_content_request: 5,
};
const FIELDS = fieldsOf(DEPTHS);

export function scanGemini(body: Uint8Array, resource: Resource | null = null): Scan<GeminiSpans> | Problem {
  const tree = scanJson(body, FIELDS);
  if (isProblem(tree)) return tree;
  const common = readCommon(tree);
  if (isProblem(common)) return common;
  const request = requestIn(tree);
  const labels = findMember(tree, request, LABELS);
  const { firstUser, continues } = readContents(tree, findMember(tree, request, CONTENTS));
  return {
    ...common,
    conversationKey: common.conversationKey ?? firstLabel(tree, labels, SESSION_LABELS),
    userKey: common.userKey ?? firstLabel(tree, labels, USER_LABELS),
    firstUserText: firstUser === NONE ? null : textOfContent(tree, firstUser),
    continues,
    previousResponse: null,
    spans: { tree, resource },
  };
}

/** The request itself, or the one that a count of tokens is for. */
export function requestIn(tree: Tree): Node {
  if (findMember(tree, ROOT, CONTENTS) !== NONE) return ROOT;
  const nested = findMember(tree, ROOT, GENERATE);
  return nested !== NONE && kindOf(tree, nested) === "object" ? nested : ROOT;
}

function firstLabel(tree: Tree, labels: Node, names: typeof SESSION_LABELS): string | null {
  for (const name of names) {
    const text = textAt(tree, labels, name);
    if (text !== null) return text;
  }
  return null;
}

/** A turn of the model with something behind it makes this a later one; a single content may stand for a list. */
function readContents(tree: Tree, contents: Node): { firstUser: Node; continues: boolean } {
  if (contents === NONE) return { firstUser: NONE, continues: false };
  if (kindOf(tree, contents) === "object") {
    return { firstUser: isUsers(tree, contents) ? contents : NONE, continues: false };
  }
  let firstUser = NONE;
  let hasModel = false;
  let continues = false;
  for (let item = firstChild(tree, contents); item !== NONE; item = nextSibling(tree, contents, item)) {
    if (hasModel) continues = true;
    const role = findMember(tree, item, ROLE);
    if (role !== NONE && isText(tree, role, MODEL)) hasModel = true;
    else if (firstUser === NONE && isUsers(tree, item)) firstUser = item;
    if (continues && firstUser !== NONE) break;
  }
  return { firstUser, continues };
}

function isUsers(tree: Tree, content: Node): boolean {
  if (kindOf(tree, content) !== "object") return false;
  const role = findMember(tree, content, ROLE);
  return role === NONE || kindOf(tree, role) === "null" || isText(tree, role, USER);
}

function textOfContent(tree: Tree, content: Node): string | null {
  const parts = findMember(tree, content, PARTS);
  if (parts === NONE) return null;
  const strings: Node[] = [];
  const isList = kindOf(tree, parts) === "array";
  for (
    let part = isList ? firstChild(tree, parts) : parts;
    part !== NONE;
    part = isList ? nextSibling(tree, parts, part) : NONE
  ) {
    const text = findMember(tree, part, TEXT);
    if (text !== NONE && kindOf(tree, text) === "string") strings.push(text);
  }
  return textIn(tree, isList ? parts : content, strings);
}
