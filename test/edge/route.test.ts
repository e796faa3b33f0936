import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import { resolveUpstream } from "../../src/edge/providers.ts";
import { checkPath, parseRoute } from "../../src/edge/route.ts";
import type { Env } from "../../src/env.ts";

const ORIGIN = "https://proxy.example";

function env(vars: Record<string, string>): Env {
  return vars as unknown as Env;
}

function check(path: string) {
  const route = parseRoute(ORIGIN + path);
  return isProblem(route) ? route : checkPath(route);
}

describe("parseRoute", () => {
  it("reads prompt, environment and provider, and keeps path and query to the letter", () => {
    expect(parseRoute(`${ORIGIN}/p/support-bot@staging/openai/v1/files%2Fa%3Ab?alt=sse&x=%20`)).toEqual({
      prompt: "support-bot",
      environment: "staging",
      provider: "openai",
      path: "/v1/files%2Fa%3Ab",
      search: "?alt=sse&x=%20",
    });
  });

  it("accepts an escaped @ in the prompt's segment", () => {
    expect(parseRoute(`${ORIGIN}/p/bot%40staging/anthropic/v1/messages`)).toMatchObject({
      prompt: "bot",
      environment: "staging",
    });
  });

  it("takes a path without /p/ as a provider's own", () => {
    expect(parseRoute(`${ORIGIN}/openai/v1/models`)).toEqual({
      prompt: null,
      environment: null,
      provider: "openai",
      path: "/v1/models",
      search: "",
    });
  });

  it("keeps a slash at the end, a doubled slash and a bare provider as they are", () => {
    expect(parseRoute(`${ORIGIN}/openai/v1/models/`)).toMatchObject({ path: "/v1/models/" });
    expect(parseRoute(`${ORIGIN}/openai//v1/models`)).toMatchObject({ path: "//v1/models" });
    expect(parseRoute(`${ORIGIN}/openai`)).toMatchObject({ provider: "openai", path: "" });
    expect(parseRoute(`${ORIGIN}/openai?x=/p/a`)).toMatchObject({ provider: "openai", search: "?x=/p/a" });
  });

  it("names what is missing", () => {
    expect(parseRoute(`${ORIGIN}/p/`)).toMatchObject({ problem: "prompt_not_found" });
    expect(parseRoute(`${ORIGIN}/p/support-bot`)).toMatchObject({ problem: "provider_not_found" });
    expect(parseRoute(`${ORIGIN}/p/%E0%A4%A/openai/v1`)).toMatchObject({ prompt: "%E0%A4%A" });
  });
});

describe("checkPath", () => {
  it("finds the version that the SDK adds to a base URL that has it, and says what the base URL is", () => {
    for (const path of [
      "/p/bot/openai/v1/v1/chat/completions",
      "/p/bot/anthropic/v1/v1/messages",
      "/p/bot/gemini/v1beta/v1beta/models/m:generateContent",
      "/p/bot/openai/v1/v1",
    ]) {
      expect(check(path), path).toMatchObject({ problem: "invalid_request", field: "path" });
    }
    expect(check("/p/bot/anthropic/v1/v1/messages")).toMatchObject({
      message: expect.stringMatching(/ends with \/anthropic, .*\/anthropic\/v1\.$/),
    });
  });

  it("takes every other path for the provider's own", () => {
    for (const path of ["/v1/v10/messages", "/v1/v1x", "/v1beta/v1/x", "/v2/v1/x", "/x/v1/v1/y", "//v1/v1"]) {
      expect(check(`/p/bot/openai${path}`), path).toBeNull();
    }
  });
});

describe("resolveUpstream", () => {
  it("knows the built-in providers and lets deployment config override one or add others", () => {
    expect(resolveUpstream("openai", env({}))).toBe("https://api.openai.com");
    expect(resolveUpstream("openai", env({ UPSTREAM_OPENAI: "http://127.0.0.1:4010/" }))).toBe(
      "http://127.0.0.1:4010",
    );
    expect(resolveUpstream("my-llm", env({ UPSTREAM_MY_LLM: "https://llm.example/api" }))).toBe(
      "https://llm.example/api",
    );
  });

  it("refuses what deployment config does not name, with the mend", () => {
    for (const provider of ["nope", "azure", "constructor", "__proto__", "evil.example", "https:", ""]) {
      const answer = resolveUpstream(provider, env({}));
      expect(isProblem(answer) && answer.problem, provider).toBe("provider_not_found");
    }
    const messages: [string, RegExp][] = [
      ["azure", /UPSTREAM_AZURE/],
      ["opanai", /Did you mean openai\? Set the var UPSTREAM_OPANAI /],
      ["llm", /provider "llm"\. Set the var UPSTREAM_LLM .* or use one of: openai, /],
      ["v1", /provider "v1"\. .*\/p\/\{prompt\}\/openai\/v1/],
    ];
    for (const [provider, message] of messages) {
      expect(resolveUpstream(provider, env({})), provider).toMatchObject({
        message: expect.stringMatching(message),
      });
    }
  });
});
