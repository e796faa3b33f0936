// Which wire format a request is in, by its path and never by a look into its body. Paths are matched by how they end,
// because what stands before differs by provider (`/v1`, `/openai/deployments/{name}`, `/api/v1`, …). Where the path
// names the model, its place is noted, so that a version's own model goes there and every other byte stays.

import { makerOf } from "../core/providers.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import { bedrockConverse } from "./bedrock-converse.ts";
import { bedrockCount } from "./bedrock-count.ts";
import { bedrockInvoke, mayBeAnthropic } from "./bedrock-invoke.ts";
import { gemini } from "./gemini.ts";
import { modelInPath, resourceAt } from "./model-path.ts";
import { openaiChat } from "./openai-chat.ts";
import { realtimeBetaSession, realtimeSession } from "./openai-realtime.ts";
import { openaiResponses } from "./openai-responses.ts";
import { workersAi } from "./workers-ai.ts";
import type { Endpoint, Family, FormatId, WireFormat } from "./wire.ts";

export const FORMATS: { readonly [id in FormatId]: WireFormat } = {
  "openai-chat": openaiChat as unknown as WireFormat,
  "openai-responses": openaiResponses as unknown as WireFormat,
  "anthropic-messages": anthropicMessages as unknown as WireFormat,
  "bedrock-converse": bedrockConverse as unknown as WireFormat,
  gemini: gemini as unknown as WireFormat,
  "openai-realtime": realtimeSession as unknown as WireFormat,
  "openai-realtime-beta": realtimeBetaSession as unknown as WireFormat,
  "workers-ai": workersAi as unknown as WireFormat,
};

/** Behind a version only: OpenAI's threads and stored completions have `/messages` of their own. */
const MESSAGES = /\/v\d+[a-z0-9]*\/messages(\/count_tokens)?$/;
const BARE_MESSAGES = /\/messages(\/count_tokens)?$/;
/** The colon may be escaped, and the model may have one of its own. */
const GEMINI =
  /\/(?:models|tunedModels|endpoints)\/([^/]+)(?::|%3[aA])(generateContent|streamGenerateContent|countTokens)\/*$/d;
/** Turns of Bedrock's other APIs, and of Google's that keeps conversations itself. */
const FOREIGN_TURNS =
  /\/v\d+[a-z0-9]*\/interactions$|\/(?:converse|converse-stream|invoke|invoke-with-response-stream|invoke-with-bidirectional-stream)$|\/async-invoke$|\/model\/.+\/count-tokens$/;
/** Workers AI's paths, with an account or without one; models have slashes in their names. */
const RUN = /(?:\/ai|^)\/run\/(.+?)\/*$/d;
/** Bedrock's paths; a model's ARN may be escaped or not. */
const BEDROCK =
  /\/model\/(.+)\/(converse|invoke|count-tokens|converse-stream|invoke-with-response-stream)\/*$/d;
const BEDROCK_FORMATS: { readonly [operation: string]: WireFormat } = {
  converse: bedrockConverse as unknown as WireFormat,
  "converse-stream": bedrockConverse as unknown as WireFormat,
  invoke: bedrockInvoke as unknown as WireFormat,
  "invoke-with-response-stream": bedrockInvoke as unknown as WireFormat,
  "count-tokens": bedrockCount as unknown as WireFormat,
};
/** Prompts of Bedrock's own: a call that names one may say nothing of its own. */
const BEDROCK_PROMPT = /^arn:[^/]*:prompt\//;
/** Anthropic's models behind Google's Vertex: a Messages body, the model in the path but where tokens are counted. */
const VERTEX = /\/publishers\/anthropic\/models\/([^/]+):(raw|streamRaw)Predict$/d;
/** Azure's deployment path, which names the model that the body's `model` only repeats. */
const DEPLOYMENT = /\/openai\/deployments\/([^/]+)\/chat\/completions\/*$/d;

/** The turn-creating endpoint at `path` (no query), for POST requests; null: not one that a prompt goes into. */
export function matchEndpoint(provider: string, path: string): Endpoint | null {
  const plain = plainPath(path);
  if (plain.endsWith("/chat/completions")) {
    const [, deployment] = DEPLOYMENT.exec(path)?.indices ?? [];
    const modelAt = deployment === undefined ? null : spanOf(deployment);
    return { ...endpointOf("openai-chat"), modelAt };
  }
  if (plain.endsWith("/responses")) return endpointOf("openai-responses");
  if (plain.endsWith("/responses/input_tokens")) return endpointOf("openai-responses", true);
  const messages = (makerOf(provider) === "anthropic" ? BARE_MESSAGES : MESSAGES).exec(plain);
  if (messages !== null) return endpointOf("anthropic-messages", messages[1] !== undefined);
  return matchRun(provider, path) ?? matchGemini(path) ?? matchBedrock(path) ?? matchVertex(path);
}

