// What comes between a decision and its call to the provider: a signature that takes its time, a canary that does. What has
// changed meanwhile is obeyed, a rollback as well as a key's revocation.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster, type Isolate } from "../support/cluster.ts";
import { json, startUpstream, type Reply, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const LEASE_MS = 600;
const BASELINE = "Speak as the baseline.";
const CANARY = "Speak as the canary.";
const CONVERSE = "bedrock/model/anthropic.claude-v2%3A1/converse";
const CHAT = "openai/v1/chat/completions";
const messages = [{ role: "user", content: [{ text: "hello" }] }];
const chat = { model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] };

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let edge: Isolate;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 1,
    vars: {
      UPSTREAM_BEDROCK: upstream.url,
      UPSTREAM_OPENAI: upstream.url,
      OPENAI_API_KEY: "held-for-openai",
      AWS_ACCESS_KEY_ID: "AKIA-held",
      AWS_SECRET_ACCESS_KEY: "secret-held",
      AWS_REGION: "us-east-1",
      LEASE_SOFT_MS: "100",
      LEASE_MS: String(LEASE_MS),
    },
  });
  [edge] = cluster.edges as [Isolate];
  admin = connectAdmin(cluster.control.url);
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => edge.setFaults({ crypto: "none", control: "none" }));

/** A prompt whose canary, version 2, gets every request. */
async function createCanary(): Promise<string> {
  made += 1;
  const prompt = `fenced-${made}`;
  await admin.put(prompt);
  await admin.push(prompt, { system: BASELINE });
  await admin.push(prompt, { system: CANARY });
  await admin.canary(prompt, 2, 100, { transition: "now" });
  return prompt;
}

async function mintKey(): Promise<{ id: string; key: string }> {
  return (await admin.call<{ id: string; key: string }>("POST", "/admin/keys", { name: "app" })).body;
}

function send(prompt: string, path: string, key: string, body: object): Promise<Response> {
  return fetch(`${edge.url}/p/${prompt}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
}

/** Resolves once the call is decided and being signed, which takes longer than the lease. (The digest before that is the
 * key's.) */
async function sendSlowlySigned(prompt: string, key: string): Promise<() => Promise<Response>> {
  const readDigests = async () => (await edge.readCalls())["crypto.digest"] ?? 0;
  const before = await readDigests();
  await edge.setFaults({ crypto: { delayMs: LEASE_MS } });
  const answer = send(prompt, CONVERSE, key, { messages });
  await until(async () => (await readDigests()) === before + 2);
  await edge.setFaults({ crypto: "none" });
  return () => answer;
}

/** Which versions the provider was asked with, in order. */
function asked(): string[] {
  return upstream.exchanges().map(({ request }) => {
    const text = request.body.toString();
    return text.includes(CANARY) ? "canary" : text.includes(BASELINE) ? "baseline" : "none";
  });
}

const explained = ({ headers }: Response) =>
  ["version", "arm", "reason"].map((name) => headers.get(`prompt-${name}`));

describe("a call that has to be signed", () => {
  it("is signed for the canary while the lease is live", async () => {
    upstream.play(json({ output: {} }));
    const prompt = await createCanary();
    const { key } = await mintKey();
    expect(explained(await send(prompt, CONVERSE, key, { messages }))).toEqual(["2", "canary", "static"]);
    expect(asked()).toEqual(["canary"]);
  });

  it("is decided anew where a rollback came while it was being signed", async () => {
    upstream.play(json({ output: {} }));
    const prompt = await createCanary();
    const { key } = await mintKey();
    await send(prompt, CONVERSE, key, { messages });
    upstream.play(json({ output: {} }));
    const answer = await sendSlowlySigned(prompt, key);
    await admin.rollback(prompt);
    expect(explained(await answer())).toEqual(["1", "baseline", "static"]);
    expect(asked()).toEqual(["baseline"]);
  });

  it("gets the baseline where the lease was over by then, and Control says nothing", async () => {
    upstream.play(json({ output: {} }));
    const prompt = await createCanary();
    const { key } = await mintKey();
    await send(prompt, CONVERSE, key, { messages });
    upstream.play(json({ output: {} }));
    const answer = await sendSlowlySigned(prompt, key);
    await edge.setFaults({ control: "dead" });
    expect(explained(await answer())).toEqual(["1", "baseline", "no_lease"]);
    expect(asked()).toEqual(["baseline"]);
  });
});

describe("a canary that takes its time and fails", () => {
  const failure: Reply = {
    ...json({ error: { message: "boom" } }, { status: 500 }),
    headersAfterMs: 3 * LEASE_MS,
  };
  const good = json({ choices: [{ index: 0, message: { role: "assistant", content: "hi" } }] });

  it("is answered by the baseline while its key is good", async () => {
    const prompt = await createCanary();
    const { key } = await mintKey();
    upstream.play(failure, good);
    expect(explained(await send(prompt, CHAT, key, chat))).toEqual(["1", "baseline", "fallback"]);
    expect(asked()).toEqual(["canary", "baseline"]);
  });

  it("is not, once the key was revoked: no call opens the provider with a key beyond its lease", async () => {
    const prompt = await createCanary();
    const { id, key } = await mintKey();
    upstream.play(failure, good);
    const answer = send(prompt, CHAT, key, chat);
    await until(() => asked().length === 1);
    await admin.call("DELETE", `/admin/keys/${id}`);
    expect(explained(await answer)).toEqual(["2", "canary", "static"]);
    expect(asked()).toEqual(["canary"]);
  });
});
