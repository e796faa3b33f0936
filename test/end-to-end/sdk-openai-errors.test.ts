// How failures look to an application on the official OpenAI SDK: the provider's own arrive as they are, ours raise the
// class that its code already handles, and retries stay what the SDK makes of them.

import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
} from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { headerOf } from "../support/http-messages.ts";
import { json, sse } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { chatChunks, completion, HELLO as hello, MODEL as model } from "./sdk-replies.ts";
import {
  collect,
  MAX_BODY_BYTES,
  openai,
  PROMPT,
  rejection,
  TEMPLATED,
  untilProviderIsLeft,
  useRig,
} from "./sdk-rig.ts";

const rig = useRig();

function chat(client: OpenAI, more: object = {}): Promise<unknown> {
  return client.chat.completions.create({ model, messages: hello, ...more } as never);
}

function streamed(client: OpenAI) {
  return client.chat.completions.create({ model, messages: hello, stream: true });
}

/** The SDK at its usual two retries. */
function proxied(prompt: string, headers: Record<string, string> = {}): OpenAI {
  return openai(rig.clients.upstream, { prompt, maxRetries: 2 }).withOptions({ defaultHeaders: headers });
}

describe("the provider's errors", () => {
  test.each([
    [400, BadRequestError],
    [401, AuthenticationError],
    [403, PermissionDeniedError],
    [404, NotFoundError],
    [409, ConflictError],
    [422, UnprocessableEntityError],
    [429, RateLimitError],
    [500, InternalServerError],
    [503, InternalServerError],
  ])("%i raises the SDK's own class, with the provider's words and request id", async (status, expected) => {
    const error = { message: `said ${status}`, type: "t", param: "p", code: "c" };
    rig.upstream.play(json({ error }, { status, headers: [["x-request-id", "req_1"]] }));
    const thrown = await rejection(chat(openai(rig.clients.upstream)));
    expect(thrown).toBeInstanceOf(expected);
    expect(thrown).toMatchObject({ status, error, code: "c", param: "p", type: "t", requestID: "req_1" });
    expect(rig.upstream.exchanges()).toHaveLength(1);
  });

  test("an error that is no JSON arrives as the text that it is", async () => {
    rig.upstream.play({
      status: 502,
      headers: [["content-type", "text/html"]],
      body: "<h1>Bad gateway</h1>",
    });
    const thrown = await rejection(chat(openai(rig.clients.upstream)));
    expect(thrown).toBeInstanceOf(InternalServerError);
    expect((thrown as APIError).message).toBe("502 <h1>Bad gateway</h1>");
  });

  test("an error as the first event of a stream is thrown", async () => {
    rig.upstream.play(sse([{ data: { error: { message: "overloaded", type: "server_error" } } }]));
    const stream = await streamed(openai(rig.clients.upstream));
    expect(await rejection(collect(stream))).toMatchObject({ message: "overloaded" });
  });

  test("a stream that is cut is an error, never a short answer", async () => {
    rig.upstream.play(sse(chatChunks(3), { end: "cut" }));
    const stream = await streamed(openai(rig.clients.upstream));
    expect(await rejection(collect(stream))).toBeInstanceOf(Error);
    // The error is said in words before the connection breaks, and an SDK that has read them may leave first.
    await until(() => {
      const [exchange] = rig.clients.upstream.exchanges();
      return exchange?.serverClosed ?? exchange?.clientClosed;
    });
    expect(rig.clients.upstream.exchanges()[0]?.response).toMatchObject({ status: 200, complete: false });
  });
});

describe("retries are the SDK's own", () => {
  test("retry-after is obeyed, and the provider sees which attempt it is", async () => {
    const busy = json({ error: { message: "slow down" } }, { status: 429, headers: [["retry-after", "1"]] });
    rig.upstream.play(busy, json(completion));
    const client = openai(rig.clients.upstream, { maxRetries: 2 });
    await client.chat.completions.create({ model, messages: hello });
    const [first, second, ...more] = rig.upstream.exchanges();
    expect(more).toEqual([]);
    expect(second!.request.firstByteAtMs - first!.request.lastByteAtMs).toBeGreaterThan(950);
    expect(headerOf(first!.request, "x-stainless-retry-count")).toBe("0");
    expect(headerOf(second!.request, "x-stainless-retry-count")).toBe("1");
    expect(second!.request.body.equals(first!.request.body)).toBe(true);
  });

  test("x-should-retry: false of the provider stops them", async () => {
    rig.upstream.play(
      json({ error: { message: "no" } }, { status: 500, headers: [["x-should-retry", "false"]] }),
    );
    const client = openai(rig.clients.upstream, { maxRetries: 2 });
    await rejection(client.chat.completions.create({ model, messages: hello }));
    expect(rig.upstream.exchanges()).toHaveLength(1);
  });

  test("the proxy adds none of its own", async () => {
    rig.upstream.play(json({ error: { message: "no" } }, { status: 503 }));
    await rejection(chat(openai(rig.clients.upstream)));
    expect(rig.upstream.exchanges()).toHaveLength(1);
  });
});

