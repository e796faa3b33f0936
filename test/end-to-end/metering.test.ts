// What a call tells of itself arrives in the metrics of the version that served it: tokens, finish, model, price, time to
// the first token, and why it failed; and whatever becomes of a call, it is counted once.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { json, startUpstream, type Chunk, type Reply, type Upstream } from "../support/upstream.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { until } from "../support/wait.ts";

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
/** In front of the first edge: passes a departure on at once, as the network does. */
let tap: Tap;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  const { url } = upstream;
  cluster = await startCluster({
    edges: 2,
    vars: { UPSTREAM_OPENAI: url, UPSTREAM_ANTHROPIC: url, UPSTREAM_GEMINI: url },
    edgeVars: [{}, { HUNG_AFTER_MS: "1500" }],
  });
  admin = connectAdmin(cluster.control.url);
  tap = await startTap(cluster.edges[0]!.port, { resetOnLeave: true });
});
afterAll(async () => {
  await tap?.stop();
  await cluster?.stop();
  await upstream?.stop();
});

async function createPrompt(): Promise<string> {
  made += 1;
  const prompt = `metered-${made}`;
  await admin.put(prompt);
  await admin.push(prompt, { system: "Answer." });
  return prompt;
}

type Arm = Metrics["arms"][number];

/** The one arm of the prompt, once `count` calls of it are over. */
async function readArm(prompt: string, count = 1): Promise<Arm> {
  return until(
    async () => {
      const { body } = await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
      const arm = body.arms[0];
      return arm !== undefined && arm.requests >= count && arm;
    },
    15_000,
    `${count} calls of ${prompt} in its metrics`,
  );
}

