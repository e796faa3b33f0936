// Large bodies, on the wire: they go up while they come in, and nobody can tell but by the clock. The arm, the bytes and
// the errors are those of a body that was read whole; nothing that was broken off ever looks whole to the provider.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { headerOf } from "../support/http-messages.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const SYSTEM = "Be kind.";
const CANARY = "Be a canary.";
const ANSWER = json({ id: "x", choices: [] });
const LONG = "iVBORw0KGgoAAAANSUhEUgAAAAE/+x".repeat(40_000);

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 3,
    vars: { UPSTREAM_OPENAI: upstream.url, UPSTREAM_ANTHROPIC: upstream.url, UPSTREAM_GEMINI: upstream.url },
    edgeVars: [{}, { UPSTREAM_OPENAI: "http://127.0.0.1:1" }, { LARGE_BODIES: "native" }],
  });
  admin = connectAdmin(cluster.control.url);
  await admin.put("single");
  await admin.push("single", { system: SYSTEM });
  await admin.put("tuned");
  await admin.push("tuned", { system: SYSTEM, params: { temperature: 0.5 }, defaults: { top_p: 0.9 } });
  await createSplit("split", { shield: false });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(ANSWER));

async function createSplit(prompt: string, settings: object): Promise<void> {
  await admin.put(prompt, settings);
  await admin.push(prompt, { system: SYSTEM });
  await admin.push(prompt, { system: CANARY });
  await admin.canary(prompt, 2, 50, { transition: "now" });
}

const IMAGE = {
  role: "user",
  content: [
    { type: "text", text: "What?" },
    { type: "image_url", image_url: { url: LONG } },
  ],
};

type Headers = { [name: string]: string };
type Asked = { status: number; headers: Response["headers"]; text: string };

async function ask(path: string, body: string, headers: Headers = {}, edge = 0): Promise<Asked> {
  const answer = await fetch(cluster.edges[edge]!.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** What the provider was sent, once it is whole. */
async function sentUp(): Promise<{ text: string; streamed: boolean }> {
  const { request } = await until(() => {
    const last = upstream.exchanges().at(-1);
    return last?.request.complete === true ? last : null;
  }, 10_000);
  return {
    text: request.body.toString(),
    streamed: headerOf(request, "transfer-encoding") === "chunked",
  };
}

describe("a large body", () => {
  const chat = "/p/single/openai/v1/chat/completions";

  it("goes up while it comes in, its own bytes as they were", async () => {
    const before = `{ "model":"m", "n":9007199254740993,"messages" : [ `;
    const list = `${JSON.stringify(IMAGE)} , {"role":"user","content":"\\u00e9 \\"q\\" é"} ]`;
    const after = ` ,"user":"u", "f":1.0 }\n`;
    const { status, headers } = await ask(chat, before + list + after);
    expect(status).toBe(200);
    expect(headers.get("prompt-version")).toBe("1");
    expect(headers.get("prompt-reason")).toBe("static");
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(true);
    expect(text).toBe(`${before}{"role":"system","content":"${SYSTEM}"},${list}${after}`);
  });

  it("goes up unseen where the deployment says so, and only where nothing is left to be put in", async () => {
    const body = `{"messages":[${JSON.stringify(IMAGE)}],"user":"u" }`;
    expect((await ask(chat, body, {}, 2)).status).toBe(200);
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(false);
    expect(text).toBe(body.replace("[", `[{"role":"system","content":"${SYSTEM}"},`) + "\n");
    expect(Number(headerOf(upstream.exchanges().at(-1)!.request, "content-length"))).toBe(text.length);
    const claude = `{"messages":[{"role":"user","content":${JSON.stringify(LONG)}}],"system":"Mine."}`;
    await ask("/p/single/anthropic/v1/messages", claude, {}, 2);
    expect(await sentUp()).toEqual({ text: claude.replace("Mine.", `${SYSTEM}\\n\\nMine.`), streamed: true });
  });

  it("loses what is ours behind its messages, and every list gets the prompt", async () => {
    const rest = `"prompt_variables":{"a":1},"user":"u","messages":[{"role":"user"}],"prompt":{"id":"other"}`;
    expect((await ask(chat, `{"messages":[${JSON.stringify(IMAGE)}],${rest}}`)).status).toBe(200);
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(true);
    const ours = `{"role":"system","content":"${SYSTEM}"}`;
    expect(text).toBe(
      `{"messages":[${ours},${JSON.stringify(IMAGE)}],"user":"u","messages":[${ours},{"role":"user"}]}`,
    );
  });

  it("gets the version's settings where the caller has them, and at its end where he has not", async () => {
    const tail = `"temperature":1,"top_p":0.1`;
    await ask("/p/tuned/openai/v1/chat/completions", `{"messages":[${JSON.stringify(IMAGE)}],${tail}}`);
    expect((await sentUp()).text.slice(-40)).toMatch(/\],"temperature":0\.5,"top_p":0\.1\}$/);
    await ask("/p/tuned/openai/v1/chat/completions", `{"messages":[${JSON.stringify(IMAGE)}]}`);
    const { text, streamed } = await sentUp();
    expect(text.slice(-40)).toMatch(/\],"temperature":0\.5,"top_p":0\.9\}$/);
    expect(streamed).toBe(true);
  });

  const long = JSON.stringify(LONG);
  it.each([
    [
      "anthropic/v1/messages",
      `{"messages":[{"role":"user","content":${long}}]`,
      `,"system":"Mine."}`,
      { system: `${SYSTEM}\n\nMine.` },
    ],
    [
      "anthropic/v1/messages",
      `{"messages":[{"role":"user","content":${long}}]`,
      `,"max_tokens":1}`,
      { system: SYSTEM },
    ],
    [
      "openai/v1/responses",
      `{"input":${long}`,
      `,"instructions":"Mine."}`,
      { instructions: `${SYSTEM}\n\nMine.` },
    ],
    ["openai/v1/responses", `{"input":[{"role":"user","content":${long}}]`, `}`, { instructions: SYSTEM }],
    [
      "gemini/v1beta/models/g:generateContent",
      `{"contents":[{"parts":[{"text":${long}}]}]`,
      `,"systemInstruction":{"parts":[{"text":"Mine."}]}}`,
      { systemInstruction: { parts: [{ text: SYSTEM }, { text: "Mine." }] } },
    ],
  ])("finds the caller's own system text behind it, or none: %s", async (path, list, tail, expected) => {
    expect((await ask(`/p/single/${path}`, list + tail)).status).toBe(200);
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(true);
    expect(JSON.parse(text)).toMatchObject(expected);
    expect(text.startsWith(list)).toBe(true);
  });

  it.each([
    [200_000, true],
    [600_000, false],
  ])("may say %d bytes before its messages", async (bytes, streams) => {
    const before = `{"x":"${"x".repeat(bytes)}","messages":[`;
    const rest = `${JSON.stringify(IMAGE)}]}`;
    expect((await ask(chat, before + rest)).status).toBe(200);
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(streams);
    expect(text).toBe(`${before}{"role":"system","content":"${SYSTEM}"},${rest}`);
  });

  it("is read whole where the place of the prompt is not settled, and means the same", async () => {
    await admin.put("replacing");
    await admin.push("replacing", { system: SYSTEM, placement: "replace" });
    const messages = [IMAGE, { role: "system", content: "Mine." }];
    await ask("/p/replacing/openai/v1/chat/completions", JSON.stringify({ messages }));
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(false);
    expect(JSON.parse(text)).toEqual({ messages: [{ role: "system", content: SYSTEM }, IMAGE] });
  });
});

