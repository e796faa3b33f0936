// During a deployment a Worker meets objects of another one for a while. Guarantees: what such an object does not know is
// 503, to be sent again, and never a bug; requests to providers go on, by what is in memory or by KV's copy.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { operationList } from "../../src/admin/operations.ts";
import { connectAdmin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { exampleOf, PROMPT, seed, send, type Problem } from "./rig.ts";

/** These ask no object. */
const ALONE = new Set(["whoami", "listProviders"]);
const calls = operationList
  .filter(({ id }) => !ALONE.has(id))
  .map((operation) => ({ ...operation, sent: exampleOf(operation) }));

let upstream: Upstream;
let cluster: Cluster;
beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({ edges: 2, vars: { UPSTREAM_OPENAI: upstream.url } });
  await seed(cluster.control.url, PROMPT);
  await until(async () => (await cluster.store.get(`release:${PROMPT}:production`)) !== null);
});
afterEach(() => cluster.control.setFaults({ control: "none", registry: "none" }));
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

function ask(edge: number, prompt = PROMPT): Promise<Response> {
  return fetch(`${cluster.edges[edge]!.url}/p/${prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] }),
  });
}

describe("an object that does not know what it is asked", () => {
  it.each(calls)("makes $id a 503 that is worth sending again", async ({ sent }) => {
    await cluster.control.setFaults({ control: { lacks: ["*"] }, registry: { lacks: ["*"] } });
    const response = await send(cluster.control.url, sent);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    const { code, detail } = (await response.json()) as Problem;
    expect(code).toBe("release_unavailable");
    expect(detail).toContain("deployment");
  });

  it("lets nobody in by a token that it cannot look up, and says so", async () => {
    await cluster.control.setFaults({ registry: { lacks: ["authenticate"] } });
    const whoami = { method: "GET", path: "/admin/whoami" };
    const response = await send(cluster.control.url, whoami, `sbt_${"A".repeat(43)}`);
    expect(response.status).toBe(503);
  });

  it("takes none of its neighbours along: what it knows it answers", async () => {
    await cluster.control.setFaults({ control: { lacks: ["readDiagnosis"] } });
    const path = `/admin/prompts/${PROMPT}`;
    const statusOf = async (of: string) =>
      (await send(cluster.control.url, { method: "GET", path: path + of })).status;
    expect(await statusOf("/diagnose")).toBe(503);
    expect(await statusOf("/release")).toBe(200);
  });
});

describe("an edge whose objects know nothing that it asks", () => {
  it("serves the baseline from KV's copy while it is cold, and from memory afterwards", async () => {
    const edge = cluster.edges[0]!;
    await edge.setFaults({ control: { lacks: ["*"] }, registry: { lacks: ["*"] } });
    upstream.play({ status: 200, body: "{}" });
    for (let request = 0; request < 3; request += 1) {
      const answer = await ask(0);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("prompt-version")).toBe("1");
      expect(answer.headers.get("prompt-reason")).toBe("no_lease");
    }
  });

  it("goes on by its last lease, and keeps its report until an object takes it", async () => {
    const edge = cluster.edges[1]!;
    const admin = connectAdmin(cluster.control.url);
    await admin.put("kept");
    await admin.push("kept", { system: "The first." });
    upstream.play({ status: 200, body: "{}" });
    expect((await ask(1, "kept")).headers.get("prompt-reason")).toBe("static");
    await edge.setFaults({ control: { lacks: ["sync", "began", "recallChain"] } });
    for (let request = 0; request < 3; request += 1) expect((await ask(1, "kept")).status).toBe(200);
    const refused = (await edge.readCalls())["control.sync"] ?? 0;
    await until(async () => ((await edge.readCalls())["control.sync"] ?? 0) > refused + 1);
    expect((await ask(1, "kept")).status).toBe(200);
    await edge.setFaults({ control: "none" });
    await until(async () => {
      const { body } = await admin.call<{ versions: { requests: number }[] }>(
        "GET",
        "/admin/prompts/kept/metrics",
      );
      return body.versions[0]?.requests === 5;
    });
  });
});

it("a command that an object does not know yet is 503", async () => {
  const command = { type: "of_tomorrow", environment: "production" };
  const actor = { name: "ada", role: "admin" };
  const envelope = { prompt: PROMPT, command, actor, ifMatch: null, idempotency: null };
  const answer = await cluster.control.callObject("CONTROL", PROMPT, "execute", [envelope]);
  expect(answer).toMatchObject({ problem: "release_unavailable" });
});
