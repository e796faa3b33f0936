// Guarantee 4, on the wire: the caller's bytes are kept, both ways. Each test compares what was seen between client
// and Worker with what was seen between Worker and provider.

import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { expectFaithful, insertionOf } from "../support/fidelity.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { type RawRequest, sendRaw } from "../support/raw.ts";
import type { Exchange } from "../support/tap.ts";
import { gzipped, json, type Reply, type Script, sse } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { completion, HELLO, message } from "./sdk-replies.ts";
import { anthropic, openai, PROMPT, SYSTEM, useRig } from "./sdk-rig.ts";

const rig = useRig();
const JSON_TYPE: Header = ["Content-Type", "application/json"];
const CHAT = `/p/${PROMPT}/openai/v1/chat/completions`;
const FILES = `/p/${PROMPT}/openai/v1/files`;

type Both = { client: Exchange; provider: Exchange };

/** The one exchange of a test, from both sides, once both have seen it out. */
async function seenFromBothSides(): Promise<Both> {
  return until(() => {
    const [client] = rig.clients.upstream.exchanges();
    const [provider] = rig.upstream.exchanges();
    const done = client?.response?.complete && provider?.response?.complete;
    return done ? { client: client!, provider: provider! } : null;
  });
}

/** Sends through the Worker, answered by `script`, and compares both sides. */
async function exchange(request: RawRequest, script: Script = json({ ok: true })): Promise<Both> {
  rig.clients.upstream.clear();
  rig.upstream.play(script);
  await sendRaw(rig.clients.upstream.port, request);
  const both = await seenFromBothSides();
  expectFaithful(both.client, both.provider);
  return both;
}

const gpt = () => openai(rig.clients.upstream);
const claude = () => anthropic(rig.clients.upstream);

describe("what the SDKs send and get is what the provider gets and sends", () => {
  const model = "gpt-5.4-mini";
  const turn = { model: "claude-sonnet-5", max_tokens: 9, messages: HELLO };
  const calls: [string, unknown, () => Promise<unknown>][] = [
    ["chat completion", completion, () => gpt().chat.completions.create({ model, messages: HELLO })],
    ["response", { id: "resp_1", output: [] }, () => gpt().responses.create({ model, input: "hello" })],
    ["retrieved response", { id: "resp_1", output: [] }, () => gpt().responses.retrieve("resp_1")],
    [
      "embedding",
      { data: [] },
      () => gpt().embeddings.create({ model, input: "x", encoding_format: "float" }),
    ],
    ["moderation", { results: [] }, () => gpt().moderations.create({ input: "x" })],
    ["list of models", { data: [] }, async () => gpt().models.list()],
    ["deletion", { deleted: true }, () => gpt().files.delete("file-1")],
    ["message", message, () => claude().messages.create(turn)],
    ["count of tokens", { input_tokens: 1 }, () => claude().messages.countTokens({ model, messages: HELLO })],
    [
      "beta message",
      message,
      () => claude().beta.messages.create({ ...turn, betas: ["next-month-2027-01-01"] }),
    ],
    [
      "batch",
      { id: "b" },
      () => claude().messages.batches.create({ requests: [{ custom_id: "a", params: turn }] }),
    ],
  ];
  test.each(calls)("%s", async (_, reply, call) => {
    rig.upstream.play(
      json(reply, {
        headers: [
          ["X-Request-Id", "req_1"],
          ["X-Next-Month", "yes"],
        ],
      }),
    );
    await call();
    const { client, provider } = await seenFromBothSides();
    expectFaithful(client, provider);
  });
});

describe("request bodies", () => {
  // Numbers, spellings and layout that a parser and a serialiser would not give back.
  const odd = String.raw`"n": 9007199254740993, "f": 1.0, "g":0.10,"e":1E400,  "dup":1,"dup":2, "u":"\u00e9\ud83d\u002f", "\u006dessages2":[ ], "x":{ }`;
  const user = String.raw`{"role":"user","content":"h\u0065llo \u2028 é 🙂"}`;
  const bodies: [string, string, string, string][] = [
    ["chat", CHAT, `{ ${odd} ,\r\n\t"messages" : [ ${user} ],"stream" : false }\n`, SYSTEM],
    ["responses", `/p/${PROMPT}/openai/v1/responses`, `\n{"input":"hi",${odd}}`, SYSTEM],
    [
      "messages",
      `/p/${PROMPT}/anthropic/v1/messages`,
      `{"max_tokens": 1,"messages":[${user}], ${odd}}`,
      SYSTEM,
    ],
    ["no prompt named", "/openai/v1/chat/completions", `{ ${odd} , "messages":[${user}]}`, ""],
    ["embeddings", `/p/${PROMPT}/openai/v1/embeddings`, `{ "input": "x", ${odd}}`, ""],
    ["not JSON at all", FILES, "\u0000\u00ff{", ""],
  ];
  test.each(bodies)(
    "%s: every byte outside the inserted prompt is the caller's",
    async (_, url, body, prompt) => {
      const { client, provider } = await exchange({ url, body, headers: [JSON_TYPE] });
      const inserted = insertionOf(client.request.body, provider.request.body) ?? "";
      if (prompt === "") expect(inserted).toBe("");
      else expect(inserted).toContain(prompt);
    },
  );

  test("a compressed upload goes by as it is", async () => {
    await exchange({
      url: FILES,
      body: gzipSync("x".repeat(9_999)),
      headers: [["Content-Encoding", "gzip"]],
    });
  });

  test("a compressed turn, which cannot be prompted, is refused and not sent", async () => {
    rig.upstream.play(json(completion));
    const body = gzipSync(JSON.stringify({ model: "m", messages: HELLO }));
    await sendRaw(rig.clients.upstream.port, {
      url: CHAT,
      body,
      headers: [JSON_TYPE, ["Content-Encoding", "gzip"]],
    });
    const refused = await until(() => rig.clients.upstream.exchanges()[0]?.response);
    expect(refused.status).toBe(400);
    expect(headerOf(refused, "prompt-error")).toBe("invalid_request");
    expect(rig.upstream.exchanges()).toEqual([]);
  });
});