describe("our own errors", () => {
  /** [code, status, class, the call]. */
  const refused: [string, number, abstract new (...args: never[]) => APIError, () => Promise<unknown>][] = [
    ["prompt_not_found", 404, NotFoundError, () => chat(proxied("no-such-prompt"))],
    ["version_not_found", 404, NotFoundError, () => chat(proxied(PROMPT, { "prompt-version": "99" }))],
    ["variable_missing", 400, BadRequestError, () => chat(proxied(TEMPLATED))],
    [
      "variable_invalid",
      400,
      BadRequestError,
      () => chat(proxied(TEMPLATED), { prompt_variables: { product: 1, count: "x" } }),
    ],
    ["invalid_request", 400, BadRequestError, () => chat(proxied(PROMPT, { "prompt-version": "x" }))],
    [
      "unauthenticated",
      401,
      AuthenticationError,
      () => chat(openai(rig.clients.upstream, { apiKey: "sb_unknown" })),
    ],
    ["version_revoked", 410, APIError, () => chat(proxied("revoking", { "prompt-version": "2" }))],
    [
      "body_too_large",
      413,
      APIError,
      () => chat(proxied(PROMPT), { messages: [{ role: "user", content: "x".repeat(MAX_BODY_BYTES) }] }),
    ],
  ];

  beforeAll(async () => {
    await rig.admin.put("revoking");
    await rig.admin.push("revoking", { system: "one" });
    await rig.admin.push("revoking", { system: "two" });
    await rig.admin.revoke("revoking", 2);
  });

  test.each(refused)(
    "%s raises the SDK's class for %i, once, and asks nobody",
    async (code, status, expected, call) => {
      rig.upstream.play(json(completion));
      const thrown = await rejection(call());
      expect(thrown).toBeInstanceOf(expected);
      expect(thrown).toMatchObject({ status, code });
      const { headers, message } = thrown as APIError<number, Headers>;
      expect(headers.get("prompt-error")).toBe(code);
      expect(headers.get("x-should-retry")).toBe("false");
      expect(headers.get("prompt-request-id")).toMatch(/./);
      expect(message.length).toBeGreaterThan(20);
      expect(rig.clients.upstream.exchanges()).toHaveLength(1);
      expect(rig.upstream.exchanges()).toEqual([]);
    },
  );

  test("variable_missing names every missing one", async () => {
    const thrown = (await rejection(chat(proxied(TEMPLATED)))) as APIError;
    expect(thrown.message).toContain("product");
    expect(thrown.message).toContain("count");
  });

  test("upstream_timeout and upstream_unreachable may be retried", async () => {
    rig.upstream.play("silent");
    const late = (await rejection(chat(openai(rig.clients.upstream)))) as APIError<number, Headers>;
    expect(late).toBeInstanceOf(InternalServerError);
    expect(late).toMatchObject({ status: 504, code: "upstream_timeout" });
    expect(late.headers.get("x-should-retry")).toBeNull();
    await untilProviderIsLeft(rig.upstream);

    const lost = (await rejection(chat(openai(rig.clients.nothing)))) as APIError<number, Headers>;
    expect(lost).toBeInstanceOf(InternalServerError);
    expect(lost).toMatchObject({ status: 502, code: "upstream_unreachable" });
    expect(lost.headers.get("x-should-retry")).toBeNull();
  });

  test("release_unavailable says when to come back", async () => {
    await rig.cluster.edges[2]!.setFaults({ control: "dead", store: "dead" });
    const client = openai(rig.clients.nothing, { prompt: "never-seen-here" });
    const thrown = (await rejection(chat(client))) as APIError<number, Headers>;
    await rig.cluster.edges[2]!.setFaults({ control: "none", store: "none" });
    expect(thrown).toMatchObject({ status: 503, code: "release_unavailable" });
    expect(Number(thrown.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
