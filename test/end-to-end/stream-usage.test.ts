// STREAM_USAGE, on the wire: tokens and cost of a stream whose caller never asked for them are known, and the caller gets
// its stream as if nobody had asked: without the one chunk, and otherwise byte for byte.

import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { headerOf } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import { startTap, type Exchange, type Tap } from "../support/tap.ts";
import { startUpstream, type Chunk, type Reply, type Script, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { collect } from "./sdk-rig.ts";

/** Far longer than the edge takes to hear of a piece that is there. */
const IDLE_MS = 2_000;
/** Edges. */
const [ON, OFF, IDLE, UNMETERED] = [0, 1, 2, 3];

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let taps: Tap[];
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  const { url } = upstream;
  const on = { STREAM_USAGE: "azure, OpenAI" };
  cluster = await startCluster({
    edges: 4,
    vars: { UPSTREAM_OPENAI: url, UPSTREAM_GROQ: url },
    edgeVars: [on, {}, { ...on, STREAM_IDLE_TIMEOUT_MS: String(IDLE_MS) }, { ...on, METERING: "off" }],
  });
  taps = await Promise.all(cluster.edges.map(({ port }) => startTap(port, { resetOnLeave: true })));
  admin = connectAdmin(cluster.control.url);
});
afterAll(async () => {
  await Promise.all((taps ?? []).map((tap) => tap.stop()));
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(provider()));

async function createPrompt(): Promise<string> {
  made += 1;
  const prompt = `streams-${made}`;
  await admin.put(prompt);
  await admin.push(prompt, { system: "Be brief." });
  return prompt;
}

/** A canary, version 2, gets every request. */
async function createCanary(): Promise<string> {
  const prompt = await createPrompt();
  await admin.push(prompt, { system: "Be briefer." });
  await admin.canary(prompt, 2, 100, { transition: "now" });
  return prompt;
}

type Arm = Metrics["arms"][number];

const readMetrics = async (prompt: string): Promise<Metrics> =>
  (await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`)).body;

/** The one arm of the prompt, once `count` calls of it are over. */
async function readArm(prompt: string, count = 1): Promise<Arm> {
  return until(
    async () => {
      const [arm] = (await readMetrics(prompt)).arms;
      return arm !== undefined && arm.requests >= count && arm;
    },
    15_000,
    `${count} calls of ${prompt} in its metrics`,
  );
}

const head = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
};
const usage = { prompt_tokens: 1_000, completion_tokens: 50, total_tokens: 1_050 };
const TOKENS = { answers: 1, input: 1_000, output: 50 };
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const FIRST = event({ id: "", model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
const word = (content: string): string =>
  event({ ...head, choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null });
const STOP = event({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null });
const USAGE = event({ ...head, choices: [], usage });
const DONE = "data: [DONE]\n\n";

const reply = (chunks: Chunk[], end: Reply["end"] = "clean"): Reply => ({
  headers: [["content-type", "text/event-stream"]],
  chunks,
  end,
});
const parts = (...texts: string[]): Chunk[] => texts.map((bytes) => ({ bytes, afterMs: 15 }));

/** Reports usage where the request asks for it, as OpenAI does. */
function provider(): Script {
  return ({ body }) => {
    const asked = (JSON.parse(body) as { stream_options?: { include_usage?: boolean } }).stream_options;
    const counted = asked?.include_usage === true ? [USAGE] : [];
    return reply(parts(FIRST, word("one"), word(" two"), STOP, ...counted, DONE));
  };
}

const messages = [{ role: "user" as const, content: "hello" }];
const BODY = { model: "gpt-4o-mini", stream: true, messages };

/** From a bare socket; what was seen once the connection is over. */
async function exchange(
  prompt: string,
  body: object | string = BODY,
  edge: number = ON,
  name = "openai",
): Promise<Exchange> {
  const tap = taps[edge]!;
  tap.clear();
  await sendRaw(tap.port, {
    url: `/p/${prompt}/${name}/v1/chat/completions`,
    headers: [["Content-Type", "application/json"]],
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return until(() => tap.exchanges()[0]);
}

const bodyOf = ({ response }: Exchange): string => response!.body.toString();
const sentUp = (index = -1): { stream_options?: unknown } =>
  JSON.parse(upstream.exchanges().at(index)!.request.body.toString()) as object;
const ASKED = { include_usage: true };

describe("a stream whose caller does not ask for usage", () => {
  it("comes to the SDK without the chunk, and its tokens and cost are in the metrics", async () => {
    const prompt = await createPrompt();
    const client = new OpenAI({ baseURL: `${taps[ON]!.url}/p/${prompt}/openai/v1`, apiKey: "sk-client" });
    const chunks = await collect(
      await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true }),
    );
    // Azure's first one has no choices either, and no usage.
    expect(chunks.slice(1).every(({ choices }) => choices.length === 1)).toBe(true);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("one two");
    expect(chunks.some((chunk) => chunk.usage != null)).toBe(false);
    expect(sentUp().stream_options).toEqual(ASKED);
    const arm = await readArm(prompt);
    expect(arm).toMatchObject({ requests: 1, errors: 0, tokens: TOKENS });
    expect(arm.cost.usd).toBeGreaterThan(0);
    expect(arm.firstTokenMs.all?.mean).toBeGreaterThan(0);
  });

  it("lacks that chunk and no other byte, wherever the provider's pieces are cut", async () => {
    const prompt = await createPrompt();
    const comment = ": still there\n\n";
    const before = FIRST + word("é🙂") + comment + STOP;
    for (const newline of ["\n", "\r\n"]) {
      const texts = [before, USAGE, DONE].map((text) => text.replaceAll("\n", newline));
      const bytes = Buffer.from(texts.join(""));
      const from = Buffer.byteLength(texts[0]!);
      for (const place of [
        from - 1,
        from,
        from + 1,
        from + 60,
        from + USAGE.length - 1,
        from + USAGE.length,
      ]) {
        upstream.play(
          reply(
            parts().concat(
              [0, place].map((start, index) => ({
                bytes: bytes.subarray(start, index === 0 ? place : bytes.length),
                afterMs: 15,
              })),
            ),
          ),
        );
        const seen = await exchange(prompt);
        expect(bodyOf(seen)).toBe(texts[0]! + texts[2]!);
        expect(seen.response).toMatchObject({ status: 200, complete: true });
      }
    }
    const arm = await readArm(prompt, 12);
    expect(arm).toMatchObject({ requests: 12, errors: 0, tokens: { answers: 12, input: 12_000 } });
  });

  it("keeps what the provider ends within", async () => {
    const prompt = await createPrompt();
    upstream.play(reply(parts(word("a"), USAGE.slice(0, 90))));
    const seen = await exchange(prompt);
    expect(bodyOf(seen)).toBe(word("a") + USAGE.slice(0, 90));
    expect(seen.response).toMatchObject({ status: 200, complete: true });
  });

  it("keeps a usage that stands beside choices, and an error that says one", async () => {
    const prompt = await createPrompt();
    const beside = event({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage });
    const error = event({ error: { message: "Overloaded", code: 502 }, choices: [], usage });
    for (const text of [word("a") + beside + DONE, word("a") + error]) {
      upstream.play(reply(parts(text)));
      expect(bodyOf(await exchange(prompt))).toBe(text);
    }
    const arm = await readArm(prompt, 2);
    expect(arm).toMatchObject({ requests: 2, errors: 1 });
  });

  it("of stated length ends cleanly without it", async () => {
    const prompt = await createPrompt();
    upstream.play({
      headers: [["content-type", "text/event-stream"]],
      body: word("a") + STOP + USAGE + DONE,
    });
    const seen = await exchange(prompt);
    expect(bodyOf(seen)).toBe(word("a") + STOP + DONE);
    expect(seen.response).toMatchObject({ status: 200, complete: true });
  });

  it("is delivered event by event, comments too, while the next event stands open", async () => {
    const prompt = await createPrompt();
    const half = event({ ...head, choices: [] }).slice(0, 40);
    const pieces = [word("a"), `: alive\n\n${word("b")}`, half];
    upstream.play(reply(parts(...pieces), "open"));
    const leaving = new AbortController();
    const answer = await fetch(`${taps[ON]!.url}/p/${prompt}/openai/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(BODY),
      signal: leaving.signal,
    });
    const reader = answer.body!.getReader();
    let text = "";
    while (text.length < pieces[0]!.length + pieces[1]!.length) {
      const { value } = await reader.read();
      text += Buffer.from(value!).toString();
    }
    expect(text).toBe(pieces[0]! + pieces[1]!);
    leaving.abort();
    // The client's leaving ends the provider's work, and counts as that.
    await until(() => upstream.exchanges()[0]?.clientClosed);
    expect(await readArm(prompt)).toMatchObject({ requests: 1, aborted: 1, errors: 0 });
  });
});