function matchRun(provider: string, path: string): Endpoint | null {
  const [, model] = RUN.exec(path)?.indices ?? [];
  if (model === undefined || !(makerOf(provider) === "workers-ai" || path.includes("/ai/run/"))) return null;
  return { ...endpointOf("workers-ai"), modelAt: { from: model[0], to: model[1], naming: "path" } };
}

function matchBedrock(path: string): Endpoint | null {
  const match = BEDROCK.exec(path);
  const [, place] = match?.indices ?? [];
  const operation = match?.[2] ?? "";
  const format = BEDROCK_FORMATS[operation];
  if (format === undefined || place === undefined) return null;
  const count = operation === "count-tokens";
  const streams = operation.endsWith("-stream");
  const endpoint = { format, count, streams, modelAt: spanOf(place), resource: null };
  const model = modelInPath(path, endpoint) ?? "";
  if (BEDROCK_PROMPT.test(model) || (operation.startsWith("invoke") && !mayBeAnthropic(model))) return null;
  return endpoint;
}

function matchVertex(path: string): Endpoint | null {
  const match = VERTEX.exec(path);
  const [, place] = match?.indices ?? [];
  if (place === undefined) return null;
  if (match?.[1] === "count-tokens") return endpointOf("anthropic-messages", true);
  return { ...endpointOf("anthropic-messages"), modelAt: spanOf(place) };
}

function spanOf([from, to]: [number, number]): Endpoint["modelAt"] {
  return { from, to };
}

function matchGemini(path: string): Endpoint | null {
  const found = GEMINI.exec(path);
  if (found === null) return null;
  const [from, to] = found.indices![1]!;
  const modelAt = { from, to, naming: "resource" } as const;
  const streams = found[2] === "streamGenerateContent";
  return {
    ...endpointOf("gemini", found[2] === "countTokens"),
    streams,
    modelAt,
    resource: resourceAt(path, modelAt),
  };
}

function endpointOf(id: FormatId, count = false): Endpoint {
  return { format: FORMATS[id], count, streams: count ? false : null, modelAt: null, resource: null };
}

/** Where OpenAI's Realtime takes WebSockets; a session that only writes down what it hears has no instructions. */
export function isRealtime(path: string, search: string): boolean {
  return plainPath(path).endsWith("/realtime") && !/[?&]intent=transcription(?:&|$)/.test(search);
}

/** Does a POST to `path` create a turn in a format that we cannot write a prompt into? (Legacy completions, batches and
 * runs pass untouched, as whatever is no chat: README.) */
export function isUnwritableTurn(provider: string, path: string): boolean {
  const plain = plainPath(path);
  if (matchEndpoint(provider, plain) !== null) return false;
  return FOREIGN_TURNS.test(plain);
}

/** As the provider will read it: escapes decoded, slashes at the end dropped. Only for matching, never for sending. */
function plainPath(path: string): string {
  let plain = path;
  if (path.includes("%")) {
    try {
      plain = decodeURIComponent(path);
    } catch {
      // Not UTF-8: no endpoint is called like that.
    }
  }
  while (plain.endsWith("/")) plain = plain.slice(0, -1);
  return plain;
}

/** Without `alt=sse` what streams from Gemini is one JSON array, its errors too. */
export function familyAt({ format, streams }: Endpoint, search: string): Family {
  const isArray = format.id === "gemini" && streams === true && !/[?&](?:\$|%24)?alt=sse(?:&|$)/.test(search);
  return isArray ? "gemini-array" : format.family;
}

/** Whose error shape the SDK behind a request to no endpoint of ours reads. */
export function familyOf(provider: string, path: string): Family {
  const endpoint = matchEndpoint(provider, path);
  if (endpoint !== null) return endpoint.format.family;
  const maker = makerOf(provider);
  if (maker === "anthropic") return "anthropic";
  if (maker === "gemini") return path.includes("/openai/") ? "openai" : "gemini";
  if (isBedrock(maker, path)) return "bedrock";
  if (maker === "workers-ai") return /(?:\/ai|^)\/v\d+\//.test(path) ? "openai" : "workers-ai";
  return /\/v\d+\/messages(\/|$)/.test(path) ? "anthropic" : "openai";
}

/** Bedrock also speaks OpenAI's and Anthropic's APIs, each below a path of its own. */
function isBedrock(maker: string, path: string): boolean {
  if (/^\/(?:openai|anthropic)?\/?v\d+\//.test(path)) return false;
  return maker === "bedrock" || /\/model\/.+\/(?:converse|invoke|count-tokens)/.test(path);
}
