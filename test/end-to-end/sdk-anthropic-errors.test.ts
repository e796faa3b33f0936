// How failures look to an application on the official Anthropic SDK: the provider's own arrive as they are, ours raise
// the class that its code already handles, and retries stay what the SDK makes of them.

import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { beforeAll, describe, expect, test } from "vitest";
import { headerOf } from "../support/http-messages.ts";
import { json, sse } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { HELLO as messages, message, messageEvents } from "./sdk-replies.ts";
import { anthropic, collect, MAX_BODY_BYTES, PROMPT, rejection, TEMPLATED, useRig } from "./sdk-rig.ts";

const rig = useRig();
const turn = { model: "claude-sonnet-5", max_tokens: 64, messages };

function ask(client: Anthropic, more: object = {}): Promise<unknown> {
  return client.messages.create({ ...turn, ...more });
}

function streamed(client: Anthropic) {
  return client.messages.create({ ...turn, stream: true });
}

/** The SDK at its usual two retries. */
function proxied(prompt: string, headers: Record<string, string> = {}): Anthropic {
  return anthropic(rig.clients.upstream, { prompt, maxRetries: 2 }).withOptions({ defaultHeaders: headers });
}

describe("the provider's errors", () => {
  test.each([
    [400, "invalid_request_error", BadRequestError],
    [401, "authentication_error", AuthenticationError],
    [403, "permission_error", PermissionDeniedError],
    [404, "not_found_error", NotFoundError],
    [429, "rate_limit_error", RateLimitError],
    [500, "api_error", InternalServerError],
    [529, "overloaded_error", InternalServerError],
  ])(
    "%i %s raises the SDK's own class, with the provider's words and request id",
    async (status, type, expected) => {
      const error = { type: "error", error: { type, message: `said ${status}` } };
      rig.upstream.play(json(error, { status, headers: [["request-id", "req_1"]] }));
      const thrown = await rejection(ask(anthropic(rig.clients.upstream)));
      expect(thrown).toBeInstanceOf(expected);
      expect(thrown).toMatchObject({ status, error, type, requestID: "req_1" });
      expect(rig.upstream.exchanges()).toHaveLength(1);
    },
  );

  test("an error as the first event of a stream is thrown", async () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    rig.upstream.play(sse([{ event: "error", data: error }]));
    const thrown = await rejection(collect(await streamed(anthropic(rig.clients.upstream))));
    expect(thrown).toMatchObject({ type: "overloaded_error" });
  });

  test("an error in the middle of a stream is thrown, after what came before it", async () => {
    const error = { type: "error", error: { type: "api_error", message: "Broken" } };
    rig.upstream.play(sse([...messageEvents(2, false), { event: "error", data: error }]));
    const seen: string[] = [];
    const stream = await streamed(anthropic(rig.clients.upstream));
    const thrown = await rejection(
      (async () => {
        for await (const { type } of stream) seen.push(type);
      })(),
    );
    expect(thrown).toMatchObject({ type: "api_error" });
    expect(seen.filter((type) => type === "content_block_delta")).toHaveLength(2);
  });

  test("a stream that is cut is an error, never a short answer", async () => {
    rig.upstream.play(sse(messageEvents(3, false), { end: "cut" }));
    const stream = await streamed(anthropic(rig.clients.upstream));
    expect(await rejection(collect(stream))).toBeInstanceOf(Error);
    // The error is said in words before the connection breaks, and an SDK that has read them may leave first.
    await until(() => {
      const [exchange] = rig.clients.upstream.exchanges();
      return exchange?.serverClosed ?? exchange?.clientClosed;
    });
    expect(rig.clients.upstream.exchanges()[0]?.response).toMatchObject({ status: 200, complete: false });
  });
});

