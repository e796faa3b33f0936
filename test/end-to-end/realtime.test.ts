// OpenAI's Realtime over WebSockets that name a prompt: the version goes into the session with the client's first event,
// as the release then says; handshake, frames and closes pass as they are.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import {
  openSocket,
  startSocketServer,
  type FrameSocket,
  type Opened,
  type Refused,
  type SocketServer,
} from "../support/frame-socket.ts";
import { until } from "../support/wait.ts";

const PROMPT = "voice-bot";
const CREATED = '{"type":"session.created","session":{}}';
const APPEND = '{"type":"input_audio_buffer.append","audio":"AAAA"}';

let provider: SocketServer;
let cluster: Cluster;
let admin: Admin;
let url: string;

beforeAll(async () => {
  provider = await startSocketServer(CREATED);
  cluster = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: provider.url } });
  admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, {
    system: "You are {{who}}.",
    variables: { who: { type: "string", default: "Ada" } },
    params: { max_output_tokens: 99 },
    tools: [{ name: "find", parameters: { type: "object", properties: {} } }],
  });
  url = `${cluster.edges[0]!.url}/p/${PROMPT}/openai/v1/realtime`;
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});
beforeEach(() => provider.refuse(null));

const SET =
  '"max_output_tokens":99,"tools":[{"type":"function","name":"find","parameters":{"type":"object","properties":{}}}]';
const OURS = `{"type":"session.update","session":{${SET},"instructions":"You are Ada.","type":"realtime"}}`;

async function open(
  query = "?model=gpt-realtime",
  headers: Record<string, string> = {},
  base = url,
): Promise<Opened & { upstream: FrameSocket }> {
  const opened = await openSocket(base + query, headers);
  if (!("socket" in opened)) throw new Error(`${opened.status} ${opened.body}`);
  return { ...opened, upstream: await provider.next() };
}

async function refused(query: string, headers: Record<string, string> = {}, base = url): Promise<Refused> {
  const answer = await openSocket(base + query, headers);
  if ("socket" in answer) throw new Error("let in");
  return answer;
}

function parsed(message: string | Buffer | undefined): { [name: string]: unknown } {
  return JSON.parse(String(message)) as { [name: string]: unknown };
}