describe("a caller that has said whether it wants usage", () => {
  it("gets what it asked for, and is asked for nothing more", async () => {
    const prompt = await createPrompt();
    const client = new OpenAI({ baseURL: `${taps[ON]!.url}/p/${prompt}/openai/v1`, apiKey: "sk-client" });
    for (const include_usage of [true, false]) {
      const stream = await client.chat.completions.create({
        model: "gpt-4o-mini",
        messages,
        stream: true,
        stream_options: { include_usage },
      });
      const chunks = await collect(stream);
      expect(chunks.some((chunk) => chunk.usage != null)).toBe(include_usage);
      expect(sentUp().stream_options).toEqual({ include_usage });
    }
    expect(await readArm(prompt, 2)).toMatchObject({ requests: 2, tokens: TOKENS });
  });

  it("without a word on it in its options keeps the rest of them", async () => {
    const prompt = await createPrompt();
    const body = { ...BODY, stream_options: { include_obfuscation: false } };
    expect(bodyOf(await exchange(prompt, body))).not.toContain("prompt_tokens");
    expect(sentUp().stream_options).toEqual({ ...ASKED, include_obfuscation: false });
  });
});

describe("nothing is asked for, and nothing taken out,", () => {
  const all = word("a") + STOP + USAGE + DONE;
  it.each([
    ["where STREAM_USAGE is not set", OFF, "openai", BODY],
    ["of a provider that it does not name", ON, "groq", BODY],
    ["where nobody would read it", UNMETERED, "openai", BODY],
    ["of an answer that does not stream", ON, "openai", { ...BODY, stream: false }],
  ])("%s", async (_, edge, name, body) => {
    const prompt = await createPrompt();
    upstream.play(reply(parts(all)));
    expect(bodyOf(await exchange(prompt, body, edge, name))).toBe(all);
    expect(sentUp()).not.toHaveProperty("stream_options");
  });

  it("without a prompt", async () => {
    upstream.play(reply(parts(all)));
    const answer = await fetch(`${taps[ON]!.url}/openai/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify(BODY),
    });
    expect(await answer.text()).toBe(all);
    expect(upstream.exchanges()[0]?.request.body.toString()).toBe(JSON.stringify(BODY));
  });
});

describe("a stream that breaks off", () => {
  const says = /^\n\ndata: \{"error":\{"message":"The provider [^}]*"code":"upstream_\w+"\}\}\n\n$/;
  const half = USAGE.slice(0, 120);

  it.each([
    ["within the chunk", half, half],
    ["behind the chunk", USAGE, ""],
    ["before the end of its last line", USAGE.slice(0, -2), ""],
  ])("%s says so behind what belongs to the caller", async (_, last, kept) => {
    const prompt = await createPrompt();
    upstream.play(reply(parts(word("a"), last), "cut"));
    const seen = await exchange(prompt);
    expect(bodyOf(seen).startsWith(word("a") + kept)).toBe(true);
    expect(bodyOf(seen).slice(word("a").length + kept.length)).toMatch(says);
    expect(seen.response).toMatchObject({ status: 200, complete: false });
    expect(await readArm(prompt)).toMatchObject({ errors: 1 });
  });

  it("because it fell silent says so too, and the provider's work ends", async () => {
    const prompt = await createPrompt();
    upstream.play(reply(parts(word("a"), half), "open"));
    const seen = await exchange(prompt, BODY, IDLE);
    expect(bodyOf(seen).startsWith(word("a") + half)).toBe(true);
    expect(bodyOf(seen)).toContain(`The provider sent nothing for ${IDLE_MS / 1000} s.`);
    await until(() => upstream.exchanges()[0]?.clientClosed);
  });
});

describe("where arms are compared", () => {
  it("the first event, which is read ahead, may be the chunk", async () => {
    const prompt = await createCanary();
    upstream.play(reply(parts(USAGE, word("a"), STOP, DONE)));
    expect(bodyOf(await exchange(prompt))).toBe(word("a") + STOP + DONE);
    upstream.play(reply(parts(USAGE.slice(0, 50), USAGE.slice(50) + DONE)));
    expect(bodyOf(await exchange(prompt))).toBe(DONE);
  });

  it("the baseline that stands in for a canary is asked too", async () => {
    const prompt = await createCanary();
    upstream.play({ status: 500 }, provider());
    const seen = await exchange(prompt);
    expect(headerOf(seen.response!, "prompt-reason")).toBe("fallback");
    expect(bodyOf(seen)).toBe(FIRST + word("one") + word(" two") + STOP + DONE);
    expect([sentUp(0).stream_options, sentUp(1).stream_options]).toEqual([ASKED, ASKED]);
    const fallback = await until(async () => (await readMetrics(prompt)).fallbacks?.[0], 15_000);
    expect(fallback).toMatchObject({ version: 1, requests: 1, tokens: TOKENS });
  });
});

describe("a large body", () => {
  const long = JSON.stringify([{ role: "user", content: "x".repeat(700_000) }]);

  it.each([
    ["with all of it behind the messages", `{"model":"gpt-4o-mini","messages":${long},"stream":true}`],
    ["with options behind them", `{"stream":true,"messages":${long},"stream_options":{}}`],
    ["with options before them", `{"stream":true,"stream_options":null,"messages":${long}}`],
    ["read whole", `{"stream_options":{},"messages":${long},"stream":true}`],
  ])("%s is asked for usage like a small one", async (_, body) => {
    const prompt = await createPrompt();
    const seen = await exchange(prompt, body);
    expect(bodyOf(seen)).toBe(FIRST + word("one") + word(" two") + STOP + DONE);
    expect(sentUp().stream_options).toEqual(ASKED);
    expect(await readArm(prompt)).toMatchObject({ requests: 1, tokens: TOKENS });
  });

  it("that says behind its messages that it wants usage gets it", async () => {
    const prompt = await createPrompt();
    const body = `{"stream":true,"messages":${long},"stream_options":{"include_usage":true}}`;
    expect(bodyOf(await exchange(prompt, body))).toContain(USAGE);
  });
});
