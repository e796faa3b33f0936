// Anthropic's Messages: the system text goes into the top-level `system`, a string or a list of blocks, in the form that
// the caller gave it, cache marks untouched; examples stand before the caller's messages. Messages of role `system` in
// the middle of a conversation are the caller's and stay.

import type { MediaPart } from "../core/content-parts.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { JsonObject, Placement } from "../core/types.ts";
import { anthropicAnswers } from "./answer-anthropic.ts";
import { placeInBlocks } from "./blocks.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf } from "./facts.ts";
import {
  findMember,
  findMembers,
  firstChild,
  kindOf,
  nameOf,
  NONE,
  readString,
  ROOT,
  type Tree,
} from "./json-tree.ts";
import { joinBytes, jsonBytes, listBytes } from "./json-write.ts";
import { isPlaceForExamples, MESSAGES, messageLists, saysNothing, scanMessages } from "./messages.ts";
import { spoil, writeExamples, type PartWriter } from "./parts.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import type { Patch } from "./splice.ts";
import { encodeSystem, placeInString, type SystemText } from "./system-text.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

type Prepared = {
  settings: Settings;
  placement: Placement;
  system: (SystemText & { block: Uint8Array }) | null;
  examples: Uint8Array[];
};

const SYSTEM = nameOf("system");
const FIELDS = fieldsOf({ messages: 4, system: 2, output_config: 2, output_format: 1 });
const TEXT = nameOf("text");
const ATTRIBUTION = "x-anthropic-billing-header";
const OPEN_BLOCK = encodeUtf8('{"type":"text","text":');
const CLOSE_BLOCK = encodeUtf8("}");

const PARTS: PartWriter = { text: (text) => ({ type: "text", text }), media: writeMedia };

/** `detail` is OpenAI's alone. Of files Anthropic takes PDFs as they are. */
function writeMedia({ kind, source, filename }: MediaPart): JsonObject | string {
  const type = kind === "image" ? "image" : "document";
  const title = kind === "file" && filename !== null ? { title: filename } : {};
  if (source.from === "url") return { type, source: { type: "url", url: source.url }, ...title };
  if (source.from === "id") return { type, source: { type: "file", file_id: source.id }, ...title };
  const { mediaType, base64 } = source;
  if (mediaType === null) return "a data URL that names the type of its data";
  if (kind === "file" && mediaType !== "application/pdf") return "a PDF, or its text as input_text";
  return { type, source: { type: "base64", media_type: mediaType, data: base64 }, ...title };
}

function scan(body: Uint8Array): Scan<Tree> | Problem {
  const found = scanMessages(body, FIELDS);
  return !isProblem(found) && isAttributed(found.spans) ? { ...found, isAttributed: true } : found;
}

/** Claude Code says in a first system block of its own which version of it asks. */
function isAttributed(tree: Tree): boolean {
  const system = findMember(tree, ROOT, SYSTEM);
  const first = system === NONE || kindOf(tree, system) !== "array" ? NONE : firstChild(tree, system);
  const text = first === NONE ? NONE : findMember(tree, first, TEXT);
  return text !== NONE && readString(tree, text)?.startsWith(ATTRIBUTION) === true;
}

function prepare(rendered: Rendered, options: PrepareOptions): Prepared {
  const { system, placement } = rendered;
  const { items, refusal } = writeExamples(rendered, PARTS);
  return {
    settings: spoil(settingsFor(rendered, "anthropic-messages", options), refusal),
    placement,
    system: system === null ? null : withBlock(encodeSystem(system)),
    examples: items.map((item) => jsonBytes(item)),
  };
}

/** The text is encoded once, for it may be long and differ with every request's variables. */
function withBlock(text: SystemText): Prepared["system"] {
  return { ...text, block: joinBytes([OPEN_BLOCK, text.alone, CLOSE_BLOCK]) };
}

function plan({ spans: tree }: Scan<Tree>, prepared: Prepared): Patch[] | Problem {
  const changes = new Plan(tree);
  const refusal = changes.apply(prepared.settings) ?? placeSystem(changes, prepared);
  if (refusal !== null) return refusal;
  if (prepared.examples.length > 0 && saysNothing(tree)) {
    changes.setMember(MESSAGES, listBytes(prepared.examples));
    return changes.finish();
  }
  const lists = messageLists(tree);
  if (isProblem(lists)) return lists;
  for (const list of lists) {
    changes.editList(list, [], [{ before: firstChild(tree, list), items: prepared.examples }]);
  }
  return changes.finish();
}

function placeSystem(changes: Plan, { settings, system, placement }: Prepared): Problem | null {
  if (system === null || settings.owned.has(SYSTEM.text)) return null;
  const { tree } = changes;
  const members = findMembers(tree, ROOT, SYSTEM);
  if (members.length === 0) changes.insertMember(SYSTEM, system.alone);
  for (const node of members) {
    const kind = kindOf(tree, node);
    if (kind === "null") changes.replace(node, system.alone);
    else if (kind === "string") placeInString(changes, node, system, placement);
    else if (kind === "array") placeInBlocks(changes, node, system.block, placement);
    else
      return problem("invalid_request", "system must be a string or an array of blocks.", {
        field: "system",
      });
  }
  return null;
}

export const anthropicMessages: WireFormat<Tree, Prepared> = defineFormat<Tree, Prepared>({
  id: "anthropic-messages",
  family: "anthropic",
  answers: anthropicAnswers,
  scan,
  shapes: ({ spans }) => shapesIn("anthropic-messages", spans, ROOT),
  prepare,
  plan,
  stream: { list: MESSAGES, watched: null, isSettled: isPlaceForExamples },
});
