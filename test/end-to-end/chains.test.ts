// Guarantee 3 for chains that carry nothing but `previous_response_id`, over several isolates and a real Control: a ramp
// never switches them, a rollback moves them at once or lets them finish, and what need not be remembered is not.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { startResponsesProvider, takeTurn, type ResponsesProvider, type Turned } from "./chains-rig.ts";
import { callAdmin, chat, chatsSent, createPrompt } from "./rollback-rig.ts";

const EDGES = 3;

let provider: ResponsesProvider;
let cluster: Cluster;
let chainsBegun = 0;
const turnsSent = new Map<string, number>();

beforeAll(async () => {
  provider = await startResponsesProvider();
  cluster = await startCluster({ edges: EDGES, vars: { UPSTREAM_OPENAI: provider.url } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

type Chain = { name: string; more: object; turns: Turned[]; firstEdge?: number };

const edgeAt = (index: number) => cluster.edges[index % EDGES]!;

/** The next turn, on another edge than the last one unless one is given. */
async function goOn(prompt: string, chain: Chain, edge?: { url: string }): Promise<Turned> {
  if (chain.turns.length === 0) chainsBegun += 1;
  chain.firstEdge ??= chainsBegun;
  turnsSent.set(prompt, (turnsSent.get(prompt) ?? 0) + 1);
  const previous = chain.turns.at(-1)?.id ?? null;
  const turn = await takeTurn(
    edge ?? edgeAt(chain.firstEdge + chain.turns.length),
    prompt,
    previous,
    chain.more,
  );
  expect(turn.answer.status, turn.answer.body).toBe(200);
  chain.turns.push(turn);
  return turn;
}

async function beginMany(prompt: string, stage: string, count: number, more: object = {}): Promise<Chain[]> {
  const chains: Chain[] = Array.from({ length: count }, (_, index) => ({
    name: `${stage}-${index}`,
    more: { ...more, stream: index % 2 === 1 },
    turns: [],
  }));
  for (const chain of chains) await goOn(prompt, chain);
  await untilTold(prompt);
  return chains;
}

/** One more turn of each. */
async function continueAll(prompt: string, chains: Chain[]): Promise<void> {
  for (const chain of chains) await goOn(prompt, chain);
  await untilTold(prompt);
}

function switchesOf(chains: Chain[]): string[] {
  const versions = chains.map(
    ({ name, turns }) => `${name}: ${turns.map(({ version }) => version).join(" ")}`,
  );
  return versions.filter((text) => new Set(text.split(": ")[1]!.split(" ")).size > 1);
}

/** A chat on each edge after the turns: its report goes up with a sync that took along what was noted before it. */
async function untilTold(prompt: string): Promise<void> {
  for (const edge of cluster.edges) await chat(edge, prompt);
  const sent = () => (chatsSent.get(prompt) ?? 0) + (turnsSent.get(prompt) ?? 0);
  const counted = async () => (await countRequests(prompt)) === sent();
  await until(counted, 15_000, `all requests of ${prompt} are counted`);
}

async function countRequests(prompt: string): Promise<number> {
  type Metrics = { arms: { requests: number }[] };
  const metrics = await callAdmin<Metrics>(cluster.control.url, "GET", `/admin/prompts/${prompt}/metrics`);
  return metrics.arms.reduce((sum, { requests }) => sum + requests, 0);
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

describe("a chain without a key", () => {
  it("keeps its version over a ramp of several steps and a promotion, on any isolate", async () => {
    const prompt = "ramped";
    await createPrompt(cluster.control.url, prompt);
    await untilEverywhere(prompt, 1);
    const chains = await beginMany(prompt, "before", 12);
    for (const weight of [20, 60]) {
      const { revision } = await change(prompt, "canary", { version: 2, weight });
      await untilEverywhere(prompt, revision);
      await continueAll(prompt, chains);
      chains.push(...(await beginMany(prompt, `at-${weight}`, 20)));
      await continueAll(prompt, chains);
      expect(switchesOf(chains), `at ${weight} %`).toEqual([]);
    }
    const { revision } = await change(prompt, "promote", { version: 2 });
    await untilEverywhere(prompt, revision);
    await continueAll(prompt, chains);
    chains.push(...(await beginMany(prompt, "promoted", 6)));
    await continueAll(prompt, chains);
    expect(switchesOf(chains), "promoted").toEqual([]);
    expect(new Set(chains.map(({ turns }) => turns[0]!.version))).toEqual(new Set(["1", "2"]));
  }, 180_000);

  it("is moved at once by a rollback, and finishes on its version when the rollback drains", async () => {
    for (const mode of ["now", "drain"] as const) {
      const prompt = `rolled-${mode}`;
      const chains = await beginUnderCanary(prompt, 30);
      const onCanary = chains.filter(({ turns }) => turns[0]!.version === "2");
      expect(onCanary.length).toBeGreaterThan(4);
      const { revision } = await change(prompt, "rollback", { mode, reason: "test" });
      await untilEverywhere(prompt, revision);
      for (let turn = 0; turn < 2; turn += 1) await continueAll(prompt, chains);
      expect(switchesOf(chains)).toHaveLength(mode === "now" ? onCanary.length : 0);
      const reasons = new Set(onCanary.map(({ turns }) => turns.at(-1)!.reason));
      expect(reasons).toEqual(new Set([mode === "now" ? "static" : "drain"]));
      const fresh = await beginMany(prompt, "after", 10);
      expect(new Set(fresh.map(({ turns }) => turns[0]!.version))).toEqual(new Set(["1"]));
    }
  }, 120_000);

  it("costs a note only where it shows, and a question only once an isolate", async () => {
    const prompt = "counted";
    await createPrompt(cluster.control.url, prompt);
    await untilEverywhere(prompt, 1);
    const [edge] = cluster.edges;
    const asked = async () => (await edge!.readCalls())["control.recallChain"] ?? 0;
    const quiet: Chain = { name: "static", more: {}, turns: [] };
    const askedBefore = await asked();
    for (let turn = 0; turn < 3; turn += 1) await goOn(prompt, quiet, edge);
    expect(await asked()).toBe(askedBefore);
    const { revision } = await change(prompt, "canary", { version: 2, weight: 50, transition: "now" });
    await untilEverywhere(prompt, revision);
    for (const version of ["1", "2"]) {
      const chain = await beginOn(prompt, version, edge!);
      const before = await asked();
      for (let turn = 0; turn < 4; turn += 1) await goOn(prompt, chain, edge);
      expect(switchesOf([chain])).toEqual([]);
      expect((await asked()) - before).toBe(version === "2" ? 0 : 1);
    }
    const unstored = await beginOn(prompt, "2", edge!, { store: false });
    expect(unstored.turns).toHaveLength(1);
  }, 60_000);

  it("is known to isolates that have just started", async () => {
    const prompt = "restarted";
    const chains = await beginUnderCanary(prompt, 20);
    await cluster.restart();
    await continueAll(prompt, chains);
    expect(switchesOf(chains)).toEqual([]);
    expect(new Set(chains.map(({ turns }) => turns[1]!.version))).toEqual(new Set(["1", "2"]));
  }, 60_000);

  it("is on the baseline while Control is out of reach, and back where it is remembered", async () => {
    const prompt = "cut-off";
    await beginUnderCanary(prompt, 0);
    const [edge, other] = cluster.edges;
    const chain = await beginOn(prompt, "2", edge!);
    await edge!.setFaults({ control: "dead" });
    const isFenced = async () => (await chat(edge!, prompt)).headers["prompt-reason"] === "no_lease";
    await until(isFenced, 10_000, "the lease is over");
    expect(await goOn(prompt, chain, edge)).toMatchObject({ version: "1", reason: "no_lease" });
    await edge!.setFaults({ control: "none" });
    const isBack = async () => (await chat(edge!, prompt)).headers["prompt-reason"] === "split";
    await until(isBack, 15_000, "the lease is back");
    expect(await goOn(prompt, chain, edge)).toMatchObject({ version: "2", reason: "split" });
    await untilTold(prompt);
    expect(await goOn(prompt, chain, other)).toMatchObject({ version: "2", reason: "split" });
  }, 60_000);

  it("that nobody knows is a stranger's: the baseline, turn after turn", async () => {
    const prompt = "strange";
    await beginUnderCanary(prompt, 0);
    const chain: Chain = { name: "stranger", more: {}, turns: [] };
    chain.turns.push({ ...(await takeTurn(edgeAt(0), "ramped", null)), version: "1" });
    for (let turn = 0; turn < 6; turn += 1) await goOn(prompt, chain);
    expect(switchesOf([chain])).toEqual([]);
  }, 60_000);
});

describe("a chain with a key that every turn says", () => {
  it.each([
    ["a user", { user: "u" }, "conversation"],
    ["a user, whose unit it is", { safety_identifier: "u" }, "user"],
  ])(
    "keeps its version while a change drains: %s",
    async (_name, key, unit) => {
      const prompt = `keyed-by-${unit}`;
      await createPrompt(cluster.control.url, prompt);
      await callAdmin(cluster.control.url, "PUT", `/admin/prompts/${prompt}`, { unit });
      const steps = [10, 50, 90];
      const chains: Chain[] = [];
      for (const [step, weight] of steps.entries()) {
        const { revision } = await change(prompt, "canary", { version: 2, weight });
        await untilEverywhere(prompt, revision);
        for (let index = 0; index < 12; index += 1) {
          const [[field = ""] = []] = Object.entries(key);
          chains.push({
            name: `${step}-${index}`,
            more: { [field]: `${field}-${step}-${index}` },
            turns: [],
          });
        }
        for (let turn = 0; turn < 2; turn += 1) await continueAll(prompt, chains);
        expect(switchesOf(chains), `at ${weight} %`).toEqual([]);
      }
      expect(new Set(chains.map(({ turns }) => turns[0]!.version))).toEqual(new Set(["1", "2"]));
    },
    120_000,
  );
});

/** A prompt whose version 2 has half of the traffic, and chains begun under that. */
async function beginUnderCanary(prompt: string, count: number): Promise<Chain[]> {
  await createPrompt(cluster.control.url, prompt);
  const { revision } = await change(prompt, "canary", { version: 2, weight: 50, transition: "now" });
  await untilEverywhere(prompt, revision);
  return beginMany(prompt, "during", count);
}

/** A chain whose first turn, at `edge`, was served this version. */
async function beginOn(
  prompt: string,
  version: string,
  edge: { url: string },
  more: object = {},
): Promise<Chain> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const chain: Chain = { name: `on ${version}`, more, turns: [] };
    const turn = await goOn(prompt, chain, edge);
    if (turn.version === version) return chain;
  }
  throw new Error(`nobody got version ${version}`);
}
