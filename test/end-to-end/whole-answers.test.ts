// Answers that are no streams are seen for the metrics and yet go by as they come: nothing waits for the rest, however the
// provider frames them, and the client's leaving ends the provider's work.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { startUpstream, type Chunk, type Reply, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const ANSWER = JSON.stringify({
  model: "gpt-4o-mini-2024-07-18",
  choices: [{ message: { role: "assistant", content: "hi ✓" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1_000, completion_tokens: 50 },
});
const HALVES = [ANSWER.slice(0, 60), ANSWER.slice(60)] as const;
const LONG = ANSWER.replace("hi", "long ".repeat(40_000));

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let tap: Tap;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: upstream.url } });
  admin = connectAdmin(cluster.control.url);
  tap = await startTap(cluster.edges[0]!.port, { resetOnLeave: true });
});
afterAll(async () => {
  await tap?.stop();
  await cluster?.stop();
  await upstream?.stop();
});

/** `isCompared`: half of its requests go to a canary. */
async function createPrompt(isCompared = false): Promise<string> {
  made += 1;
  const prompt = `whole-${made}`;
  await admin.put(prompt);
  await admin.push(prompt, { system: "Answer." });
  if (isCompared) {
    await admin.push(prompt, { system: "Answer in one line." });
    await admin.canary(prompt, 2, 50);
  }
  return prompt;
}

/** `length`: the provider says how long the answer is; null: it is chunked. */
function reply(chunks: Chunk[], length: number | null, end?: "open" | "cut"): Reply {
  const headers: [string, string][] = [["content-type", "application/json"]];
  if (length !== null) headers.push(["content-length", String(length)]);
  return { headers, chunks, ...(end !== undefined && { end }) };
}