describe("a session with a prompt", () => {
  it("gets the version in the client's own session.update, whose other bytes stay", async () => {
    const { socket, upstream, headers } = await open();
    expect(headers).toMatchObject({
      "prompt-name": PROMPT,
      "prompt-version": "1",
      "prompt-arm": "baseline",
      "prompt-reason": "static",
      "x-request-id": "req_socket",
    });
    expect(headers["prompt-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers["set-cookie"]).toBeUndefined();
    socket.send(
      '{ "type":"session.update", "session":{"instructions":"Be brief.\\u0021","n":1.0} ,"event_id":"e1"}',
    );
    socket.send(APPEND);
    expect(await upstream.take(2)).toEqual([
      `{ "type":"session.update", "session":{${SET},"instructions":"You are Ada.\\n\\nBe brief.\\u0021","n":1.0} ,"event_id":"e1"}`,
      APPEND,
    ]);
    expect(await socket.take(1)).toEqual([CREATED]);
    socket.close(1000);
  });

  it("gets a session.update of ours where the client begins with something else", async () => {
    const { socket, upstream } = await open("", { "prompt-variables": '{"who":"Bob"}' });
    socket.send(APPEND);
    socket.send(APPEND);
    expect(await upstream.take(3)).toEqual([OURS.replace("Ada", "Bob"), APPEND, APPEND]);
    socket.close(1000);
  });

  it("waits for the first event that begins its work; anything else is the provider's to judge", async () => {
    const { socket, upstream } = await open();
    const others = ["hello é", '{"type":"ping"}', '{"no":"type"}', "{broken"];
    for (const text of others) socket.send(text);
    socket.send(APPEND);
    expect(await upstream.take(6)).toEqual([...others, OURS, APPEND]);
    socket.close(1000);
  });

  it("has the beta's shape where the client asks for the beta", async () => {
    const { socket, upstream } = await open("", { "openai-beta": "realtime=v1" });
    socket.send(APPEND);
    const [first] = await upstream.take(2);
    expect(parsed(first)["session"]).toMatchObject({
      max_response_output_tokens: 99,
      instructions: "You are Ada.",
    });
    expect(parsed(first)["session"]).not.toHaveProperty("type");
    socket.close(1000);
  });

  it("keeps the version's text in what the client says later of a session or of one answer", async () => {
    const { socket, upstream } = await open();
    socket.send('{"type":"response.create","response":{"instructions":"Greet."}}');
    socket.send('{"type":"session.update","session":{"instructions":"Sing."}}');
    socket.send('{"type":"session.update","session":{"audio":{}}}');
    expect(await upstream.take(4)).toEqual([
      OURS,
      '{"type":"response.create","response":{"instructions":"You are Ada.\\n\\nGreet."}}',
      '{"type":"session.update","session":{"instructions":"You are Ada.\\n\\nSing."}}',
      '{"type":"session.update","session":{"audio":{}}}',
    ]);
    socket.close(1000);
  });

  it("takes the client's prompt object for variables, and never sends it up", async () => {
    const { socket, upstream } = await open();
    socket.send('{"type":"session.update","session":{"prompt":{"id":"pmpt_1","variables":{"who":"Eve"}}}}');
    const [first] = await upstream.take(1);
    expect(parsed(first)["session"]).toMatchObject({ instructions: "You are Eve." });
    expect(String(first)).not.toContain("pmpt_1");
    socket.close(1000);
  });

  it("is refused an event that no prompt goes into, and waits for the next one", async () => {
    const { socket, upstream } = await open();
    socket.send('{"type":"session.update","session":{"instructions":7}}');
    const [, told] = await socket.take(2);
    expect(parsed(told)).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", code: "invalid_request", param: "instructions" },
    });
    expect(upstream.received).toEqual([]);
    socket.send(APPEND);
    expect(await upstream.take(2)).toEqual([OURS, APPEND]);
    socket.close(1000);
  });

  it("that only writes down what it hears has no place for a prompt, and passes", async () => {
    const byQuery = await open("?intent=transcription");
    byQuery.socket.send(APPEND);
    expect(await byQuery.upstream.take(1)).toEqual([APPEND]);
    byQuery.socket.close(1000);
    const update = '{"type":"session.update","session":{"type":"transcription"}}';
    const byUpdate = await open("");
    byUpdate.socket.send(update);
    byUpdate.socket.send(APPEND);
    expect(await byUpdate.upstream.take(2)).toEqual([update, APPEND]);
    byUpdate.socket.close(1000);
  });
});

