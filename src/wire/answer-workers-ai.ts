// What an answer of Workers AI's run endpoint says about itself. Older models answer with `response`, newer ones with
// OpenAI's shapes; over REST either stands in `result`, and an error in `errors`.

import type { JsonObject } from "../core/types.ts";
import { eventBytes, type AnswerRules, type Said } from "./answer.ts";
import { chatAnswers, responsesAnswers } from "./answer-openai.ts";
import { isObject, objectAt, textAt } from "./answer-usage.ts";
import { errorBody } from "./errors.ts";

function answerIn(value: JsonObject): JsonObject {
  return objectAt(value, "result") ?? value;
}

/** Responses' whole answers and its events say so by a member of their own. */
function isResponses(answer: JsonObject): boolean {
  return answer["object"] === "response" || isObject(answer["response"]) || Array.isArray(answer["output"]);
}

/** Of an older model's answer nobody says how it ended, but that it calls a tool. */
function readOld(answer: JsonObject): Said {
  const calls = answer["tool_calls"];
  const isCall = Array.isArray(calls) && calls.length > 0;
  return { finish: isCall ? "tool" : null, leaning: null, model: textAt(answer, "model"), fingerprint: null };
}

/** What nests too deep to be written is nobody's answer. */
function writeValue(value: JsonObject): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

export const workersAiAnswers: AnswerRules = {
  isError(value) {
    const errors = value["errors"];
    if (value["success"] === false || (Array.isArray(errors) && errors.length > 0)) return true;
    // What the binding says of a failure, in an object of its own.
    return typeof value["internalCode"] === "number" || responsesAnswers.isError(value);
  },
  readUsage(value) {
    const answer = answerIn(value);
    const chat = chatAnswers.readUsage(answer);
    if (chat !== null && (chat.inputTokens !== undefined || chat.outputTokens !== undefined)) return chat;
    return responsesAnswers.readUsage(answer);
  },
  readFacts(value) {
    const answer = answerIn(value);
    if (Array.isArray(answer["choices"])) return chatAnswers.readFacts(answer);
    return isResponses(answer) ? responsesAnswers.readFacts(answer) : readOld(answer);
  },
  readText(value) {
    const answer = answerIn(value);
    if (typeof answer["response"] === "string") return answer["response"];
    if (Array.isArray(answer["choices"])) return chatAnswers.readText(answer);
    const isEvent = textAt(answer, "type")?.startsWith("response.") === true;
    if (isEvent || Array.isArray(answer["output"])) return responsesAnswers.readText(answer);
    // Asked for JSON, older models answer with a value and not with its text.
    return isObject(answer["response"]) ? writeValue(answer["response"]) : "";
  },
  startsOver: (value) => responsesAnswers.startsOver!(value),
  telling: new RegExp(
    `${chatAnswers.telling.source}|${responsesAnswers.telling.source}|"(?:errors|tool_calls)"\\s*:\\s*\\[`,
  ),
  isEnd: (data) => chatAnswers.isEnd(data) || responsesAnswers.isEnd(data),
  breakOff: (value, requestId) => eventBytes(null, errorBody("workers-ai", value, requestId)),
};
