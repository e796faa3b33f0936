// Gemini (v1 and v1beta): generateContent and its SSE stream, token counts, embeddings, images and models; and
// resumable uploads, whose second step goes to an absolute URL that the provider names.

import type { Header } from "../../support/http-messages.ts";
import { json, type Reply, sse, type SseEvent } from "../../support/upstream.ts";
import { ARGUMENTS, type Asked, type Json, PIXEL, type Route, standIn, TEXT, WORDS } from "./stand-in.ts";

const HEADERS: Header[] = [
  ["x-gemini-service-tier", "standard"],
  ["server-timing", "gfet4t7; dur=12"],
  ["vary", "Origin"],
];
const USAGE = { promptTokenCount: 9, candidatesTokenCount: 5, totalTokenCount: 14 };
const VECTOR = [0.25, -0.5, 0.125];

function say(value: unknown, headers: Header[] = []): Reply {
  return json(value, { headers: [...HEADERS, ...headers] });
}

function partFor(asked: Json): Json {
  const turns = asked["contents"] as { parts: Json[] }[];
  const isAnswered = turns.at(-1)?.parts.some((part) => part["functionResponse"] !== undefined) ?? false;
  if (asked["tools"] !== undefined && !isAnswered) {
    return { functionCall: { id: "call_1", name: "weather", args: ARGUMENTS }, thoughtSignature: "c2ln" };
  }
  const config = asked["generationConfig"] as Json | undefined;
  if (config?.["responseModalities"] !== undefined)
    return { inlineData: { mimeType: "image/png", data: PIXEL } };
  const wantsJson = config?.["responseMimeType"] === "application/json";
  return { text: wantsJson ? JSON.stringify({ city: "Oslo" }) : TEXT };
}

function candidate(parts: Json[], finishReason?: string): Json {
  const content = { role: "model", parts };
  return { content, index: 0, ...(finishReason !== undefined && { finishReason }) };
}

function generate({ json: asked }: Asked): Reply {
  if (!Array.isArray(asked["contents"])) return fail(400);
  const candidates = [candidate([partFor(asked)], "STOP")];
  return say({ candidates, usageMetadata: USAGE, modelVersion: "gemini-3.1-flash", responseId: "r1" });
}

function stream({ json: asked, query }: Asked): Reply {
  // Without `alt=sse` the real one streams a JSON array, which no SDK here asks for.
  if (!Array.isArray(asked["contents"]) || query.get("alt") !== "sse") return fail(400);
  return sse(eventsOf(partFor(asked)), { newline: "\r\n", headers: HEADERS });
}

function eventsOf(part: Json): SseEvent[] {
  const parts = part["text"] === TEXT ? WORDS.map((text) => ({ text })) : [part];
  return parts.map((each, index) => {
    const isLast = index === parts.length - 1;
    const candidates = [candidate([each], isLast ? "STOP" : undefined)];
    return {
      data: { candidates, usageMetadata: USAGE, modelVersion: "gemini-3.1-flash", responseId: "r1" },
    };
  });
}

/** Resumable upload, first step: the answer names where the bytes go. The host is the one that was asked. */
function beginUpload({ header, path }: Asked): Reply {
  if (header("x-goog-upload-protocol") !== "resumable") return fail(400);
  const url = `http://${header("host")}${path}?upload_id=u1&upload_protocol=resumable`;
  return { headers: [...HEADERS, ["x-goog-upload-url", url], ["x-goog-upload-status", "active"]], body: "" };
}

function upload(asked: Asked): Reply {
  if (asked.query.get("upload_id") === null) return beginUpload(asked);
  const file = { name: "files/f1", uri: "https://files/f1", mimeType: "text/plain", state: "ACTIVE" };
  return say({ file: { ...file, sizeBytes: String(asked.bytes.length) } }, [
    ["x-goog-upload-status", "final"],
  ]);
}

const MODEL = {
  name: "models/gemini-3.1-flash",
  version: "001",
  displayName: "Gemini",
  inputTokenLimit: 1_000_000,
};
const model = (verb: string) => new RegExp(`^/v1(beta)?/models/[\\w.-]+:${verb}$`);

const ROUTES: Route[] = [
  { method: "POST", path: model("generateContent"), answer: generate },
  { method: "POST", path: model("streamGenerateContent"), answer: stream },
  { method: "POST", path: model("countTokens"), answer: () => say({ totalTokens: 9 }) },
  { method: "POST", path: model("embedContent"), answer: () => say({ embedding: { values: VECTOR } }) },
  {
    method: "POST",
    path: model("batchEmbedContents"),
    answer: ({ json: asked }) =>
      say({ embeddings: (asked["requests"] as unknown[]).map(() => ({ values: VECTOR })) }),
  },
  {
    method: "POST",
    path: model("predict"),
    answer: () => say({ predictions: [{ mimeType: "image/png", bytesBase64Encoded: PIXEL }] }),
  },
  { method: "POST", path: /^\/upload\/v1(beta)?\/files$/, answer: upload },
  { method: "GET", path: /^\/v1(beta)?\/models$/, answer: () => say({ models: [MODEL] }) },
];

const STATUSES: { [status: number]: string } = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
};

function fail(status: number, headers: Header[] = []): Reply {
  const error = {
    code: status,
    message: `The provider said ${status}.`,
    status: STATUSES[status] ?? "UNKNOWN",
  };
  return json({ error }, { status, headers: [...HEADERS, ...headers] });
}

const BEGUN = eventsOf({ text: TEXT }).slice(0, 2);
const begun = (end: "open" | "cut") => sse(BEGUN, { end, newline: "\r\n", headers: HEADERS });

export const GEMINI = standIn(ROUTES, {
  authorised: ({ header, query }) =>
    header("x-goog-api-key") !== null || query.has("key") || query.has("upload_id"),
  fail,
  failInStream: () =>
    sse([{ data: { error: { code: 503, message: "Overloaded", status: "UNAVAILABLE" } } }], {
      newline: "\r\n",
      headers: HEADERS,
    }),
  stall: () => begun("open"),
  cut: () => begun("cut"),
});
