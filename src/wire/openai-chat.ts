// Chat Completions: the system text is a message, in the role that the caller's own instructions have (newer models
// call it `developer`), examples stand behind the instructions. Also what every OpenAI-compatible provider speaks.

import { dataUrl, type MediaPart } from "../core/content-parts.ts";
import { isProblem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { JsonObject, Placement } from "../core/types.ts";
import { chatAnswers } from "./answer-openai.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf } from "./facts.ts";
import { findMember, findMembers, firstChild, NONE, ROOT, type Node, type Tree } from "./json-tree.ts";
import { joinBytes, jsonBytes, listBytes } from "./json-write.ts";
import { MESSAGES, messageLists, saysNothing, scanMessages } from "./messages.ts";
import { spoil, writeExamples, type PartWriter } from "./parts.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import type { Insertion, Patch } from "./splice.ts";
import { askForUsage, isAskSettled, isUsageOpen } from "./stream-usage.ts";
import { endOfLeading, instructionsIn, isDeveloper, ROLE } from "./turns.ts";
import type { FormatId, PrepareOptions, Scan, WireFormat } from "./wire.ts";

export type ChatPieces = {
  settings: Settings;
  placement: Placement;
  system: { asSystem: Uint8Array; asDeveloper: Uint8Array } | null;
  examples: Uint8Array[];
};

const FIELDS = fieldsOf({ messages: 4, reasoning: 1, response_format: 2, stream_options: 1 });
const AS_SYSTEM = encodeUtf8('{"role":"system","content":');
const AS_DEVELOPER = encodeUtf8('{"role":"developer","content":');
const CLOSE = encodeUtf8("}");

const PARTS: PartWriter = { text: (text) => ({ type: "text", text }), media: writeMedia };

function writeMedia({ kind, source, filename, detail }: MediaPart): JsonObject | string {
  if (kind === "image") {
    if (source.from === "id") return "an image_url";
    const url = source.from === "url" ? source.url : dataUrl(source);
    return { type: "image_url", image_url: { url, ...(detail !== null && { detail }) } };
  }
  if (source.from === "url") return "file_data or a file_id";
  if (source.from === "id") return { type: "file", file: { file_id: source.id } };
  const data = source.mediaType === null ? source.base64 : dataUrl(source);
  return { type: "file", file: { ...(filename !== null && { filename }), file_data: data } };
}

/** `format`: whose names the settings have, of those that take a chat. */
export function prepareChat(rendered: Rendered, options: PrepareOptions, format: FormatId): ChatPieces {
  const { system, placement } = rendered;
  const { items, refusal } = writeExamples(rendered, PARTS);
  return {
    settings: spoil(settingsFor(rendered, format, options), refusal),
    placement,
    system: system === null ? null : encodeRoles(jsonBytes(system)),
    examples: items.map((item) => jsonBytes(item)),
  };
}

/** The text is encoded once, for it may be long and differ with every request's variables. */
function encodeRoles(text: Uint8Array): ChatPieces["system"] {
  return {
    asSystem: joinBytes([AS_SYSTEM, text, CLOSE]),
    asDeveloper: joinBytes([AS_DEVELOPER, text, CLOSE]),
  };
}

function plan(scan: Scan<Tree>, prepared: ChatPieces): Patch[] | Problem {
  const { spans: tree } = scan;
  const changes = new Plan(tree);
  const refusal = changes.apply(askForUsage(prepared.settings, scan));
  if (refusal !== null) return refusal;
  const { system, examples } = prepared;
  const own = system === null ? examples : [system.asSystem, ...examples];
  if (own.length > 0 && saysNothing(tree)) {
    changes.setMember(MESSAGES, listBytes(own));
    return changes.finish();
  }
  const lists = messageLists(tree);
  if (isProblem(lists)) return lists;
  for (const list of lists) placeMessages(changes, list, prepared);
  return changes.finish();
}

function placeMessages(changes: Plan, list: Node, { system, examples, placement }: ChatPieces): void {
  const { tree } = changes;
  const first = firstChild(tree, list);
  const body = endOfLeading(tree, list);
  const insertions: Insertion[] = [];
  let removed: Node[] = [];
  if (system !== null) {
    const ours = first !== NONE && isDeveloper(tree, first) ? system.asDeveloper : system.asSystem;
    if (placement === "replace") removed = instructionsIn(tree, list);
    const isWanted = placement !== "if_absent" || instructionsIn(tree, list).length === 0;
    if (isWanted) insertions.push({ before: placement === "append" ? body : first, items: [ours] });
  }
  insertions.push({ before: body, items: examples });
  changes.editList(list, removed, insertions);
}

/** Of the item that is cut the role must be known. */
function isSettled(scan: Scan<Tree>, { settings, system, examples, placement }: ChatPieces): boolean {
  const { spans: tree } = scan;
  const list = findMembers(tree, ROOT, MESSAGES).at(-1) ?? NONE;
  if (list === NONE || (system !== null && placement === "replace")) return false;
  if (!isAskSettled(settings, scan)) return false;
  const hasRole = (item: Node) => item !== NONE && findMember(tree, item, ROLE) !== NONE;
  const needsBody = examples.length > 0 || (system !== null && placement === "append");
  if (needsBody && !hasRole(endOfLeading(tree, list))) return false;
  if (system === null) return true;
  return placement === "if_absent" ? instructionsIn(tree, list).length > 0 : hasRole(firstChild(tree, list));
}

export const openaiChat: WireFormat<Tree, ChatPieces> = defineFormat({
  id: "openai-chat",
  family: "openai",
  answers: chatAnswers,
  scan: (body) => scanMessages(body, FIELDS),
  shapes: ({ spans }) => shapesIn("openai-chat", spans, ROOT),
  leavesUsageOpen: isUsageOpen,
  prepare: (rendered, options) => prepareChat(rendered, options, "openai-chat"),
  plan,
  stream: { list: MESSAGES, watched: ROLE, isSettled },
});
