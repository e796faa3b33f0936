// OpenAI: Chat Completions, Responses, embeddings, images, audio, files and models, in the shapes of its API reference.

import type { Header } from "../../support/http-messages.ts";
import { json, type Reply, sse, type SseEvent } from "../../support/upstream.ts";
import {
  ARGUMENTS,
  type Asked,
  fingerprintUpload,
  type Json,
  PIXEL,
  type Route,
  standIn,
  TEXT,
  WORDS,
} from "./stand-in.ts";

const HEADERS: Header[] = [
  ["x-request-id", "req_0123456789"],
  ["openai-organization", "org-1"],
  ["openai-processing-ms", "12"],
  ["openai-version", "2020-10-01"],
  ["x-ratelimit-remaining-requests", "4999"],
];
const CREATED = 1_790_000_000;
const USAGE = { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 };
const STRUCTURED = JSON.stringify({ city: "Oslo" });
const CALL = { name: "weather", arguments: JSON.stringify(ARGUMENTS) };

function say(value: unknown): Reply {
  return json(value, { headers: HEADERS });
}

// ── Chat Completions ────────────────────────────────────────────────────────────────────────────────────────────

function chat({ json: asked }: Asked): Reply {
  if (!Array.isArray(asked["messages"])) return fail(400);
  const head = { id: "chatcmpl-1", created: CREATED, model: asked["model"], service_tier: "default" };
  const message = chatMessage(asked);
  const reason = "tool_calls" in message ? "tool_calls" : "stop";
  if (asked["stream"] === true) return sse(chatEvents(head, asked), { headers: HEADERS });
  const choice = { index: 0, message, logprobs: null, finish_reason: reason };
  return say({ ...head, object: "chat.completion", choices: [choice], usage: USAGE });
}

function wantsTool(asked: Json): boolean {
  const turns = (asked["messages"] ?? asked["input"]) as { role?: string; type?: string }[] | string;
  const last = typeof turns === "string" ? undefined : turns.at(-1);
  return asked["tools"] !== undefined && last?.role !== "tool" && last?.type !== "function_call_output";
}

function chatMessage(asked: Json): Json {
  const message = { role: "assistant", content: TEXT as string | null, refusal: null, annotations: [] };
  if (wantsTool(asked)) {
    return { ...message, content: null, tool_calls: [{ id: "call_1", type: "function", function: CALL }] };
  }
  return asked["response_format"] === undefined ? message : { ...message, content: STRUCTURED };
}

function chatEvents(head: Json, asked: Json): SseEvent[] {
  const chunk = (delta: Json, finish_reason: string | null = null): SseEvent => ({
    data: {
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    },
  });
  const events = [chunk({ role: "assistant", content: "" })];
  if (wantsTool(asked)) {
    const call = { index: 0, id: "call_1", type: "function", function: { ...CALL, arguments: "" } };
    events.push(chunk({ tool_calls: [call] }));
    for (const part of [CALL.arguments.slice(0, 9), CALL.arguments.slice(9)]) {
      events.push(chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] }));
    }
    events.push(chunk({}, "tool_calls"));
  } else {
    for (const content of WORDS) events.push(chunk({ content }));
    events.push(chunk({}, "stop"));
  }
  const options = asked["stream_options"] as { include_usage?: boolean } | undefined;
  if (options?.include_usage === true) {
    events.push({ data: { ...head, object: "chat.completion.chunk", choices: [], usage: USAGE } });
  }
  return [...events, { data: "[DONE]" }];
}

// ── Responses ───────────────────────────────────────────────────────────────────────────────────────────────────

function respond({ json: asked }: Asked): Reply {
  if (asked["input"] === undefined) return fail(400);
  const output = [wantsTool(asked) ? functionCall() : outputMessage(asked)];
  const whole = response(asked, "completed", output);
  if (asked["stream"] !== true) return say(whole);
  return sse(responseEvents(asked, whole, output[0]!), { headers: HEADERS });
}

function functionCall(): Json {
  return { id: "fc_1", type: "function_call", status: "completed", call_id: "call_1", ...CALL };
}

function outputMessage(asked: Json): Json {
  const { format } = (asked["text"] ?? {}) as { format?: { type: string } };
  const text = format?.type === "json_schema" ? STRUCTURED : TEXT;
  const content = [{ type: "output_text", text, annotations: [], logprobs: [] }];
  return { id: "msg_1", type: "message", status: "completed", role: "assistant", content };
}

