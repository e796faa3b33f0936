import { describe, expect, it } from "vitest";
import { cleanRequestHeaders, cleanResponseHeaders, readHeaders } from "../../src/edge/headers.ts";

function up(
  headers: Record<string, string>,
  provider = "openai",
  path = "/v1/chat/completions",
): Record<string, string> {
  const incoming = new Headers(headers);
  return Object.fromEntries(cleanRequestHeaders(incoming, readHeaders(incoming), { provider, path }));
}

describe("headers on their way up", () => {
  it("never carry ours, the network's, cookies or hop-by-hop headers", () => {
    const denied = {
      "prompt-name": "x",
      "Prompt-Anything-New": "x",
      "cf-connecting-ip": "1.2.3.4",
      "cf-aig-authorization": "Bearer secret",
      "x-forwarded-for": "1.2.3.4",
      "x-real-ip": "1.2.3.4",
      forwarded: "for=1.2.3.4",
      cookie: "a=b",
      te: "trailers",
      "keep-alive": "timeout=5",
      "proxy-authorization": "Basic x",
      upgrade: "h2c",
    };
    expect(up(denied)).toEqual({});
  });

  it("carry whatever the provider may have invented since", () => {
    const kept = {
      "anthropic-beta": "new-2027-01-01",
      "anthropic-version": "2023-06-01",
      "openai-organization": "o",
      "idempotency-key": "k",
      "x-stainless-retry-count": "1",
      "user-agent": "sdk",
      authorization: "Bearer sk-1",
      "content-type": "application/json",
    };
    expect(up(kept)).toEqual(kept);
  });

  it("carry headers that are called like something every object has", () => {
    expect(Object.entries(up({ constructor: "1", valueof: "2" }))).toEqual([
      ["constructor", "1"],
      ["valueof", "2"],
    ]);
    expect(() => up({ ["__proto__"]: "3" })).not.toThrow();
  });

  it("drop what the Connection header names", () => {
    expect(up({ connection: "close, X-Secret-Hop", "x-secret-hop": "1", "x-kept": "2" })).toEqual({
      "x-kept": "2",
    });
  });

  it("carry a credential only to the provider that takes it", () => {
    const keys = { "x-api-key": "a", "x-goog-api-key": "g", "api-key": "z" };
    expect(up(keys, "openai")).toEqual({});
    expect(up(keys, "anthropic")).toEqual({ "x-api-key": "a" });
    expect(up(keys, "gemini")).toEqual({ "x-goog-api-key": "g" });
    expect(up(keys, "azure")).toEqual({ "api-key": "z" });
    expect(up(keys, "azure-eu")).toEqual({ "api-key": "z" });
  });
});

describe("headers on their way down", () => {
  it("drop what the Connection header names", () => {
    const upstream = new Headers({ connection: "keep-alive, X-Hop", "x-hop": "1", "x-kept": "2" });
    cleanResponseHeaders(upstream);
    expect(Object.fromEntries(upstream)).toEqual({ "x-kept": "2" });
  });

  it("carry no cookie, no credential and no forged header of ours, and everything else", () => {
    const upstream = new Headers({
      "set-cookie": "__cf_bm=1",
      "x-goog-api-key": "echoed",
      "prompt-version": "99",
      "retry-after-ms": "20",
      "x-should-retry": "true",
      "x-request-id": "r",
      "anthropic-ratelimit-unified-status": "allowed",
    });
    upstream.append("set-cookie", "b=2");
    cleanResponseHeaders(upstream);
    expect(Object.fromEntries(upstream)).toEqual({
      "retry-after-ms": "20",
      "x-should-retry": "true",
      "x-request-id": "r",
      "anthropic-ratelimit-unified-status": "allowed",
    });
  });
});
