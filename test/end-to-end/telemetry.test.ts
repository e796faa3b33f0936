// What goes out of a call, from the built Worker: its line in the log with its price, nothing secret in any line, the
// answer untouched, and the same numbers at `GET /metrics`.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const PROMPT = "support-bot";
const SECRET = "sk-a-secret-of-the-caller";
const QUESTION = "a question that is nobody's business";
const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-2024-08-06",
  system_fingerprint: "fp_1",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "an answer nobody else reads" },
      finish_reason: "stop",
    },
  ],
  usage: {
    prompt_tokens: 1_000,
    completion_tokens: 100,
    total_tokens: 1_100,
    prompt_tokens_details: { cached_tokens: 800 },
  },
};

let upstream: Upstream;
let cluster: Cluster;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 3,
    vars: { UPSTREAM_OPENAI: upstream.url },
    edgeVars: [{ LOG_REQUESTS: "all" }, {}, { LOG_REQUESTS: "off" }],
  });
  const admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "An instruction that is nobody's business either." });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

async function chat(edge: number, user: string): Promise<{ status: number; id: string; text: string }> {
  const url = `${cluster.edges[edge]!.url}/p/${PROMPT}/openai/v1/chat/completions?trace=private-query`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}` },
    body: JSON.stringify({ model: "gpt-4o", user, messages: [{ role: "user", content: QUESTION }] }),
  });
  const text = await response.text();
  return { status: response.status, id: response.headers.get("prompt-request-id") ?? "", text };
}

type Line = Record<string, unknown>;

function linesOfRequests(): Line[] {
  return cluster.logs.flatMap(({ message }) => {
    if (!message.includes(`"event":"request"`)) return [];
    return [JSON.parse(message) as Line];
  });
}

async function scrape(): Promise<string> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  return (await fetch(`${cluster.control.url}/metrics`, { headers })).text();
}

describe("a call that is over", () => {
  it("has a line with its usage and price, and the answer went down as it was", async () => {
    upstream.play(json(ANSWER));
    const { status, text } = await chat(0, "one");
    expect([status, JSON.parse(text)]).toEqual([200, ANSWER]);
    const [line] = await until(() => {
      const lines = linesOfRequests();
      return lines.length > 0 && lines;
    });
    expect(line).toMatchObject({
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.response.model": "gpt-4o-2024-08-06",
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": 1_000,
      "gen_ai.usage.cache_read.input_tokens": 800,
      "gen_ai.prompt.name": PROMPT,
      "gen_ai.prompt.version": "1",
      "feature_flag.result.reason": "static",
      "http.response.status_code": 200,
      "switchback.outcome": "ok",
      "switchback.streams": false,
    });
    // By the package's prices, which change; that a token out of the cache is cheaper does not.
    expect(line!["switchback.cost_usd"]).toBeGreaterThan(0);
    expect(line!["switchback.full_cost_usd"]).toBeGreaterThan(line!["switchback.cost_usd"] as number);
  });

  it("is logged when it failed, by default, and never where logs are off", async () => {
    const seen = linesOfRequests().length;
    upstream.play(json(ANSWER));
    expect((await chat(1, "two")).status).toBe(200);
    upstream.play(json({ error: { message: "as told", type: "server_error" } }, { status: 503 }));
    expect((await chat(2, "three")).status).toBe(503);
    expect((await chat(1, "four")).status).toBe(503);
    await until(() => linesOfRequests().length > seen);
    // Control has counted all four by now, so that a line more would be there.
    await until(async () => /^switchback_requests_total\{.*\} 4$/m.test(await scrape()), 15_000);
    const lines = linesOfRequests().slice(seen);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ "http.response.status_code": 503, "switchback.outcome": "error" });
    expect(lines[0]!["error.type"]).toMatch(/^(overloaded|server_error)$/);
    expect(lines[0]).not.toHaveProperty(["switchback.cost_usd"]);
  });

  it("is in a scrape with what it used and cost", async () => {
    const names = `prompt="${PROMPT}",environment="production",version="1",arm="baseline"`;
    const text = await until(async () => {
      const read = await scrape();
      return read.includes(`switchback_requests_total{${names}} 4\n`) && read;
    }, 15_000);
    expect(text).toContain(`switchback_errors_total{${names}} 2\n`);
    expect(text).toContain(`switchback_tokens_total{${names},type="input"} 2000\n`);
    expect(text).toContain(`switchback_tokens_total{${names},type="cached"} 1600\n`);
    expect(text).toContain(`switchback_cost_known_total{${names}} 2\n`);
    expect(text).toContain(`switchback_request_duration_seconds_count{${names}} 2\n`);
    const cost = Number(new RegExp(`^switchback_cost_usd_total\\{${names}\\} (.*)$`, "m").exec(text)?.[1]);
    expect(cost).toBeCloseTo(2 * (linesOfRequests()[0]!["switchback.cost_usd"] as number), 9);
  });

  it("leaves nothing secret in any line", () => {
    const all = cluster.logs.map(({ message }) => message).join("\n");
    expect(linesOfRequests().length).toBeGreaterThan(0);
    for (const secret of [SECRET, "nobody", "private-query", ADMIN_TOKEN]) expect(all).not.toContain(secret);
  });
});
