// What a request says about itself, read off the parsed body: the yardstick for every format's scan.

import type { Json, JsonObject } from "../../src/core/types.ts";
import type { FormatId, Scan } from "../../src/wire/wire.ts";
import { isPlain } from "./reference.ts";
import { kindOfRun } from "./reference-workers-ai.ts";

export type Facts = Omit<Scan, "body" | "spans">;

/** Stands for the fingerprint of a first message without text. */
export const SOME_FINGERPRINT = "(fingerprint)";

export function factsOf(body: JsonObject, format: FormatId): Facts {
  if (format === "gemini") return geminiFacts(body);
  if (format === "workers-ai") {
    const kind = kindOfRun(body);
    const facts = factsOf(body, kind === "responses" ? "openai-responses" : "openai-chat");
    return kind === null ? { ...facts, passes: true } : facts;
  }
  const { prompt = null, metadata: given = null, conversation = null } = body;
  const metadata = isPlain(given) ? given : {};
  const [packedUser, packedSession] = unpack(text(metadata["user_id"]));
  const named = text(conversation) ?? (isPlain(conversation) ? text(conversation["id"]) : null);
  const previous = format === "openai-responses" ? (body["previous_response_id"] ?? null) : null;
  const isThreaded = format === "openai-responses" && (previous ?? conversation) !== null;
  const list = body[format === "openai-responses" ? "input" : "messages"] ?? null;
  const messages = Array.isArray(list) ? list : [];
  const request = format === "bedrock-converse" ? (body["requestMetadata"] ?? null) : null;
  const labels = isPlain(request) ? request : {};
  return {
    promptField: isPlain(prompt) ? readPrompt(prompt) : null,
    promptVariables: (body["prompt_variables"] ?? null) as JsonObject | null,
    model: typeof body["model"] === "string" ? body["model"] : null,
    stream: body["stream"] === true,
    conversationKey:
      text(labels["session_id"]) ??
      text(labels["conversationId"]) ??
      (format === "openai-responses" ? named : null) ??
      text(metadata["session_id"]) ??
      text(metadata["conversation_id"]) ??
      text(body["session_id"]) ??
      text(body["conversation_id"]) ??
      packedSession,
    userKey:
      text(labels["userId"]) ??
      text(body["user"]) ??
      text(body["safety_identifier"]) ??
      text(body["prompt_cache_key"]) ??
      packedUser,
    firstUserText: firstUserText(list, messages),
    continues: isThreaded || messages.some((item, index) => isEarlierTurn(item, index, messages)),
    previousResponse: text(previous),
    ...(format === "openai-responses" && { isUnstored: body["store"] === false }),
  };
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function readPrompt(prompt: JsonObject): Facts["promptField"] {
  const { id, version = null, variables = null } = prompt;
  return {
    id: id as string,
    version: version === null ? null : Number(version),
    variables: variables as JsonObject | null,
  };
}

function unpack(userId: string | null): [user: string | null, session: string | null] {
  if (userId?.startsWith("{") === true) return ["d", "s"];
  const [user = null, session = null] = userId?.split("_session_") ?? [];
  return [user, session];
}

function isEarlierTurn(item: Json, index: number, items: Json[]): boolean {
  if (!isPlain(item)) return false;
  if (item["role"] === "assistant") return index < items.length - 1;
  if (item["role"] !== undefined || typeof item["type"] !== "string") return false;
  return !["message", "additional_tools"].includes(item["type"]);
}

function firstUserText(list: Json, messages: Json[]): string | null {
  if (typeof list === "string") return list === "" ? SOME_FINGERPRINT : list;
  const first = messages.find((message) => isPlain(message) && message["role"] === "user");
  if (!isPlain(first) || first["content"] === undefined) return null;
  const { content } = first;
  if (typeof content === "string") return content === "" ? SOME_FINGERPRINT : content;
  const parts = Array.isArray(content) ? content.filter(isPlain) : [];
  const texts = parts.filter(({ type = "text" }) => type === "text" || type === "input_text");
  const joined = texts.map((part) => text(part["text"]) ?? "").join("");
  return joined === "" ? SOME_FINGERPRINT : joined;
}

/** What is common to all, and the turns and labels of the request or of the one that it counts for. */
function geminiFacts(body: JsonObject): Facts {
  const nested = body["generateContentRequest"] ?? body["generate_content_request"];
  const request = body["contents"] === undefined && isPlain(nested) ? nested : body;
  const { contents = null, labels: given = null } = request;
  const labels = isPlain(given) ? given : {};
  const list = Array.isArray(contents) ? contents : isPlain(contents) ? [contents] : [];
  const first = list.find((content) => isPlain(content) && (content["role"] ?? "user") === "user");
  const common = factsOf({ ...body, messages: null }, "openai-chat");
  return {
    ...common,
    conversationKey: common.conversationKey ?? text(labels["session_id"]),
    userKey: common.userKey ?? text(labels["user_id"]),
    firstUserText: isPlain(first) ? partsText(first["parts"]) : null,
    continues: list.some(
      (item, index) => isPlain(item) && item["role"] === "model" && index < list.length - 1,
    ),
  };
}

function partsText(parts: Json | undefined): string | null {
  if (parts === undefined) return null;
  const list = Array.isArray(parts) ? parts : [parts];
  return list.map((part) => (isPlain(part) ? (text(part["text"]) ?? "") : "")).join("") || SOME_FINGERPRINT;
}
