// Anthropic: Messages with its stream (ping included), token counts, files and models.

import type { Header } from "../../support/http-messages.ts";
import { json, type Reply, sse, type SseEvent } from "../../support/upstream.ts";
import {
  ARGUMENTS,
  type Asked,
  fingerprintUpload,
  type Json,
  type Route,
  standIn,
  TEXT,
  WORDS,
} from "./stand-in.ts";

const HEADERS: Header[] = [
  ["request-id", "req_011"],
  ["anthropic-organization-id", "org-1"],
  ["anthropic-ratelimit-requests-remaining", "49"],
];

function say(value: unknown): Reply {
  return json(value, { headers: HEADERS });
}

function blockFor(asked: Json): Json {
  const [last] = [(asked["messages"] as { content: unknown }[] | undefined)?.at(-1)?.content].flat() as {
    type?: string;
  }[];
  if (asked["tools"] !== undefined && last?.type !== "tool_result") {
    return { type: "tool_use", id: "toolu_1", name: "weather", input: ARGUMENTS };
  }
  const wantsJson = asked["output_config"] !== undefined || asked["output_format"] !== undefined;
  return { type: "text", text: wantsJson ? JSON.stringify({ city: "Oslo" }) : TEXT };
}

function answer(asked: Asked): Reply {
  const { json: turn } = asked;
  if (asked.header("anthropic-version") === null || turn["max_tokens"] === undefined) return fail(400);
  const message = messageOf(turn);
  return turn["stream"] === true
    ? sse(eventsOf(message, blockFor(turn)), { headers: HEADERS })
    : say(message);
}

function messageOf(turn: Json): Json {
  const block = blockFor(turn);
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: turn["model"],
    content: [block],
    stop_reason: block["type"] === "tool_use" ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 5, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  };
}

function eventsOf(message: Json, block: Json): SseEvent[] {
  const begun = { ...message, content: [], stop_reason: null };
  const isText = block["type"] === "text";
  const input = JSON.stringify(ARGUMENTS);
  const deltas = isText
    ? WORDS.map((text) => ({ type: "text_delta", text }))
    : ["", input.slice(0, 9), input.slice(9)].map((partial_json) => ({
        type: "input_json_delta",
        partial_json,
      }));
  const empty = isText ? { ...block, text: "" } : { ...block, input: {} };
  const delta = { stop_reason: message["stop_reason"], stop_sequence: null };
  const events: Json[] = [
    { type: "message_start", message: begun },
    { type: "content_block_start", index: 0, content_block: empty },
    { type: "ping" },
    ...deltas.map((each) => ({ type: "content_block_delta", index: 0, delta: each })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ];
  return events.map((data) => ({ event: String(data["type"]), data }));
}

function upload(asked: Asked): Reply {
  const found = fingerprintUpload(asked);
  if (found === null || asked.header("anthropic-beta") === null) return fail(400);
  const { bytes, filename } = found;
  return say({ id: "file_1", type: "file", filename, size_bytes: bytes, mime_type: "application/pdf" });
}

const MODELS = [
  {
    id: "claude-sonnet-5",
    type: "model",
    display_name: "Claude Sonnet 5",
    created_at: "2026-02-01T00:00:00Z",
  },
];

const ROUTES: Route[] = [
  { method: "POST", path: /^\/v1\/messages$/, answer },
  { method: "POST", path: /^\/v1\/messages\/count_tokens$/, answer: () => say({ input_tokens: 9 }) },
  { method: "POST", path: /^\/v1\/files$/, answer: upload },
  {
    method: "GET",
    path: /^\/v1\/models$/,
    answer: () => say({ data: MODELS, has_more: false, first_id: MODELS[0]!.id, last_id: MODELS[0]!.id }),
  },
];

const TYPES: { [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

function fail(status: number, headers: Header[] = []): Reply {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
  const error = { type, message: `The provider said ${status}.` };
  const body = { type: "error", error, request_id: "req_011" };
  return json(body, { status, headers: [...HEADERS, ...headers] });
}

const BEGUN = eventsOf(messageOf({ model: "m" }), blockFor({})).slice(0, 5);
const OVERLOADED = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };

export const ANTHROPIC = standIn(ROUTES, {
  authorised: ({ header }) =>
    (header("x-api-key") ?? header("authorization")?.replace("Bearer ", ""))?.startsWith("sk-ant-") ?? false,
  fail,
  failInStream: () => sse([{ event: "error", data: OVERLOADED }], { headers: HEADERS }),
  stall: () => sse(BEGUN, { end: "open", headers: HEADERS }),
  cut: () => sse(BEGUN, { end: "cut", headers: HEADERS }),
});