describe("the tunnel", () => {
  it("carries frames of every size and kind both ways, in order", async () => {
    const { socket, upstream } = await open();
    const large = `{"type":"input_audio_buffer.append","audio":"${"A".repeat(300_000)}"}`;
    const bytes = Buffer.from([0, 255, 1, 254]);
    socket.send(bytes);
    socket.send(large);
    for (let index = 0; index < 50; index += 1) socket.send(`{"type":"x","n":${index}}`);
    socket.send(bytes);
    const up = await upstream.take(54);
    expect(up[0]).toEqual(bytes);
    expect(up.slice(1, 3)).toEqual([OURS, large]);
    expect(up.slice(3, 53)).toEqual(Array.from({ length: 50 }, (_, index) => `{"type":"x","n":${index}}`));
    expect(up[53]).toEqual(bytes);
    upstream.send(large);
    upstream.send(bytes);
    upstream.send('{"type":"日本語"}');
    expect((await socket.take(4)).slice(1)).toEqual([large, bytes, '{"type":"日本語"}']);
    socket.close(1000);
  });

  it("passes closes with their code and reason, both ways", async () => {
    const one = await open();
    one.socket.send(APPEND);
    one.socket.close(4001, "tschüß");
    expect(await one.upstream.untilClosed()).toEqual({ code: 4001, reason: "tschüß" });
    // What was said before the close has come before it.
    expect(one.upstream.received).toEqual([OURS, APPEND]);
    const other = await open();
    other.upstream.close(1008, "session_expired");
    expect(await other.socket.untilClosed()).toEqual({ code: 1008, reason: "session_expired" });
    const bare = await open();
    bare.upstream.close();
    expect(await bare.socket.untilClosed()).toMatchObject({ code: null });
  });

  it("tells either side when the other one vanishes", async () => {
    const one = await open();
    one.socket.send(APPEND);
    await one.upstream.take(2);
    one.upstream.cut();
    expect(await one.socket.untilClosed()).toMatchObject({ code: 1011 });
    const other = await open();
    other.socket.send(APPEND);
    await other.upstream.take(2);
    other.socket.cut();
    const closed = await other.upstream.untilClosed();
    expect(closed === "cut" || closed.code === 1001).toBe(true);
  });

  it("hands on subprotocols and the client's headers, and none of ours", async () => {
    const protocols = "realtime, openai-insecure-api-key.sk-client";
    const { headers, socket } = await open("?model=gpt-realtime&x=%2F", {
      "sec-websocket-protocol": protocols,
      authorization: "Bearer sk-1",
      "prompt-key": "k",
    });
    expect(headers["sec-websocket-protocol"]).toBe("realtime");
    const seen = provider.handshakes.at(-1)!;
    expect(seen.url).toBe("/v1/realtime?model=gpt-realtime&x=%2F");
    expect(seen.headers["sec-websocket-protocol"]).toBe(protocols);
    expect(seen.headers["authorization"]).toBe("Bearer sk-1");
    expect(Object.keys(seen.headers).filter((name) => name.startsWith("prompt-"))).toEqual([]);
    socket.close(1000);
  });

  it("is as it always was where no prompt is named", async () => {
    const base = `${cluster.edges[0]!.url}/openai/v1/realtime`;
    const { socket, upstream, headers } = await open("?model=gpt-realtime", {}, base);
    expect(headers["prompt-version"]).toBeUndefined();
    const update = '{"type":"session.update","session":{"instructions":"Mine."}}';
    socket.send(update);
    expect(await upstream.take(1)).toEqual([update]);
    socket.close(1000);
  });
});

describe("the handshake", () => {
  it("is refused in OpenAI's shape before the provider is asked", async () => {
    const before = provider.handshakes.length;
    const base = url.replace(PROMPT, "nobody");
    const unknown = await refused("", {}, base);
    expect(unknown).toMatchObject({ status: 404, headers: { "prompt-error": "prompt_not_found" } });
    expect(parsed(unknown.body)).toMatchObject({ error: { code: "prompt_not_found" } });
    expect(await refused("", { "prompt-variables": '{"who":[1]}' })).toMatchObject({
      status: 400,
      headers: { "prompt-error": "variable_invalid" },
    });
    expect(provider.handshakes.length).toBe(before);
  });

  it("that the provider refuses is refused with the provider's words", async () => {
    provider.refuse(
      'HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"no":"k"}'.slice(0, -1),
    );
    const answer = await refused("?model=gpt-realtime");
    expect(answer).toMatchObject({ status: 401, body: '{"no":"k"', headers: { "prompt-version": "1" } });
  });

  it("names the prompt as its model, and takes the model that the version forces", async () => {
    const base = `${cluster.edges[0]!.url}/openai/v1/realtime`;
    const nameless = await refused(`?model=prompt%3A${PROMPT}`, {}, base);
    expect(parsed(nameless.body)).toMatchObject({ error: { code: "invalid_request", param: "model" } });
    await admin.put("modelled");
    await admin.push("modelled", { system: "S", model: "gpt-realtime-2" });
    const { socket, upstream } = await open("?model=prompt%3Amodelled&x=1", {}, base);
    expect(provider.handshakes.at(-1)?.url).toBe("/v1/realtime?model=gpt-realtime-2&x=1");
    socket.send(APPEND);
    expect((await upstream.take(2))[0]).toBe(
      '{"type":"session.update","session":{"instructions":"S","type":"realtime"}}',
    );
    socket.close(1000);
  });
});

