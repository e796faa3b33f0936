// Bedrock's Converse: the system text is a block of `system`, a list that stays one, cache points and guarded blocks
// untouched; examples stand before the caller's messages. The model stands in the path and whether the answer streams is
// the path's to say. What one model alone takes goes through `provider_params.bedrock`.

import type { MediaPart } from "../core/content-parts.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { JsonObject, Placement } from "../core/types.ts";
import { converseAnswers } from "./answer-bedrock.ts";
import { placeInBlocks } from "./blocks.ts";
import { defineFormat } from "./define-format.ts";
import { fieldsOf, firstTextIn } from "./facts.ts";
import { findMember, findMembers, firstChild, kindOf, nameOf, ROOT, type Tree } from "./json-tree.ts";
import { jsonBytes, listBytes } from "./json-write.ts";
import { isPlaceForExamples, MESSAGES, messageLists, saysNothing, scanMessages } from "./messages.ts";
import { spoil, writeExamples, type PartWriter } from "./parts.ts";
import { Plan } from "./plan.ts";
import { settingsFor, type Settings } from "./settings.ts";
import { shapesIn } from "./shapes.ts";
import type { Patch } from "./splice.ts";
import type { PrepareOptions, Scan, WireFormat } from "./wire.ts";

export type Prepared = {
  settings: Settings;
  placement: Placement;
  block: Uint8Array | null;
  examples: Uint8Array[];
};

const SYSTEM = nameOf("system");
const METADATA = nameOf("requestMetadata");
const SESSION_NAMES = ["session_id", "sessionId", "conversation_id", "conversationId"].map(nameOf);
const USER_NAMES = ["user_id", "userId", "user"].map(nameOf);
const FIELDS = fieldsOf({
  messages: 4,
  system: 1,
  requestMetadata: 1,
  inferenceConfig: 1,
  toolConfig: 4,
  outputConfig: 4,
  serviceTier: 1,
});

function scan(body: Uint8Array): Scan<Tree> | Problem {
  const found = scanMessages(body, FIELDS);
  if (isProblem(found)) return found;
  const metadata = findMember(found.spans, ROOT, METADATA);
  return {
    ...found,
    conversationKey: firstTextIn(found.spans, metadata, SESSION_NAMES) ?? found.conversationKey,
    userKey: firstTextIn(found.spans, metadata, USER_NAMES) ?? found.userKey,
  };
}

const PARTS: PartWriter = { text: (text) => ({ text }), media: writeMedia };

const IMAGE_TYPES = /^image\/(png|jpeg|gif|webp)$/;
const DOCUMENT_FORMATS: { readonly [mediaType: string]: string } = {
  "application/pdf": "pdf",
  "text/plain": "txt",
  "text/csv": "csv",
  "text/html": "html",
  "text/markdown": "md",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
};

/** Bedrock takes bytes, or an object of the customer's in S3. */
function writeMedia({ kind, source, filename, variable }: MediaPart): JsonObject | string {
  if (source.from !== "data") return "its data, as a data URL";
  const { mediaType, base64 } = source;
  if (mediaType === null) return "a data URL that names the type of its data";
  if (kind === "image") {
    const format = IMAGE_TYPES.exec(mediaType)?.[1];
    if (format === undefined) return "a PNG, JPEG, GIF or WebP";
    return { image: { format, source: { bytes: base64 } } };
  }
  const format = Object.hasOwn(DOCUMENT_FORMATS, mediaType) ? DOCUMENT_FORMATS[mediaType]! : null;
  if (format === null) return "a PDF, a text or an Office document";
  return { document: { format, name: documentName(filename ?? variable), source: { bytes: base64 } } };
}

/** Letters, digits, single spaces, hyphens and brackets are all that Bedrock takes in a document's name. */
function documentName(filename: string): string {
  return filename
    .replace(/[^A-Za-z0-9()[\] -]/g, "-")
    .replace(/ {2,}/g, " ")
    .slice(0, 200);
}

function prepare(rendered: Rendered, options: PrepareOptions): Prepared {
  const { system, placement } = rendered;
  const { items, refusal } = writeExamples(rendered, PARTS);
  return {
    settings: spoil(settingsFor(rendered, "bedrock-converse", options), refusal),
    placement,
    block: system === null ? null : jsonBytes({ text: system }),
    examples: items.map(({ role, content }) =>
      jsonBytes({ role, content: typeof content === "string" ? [{ text: content }] : content }),
    ),
  };
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

function placeSystem(changes: Plan, { settings, block, placement }: Prepared): Problem | null {
  if (block === null || settings.owned.has(SYSTEM.text)) return null;
  const { tree } = changes;
  const members = findMembers(tree, ROOT, SYSTEM);
  if (members.length === 0) changes.insertMember(SYSTEM, listBytes([block]));
  for (const node of members) {
    const kind = kindOf(tree, node);
    if (kind === "null") changes.replace(node, listBytes([block]));
    else if (kind === "array") placeInBlocks(changes, node, block, placement);
    else return problem("invalid_request", "system must be an array of blocks.", { field: "system" });
  }
  return null;
}

export const bedrockConverse: WireFormat<Tree, Prepared> = defineFormat<Tree, Prepared>({
  id: "bedrock-converse",
  family: "bedrock",
  answers: converseAnswers,
  scan,
  shapes: ({ spans }) => shapesIn("bedrock-converse", spans, ROOT),
  prepare,
  plan,
  stream: { list: MESSAGES, watched: null, isSettled: isPlaceForExamples },
});
