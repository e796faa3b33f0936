// The wire shapes that the cases speak, each with bytes as its provider sends them: a turn, a stream, errors, and what
// an error made by the gateway itself has to look like for that provider's SDKs.

import type { Header } from "../test/support/http-messages.ts";

export type FamilyName = "openai" | "anthropic" | "gemini";
export type ShapeName = "chat" | "responses" | "messages" | "gemini";

export type Shape = {
  name: ShapeName;
  family: FamilyName;
  /** Path and query of a turn. */
  path(streaming: boolean): string;
  /** A path of the same provider that is no turn. */
  models: string;
  /** The first bytes of a turn's body, to which fields can be added; `{"…":…`, without its last brace. */
  turn: string;
  /** Field that asks for a stream, when it is asked for in the body. */
  streamField: string;
  /** The client's credential, and what its SDK must send beside it. */
  headers: Header[];
  /** Credentials that are another provider's. */
  foreign: Header[];
  /** A header that names a beta of next month. */
  beta: Header;
  /** Events of a stream, each with its blank line. */
  opening: string[];
  delta(text: string): string;
  closing: string[];
  /** A failure that comes as an event of a 200. */
  errorEvent: string;
  /** A whole answer with this text; `more` are further fields as JSON text, each with its comma. */
  answer(text: string, more?: string): string;
  /** Field of a turn that offers a tool with this JSON Schema: known to every gateway, and full of free JSON. */
  tools(schema: string): string;
  /** A provider's error body. */
  error(status: number): string;
  /** A gateway's own error body, parsed. */
  isError(body: unknown): boolean;
  /** What the gateway added to a stream that broke off makes the SDK fail. */
  isErrorEvent(text: string): boolean;
};

export const CREDENTIAL = "conformance-credential";
const OTHERS = "credential-of-another-provider";

/** Server-sent event. */
function event(data: unknown, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === "object" && value !== null;
}

function hasMessage(body: unknown): boolean {
  return isObject(body) && isObject(body["error"]) && typeof body["error"]["message"] === "string";
}

function openaiError(status: number): string {
  const message = `The provider's own words for ${status}: “no”.`;
  return `{\n  "error": {\n    "message": ${JSON.stringify(message)},\n    "type": "some_error",\n    "param": null,\n    "code": "code_${status}",\n    "future": 1.0\n  }\n}\n`;
}

const OPENAI = {
  family: "openai",
  models: "/v1/models",
  streamField: `"stream":true`,
  headers: [["Authorization", `Bearer ${CREDENTIAL}`]],
  foreign: [
    ["x-api-key", OTHERS],
    ["x-goog-api-key", OTHERS],
    ["api-key", OTHERS],
  ],
  beta: ["OpenAI-Beta", "responses=v9,assistants=v2"],
  error: openaiError,
  isError: hasMessage,
} satisfies Partial<Shape>;

function chatChunk(choices: unknown[], more: object = {}): string {
  const stem = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-conformance" };
  return event({ ...stem, choices, ...more });
}

const chat: Shape = {
  ...OPENAI,
  name: "chat",
  path: () => "/v1/chat/completions",
  turn: `{"model":"gpt-conformance","messages":[{"role":"user","content":"Say it."}]`,
  opening: [chatChunk([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }])],
  delta: (content) => chatChunk([{ index: 0, delta: { content }, finish_reason: null }]),
  closing: [chatChunk([{ index: 0, delta: {}, finish_reason: "stop" }]), "data: [DONE]\n\n"],
  answer: (text, more = "") =>
    `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-conformance","choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(text)}},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}${more}}`,
  tools: (schema) => `"tools":[{"type":"function","function":{"name":"act","parameters":${schema}}}]`,
  errorEvent: event({ error: { message: "Overloaded.", type: "server_error", code: 503 } }),
  isErrorEvent: (text) => /^data: ?\{.*"error"/m.test(text),
};

