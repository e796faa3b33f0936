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
let turnsTaken = 0;
const turnsSent = new Map<string, number>();

beforeAll(async () => {
  provider = await startResponsesProvider();
  cluster = await startCluster({ edges: EDGES, vars: { UPSTREAM_OPENAI: provider.url } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

type Chain = { name: string; more: object; turns: Turned[] };

const edgeAt = (index: number) => cluster.edges[index % EDGES]!;

/** The next turn, on whichever edge comes next. */
async function goOn(prompt: string, chain: Chain): Promise<Turned> {
  turnsTaken += 1;
  turnsSent.set(prompt, (turnsSent.get(prompt) ?? 0) + 1);
  const previous = chain.turns.at(-1)?.id ?? null;
  const turn = await takeTurn(edgeAt(turnsTaken), prompt, previous, chain.more);
  expect(turn.answer.status, turn.answer.body).toBe(200);
  chain.turns.push(turn);
  return turn;
}

async function beginMany(prompt: string, stage: string, count: number, more: object = {}): Promise<Chain[]> {
  const chains = Array.from({ length: count }, (_, index) => ({
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
});