function response(asked: Json, status: string, output: Json[]): Json {
  const details = {
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
  const usage = { input_tokens: 9, output_tokens: 5, total_tokens: 14, ...details };
  return {
    id: "resp_1",
    object: "response",
    created_at: CREATED,
    status,
    error: null,
    incomplete_details: null,
    instructions: asked["instructions"] ?? null,
    max_output_tokens: null,
    model: asked["model"],
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    tools: asked["tools"] ?? [],
    tool_choice: "auto",
    temperature: 1,
    top_p: 1,
    usage: status === "completed" ? usage : null,
    metadata: {},
  };
}

function responseEvents(asked: Json, whole: Json, item: Json): SseEvent[] {
  const unfinished = response(asked, "in_progress", []);
  const at = { output_index: 0, item_id: item["id"] };
  const events: Json[] = [
    { type: "response.created", response: unfinished },
    { type: "response.in_progress", response: unfinished },
  ];
  if (item["type"] === "function_call") {
    events.push({ type: "response.output_item.added", output_index: 0, item: { ...item, arguments: "" } });
    events.push({ type: "response.function_call_arguments.delta", ...at, delta: CALL.arguments });
    events.push({ type: "response.function_call_arguments.done", ...at, ...CALL });
  } else {
    const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
    const [full] = item["content"] as (typeof part)[];
    const text = { ...at, content_index: 0 };
    events.push({ type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } });
    events.push({ type: "response.content_part.added", ...text, part });
    for (const delta of WORDS)
      events.push({ type: "response.output_text.delta", ...text, delta, logprobs: [] });
    events.push({ type: "response.output_text.done", ...text, text: full!.text, logprobs: [] });
    events.push({ type: "response.content_part.done", ...text, part: full });
  }
  events.push({ type: "response.output_item.done", output_index: 0, item });
  events.push({ type: "response.completed", response: whole });
  return events.map((data, sequence_number) => ({
    event: String(data["type"]),
    data: { ...data, sequence_number },
  }));
}

// ── the rest ────────────────────────────────────────────────────────────────────────────────────────────────────

const VECTOR = [0.25, -0.5, 0.125];

function embed({ json: asked }: Asked): Reply {
  const inputs = [asked["input"]].flat();
  const base64 = Buffer.from(new Float32Array(VECTOR).buffer).toString("base64");
  const embedding = asked["encoding_format"] === "base64" ? base64 : VECTOR;
  const data = inputs.map((_, index) => ({ object: "embedding", index, embedding }));
  return say({ object: "list", data, model: asked["model"], usage: { prompt_tokens: 2, total_tokens: 2 } });
}

function drawImage(): Reply {
  return say({ created: CREATED, data: [{ b64_json: PIXEL }], usage: { total_tokens: 1 } });
}

function uploaded(shape: (upload: { bytes: number; filename: string }) => Json): Route["answer"] {
  return (asked) => {
    const upload = fingerprintUpload(asked);
    return upload === null ? fail(400) : say(shape(upload));
  };
}

const MODELS = ["gpt-5.4-mini", "text-embedding-3-small"].map((id) => ({
  id,
  object: "model",
  created: CREATED,
  owned_by: "openai",
}));

const ROUTES: Route[] = [
  { method: "POST", path: /^\/v1\/chat\/completions$/, answer: chat },
  { method: "POST", path: /^\/v1\/responses$/, answer: respond },
  {
    method: "POST",
    path: /^\/v1\/responses\/input_tokens$/,
    answer: () => say({ object: "response.input_tokens", input_tokens: 9 }),
  },
  { method: "POST", path: /^\/v1\/embeddings$/, answer: embed },
  { method: "POST", path: /^\/v1\/images\/generations$/, answer: drawImage },
  {
    method: "POST",
    path: /^\/v1\/images\/edits$/,
    answer: uploaded((upload) => ({
      created: CREATED,
      data: [{ b64_json: PIXEL, revised_prompt: upload.filename }],
    })),
  },
  {
    method: "POST",
    path: /^\/v1\/audio\/transcriptions$/,
    answer: uploaded(({ filename }) => ({ text: filename })),
  },
  {
    method: "POST",
    path: /^\/v1\/audio\/speech$/,
    answer: () => ({
      headers: [...HEADERS, ["content-type", "audio/mpeg"]],
      chunks: [{ bytes: Buffer.from([0xff, 0xfb, 0x90, 0x00]) }, { bytes: Buffer.alloc(5_000, 0xa5) }],
    }),
  },
  {
    method: "POST",
    path: /^\/v1\/files$/,
    answer: uploaded((upload) => ({ id: "file-1", object: "file", created_at: CREATED, ...upload })),
  },
  { method: "GET", path: /^\/v1\/models$/, answer: () => say({ object: "list", data: MODELS }) },
];

const TYPES: { [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "invalid_request_error",
  429: "rate_limit_error",
};

function fail(status: number, headers: Header[] = []): Reply {
  const type = TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error");
  const error = { message: `The provider said ${status}.`, type, param: "model", code: `code_${status}` };
  return json({ error }, { status, headers: [...HEADERS, ...headers] });
}

const BEGUN = chatEvents({ id: "chatcmpl-1", created: CREATED, model: "m" }, { messages: [] }).slice(0, 3);

export const OPENAI = standIn(ROUTES, {
  authorised: ({ header }) => header("authorization")?.startsWith("Bearer sk-") ?? false,
  fail,
  failInStream: () =>
    sse([{ data: { error: { message: "Overloaded", type: "server_error", param: null, code: null } } }]),
  stall: () => sse(BEGUN, { end: "open", headers: HEADERS }),
  cut: () => sse(BEGUN, { end: "cut", headers: HEADERS }),
});

/** The same provider, asked through Responses: what breaks does so in the events of that API. */
const RESPONSE_BEGUN = responseEvents({ model: "m" }, {}, outputMessage({})).slice(0, 5);

export const OPENAI_RESPONSES = {
  ...OPENAI,
  failInStream: () =>
    sse([
      {
        event: "error",
        data: { type: "error", sequence_number: 0, code: "server_error", message: "Overloaded", param: null },
      },
    ]),
  stall: () => sse(RESPONSE_BEGUN, { end: "open", headers: HEADERS }),
  cut: () => sse(RESPONSE_BEGUN, { end: "cut", headers: HEADERS }),
};