const responses: Shape = {
  ...OPENAI,
  name: "responses",
  path: () => "/v1/responses",
  turn: `{"model":"gpt-conformance","input":[{"role":"user","content":"Say it."}]`,
  opening: [
    event(
      { type: "response.created", sequence_number: 0, response: { id: "resp_1", status: "in_progress" } },
      "response.created",
    ),
  ],
  delta: (delta) =>
    event(
      { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0, delta },
      "response.output_text.delta",
    ),
  closing: [
    event(
      { type: "response.completed", response: { id: "resp_1", status: "completed", output: [] } },
      "response.completed",
    ),
  ],
  answer: (text, more = "") =>
    `{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-conformance","output":[{"type":"message","id":"msg_1","status":"completed","role":"assistant","content":[{"type":"output_text","text":${JSON.stringify(text)},"annotations":[]}]}],"usage":{"input_tokens":9,"output_tokens":3,"total_tokens":12}${more}}`,
  tools: (schema) => `"tools":[{"type":"function","name":"act","parameters":${schema},"strict":false}]`,
  errorEvent: event(
    { type: "error", code: "server_error", message: "Overloaded.", param: null, sequence_number: 0 },
    "error",
  ),
  isErrorEvent: (text) => /^data: ?\{.*("response\.failed"|"type": ?"error")/m.test(text),
};

const messages: Shape = {
  name: "messages",
  family: "anthropic",
  path: () => "/v1/messages",
  models: "/v1/models",
  turn: `{"model":"claude-conformance","max_tokens":100,"messages":[{"role":"user","content":"Say it."}]`,
  streamField: `"stream":true`,
  headers: [
    ["x-api-key", CREDENTIAL],
    ["anthropic-version", "2023-06-01"],
  ],
  foreign: [
    ["x-goog-api-key", OTHERS],
    ["api-key", OTHERS],
  ],
  beta: ["anthropic-beta", "next-month-2027-01-01,another-2027-02-02"],
  opening: [
    event(
      {
        type: "message_start",
        message: {
          id: "msg_1",
          type: "message",
          role: "assistant",
          model: "claude-conformance",
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 10, output_tokens: 1 },
        },
      },
      "message_start",
    ),
    event(
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      "content_block_start",
    ),
  ],
  delta: (text) =>
    event(
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
      "content_block_delta",
    ),
  closing: [
    event({ type: "content_block_stop", index: 0 }, "content_block_stop"),
    event(
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 12 } },
      "message_delta",
    ),
    event({ type: "message_stop" }, "message_stop"),
  ],
  answer: (text, more = "") =>
    `{"id":"msg_1","type":"message","role":"assistant","model":"claude-conformance","content":[{"type":"text","text":${JSON.stringify(text)}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":3}${more}}`,
  tools: (schema) => `"tools":[{"name":"act","description":"Acts.","input_schema":${schema}}]`,
  errorEvent: event({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "error"),
  error: (status) =>
    `{"type": "error", "error": {"type": "some_error", "message": "The provider's own words for ${status}: \\u201cno\\u201d.", "future": 1.0}, "request_id": "req_1"}\n`,
  isError: (body) => hasMessage(body) && isObject(body) && body["type"] === "error",
  isErrorEvent: (text) => /^event: ?error$/m.test(text),
};

function geminiEvent(text: string, more: object = {}): string {
  const candidates = [{ content: { parts: [{ text }], role: "model" }, index: 0, ...more }];
  return event({
    candidates,
    usageMetadata: { promptTokenCount: 4, totalTokenCount: 9 },
    modelVersion: "gemini-x",
  });
}

const gemini: Shape = {
  name: "gemini",
  family: "gemini",
  path: (streaming) =>
    `/v1beta/models/gemini-x:${streaming ? "streamGenerateContent?alt=sse" : "generateContent"}`,
  models: "/v1beta/models",
  turn: `{"contents":[{"role":"user","parts":[{"text":"Say it."}]}]`,
  streamField: "",
  headers: [["x-goog-api-key", CREDENTIAL]],
  foreign: [
    ["x-api-key", OTHERS],
    ["api-key", OTHERS],
  ],
  beta: ["x-goog-api-client", "genai-js/99.0 gl-node/24 next/1"],
  opening: [geminiEvent("He")],
  delta: (text) => geminiEvent(text),
  closing: [geminiEvent("", { finishReason: "STOP" })],
  answer: (text, more = "") =>
    `{"candidates":[{"content":{"parts":[{"text":${JSON.stringify(text)}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":9},"modelVersion":"gemini-x"${more}}`,
  tools: (schema) => `"tools":[{"functionDeclarations":[{"name":"act","parameters":${schema}}]}]`,
  errorEvent: event({ error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } }),
  error: (status) =>
    `{\n  "error": {\n    "code": ${status},\n    "message": "The provider's own words for ${status}.",\n    "status": "SOME_STATUS",\n    "details": [{"@type": "future", "n": 1.0}]\n  }\n}\n`,
  isError: (body) =>
    hasMessage(body) && typeof (body as { error: { status: unknown } }).error.status === "string",
  isErrorEvent: (text) => /^data: ?\{.*"error"/m.test(text),
};

export const SHAPES: Shape[] = [chat, responses, messages, gemini];
