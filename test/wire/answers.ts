// Answers as the providers send them, whole and as streams, with what is to be read off each of them. One table for the
// suites that cut them, lengthen them and break them off.

import type { AnswerFacts } from "../../src/core/metering/outcome.ts";
import type { AnswerRules, Framing } from "../../src/wire/answer.ts";
import { anthropicAnswers } from "../../src/wire/answer-anthropic.ts";
import { converseAnswers, invokeAnswers } from "../../src/wire/answer-bedrock.ts";
import { geminiAnswers } from "../../src/wire/answer-gemini.ts";
import { chatAnswers, responsesAnswers } from "../../src/wire/answer-openai.ts";
import { workersAiAnswers } from "../../src/wire/answer-workers-ai.ts";
import { eventFrame, exceptionFrame } from "../support/aws-frames.ts";

export type Event = { name?: string; data: unknown };

export type Sample = {
  name: string;
  rules: AnswerRules;
  framing: Framing | "whole";
  bytes: Uint8Array;
  facts: AnswerFacts;
  text: string;
};

const encoder = new TextEncoder();

export const TEXT = "Hëllo from — Øslo 🌍 \\n\u2028end.";
const WORDS = ["Hëllo ", "from — ", "Øslo 🌍 ", "\\n\u2028", "end."];

function textOfEvent({ name, data }: Event, newline: string): string {
  const line = typeof data === "string" ? data : JSON.stringify(data);
  return `${name === undefined ? "" : `event: ${name}${newline}`}data: ${line}${newline}${newline}`;
}

export function eventStream(events: Event[], newline = "\n"): Uint8Array {
  return encoder.encode(events.map((event) => textOfEvent(event, newline)).join(""));
}

export function named(values: { type: string }[]): Event[] {
  return values.map((data) => ({ name: data.type, data }));
}

/** As Google writes it. */
export function jsonArray(items: unknown[]): Uint8Array {
  return encoder.encode(`[${items.map((item) => JSON.stringify(item, null, 2)).join("\n,\n")}\n]`);
}

export function whole(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

// ── Chat Completions ────────────────────────────────────────────────────────────────────────────────────────────

const CHAT_HEAD = { id: "chatcmpl-1", created: 1_790_000_000, model: "gpt-5.4-mini-2026-03-17" };
const CHAT_USAGE = {
  prompt_tokens: 90,
  completion_tokens: 12,
  total_tokens: 102,
  prompt_tokens_details: { cached_tokens: 64, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 4, accepted_prediction_tokens: 0 },
};

export function chatChunk(delta: object, finish_reason: string | null = null): Event {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
  return { data: { ...CHAT_HEAD, object: "chat.completion.chunk", system_fingerprint: "fp_1", choices } };
}

const CHAT_USAGE_CHUNK: Event = {
  data: {
    ...CHAT_HEAD,
    object: "chat.completion.chunk",
    system_fingerprint: "fp_1",
    choices: [],
    usage: CHAT_USAGE,
  },
};

export const CHAT_EVENTS: Event[] = [
  chatChunk({ role: "assistant", content: "", refusal: null }),
  ...WORDS.map((content) => chatChunk({ content })),
  chatChunk({}, "stop"),
  CHAT_USAGE_CHUNK,
  { data: "[DONE]" },
];

const CHAT_FACTS: AnswerFacts = {
  usage: {
    inputTokens: 90,
    outputTokens: 12,
    cachedInputTokens: 64,
    cacheWriteTokens: null,
    reasoningTokens: 4,
  },
  finish: "stop",
  model: "gpt-5.4-mini-2026-03-17",
  fingerprint: "fp_1",
  isSchemaFailure: null,
};

/** Azure begins with a chunk of filter results, and ends with one that has no delta. */
const AZURE_EVENTS: Event[] = [
  {
    data: {
      id: "",
      model: "",
      object: "",
      created: 0,
      choices: [],
      prompt_filter_results: [{ prompt_index: 0 }],
    },
  },
  ...CHAT_EVENTS.slice(0, -3),
  chatChunk({}, "content_filter"),
  { data: { id: "", model: "", choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] } },
  CHAT_USAGE_CHUNK,
  { data: "[DONE]" },
];

