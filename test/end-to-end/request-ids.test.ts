// `Prompt-Request-Id` as clients get it from the built Worker: of a turn with a version in it a signed one that says what
// served it, whoever answered and however; of everything else, and without Control's key, a plain one.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readSignedId, type ServedTurn } from "../../src/core/request-id.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { PLAIN_ID } from "../support/request-ids.ts";
import { json, sse, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { anthropic, openai } from "./sdk-rig.ts";

const PROMPT = "support-bot";
const ANSWER = { choices: [{ index: 0, message: { role: "assistant", content: "hi" } }] };
const FIRST = [{ role: "user", content: "hello" }];
const LATER = [...FIRST, { role: "assistant", content: "hi" }, { role: "user", content: "more" }];

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 2,
    vars: { UPSTREAM_OPENAI: upstream.url, UPSTREAM_ANTHROPIC: upstream.url },
  });
  admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "Speak as the baseline." });
  await admin.push(PROMPT, { system: "Speak as the canary." });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(json(ANSWER)));

function post(path: string, body: object = { messages: FIRST }, edge = 0): Promise<Response> {
  return fetch(`${cluster.edges[edge]!.url}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.4-mini", ...body }),
  });
}

const chat = (prompt = PROMPT, body?: object, edge?: number) =>
  post(`p/${prompt}/openai/v1/chat/completions`, body, edge);

function served(id: string | null): ServedTurn {
  const read = readSignedId(id ?? "");
  if (read === null || read === "plain") throw new Error(`no signed id: ${id}`);
  return read.turn;
}

describe("a turn with a version in it", () => {
  it("has an id that says which, by whose release, when, and whether it was a conversation's first", async () => {
    const beforeMs = Date.now();
    const first = await chat();
    const turn = served(first.headers.get("prompt-request-id"));
    expect(turn).toMatchObject({
      prompt: PROMPT,
      environment: "production",
      revision: 1,
      version: 1,
      arm: "baseline",
      reason: "static",
      turn: "first",
    });
    expect(turn.servedAtMs).toBeGreaterThan(beforeMs - 1_001);
    expect(turn.servedAtMs).toBeLessThanOrEqual(Date.now());
    expect(turn.id).toMatch(PLAIN_ID);
    const later = await chat(PROMPT, { messages: LATER });
    expect(served(later.headers.get("prompt-request-id"))).toMatchObject({ turn: "later" });
  });

  it("has one in a stream, in an error of the provider's and in one of ours", async () => {
    upstream.play(sse([{ data: ANSWER }, { data: "[DONE]" }]));
    const stream = await chat(PROMPT, { messages: FIRST, stream: true });
    await stream.text();
    upstream.play(json({ error: { message: "no" } }, { status: 429 }));
    const refused = await chat();
    const unknown = await fetch(`${cluster.edges[0]!.url}/p/${PROMPT}/anthropic/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "prompt-version": "99" },
      body: JSON.stringify({ model: "claude-sonnet-5", max_tokens: 9, messages: FIRST }),
    });
    expect(unknown.status).toBe(404);
    for (const { headers } of [stream, refused, unknown]) {
      expect(served(headers.get("prompt-request-id")).prompt).toBe(PROMPT);
    }
    expect(await unknown.json()).toMatchObject({ request_id: unknown.headers.get("prompt-request-id") });
  });

  it("has one of a large body, which goes up while it comes in", async () => {
    const content = "x".repeat(700_000);
    const answer = await chat(PROMPT, { messages: [{ role: "user", content }] });
    expect(answer.status).toBe(200);
    expect(served(answer.headers.get("prompt-request-id"))).toMatchObject({ version: 1, reason: "static" });
  });

  it("is called by its own name, however it was asked for", async () => {
    await admin.put(PROMPT, { aliases: ["pmpt_68"] });
    const answer = await chat("pmpt_68");
    expect(served(answer.headers.get("prompt-request-id")).prompt).toBe(PROMPT);
  });

  it("belongs to the version that answered, where a canary failed", async () => {
    const prompt = "shielded";
    await admin.put(prompt);
    await admin.push(prompt, { system: "Speak as the baseline." });
    await admin.push(prompt, { system: "Speak as the canary." });
    await admin.canary(prompt, 2, 100, { transition: "now" });
    upstream.play(({ body }) => (body.includes("canary") ? json({}, { status: 400 }) : json(ANSWER)));
    const answer = await chat(prompt);
    expect([answer.status, answer.headers.get("prompt-assigned-version")]).toEqual([200, "2"]);
    const { version, arm, reason, revision } = served(answer.headers.get("prompt-request-id"));
    expect({ version, arm, reason, revision }).toEqual({
      version: 1,
      arm: "baseline",
      reason: "fallback",
      revision: 2,
    });
  });

  it("gives the id to the SDKs as they are", async () => {
    const one = await openai(cluster.edges[0]!, { prompt: PROMPT })
      .chat.completions.create({ model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] })
      .withResponse();
    expect(served(one.response.headers.get("prompt-request-id")).version).toBe(1);
    upstream.play(json({ id: "msg_1", type: "message", role: "assistant", content: [] }));
    const other = await anthropic(cluster.edges[0]!, { prompt: PROMPT })
      .messages.create({
        model: "claude-sonnet-5",
        max_tokens: 9,
        messages: [{ role: "user", content: "hello" }],
      })
      .withResponse();
    expect(served(other.response.headers.get("prompt-request-id")).version).toBe(1);
  });
});

describe("a plain id", () => {
  it("is what has no version in it: pass-through, an unknown prompt, a count of tokens", async () => {
    const answers = [
      await post("openai/v1/chat/completions"),
      await chat("nobody"),
      await post(`p/${PROMPT}/anthropic/v1/messages/count_tokens`),
      await fetch(`${cluster.edges[0]!.url}/p/${PROMPT}/openai/v1/models`),
    ];
    for (const { headers } of answers) expect(headers.get("prompt-request-id")).toMatch(PLAIN_ID);
  });

  it("is what an isolate gives that has never reached Control, and no turn fails for it", async () => {
    const prompt = "out-of-reach";
    await admin.put(prompt);
    await admin.push(prompt, { system: "Speak." });
    // Until the release stands in KV, which is all that the other isolate gets.
    await until(() => cluster.store.get(`release:${prompt}:production`));
    await cluster.edges[1]!.setFaults({ control: "dead" });
    const answer = await chat(prompt, undefined, 1);
    await cluster.edges[1]!.setFaults({ control: "none" });
    expect([answer.status, answer.headers.get("prompt-version")]).toEqual([200, "1"]);
    expect(answer.headers.get("prompt-request-id")).toMatch(PLAIN_ID);
  });
});
