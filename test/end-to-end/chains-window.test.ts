// The end of the drain window, end to end: chains go over to the promoted version when it is over and not before, whether
// anybody remembers them or not, and a rollback that drains is over for them then, too.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { startResponsesProvider, takeTurn, type ResponsesProvider, type Turned } from "./chains-rig.ts";
import { callAdmin, chat, createPrompt } from "./rollback-rig.ts";

const DRAIN_MS = 6_000;

let provider: ResponsesProvider;
let cluster: Cluster;

beforeAll(async () => {
  provider = await startResponsesProvider();
  const vars = { UPSTREAM_OPENAI: provider.url, DRAIN_MS: String(DRAIN_MS) };
  cluster = await startCluster({ edges: 2, vars });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

/** Makes a change, waits until both edges have it, and returns when its drain is over at the earliest. */
async function change(prompt: string, act: string, body: object): Promise<number> {
  const overAtMs = Date.now() + DRAIN_MS;
  const { revision } = await callAdmin<{ revision: number }>(
    cluster.control.url,
    "POST",
    `/admin/prompts/${prompt}/${act}`,
    body,
  );
  for (const edge of cluster.edges) {
    const seen = async () => (await chat(edge, prompt)).headers["prompt-revision"] === String(revision);
    await until(seen, 10_000, `${edge.name} is at revision ${revision}`);
  }
  return overAtMs;
}

/** A chain whose first turn was served this version. */
async function beginOn(prompt: string, version: string): Promise<Turned> {
  const found = async () => {
    const turn = await takeTurn(cluster.edges[0]!, prompt, null);
    return turn.version === version ? turn : null;
  };
  return until(found, 10_000, `somebody gets version ${version}`);
}

describe("when a drain is over", () => {
  it.each([
    ["promote", { version: 2 }, "1", "2"],
    ["rollback", { mode: "drain", reason: "test" }, "2", "1"],
  ])(
    "chains that %s kept where they were go over",
    async (act, body, kept, next) => {
      const prompt = `window-${act}`;
      await createPrompt(cluster.control.url, prompt);
      await change(prompt, "canary", { version: 2, weight: 50, transition: "now" });
      let turn = await beginOn(prompt, kept);
      const overAtMs = await change(prompt, act, body);
      const goOn = async (edge: number) => {
        turn = await takeTurn(cluster.edges[edge]!, prompt, turn.id);
        return turn;
      };
      const inTime = await goOn(0);
      expect(Date.now(), "the machine was too slow for this test").toBeLessThan(overAtMs);
      expect(inTime).toMatchObject({ version: kept, reason: "drain" });
      const hasGone = async () => (await goOn(0)).version === next;
      await until(hasGone, DRAIN_MS + 10_000, "the chain goes over");
      expect(Date.now()).toBeGreaterThanOrEqual(overAtMs);
      expect(await goOn(1)).toMatchObject({ version: next, reason: "static" });
    },
    60_000,
  );
});
