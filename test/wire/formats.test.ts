import { describe, expect, it } from "vitest";
import { familyAt, familyOf, FORMATS, isUnwritableTurn, matchEndpoint } from "../../src/wire/formats.ts";
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
    ["azure", "/openai/v1/chat/completions", "openai-chat"],
    ["azure-eu", "/openai/deployments/gpt-5/chat/completions", "openai-chat"],
    ["azure", "/openai/v1/responses", "openai-responses"],
    ["workers-ai", "/accounts/a1/ai/run/@cf/meta/llama-3.1-8b-instruct", "workers-ai"],
    ["workers-ai", "/run/%40cf%2Fmeta%2Fllama", "workers-ai"],
    ["edge-ai", "/accounts/a1/ai/run/@hf/x", "workers-ai"],
    ["workers-ai", "/accounts/a1/ai/v1/chat/completions", "openai-chat"],
    ["workers-ai", "/v1/responses", "openai-responses"],
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
    ["openai", "/run/x"],
    ["workers-ai", "/accounts/a1/ai/models/search"],
    ["workers-ai", "/accounts/a1/ai/run/"],
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
  ["workers-ai", "/accounts/a1/ai/run/@cf/x", "workers-ai"],
  ["workers-ai", "/accounts/a1/ai/models/search", "workers-ai"],
  ["workers-ai", "/accounts/a1/ai/v1/embeddings", "openai"],
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

  it("of Google's that keeps conversations itself is one that we cannot write to", () => {
    expect(isUnwritableTurn("gemini", "/v1beta/interactions")).toBe(true);
    expect(isUnwritableTurn("gemini", "/v1beta/models/gemini-3:embedContent")).toBe(false);
  });
});

function at(path: string, search: string): string {
  return familyAt(matchEndpoint("gemini", path)!, search);
}

it("a stream from Gemini has errors as items of an array, unless it is one of events", () => {
  const stream = "/v1beta/models/gemini-3:streamGenerateContent";
  expect(at(stream, "")).toBe("gemini-array");
  expect(at(stream, "?alt=json")).toBe("gemini-array");
  expect(at(stream, "?key=k&alt=sse")).toBe("gemini");
  expect(at(stream, "?%24alt=sse&x=1")).toBe("gemini");
  expect(at("/v1beta/models/gemini-3:generateContent", "")).toBe("gemini");
});

function replaced(provider: string, path: string, model: string): string {
  return replaceModel(path, matchEndpoint(provider, path)!, model);
}

describe("a model in a path", () => {
  it("of Google's is a resource, whose collection may be another", () => {
    const path = "/v1beta/models/gemini-3%2Epro:streamGenerateContent";
    expect(modelInPath(path, matchEndpoint("gemini", path)!)).toBe("gemini-3.pro");
    expect(replaced("gemini", path, "gemini-4")).toBe("/v1beta/models/gemini-4:streamGenerateContent");
    expect(replaced("gemini", path, "models/gemini-4")).toBe("/v1beta/models/gemini-4:streamGenerateContent");
    expect(replaced("gemini", path, "tunedModels/a b")).toBe(
      "/v1beta/tunedModels/a%20b:streamGenerateContent",
    );
    const vertex = "/v1/projects/p/locations/l/publishers/google/models/gemini-3:generateContent";
    expect(replaced("vertex", vertex, "publishers/google/models/gemini-4")).toBe(
      "/v1/projects/p/locations/l/publishers/google/models/gemini-4:generateContent",
    );
    expect(
      modelInPath(
        "/v1/models/prompt:bot:generateContent",
        matchEndpoint("gemini", "/v1/models/prompt:bot:generateContent")!,
      ),
    ).toBe("prompt:bot");
  });

  it("of Workers AI's has slashes, of Azure's none", () => {
    const run = "/accounts/a1/ai/run/prompt:bot";
    expect(replaced("workers-ai", run, "@cf/meta/llama 4")).toBe("/accounts/a1/ai/run/@cf/meta/llama%204");
    const azure = "/openai/deployments/prompt%3Abot/chat/completions";
    expect(modelInPath(azure, matchEndpoint("azure", azure)!)).toBe("prompt:bot");
    expect(replaced("azure", azure, "a/b")).toBe("/openai/deployments/a%2Fb/chat/completions");
  });
});