describe("paths, queries and methods", () => {
  test.each([
    "/v1/files/a%2Fb%3Ac%20d/content?x=%20+&y[]=1&alt=sse&&z=%E2%82%AC",
    "/v1/models/ft:gpt-4o:acme::abc",
    "/v1//double///slashes/",
    "/v1/files?after=%2B%3D&limit=",
    "/",
    "",
  ])("%j reaches the provider as written", async (path) => {
    const { provider } = await exchange({ url: `/p/${PROMPT}/openai${path}` });
    expect(provider.request.url).toBe(path === "" ? "/" : path);
  });

  test.each(["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])("%s goes up as it is", async (method) => {
    const body = method === "PUT" || method === "PATCH" ? "{}" : undefined;
    const { provider } = await exchange({
      method,
      url: `${FILES}/file-1`,
      ...(body !== undefined && { body }),
    });
    expect(provider.request.method).toBe(method);
  });
});

describe("answers", () => {
  const text = JSON.stringify({ text: "é".repeat(2_000) });
  const encodings: [string, Header, Buffer][] = [
    ["gzip", ["Content-Encoding", "gzip"], gzipSync(text)],
    ["br", ["Content-Encoding", "br"], brotliCompressSync(text)],
  ];
  const chat: RawRequest = {
    url: CHAT,
    body: JSON.stringify({ model: "m", messages: HELLO }),
    headers: [JSON_TYPE, ["Accept-Encoding", "gzip, br"]],
  };

  test.each(encodings)(
    "%s: success, error and stream arrive in the provider's own encoding",
    async (_, header, body) => {
      for (const status of [200, 400]) {
        const { client } = await exchange(chat, { status, headers: [JSON_TYPE, header], body });
        expect(headerOf(client.response!, "content-encoding")).toBe(header[1]);
      }
      const pieces = [body.subarray(0, 9), body.subarray(9)].map((bytes) => ({ bytes, afterMs: 20 }));
      await exchange(chat, { headers: [["Content-Type", "text/event-stream"], header], chunks: pieces });
    },
  );

  test.each([201, 202, 203, 204, 206, 304, 418, 451, 529, 599])("status %i comes down", async (status) => {
    const bodiless = status === 204 || status === 304;
    const reply: Reply = bodiless
      ? { status, headers: [["X-A", "b"]], chunks: [] }
      : json({ status }, { status });
    await exchange({ url: FILES }, reply);
  });

  test("a redirect is handed down, and not followed", async () => {
    const body = JSON.stringify({ model: "m", messages: HELLO });
    for (const status of [301, 302, 303, 307, 308]) {
      const target = `${rig.upstream.url}/elsewhere`;
      const { client } = await exchange(
        { url: CHAT, body, headers: [JSON_TYPE] },
        { status, headers: [["Location", target]] },
      );
      expect(headerOf(client.response!, "location")).toBe(target);
      expect(rig.upstream.exchanges()).toHaveLength(1);
    }
  });

  test("a stream keeps its framing to the byte: CRLF, comments, unknown fields, characters cut in two", async () => {
    const bytes = Buffer.from(
      ': hi\r\n\r\nevent: new\r\nid: 7\r\nretry: 9\r\ndata: {"a":"é🙂"}\r\ndata:  b\r\n\r\ndata: [DONE]\n\n',
    );
    const chunks = Array.from(bytes, (byte) => ({ bytes: Buffer.from([byte]), afterMs: 1 }));
    await exchange(chat, { headers: [["Content-Type", "text/event-stream"]], chunks });
  });

  test("a stream is not held back: every event is through before the next is written", async () => {
    const everyMs = 150;
    const { client, provider } = await exchange(
      chat,
      sse([{ data: 1 }, { data: 2 }, { data: 3 }], { everyMs }),
    );
    expect(client.response!.bodyAtMs! - provider.response!.bodyAtMs!).toBeLessThan(everyMs);
    expect(client.response!.lastByteAtMs - provider.response!.lastByteAtMs).toBeLessThan(everyMs);
    expect(client.response!.lastByteAtMs - client.response!.bodyAtMs!).toBeGreaterThan(1.5 * everyMs);
  });

  test("a compressed error is still the provider's, byte for byte", async () => {
    await exchange(chat, gzipped(json({ error: { message: "no" } }, { status: 429 })));
  });

  test("an answer that breaks off breaks off for the client", async () => {
    for (const reply of [
      sse([{ data: 1 }], { end: "cut" }),
      { ...json({}), chunks: [{ bytes: '{"a":' }], end: "cut" as const },
    ]) {
      rig.clients.upstream.clear();
      rig.upstream.play(reply);
      await sendRaw(rig.clients.upstream.port, chat);
      const { response } = await until(() =>
        rig.clients.upstream.exchanges().find((each) => each.serverClosed),
      );
      expect(response).toMatchObject({ status: 200, complete: false });
    }
  });
});
