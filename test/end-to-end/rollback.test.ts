// Guarantee 1 on real workerd: eight edge isolates against one Control, requests running. After `enforcedBy` no request
// anywhere reaches the provider with the version that the rollback took off, whatever has failed meanwhile.

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBuild } from "../support/build.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startProcesses } from "../support/processes.ts";
import { until } from "../support/wait.ts";
import {
  callAdmin,
  chat,
  createPrompt,
  describeTimes,
  measureRollback,
  startLoad,
  startProvider,
  type Measured,
  type Provider,
} from "./rollback-rig.ts";

const EDGES = 8;
const PROMPTS = Array.from({ length: 10 }, (_, index) => `bot-${index}`);

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider?.stop());

function startEdges(bundle?: string): Promise<Cluster> {
  const vars = { UPSTREAM_OPENAI: provider.url };
  return startCluster({ edges: EDGES, vars, ...(bundle === undefined ? {} : { bundle }) });
}

/** `fault` sets in once all prompts' canaries are served everywhere, right before their rollbacks. */
async function rollBackAll(cluster: Cluster, rounds: number, fault: () => Promise<void> = async () => {}) {
  const measured: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rigs = PROMPTS.map((prompt) => ({
      adminUrl: cluster.control.url,
      edges: cluster.edges,
      provider,
      prompt,
    }));
    const beforeRollback = createBarrier(rigs.length, fault);
    measured.push(...(await Promise.all(rigs.map((rig) => measureRollback(rig, { beforeRollback })))));
  }
  return measured;
}

/** Everybody who comes waits for the last one, who acts for all. */
function createBarrier(count: number, act: () => Promise<void>): () => Promise<void> {
  let arrived = 0;
  let acted: Promise<void> | null = null;
  return async () => {
    arrived += 1;
    await until(() => arrived === count, 20_000, "all have arrived");
    acted ??= act();
    await acted;
  };
}

function expectEnforced(name: string, measured: Measured[]): void {
  console.log(
    describeTimes(
      name,
      measured.map(({ lastMs }) => lastMs),
    ),
  );
  expect(measured.flatMap(({ late }) => late)).toEqual([]);
}

describe("a rollback under load", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startEdges();
    for (const prompt of PROMPTS) await createPrompt(cluster.control.url, prompt);
  });
  afterAll(() => cluster?.stop());

  it("is enforced on every isolate by the time that it promised, 50 times", async () => {
    const load = startLoad(cluster.edges, PROMPTS);
    const measured = await rollBackAll(cluster, 5);
    await load.stop();
    expect(measured).toHaveLength(50);
    for (const { answer } of measured) {
      expect(answer).toMatchObject({ from: 2, to: 1 });
      expect(Date.parse(answer.enforcedBy) - Date.parse(answer.committedAt)).toBeLessThanOrEqual(2_000);
    }
    expect(load.failures).toEqual([]);
    expectEnforced("under load", measured);
  }, 120_000);

  it("is enforced with KV frozen at the release that still has the canary", async () => {
    const load = startLoad(cluster.edges, PROMPTS);
    const freeze = async () => {
      for (const edge of cluster.edges) await edge.setFaults({ store: "frozen" });
    };
    const measured = await rollBackAll(cluster, 1, freeze);
    await load.stop();
    for (const edge of cluster.edges) await edge.setFaults({ store: "none" });
    expect(load.failures).toEqual([]);
    expectEnforced("KV frozen", measured);
  }, 60_000);

  it("is enforced with Control answering after three seconds, and nobody is kept waiting for long", async () => {
    const load = startLoad(cluster.edges, PROMPTS);
    const slow = async () => {
      for (const edge of cluster.edges)
        await edge.setFaults({ control: { delayMs: 1_500, answerDelayMs: 1_500 } });
    };
    const measured = await rollBackAll(cluster, 1, slow);
    await load.stop();
    for (const edge of cluster.edges) await edge.setFaults({ control: "none" });
    expect(load.failures).toEqual([]);
    expectEnforced("Control slow (3 s)", measured);
  }, 60_000);

  it("is enforced on an isolate that was idle before and gets its next request long after", async () => {
    const [prompt = ""] = PROMPTS;
    const load = startLoad(cluster.edges, [prompt]);
    const rig = { adminUrl: cluster.control.url, edges: cluster.edges, provider, prompt };
    const idle = { beforeRollback: () => load.stop() };
    const measured = await measureRollback(rig, idle);
    const answers = await Promise.all(cluster.edges.map((edge) => chat(edge, prompt)));
    for (const answer of answers) {
      expect(answer.headers).toMatchObject({
        "prompt-version": "1",
        "prompt-arm": "baseline",
        "prompt-reason": "static",
      });
      expect(answer.headers["prompt-revision"]).toBe(String(measured.answer.revision));
    }
    expectEnforced("idle isolates", [measured]);
  }, 60_000);

  it("serves the baseline without a lease, says so, and takes the canary up again when Control is back", async () => {
    const [prompt = ""] = PROMPTS;
    const [edge] = cluster.edges;
    if (edge === undefined) throw new Error("no edge");
    await callAdmin(cluster.control.url, "POST", `/admin/prompts/${prompt}/canary`, {
      version: 2,
      weight: 100,
    });
    await until(
      async () => (await chat(edge, prompt)).headers["prompt-version"] === "2",
      10_000,
      "canary served",
    );
    await edge.setFaults({ control: "dead" });
    const fenced = async () => (await chat(edge, prompt)).headers["prompt-reason"] === "no_lease";
    await until(fenced, 10_000, "fenced to the baseline");
    expect((await chat(edge, prompt)).headers).toMatchObject({
      "prompt-version": "1",
      "prompt-arm": "baseline",
    });
    await edge.setFaults({ control: "none" });
    await until(
      async () => (await chat(edge, prompt)).headers["prompt-version"] === "2",
      10_000,
      "canary served again",
    );
  }, 60_000);
});

