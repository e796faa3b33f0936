// From a provider's bad answers to the rollback, on the shipped Worker: two edges, a canary that alone is bad is taken off by
// the guardrails within seconds, by the ordinary command and with the numbers; an incident of both arms takes nothing off.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrafficArm } from "../../bench/guardrails/traffic.ts";
import { connectAdmin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { createRig, type Rig } from "./ramps-rig.ts";
import {
  connect,
  createRollout,
  startChats,
  startProvider,
  type Behaviour,
  type Chats,
  type Provider,
} from "./guardrails-rig.ts";
import { callAdmin } from "./rollback-rig.ts";

/** More than the deadlines of all waits in one test. */
const WAITS = { timeout: 90_000 };

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

/** No request is on the canary any more, seen on requests that set out after the promise was due. */
async function untilNobodyIsOnTheCanary(prompt: string, chats: Chats, rolledBackAt: string): Promise<void> {
  const dueMs = Date.parse(rolledBackAt) + 2_000;
  const readLater = () => provider.dispatches.filter((one) => one.prompt === prompt && one.sentAtMs > dueMs);
  await chats.until(() => readLater().length > 20, 15_000, `requests of ${prompt} after the lease`);
  expect(readLater().filter(({ version }) => version === "canary")).toEqual([]);
}

describe("a canary that fails alone", WAITS, () => {
  it("is rolled back by the guardrail, with its numbers as the reason, and no request is on it any more", async () => {
    const prompt = "fails-alone";
    await createRollout(cluster.control.url, prompt, 20);
    const chats = startChats(cluster.edges, prompt);
    const admin = connect(cluster.control.url, prompt, chats);
    await chats.until(
      async () => (await admin.health()).verdict === "watching",
      20_000,
      "the arms are compared",
    );
    const badSinceMs = Date.now();
    provider.behave(prompt, { canary: { status: 500 } });
    const row = await admin.untilRolledBack();
    expect(row).toMatchObject({ actor: "guardrail", action: "rollback" });
    expect(row.reason).toMatch(
      /^errors \d+(\.\d)? % on v1, \d+(\.\d)? % on v2 .* after [\d,]+ canary requests.*; evidence \d+\.\d of 6\.7/,
    );
    expect(row.after.arms).toEqual([{ version: 1, weight: 100 }]);
    await untilNobodyIsOnTheCanary(prompt, chats, row.at);
    await chats.stop();
    console.log(describeHarm(prompt, badSinceMs), "—", row.reason);
    const [event] = (await admin.events()).filter(({ data }) => data["to"] === "prompt");
    expect(event!.says).toContain(row.reason);
    expect((await admin.revisions()).filter(({ action }) => action === "rollback")).toHaveLength(1);
  });
});

/** What the Worker reads off the answers on their way down: times by its own clock, tokens as the provider says, their price. */
describe("a canary whose answers are all good, but", WAITS, () => {
  it.each<[string, { canary: Partial<Behaviour> }, RegExp]>([
    [
      "slow to begin",
      { canary: { firstTokenMs: 60, totalMs: 75 } },
      /time to first token \d+ ms on v1, \d+ ms on v2 \(\+\d+ %/,
    ],
    [
      "slow to end",
      { canary: { totalMs: 90 } },
      /time to the whole answer \d+ ms on v1, \d+ ms on v2 \(\+\d+ %/,
    ],
    [
      "long-winded, and so dear",
      { canary: { outputTokens: 500 } },
      /cost of an answer \$0\.0\d+ on v1, \$0\.0\d+ on v2 \(\+\d+ %/,
    ],
  ])("%s, is rolled back", async (name, behaviour, reason) => {
    const prompt = name.replaceAll(/[^a-z]+/g, "-");
    await createRollout(cluster.control.url, prompt, 20);
    // On a busy machine it is now and then the first to find what others are here to find.
    const guardrails = { latency_tail: { action: "off" } };
    await callAdmin(cluster.control.url, "PUT", `/admin/prompts/${prompt}`, { guardrails });
    const chats = startChats(cluster.edges, prompt, 6);
    const admin = connect(cluster.control.url, prompt, chats);
    await chats.until(() => chats.answered() > 600, 30_000, "what is usual is known");
    expect((await admin.health()).verdict).toBe("watching");
    const badSinceMs = Date.now();
    provider.behave(prompt, behaviour);
    const row = await admin.untilRolledBack();
    await untilNobodyIsOnTheCanary(prompt, chats, row.at);
    await chats.stop();
    expect(row).toMatchObject({ actor: "guardrail", after: { arms: [{ version: 1, weight: 100 }] } });
    expect(row.reason).toMatch(reason);
    console.log(describeHarm(prompt, badSinceMs), "—", row.reason);
  });
});

describe("an incident of both arms", WAITS, () => {
  it("rolls nothing back, freezes, and is called upstream", async () => {
    const prompt = "fails-together";
    await createRollout(cluster.control.url, prompt, 20);
    const chats = startChats(cluster.edges, prompt);
    const admin = connect(cluster.control.url, prompt, chats);
    // Until it is known what is usual.
    await chats.until(() => chats.answered() > 1_000, 40_000, "a thousand good answers");
    provider.behave(prompt, { baseline: { status: 503 }, canary: { status: 503 } });
    const health = await chats.until(
      async () => {
        const found = await admin.health();
        return found.upstream[0]?.metric === "errors" && found;
      },
      20_000,
      "errors are found upstream",
    );
    await chats.stop();
    expect(health).toMatchObject({ verdict: "upstream", isFrozen: true });
    expect(health.says).toMatch(
      /^not the prompt: errors \d+(\.\d)? % → \d+(\.\d)? % on the baseline since \d\d:\d\d UTC/,
    );
    expect((await admin.revisions()).map(({ action }) => action)).toEqual(["canary", "push"]);
    console.log(`${prompt}: ${health.says}`);
  });
});

const rollOut = async (): Promise<Rig> => {
  const rig = await createRig(
    () => connectAdmin(cluster.control.url),
    () => cluster.control,
  );
  await connectAdmin(cluster.control.url).canary(rig.prompt, 2, 20);
  for (let reports = 0; reports < 20; reports += 1) await rig.feed(100, { errors: 0.01 }, { errors: 0.01 });
  return rig;
};

/** Reports as isolates send them, into the real object: what the provider's answers say is added up by the data plane. */
describe("reports of a canary that is worse", () => {
  it.each<[string, Partial<TrafficArm>, RegExp]>([
    ["slow to begin", { firstToken: 1.6 }, /^time to first token \d+ ms on v1, \d+ ms on v2 \(\+\d+ %/],
    ["slow to end", { latency: 2 }, /^time to the whole answer [\d,]+ ms on v1, [\d,]+ ms on v2 \(\+\d+ %/],
    ["dear", { cost: 1.6 }, /^cost of an answer \$0\.00\d+ on v1, \$0\.00\d+ on v2 \(\+\d+ %/],
    ["evasive", { refusals: 0.1 }, /^refusals \d\.\d % on v1, \d+\.\d % on v2 \(/],
  ])("%s take it off in the reply to the report that showed it", async (_, canary, reason) => {
    const rig = await rollOut();
    let reports = 0;
    for (; ; reports += 1) {
      expect(reports).toBeLessThan(60);
      // The object loses its memory on the way, as objects do.
      if (reports === 1) await cluster.evict(rig.prompt);
      const { reply } = await rig.feed(100, canary);
      if (reply.release === null) continue;
      expect(reply.release.arms).toEqual([{ version: 1, weight: 100 }]);
      break;
    }
    const row = (await rig.readLog()).at(-1)!;
    expect(row).toMatchObject({ action: "rollback", actor: "guardrail" });
    expect(row.reason).toMatch(reason);
    console.log(`${rig.prompt}: after ${reports + 1} reports of 100 — ${row.reason}`);
  });

  it("and of a baseline that is just as slow take nothing off", async () => {
    const rig = await rollOut();
    for (let reports = 0; reports < 30; reports += 1) {
      const { reply } = await rig.feed(100, { latency: 3 }, { latency: 3 });
      expect(reply.release).toBeNull();
    }
    const health = await rig.ask("readHealth", "production");
    expect(health).toMatchObject({
      verdict: "upstream",
      isFrozen: true,
      upstream: [{ metric: "latency_tail" }],
    });
    expect(health.says).toMatch(/^not the prompt: slow answers \d\.\d % → \d+\.\d % on the baseline since/);
  });
});