test("retry-after is obeyed, and the provider sees which attempt it is", async () => {
  const limited = { type: "error", error: { type: "rate_limit_error", message: "slow down" } };
  rig.upstream.play(json(limited, { status: 429, headers: [["retry-after", "1"]] }), json(message));
  await ask(anthropic(rig.clients.upstream, { maxRetries: 2 }));
  const [first, second, ...more] = rig.upstream.exchanges();
  expect(more).toEqual([]);
  expect(second!.request.firstByteAtMs - first!.request.lastByteAtMs).toBeGreaterThan(950);
  expect(headerOf(second!.request, "x-stainless-retry-count")).toBe("1");
  expect(second!.request.body.equals(first!.request.body)).toBe(true);
});

describe("our own errors", () => {
  beforeAll(async () => {
    await rig.admin.put("revoking");
    await rig.admin.push("revoking", { system: "one" });
    await rig.admin.push("revoking", { system: "two" });
    await rig.admin.revoke("revoking", 2);
  });

  /** [code, status, class, the SDK's name for the kind of error, the call]. */
  type Refusal = [
    string,
    number,
    abstract new (...args: never[]) => APIError,
    string,
    () => Promise<unknown>,
  ];
  const long = [{ role: "user", content: "x".repeat(MAX_BODY_BYTES) }];
  const refused: Refusal[] = [
    ["prompt_not_found", 404, NotFoundError, "not_found_error", () => ask(proxied("no-such-prompt"))],
    [
      "version_not_found",
      404,
      NotFoundError,
      "not_found_error",
      () => ask(proxied(PROMPT, { "prompt-version": "99" })),
    ],
    ["variable_missing", 400, BadRequestError, "invalid_request_error", () => ask(proxied(TEMPLATED))],
    [
      "variable_invalid",
      400,
      BadRequestError,
      "invalid_request_error",
      () => ask(proxied(TEMPLATED), { prompt_variables: { product: 1, count: "x" } }),
    ],
    [
      "invalid_request",
      400,
      BadRequestError,
      "invalid_request_error",
      () => ask(proxied(PROMPT, { "prompt-version": "x" })),
    ],
    [
      "unauthenticated",
      401,
      AuthenticationError,
      "authentication_error",
      () => ask(anthropic(rig.clients.upstream, { apiKey: "sb_unknown", maxRetries: 2 })),
    ],
    [
      "version_revoked",
      410,
      APIError,
      "not_found_error",
      () => ask(proxied("revoking", { "prompt-version": "2" })),
    ],
    ["body_too_large", 413, APIError, "request_too_large", () => ask(proxied(PROMPT), { messages: long })],
  ];

  test.each(refused)(
    "%s raises the SDK's class for %i, once, and asks nobody",
    async (code, status, expected, type, call) => {
      rig.upstream.play(json(message));
      const thrown = await rejection(call());
      expect(thrown).toBeInstanceOf(expected);
      expect(thrown).toMatchObject({ status, type });
      const { headers } = thrown as APIError<number, Headers>;
      expect(headers.get("prompt-error")).toBe(code);
      expect(headers.get("x-should-retry")).toBe("false");
      expect(rig.clients.upstream.exchanges()).toHaveLength(1);
      expect(rig.upstream.exchanges()).toEqual([]);
    },
  );

  test("upstream_timeout, upstream_unreachable and release_unavailable may be retried", async () => {
    rig.upstream.play("silent");
    const late = (await rejection(ask(anthropic(rig.clients.upstream)))) as APIError<number, Headers>;
    const lost = (await rejection(ask(anthropic(rig.clients.nothing)))) as APIError<number, Headers>;
    await rig.cluster.edges[2]!.setFaults({ control: "dead", store: "dead" });
    const cold = (await rejection(
      ask(anthropic(rig.clients.nothing, { prompt: "never-seen-here" })),
    )) as APIError<number, Headers>;
    await rig.cluster.edges[2]!.setFaults({ control: "none", store: "none" });
    for (const [error, status] of [
      [late, 504],
      [lost, 502],
      [cold, 503],
    ] as const) {
      expect(error).toBeInstanceOf(InternalServerError);
      expect(error.status).toBe(status);
      expect(error.headers.get("x-should-retry")).toBeNull();
    }
    expect(Number(cold.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
