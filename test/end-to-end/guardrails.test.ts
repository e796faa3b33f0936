// From a provider's bad answers to the rollback, on the shipped Worker: two edges, a canary that alone is bad is taken off by
// the guardrails within seconds, by the ordinary command and with the numbers; an incident of both arms takes nothing off.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { connect, createRollout, startChats, startProvider, type Provider } from "./guardrails-rig.ts";

let provider: Provider;
let cluster: Cluster;

beforeAll(async () => {
  provider = await startProvider();
  cluster = await startCluster({ edges: 2, vars: { UPSTREAM_OPENAI: provider.url } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

/** How long users had the canary once it was bad: from its first bad answer to its last request anywhere. */
function describeHarm(prompt: string, badSinceMs: number): string {
  const bad = provider.dispatches.filter(
    (one) => one.prompt === prompt && one.version === "canary" && one.atMs >= badSinceMs,
  );
  const tookMs = (bad.at(-1)?.atMs ?? 0) - (bad[0]?.atMs ?? 0);
  return `${prompt}: ${bad.length} canary requests in ${tookMs} ms from the first bad one to the last`;
}

/** No request is on the canary any more, seen on requests that came after the promise was due. */
async function untilNobodyIsOnTheCanary(prompt: string, rolledBackAt: string): Promise<void> {
  const dueMs = Date.parse(rolledBackAt) + 2_000;
  await until(
    () => provider.dispatches.filter((one) => one.prompt === prompt && one.atMs > dueMs).length > 20,
    15_000,
    `requests of ${prompt} after the lease`,
  );
  const late = provider.dispatches.filter(
    (one) => one.prompt === prompt && one.version === "canary" && one.atMs > dueMs,
  );
  expect(late).toEqual([]);
}

describe("a canary that fails alone", () => {
  it("is rolled back by the guardrail, with its numbers as the reason, and no request is on it any more", async () => {
    const prompt = "fails-alone";
    await createRollout(cluster.control.url, prompt, 20);
    const admin = connect(cluster.control.url, prompt);
    const chats = startChats(cluster.edges, prompt);
    await until(async () => (await admin.health()).verdict === "watching", 20_000, "the arms are compared");
    const badSinceMs = Date.now();
    provider.behave(prompt, { canary: { status: 500 } });
    const row = await admin.untilRolledBack();
    expect(row).toMatchObject({ actor: "guardrail", action: "rollback" });
    expect(row.reason).toMatch(
      /^errors \d+(\.\d)? % on v1, \d+(\.\d)? % on v2 .* after [\d,]+ canary requests.*; evidence \d+\.\d of 6\.7/,
    );
    expect(row.after.arms).toEqual([{ version: 1, weight: 100 }]);
    await untilNobodyIsOnTheCanary(prompt, row.at);
    await chats.stop();
    console.log(describeHarm(prompt, badSinceMs), "—", row.reason);
    const [event] = (await admin.events()).filter(({ data }) => data["to"] === "prompt");
    expect(event!.says).toContain(row.reason);
    expect((await admin.revisions()).filter(({ action }) => action === "rollback")).toHaveLength(1);
  });
});

describe("an incident of both arms", () => {
  it("rolls nothing back, freezes, and is called upstream", async () => {
    const prompt = "fails-together";
    await createRollout(cluster.control.url, prompt, 20);
    const admin = connect(cluster.control.url, prompt);
    const chats = startChats(cluster.edges, prompt);
    // Until it is known what is usual.
    await until(() => chats.answered() > 1_000, 40_000, "a thousand good answers");
    provider.behave(prompt, { baseline: { status: 503 }, canary: { status: 503 } });
    const health = await until(
      async () => {
        const found = await admin.health();
        return found.verdict === "upstream" && found;
      },
      20_000,
      "the verdict is upstream",
    );
    await chats.stop();
    expect(health).toMatchObject({ isFrozen: true, upstream: [{ metric: "errors" }] });
    expect(health.says).toMatch(
      /^not the prompt: errors 0(\.\d)? % → \d+(\.\d)? % on the baseline since \d\d:\d\d UTC/,
    );
    expect((await admin.revisions()).map(({ action }) => action)).toEqual(["canary", "push"]);
    console.log(`${prompt}: ${health.says}`);
  });
});
