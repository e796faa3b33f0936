// The swap, piece by piece: where a key of ours is found, what is left of the request without it, and where each
// provider gets its own secret.

import { describe, expect, it } from "vitest";
import { dropCredentials, findProxyKey, findSecret, isSigned } from "../../src/edge/credentials.ts";
import { readHeaders } from "../../src/edge/headers.ts";
import type { Env } from "../../src/env.ts";

const read = (headers: Record<string, string>) => readHeaders(new Headers(headers));
const find = (headers: Record<string, string>, search = "") => findProxyKey(read(headers), search);

const SIGNED =
  "AWS4-HMAC-SHA256 Credential=sb_6/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00";

describe("a key of ours", () => {
  it.each([
    ["a bearer token", { authorization: "Bearer sb_1" }, "", "sb_1"],
    ["a bearer token in any case", { authorization: "bearer  sb_1" }, "", "sb_1"],
    ["Anthropic's header", { "x-api-key": "sb_2" }, "", "sb_2"],
    ["Gemini's header", { "x-goog-api-key": "sb_3" }, "", "sb_3"],
    ["Azure's header", { "api-key": "sb_4" }, "", "sb_4"],
    ["Gemini's query", {}, "?alt=sse&key=sb_5&x=1", "sb_5"],
    ["Azure's query", {}, "?api-key=sb_5", "sb_5"],
    ["an AWS access key id", { authorization: SIGNED }, "", "sb_6"],
    [
      "a WebSocket's subprotocol",
      { "sec-websocket-protocol": "realtime, openai-insecure-api-key.sb_7, openai-beta.realtime-v1" },
      "",
      "sb_7",
    ],
    ["a credential of any other scheme", { authorization: "Token sb_9" }, "", "sb_9"],
    ["a token of the control plane", { authorization: "Bearer sbt_10" }, "", "sbt_10"],
    ["a token in the query", {}, "?key=sbt_10", "sbt_10"],
    ["beside a provider's own key", { authorization: "Bearer sk-1", "x-api-key": "sb_8" }, "", "sb_8"],
  ])("is found as %s", (_, headers, search, key) => {
    expect(find(headers as unknown as Record<string, string>, search)).toBe(key);
  });

  it.each([
    [{ authorization: "Bearer sk-1", "x-api-key": "sk-ant", "x-goog-api-key": "AIza" }, "?key=AIza"],
    [{ authorization: SIGNED.replace("sb_6", "AKIA") }, ""],
    [{ "sec-websocket-protocol": "realtime, openai-insecure-api-key.sk-1" }, ""],
    [{ authorization: "Bearer x-sb_1", "x-other": "sb_1" }, "?monkey=sb_1&q=key=sb_1"],
  ])("is nowhere in %j %s", (headers, search) => {
    expect(find(headers as unknown as Record<string, string>, search)).toBeNull();
  });

  it("may be ADMIN_TOKEN, wherever a key stands, whole and nothing else", () => {
    const token = "a+long/random=text";
    const places: [Record<string, string>, string][] = [
      [{ authorization: `Bearer ${token}` }, ""],
      [{ authorization: token }, ""],
      [{ authorization: "Bearer sk-1", "x-api-key": token }, ""],
      [{ "x-goog-api-key": token }, ""],
      [{ "api-key": token }, ""],
      [{}, `?alt=sse&key=${encodeURIComponent(token)}`],
      [{}, `?api-key=${token}`],
      [{ "sec-websocket-protocol": `realtime, openai-insecure-api-key.${token}` }, ""],
    ];
    for (const [headers, search] of places) {
      expect(findProxyKey(read(headers), search, token)).toBe(token);
      for (const other of [undefined, "", `${token}x`, token.slice(1), token.replace("l", "L")]) {
        expect(findProxyKey(read(headers), search, other)).toBeNull();
      }
    }
    expect(findProxyKey(read({}), "?key=%E0%A4%A", token)).toBeNull();
  });

  it("leaves no credential of anybody, and every other header", () => {
    const headers = new Headers({
      authorization: SIGNED,
      "x-api-key": "a",
      "api-key": "b",
      "x-goog-api-key": "c",
      "x-amz-date": "d",
      "x-amz-security-token": "e",
      "x-amz-content-sha256": "f",
      "x-auth-key": "g",
      "x-auth-email": "h",
      "amz-sdk-request": "attempt=1",
      "sec-websocket-protocol": "realtime, openai-insecure-api-key.sb_7, openai-beta.realtime-v1",
    });
    dropCredentials(headers);
    expect(Object.fromEntries(headers)).toEqual({
      "amz-sdk-request": "attempt=1",
      "sec-websocket-protocol": "realtime, openai-beta.realtime-v1",
    });
    const only = new Headers({ "sec-websocket-protocol": "openai-insecure-api-key.sb_7" });
    dropCredentials(only);
    expect([...only.keys()]).toEqual([]);
  });
});

