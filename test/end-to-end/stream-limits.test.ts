// What breaks mid-stream must never look whole (guarantee 4): the client reads so in its format's own words, and sees the
// connection break. Read from a bare socket: what an SDK makes of it stands in the SDK suites.

import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import { startTap, type Exchange, type Tap } from "../support/tap.ts";
import { startUpstream, type Chunk, type Reply, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const IDLE_MS = 400;
const FIRST_BYTE_TIMEOUT_MS = 500;
const PROMPT = "streamed";

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
/** In front of each edge: the first without limits, the second with both. */
let taps: Tap[];

beforeAll(async () => {
  upstream = await startUpstream();
  const url = upstream.url;
  cluster = await startCluster({
    edges: 2,
    vars: { UPSTREAM_OPENAI: url, UPSTREAM_ANTHROPIC: url, UPSTREAM_GEMINI: url },
    edgeVars: [
      {},
      { STREAM_IDLE_TIMEOUT_MS: String(IDLE_MS), FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS) },
    ],
  });
  taps = await Promise.all(cluster.edges.map(({ port }) => startTap(port, { resetOnLeave: true })));
  admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "Be brief." });
});
afterAll(async () => {
  await Promise.all((taps ?? []).map((tap) => tap.stop()));
  await cluster?.stop();
  await upstream?.stop();
});

const messages = [{ role: "user", content: "hello" }];
const contents = [{ role: "user", parts: [{ text: "hello" }] }];
const EVENTS: Header = ["content-type", "text/event-stream"];
const JSON_TYPE: Header = ["content-type", "application/json"];

