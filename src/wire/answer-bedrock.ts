// What Bedrock's answers say about themselves. A stream is binary frames; each is looked at as one JSON text, its headers
// (`:message-type`, `:event-type`, `:exception-type`) among its members and, of an invoked model, the model's own event
// taken out of the Base64 that it comes in.

import type { Problem } from "../core/problem.ts";
import type { JsonObject } from "../core/types.ts";
import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import type { AnswerRules } from "./answer.ts";
import { anthropicAnswers } from "./answer-anthropic.ts";
import { finishOf } from "./answer-finish.ts";
import { countAt, countsOf, objectAt, objectsIn, textAt } from "./answer-usage.ts";
import { decodeBase64 } from "./base64.ts";
import { errorBody } from "./errors.ts";
import { writeFrame, type Frame } from "./event-stream.ts";

const MODEL_EVENT = /^\s*\{\s*"bytes"\s*:\s*"([A-Za-z0-9+/=]*)"/;
/** What stands between the braces of an object. */
const MEMBERS = /^\s*\{(.*)\}\s*$/s;
const METRICS = "amazon-bedrock-invocationMetrics";

/** One frame's event as a JSON text. */
export function eventText({ headers, payload }: Frame): string {
  const head = JSON.stringify(headers);
  const text = decodeUtf8(payload) ?? "";
  const packed = headers[":event-type"] === "chunk" ? MODEL_EVENT.exec(text)?.[1] : undefined;
  const bytes = packed === undefined ? null : decodeBase64(encodeUtf8(packed));
  const members = MEMBERS.exec(bytes === null ? text : (decodeUtf8(bytes) ?? ""))?.[1] ?? "";
  return members.trim() === "" ? head : `${head.slice(0, -1)}${head === "{}" ? "" : ","}${members}}`;
}

function isException(value: JsonObject): boolean {
  return value[":message-type"] === "exception" || value[":message-type"] === "error";
}

/** A frame that AWS's SDKs raise as an exception of this stream, the one that says that streaming broke. After half a
 * frame its checksum fails: that raises too. */
function breakOff(value: Problem): Uint8Array {
  const headers = {
    ":exception-type": "modelStreamErrorException",
    ":content-type": "application/json",
    ":message-type": "exception",
  };
  return writeFrame({ headers, payload: encodeUtf8(errorBody("bedrock", value)) });
}

/** What came out of the cache or went into it is counted beside the input (AWS, "Prompt caching"). */
export const converseAnswers: AnswerRules = {
  isError: isException,
  readUsage(value) {
    const usage = objectAt(value, "usage");
    if (usage === null) return null;
    return countsOf({
      freshInputTokens: countAt(usage, "inputTokens"),
      outputTokens: countAt(usage, "outputTokens"),
      cachedInputTokens: countAt(usage, "cacheReadInputTokens"),
      cacheWriteTokens: countAt(usage, "cacheWriteInputTokens"),
    });
  },
  /** No model is named but where a router of Bedrock's chose one. */
  readFacts(value) {
    const router = objectAt(value, "trace", "promptRouter");
    return {
      finish: finishOf(value["stopReason"]),
      leaning: null,
      model: router === null ? null : textAt(router, "invokedModelId"),
      fingerprint: null,
    };
  },
  readText(value) {
    const delta = objectAt(value, "delta");
    if (delta !== null) return textAt(delta, "text") ?? "";
    return objectsIn(objectAt(value, "output", "message")?.["content"])
      .map((block) => textAt(block, "text") ?? "")
      .join("");
  },
  telling: /":event-type":"(?:messageStop|metadata)"|":message-type":"(?:exception|error)"/,
  isEnd: (data) => /":event-type":"metadata"/.test(data.slice(0, 200)),
  breakOff,
};

/** Anthropic's own events; Bedrock's count of the whole call comes with the last one. */
export const invokeAnswers: AnswerRules = {
  ...anthropicAnswers,
  isError: (value) => isException(value) || anthropicAnswers.isError(value),
  readUsage(value) {
    const metrics = objectAt(value, METRICS);
    if (metrics === null) return anthropicAnswers.readUsage(value);
    return countsOf({
      freshInputTokens: countAt(metrics, "inputTokenCount"),
      outputTokens: countAt(metrics, "outputTokenCount"),
      cachedInputTokens: countAt(metrics, "cacheReadInputTokenCount"),
      cacheWriteTokens: countAt(metrics, "cacheWriteInputTokenCount"),
    });
  },
  telling: new RegExp(
    `${anthropicAnswers.telling.source}|"type"\\s*:\\s*"message_stop"|":message-type":"(?:exception|error)"`,
  ),
  isEnd: (data) => /"type"\s*:\s*"message_stop"/.test(data),
  breakOff,
};
