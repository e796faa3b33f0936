import { describe, expect, it } from "vitest";
import { familyOf, FORMATS, matchEndpoint } from "../../src/wire/formats.ts";

function match(provider: string, path: string): string | null {
  const endpoint = matchEndpoint(provider, path);
  return endpoint === null ? null : `${endpoint.format.id}${endpoint.count ? " count" : ""}`;
}

describe("an endpoint", () => {
  it.each([
    ["openai", "/v1/chat/completions", "openai-chat"],
    ["azure", "/openai/deployments/gpt-5/chat/completions", "openai-chat"],
    ["openrouter", "/api/v1/chat/completions", "openai-chat"],
    ["gemini", "/v1beta/openai/chat/completions", "openai-chat"],
    ["anthropic", "/v1/chat/completions", "openai-chat"],
    ["openai", "/v1/chat/completions/", "openai-chat"],
    ["openai", "/v1/responses", "openai-responses"],
    ["azure", "/openai/v1/responses", "openai-responses"],
    ["openai", "/v1/responses/input_tokens", "openai-responses count"],
    ["anthropic", "/v1/messages", "anthropic-messages"],
    ["anthropic", "/v1/messages/count_tokens", "anthropic-messages count"],
    ["openrouter", "/api/v1/messages", "anthropic-messages"],
    ["anthropic", "/messages", "anthropic-messages"],
  ])("of %s at %s is %s", (provider, path, expected) => {
    expect(match(provider, path)).toBe(expected);
  });

  it.each([
    ["openai", "/v1/chat/completions/chatcmpl-1"],
    ["openai", "/v1/chat/completions/chatcmpl-1/messages"],
    ["openai", "/v1/responses/resp_1"],
    ["openai", "/v1/responses/resp_1/cancel"],
    ["openai", "/v1/responses/compact"],
    ["openai", "/v1/threads/thread_1/messages"],
    ["openai", "/v1/completions"],
    ["openai", "/v1/embeddings"],
    ["openai", "/chat/completionsx"],
    ["anthropic", "/v1/messages/batches"],
    ["anthropic", "/v1/models"],
    ["gemini", "/v1beta/models/gemini-3:generateContent"],
    ["openai", "/"],
    ["openai", ""],
  ])("of %s at %s takes no prompt", (provider, path) => {
    expect(match(provider, path)).toBeNull();
  });

  it("is in a format that knows its own name", () => {
    for (const [id, format] of Object.entries(FORMATS)) expect(format.id).toBe(id);
  });
});

it.each([
  ["openai", "/v1/models", "openai"],
  ["groq", "/openai/v1/models", "openai"],
  ["anthropic", "/v1/models", "anthropic"],
  ["anthropic", "/v1/chat/completions", "openai"],
  ["openrouter", "/api/v1/messages", "anthropic"],
  ["bedrock", "/v1/messages/batches", "anthropic"],
  ["gemini", "/v1beta/models/gemini-3:streamGenerateContent", "gemini"],
  ["vertex", "/v1/projects/p/models/gemini-3:generateContent", "gemini"],
  ["gemini", "/v1beta/files", "gemini"],
  ["gemini", "/v1beta/openai/models", "openai"],
  ["unknown", "/x", "openai"],
])("errors for %s at %s have the shape of %s", (provider, path, family) => {
  expect(familyOf(provider, path)).toBe(family);
});
