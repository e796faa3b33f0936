// Gemini's generateContent, by itself or on Vertex AI: the system text is a part of `systemInstruction`, beside the
// caller's own parts; examples stand before the caller's `contents`. The model stands in the path. A request that runs
// on cached content takes no system text, tools or choice of a tool: Google answers 400, so it is refused here, by name.

import type { MediaPart } from "../core/content-parts.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import { encodeUtf8 } from "../core/text.ts";
import type { JsonObject, Placement } from "../core/types.ts";
import { defineFormat } from "./define-format.ts";
import { geminiAnswers } from "./answer-gemini.ts";
import { checkCache, targetsOf, wrapCount } from "./gemini-request.ts";
import { requestIn, scanGemini, type GeminiSpans } from "./gemini-scan.ts";
import { googleName } from "./gemini-names.ts";
import { mergeGeminiTools } from "./gemini-tools.ts";
import {
  findMember,
  findMembers,
  firstChild,
  kindOf,
  NONE,
  ROOT,
  valueFrom,
  valueTo,
  type Node,
} from "./json-tree.ts";
import { joinBytes, jsonBytes, listBytes } from "./json-write.ts";
import { spoil, writeExamples, type PartWriter } from "./parts.ts";
import type { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import type { Patch } from "./splice.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

export type GeminiPieces = {
  settings: Settings;
  count: boolean;
  placement: Placement;
  /** `{"text":…}`, and a whole content with it. */
  system: { part: Uint8Array; alone: Uint8Array } | null;
  examples: Uint8Array[];
};

const CONTENTS = googleName("contents");
const SYSTEM = googleName("systemInstruction");
const PARTS = googleName("parts");
const OPEN_PARTS = encodeUtf8('{"parts":[');
const CLOSE_PARTS = encodeUtf8("]}");

const WRITER: PartWriter = { text: (text) => ({ text }), media: writeMedia };

function writeMedia({ source }: MediaPart): JsonObject | string {
  if (source.from === "url") return { fileData: { fileUri: source.url } };
  if (source.from === "id") return "the URI of the file as a URL, or its data";
  const { mediaType, base64 } = source;
  if (mediaType === null) return "a data URL that names the type of its data";
  return { inlineData: { mimeType: mediaType, data: base64 } };
}

function prepare(rendered: Rendered, options: PrepareOptions): GeminiPieces {
  const { system, placement } = rendered;
  const { items, refusal } = writeExamples(rendered, WRITER);
  return {
    settings: spoil(settingsFor(rendered, "gemini", options), refusal),
    count: options.count,
    placement,
    system: system === null ? null : encodeText(system),
    examples: items.map(({ role, content }) =>
      jsonBytes({
        role: role === "assistant" ? "model" : role,
        parts: Array.isArray(content) ? content : [{ text: content }],
      }),
    ),
  };
}

function encodeText(text: string): GeminiPieces["system"] {
  const part = jsonBytes({ text });
  return { part, alone: joinBytes([OPEN_PARTS, part, CLOSE_PARTS]) };
}

function plan(scan: Scan<GeminiSpans>, prepared: GeminiPieces): Patch[] | Problem {
  const place = targetsOf(scan.spans, prepared);
  if (isProblem(place)) return place;
  const { changes, targets } = place;
  const refusal = changes.applySettings(prepared.settings, targets);
  if (refusal !== null) return refusal;
  for (const target of targets) {
    const problemThere =
      checkCache(scan.spans, target, prepared) ??
      placeSystem(changes, target, prepared) ??
      mergeGeminiTools(changes, target, prepared.settings) ??
      placeExamples(changes, target, prepared);
    if (problemThere !== null) return problemThere;
  }
  wrapCount(place, scan.spans, prepared);
  return changes.finish();
}

function placeSystem(
  changes: Plan,
  target: Node,
  { settings, system, placement }: GeminiPieces,
): Problem | null {
  if (system === null || settings.owned.has(SYSTEM.text)) return null;
  const { tree } = changes;
  const members = findMembers(tree, target, SYSTEM);
  if (members.length === 0) changes.insertMember(SYSTEM, system.alone, target);
  for (const node of members) {
    const kind = kindOf(tree, node);
    if (kind === "null") changes.replace(node, system.alone);
    else if (kind === "string") placeBesideText(changes, node, system, placement);
    else if (kind === "object") {
      const refusal = placeInParts(changes, node, system.part, placement);
      if (refusal !== null) return refusal;
    } else {
      return refuse("systemInstruction", "systemInstruction must be a content with parts.");
    }
  }
  return null;
}

/** A bare text is no content to Google, though some SDKs take one; as a part it is. An empty one is none. */
function placeBesideText(
  changes: Plan,
  node: Node,
  { part, alone }: NonNullable<GeminiPieces["system"]>,
  placement: Placement,
): void {
  const isEmpty = valueTo(changes.tree, node) - valueFrom(changes.tree, node) === 2;
  if (placement === "replace" || isEmpty) changes.replace(node, alone);
  else if (placement === "prepend")
    changes.enclose(node, [OPEN_PARTS, part, encodeUtf8(',{"text":')], [CLOSE_TEXT]);
  else if (placement === "append") changes.enclose(node, [OPEN_TEXT], [encodeUtf8("},"), part, CLOSE_PARTS]);
}

const OPEN_TEXT = encodeUtf8('{"parts":[{"text":');
const CLOSE_TEXT = encodeUtf8("}]}");

function placeInParts(changes: Plan, content: Node, part: Uint8Array, placement: Placement): Problem | null {
  const { tree } = changes;
  const members = findMembers(tree, content, PARTS);
  if (members.length === 0) changes.insertMember(PARTS, listBytes([part]), content);
  for (const node of members) {
    const kind = kindOf(tree, node);
    if (kind !== "array" && kind !== "object" && kind !== "null") {
      return refuse("systemInstruction.parts", "systemInstruction.parts must be an array of parts.");
    }
    const isEmpty = kind === "null" || (kind === "array" && firstChild(tree, node) === NONE);
    if (isEmpty || placement === "replace") changes.replace(node, listBytes([part]));
    else if (placement !== "if_absent") changes.addToList(node, [part], placement);
  }
  return null;
}

/** Without a word of the caller's, the version's own are the conversation. */
function placeExamples(changes: Plan, target: Node, { examples }: GeminiPieces): Problem | null {
  const kinds = findMembers(changes.tree, target, CONTENTS).map((node) => ({
    node,
    kind: kindOf(changes.tree, node),
  }));
  if (kinds.length === 0 && examples.length > 0) {
    changes.insertMember(CONTENTS, listBytes(examples), target);
  }
  for (const { node, kind } of kinds) {
    if (kind === "null" && examples.length > 0) changes.replace(node, listBytes(examples));
    else if ((kind === "array" || kind === "object") && examples.length > 0)
      changes.addToList(node, examples, "prepend");
  }
  const last = kinds.at(-1)?.kind ?? "null";
  if (last === "array" || last === "object" || (last === "null" && examples.length > 0)) return null;
  return refuse("contents", "contents must be an array of contents.");
}

function refuse(field: string, message: string): Problem {
  return problem("invalid_request", message, { field });
}

/** Examples stand before the first content. Counts wrap the body in another. */
function isSettled({ spans: { tree } }: Scan<GeminiSpans>, { examples, count }: GeminiPieces): boolean {
  const list = findMember(tree, ROOT, CONTENTS);
  return !count && list !== NONE && (examples.length === 0 || firstChild(tree, list) !== NONE);
}

export const gemini: WireFormat<GeminiSpans, GeminiPieces> = defineFormat({
  id: "gemini",
  family: "gemini",
  answers: geminiAnswers,
  scan: scanGemini,
  shapes: ({ spans: { tree } }) => shapesIn("gemini", tree, requestIn(tree)),
  prepare,
  plan,
  stream: { list: CONTENTS, watched: null, isSettled },
});