/** Every refused piece says so, and the end does not. */
const REFUSED_EVENTS: Event[] = [
  chatChunk({ role: "assistant", content: "", refusal: null }),
  ...["I am ", "sorry."].map((refusal) => chatChunk({ refusal })),
  chatChunk({}, "stop"),
  { data: "[DONE]" },
];

function chatWhole(message: object, finish_reason: string): unknown {
  const choices = [{ index: 0, message: { role: "assistant", refusal: null, ...message }, finish_reason }];
  return { ...CHAT_HEAD, object: "chat.completion", choices, usage: CHAT_USAGE, system_fingerprint: "fp_1" };
}

const CALL = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } };

// ── Responses ───────────────────────────────────────────────────────────────────────────────────────────────────

const RESPONSES_USAGE = {
  input_tokens: 90,
  input_tokens_details: { cached_tokens: 64, cache_write_tokens: 20 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 102,
};

export function responseObject(
  status: string,
  output: unknown[],
  more: object = {},
): Record<string, unknown> {
  return {
    id: "resp_1",
    object: "response",
    created_at: 1_790_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: 'You answer with {"usage":{"input_tokens":1}}.',
    model: "gpt-5.4-mini-2026-03-17",
    output,
    tools: [{ type: "function", name: "usage", parameters: { properties: { usage: { type: "object" } } } }],
    usage: status === "in_progress" ? null : RESPONSES_USAGE,
    metadata: {},
    ...more,
  };
}

export function messageItem(content: unknown[]): unknown {
  return { id: "msg_1", type: "message", status: "completed", role: "assistant", content };
}

const OUTPUT_TEXT = { type: "output_text", text: TEXT, annotations: [], logprobs: [] };

export function responseEvents(last: { type: string; response: unknown }): Event[] {
  const at = { output_index: 0, item_id: "msg_1", content_index: 0 };
  return named([
    { type: "response.created", response: responseObject("in_progress", []) },
    ...WORDS.map((delta) => ({ type: "response.output_text.delta", ...at, delta })),
    { type: "response.output_text.done", ...at, text: TEXT },
    { type: "response.output_item.done", output_index: 0, item: messageItem([OUTPUT_TEXT]) },
    last,
  ] as { type: string }[]);
}

export const RESPONSES_EVENTS = responseEvents({
  type: "response.completed",
  response: responseObject("completed", [{ type: "reasoning", summary: [] }, messageItem([OUTPUT_TEXT])]),
});

const RESPONSES_FACTS: AnswerFacts = {
  ...CHAT_FACTS,
  usage: { ...CHAT_FACTS.usage!, cacheWriteTokens: 20 },
  fingerprint: null,
};

// ── Anthropic ───────────────────────────────────────────────────────────────────────────────────────────────────

const ANTHROPIC_USAGE = {
  input_tokens: 9,
  cache_creation_input_tokens: 20,
  cache_read_input_tokens: 61,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1,
};

function anthropicMessage(
  content: unknown[],
  stop_reason: string | null,
  usage: object,
): Record<string, unknown> {
  const head = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-5-20260201" };
  return { ...head, content, stop_reason, stop_sequence: null, usage };
}

function anthropicValues(stop_reason: string): { type: string }[] {
  return [
    { type: "message_start", message: anthropicMessage([], null, ANTHROPIC_USAGE) },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
    ...WORDS.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: 12, output_tokens_details: { thinking_tokens: 4 } },
    },
    { type: "message_stop" },
  ] as { type: string }[];
}

export const ANTHROPIC_EVENTS = named(anthropicValues("end_turn"));

const ANTHROPIC_FACTS: AnswerFacts = {
  usage: {
    inputTokens: 90,
    outputTokens: 12,
    cachedInputTokens: 61,
    cacheWriteTokens: 20,
    reasoningTokens: 4,
  },
  finish: "stop",
  model: "claude-sonnet-5-20260201",
  fingerprint: null,
  isSchemaFailure: null,
};

const ANTHROPIC_WHOLE_USAGE = {
  ...ANTHROPIC_USAGE,
  output_tokens: 12,
  output_tokens_details: { thinking_tokens: 4 },
};

// ── Gemini ──────────────────────────────────────────────────────────────────────────────────────────────────────

const GEMINI_USAGE = {
  promptTokenCount: 90,
  candidatesTokenCount: 8,
  thoughtsTokenCount: 4,
  cachedContentTokenCount: 64,
  totalTokenCount: 102,
};

