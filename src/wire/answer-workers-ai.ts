// What an answer of Workers AI's run endpoint says about itself. Older models answer with `response`, newer ones with
// OpenAI's shapes; over REST either stands in `result`, and an error in `errors`.

import { chatAnswers, eventBytes, isObject, responsesAnswers, type AnswerRules } from "./answer.ts";
import { errorBody } from "./errors.ts";

export const workersAiAnswers: AnswerRules = {
  isError(value) {
    const errors = value["errors"];
    if (value["success"] === false || (Array.isArray(errors) && errors.length > 0)) return true;
    // What the binding says of a failure, in an object of its own.
    return typeof value["internalCode"] === "number" || responsesAnswers.isError(value);
  },
  readUsage(value) {
    const answer = isObject(value["result"]) ? value["result"] : value;
    const chat = chatAnswers.readUsage(answer);
    if (chat?.inputTokens !== null || chat.outputTokens !== null) return chat;
    return responsesAnswers.readUsage(answer);
  },
  isEnd: (data) => chatAnswers.isEnd(data) || responsesAnswers.isEnd(data),
  breakOff: (value, requestId) => eventBytes(null, errorBody("workers-ai", value, requestId)),
};
