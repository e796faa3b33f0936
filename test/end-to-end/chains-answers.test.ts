// Guarantee 4 for answers whose id is read on the way: a client gets the provider's bytes, when they come and as they
// come, and every way of leaving is passed on. The prompt's release drains, so that every first turn of a chain is read.

import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { headerOf } from "../support/http-messages.ts";
import { gzipped, json, startUpstream, type Chunk, type Reply, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { seededRandom } from "../wire/random.ts";
import { callAdmin, createPrompt, send } from "./rollback-rig.ts";

const PATH = "/p/read/openai/v1/responses";
const ANSWERS = 120;

let upstream: Upstream;
let cluster: Cluster;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({ edges: 2, vars: { UPSTREAM_OPENAI: upstream.url } });
  await createPrompt(cluster.control.url, "read");
  await callAdmin(cluster.control.url, "POST", "/admin/prompts/read/promote", { version: 2 });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

const edgeUrl = (index = 0) => cluster.edges[index]!.url;
const bodyWith = (more: object = {}) => JSON.stringify({ model: "m", input: `${Math.random()}`, ...more });
const ask = (more: object = {}) =>
  send(edgeUrl() + PATH, "POST", bodyWith(more), { "accept-encoding": "gzip, br" });

function streamOf(id: string, newline: string): string {
  const response = { id, object: "response", instructions: 'é 日 🦊 {"id":"no"}', output: [] };
  const events = ["response.created", "response.in_progress", "response.completed"].map(
    (type) => `event: ${type}${newline}data: ${JSON.stringify({ type, response })}${newline}${newline}`,
  );
  return `: hello${newline}${newline}${events.join("")}`;
}

function cut(bytes: Buffer, random: ReturnType<typeof seededRandom>): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + random.int(random.pick([3, 40, 400]));
    chunks.push({ bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return chunks;
}

describe("an answer whose id is read", () => {
  it("is the provider's, byte for byte, wherever it is cut", async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = seededRandom(seed);
    for (let index = 0; index < ANSWERS; index += 1) {
      const text = random.chance(0.5)
        ? streamOf(`resp_${index}`, random.pick(["\n", "\r\n"]))
        : JSON.stringify({ id: `resp_${index}`, output: ["é 日 🦊"] }, null, random.pick([0, 2]));
      const type = text.startsWith(":") ? "text/event-stream" : "application/json";
      upstream.play({ headers: [["content-type", type]], chunks: cut(Buffer.from(text), random) });
      const answer = await ask();
      expect(answer.body, `seed ${seed}, answer ${index}`).toBe(text);
      expect(answer.headers["content-type"]).toBe(type);
      expect(headerOf(upstream.exchanges()[0]!.request, "accept-encoding")).toBe("identity");
    }
  }, 60_000);

  it("keeps its length where that is stated, and its encoding where it comes in one all the same", async () => {
    const reply = json({ id: "resp_whole", output: ["é"] });
    upstream.play(reply);
    const whole = await ask();
    expect(whole.body).toBe(reply.body);
    expect(whole.headers["content-length"]).toBe(String(Buffer.byteLength(String(reply.body))));
    upstream.play(gzipped(reply));
    expect((await ask()).headers).toMatchObject({ "content-encoding": "gzip" });
    upstream.play(json({ error: { message: "no", code: "x" } }, { status: 400 }));
    expect(await ask()).toMatchObject({ status: 400, body: '{"error":{"message":"no","code":"x"}}' });
    upstream.play({ status: 200, headers: [["content-type", "application/json"]], body: "" });
    expect(await ask()).toMatchObject({ status: 200, body: "" });
  });

  it("is not held back until its id has come", async () => {
    const chunks = [{ bytes: ": wait\n\n" }, { bytes: streamOf("resp_late", "\n"), afterMs: 3_000 }];
    upstream.play({ headers: [["content-type", "text/event-stream"]], chunks });
    const beganMs = performance.now();
    const first = await openStream();
    expect(await first.read()).toBe(": wait\n\n");
    expect(performance.now() - beganMs).toBeLessThan(2_000);
    first.leave();
  });

  it("that breaks off reaches the client as broken, before and after its id", async () => {
    for (const bytes of [": wait\n\n", streamOf("resp_cut", "\n")]) {
      upstream.play({ headers: [["content-type", "text/event-stream"]], chunks: [{ bytes }], end: "cut" });
      await expect(ask()).rejects.toThrow(/aborted|reset|socket/);
    }
    const reply: Reply = {
      headers: [["content-type", "application/json"]],
      chunks: [{ bytes: '{"id":"resp_x",' }],
    };
    upstream.play({ ...reply, end: "cut" });
    await expect(ask()).rejects.toThrow(/aborted|reset|socket/);
  });

  it("that the client leaves is left at the provider, before and after its id", async () => {
    for (const bytes of [": wait\n\n", streamOf("resp_left", "\n")]) {
      const more = Array.from({ length: 100 }, () => ({ bytes: ": more\n\n", afterMs: 50 }));
      upstream.play({
        headers: [["content-type", "text/event-stream"]],
        chunks: [{ bytes }, ...more],
        end: "open",
      });
      const stream = await openStream();
      await stream.read();
      stream.leave();
      await until(() => upstream.exchanges()[0]?.clientClosed, 5_000, "the provider is left");
    }
  });
});

/** A request whose answer is read piece by piece. */
function openStream(): Promise<{ read(): Promise<string>; leave(): void }> {
  return new Promise((resolve, reject) => {
    const call = request(edgeUrl() + PATH, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    call.on("error", reject);
    call.on("response", (answer) => {
      answer.on("error", () => {});
      resolve({
        read: () => new Promise((got) => answer.once("data", (chunk: Buffer) => got(chunk.toString()))),
        leave: () => void call.destroy(),
      });
    });
    call.end(bodyWith({ stream: true }));
  });
}