export function geminiPiece(parts: unknown[], finishReason?: string): Record<string, unknown> {
  const candidate = { content: { role: "model", parts }, index: 0, ...(finishReason && { finishReason }) };
  const usageMetadata = finishReason === undefined ? { promptTokenCount: 90 } : GEMINI_USAGE;
  return { candidates: [candidate], usageMetadata, modelVersion: "gemini-3.1-flash", responseId: "r1" };
}

export const GEMINI_PIECES = [
  geminiPiece([{ text: "I think.", thought: true }]),
  ...WORDS.slice(0, -1).map((text) => geminiPiece([{ text }])),
  geminiPiece([{ text: WORDS.at(-1) }], "STOP"),
];

/** The call in one piece, the end in another. */
const GEMINI_CALL = [
  geminiPiece([{ functionCall: { name: "weather", args: { city: "Oslo" } } }]),
  geminiPiece([{ text: "" }], "STOP"),
];

const GEMINI_FACTS: AnswerFacts = { ...CHAT_FACTS, model: "gemini-3.1-flash", fingerprint: null };

// ── Bedrock and Workers AI ──────────────────────────────────────────────────────────────────────────────────────

const CONVERSE_USAGE = {
  inputTokens: 9,
  outputTokens: 12,
  totalTokens: 102,
  cacheReadInputTokens: 61,
  cacheWriteInputTokens: 20,
};

export function converseFrames(stopReason: string): Buffer[] {
  return [
    eventFrame("messageStart", { role: "assistant" }),
    ...WORDS.map((text) => eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text } })),
    eventFrame("contentBlockStop", { contentBlockIndex: 0 }),
    eventFrame("messageStop", { stopReason }),
    eventFrame("metadata", { usage: CONVERSE_USAGE, metrics: { latencyMs: 7 } }),
  ];
}

const METRICS = {
  inputTokenCount: 9,
  outputTokenCount: 12,
  cacheReadInputTokenCount: 61,
  cacheWriteInputTokenCount: 20,
  invocationLatency: 7,
};

export function invokeFrames(): Buffer[] {
  const values = anthropicValues("max_tokens");
  const last = { ...values.at(-1)!, "amazon-bedrock-invocationMetrics": METRICS };
  return [...values.slice(0, -1), last].map((value) => eventFrame("chunk", value));
}

const CONVERSE_FACTS: AnswerFacts = {
  ...ANTHROPIC_FACTS,
  usage: { ...ANTHROPIC_FACTS.usage!, reasoningTokens: null },
  model: null,
};

const WORKERS_USAGE = { prompt_tokens: 90, completion_tokens: 12, total_tokens: 102 };
const WORKERS_EVENTS: Event[] = [
  ...WORDS.map((response) => ({ data: { response, p: "abcd" } })),
  { data: { response: "", usage: WORKERS_USAGE } },
  { data: "[DONE]" },
];
const WORKERS_FACTS: AnswerFacts = {
  usage: { ...CHAT_FACTS.usage!, cachedInputTokens: null, reasoningTokens: null },
  finish: null,
  model: null,
  fingerprint: null,
  isSchemaFailure: null,
};

/** [name, rules, framing, bytes, facts, text that the user reads] */
type Row = [string, AnswerRules, Framing | "whole", Uint8Array, AnswerFacts, string];

