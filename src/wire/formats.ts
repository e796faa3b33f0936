// Which wire format a request is in, by its path and never by a look into its body. Paths are matched by how they end,
// because what stands before differs by provider (`/v1`, `/openai/deployments/{name}`, `/api/v1`, …).

import { anthropicMessages } from "./anthropic-messages.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import type { Endpoint, Family, FormatId, WireFormat } from "./wire.ts";

export const FORMATS: { readonly [id in FormatId]: WireFormat } = {
  "openai-chat": openaiChat as WireFormat,
  "openai-responses": openaiResponses as WireFormat,
  "anthropic-messages": anthropicMessages as WireFormat,
};

const CHAT = /\/chat\/completions$/;
const RESPONSES = /\/responses(\/input_tokens)?$/;
/** Behind a version only: OpenAI's threads and stored completions have `/messages` of their own. */
const MESSAGES = /\/v\d+[a-z0-9]*\/messages(\/count_tokens)?$/;
const BARE_MESSAGES = /\/messages(\/count_tokens)?$/;
const GEMINI = /:(?:stream)?[gG]enerateContent$|:countTokens$/;

/** The turn-creating endpoint at `path` (no query), for POST requests; null: not one that a prompt goes into. */
export function matchEndpoint(provider: string, path: string): Endpoint | null {
  const trimmed = path.replace(/\/+$/, "");
  if (CHAT.test(trimmed)) return { format: FORMATS["openai-chat"], count: false };
  const responses = RESPONSES.exec(trimmed);
  if (responses !== null) return { format: FORMATS["openai-responses"], count: responses[1] !== undefined };
  const messages = (provider === "anthropic" ? BARE_MESSAGES : MESSAGES).exec(trimmed);
  if (messages !== null) return { format: FORMATS["anthropic-messages"], count: messages[1] !== undefined };
  return null;
}

/** Whose error shape the SDK behind this request reads. */
export function familyOf(provider: string, path: string): Family {
  const endpoint = matchEndpoint(provider, path);
  if (endpoint !== null) return endpoint.format.family;
  if (GEMINI.test(path)) return "gemini";
  if (provider === "anthropic") return "anthropic";
  if (provider === "gemini") return path.includes("/openai/") ? "openai" : "gemini";
  return /\/v\d+\/messages(\/|$)/.test(path) ? "anthropic" : "openai";
}
