// What an answer says about itself, in each format's own words: whether an event is an error, what usage it reports,
// and how a stream that broke off tells its reader so. A cut stream must never look like a whole one (guarantee 4).

import type { Usage } from "../core/metering/outcome.ts";
import type { Problem } from "../core/problem.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { encodeUtf8 } from "../core/text.ts";
import { errorBody } from "./errors.ts";

export type { Usage } from "../core/metering/outcome.ts";

/** How the pieces of an answer that streams are told apart: server-sent events, the items of one JSON array (Gemini
 * without `alt=sse`), or a binary framing of the provider's own. */
export type Framing = "events" | "array" | "binary";

export function framingOf(contentType: string | null): Framing {
  if (contentType === null || /^text\/event-stream\b/i.test(contentType)) return "events";
  return /^application\/json\b/i.test(contentType) ? "array" : "binary";
}

export type AnswerRules = {
  /** Is this (one event of a stream, or a whole body) an error? Providers send one as the first event of a 200. */
  isError(value: JsonObject): boolean;
  /** Usage that this event or body reports; null: none. Later reports of a stream are running totals and replace it. */
  readUsage(value: JsonObject): Partial<Usage> | null;
  /** Is this the last event of a stream that went well? `data`: the event's text, not parsed. */
  isEnd(data: string): boolean;
  /** What is sent after the last bytes of a stream that broke off; null: the framing has no words for it, and the broken
   * connection has to say it. Begins with a blank line, or a parser would swallow it with half an event before it.
   * `framing` is that of the answer, `framingOf` its content type; "events" unless given. */
  breakOff(value: Problem, requestId: string, framing?: Framing): Uint8Array | null;
};

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A count at `path`, or null. */
export function countAt(value: JsonObject, ...path: string[]): number | null {
  let found: Json | undefined = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

export function eventBytes(name: string | null, data: string): Uint8Array {
  return encodeUtf8(`\n\n${name === null ? "" : `event: ${name}\n`}data: ${data}\n\n`);
}

/** An error chunk, as OpenRouter sends it, and no made-up `[DONE]`. */
export const chatAnswers: AnswerRules = {
  isError: (value) => isObject(value["error"]),
  readUsage(value) {
    const usage = value["usage"];
    if (!isObject(usage)) return null;
    return {
      inputTokens: countAt(usage, "prompt_tokens"),
      outputTokens: countAt(usage, "completion_tokens"),
      cachedInputTokens: countAt(usage, "prompt_tokens_details", "cached_tokens"),
      reasoningTokens: countAt(usage, "completion_tokens_details", "reasoning_tokens"),
    };
  },
  isEnd: (data) => data.trim() === "[DONE]",
  breakOff: (value, requestId) => eventBytes(null, errorBody("openai", value, requestId)),
};

/** `response.failed`: some clients ignore a bare `error` event and ask again for ever. */
export const responsesAnswers: AnswerRules = {
  isError: (value) =>
    value["type"] === "error" || value["type"] === "response.failed" || isObject(value["error"]),
  readUsage(value) {
    const response = isObject(value["response"]) ? value["response"] : value;
    const usage = response["usage"];
    if (!isObject(usage)) return null;
    return {
      inputTokens: countAt(usage, "input_tokens"),
      outputTokens: countAt(usage, "output_tokens"),
      cachedInputTokens: countAt(usage, "input_tokens_details", "cached_tokens"),
      reasoningTokens: countAt(usage, "output_tokens_details", "reasoning_tokens"),
    };
  },
  isEnd: (data) => /^\s*\{\s*"type"\s*:\s*"response\.(?:completed|incomplete)"/.test(data),
  breakOff({ message }, requestId) {
    const error = { code: "server_error", message };
    const response = { id: `resp_${requestId}`, object: "response", status: "failed", error, output: [] };
    return eventBytes("response.failed", JSON.stringify({ type: "response.failed", response }));
  },
};

/** A count, also where an answer was made in several goes (a conversation was summed up first): Anthropic bills them all and
 * counts only the last ones at the top. */
function countOverAll(usage: JsonObject, name: string): number | null {
  const goes = Array.isArray(usage["iterations"]) ? usage["iterations"].filter(isObject) : [];
  const counts = goes.map((go) => countAt(go, name)).filter((count) => count !== null);
  if (counts.length === 0) return countAt(usage, name);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** `message_start` reports the input, `message_delta` the output so far. */
export const anthropicAnswers: AnswerRules = {
  isError: (value) => value["type"] === "error",
  readUsage(value) {
    const message = isObject(value["message"]) ? value["message"] : value;
    const usage = message["usage"];
    if (!isObject(usage)) return null;
    const found: Partial<Usage> = {};
    const counts = {
      inputTokens: countOverAll(usage, "input_tokens"),
      outputTokens: countOverAll(usage, "output_tokens"),
      cachedInputTokens: countOverAll(usage, "cache_read_input_tokens"),
      cacheWriteTokens: countOverAll(usage, "cache_creation_input_tokens"),
    };
    for (const [name, count] of Object.entries(counts)) {
      if (count !== null) found[name as keyof Usage] = count;
    }
    return found;
  },
  isEnd: (data) => /^\s*\{\s*"type"\s*:\s*"message_stop"/.test(data),
  breakOff: (value, requestId) => eventBytes("error", errorBody("anthropic", value, requestId)),
};