const ROWS: Row[] = [
  ["chat", chatAnswers, "events", eventStream(CHAT_EVENTS), CHAT_FACTS, TEXT],
  ["chat, CRLF", chatAnswers, "events", eventStream(CHAT_EVENTS, "\r\n"), CHAT_FACTS, TEXT],
  ["chat, CR", chatAnswers, "events", eventStream(CHAT_EVENTS, "\r"), CHAT_FACTS, TEXT],
  [
    "chat on Azure",
    chatAnswers,
    "events",
    eventStream(AZURE_EVENTS),
    { ...CHAT_FACTS, finish: "refusal" },
    TEXT,
  ],
  [
    "chat, refused",
    chatAnswers,
    "events",
    eventStream(REFUSED_EVENTS),
    { ...CHAT_FACTS, usage: null, finish: "refusal" },
    "",
  ],
  [
    "chat, whole",
    chatAnswers,
    "whole",
    whole(chatWhole({ content: TEXT }, "length")),
    { ...CHAT_FACTS, finish: "length" },
    TEXT,
  ],
  [
    "chat, a tool, whole",
    chatAnswers,
    "whole",
    whole(chatWhole({ content: null, tool_calls: [CALL] }, "tool_calls")),
    { ...CHAT_FACTS, finish: "tool" },
    "",
  ],
  [
    "chat, refused, whole",
    chatAnswers,
    "whole",
    whole(chatWhole({ content: null, refusal: "No." }, "stop")),
    { ...CHAT_FACTS, finish: "refusal" },
    "",
  ],
  ["responses", responsesAnswers, "events", eventStream(RESPONSES_EVENTS), RESPONSES_FACTS, TEXT],
  [
    "responses, cut by length",
    responsesAnswers,
    "events",
    eventStream(
      responseEvents({
        type: "response.incomplete",
        response: responseObject("incomplete", [], { incomplete_details: { reason: "max_output_tokens" } }),
      }),
    ),
    { ...RESPONSES_FACTS, finish: "length" },
    TEXT,
  ],
  [
    "responses, filtered, whole",
    responsesAnswers,
    "whole",
    whole(responseObject("incomplete", [], { incomplete_details: { reason: "content_filter" } })),
    { ...RESPONSES_FACTS, finish: "refusal" },
    "",
  ],
  [
    "responses, refused, whole",
    responsesAnswers,
    "whole",
    whole(responseObject("completed", [messageItem([{ type: "refusal", refusal: "No." }])])),
    { ...RESPONSES_FACTS, finish: "refusal" },
    "",
  ],
  [
    "responses, a tool, whole",
    responsesAnswers,
    "whole",
    whole(responseObject("completed", [{ type: "function_call", name: "weather", arguments: "{}" }])),
    { ...RESPONSES_FACTS, finish: "tool" },
    "",
  ],
  [
    "responses, a tool of the provider's own, whole",
    responsesAnswers,
    "whole",
    whole(
      responseObject("completed", [
        { type: "web_search_call", status: "completed" },
        messageItem([OUTPUT_TEXT]),
      ]),
    ),
    RESPONSES_FACTS,
    TEXT,
  ],
  ["anthropic", anthropicAnswers, "events", eventStream(ANTHROPIC_EVENTS), ANTHROPIC_FACTS, TEXT],
  [
    "anthropic, refused",
    anthropicAnswers,
    "events",
    eventStream(named(anthropicValues("refusal"))),
    { ...ANTHROPIC_FACTS, finish: "refusal" },
    TEXT,
  ],
  [
    "anthropic, whole",
    anthropicAnswers,
    "whole",
    whole(
      anthropicMessage(
        [
          { type: "thinking", thinking: "Hm." },
          { type: "text", text: TEXT },
        ],
        "tool_use",
        ANTHROPIC_WHOLE_USAGE,
      ),
    ),
    { ...ANTHROPIC_FACTS, finish: "tool" },
    TEXT,
  ],
  [
    "gemini",
    geminiAnswers,
    "events",
    eventStream(
      GEMINI_PIECES.map((data) => ({ data })),
      "\r\n",
    ),
    GEMINI_FACTS,
    TEXT,
  ],
  ["gemini, an array", geminiAnswers, "array", jsonArray(GEMINI_PIECES), GEMINI_FACTS, TEXT],
  ["gemini, an array as one body", geminiAnswers, "whole", jsonArray(GEMINI_PIECES), GEMINI_FACTS, TEXT],
  [
    "gemini, a tool",
    geminiAnswers,
    "events",
    eventStream(GEMINI_CALL.map((data) => ({ data }))),
    { ...GEMINI_FACTS, finish: "tool" },
    "",
  ],
  [
    "gemini, cut by length, whole",
    geminiAnswers,
    "whole",
    whole(geminiPiece([{ text: TEXT }], "MAX_TOKENS")),
    { ...GEMINI_FACTS, finish: "length" },
    TEXT,
  ],
  [
    "gemini, blocked",
    geminiAnswers,
    "events",
    eventStream([
      {
        data: {
          promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
          usageMetadata: GEMINI_USAGE,
          modelVersion: "gemini-3.1-flash",
        },
      },
    ]),
    { ...GEMINI_FACTS, finish: "refusal" },
    "",
  ],
  ["converse", converseAnswers, "binary", Buffer.concat(converseFrames("end_turn")), CONVERSE_FACTS, TEXT],
  [
    "converse, a guardrail",
    converseAnswers,
    "binary",
    Buffer.concat(converseFrames("guardrail_intervened")),
    { ...CONVERSE_FACTS, finish: "refusal" },
    TEXT,
  ],
  [
    "converse, whole",
    converseAnswers,
    "whole",
    whole({
      output: { message: { role: "assistant", content: [{ text: TEXT }] } },
      stopReason: "model_context_window_exceeded",
      usage: CONVERSE_USAGE,
    }),
    { ...CONVERSE_FACTS, finish: "length" },
    TEXT,
  ],
  [
    "invoke",
    invokeAnswers,
    "binary",
    Buffer.concat(invokeFrames()),
    { ...ANTHROPIC_FACTS, finish: "length" },
    TEXT,
  ],
  ["workers-ai", workersAiAnswers, "events", eventStream(WORKERS_EVENTS), WORKERS_FACTS, TEXT],
  [
    "workers-ai, a chat over REST",
    workersAiAnswers,
    "whole",
    whole({ result: chatWhole({ content: TEXT }, "stop"), success: true, errors: [], messages: [] }),
    CHAT_FACTS,
    TEXT,
  ],
  [
    "workers-ai, whole",
    workersAiAnswers,
    "whole",
    whole({ result: { response: TEXT, tool_calls: [], usage: WORKERS_USAGE }, success: true, errors: [] }),
    WORKERS_FACTS,
    TEXT,
  ],
  [
    "workers-ai, a value",
    workersAiAnswers,
    "whole",
    whole({ response: { city: "Oslo" }, usage: WORKERS_USAGE }),
    WORKERS_FACTS,
    '{"city":"Oslo"}',
  ],
];

