// The swap as an audit on the wire, for every provider, every place that an SDK puts its key in and every outcome: no key
// of ours and no other credential goes up, the Worker's secret stands where that provider looks for it and nowhere
// else, and nothing of it ever comes down.

import { once } from "node:events";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import type { Header } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { json, type Script, sse, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { chatChunks, completion, HELLO, message } from "./sdk-replies.ts";

const PROMPT = "support-bot";
const FIRST_BYTE_TIMEOUT_MS = 1_000;

type Provider = { path: string; secret: string; header: string; value: string };

/** `path` is one that this provider's SDK calls. */
const PROVIDERS: { [name: string]: Provider } = {
  openai: bearer("/v1/chat/completions", "OPENAI"),
  anthropic: { ...bearer("/v1/messages", "ANTHROPIC"), header: "x-api-key", value: "held-by-ANTHROPIC" },
  gemini: {
    ...bearer("/v1beta/models/m:countTokens", "GEMINI"),
    header: "x-goog-api-key",
    value: "held-by-GEMINI",
  },
  azure: {
    ...bearer("/openai/deployments/d/chat/completions?api-version=1", "AZURE"),
    header: "api-key",
    value: "held-by-AZURE",
  },
  bedrock: bearer("/model/m/converse", "BEDROCK"),
  "workers-ai": bearer("/accounts/a/ai/v1/chat/completions", "WORKERS_AI"),
  openrouter: bearer("/v1/chat/completions", "OPENROUTER"),
  "my-llm": bearer("/v1/embeddings", "MY_LLM"),
};

function bearer(path: string, name: string): Provider {
  return { path, secret: name, header: "authorization", value: `Bearer held-by-${name}` };
}

let upstream: Upstream;
let cluster: Cluster;
/** In front of an edge that reaches the provider, and of one that reaches nothing. */
let client: Tap;
let stranded: Tap;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
  const names = Object.values(PROVIDERS).map(({ secret }) => secret);
  const behind = (url: string) => Object.fromEntries(names.map((name) => [`UPSTREAM_${name}`, url]));
  cluster = await startCluster({
    edges: 2,
    vars: {
      ...Object.fromEntries(names.map((name) => [`${name}_API_KEY`, `held-by-${name}`])),
      FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS),
    },
    edgeVars: [behind(upstream.url), behind("http://127.0.0.1:1")],
  });
  [client, stranded] = (await Promise.all(cluster.edges.map(({ port }) => startTap(port)))) as [Tap, Tap];
  const admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "Be kind." });
  const minted = await admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" });
  key = minted.body.key;
});
afterAll(async () => {
  await Promise.all([client?.stop(), stranded?.stop()]);
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => {
  client.clear();
  stranded.clear();
  upstream.play(json(completion));
});

type Crossing = { up: { url: string; headers: Header[] } | null; down: { status: number; text: string } };

/** One request and its answer, as both went over the wire. */
async function cross(url: string, headers: Header[], reply: Script = json(completion), tap = client) {
  client.clear();
  stranded.clear();
  upstream.play(reply);
  const body = JSON.stringify({ model: "m", max_tokens: 1, messages: HELLO });
  const all: Header[] = [["Content-Type", "application/json"], ...headers];
  await sendRaw(tap.port, { url, body, headers: all });
  const { response } = await until(() => tap.exchanges().find((each) => each.response !== null));
  const up = upstream.exchanges()[0]?.request ?? null;
  const text = JSON.stringify(response!.headers) + response!.body.toString();
  return { up, down: { status: response!.status, text } } satisfies Crossing;
}

function expectNothingLeaks({ up, down }: Crossing): void {
  expect(up?.url ?? "").not.toContain("sb_");
  expect(JSON.stringify(up?.headers ?? [])).not.toContain("sb_");
  expect(down.text).not.toContain("held-by");
  expect(down.text).not.toContain(key);
}

/** The credentials that went up, by lower-case name. */
function credentialsOf({ up }: Crossing): Header[] {
  const names = /^(authorization|x-api-key|x-goog-api-key|api-key|x-amz-.*|sec-websocket-protocol)$/;
  return (up?.headers ?? [])
    .map(([name, value]): Header => [name.toLowerCase(), value])
    .filter(([name]) => names.test(name));
}

/** Wherever some SDK puts its API key. */
const PLACES: { [place: string]: (key: string) => { headers?: Header[]; query?: string } } = {
  Authorization: (sent) => ({ headers: [["Authorization", `Bearer ${sent}`]] }),
  "x-api-key": (sent) => ({ headers: [["X-Api-Key", sent]] }),
  "x-goog-api-key": (sent) => ({ headers: [["x-goog-api-key", sent]] }),
  "api-key": (sent) => ({ headers: [["api-key", sent]] }),
  "the query": (sent) => ({ query: `key=${sent}` }),
  "a signature": (sent) => ({
    headers: [
      [
        "Authorization",
        `AWS4-HMAC-SHA256 Credential=${sent}/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00`,
      ],
      ["X-Amz-Date", "20260101T000000Z"],
      ["X-Amz-Security-Token", "of-the-client"],
      ["X-Amz-Content-Sha256", "00"],
    ],
  }),
};

describe.each(Object.entries(PROVIDERS))("%s", (name, { path, header, value }) => {
  it.each(Object.entries(PLACES))(
    "gets its own secret for a key in %s, and no other credential",
    async (_, put) => {
      const { headers = [], query } = put(key);
      const url = `/${name}${path}${query === undefined ? "" : `${path.includes("?") ? "&" : "?"}${query}`}`;
      const crossing = await cross(url, [["X-Other", "1"], ...headers]);
      expect(crossing.down.status).toBe(200);
      expectNothingLeaks(crossing);
      expect(credentialsOf(crossing)).toEqual([[header, value]]);
      expect(crossing.up?.url).toBe(path);
      expect(crossing.up?.headers).toContainEqual(["X-Other", "1"]);
    },
  );

  it("gets none of the client's other credentials along", async () => {
    const others: Header[] = [
      ["X-Api-Key", "sk-ant-of-the-client"],
      ["x-goog-api-key", "AIza-of-the-client"],
      ["api-key", "azure-of-the-client"],
    ];
    const crossing = await cross(`/${name}${path}`, [["Authorization", `Bearer ${key}`], ...others]);
    expect(credentialsOf(crossing)).toEqual([[header, value]]);
  });

  it("gets no secret of the Worker without a key of ours", async () => {
    for (const authorization of ["Bearer sk-of-the-client", null]) {
      const headers: Header[] = authorization === null ? [] : [["Authorization", authorization]];
      const crossing = await cross(`/${name}${path}`, headers);
      expect(JSON.stringify(crossing.up)).not.toContain("held-by");
      expect(credentialsOf(crossing)).toEqual(
        authorization === null ? [] : [["authorization", authorization]],
      );
    }
    const refused = await cross(`/${name}${path}`, [["Authorization", `Bearer sb_${"x".repeat(43)}`]]);
    expect(refused.down.status).toBe(401);
    expect(refused.up).toBeNull();
  });

  it("may echo its credential: none of it comes down, on success or failure", async () => {
    const echo: Header[] = [
      ["Authorization", value],
      ["X-Api-Key", value],
      ["Api-Key", value],
      ["X-Goog-Api-Key", value],
      ["Set-Cookie", `session=${value}`],
    ];
    for (const status of [200, 401, 429, 500]) {
      const reply = json({ error: { message: "no" } }, { status, headers: echo });
      const crossing = await cross(`/${name}${path}`, [["Authorization", `Bearer ${key}`]], reply);
      expect(crossing.down.status).toBe(status);
      expectNothingLeaks(crossing);
    }
  });

  it("lets nothing out when it cannot be reached, does not answer or breaks off", async () => {
    const headers: Header[] = [["Authorization", `Bearer ${key}`]];
    const unreachable = await cross(`/${name}${path}`, headers, json(completion), stranded);
    expect(unreachable.down.status).toBe(502);
    expectNothingLeaks(unreachable);
    const late = await cross(`/${name}${path}`, headers, "silent");
    expect(late.down.status).toBe(504);
    expectNothingLeaks(late);
    const broken = await cross(`/${name}${path}`, headers, sse(chatChunks(2), { end: "cut" }));
    expectNothingLeaks(broken);
  });
});

describe("an error of our own", () => {
  it.each([
    ["no such prompt", "/p/nobody/openai/v1/chat/completions", 404],
    ["no such provider", "/nobody/v1/chat/completions", 404],
    ["no secret", "/groq/v1/chat/completions", 403],
    ["a bad pin", `/p/${PROMPT}/openai/v1/chat/completions`, 400],
  ])("for %s repeats no key and no secret", async (_, url, status) => {
    const crossing = await cross(url, [
      ["Authorization", `Bearer ${key}`],
      ["Prompt-Version", status === 400 ? "latest" : "1"],
    ]);
    expect(crossing.down.status).toBe(status);
    expect(crossing.up).toBeNull();
    expectNothingLeaks(crossing);
  });
});

describe("the official SDKs, with a key of ours for their own", () => {
  it("openai: a prompted turn, a stream and a list", async () => {
    const sdk = new OpenAI({ baseURL: `${client.url}/p/${PROMPT}/openai/v1`, apiKey: key, maxRetries: 0 });
    const reply = await sdk.chat.completions.create({ model: "m", messages: HELLO });
    expect(reply.choices[0]?.message.content).toBe("hi");
    const [turn] = upstream.exchanges();
    expect(JSON.parse(turn!.request.body.toString())).toMatchObject({
      messages: [{ role: "system", content: "Be kind." }, ...HELLO],
    });
    upstream.play(sse([...chatChunks(3), { data: "[DONE]" }]));
    let text = "";
    for await (const chunk of await sdk.chat.completions.create({
      model: "m",
      messages: HELLO,
      stream: true,
    })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    expect(text).toBe("0 1 2 ");
    upstream.play(json({ object: "list", data: [] }));
    expect((await sdk.models.list()).data).toEqual([]);
    expect(credentialsOf({ up: upstream.exchanges()[0]!.request, down: { status: 200, text: "" } })).toEqual([
      ["authorization", "Bearer held-by-OPENAI"],
    ]);
  });

  it("anthropic: by API key and by auth token alike", async () => {
    const baseURL = `${client.url}/p/${PROMPT}/anthropic`;
    for (const credential of [{ apiKey: key }, { apiKey: null, authToken: key }]) {
      upstream.play(json(message));
      const sdk = new Anthropic({ baseURL, maxRetries: 0, ...credential });
      const reply = await sdk.messages.create({ model: "m", max_tokens: 1, messages: HELLO });
      expect(reply.content).toEqual(message.content);
      const up = upstream.exchanges()[0]!.request;
      expect(credentialsOf({ up, down: { status: 200, text: "" } })).toEqual([
        ["x-api-key", "held-by-ANTHROPIC"],
      ]);
    }
  });

  it("raise their own exceptions for a key that is not known", async () => {
    const apiKey = `sb_${"x".repeat(43)}`;
    const chat = new OpenAI({ baseURL: `${client.url}/openai/v1`, apiKey, maxRetries: 0 });
    await expect(chat.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const claude = new Anthropic({ baseURL: `${client.url}/anthropic`, apiKey, maxRetries: 0 });
    await expect(
      claude.messages.create({ model: "m", max_tokens: 1, messages: HELLO }),
    ).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  it("a browser's WebSocket, whose key is a subprotocol", async () => {
    const socket = new WebSocket(`${client.url.replace("http", "ws")}/openai/v1/realtime?model=m`, [
      "realtime",
      `openai-insecure-api-key.${key}`,
      "openai-beta.realtime-v1",
    ]);
    await once(socket, "open");
    expect(socket.protocol).toBe("realtime");
    const answered = once(socket, "message");
    socket.send("hello");
    const [event] = (await answered) as [MessageEvent<string>];
    expect(event.data).toBe("hello");
    const closed = once(socket, "close");
    socket.close();
    await closed;
    const up = upstream.exchanges()[0]!.request;
    const down = client.exchanges()[0]!.response!.headers.map(([name]) => name.toLowerCase());
    expect(down).toEqual(expect.arrayContaining(["x-request-id", "prompt-request-id"]));
    expect(down).not.toContain("set-cookie");
    expect(JSON.stringify(up)).not.toContain("sb_");
    expect(credentialsOf({ up, down: { status: 101, text: "" } }).toSorted()).toEqual([
      ["authorization", "Bearer held-by-OPENAI"],
      ["sec-websocket-protocol", "realtime, openai-beta.realtime-v1"],
    ]);
  });
});