describe("the isolate that takes a command", () => {
  it("serves by it from its very next request on, by name and by alias", async () => {
    const cluster = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: provider.url } });
    try {
      const [edge] = cluster.edges;
      if (edge === undefined) throw new Error("no edge");
      await createPrompt(edge.url, "bot");
      await callAdmin(edge.url, "PUT", "/admin/prompts/bot", { aliases: ["pmpt_68.a"] });
      for (let round = 1; round <= 20; round += 1) {
        expect((await chat(edge, "pmpt_68.a")).status).toBe(200);
        const change = { version: 2, weight: round, transition: "now" };
        const { revision } = await callAdmin<{ revision: number }>(
          edge.url,
          "POST",
          "/admin/prompts/bot/canary",
          change,
        );
        const { headers } = await chat(edge, round % 2 === 0 ? "bot" : "pmpt_68.a");
        expect([headers["prompt-name"], headers["prompt-revision"]]).toEqual(["bot", String(revision)]);
      }
    } finally {
      await cluster.stop();
    }
  }, 60_000);
});

describe("a rollback whose Control is killed right after its answer", () => {
  it("is enforced, because no lease outlives its two seconds", async () => {
    const processes = await startProcesses({ edges: EDGES, vars: { UPSTREAM_OPENAI: provider.url } });
    try {
      const [first] = processes.edges;
      if (first === undefined) throw new Error("no edge");
      const prompt = "killed";
      await createPrompt(first.url, prompt);
      const load = startLoad(processes.edges, [prompt]);
      const rig = { adminUrl: first.url, edges: processes.edges, provider, prompt };
      const measured = await measureRollback(rig, { afterAnswer: () => processes.killControl() });
      const answers = await Promise.all(processes.edges.map((edge) => chat(edge, prompt)));
      await load.stop();
      for (const { status, headers } of answers)
        expect([status, headers["prompt-version"]]).toEqual([200, "1"]);
      expect(load.failures).toEqual([]);
      expectEnforced("Control killed", [measured]);
    } finally {
      await processes.stop();
    }
  }, 90_000);
});

describe("the rig itself", () => {
  it("catches late canaries when the lease is removed from the bundle", async () => {
    const bundle = await removeLease();
    const cluster = await startEdges(bundle);
    try {
      const [prompt = ""] = PROMPTS;
      await createPrompt(cluster.control.url, prompt);
      const load = startLoad(cluster.edges, [prompt]);
      const cutOff = async () => {
        for (const edge of cluster.edges) await edge.setFaults({ control: "dead" });
      };
      const rig = { adminUrl: cluster.control.url, edges: cluster.edges, provider, prompt };
      const measured = await measureRollback(rig, { beforeRollback: cutOff });
      await load.stop();
      expect(measured.late.length).toBeGreaterThan(0);
    } finally {
      await cluster.stop();
      await rm(bundle, { recursive: true, force: true });
    }
  }, 60_000);
});

/** The shipped bundle with the one comparison gone that lets a lease end. */
async function removeLease(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "switchback-unleased-"));
  await cp(readBuild().directory, folder, { recursive: true });
  const file = join(folder, "index.js");
  const text = await readFile(file, "utf8");
  const endOfLease = /ageMs >= grant\.lease\.leaseMs - DISPATCH_MARGIN_MS/;
  if (!endOfLease.test(text)) throw new Error("the bundle has no end of lease to remove");
  await writeFile(file, text.replace(endOfLease, "false"));
  return folder;
}
