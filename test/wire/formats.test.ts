import { describe, expect, it } from "vitest";
import { familyOf, FORMATS, isUnwritableTurn, matchEndpoint } from "../../src/wire/formats.ts";
import { modelInPath, replaceModel } from "../../src/wire/model-path.ts";

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
    ["bedrock", "/model/amazon.nova-pro-v1:0/converse", "bedrock-converse"],
    ["bedrock", "/model/amazon.nova-pro-v1%3A0/converse-stream", "bedrock-converse"],
    ["bedrock-eu", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ax%2Fy/converse", "bedrock-converse"],
    ["bedrock", "/model/arn:aws:bedrock:us-east-1:1:inference-profile/x/converse", "bedrock-converse"],
    ["bedrock", "/model/amazon.nova-pro-v1%3A0/count-tokens", "bedrock-converse count"],
    ["bedrock", "/model/us.anthropic.claude-sonnet-5-v1%3A0/invoke", "anthropic-messages"],
    ["bedrock", "/model/anthropic.claude-sonnet-5-v1:0/invoke-with-response-stream", "anthropic-messages"],
    ["bedrock", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprofile%2Fy/invoke", "anthropic-messages"],
    ["bedrock", "/model/prompt%3Asupport-bot/invoke", "anthropic-messages"],
    ["bedrock", "/anthropic/v1/messages", "anthropic-messages"],
    ["vertex", "/v1/projects/p/publishers/anthropic/models/claude@1:rawPredict", "anthropic-messages"],
    ["vertex", "/v1/publishers/anthropic/models/claude:streamRawPredict", "anthropic-messages"],
    ["vertex", "/v1/publishers/anthropic/models/count-tokens:rawPredict", "anthropic-messages count"],
    ["gemini", "/v1beta/models/gemini-3:generateContent", "gemini"],
    ["gemini", "/v1/models/gemini-3%3AgenerateContent", "gemini"],
    ["gemini", "/v1beta/tunedModels/mine:streamGenerateContent", "gemini"],
    ["gemini", "/v1beta/models/prompt:support-bot:countTokens", "gemini count"],
    ["vertex", "/v1/projects/p/locations/l/publishers/google/models/gemini-3:generateContent", "gemini"],
    ["vertex", "/v1/projects/p/locations/l/endpoints/123:streamGenerateContent", "gemini"],
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
    ["gemini", "/v1beta/models/gemini-3"],
    ["gemini", "/v1beta/models/gemini-3:embedContent"],
    ["gemini", "/v1beta/models/gemini-3:batchGenerateContent"],
    ["gemini", "/v1beta/files:generateContent"],
    ["bedrock", "/model/amazon.nova-pro-v1%3A0/invoke"],
    ["bedrock", "/model/anthropic-like.titan/invoke"],
    ["bedrock", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FABC%3A1/converse"],
    ["bedrock", "/async-invoke"],
    ["bedrock", "/guardrail/g/version/1/apply"],
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
  ["bedrock", "/openai/v1/models", "openai"],
  ["bedrock", "/guardrail/g/version/1/apply", "bedrock"],
  ["bedrock", "/model/amazon.nova-pro-v1%3A0/invoke", "bedrock"],
  ["eu", "/model/amazon.nova-pro-v1%3A0/converse", "bedrock"],
  ["gemini", "/v1beta/models/gemini-3:streamGenerateContent", "gemini"],
  ["vertex", "/v1/projects/p/models/gemini-3:generateContent", "gemini"],
  ["gemini", "/v1beta/files", "gemini"],
  ["gemini", "/v1beta/openai/models", "openai"],
  ["unknown", "/x", "openai"],
])("errors for %s at %s have the shape of %s", (provider, path, family) => {
  expect(familyOf(provider, path)).toBe(family);
});

function streams(operation: string): boolean | null | undefined {
  return matchEndpoint("bedrock", `/model/anthropic.c/${operation}`)?.streams;
}

describe("Bedrock's path", () => {
  it("names the model, escaped or not, and takes another one as AWS's SDKs write it", () => {
    const paths = ["us.anthropic.claude-v1:0", "us.anthropic.claude-v1%3A0"].map(
      (id) => `/model/${id}/converse`,
    );
    for (const path of paths) {
      const endpoint = matchEndpoint("bedrock", path)!;
      expect(modelInPath(path, endpoint)).toBe("us.anthropic.claude-v1:0");
      expect(replaceModel(path, endpoint, "arn:aws:x/y")).toBe("/model/arn%3Aaws%3Ax%2Fy/converse");
    }
  });

  it("says whether the answer streams", () => {
    expect(streams("converse")).toBe(false);
    expect(streams("invoke")).toBe(false);
    expect(streams("converse-stream")).toBe(true);
    expect(streams("invoke-with-response-stream")).toBe(true);
    expect(matchEndpoint("vertex", "/v1/publishers/anthropic/models/c:rawPredict")?.streams).toBeNull();
  });

  it.each([
    "/model/amazon.titan/invoke",
    "/model/amazon.nova-sonic/invoke-with-bidirectional-stream",
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FABC%3A1/converse",
    "/async-invoke",
  ])("is a turn that no prompt goes into: %s", (path) => {
    expect(isUnwritableTurn("bedrock", path)).toBe(true);
  });
});
