// The canary shield, on the wire: a canary that fails before its first byte in a way that its version can be blamed for is
// answered by the baseline, once, and counted against the canary; nothing else is.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import {
  json,
  sse,
  startUpstream,
  type Reply,
  type Upstream,
  type UpstreamRequest,
} from "../support/upstream.ts";
import { headerOf } from "../support/http-messages.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { until } from "../support/wait.ts";

const FIRST_BYTE_TIMEOUT_MS = 700;
const BASELINE = "Speak as the baseline.";
const CANARY = "Speak as the canary.";

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
/** In front of the first edge: passes a departure on at once, as the network does. */
let tap: Tap;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 3,
    vars: { UPSTREAM_OPENAI: upstream.url, UPSTREAM_ANTHROPIC: upstream.url },
    edgeVars: [
      {},
      { FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS) },
      { UPSTREAM_OPENAI: "http://127.0.0.1:1" },
    ],
  });
  admin = connectAdmin(cluster.control.url);
  tap = await startTap(cluster.edges[0]!.port, { resetOnLeave: true });
});
afterAll(async () => {
  await tap?.stop();
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play({ status: 500 }));

/** A prompt whose canary, version 2, gets every request. */
async function createCanary(settings = {}, canary: object = { system: CANARY }): Promise<string> {
  made += 1;
  const prompt = `shielded-${made}`;
  await admin.put(prompt, settings);
  await admin.push(prompt, { system: BASELINE });
  await admin.push(prompt, canary as { system: string });
  await admin.canary(prompt, 2, 100, { transition: "now" });
  return prompt;
}

type Format = { path: string; body: object; good: unknown; errorEvent: unknown; firstEvent: unknown };
const messages = [{ role: "user", content: "hello" }];
const FORMATS: { [name: string]: Format } = {
  chat: {
    path: "openai/v1/chat/completions",
    body: { model: "gpt-5.4-mini", messages },
    good: { choices: [{ index: 0, message: { role: "assistant", content: "hi" } }] },
    errorEvent: { error: { message: "Provider disconnected", code: 502 } },
    firstEvent: { choices: [{ index: 0, delta: { content: "hi" } }] },
  },
  responses: {
    path: "openai/v1/responses",
    body: { model: "gpt-5.4-mini", input: "hello" },
    good: { id: "resp_1", object: "response", status: "completed", output: [] },
    errorEvent: { type: "response.failed", response: { id: "resp_1", status: "failed" } },
    firstEvent: { type: "response.created", response: { id: "resp_1" } },
  },
  messages: {
    path: "anthropic/v1/messages",
    body: { model: "claude-sonnet-5", max_tokens: 9, messages },
    good: { id: "msg_1", type: "message", content: [] },
    errorEvent: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    firstEvent: { type: "message_start", message: { id: "msg_1" } },
  },
};
const formats = Object.entries(FORMATS);
const CHAT = FORMATS["chat"]!;

type Sent = { headers?: Record<string, string>; more?: object; edge?: number; signal?: AbortSignal };

function send(prompt: string, format: Format = CHAT, { headers = {}, more, edge = 0, signal }: Sent = {}) {
  const url = edge === 0 ? tap.url : cluster.edges[edge]!.url;
  return fetch(`${url}/p/${prompt}/${format.path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ ...format.body, ...more }),
    ...(signal !== undefined && { signal }),
  });
}

/** The canary gets one answer, everybody else another. */
function play(toCanary: Reply | "silent", toBaseline: Reply | "silent"): void {
  upstream.play((request: UpstreamRequest) => (request.body.includes(CANARY) ? toCanary : toBaseline));
}

/** Which versions the provider was asked with, in order. */
function asked(): string[] {
  return upstream.exchanges().map(({ request }) => {
    const body = request.body.toString();
    return body.includes(CANARY) ? "canary" : body.includes(BASELINE) ? "baseline" : "none";
  });
}

const explained = ({ headers }: Response) => ({
  version: headers.get("prompt-version"),
  arm: headers.get("prompt-arm"),
  reason: headers.get("prompt-reason"),
  assigned: headers.get("prompt-assigned-version"),
});
const FELL_BACK = { version: "1", arm: "baseline", reason: "fallback", assigned: "2" };
const OWN = { version: "2", arm: "canary", assigned: null };

async function expectFallback(response: Response): Promise<void> {
  expect(explained(response)).toEqual(FELL_BACK);
  expect(asked()).toEqual(["canary", "baseline"]);
}

function readMetrics(prompt: string): Promise<Metrics> {
  return admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`).then(({ body }) => body);
}

describe("the baseline's attempt", () => {
  it("has an idempotency key of its own, the same at every retry, or the provider might repeat the canary's failure", async () => {
    const prompt = await createCanary();
    play({ status: 500 }, json(CHAT.good));
    const headers = { "idempotency-key": "attempt-1" };
    await (await send(prompt, CHAT, { headers })).text();
    await (await send(prompt, CHAT, { headers })).text();
    const keys = upstream.exchanges().map(({ request }) => headerOf(request, "idempotency-key"));
    expect(keys).toEqual(["attempt-1", "attempt-1-baseline", "attempt-1", "attempt-1-baseline"]);
  });
});

describe("a canary's failure before its first byte is answered by the baseline", () => {
  const statuses = [400, 404, 413, 422, 500, 502, 503, 504, 529];
  it.each(formats)("%s: whatever status a version can be blamed for", async (_, format) => {
    const prompt = await createCanary();
    for (const status of statuses) {
      play(json({ error: { message: "context_length_exceeded" } }, { status }), json(format.good));
      const response = await send(prompt, format);
      expect([status, response.status, await response.json()]).toEqual([status, 200, format.good]);
      await expectFallback(response);
    }
  });

  it.each(formats)("%s: an error as the first event of a 200", async (_, format) => {
    const prompt = await createCanary();
    play(sse([{ event: "error", data: format.errorEvent }]), sse([{ data: format.firstEvent }]));
    const response = await send(prompt, format, { more: { stream: true } });
    expect(await response.text()).toBe(`data: ${JSON.stringify(format.firstEvent)}\n\n`);
    await expectFallback(response);
  });

  it("an error event that comes in pieces, with CRLF, split in a character", async () => {
    const prompt = await createCanary();
    const event = Buffer.from('event: error\r\ndata: {"error":{"message":"überlastet 🙂"}}\r\n\r\n');
    const chunks = Array.from(event, (byte) => ({ bytes: Buffer.from([byte]), afterMs: 1 }));
    play({ headers: [["content-type", "text/event-stream"]], chunks }, sse([{ data: "[DONE]" }]));
    const response = await send(prompt, CHAT, { more: { stream: true } });
    expect(await response.text()).toBe("data: [DONE]\n\n");
    await expectFallback(response);
  });

  it("no first byte in time, headers alone included; the provider's work is ended", async () => {
    const prompt = await createCanary();
    const headersOnly: Reply = { headers: [["content-type", "text/event-stream"]], chunks: [], end: "open" };
    for (const [toCanary, stream] of [
      ["silent", false],
      ["silent", true],
      [headersOnly, true],
    ] as const) {
      play(toCanary, json(CHAT.good));
      await expectFallback(await send(prompt, CHAT, { edge: 1, more: { stream } }));
      await until(() => upstream.exchanges()[0]?.clientClosed);
    }
  });

  it("a version that cannot be put in: a variable nobody sent, a model that it does not name", async () => {
    const needy = await createCanary(
      {},
      { system: `${CANARY} {{name}}`, variables: { name: { required: true } } },
    );
    play(json(CHAT.good), json(CHAT.good));
    const response = await send(needy);
    expect([response.status, explained(response)]).toEqual([200, FELL_BACK]);
    expect(asked()).toEqual(["baseline"]);
    await until(async () =>
      (await readMetrics(needy)).arms.some(({ arm, errors }) => arm === "canary" && errors === 1),
    );
  });

  it("a conversation that a drain keeps on a version that is no baseline any more", async () => {
    const prompt = await createCanary();
    await admin.rollback(prompt, { mode: "drain" });
    const turns = [...messages, { role: "assistant", content: "hi" }, { role: "user", content: "more" }];
    const next = () => send(prompt, CHAT, { more: { messages: turns } });
    play(json(CHAT.good), json(CHAT.good));
    await until(async () => (await next()).headers.get("prompt-reason") === "drain");
    play(json({}, { status: 400 }), json(CHAT.good));
    await expectFallback(await next());
  });

  it("asks once: what the baseline says then goes down, whatever it is", async () => {
    const prompt = await createCanary();
    play(json({ by: "canary" }, { status: 500 }), json({ by: "baseline" }, { status: 503 }));
    const response = await send(prompt);
    expect([response.status, await response.json()]).toEqual([503, { by: "baseline" }]);
    await expectFallback(response);
  });

  it("is counted against the canary, and apart from the baseline's own", async () => {
    const prompt = await createCanary();
    play(json({}, { status: 400 }), json(CHAT.good));
    for (let index = 0; index < 3; index += 1) await send(prompt);
    const counted = await until(async () => {
      const metrics = await readMetrics(prompt);
      return metrics.fallbacks?.[0]?.requests === 3 ? metrics : null;
    });
    expect(counted.arms).toMatchObject([{ version: 2, arm: "canary", requests: 3, errors: 3 }]);
    expect(counted.versions).toMatchObject([{ version: 2, requests: 3, errors: 3 }]);
    expect(counted.fallbacks).toMatchObject([{ version: 1, requests: 3, errors: 0 }]);
  });

  it("and what is the provider's own failure looks alike in both arms: a stream that begins with an error", async () => {
    made += 1;
    const prompt = `compared-${made}`;
    await admin.put(prompt);
    await admin.push(prompt, { system: BASELINE });
    await admin.push(prompt, { system: CANARY });
    await admin.canary(prompt, 2, 50, { transition: "now" });
    const overloaded = sse([{ event: "error", data: CHAT.errorEvent }]);
    play(overloaded, overloaded);
    const arms = new Set<unknown>();
    for (let turn = 0; turn < 40 && arms.size < 2; turn += 1) {
      const headers = { "prompt-key": `key-${turn}` };
      const response = await send(prompt, CHAT, { headers, more: { stream: true } });
      expect(await response.text()).toContain("Provider disconnected");
      arms.add(response.headers.get("prompt-reason"));
    }
    expect(arms).toEqual(new Set(["split", "fallback"]));
    const rates = await until(async () => {
      const { arms: counted } = await readMetrics(prompt);
      return counted.length === 2 && counted.map(({ arm, errorRate }) => [arm, errorRate]);
    }, 10_000);
    expect(rates).toEqual([
      ["baseline", 1],
      ["canary", 1],
    ]);
  });

  it("by the release as it is when the canary fails", async () => {
    const prompt = await createCanary();
    await admin.push(prompt, { system: `${BASELINE} Even better.` });
    play(json(CHAT.good), json(CHAT.good));
    await send(prompt);
    play({ status: 500, headersAfterMs: 1_500, body: "" }, json(CHAT.good));
    const answering = send(prompt);
    await until(() => upstream.exchanges()[0]?.request.complete);
    await admin.promote(prompt, 3);
    const response = await answering;
    expect(explained(response)).toEqual({ ...FELL_BACK, version: "3" });
    expect(upstream.exchanges()[1]!.request.body.toString()).toContain("Even better");
  });
});

describe("a canary's own answer goes down", () => {
  it.each([401, 403, 405, 409, 429])("with status %i, which blames no version", async (status) => {
    const prompt = await createCanary();
    play(json({ by: "canary" }, { status }), json(CHAT.good));
    const response = await send(prompt);
    expect([response.status, await response.json()]).toEqual([status, { by: "canary" }]);
    expect(explained(response)).toMatchObject(OWN);
    expect(asked()).toEqual(["canary"]);
  });

  it("where the provider cannot be reached", async () => {
    const prompt = await createCanary();
    const response = await send(prompt, CHAT, { edge: 2 });
    expect([response.status, response.headers.get("prompt-error")]).toEqual([502, "upstream_unreachable"]);
    expect(explained(response)).toMatchObject(OWN);
  });

  it("where the connection breaks behind the headers, and is no stream to anybody", async () => {
    const prompt = await createCanary();
    play({ headers: [["content-type", "text/event-stream"]], chunks: [], end: "cut" }, json(CHAT.good));
    const response = await send(prompt, CHAT, { more: { stream: true } });
    expect([response.status, response.headers.get("prompt-error")]).toEqual([502, "upstream_unreachable"]);
    expect(explained(response)).toMatchObject(OWN);
    expect(asked()).toEqual(["canary"]);
  });

  it("once bytes of it were delivered: a stream that fails later is not answered twice", async () => {
    const prompt = await createCanary();
    for (const events of [
      [{ data: CHAT.firstEvent }, { data: CHAT.errorEvent }],
      [{ event: "ping", data: "{}" }, { data: CHAT.errorEvent }],
    ]) {
      play(sse(events), json(CHAT.good));
      const response = await send(prompt, CHAT, { more: { stream: true } });
      expect(await response.text()).toContain(JSON.stringify(CHAT.errorEvent));
      expect(explained(response)).toMatchObject(OWN);
      expect(asked()).toEqual(["canary"]);
    }
  });

  it("at its first sign of life: a comment is not held back for the event behind it", async () => {
    const prompt = await createCanary();
    const bytes = [": OPENROUTER PROCESSING\n\n", `data: ${JSON.stringify(CHAT.errorEvent)}\n\n`];
    const chunks = [{ bytes: bytes[0]! }, { bytes: bytes[1]!, afterMs: 1_000 }];
    play({ headers: [["content-type", "text/event-stream"]], chunks }, json(CHAT.good));
    const startedAtMs = performance.now();
    const response = await send(prompt, CHAT, { more: { stream: true } });
    expect(performance.now() - startedAtMs).toBeLessThan(900);
    expect(await response.text()).toBe(bytes.join(""));
    expect(explained(response)).toMatchObject(OWN);
  });

  it("byte for byte when its first event is longer than any error", async () => {
    const prompt = await createCanary();
    const long = `data: ${JSON.stringify({ instructions: "é".repeat(40_000) })}\n\n`;
    const bytes = Buffer.from(`${long}data: [DONE]\n\n`);
    const chunks = [0, 7_000, 14_001, 50_003].map((from, index, all) => ({
      bytes: bytes.subarray(from, all[index + 1]),
      afterMs: 5,
    }));
    play({ headers: [["content-type", "text/event-stream"]], chunks }, json(CHAT.good));
    const response = await send(prompt, CHAT, { more: { stream: true } });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(explained(response)).toMatchObject(OWN);
  });

  it("when the prompt has its shield off", async () => {
    const prompt = await createCanary({ shield: false });
    play(json({ by: "canary" }, { status: 500 }), json(CHAT.good));
    const response = await send(prompt);
    expect([response.status, await response.json()]).toEqual([500, { by: "canary" }]);
    expect(asked()).toEqual(["canary"]);
    await admin.put(prompt, { shield: true });
    await until(async () => (await send(prompt)).status === 200);
  });

  it("when its failure is the caller's own: the baseline cannot take the request either", async () => {
    const prompt = await createCanary();
    const response = await send(prompt, CHAT, { more: { messages: "not a list" } });
    expect([response.status, response.headers.get("prompt-error")]).toEqual([400, "invalid_request"]);
    expect(explained(response)).toMatchObject(OWN);
    expect(asked()).toEqual([]);
  });

  it("when the baseline is out of reach", async () => {
    const prompt = await createCanary();
    play(json({ by: "canary" }, { status: 500 }), json(CHAT.good));
    // Its content is not in this isolate yet, and nobody gives it away.
    const edge = cluster.edges[0]!;
    const known = await send(prompt, CHAT, { headers: { "prompt-version": "2" } });
    expect(known.status).toBe(500);
    await edge.setFaults({ store: "dead", control: "dead" });
    try {
      const response = await send(prompt);
      expect([response.status, await response.json()]).toEqual([500, { by: "canary" }]);
      expect(explained(response)).toMatchObject(OWN);
    } finally {
      await edge.setFaults({ store: "none", control: "none" });
    }
  });

  it("to nobody when the client has left, before the first byte or while its first event is waited for", async () => {
    const prompt = await createCanary();
    const halfAnEvent: Reply = {
      headers: [["content-type", "text/event-stream"]],
      chunks: [{ bytes: 'data: {"error' }],
      end: "open",
    };
    for (const reply of ["silent", halfAnEvent] as const) {
      play(reply, json(CHAT.good));
      const controller = new AbortController();
      const call = send(prompt, CHAT, { more: { stream: true }, signal: controller.signal });
      await until(() => upstream.exchanges()[0]?.request.complete);
      if (reply !== "silent") await until(() => upstream.exchanges()[0]?.response?.bodyAtMs);
      controller.abort();
      await expect(call).rejects.toThrow();
      await until(() => upstream.exchanges()[0]?.clientClosed);
      expect(asked()).toEqual(["canary"]);
    }
  });
});

describe("what is no canary's has no shield", () => {
  it("a pinned version, a baseline, a request without a prompt", async () => {
    const prompt = await createCanary();
    play(json({ by: "it" }, { status: 500 }), json({ by: "it" }, { status: 500 }));
    const pinned = await send(prompt, CHAT, { headers: { "prompt-version": "2" } });
    expect([pinned.status, explained(pinned)]).toMatchObject([500, { arm: "pinned", assigned: null }]);
    expect(asked()).toEqual(["canary"]);
    await admin.rollback(prompt, { wait: true });
    play({ status: 500 }, json({ by: "it" }, { status: 500 }));
    expect((await send(prompt)).status).toBe(500);
    expect(asked()).toEqual(["baseline"]);
    play({ status: 500 }, { status: 500 });
    const bare = await fetch(`${cluster.edges[0]!.url}/${CHAT.path}`, {
      method: "POST",
      body: JSON.stringify(CHAT.body),
    });
    expect(bare.status).toBe(500);
    expect(asked()).toEqual(["none"]);
  });
});
