// What an answer of Gemini's says about itself. A stream comes as server-sent events (`?alt=sse`) or as the items of one
// JSON array that is written bit by bit; neither has an event that only ends it.

import type { Finish } from "../core/metering/outcome.ts";
import type { JsonObject } from "../core/types.ts";
import { encodeUtf8 } from "../core/text.ts";
import { eventBytes, type AnswerRules } from "./answer.ts";
import { finishOf, gravest } from "./answer-finish.ts";
import { countAt, countsOf, isObject, objectAt, objectsIn, sumOf, textAt } from "./answer-usage.ts";
import { errorBody } from "./errors.ts";

/** Only a text without a backslash before its quotes is a name: what a model writes has its quotes escaped. */
const LAST = /"(?:finishReason|finish_reason|blockReason|block_reason)"\s*:\s*"/;

/** Google answers in the one spelling, its imitators also in the other. */
function eitherText(value: JsonObject | null, camel: string, snake: string): string | null {
  return value === null ? null : (textAt(value, camel) ?? textAt(value, snake));
}

function partsOf(candidate: JsonObject): JsonObject[] {
  return objectsIn(objectAt(candidate, "content")?.["parts"]);
}

/** A call of a tool ends with STOP, maybe in a later piece than its own. */
function leaningOf(candidate: JsonObject): Finish | null {
  const isCall = partsOf(candidate).some((part) => "functionCall" in part || "function_call" in part);
  return isCall ? "tool" : null;
}

export const geminiAnswers: AnswerRules = {
  isError: (value) => isObject(value["error"]),
  /** Running totals on every piece. Thoughts and the use of tools are counted apart from candidates and prompt. */
  readUsage(value) {
    const usage = objectAt(value, "usageMetadata") ?? objectAt(value, "usage_metadata");
    if (usage === null) return null;
    const count = (camel: string, snake: string) => countAt(usage, camel) ?? countAt(usage, snake);
    const reasoning = count("thoughtsTokenCount", "thoughts_token_count");
    return countsOf({
      inputTokens: sumOf(
        count("promptTokenCount", "prompt_token_count"),
        count("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
      ),
      outputTokens: sumOf(count("candidatesTokenCount", "candidates_token_count"), reasoning),
      cachedInputTokens: count("cachedContentTokenCount", "cached_content_token_count"),
      reasoningTokens: reasoning,
    });
  },
  readFacts(value) {
    const candidates = objectsIn(value["candidates"]);
    const feedback = objectAt(value, "promptFeedback") ?? objectAt(value, "prompt_feedback");
    const blocked = finishOf(eitherText(feedback, "blockReason", "block_reason") ?? undefined);
    const finishes = candidates.map((each) =>
      finishOf(eitherText(each, "finishReason", "finish_reason") ?? undefined),
    );
    return {
      finish: blocked === null ? gravest(finishes) : "refusal",
      leaning: gravest(candidates.map(leaningOf)),
      model: eitherText(value, "modelVersion", "model_version"),
      fingerprint: null,
    };
  },
  readText(value) {
    const candidate = objectsIn(value["candidates"]).find(({ index = 0 }) => index === 0);
    if (candidate === undefined) return "";
    return partsOf(candidate)
      .map((part) => (part["thought"] === true ? "" : (textAt(part, "text") ?? "")))
      .join("");
  },
  telling:
    /"(?:finishReason|finish_reason|blockReason|block_reason)"\s*:\s*"|"(?:error|functionCall|function_call)"\s*:\s*\{/,
  isEnd: (data) => LAST.test(data),
  breakOff(value, requestId, framing = "events") {
    const data = errorBody("gemini", value, requestId);
    if (framing === "events") return eventBytes(null, data);
    // An item more and the end of the array; behind half an item it is no JSON, which no reader takes for an end.
    return framing === "array" ? encodeUtf8(`\n,\n${data}\n]`) : null;
  },
};