describe("the provider's secret", () => {
  const env = {
    OPENAI_API_KEY: "o",
    ANTHROPIC_API_KEY: "a",
    GEMINI_API_KEY: "g",
    AZURE_API_KEY: "z",
    AZURE_EU_API_KEY: "e",
    WORKERS_AI_API_KEY: "w",
    MY_LLM_API_KEY: "m",
  } as unknown as Env;
  const secretOf = (provider: string, path: string, vars = env) =>
    findSecret(provider, path, "https://bedrock-runtime.eu-west-1.amazonaws.com", vars);

  it.each([
    ["openai", "/v1/chat/completions", "authorization", "Bearer o"],
    ["anthropic", "/v1/messages", "x-api-key", "a"],
    ["anthropic", "/v1/chat/completions", "authorization", "Bearer a"],
    ["gemini", "/v1beta/models/m:generateContent", "x-goog-api-key", "g"],
    ["gemini", "/v1beta/openai/chat/completions", "authorization", "Bearer g"],
    ["gemini", "/v1beta/openai/embeddings", "authorization", "Bearer g"],
    ["azure", "/openai/deployments/d/chat/completions", "api-key", "z"],
    ["azure", "/openai/v1/responses", "api-key", "z"],
    ["azure-eu", "/openai/v1/responses", "api-key", "e"],
    ["workers-ai", "/accounts/a/ai/v1/chat/completions", "authorization", "Bearer w"],
    ["my-llm", "/v1/chat/completions", "authorization", "Bearer m"],
  ])("of %s goes for %s into %s", (provider, path, name, value) => {
    expect(secretOf(provider, path)).toEqual({ kind: "header", name, value });
  });

  it("that is missing is asked for by its name", () => {
    expect(secretOf("groq", "/v1/models")).toMatchObject({
      problem: "forbidden",
      message: expect.stringContaining("GROQ_API_KEY"),
    });
  });

  it("of Bedrock is a bearer key, else a pair to sign with for the region of the host", () => {
    const pair = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" } as unknown as Env;
    const aws = { kind: "aws", accessKeyId: "AKIA", secretAccessKey: "s", sessionToken: null };
    expect(secretOf("bedrock", "/model/m/converse", pair)).toEqual({ ...aws, region: "eu-west-1" });
    const elsewhere = { ...pair, AWS_REGION: "us-gov-west-1" } as unknown as Env;
    expect(secretOf("bedrock", "/model/m/converse", elsewhere)).toEqual({ ...aws, region: "us-gov-west-1" });
    const bearer = { ...pair, BEDROCK_API_KEY: "b" } as unknown as Env;
    expect(secretOf("bedrock", "/model/m/converse", bearer)).toMatchObject({ value: "Bearer b" });
    expect(findSecret("bedrock", "", "https://vpce-1.example", pair)).toMatchObject({
      message: expect.stringContaining("AWS_REGION"),
    });
    expect(secretOf("bedrock", "", { AWS_ACCESS_KEY_ID: "AKIA" } as unknown as Env)).toMatchObject({
      message: expect.stringContaining("AWS_SECRET_ACCESS_KEY"),
    });
  });
});

describe("a signature of the client's own", () => {
  it("is told from a bearer key", () => {
    expect(isSigned(read({ authorization: SIGNED }), "")).toBe(true);
    expect(isSigned(read({}), "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0")).toBe(true);
    expect(isSigned(read({ authorization: "Bearer bedrock-api-key-1" }), "?a=1")).toBe(false);
  });
});