const large = (more: object = {}) => JSON.stringify({ ...more, messages: [IMAGE] });

describe("a large body that is read whole", () => {
  const parts = Array.from({ length: 4 }, () => IMAGE);

  it("goes up piece by piece, with its length", async () => {
    await admin.put("pieces");
    await admin.push("pieces", { system: SYSTEM, placement: "replace", params: { temperature: 0 } });
    const messages = [...parts, { role: "system", content: "Mine." }, IMAGE];
    await ask("/p/pieces/openai/v1/chat/completions", JSON.stringify({ messages, temperature: 1 }));
    const { text, streamed } = await sentUp();
    expect(streamed).toBe(false);
    const expected = [{ role: "system", content: SYSTEM }, ...parts, IMAGE];
    expect(text).toBe(JSON.stringify({ messages: expected, temperature: 0 }));
    expect(Number(headerOf(upstream.exchanges().at(-1)!.request, "content-length"))).toBe(text.length);
  });

  it("is sent again with the baseline when its canary fails", async () => {
    await createSplit("pieces-shielded", {});
    upstream.play(({ body }) => (body.includes(CANARY) ? { status: 500, body: "{}" } : ANSWER));
    for (let index = 0; index < 20; index += 1) {
      const { status, headers } = await ask(
        "/p/pieces-shielded/openai/v1/chat/completions",
        JSON.stringify({ user: `caller-${index}`, messages: parts }),
      );
      expect(status).toBe(200);
      if (headers.get("prompt-reason") !== "fallback") continue;
      const { text } = await sentUp();
      expect(text).toContain(`{"role":"system","content":"${SYSTEM}"}`);
      expect((JSON.parse(text) as { messages: unknown[] }).messages.slice(1)).toEqual(parts);
      return;
    }
    expect.fail("no canary among 20 callers");
  });
});

