// Guarantee 3 across isolates: a ramp never switches a conversation, wherever its turns arrive, whether it began
// before, between or after the steps; a rollback moves it at once, or lets it finish when asked to.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import {
  callAdmin,
  chat,
  chatsSent,
  createPrompt,
  send,
  startProvider,
  type Answer,
  type Provider,
  type Turn,
} from "./rollback-rig.ts";

const EDGES = 3;

type Conversation = { id: string; version: string; turns: Turn[] };

let provider: Provider;
let cluster: Cluster;
let turnsSent = 0;

beforeAll(async () => {
  provider = await startProvider();
  cluster = await startCluster({ edges: EDGES, vars: { UPSTREAM_OPENAI: provider.url } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

/** The next turn of a conversation, on whichever edge comes next. */
async function takeTurn(prompt: string, turns: Turn[]): Promise<Answer> {
  turnsSent += 1;
  const edge = cluster.edges[turnsSent % EDGES];
  if (edge === undefined) throw new Error("no edge");
  const answer = await chat(edge, prompt, turns);
  expect(answer.status).toBe(200);
  return answer;
}

async function beginMany(prompt: string, stage: string, count: number): Promise<Conversation[]> {
  const conversations: Conversation[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = `${stage}-${index}`;
    const turns = [{ role: "user", content: `I am ${id} of ${prompt}` }];
    const answer = await takeTurn(prompt, turns);
    conversations.push({ id, version: String(answer.headers["prompt-version"]), turns });
  }
  return conversations;
}

/** One more turn of each; returns those that were served another version than they began on. */
async function continueAll(prompt: string, conversations: Conversation[]): Promise<string[]> {
  const switched: string[] = [];
  for (const conversation of conversations) {
    conversation.turns.push({ role: "assistant", content: "Well." }, { role: "user", content: "Go on." });
    const answer = await takeTurn(prompt, conversation.turns);
    const version = String(answer.headers["prompt-version"]);
    if (version !== conversation.version)
      switched.push(`${conversation.id}: ${conversation.version} → ${version}`);
  }
  return switched;
}

function change(prompt: string, act: string, body: object): Promise<{ revision: number }> {
  return callAdmin(cluster.control.url, "POST", `/admin/prompts/${prompt}/${act}`, body);
}

async function untilEverywhere(prompt: string, revision: number): Promise<void> {
  for (const edge of cluster.edges) {
    const seen = async () => (await chat(edge, prompt)).headers["prompt-revision"] === String(revision);
    await until(seen, 10_000, `${edge.name} is at revision ${revision} of ${prompt}`);
  }
}

/** Reports carry first turns up together with counters: when every chat is counted, Control knows of them all. */
async function untilReported(prompt: string): Promise<void> {
  const counted = async () => (await readRequests(prompt)) === chatsSent.get(prompt);
  await until(counted, 15_000, `all ${chatsSent.get(prompt)} chats of ${prompt} are counted`);
}

async function readRequests(prompt: string): Promise<number> {
  type Metrics = { arms: { requests: number }[] };
  const metrics = await callAdmin<Metrics>(cluster.control.url, "GET", `/admin/prompts/${prompt}/metrics`);
  return metrics.arms.reduce((sum, { requests }) => sum + requests, 0);
}

describe("a conversation", () => {
  it("keeps its arm over a ramp of several steps, on any isolate", async () => {
    const prompt = "ramped";
    await createPrompt(cluster.control.url, prompt);
    await untilEverywhere(prompt, 1);
    const conversations = await beginMany(prompt, "before", 40);
    for (const weight of [10, 40, 70]) {
      const { revision } = await change(prompt, "canary", { version: 2, weight });
      await untilEverywhere(prompt, revision);
      expect(await continueAll(prompt, conversations), `at ${weight} %`).toEqual([]);
      conversations.push(...(await beginMany(prompt, `at-${weight}`, 40)));
      await untilReported(prompt);
      expect(await continueAll(prompt, conversations), `later at ${weight} %`).toEqual([]);
    }
    const versions = new Set(conversations.map(({ version }) => version));
    expect([...versions].toSorted()).toEqual(["1", "2"]);
    const { revision } = await change(prompt, "promote", { version: 2 });
    await untilEverywhere(prompt, revision);
    expect(await continueAll(prompt, conversations), "promoted").toEqual([]);
  }, 120_000);

  it("is moved at once by a rollback, and finishes on its version when the rollback drains", async () => {
    for (const mode of ["now", "drain"] as const) {
      const prompt = `rolled-${mode}`;
      await createPrompt(cluster.control.url, prompt);
      const canary = await change(prompt, "canary", { version: 2, weight: 50 });
      await untilEverywhere(prompt, canary.revision);
      const conversations = await beginMany(prompt, "during", 40);
      const onCanary = conversations.filter(({ version }) => version === "2");
      expect(onCanary.length).toBeGreaterThan(5);
      const rollback = await change(prompt, "rollback", { mode, reason: "test" });
      await untilEverywhere(prompt, rollback.revision);
      await untilReported(prompt);
      const switched = await continueAll(prompt, conversations);
      expect(switched).toHaveLength(mode === "now" ? onCanary.length : 0);
      const fresh = await beginMany(prompt, "after", 20);
      expect(fresh.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, () => "1"));
    }
  }, 120_000);

  it("is told apart by an empty Prompt-Key no more than by none", async () => {
    const prompt = "unkeyed";
    await createPrompt(cluster.control.url, prompt);
    const { revision } = await change(prompt, "canary", { version: 2, weight: 50, transition: "now" });
    await untilEverywhere(prompt, revision);
    const versions = new Set<unknown>();
    for (let index = 0; index < 40; index += 1) {
      const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: `Caller ${index}` }] });
      const url = `${cluster.edges[0]?.url}/p/${prompt}/openai/v1/chat/completions`;
      versions.add((await send(url, "POST", body, { "prompt-key": "" })).headers["prompt-version"]);
    }
    expect(versions).toEqual(new Set(["1", "2"]));
  }, 60_000);

  it("says why: drain where it is kept, split where the present table decides", async () => {
    const prompt = "explained";
    await createPrompt(cluster.control.url, prompt);
    await untilEverywhere(prompt, 1);
    const turns = [{ role: "user", content: "Hello from before" }];
    expect((await takeTurn(prompt, turns)).headers["prompt-reason"]).toBe("static");
    const { revision } = await change(prompt, "canary", { version: 2, weight: 100 });
    await untilEverywhere(prompt, revision);
    const later = [...turns, { role: "assistant", content: "Hi." }, { role: "user", content: "And?" }];
    expect((await takeTurn(prompt, later)).headers).toMatchObject({
      "prompt-version": "1",
      "prompt-reason": "drain",
    });
    const fresh = [{ role: "user", content: "Hello from after" }];
    expect((await takeTurn(prompt, fresh)).headers["prompt-version"]).toBe("2");
  }, 60_000);
});