type Format = { path: string; body: object; type: Header; half: string; says: RegExp };
const GEMINI = "gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent";
const FORMATS: { [name: string]: Format } = {
  chat: {
    path: "openai/v1/chat/completions",
    body: { model: "gpt-5.4-mini", stream: true, messages },
    type: EVENTS,
    half: 'data: {"choices":[]}\n\ndata: {"choi',
    says: /^\n\ndata: \{"error":\{"message":"The provider [^}]*"code":"upstream_\w+"\}\}\n\n$/,
  },
  responses: {
    path: "openai/v1/responses",
    body: { model: "gpt-5.4-mini", stream: true, input: "hello" },
    type: EVENTS,
    half: 'event: response.created\ndata: {"type":"respon',
    says: /^\n\nevent: response\.failed\ndata: \{"type":"response\.failed",.*\}\n\n$/,
  },
  messages: {
    path: "anthropic/v1/messages",
    body: { model: "claude-sonnet-5", max_tokens: 9, stream: true, messages },
    type: EVENTS,
    half: "event: ping\r\ndata: {}\r\n\r\nevent: content_block_delta\r",
    says: /^\n\nevent: error\ndata: \{"type":"error","error":\{.*\}\n\n$/,
  },
  "gemini, events": {
    path: `${GEMINI}?alt=sse`,
    body: { contents },
    type: EVENTS,
    half: 'data: {"candidates":[]}\n\ndata: {"cand',
    says: /^\n\ndata: \{"error":\{"code":502,.*\}\n\n$/,
  },
};
const CHAT = FORMATS["chat"]!;
const formats = Object.entries(FORMATS);

/** Sends to an edge, from a bare socket, and returns what was seen once the connection is over. */
async function exchange(
  format: Format,
  reply: Reply | "silent",
  edge = 0,
  mount = `/p/${PROMPT}`,
): Promise<Exchange> {
  const tap = taps[edge]!;
  tap.clear();
  upstream.play(reply);
  await sendRaw(tap.port, {
    url: `${mount}/${format.path}`,
    headers: [JSON_TYPE, ["Accept-Encoding", "gzip, br"]],
    body: JSON.stringify(format.body),
  });
  return until(() => tap.exchanges()[0]);
}

/** What stands behind the provider's own bytes. */
function said({ response }: Exchange, bytes: string | Buffer): string {
  const body = response!.body;
  const own = Buffer.from(bytes);
  expect(body.subarray(0, own.length).equals(own)).toBe(true);
  return body.subarray(own.length).toString();
}

const pieces = (type: Header, chunks: Chunk[], end: Reply["end"] = "cut"): Reply => ({
  headers: [type],
  chunks,
  end,
});

function readMetrics(prompt: string): Promise<Metrics> {
  return admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`).then(({ body }) => body);
}

describe("a stream that breaks off", () => {
  it.each(formats)(
    "%s: says so behind half an event, every time, and never ends cleanly",
    async (_, format) => {
      for (let round = 0; round < 20; round += 1) {
        const seen = await exchange(
          format,
          pieces(format.type, [{ bytes: format.half, afterMs: round % 4 }]),
        );
        expect(said(seen, format.half)).toMatch(format.says);
        expect(seen.response).toMatchObject({ status: 200, complete: false });
      }
    },
  );

  it("of Gemini's array closes it with an error", async () => {
    const format = { ...FORMATS["gemini, events"]!, path: GEMINI, type: JSON_TYPE };
    const half = '[{"candidates":[]}\n,\r\n{"candidates":[';
    const seen = await exchange(format, pieces(JSON_TYPE, [{ bytes: half, afterMs: 20 }]));
    expect(said(seen, half)).toContain('"error"');
    expect(seen.response).toMatchObject({ complete: false });
  });

  it("in an encoding of its own breaks, and nothing is said in the middle of compressed bytes", async () => {
    for (const [encoding, bytes] of [
      ["gzip", gzipSync("data: 1\n\n".repeat(999))],
      ["br", brotliCompressSync("data: 1\n\n".repeat(999))],
    ] as const) {
      const half = bytes.subarray(0, bytes.length - 9);
      const headers: Header[] = [EVENTS, ["content-encoding", encoding]];
      const seen = await exchange(CHAT, { headers, chunks: [{ bytes: half }], end: "cut" });
      expect(seen.response).toMatchObject({ complete: false });
      expect(seen.response!.body.equals(half)).toBe(true);
    }
  });

  it("without a prompt breaks as the provider broke it", async () => {
    const seen = await exchange(CHAT, pieces(EVENTS, [{ bytes: CHAT.half }]), 0, "");
    expect(seen.response).toMatchObject({ complete: false });
    expect(said(seen, CHAT.half)).toBe("");
  });

  it("and an answer that is no stream, of known length or not", async () => {
    const body = { ...CHAT.body, stream: false };
    for (const reply of [
      pieces(JSON_TYPE, [{ bytes: '{"choices":' }]),
      {
        headers: [JSON_TYPE, ["content-length", "99"]] as Header[],
        chunks: [{ bytes: '{"choices":' }],
        end: "cut" as const,
      },
    ]) {
      const seen = await exchange({ ...CHAT, body }, reply);
      expect(seen.response).toMatchObject({ complete: false });
      expect(said(seen, '{"choices":')).toBe("");
    }
  });

  it("is an error of its arm; a client that left is none", async () => {
    const prompt = "counted";
    await admin.put(prompt);
    await admin.push(prompt, { system: "Be brief." });
    await exchange(CHAT, pieces(EVENTS, [{ bytes: CHAT.half }]), 0, `/p/${prompt}`);
    upstream.play(pieces(EVENTS, [{ bytes: CHAT.half }], "open"));
    const controller = new AbortController();
    const url = `${taps[0]!.url}/p/${prompt}/${CHAT.path}`;
    const { signal } = controller;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(CHAT.body), signal });
    await response.body!.getReader().read();
    controller.abort();
    await until(() => upstream.exchanges()[0]?.clientClosed);
    const metrics = await until(async () => {
      const found = await readMetrics(prompt);
      return found.arms[0]?.requests === 2 && found;
    });
    expect(metrics.arms).toMatchObject([{ requests: 2, errors: 1, aborted: 1 }]);
  });
});

describe("a limit on silence", () => {
  it.each(formats)(
    "%s: ends a stream that fell silent, in words, and the provider's work with it",
    async (_, format) => {
      const seen = await exchange(format, pieces(format.type, [{ bytes: format.half }], "open"), 1);
      expect(said(seen, format.half)).toContain(`The provider sent nothing for ${IDLE_MS / 1000} s.`);
      expect(seen.response).toMatchObject({ status: 200, complete: false });
      await until(() => upstream.exchanges()[0]?.clientClosed);
    },
  );

  it("leaves a slow stream alone, byte for byte, and lets it end", async () => {
    const chunks = Array.from({ length: 8 }, (_, index) => ({
      bytes: `: ${index}\r\n\r\n`,
      afterMs: IDLE_MS / 3,
    }));
    const seen = await exchange(CHAT, pieces(EVENTS, chunks, "clean"), 1);
    expect(seen.response).toMatchObject({ status: 200, complete: true });
    expect(said(seen, chunks.map(({ bytes }) => bytes).join(""))).toBe("");
  });

  it("still makes a stream that breaks off say so", async () => {
    const seen = await exchange(CHAT, pieces(EVENTS, [{ bytes: CHAT.half }]), 1);
    expect(said(seen, CHAT.half)).toMatch(CHAT.says);
    expect(seen.response).toMatchObject({ complete: false });
  });

  it("stops the provider when the client leaves", async () => {
    upstream.play(pieces(EVENTS, [{ bytes: ": hi\n\n" }, { bytes: ": hi\n\n", afterMs: 60_000 }], "open"));
    const controller = new AbortController();
    const url = `${taps[1]!.url}/p/${PROMPT}/${CHAT.path}`;
    const { signal } = controller;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(CHAT.body), signal });
    await response.body!.getReader().read();
    controller.abort();
    await until(() => upstream.exchanges()[0]?.clientClosed, IDLE_MS);
  });
});

describe("a limit on the first byte", () => {
  it.each([
    ["a prompted turn", `/p/${PROMPT}`],
    ["a request without a prompt", ""],
  ])("answers for a provider that does not, and ends its work: %s", async (_, mount) => {
    const { response } = await exchange(CHAT, "silent", 1, mount);
    expect(response!.status).toBe(504);
    expect(headerOf(response!, "prompt-error")).toBe("upstream_timeout");
    await until(() => upstream.exchanges()[0]?.clientClosed);
  });

  it("is none on what comes after it", async () => {
    const chunks = [
      { bytes: ": 1\n\n" },
      { bytes: ": 2\n\n", afterMs: IDLE_MS - 100 },
      { bytes: ": 3\n\n", afterMs: IDLE_MS - 100 },
    ];
    const seen = await exchange(CHAT, pieces(EVENTS, chunks, "clean"), 1);
    expect(seen.response).toMatchObject({ status: 200, complete: true });
  });
});
