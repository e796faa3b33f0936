// Whose credential a header or a parameter is, as a table: a provider's own goes up, another's does not, and a key of ours
// goes to nobody.

import { describe, expect, it } from "vitest";
import { cleanSearch, isForeign } from "../../src/edge/foreign.ts";

const KEY = `sb_${"k".repeat(43)}`;
const TOKEN = `sbt_${"t".repeat(43)}`;
const SIGNATURE = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, Signature=00";
const CHAT = "/v1/chat/completions";
const MESSAGES = "/v1/messages";
const GENERATE = "/v1beta/models/m:generateContent";
const CONVERSE = "/model/m/converse";

describe("a credential goes up", () => {
  it.each([
    ["x-api-key", "anthropic", MESSAGES],
    ["x-api-key", "anthropic", "/v1/models"],
    ["x-api-key", "anthropic-eu", MESSAGES],
    ["x-api-key", "deepseek", "/anthropic/v1/messages"],
    ["x-api-key", "deepseek", "/anthropic/v1/models"],
    ["x-api-key", "azure", "/anthropic/v1/messages"],
    ["x-api-key", "bedrock", "/anthropic/v1/messages"],
    ["x-api-key", "xai", MESSAGES],
    ["x-api-key", "my-llm", "/v1/messages/count_tokens"],
    ["x-goog-api-key", "gemini", GENERATE],
    ["x-goog-api-key", "gemini", "/upload/v1beta/files"],
    ["x-goog-api-key", "vertex", "/v1/publishers/google/models/m:countTokens"],
    ["x-goog-api-key", "my-llm", GENERATE],
    ["api-key", "azure", "/openai/v1/responses"],
    ["api-key", "azure-eu", "/openai/v1/responses"],
    ["api-key", "my-llm", "/openai/deployments/d/chat/completions"],
    ["x-amz-security-token", "bedrock", CONVERSE],
    ["x-auth-key", "workers-ai", "/accounts/a/ai/run/m"],
    ["authorization", "openai", CHAT],
    ["authorization", "anthropic", MESSAGES],
    ["authorization", "gemini", GENERATE],
  ])("as %s to %s at %s", (name, provider, path) => {
    expect(isForeign(name, "of-the-client", { provider, path })).toBe(false);
  });

  it.each([
    ["x-api-key", "openai", CHAT],
    ["x-api-key", "openai", MESSAGES],
    ["x-api-key", "openai", "/v1/threads/t/messages"],
    ["x-api-key", "deepseek", CHAT],
    ["x-api-key", "gemini", "/anthropic/v1/messages"],
    ["x-api-key", "my-llm", "/v1/threads/t/messages"],
    ["x-api-key", "vertex", "/v1/projects/p/publishers/anthropic/models/m:rawPredict"],
    ["x-goog-api-key", "openai", GENERATE],
    ["x-goog-api-key", "anthropic", GENERATE],
    ["x-goog-api-key", "my-llm", "/v1/models/m"],
    ["api-key", "openai", "/openai/deployments/d/chat/completions"],
    ["api-key", "groq", "/openai/v1/chat/completions"],
    ["x-amz-security-token", "openai", CHAT],
    ["x-auth-key", "my-llm", CHAT],
  ])("but not as %s to %s at %s", (name, provider, path) => {
    expect(isForeign(name, "of-the-client", { provider, path })).toBe(true);
  });

  it.each([
    ["bedrock", CONVERSE, false],
    ["my-aws", CONVERSE, false],
    ["openai", CHAT, true],
    ["anthropic", MESSAGES, true],
    ["my-llm", CHAT, true],
  ])("as a signature to AWS alone: %s at %s", (provider, path, foreign) => {
    expect(isForeign("authorization", SIGNATURE, { provider, path })).toBe(foreign);
  });
});

describe("a key of ours", () => {
  const target = { provider: "openai", path: CHAT };
  it.each([
    KEY,
    TOKEN,
    `Token ${KEY}`,
    `Bearer sk-1, Bearer ${KEY}`,
    `sk-1,${KEY}`,
    `key=${KEY}; other=1`,
    `{"key":"${TOKEN}"}`,
  ])("goes up in no header: %s", (value) => {
    expect(isForeign("x-whatever", value, target)).toBe(true);
  });

  it.each([
    `eyJ.${KEY}.sig`,
    `eyJhbG-${KEY}`,
    `${KEY}k`,
    `${KEY}-k`,
    KEY.slice(0, -1),
    "sb_live",
    "usb_1 and sbt_",
  ])("is not seen in what only looks like one: %s", (value) => {
    expect(isForeign("x-whatever", value, target)).toBe(false);
  });

  it.each([
    ["?key=sb_1", ""],
    ["?key=sb_1&alt=sse", "?alt=sse"],
    ["?alt=sse&key=sb_1", "?alt=sse"],
    ["?a=%20+&key=sb_1&b=&&c", "?a=%20+&b=&&c"],
    ["?key=sb_1&key=sb_2&api-key=sb_3", ""],
    ["?key=4&monkey=sb_1", "?key=4&monkey=sb_1"],
    [`?access_token=${KEY}&x=1`, "?x=1"],
    [`?x=1&token=${TOKEN}`, "?x=1"],
    [`?x=${KEY}k&q=a=${KEY}`, `?x=${KEY}k`],
    [`?key=sb%5F${"x".repeat(43)}&a=%20`, "?a=%20"],
    [`?a=1&key=%73b_1`, "?a=1"],
    ["?key=%E0%A4%A", "?key=%E0%A4%A"],
    ["", ""],
    ["?&&", "?&&"],
  ])("leaves of the query %s exactly %s", (search, rest) => {
    expect(cleanSearch(search, target, true)).toBe(rest);
    expect(cleanSearch(search, target, false)).toBe(rest);
  });
});

describe("Google's key in the query", () => {
  const search = "?alt=sse&key=AIzaSy-x";
  it("goes to Google alone, or to whom Google's protocol is spoken", () => {
    expect(cleanSearch(search, { provider: "gemini", path: GENERATE }, false)).toBe(search);
    expect(cleanSearch(search, { provider: "my-llm", path: GENERATE }, false)).toBe(search);
    expect(cleanSearch(search, { provider: "openai", path: CHAT }, false)).toBe("?alt=sse");
    expect(cleanSearch("?key=AQ.x", { provider: "my-llm", path: CHAT }, false)).toBe("");
  });

  it("does not go up beside a secret of the Worker", () => {
    expect(cleanSearch(search, { provider: "gemini", path: GENERATE }, true)).toBe("?alt=sse");
  });

  it("is told by its form: any other key is a parameter like any", () => {
    expect(cleanSearch("?key=42", { provider: "my-llm", path: CHAT }, false)).toBe("?key=42");
  });
});
