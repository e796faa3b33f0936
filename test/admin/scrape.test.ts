// `GET /metrics` on the shipped Worker: behind a token of the lowest role, with every prompt and environment in it, and
// whole where one of them is out of order.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerScrape } from "../../src/admin/scrape.ts";
import { isProblem, problem } from "../../src/core/problem.ts";
import type { Tally } from "../../src/core/types.ts";
import type { Env } from "../../src/env.ts";
import { sumsOf } from "../control/support/tallies.ts";
import type { Cluster } from "../support/cluster.ts";
import { mustSend, seed, send, startDemo, type Problem } from "./rig.ts";

let cluster: Cluster;
let url: string;

beforeAll(async () => {
  cluster = await startDemo();
  url = cluster.control.url;
});
afterAll(() => cluster?.stop());

const scrape = (query = "", token?: string | null) =>
  send(url, { method: "GET", path: `/metrics${query}` }, token);

const weight = (prompt: string, version: number, arm: string) =>
  `switchback_release_weight_ratio{prompt="${prompt}",environment="production",version="${version}",arm="${arm}"}`;

describe("a scrape", () => {
  it("needs a token, and that of a viewer will do", async () => {
    const refused = await scrape("", null);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toContain("Bearer");
    expect(((await refused.json()) as Problem).code).toBe("unauthenticated");
    const body = JSON.stringify({ name: "prometheus", role: "viewer" });
    const { token } = await mustSend<{ token: string }>(url, { method: "POST", path: "/admin/tokens", body });
    const answer = await scrape("", token);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toContain("# TYPE switchback_release_revision gauge\n");
  });

  it("has every prompt in it, or those that are asked for", async () => {
    await seed(url, "second");
    await mustSend(url, { method: "PUT", path: "/admin/prompts/empty", body: "{}" });
    await mustSend(url, {
      method: "POST",
      path: "/admin/prompts/second/canary",
      body: JSON.stringify({ version: 2, weight: 25, environment: "production" }),
    });
    const all = await (await scrape()).text();
    expect(all).toContain(`${weight("second", 2, "canary")} 0.25\n`);
    expect(all).toContain(`${weight("support-bot", 1, "baseline")} 1\n`);
    expect(all).toContain(
      `switchback_guardrail_evidence_nats{prompt="second",environment="production",baseline="1",canary="2",metric="errors",action="rollback"} 0\n`,
    );
    expect(all).toContain("switchback_scrape_failed_releases 0\n");
    expect(all).not.toContain(`prompt="empty"`);
    const one = await (await scrape("?prompt=second")).text();
    expect(one).toContain(`prompt="second"`);
    expect(one).not.toContain(`prompt="support-bot"`);
  });

  it("has nothing to say of a prompt that never was, nor to a parameter that it does not know", async () => {
    const refusal = async (query: string) => {
      const answer = await scrape(query);
      const { code, field } = (await answer.json()) as Problem;
      return [answer.status, code, field];
    };
    expect(await refusal("?prompt=support-bot&prompt=suport-bot")).toEqual([
      404,
      "prompt_not_found",
      "prompt",
    ]);
    expect(await refusal("?promt=support-bot")).toEqual([400, "invalid_request", "promt"]);
    await seed(url, "retired");
    await mustSend(url, { method: "DELETE", path: "/admin/prompts/retired" });
    const answer = await scrape("?prompt=retired&prompt=support-bot");
    const text = await answer.text();
    expect([answer.status, text.includes(`prompt="support-bot"`), text.includes(`"retired"`)]).toEqual([
      200,
      true,
      false,
    ]);
  });

  it("takes GET alone", async () => {
    const answer = await send(url, { method: "POST", path: "/metrics", body: "{}" });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
  });
});

/** Controls that answer nothing but what a scrape asks; `broken` ones throw or refuse. */
function standIn(prompts: number, broken: Set<string>, totals: Tally[] = []) {
  const state = { underWay: 0, most: 0, calls: 0 };
  const control = (prompt: string) => {
    const answer = async (value: unknown) => {
      state.calls += 1;
      state.underWay += 1;
      state.most = Math.max(state.most, state.underWay);
      await new Promise((resolve) => setImmediate(resolve));
      state.underWay -= 1;
      if (broken.has(prompt)) {
        if (prompt.endsWith("0")) throw new Error("a bug");
        return problem("release_unavailable", "out of reach");
      }
      return value;
    };
    const release = { prompt, environment: "production", revision: 3, arms: [] };
    return {
      readEnvironments: () => answer(["production", "staging"]),
      readRelease: (environment: string) => answer({ ...release, environment }),
      readHealth: () => answer({ verdict: "waiting", isFrozen: false, comparisons: [] }),
      readTotals: () => answer(totals),
    };
  };
  const names = Array.from({ length: prompts }, (_, index) => `bot-${index}`);
  const list = async () =>
    names.map((name) => ({ name, kind: "prompt", latestVersion: 1, archivedAt: null }));
  const env = { CONTROL: { getByName: control }, REGISTRY: { getByName: () => ({ list }) } };
  return { env: env as unknown as Env, state };
}

async function scrapeOf(env: Env): Promise<string> {
  const answer = await answerScrape(new Request("http://localhost/metrics"), env);
  if (isProblem(answer)) throw new Error(answer.message);
  return answer.text();
}

describe("a scrape of many", () => {
  it("has the others in it where some fail or are out of reach, and counts these", async () => {
    const { env } = standIn(12, new Set(["bot-10", "bot-3"]));
    const text = await scrapeOf(env);
    expect(text.match(/^switchback_release_revision\{.*\} 3$/gm)).toHaveLength(20);
    expect(text).toContain("switchback_scrape_failed_releases 2\n");
    expect(text).toContain("switchback_scrape_skipped_prompts 0\n");
  });

  it("asks six at a time and no more than an invocation may, and says what it left out", async () => {
    const { env, state } = standIn(400, new Set());
    const text = await scrapeOf(env);
    expect(state.most).toBe(6);
    expect(state.calls).toBeLessThanOrEqual(500);
    const prompts = new Set(text.match(/^switchback_release_revision\{prompt="[^"]+"/gm));
    const skipped = Number(/^switchback_scrape_skipped_prompts (\d+)$/m.exec(text)?.[1]);
    expect(prompts.size + skipped).toBe(400);
  });

  it("is at most 4 MB of text, however many versions there were, and says which prompts are not in it", async () => {
    const totals = Array.from({ length: 50 }, (_, index): Tally => {
      const counts = { started: 1, requests: 1, errors: 0, aborted: 0, sums: sumsOf([]) };
      return { revision: 3, version: index + 1, arm: "baseline", reason: "static", turn: "first", ...counts };
    });
    const { env, state } = standIn(65, new Set(), totals);
    const text = await scrapeOf(env);
    expect(text.length).toBeGreaterThan(3_500_000);
    expect(text.length).toBeLessThan(4_050_000);
    const releases = text.match(/^switchback_release_revision\{.*$/gm)!;
    const told = new Set(releases.map((line) => /prompt="([^"]+)"/.exec(line)![1]));
    const skipped = Number(/^switchback_scrape_skipped_prompts (\d+)$/m.exec(text)?.[1]);
    expect(skipped).toBeGreaterThanOrEqual(65 - told.size);
    expect(skipped).toBeLessThanOrEqual(65 - told.size + 1);
    expect(text).toContain("switchback_scrape_failed_releases 0\n");
    // What is too much is not even asked for, but for what was under way already.
    expect(state.calls).toBeLessThanOrEqual(65 + 3 * (releases.length + 7));
    expect(await scrapeOf(env)).toBe(text);
  });
});