function ask(prompt: string, path: string, body: object, edge = 0, signal?: AbortSignal): Promise<Response> {
  const url = edge === 0 ? tap.url : cluster.edges[edge]!.url;
  return fetch(`${url}/p/${prompt}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-test" },
    body: JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
}

const messages = [{ role: "user", content: "hello" }];
const chatUsage = {
  prompt_tokens: 1_000,
  completion_tokens: 50,
  prompt_tokens_details: { cached_tokens: 400 },
  completion_tokens_details: { reasoning_tokens: 20 },
};
const chat = { model: "gpt-4o-mini-2024-07-18", system_fingerprint: "fp_1" };
const events = (...values: unknown[]): Chunk[] =>
  values.map((value) => ({
    bytes: `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`,
    afterMs: 30,
  }));
const stream = (...values: unknown[]): Reply => ({
  headers: [["content-type", "text/event-stream"]],
  chunks: events(...values),
});
const delta = (content: string) => ({ ...chat, choices: [{ index: 0, delta: { content } }] });
const stop = (reason: string) => ({ ...chat, choices: [{ index: 0, delta: {}, finish_reason: reason }] });

type Case = { path: string; body: object; reply: Reply; tokens: object; model: string; streams: boolean };
const CASES: { [name: string]: Case } = {
  "a chat": {
    path: "openai/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages },
    reply: json({
      ...chat,
      choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
      usage: chatUsage,
    }),
    tokens: { answers: 1, input: 1_000, output: 50, cached: 400, reasoning: 20 },
    model: chat.model,
    streams: false,
  },
  "a streamed chat": {
    path: "openai/v1/chat/completions",
    body: { model: "gpt-4o-mini", messages, stream: true, stream_options: { include_usage: true } },
    reply: stream(delta(""), delta("hi"), stop("stop"), { ...chat, choices: [], usage: chatUsage }, "[DONE]"),
    tokens: { answers: 1, input: 1_000, output: 50, cached: 400, reasoning: 20 },
    model: chat.model,
    streams: true,
  },
  "a streamed message of Anthropic's": {
    path: "anthropic/v1/messages",
    body: { model: "claude-3-5-haiku-20241022", max_tokens: 100, messages, stream: true },
    reply: stream(
      {
        type: "message_start",
        message: {
          model: "claude-3-5-haiku-20241022",
          usage: { input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 1 },
        },
      },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hi" } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 60 } },
      { type: "message_stop" },
    ),
    tokens: { answers: 1, input: 1_000, output: 60, cached: 900 },
    model: "claude-3-5-haiku-20241022",
    streams: true,
  },
  "a stream of Gemini's": {
    path: "gemini/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse",
    body: { contents: [{ role: "user", parts: [{ text: "hello" }] }] },
    reply: stream(
      { candidates: [{ content: { parts: [{ text: "h" }] } }], modelVersion: "gemini-2.0-flash" },
      {
        candidates: [{ content: { parts: [{ text: "i" }] }, finishReason: "STOP" }],
        usageMetadata: { promptTokenCount: 300, candidatesTokenCount: 12 },
        modelVersion: "gemini-2.0-flash",
      },
    ),
    tokens: { answers: 1, input: 300, output: 12 },
    model: "gemini-2.0-flash",
    streams: true,
  },
};

describe("an answer", () => {
  it.each(Object.entries(CASES))("of %s tells its tokens, model, price and times", async (_, one) => {
    const prompt = await createPrompt();
    upstream.play(one.reply);
    const answer = await ask(prompt, one.path, one.body);
    const text = await answer.text();
    // Looking at a short answer does not cost it its length.
    const length = one.streams ? null : String(Buffer.byteLength(text));
    expect(answer.headers.get("content-length")).toBe(length);
    const arm = await readArm(prompt);
    expect(arm).toMatchObject({ requests: 1, errors: 0, aborted: 0, tokens: one.tokens });
    expect(arm.models.map(({ model }) => model)).toEqual([one.model]);
    expect(arm.cost.answers).toBe(1);
    expect(arm.cost.usd).toBeGreaterThan(0);
    expect(arm.cost.fullUsd).toBeGreaterThanOrEqual(arm.cost.usd!);
    expect(arm.latencyMs.all?.mean).toBeGreaterThan(0);
    if (one.streams) expect(arm.firstTokenMs.all?.mean).toBeGreaterThan(0);
    else expect(arm.firstTokenMs.all).toBeNull();
  });

  it("of a model that nobody has a price for costs an unknown amount, not nothing", async () => {
    const prompt = await createPrompt();
    const body = { choices: [{ finish_reason: "stop", message: { content: "hi" } }], usage: chatUsage };
    upstream.play(json({ ...body, model: "our-own-tune" }));
    await (await ask(prompt, "openai/v1/chat/completions", { model: "our-own-tune", messages })).text();
    const arm = await readArm(prompt);
    expect(arm.tokens.answers).toBe(1);
    expect(arm.cost).toMatchObject({ answers: 0, usd: null });
  });

  it("says how it ended: cut off, refused, a tool", async () => {
    const prompt = await createPrompt();
    for (const reason of ["length", "content_filter", "tool_calls"]) {
      upstream.play(stream(delta("hi"), stop(reason), "[DONE]"));
      await (await ask(prompt, "openai/v1/chat/completions", { messages, stream: true })).text();
    }
    const { finish } = await readArm(prompt, 3);
    expect(finish).toEqual({ truncations: 1, refusals: 1, toolCalls: 1, schemaFailures: 0 });
  });

  it("that was to be JSON and is not is a schema failure", async () => {
    const prompt = await createPrompt();
    const schema = { type: "object", required: ["city"], properties: { city: { type: "string" } } };
    const response_format = { type: "json_schema", json_schema: { name: "place", schema } };
    for (const content of ['{"city":"Rome"}', '{"town":"Rome"}', "Rome"]) {
      upstream.play(json({ ...chat, choices: [{ message: { content }, finish_reason: "stop" }] }));
      await (await ask(prompt, "openai/v1/chat/completions", { messages, response_format })).text();
    }
    expect((await readArm(prompt, 3)).finish).toMatchObject({ schemaFailures: 2 });
  });
});

describe("a call that fails", () => {
  it("is an error of its class, told by the provider's own words", async () => {
    const prompt = await createPrompt();
    const error = { message: "too long", type: "invalid_request_error", code: "context_length_exceeded" };
    upstream.play(
      json({ error }, { status: 400 }),
      json({ error: { message: "slow down", type: "rate_limit_error" } }, { status: 429 }),
      json({ error: { message: "no" } }, { status: 500 }),
      json({ error: { message: "Provider disconnected", code: 502 } }),
      stream(delta("hi"), { error: { message: "Overloaded", type: "overloaded_error" } }),
      { headers: [["content-type", "text/event-stream"]], chunks: events(delta("hi")), end: "cut" },
      stream(delta("hi"), delta(" there")),
      { headers: [["content-type", "application/json"]], chunks: [{ bytes: '{"choices":[' }], end: "cut" },
    );
    for (let sent = 0; sent < 8; sent += 1) {
      const answer = await ask(prompt, "openai/v1/chat/completions", { messages, stream: sent > 3 });
      await answer.text().catch(() => {});
    }
    const arm = await readArm(prompt, 8);
    expect(arm).toMatchObject({ requests: 8, errors: 8, aborted: 0, open: 0 });
    expect(arm.errorClasses).toEqual({
      context_length: 1,
      rate_limited: 1,
      server_error: 2,
      overloaded: 1,
      broken_stream: 3,
    });
    expect(arm.latencyMs.all).toBeNull();
  });

  it("because its client left is aborted, and the provider hears of it", async () => {
    const prompt = await createPrompt();
    upstream.play({
      headers: [["content-type", "text/event-stream"]],
      chunks: events(delta("hi")),
      end: "open",
    });
    const leaving = new AbortController();
    const answer = await ask(
      prompt,
      "openai/v1/chat/completions",
      { messages, stream: true },
      0,
      leaving.signal,
    );
    await answer.body!.getReader().read();
    leaving.abort();
    const arm = await readArm(prompt);
    expect(arm).toMatchObject({ requests: 1, errors: 0, aborted: 1 });
    await until(() => upstream.exchanges()[0]?.clientClosed != null, 5_000, "the provider's request to end");
  });

  it("because nothing ever comes is counted while it still hangs, once", async () => {
    const prompt = await createPrompt();
    const good = json({ ...chat, choices: [{ message: { content: "hi" }, finish_reason: "stop" }] });
    upstream.play(({ body: asked }) => (asked.includes('"stream":true') ? "silent" : good));
    const leaving = new AbortController();
    const body = { messages, stream: true };
    const hanging = ask(prompt, "openai/v1/chat/completions", body, 1, leaving.signal).catch(() => null);
    await until(() => upstream.exchanges().length === 1, 5_000, "the call to arrive");
    // Reports are made with traffic.
    const arm = await until(
      async () => {
        await (await ask(prompt, "openai/v1/chat/completions", { messages }, 1)).text();
        const found = await readArm(prompt);
        return found.errors > 0 && found;
      },
      20_000,
      "the hanging call to be given up",
    );
    expect(arm.errorClasses).toEqual({ timeout: 1 });
    leaving.abort();
    await hanging;
    await (await ask(prompt, "openai/v1/chat/completions", { messages }, 1)).text();
    const after = await readArm(prompt, arm.requests + 1);
    expect(after).toMatchObject({ errors: 1, aborted: 0 });
  });
});

describe("a call under way", () => {
  it("is open until it is over", async () => {
    const prompt = await createPrompt();
    upstream.play({
      headers: [["content-type", "text/event-stream"]],
      chunks: events(delta("hi")),
      end: "open",
    });
    const leaving = new AbortController();
    const body = { messages, stream: true };
    const answer = await ask(prompt, "openai/v1/chat/completions", body, 0, leaving.signal);
    await answer.body!.getReader().read();
    const open = await until(
      async () => {
        const { body: found } = await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
        return found.arms[0]?.open === 1 && found.arms[0];
      },
      10_000,
      "an open call",
    );
    expect(open.requests).toBe(0);
    leaving.abort();
    expect(await readArm(prompt)).toMatchObject({ open: 0, aborted: 1 });
  });
});