describe("the arm of a large body", () => {
  const chat = "/p/split/openai/v1/chat/completions";

  it("is that of a small one, by header and by a field before the messages", async () => {
    const seen = new Set<string | null>();
    for (let index = 0; index < 12; index += 1) {
      const key = { "prompt-key": `caller-${index}` };
      const small = await ask(chat, `{"messages":[{"role":"user","content":"x"}]}`, key);
      const byHeader = await ask(chat, large(), key);
      expect((await sentUp()).streamed).toBe(true);
      const byField = await ask(chat, large({ metadata: { session_id: `caller-${index}` } }));
      expect((await sentUp()).streamed).toBe(true);
      const version = small.headers.get("prompt-version");
      seen.add(version);
      expect([byHeader, byField].map(({ headers }) => headers.get("prompt-version"))).toEqual([
        version,
        version,
      ]);
      expect(byHeader.headers.get("prompt-reason")).toBe("split");
    }
    expect(seen).toEqual(new Set(["1", "2"]));
  });

  it("waits for a key that may still come", async () => {
    for (let index = 0; index < 6; index += 1) {
      const key = `caller-${index}`;
      const small = await ask(chat, JSON.stringify({ messages: [{ role: "user" }], session_id: key }));
      const late = await ask(chat, JSON.stringify({ messages: [IMAGE], session_id: key }));
      expect((await sentUp()).streamed).toBe(false);
      expect(late.headers.get("prompt-version")).toBe(small.headers.get("prompt-version"));
    }
  });

  it("may be pinned behind the messages to what it is, and to nothing else", async () => {
    const body = `{"messages":[${JSON.stringify(IMAGE)}],"prompt":{"id":"x","version":7}}`;
    const refused = await ask("/p/single/openai/v1/chat/completions", body);
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({
      error: { message: expect.stringContaining("Prompt-Version") },
    });
    const pinned = await ask("/p/single/openai/v1/chat/completions", body, { "prompt-version": "1" });
    expect(pinned.headers.get("prompt-arm")).toBe("pinned");
    expect((await sentUp()).text).not.toContain('"prompt"');
  });

  it("is shielded up to 4 MB: the body is kept for the baseline", async () => {
    await createSplit("shielded", {});
    upstream.play(({ body }) => (body.includes(CANARY) ? { status: 500, body: "{}" } : ANSWER));
    const reasons = new Set<string | null>();
    for (let index = 0; index < 8; index += 1) {
      const { status, headers } = await ask("/p/shielded/openai/v1/chat/completions", large(), {
        "prompt-key": `caller-${index}`,
      });
      expect(status).toBe(200);
      reasons.add(headers.get("prompt-reason"));
    }
    expect(reasons).toEqual(new Set(["split", "fallback"]));
  });
});

describe("a large body that is broken", () => {
  const chat = "/p/single/openai/v1/chat/completions";

  it.each([
    ["behind its messages", `{"messages":[${JSON.stringify(IMAGE)}],"a":}`],
    ["within them", `{"messages":[${JSON.stringify(IMAGE)},,{}]}`],
    ["at its end", `{"messages":[${JSON.stringify(IMAGE)}]`],
    ["by a lookalike", `{"messages":[${JSON.stringify(IMAGE)}],"prompt_id":"x"}`],
  ])("is refused in the caller's format, and never looks whole: %s", async (_, body) => {
    const { status, text, headers } = await ask(chat, body);
    expect(status).toBe(400);
    expect(headers.get("prompt-error")).toBe("invalid_request");
    expect(JSON.parse(text)).toMatchObject({ error: { type: "invalid_request_error" } });
    const left = await until(() => upstream.exchanges().at(-1), 5_000);
    await until(() => left.clientClosed ?? upstream.exchanges().at(-1)?.clientClosed, 5_000);
    expect(upstream.exchanges().every(({ request }) => !request.complete)).toBe(true);
  });

  it("says that the provider cannot be reached", async () => {
    const { status, headers } = await ask(chat, `{"messages":[${JSON.stringify(IMAGE)}]}`, {}, 1);
    expect(status).toBe(502);
    expect(headers.get("prompt-error")).toBe("upstream_unreachable");
  });
});

describe("a conversation with a large body, while a change drains", () => {
  it("stays where it began, though its beginning alone looks like a first turn", async () => {
    const prompt = "drained";
    await admin.put(prompt);
    await admin.push(prompt, { system: SYSTEM });
    const path = `/p/${prompt}/openai/v1/chat/completions`;
    const first = JSON.stringify({ model: "m", messages: [IMAGE] });
    const later = JSON.stringify({
      model: "m",
      messages: [IMAGE, { role: "assistant", content: "A cat." }, { role: "user", content: "Sure?" }],
    });
    const versionOf = async (body: string, key = "someone") => {
      const { headers } = await ask(path, body, { "prompt-key": key });
      return [headers.get("prompt-version"), headers.get("prompt-reason")];
    };
    expect(await versionOf(first)).toEqual(["1", "static"]);
    await admin.push(prompt, { system: CANARY });
    await admin.canary(prompt, 2, 100);
    await until(async () => (await versionOf(first, "somebody-else"))[0] === "2");
    expect(await versionOf(later)).toEqual(["1", "drain"]);
    expect(await versionOf(later)).toEqual(["1", "drain"]);
  });
});
