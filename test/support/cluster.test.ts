// The harness itself, on a trivial Worker: what its faults promise to the suites that use them.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type Isolate, startCluster } from "./cluster.ts";
import { buildTrivial } from "./trivial.ts";
import { startUpstream } from "./upstream.ts";
import { until } from "./wait.ts";

let cluster: Cluster;
let bundle: string;

beforeAll(async () => {
  bundle = await buildTrivial();
  cluster = await startCluster({ edges: 3, bundle });
});

afterAll(async () => {
  await cluster?.stop();
  await rm(bundle, { recursive: true });
});

afterEach(async () => {
  for (const isolate of [cluster.control, ...cluster.edges]) {
    await isolate.setFaults({ control: "none", registry: "none", store: "none" });
  }
});

async function read(isolate: Isolate | undefined, path: string, withinMs = 5_000): Promise<Response> {
  return fetch(isolate!.url + path, { signal: AbortSignal.timeout(withinMs) });
}

test("every edge is an isolate of its own, with one object and one namespace behind all", async () => {
  const ids = await Promise.all(cluster.edges.map(async (edge) => (await read(edge, "/isolate")).text()));
  expect(new Set(ids).size).toBe(3);
  const counts: unknown[] = [];
  for (const edge of cluster.edges) counts.push(await (await read(edge, "/count")).json());
  expect(counts).toEqual([1, 2, 3]);
  for (const edge of cluster.edges) expect(await (await read(edge, "/store")).json()).toBe(3);
  expect(await cluster.store.get("count")).toBe("3");
});

test("calls are counted where they are made and where they are served", async () => {
  const before = await cluster.control.readCalls();
  await read(cluster.edges[0], "/count");
  const after = await cluster.control.readCalls();
  expect((after["control.count"] ?? 0) - (before["control.count"] ?? 0)).toBe(1);
  expect((await cluster.edges[0]!.readCalls())["control.count"]).toBeGreaterThan(0);
});

describe("faults", () => {
  test("a dead Control fails every edge; a cut-off edge fails alone", async () => {
    await cluster.control.setFaults({ control: "dead" });
    for (const edge of cluster.edges) expect((await read(edge, "/count")).status).toBe(500);
    await cluster.control.setFaults({ control: "none" });
    await cluster.edges[0]!.setFaults({ control: "dead" });
    expect((await read(cluster.edges[0], "/count")).status).toBe(500);
    expect((await read(cluster.edges[1], "/count")).status).toBe(200);
  });

  test("a silent Control neither answers nor acts", async () => {
    const before = Number(await cluster.store.get("count"));
    await cluster.control.setFaults({ control: "silent" });
    await expect(read(cluster.edges[0], "/count", 300)).rejects.toThrow("timeout");
    await cluster.control.setFaults({ control: "none" });
    expect(await (await read(cluster.edges[0], "/count")).json()).toBe(before + 1);
  });

  test("a slow answer comes late although the object has acted", async () => {
    await cluster.control.setFaults({ control: { answerDelayMs: 400 } });
    const before = Number(await cluster.store.get("count"));
    const started = performance.now();
    const answer = read(cluster.edges[0], "/count");
    await expect
      .poll(() => cluster.store.get("count"), { interval: 10, timeout: 300 })
      .toBe(String(before + 1));
    expect(await (await answer).json()).toBe(before + 1);
    expect(performance.now() - started).toBeGreaterThan(390);
  });

  test("a dead KV fails reads; a frozen one answers as of then, on that edge alone", async () => {
    const [frozen, live, dead] = cluster.edges;
    await dead!.setFaults({ store: "dead" });
    expect((await read(dead, "/store")).status).toBe(500);
    const then: unknown = await (await read(frozen, "/store")).json();
    await frozen!.setFaults({ store: "frozen" });
    const now: unknown = await (await read(live, "/count")).json();
    expect(await (await read(frozen, "/store")).json()).toBe(then);
    expect(await (await read(live, "/store")).json()).toBe(now);
    expect(now).not.toBe(then);
  });
});

test("a restart makes every isolate cold, and keeps what was stored", async () => {
  const before = Number(await cluster.store.get("count"));
  const warm = await (await read(cluster.edges[0], "/isolate")).text();
  await cluster.restart();
  expect(await (await read(cluster.edges[0], "/isolate")).text()).not.toBe(warm);
  expect(await (await read(cluster.edges[0], "/count")).json()).toBe(before + 1);
});

test("an evicted object loses its memory, not its storage", async () => {
  const stored = Number(await cluster.store.get("count"));
  await read(cluster.edges[0], "/memory");
  expect(await (await read(cluster.edges[0], "/memory")).json()).toBe(2);
  await cluster.evict("prompt");
  expect(await (await read(cluster.edges[0], "/memory")).json()).toBe(1);
  expect(await (await read(cluster.edges[0], "/count")).json()).toBe(stored + 1);
});

test("what a Worker writes to its console can be read", async () => {
  await read(cluster.edges[1], "/log");
  await until(() =>
    cluster.logs.some(({ level, message }) => level === "warn" && message.includes("a line")),
  );
});

test("faults may be there from the start, vars may differ by edge, and storage outlives its cluster", async () => {
  const persist = await mkdtemp(join(tmpdir(), "switchback-persist-"));
  const upstream = await startUpstream({ body: "of the second edge" });
  const options = { edges: 2, bundle, persist };
  const first = await startCluster({ ...options, faults: { edges: { control: "dead" } } });
  expect((await read(first.edges[0], "/count")).status).toBe(500);
  await first.edges[0]!.setFaults({ control: "none" });
  expect(await (await read(first.edges[0], "/count")).json()).toBe(1);
  await first.stop();
  const second = await startCluster({ ...options, edgeVars: [{}, { UPSTREAM: upstream.url }] });
  expect(await (await read(second.edges[0], "/count")).json()).toBe(2);
  expect(await (await read(second.edges[1], "/x")).text()).toBe("of the second edge");
  await second.stop();
  await upstream.stop();
  await rm(persist, { recursive: true });
});