export const SAMPLES: Sample[] = ROWS.map(([name, rules, framing, bytes, facts, text]) => ({
  name,
  rules,
  framing,
  bytes,
  facts,
  text,
}));

export const STREAMS = SAMPLES.filter(({ framing }) => framing !== "whole");

/** Streams in which an error stands, and its class. */
export const BROKEN: [string, AnswerRules, Framing, Uint8Array, string][] = [
  [
    "chat",
    chatAnswers,
    "events",
    eventStream([
      ...CHAT_EVENTS.slice(0, 3),
      { data: { error: { code: 502, message: "Provider returned error" } } },
    ]),
    "server_error",
  ],
  [
    "responses",
    responsesAnswers,
    "events",
    eventStream(
      responseEvents({
        type: "response.failed",
        response: responseObject("failed", [], {
          error: { code: "rate_limit_exceeded", message: "Slow down." },
        }),
      }),
    ),
    "rate_limited",
  ],
  [
    "anthropic",
    anthropicAnswers,
    "events",
    eventStream([
      ...ANTHROPIC_EVENTS.slice(0, 5),
      { name: "error", data: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } } },
    ]),
    "overloaded",
  ],
  [
    "gemini, a bare text behind its events",
    geminiAnswers,
    "events",
    Buffer.concat([
      eventStream([{ data: GEMINI_PIECES[1] }]),
      encoder.encode(
        JSON.stringify({ error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } }, null, 2),
      ),
    ]),
    "overloaded",
  ],
  [
    "gemini, an array",
    geminiAnswers,
    "array",
    jsonArray([GEMINI_PIECES[1], { error: { code: 429, message: "Quota.", status: "RESOURCE_EXHAUSTED" } }]),
    "rate_limited",
  ],
  [
    "converse",
    converseAnswers,
    "binary",
    Buffer.concat([
      ...converseFrames("end_turn").slice(0, 3),
      exceptionFrame("throttlingException", "Wait."),
    ]),
    "rate_limited",
  ],
  [
    "invoke",
    invokeAnswers,
    "binary",
    Buffer.concat([...invokeFrames().slice(0, 3), exceptionFrame("modelTimeoutException", "Too slow.")]),
    "timeout",
  ],
  [
    "workers-ai",
    workersAiAnswers,
    "events",
    eventStream([
      { data: { response: "a" } },
      { data: { errors: [{ message: "AiError: out of capacity", code: 3040 }] } },
    ]),
    "overloaded",
  ],
];