describe("the release", () => {
  it("is asked again when the session is prompted: a rollback after the handshake is obeyed", async () => {
    const prompt = "late-bot";
    await admin.put(prompt);
    await admin.push(prompt, { system: "Baseline." });
    const { version } = await admin.push(prompt, { system: "Canary." });
    await admin.canary(prompt, version, 100);
    const base = url.replace(PROMPT, prompt);
    const { socket, upstream, headers } = await open("", {}, base);
    expect(headers["prompt-arm"]).toBe("canary");
    await admin.rollback(prompt, { wait: true });
    socket.send(APPEND);
    expect(parsed((await upstream.take(2))[0])).toMatchObject({ session: { instructions: "Baseline." } });
    socket.close(1000);
  });

  it("puts the same key on the same arm, and counts each session once, by how it ended", async () => {
    const prompt = "split-bot";
    await admin.put(prompt);
    await admin.push(prompt, { system: "Baseline." });
    const { version } = await admin.push(prompt, { system: "Canary." });
    await admin.canary(prompt, version, 50);
    const base = url.replace(PROMPT, prompt);
    const armOf = async (key: string, end: "close" | "cut" | "error"): Promise<unknown> => {
      const { socket, upstream, headers } = await open("", { "prompt-key": key }, base);
      socket.send(APPEND);
      const [first] = await upstream.take(2);
      const isCanary = String(first).includes("Canary.");
      expect(headers["prompt-arm"]).toBe(isCanary ? "canary" : "baseline");
      if (end === "error") {
        upstream.send('{"type":"error","error":{"message":"no such tool"}}');
        await socket.take(2);
      }
      if (end === "cut") upstream.cut();
      else socket.close(1000);
      await socket.untilClosed();
      return headers["prompt-arm"];
    };
    const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    const arms: unknown[] = [];
    for (const key of keys) arms.push(await armOf(key, "close"));
    for (const [index, key] of keys.entries()) expect(await armOf(key, "close")).toBe(arms[index]);
    expect(new Set(arms).size).toBe(2);
    await armOf(keys[0]!, "cut");
    await armOf(keys[0]!, "error");
    const counted = await until(async () => {
      const { body } = await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
      const sum = (name: "requests" | "errors") => body.arms.reduce((total, arm) => total + arm[name], 0);
      return sum("requests") >= 26 && { requests: sum("requests"), errors: sum("errors") };
    }, 20_000);
    expect(counted).toEqual({ requests: 26, errors: 2 });
  });

  it("counts a session once, however often its variables are refused, and by what came of it", async () => {
    const prompt = "asking-bot";
    await admin.put(prompt);
    const variables = { who: { type: "string", default: "Ada" } } as const;
    await admin.push(prompt, { system: "You are {{who}}.", variables });
    const wrong = `{"type":"session.update","session":{"prompt":{"id":"${prompt}","variables":{"who":[1]}}}}`;
    for (const isMended of [false, true]) {
      const { socket, upstream } = await open("", {}, url.replace(PROMPT, prompt));
      socket.send(wrong);
      socket.send(wrong);
      // The provider's greeting, and two refusals.
      expect(parsed((await socket.take(3))[2])).toMatchObject({ error: { code: "variable_invalid" } });
      if (isMended) {
        socket.send(APPEND);
        await upstream.take(2);
      }
      socket.close(1000);
      await socket.untilClosed();
    }
    const counted = await until(async () => {
      const { body } = await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
      const [arm] = body.arms;
      return arm !== undefined && arm.requests >= 2 && [arm.requests, arm.errors];
    }, 20_000);
    expect(counted).toEqual([2, 1]);
  });
});