function ask(prompt: string, signal?: AbortSignal, stream = false): Promise<Response> {
  return fetch(`${tap.url}/p/${prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer sk-test" },
    body: JSON.stringify({ model: "gpt-4o-mini", stream, messages: [{ role: "user", content: "hello" }] }),
    ...(signal !== undefined && { signal }),
  });
}

async function readArm(prompt: string): Promise<Metrics["arms"][number]> {
  return until(
    async () => {
      const { body } = await admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
      return body.arms[0] !== undefined && body.arms[0].requests > 0 && body.arms[0];
    },
    15_000,
    `a call of ${prompt} in its metrics`,
  );
}

const bytesOf = (text: string) => Buffer.byteLength(text);
const FRAMINGS: [string, string, number | null][] = [
  ["short, of a known length", ANSWER, bytesOf(ANSWER)],
  ["short, chunked", ANSWER, null],
  ["long, of a known length", LONG, bytesOf(LONG)],
  ["long, chunked", LONG, null],
];

describe.each(FRAMINGS)("an answer that is %s", (_, text, length) => {
  it("goes down byte for byte, and is counted with its tokens", async () => {
    const prompt = await createPrompt();
    upstream.play(reply([{ bytes: text }], length));
    const answer = await ask(prompt);
    expect(await answer.text()).toBe(text);
    expect(answer.headers.get("content-length")).toBe(length === null ? null : String(length));
    const arm = await readArm(prompt);
    expect(arm).toMatchObject({ requests: 1, errors: 0, aborted: 0, tokens: { input: 1_000, output: 50 } });
  });

  it("does not wait for its second piece with the first, and is counted whole", async () => {
    const prompt = await createPrompt();
    const [first, second] = [text.slice(0, 60), text.slice(60)];
    tap.clear();
    const isFirstDown = () => tap.exchanges()[0]?.response?.body.toString() === first;
    const firstIsDown = until(isFirstDown, 15_000, "the first piece at the client, while there is no second");
    upstream.play(reply([{ bytes: first }, { bytes: second, after: () => firstIsDown }], length));
    const [, answered] = await Promise.all([firstIsDown, ask(prompt).then((answer) => answer.text())]);
    expect(answered).toBe(text);
    expect(await readArm(prompt)).toMatchObject({
      requests: 1,
      errors: 0,
      tokens: { input: 1_000, output: 50 },
    });
  });

  it("whose client leaves in the middle of it ends the provider's work, and is counted as aborted", async () => {
    const prompt = await createPrompt();
    upstream.play(reply([{ bytes: HALVES[0] }], length, "open"));
    const leaving = new AbortController();
    const answer = await ask(prompt, leaving.signal);
    await answer.body!.getReader().read();
    leaving.abort();
    await until(() => upstream.exchanges()[0]?.clientClosed != null, 5_000, "the provider's request to end");
    expect(await readArm(prompt)).toMatchObject({ requests: 1, errors: 0, aborted: 1 });
  });

  it.each([
    ["in the middle", [{ bytes: HALVES[0] }]],
    ["before its first byte", []],
  ])("and breaks off %s never ends well, and is an error", async (_when, chunks) => {
    const prompt = await createPrompt();
    tap.clear();
    upstream.play(reply(chunks, length, "cut"));
    const read = ask(prompt).then((answer) => answer.text());
    await expect(read).rejects.toThrow();
    expect(tap.exchanges()[0]?.response?.complete ?? false).toBe(false);
    expect(await readArm(prompt)).toMatchObject({
      requests: 1,
      errors: 1,
      errorClasses: { broken_stream: 1 },
    });
  });
});

const EVENTS: Reply = { ...reply([], null, "open"), headers: [["content-type", "text/event-stream"]] };

/** `isHeld`: the edge holds the headers back until the body begins, even where arms are not compared. */
describe.each<[string, { silent: Reply; stream?: true; isHeld?: true }]>([
  ["a short answer of a known length", { silent: reply([], 500, "open"), isHeld: true }],
  ["a long answer of a known length", { silent: reply([], bytesOf(LONG), "open") }],
  ["an answer that is chunked", { silent: reply([], null, "open") }],
  ["a stream", { silent: EVENTS, stream: true }],
])("%s of which only the headers came", (_, { silent, stream = false, isHeld = false }) => {
  it.each([
    ["compared with another version", true],
    ["compared with none", false],
  ])("ends when its client leaves, %s", async (_how, isCompared) => {
    const prompt = await createPrompt(isCompared);
    upstream.play(silent);
    tap.clear();
    const leaving = new AbortController();
    const asked = ask(prompt, leaving.signal, stream).then((answer) => answer.text());
    const over = expect(asked).rejects.toThrow();
    const { exchanges } = isCompared || isHeld ? upstream : tap;
    await until(() => exchanges()[0]?.response?.status === 200, 5_000, "the headers of the answer");
    leaving.abort();
    await over;
    await until(() => upstream.exchanges()[0]?.clientClosed != null, 5_000, "the provider's request to end");
    expect(await readArm(prompt)).toMatchObject({ requests: 1, errors: 0, aborted: 1 });
  });
});

describe("a client that leaves while another call of its prompt is under way", () => {
  it.each([
    ["before the headers of its answer", "silent"],
    ["before a byte of it", reply([], 500, "open")],
    ["in the middle of it", reply([{ bytes: HALVES[0] }], 500, "open")],
  ] satisfies [string, Reply | "silent"][])(
    "%s is counted as aborted, and its provider stops",
    async (_, left) => {
      const prompt = await createPrompt();
      // The first call is the one that hands in the counters.
      upstream.play(({ headers }) =>
        headers.some(([name]) => name.toLowerCase() === "x-first")
          ? reply([{ bytes: ANSWER, afterMs: 600 }], null)
          : left,
      );
      const first = fetch(`${tap.url}/p/${prompt}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-first": "1" },
        body: JSON.stringify({ messages: [{ role: "user", content: "first" }] }),
      });
      await until(() => upstream.exchanges().length === 1, 5_000, "the first call");
      const leaving = new AbortController();
      const asked = ask(prompt, leaving.signal).then((answer) => answer.text());
      const over = expect(asked).rejects.toThrow();
      const second = await until(() => upstream.exchanges()[1], 5_000, "the second call");
      await until(() => upstream.exchanges()[1]?.request.complete, 5_000, "all of the second call");
      expect(second.clientClosed).toBeNull();
      if (left !== "silent")
        await until(() => upstream.exchanges()[1]?.response?.status, 5_000, "its headers");
      leaving.abort();
      await over;
      await until(
        () => upstream.exchanges()[1]?.clientClosed != null,
        5_000,
        "the provider's request to end",
      );
      await (await first).text();
      const arm = await until(
        async () => {
          const found = await readArm(prompt);
          return found.requests >= 2 && found;
        },
        10_000,
        "both calls in the metrics",
      );
      expect(arm).toMatchObject({ requests: 2, errors: 0, aborted: 1 });
    },
  );
});
