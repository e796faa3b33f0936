// AWS Bedrock: Converse and Invoke, whole and as a binary event stream whose frames (lengths, CRCs and all) are made
// with the codec that the AWS SDK itself reads them with.

import { EventStreamCodec } from "@smithy/eventstream-codec";
import type { Header } from "../../support/http-messages.ts";
import { json, type Reply } from "../../support/upstream.ts";
import { ARGUMENTS, type Asked, type Json, PIXEL, type Route, standIn, TEXT, WORDS } from "./stand-in.ts";

const HEADERS: Header[] = [["x-amzn-requestid", "11111111-2222-3333-4444-555555555555"]];
const STREAM: Header[] = [...HEADERS, ["content-type", "application/vnd.amazon.eventstream"]];
const USAGE = { inputTokens: 9, outputTokens: 5, totalTokens: 14 };

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (string) => Buffer.from(string),
);

function stringHeader(value: string): { type: "string"; value: string } {
  return { type: "string", value };
}

/** One message of the event stream. */
export function frame(type: string, value: Json, kind: "event" | "exception" = "event"): Buffer {
  const headers = {
    [kind === "event" ? ":event-type" : ":exception-type"]: stringHeader(type),
    ":content-type": stringHeader("application/json"),
    ":message-type": stringHeader(kind),
  };
  return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(value)) }));
}

/** Frames cut where no frame ends: in one, two and many pieces. */
function streamOf(frames: Buffer[], end: "clean" | "open" | "cut" = "clean"): Reply {
  const bytes = Buffer.concat(frames);
  const cuts = [0, 3, 60, Math.floor(bytes.length / 2), bytes.length].toSorted((a, b) => a - b);
  const chunks = cuts.slice(1).map((to, index) => ({ bytes: bytes.subarray(cuts[index], to) }));
  return { headers: STREAM, chunks: chunks.filter(({ bytes: part }) => part.length > 0), end };
}

function say(value: unknown): Reply {
  return json(value, { headers: HEADERS });
}

// ── Converse ────────────────────────────────────────────────────────────────────────────────────────────────────

function wantsTool(asked: Json): boolean {
  const turns = asked["messages"] as { content: Json[] }[];
  const isAnswered = turns.at(-1)?.content.some((block) => block["toolResult"] !== undefined) ?? false;
  return asked["toolConfig"] !== undefined && !isAnswered;
}

function converse({ json: asked }: Asked): Reply {
  if (!Array.isArray(asked["messages"])) return fail(400);
  const use = { toolUse: { toolUseId: "tooluse_1", name: "weather", input: ARGUMENTS } };
  const content = [wantsTool(asked) ? use : { text: textFor(asked) }];
  const stopReason = wantsTool(asked) ? "tool_use" : "end_turn";
  return say({
    output: { message: { role: "assistant", content } },
    stopReason,
    usage: USAGE,
    metrics: { latencyMs: 7 },
  });
}

function textFor(asked: Json): string {
  return asked["outputConfig"] === undefined ? TEXT : JSON.stringify({ city: "Oslo" });
}

function converseFrames(asked: Json): Buffer[] {
  const use = wantsTool(asked);
  const input = JSON.stringify(ARGUMENTS);
  const deltas = use
    ? [input.slice(0, 9), input.slice(9)].map((part) => ({ toolUse: { input: part } }))
    : WORDS.map((text) => ({ text }));
  const start = { toolUse: { toolUseId: "tooluse_1", name: "weather" } };
  return [
    frame("messageStart", { role: "assistant" }),
    ...(use ? [frame("contentBlockStart", { contentBlockIndex: 0, start })] : []),
    ...deltas.map((delta) => frame("contentBlockDelta", { contentBlockIndex: 0, delta })),
    frame("contentBlockStop", { contentBlockIndex: 0 }),
    frame("messageStop", { stopReason: use ? "tool_use" : "end_turn" }),
    frame("metadata", { usage: USAGE, metrics: { latencyMs: 7 } }),
  ];
}

// ── Invoke: the model's own body ────────────────────────────────────────────────────────────────────────────────

const MESSAGE = {
  id: "msg_bdrk_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5",
  content: [{ type: "text", text: TEXT }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 9, output_tokens: 5 },
};

function invoke({ json: asked, path }: Asked): Reply {
  if (path.includes("embed")) return say({ embedding: [0.25, -0.5, 0.125], inputTextTokenCount: 2 });
  if (path.includes("image")) return say({ images: [PIXEL] });
  if (asked["anthropic_version"] !== "bedrock-2023-05-31") return fail(400);
  return say(MESSAGE);
}

function invokeFrames(): Buffer[] {
  const events: Json[] = [
    { type: "message_start", message: { ...MESSAGE, content: [] } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...WORDS.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } },
    { type: "message_stop" },
  ];
  return events.map((event) =>
    frame("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64"), p: "abcdefghij" }),
  );
}

const model = (verb: string) => new RegExp(`^/model/[\\w.%:-]+/${verb}$`);

const ROUTES: Route[] = [
  { method: "POST", path: model("converse"), answer: converse },
  {
    method: "POST",
    path: model("converse-stream"),
    answer: ({ json: asked }) => streamOf(converseFrames(asked)),
  },
  { method: "POST", path: model("invoke"), answer: invoke },
  { method: "POST", path: model("invoke-with-response-stream"), answer: () => streamOf(invokeFrames()) },
  { method: "POST", path: model("count-tokens"), answer: () => say({ inputTokens: 9 }) },
];

const EXCEPTIONS: { [status: number]: string } = {
  400: "ValidationException",
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  409: "ConflictException",
  422: "UnprocessableException",
  429: "ThrottlingException",
  500: "InternalServerException",
  503: "ServiceUnavailableException",
  529: "OverloadedException",
};

function fail(status: number, headers: Header[] = []): Reply {
  const type = EXCEPTIONS[status] ?? "InternalServerException";
  const named: Header[] = [["x-amzn-errortype", `${type}:http://internal.amazon.com/coral/x/`]];
  return json(
    { message: `The provider said ${status}.` },
    { status, headers: [...HEADERS, ...named, ...headers] },
  );
}

const BEGUN = converseFrames({ messages: [] }).slice(0, 3);

export const BEDROCK = standIn(ROUTES, {
  authorised: ({ header }) => /^(Bearer |AWS4-HMAC-SHA256 )/.test(header("authorization") ?? ""),
  fail,
  failInStream: () => streamOf([frame("throttlingException", { message: "Overloaded" }, "exception")]),
  stall: () => streamOf(BEGUN, "open"),
  cut: () => streamOf(BEGUN, "cut"),
});

const INVOKE_BEGUN = invokeFrames().slice(0, 4);

/** The same provider, asked through Invoke: what breaks does so in the frames of that call. */
export const BEDROCK_INVOKE = {
  ...BEDROCK,
  stall: () => streamOf(INVOKE_BEGUN, "open"),
  cut: () => streamOf(INVOKE_BEGUN, "cut"),
};
