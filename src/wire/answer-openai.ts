// What OpenAI's answers say about themselves, Chat Completions' and Responses'; the former also those of every provider
// that speaks as OpenAI does, in whichever of its dialects.

import type { Finish } from "../core/metering/outcome.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { eventBytes, type AnswerRules, type Said } from "./answer.ts";
import { finishOf, gravest } from "./answer-finish.ts";
import { countAt, countsOf, isObject, objectAt, objectsIn, textAt, type Counts } from "./answer-usage.ts";
import { errorBody } from "./errors.ts";

function isNonEmpty(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value);
}

/** An error chunk, as OpenRouter sends it, and no made-up `[DONE]`. */
export const chatAnswers: AnswerRules = {
  isError: (value) => isObject(value["error"]),
  readUsage: readChatUsage,
  readFacts: readChat,
  readText(value) {
    const choice = objectsIn(value["choices"]).find(({ index = 0 }) => index === 0);
    return choice === undefined
      ? ""
      : contentText((objectAt(choice, "delta") ?? objectAt(choice, "message"))?.["content"]);
  },
  telling: /"(?:finish_reason|refusal|stop_reason)"\s*:\s*"|"(?:usage|error)"\s*:\s*\{/,
  isEnd: (data) => data.trim() === "[DONE]",
  breakOff: (value, requestId) => eventBytes(null, errorBody("openai", value, requestId)),
};

/** On a chunk of its own, on one with choices, or on every one; Groq's stands in `x_groq`. Cached tokens have three names
 * (DeepSeek's and Moonshot's are the others). */
function readChatUsage(value: JsonObject): Counts | null {
  const usage = objectAt(value, "usage") ?? objectAt(value, "x_groq", "usage");
  if (usage === null) return null;
  return countsOf({
    inputTokens: countAt(usage, "prompt_tokens"),
    outputTokens: chatOutput(usage),
    cachedInputTokens:
      countAt(usage, "prompt_tokens_details", "cached_tokens") ??
      countAt(usage, "prompt_cache_hit_tokens") ??
      countAt(usage, "cached_tokens"),
    cacheWriteTokens: countAt(usage, "prompt_tokens_details", "cache_write_tokens"),
    reasoningTokens: countAt(usage, "completion_tokens_details", "reasoning_tokens"),
  });
}

/** xAI counts thinking beside the completion, all others in it: the total tells which. */
function chatOutput(usage: JsonObject): number | null {
  const output = countAt(usage, "completion_tokens");
  const reasoning = countAt(usage, "completion_tokens_details", "reasoning_tokens") ?? 0;
  const rest = (countAt(usage, "total_tokens") ?? 0) - (countAt(usage, "prompt_tokens") ?? 0);
  return output !== null && reasoning > 0 && rest === output + reasoning ? rest : output;
}

/** A refusal has a field of its own and ends with `stop`. */
function readChat(value: JsonObject): Said {
  const choices = objectsIn(value["choices"]);
  const messages = choices.map((choice) => objectAt(choice, "delta") ?? objectAt(choice, "message") ?? {});
  const leanings = messages.map((message): Finish | null => {
    if (textAt(message, "refusal") !== null) return "refusal";
    return isNonEmpty(message["tool_calls"]) || isNonEmpty(message["function_call"]) ? "tool" : null;
  });
  return {
    finish: gravest(choices.map((choice) => finishOf(choice["finish_reason"]))),
    leaning: gravest(leanings),
    model: textAt(value, "model"),
    fingerprint: textAt(value, "system_fingerprint"),
  };
}

/** A text, or a list of parts. */
function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return objectsIn(content)
    .map((part) =>
      part["type"] === "text" || part["type"] === "output_text" ? (textAt(part, "text") ?? "") : "",
    )
    .join("");
}

/** `response.failed`: some clients ignore a bare `error` event and ask again for ever. */
export const responsesAnswers: AnswerRules = {
  isError: (value) =>
    value["type"] === "error" || value["type"] === "response.failed" || isObject(value["error"]),
  readUsage(value) {
    const usage = objectAt(responseIn(value), "usage");
    if (usage === null) return null;
    return countsOf({
      inputTokens: countAt(usage, "input_tokens"),
      outputTokens: countAt(usage, "output_tokens"),
      cachedInputTokens: countAt(usage, "input_tokens_details", "cached_tokens"),
      cacheWriteTokens: countAt(usage, "input_tokens_details", "cache_write_tokens"),
      reasoningTokens: countAt(usage, "output_tokens_details", "reasoning_tokens"),
    });
  },
  readFacts: readResponse,
  readText: readResponseText,
  startsOver: (value) =>
    value["type"] === "response.output_item.added" && objectAt(value, "item")?.["type"] === "message",
  telling:
    /^\s*\{\s*"type"\s*:\s*"(?:error|response\.(?:completed|incomplete|failed|cancelled|refusal\.))|"response"\s*:\s*\{/,
  isEnd: (data) => /^\s*\{\s*"type"\s*:\s*"response\.(?:completed|incomplete)"/.test(data),
  breakOff({ message }, requestId) {
    const error = { code: "server_error", message };
    const response = { id: `resp_${requestId}`, object: "response", status: "failed", error, output: [] };
    return eventBytes("response.failed", JSON.stringify({ type: "response.failed", response }));
  },
};

function responseIn(value: JsonObject): JsonObject {
  return objectAt(value, "response") ?? value;
}

function readResponse(value: JsonObject): Said {
  const response = responseIn(value);
  const isDeclining = textAt(value, "type")?.startsWith("response.refusal.") === true;
  return {
    finish: finishOfResponse(response),
    leaning: isDeclining ? "refusal" : null,
    model: textAt(response, "model"),
    fingerprint: textAt(response, "system_fingerprint"),
  };
}

/** Items after which the client has to do something. What the provider's own tools do it does itself. */
const CLIENT_CALLS =
  /^(?:function_call|custom_tool_call|computer_call|local_shell_call|shell_call|apply_patch_call|mcp_approval_request)$/;

function finishOfResponse(response: JsonObject): Finish | null {
  const items = objectsIn(response["output"]);
  switch (response["status"]) {
    case "completed":
      return gravest(items.map(leaningOfItem)) ?? "stop";
    case "incomplete":
      return finishOf(objectAt(response, "incomplete_details")?.["reason"]) ?? "other";
    case "cancelled":
      return "other";
    default:
      return null;
  }
}

function leaningOfItem(item: JsonObject): Finish | null {
  if (CLIENT_CALLS.test(textAt(item, "type") ?? "")) return "tool";
  return objectsIn(item["content"]).some(({ type }) => type === "refusal") ? "refusal" : null;
}

/** Pieces come as deltas, and then again as wholes. */
function readResponseText(value: JsonObject): string {
  const type = textAt(value, "type");
  if (type === "response.output_text.delta") return textAt(value, "delta") ?? "";
  if (type !== null) return "";
  const messages = objectsIn(value["output"]).filter((item) => item["type"] === "message");
  return contentText(messages.at(-1)?.["content"]);
}
