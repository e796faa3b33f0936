// What Anthropic's answers say about themselves: `message_start` reports model and input, `message_delta` how it ended and
// the output so far. What came out of the cache or went into it is counted beside the input.

import type { JsonObject } from "../core/types.ts";
import { eventBytes, type AnswerRules } from "./answer.ts";
import { finishOf } from "./answer-finish.ts";
import { countAt, countsOf, objectAt, objectsIn, sumOf, textAt } from "./answer-usage.ts";
import { errorBody } from "./errors.ts";

/** Where an answer was made in several goes (a conversation was summed up first, tools of Anthropic's ran) all are billed,
 * and the top need not count them all. An advisor is another model with other prices: its goes are left out. */
function goesOf(usage: JsonObject): JsonObject[] {
  return objectsIn(usage["iterations"]).filter(({ type }) => type !== "advisor_message");
}

function countOverAll(usage: JsonObject, name: string): number | null {
  return sumOf(...goesOf(usage).map((go) => countAt(go, name))) ?? countAt(usage, name);
}

function messageIn(value: JsonObject): JsonObject {
  return objectAt(value, "message") ?? value;
}

export const anthropicAnswers: AnswerRules = {
  isError: (value) => value["type"] === "error",
  readUsage(value) {
    const usage = objectAt(messageIn(value), "usage");
    if (usage === null) return null;
    return countsOf({
      freshInputTokens: countOverAll(usage, "input_tokens"),
      outputTokens: countOverAll(usage, "output_tokens"),
      cachedInputTokens: countOverAll(usage, "cache_read_input_tokens"),
      cacheWriteTokens: countOverAll(usage, "cache_creation_input_tokens"),
      reasoningTokens: countAt(usage, "output_tokens_details", "thinking_tokens"),
    });
  },
  readFacts(value) {
    const message = messageIn(value);
    const delta = objectAt(value, "delta") ?? message;
    // Another model took over from one that declined.
    const fallback = goesOf(objectAt(message, "usage") ?? {}).findLast(
      ({ type }) => type === "fallback_message",
    );
    return {
      finish: finishOf(delta["stop_reason"]),
      leaning: null,
      model: (fallback === undefined ? null : textAt(fallback, "model")) ?? textAt(message, "model"),
      fingerprint: null,
    };
  },
  readText(value) {
    const delta = objectAt(value, "delta");
    if (delta !== null) return delta["type"] === "text_delta" ? (textAt(delta, "text") ?? "") : "";
    return objectsIn(value["content"])
      .map((block) => (block["type"] === "text" ? (textAt(block, "text") ?? "") : ""))
      .join("");
  },
  telling: /"type"\s*:\s*"(?:message_start|message_delta|error)"/,
  isEnd: (data) => /^\s*\{\s*"type"\s*:\s*"message_stop"/.test(data),
  breakOff: (value, requestId) => eventBytes("error", errorBody("anthropic", value, requestId)),
};
