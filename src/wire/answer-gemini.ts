// What an answer of Gemini's says about itself. A stream comes as server-sent events (`?alt=sse`) or as the items of one
// JSON array that is written bit by bit; neither has an event that only ends it.

import { encodeUtf8 } from "../core/text.ts";
import { countAt, eventBytes, isObject, type AnswerRules, type Usage } from "./answer.ts";
import { errorBody } from "./errors.ts";

/** Only a text without a backslash before its quotes is a name: what a model writes has its quotes escaped. */
const LAST = /"(?:finishReason|finish_reason|blockReason|block_reason)"\s*:\s*"/;

export const geminiAnswers: AnswerRules = {
  isError: (value) => isObject(value["error"]),
  /** Running totals on every piece. Thoughts and the use of tools are counted apart from candidates and prompt. */
  readUsage(value) {
    const usage = value["usageMetadata"];
    if (!isObject(usage)) return null;
    const reasoning = countAt(usage, "thoughtsTokenCount");
    const counts = {
      inputTokens: sumOf(countAt(usage, "promptTokenCount"), countAt(usage, "toolUsePromptTokenCount")),
      outputTokens: sumOf(countAt(usage, "candidatesTokenCount"), reasoning),
      cachedInputTokens: countAt(usage, "cachedContentTokenCount"),
      reasoningTokens: reasoning,
    };
    const found: Partial<Usage> = {};
    for (const [name, count] of Object.entries(counts)) {
      if (count !== null) found[name as keyof Usage] = count;
    }
    return found;
  },
  isEnd: (data) => LAST.test(data),
  breakOff(value, requestId, framing = "events") {
    const data = errorBody("gemini", value, requestId);
    if (framing === "events") return eventBytes(null, data);
    // An item more and the end of the array; behind half an item it is no JSON, which no reader takes for an end.
    return framing === "array" ? encodeUtf8(`\n,\n${data}\n]`) : null;
  },
};

function sumOf(one: number | null, other: number | null): number | null {
  return one === null && other === null ? null : (one ?? 0) + (other ?? 0);
}
