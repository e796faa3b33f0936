// What a request says about itself, the same in every format: which prompt it names, its variables, and the fields
// that stickiness may be keyed on (contract §2.2).

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Json, JsonObject } from "../core/types.ts";
import {
  findMember,
  kindOf,
  nameOf,
  NONE,
  readJson,
  readString,
  ROOT,
  type Name,
  type Node,
  type Tree,
} from "./json-tree.ts";
import type { Field } from "./json-scan.ts";
import type { Scan } from "./wire.ts";

type Common = Omit<Scan<Tree>, "firstUserText" | "continues" | "previousResponse">;

const PROMPT = nameOf("prompt");
const PROMPT_VARIABLES = nameOf("prompt_variables");
const MODEL = nameOf("model");
const STREAM = nameOf("stream");
const METADATA = nameOf("metadata");
const USER_ID = nameOf("user_id");
const SESSION_NAMES = ["session_id", "conversation_id"].map(nameOf);
const USER_NAMES = ["user", "safety_identifier", "prompt_cache_key"].map(nameOf);
const LOOKALIKES = ["prompt_id", "promptId"].map(nameOf);

/** A signed 32-bit number of versions is plenty; longer digits are nobody's version. */
const VERSION_PATTERN = /^[1-9]\d{0,8}$/;

/** Claude Code packs a session into its user id: `user_…_account_…_session_{id}`, since 2.1.78 as a JSON text. */
const PACKED_SESSION = /^(.*?)_session_([A-Za-z0-9-]+)$/s;

/** What every format's scan looks into: values and how many levels below them. */
export function fieldsOf(depths: { [name: string]: number }): Field[] {
  return Object.entries({ metadata: 1, tools: 3, ...depths }).map(([name, depth]) => ({
    name: nameOf(name).bytes,
    depth,
  }));
}

export function readCommon(tree: Tree): Common | Problem {
  const promptField = readPromptField(tree);
  if (isProblem(promptField)) return promptField;
  const variables = findMember(tree, ROOT, PROMPT_VARIABLES);
  if (variables !== NONE && !["object", "null"].includes(kindOf(tree, variables))) {
    return refuse("prompt_variables", "prompt_variables must be an object of names and values.");
  }
  const stream = findMember(tree, ROOT, STREAM);
  const metadata = findMember(tree, ROOT, METADATA);
  const packed = unpackUser(textIn(tree, metadata, USER_ID));
  return {
    body: tree.body,
    promptField,
    promptVariables: variables === NONE ? null : (readJson(tree, variables) as JsonObject | null),
    model: readString(tree, findMember(tree, ROOT, MODEL)),
    stream: stream !== NONE && kindOf(tree, stream) === "true",
    conversationKey:
      firstTextIn(tree, metadata, SESSION_NAMES) ?? firstTextIn(tree, ROOT, SESSION_NAMES) ?? packed.session,
    userKey: firstTextIn(tree, ROOT, USER_NAMES) ?? packed.user,
    spans: tree,
  };
}

/** A string that says something: an empty one is nobody's key. */
export function textIn(tree: Tree, parent: Node, name: Name): string | null {
  if (parent === NONE) return null;
  const text = readString(tree, findMember(tree, parent, name));
  return text === "" ? null : text;
}

export function firstTextIn(tree: Tree, parent: Node, names: Name[]): string | null {
  for (const name of names) {
    const text = textIn(tree, parent, name);
    if (text !== null) return text;
  }
  return null;
}

function unpackUser(userId: string | null): { user: string | null; session: string | null } {
  if (userId === null) return { user: null, session: null };
  const packed = userId.startsWith("{") ? parseObject(userId) : null;
  if (packed !== null && typeof packed["session_id"] === "string") {
    const user = [packed["account_uuid"], packed["device_id"]].find(
      (id) => typeof id === "string" && id !== "",
    );
    return { user: (user as string | undefined) ?? userId, session: packed["session_id"] || null };
  }
  const match = PACKED_SESSION.exec(userId);
  return match === null
    ? { user: userId, session: null }
    : { user: match[1] || userId, session: match[2] ?? null };
}

export function parseObject(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** OpenAI's prompt object. Text under the name `prompt` is another API's and says nothing. */
function readPromptField(tree: Tree): Scan["promptField"] | Problem {
  for (const name of LOOKALIKES) {
    if (findMember(tree, ROOT, name) !== NONE) return refuseLookalike(name.text);
  }
  const node = findMember(tree, ROOT, PROMPT);
  if (node === NONE || kindOf(tree, node) !== "object") return null;
  const { id, version = null, variables = null, ...rest } = readJson(tree, node) as JsonObject;
  for (const { text } of LOOKALIKES) {
    if (Object.hasOwn(rest, text)) return refuseLookalike(`prompt.${text}`);
  }
  if (typeof id !== "string" || id === "")
    return refuse("prompt.id", "prompt.id must be the name of a prompt.");
  if (version !== null && !(isVersion(version) && VERSION_PATTERN.test(String(version)))) {
    return refuse("prompt.version", 'prompt.version must be a version number such as 3 or "3".');
  }
  if (variables !== null && (typeof variables !== "object" || Array.isArray(variables))) {
    return refuse("prompt.variables", "prompt.variables must be an object of names and values.");
  }
  return { id, version: version === null ? null : Number(version), variables };
}

function refuseLookalike(field: string): Problem {
  return refuse(field, `${field} names no prompt. Name it as prompt.id: {"prompt": {"id": "…"}}.`);
}

function isVersion(value: Json): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function refuse(field: string, message: string): Problem {
  return problem("invalid_request", message, { field });
}
