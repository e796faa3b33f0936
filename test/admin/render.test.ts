// What render shows is what the data plane sends, byte for byte; and what metrics count is what it sent. One edge, one
// provider that keeps what reaches it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import type { Cluster } from "../support/cluster.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { mustSend, PROMPT, seed, send, startDemo, type Problem, type Sent } from "./rig.ts";

type Rendering = { version: number; provider: string; path: string; body: unknown; text: string };

let upstream: Upstream;
let seen: { url: string; body: string }[];
let cluster: Cluster;
let url: string;

beforeAll(async () => {
  upstream = await startUpstream((request) => {
    seen.push(request);
    const isBroken = request.body.includes("break, please");
    return { status: isBroken ? 500 : 200, headers: [["content-type", "application/json"]], body: "{}" };
  });
  cluster = await startDemo(1, {
    UPSTREAM_OPENAI: upstream.url,
    UPSTREAM_ANTHROPIC: upstream.url,
    UPSTREAM_BEDROCK: upstream.url,
    UPSTREAM_GEMINI: upstream.url,
    UPSTREAM_WORKERS_AI: upstream.url,
    STREAM_USAGE: "openai",
  });
  url = cluster.control.url;
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

const render = (prompt: string, body: object): Sent => ({
  method: "POST",
  path: `/admin/prompts/${prompt}/render`,
  body: JSON.stringify(body),
});

/** The bytes that reach the provider when an app sends this body. */
async function relay(prompt: string, providerPath: string, body: object, headers = {}): Promise<string> {
  seen = [];
  const edge = cluster.edges[0]?.url ?? "";
  const response = await fetch(`${edge}/p/${prompt}/${providerPath}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(seen.length, `${response.status} ${text}`).toBe(1);
  return seen[0]?.body ?? "";
}

const user = { role: "user", content: "Where is my order?" };
const bodies: [string, string, object][] = [
  [
    "openai",
    "/v1/chat/completions",
    { model: "m", messages: [user], temperature: 0.123, odd: [null, "é\n"] },
  ],
  ["openai", "/v1/chat/completions", { model: "m", messages: [user], stream: true }],
  ["openai", "/v1/responses", { model: "m", input: "Where is my order?", instructions: "Be kind." }],
  ["anthropic", "/v1/messages", { model: "m", max_tokens: 10, system: "Be kind.", messages: [user] }],
  [
    "bedrock",
    "/model/us.anthropic.claude-sonnet-5-v1%3A0/converse",
    {
      system: [{ text: "Be kind." }, { cachePoint: { type: "default" } }],
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
    },
  ],
  [
    "bedrock",
    "/model/anthropic.claude-sonnet-5-v1:0/count-tokens",
    { input: { converse: { messages: [{ role: "user", content: [{ text: "Hi" }] }] } } },
  ],
  [
    "bedrock",
    "/model/anthropic.claude-sonnet-5-v1:0/invoke",
    { anthropic_version: "bedrock-2023-05-31", max_tokens: 9, messages: [user] },
  ],
  [
    "gemini",
    "/v1beta/models/gemini-3:streamGenerateContent",
    { contents: { parts: { text: "Hi" } }, system_instruction: { parts: [{ text: "Be kind." }] } },
  ],
  ["gemini", "/v1beta/models/gemini-3:countTokens", { contents: [{ parts: [{ text: "Hi" }] }] }],
  ["workers-ai", "/accounts/a/ai/run/@cf/meta/llama-3", { messages: [user] }],
  ["openai", "/v1/chat/completions", { model: "m", messages: [user], prompt_variables: { product: "Own" } }],
];

describe("render", () => {
  it.each(bodies)("%s %s: shows the very bytes that the data plane sends", async (provider, path, body) => {
    const sent = await relay(PROMPT, provider + path, body, { "prompt-version": "2" });
    const shown = await mustSend<Rendering>(url, render(PROMPT, { version: 2, provider, path, body }));
    expect(shown.text).toBe(sent);
    expect(shown.body).toEqual(JSON.parse(sent));
    expect(shown).toMatchObject({ version: 2, provider, path });
    expect(shown.text).toContain("You are the agent of");
  });

  it("takes variables as the header would bring them: over the body's own", async () => {
    const body = { model: "m", messages: [user], prompt_variables: { product: "Own" } };
    const headers = { "prompt-variables": '{"product":"Header"}', "prompt-version": "2" };
    const sent = await relay(PROMPT, "openai/v1/chat/completions", body, headers);
    const shown = await mustSend<Rendering>(
      url,
      render(PROMPT, { version: 2, body, variables: { product: "Header" } }),
    );
    expect(shown.text).toBe(sent);
    expect(shown.text).toContain("You are the agent of Header.");
  });

  it("without a version shows the baseline of the environment, without a body a minimal one", async () => {
    await seed(url, "rendered");
    const promote = { version: 2, environment: "staging" };
    const path = "/admin/prompts/rendered/promote";
    await mustSend(url, { method: "POST", path, body: JSON.stringify(promote) });
    const production = await mustSend<Rendering>(url, render("rendered", {}));
    expect(production).toMatchObject({ version: 1, provider: "openai", path: "/v1/chat/completions" });
    expect(production.text).toContain("You help users of Acme.");
    const staging = await mustSend<Rendering>(url, render("rendered", { environment: "staging" }));
    expect(staging.version).toBe(2);
  });

  it.each([
    [{ provider: "anthropic" }, "/v1/messages"],
    [{ body: { model: "m", input: "Hi" } }, "/v1/responses"],
    [{ provider: "groq" }, "/v1/chat/completions"],
    [{ provider: "bedrock" }, "/model/the-callers-model/converse"],
    [{ provider: "gemini" }, "/v1beta/models/the-callers-model:generateContent"],
    [{ provider: "gemini", body: { messages: [user] } }, "/v1beta/openai/chat/completions"],
    [
      { provider: "gemini", body: { generateContentRequest: { contents: [] } } },
      "/v1beta/models/the-callers-model:countTokens",
    ],
    [{ provider: "azure" }, "/openai/v1/chat/completions"],
    [{ provider: "workers-ai" }, "/accounts/the-account/ai/v1/chat/completions"],
    [{ path: "/v1/responses" }, "/v1/responses"],
  ])("%j goes to %s", async (body, path) => {
    expect(await mustSend<Rendering>(url, render(PROMPT, body))).toMatchObject({ path });
  });

  it("names every variable that is missing", async () => {
    await mustSend(url, { method: "PUT", path: "/admin/prompts/demanding" });
    const body = JSON.stringify({ system: "{{who}} of {{where}}" });
    await mustSend(url, { method: "POST", path: "/admin/prompts/demanding/versions", body });
    const response = await send(url, render("demanding", { variables: {} }));
    expect(response.status).toBe(400);
    const problem = (await response.json()) as Problem;
    expect(problem.code).toBe("variable_missing");
    expect(problem.missing?.toSorted()).toEqual(["where", "who"]);
  });

  it("refuses a provider that the data plane would not know either, and says which may be meant", async () => {
    for (const [provider, guess] of [
      ["antropic", /Did you mean anthropic\?/],
      ["openai-responses", /GET \/admin\/providers lists all/],
    ] as const) {
      const response = await send(url, render(PROMPT, { provider }));
      expect(response.status).toBe(404);
      const problem = (await response.json()) as Problem;
      expect(problem).toMatchObject({ code: "provider_not_found", field: "provider" });
      expect(problem.detail).toMatch(guess);
    }
  });

  it("refuses a path that no prompt goes into, and a body that cannot take one", async () => {
    const embeddings = await send(url, render(PROMPT, { path: "/v1/embeddings" }));
    expect(embeddings.status).toBe(400);
    expect(await embeddings.json()).toMatchObject({ code: "invalid_request", field: "path" });
    const headless = await send(url, render(PROMPT, { body: { model: "m", messages: "Hi" } }));
    expect(headless.status).toBe(400);
  });
});

describe("metrics", () => {
  it("count what was served, per arm and per version, pins apart", async () => {
    await seed(url, "counted");
    const body = { model: "m", messages: [user] };
    const broken = { model: "m", messages: [{ role: "user", content: "break, please" }] };
    for (let turn = 0; turn < 3; turn += 1) await relay("counted", "openai/v1/chat/completions", body);
    await relay("counted", "openai/v1/chat/completions", broken);
    await relay("counted", "openai/v1/chat/completions", body, { "prompt-version": "2" });
    const read = () => mustSend<Metrics>(url, { method: "GET", path: "/admin/prompts/counted/metrics" });
    const metrics = await until(async () => {
      const found = await read();
      const served = found.arms.reduce((sum, { requests }) => sum + requests, 0);
      return served === 5 ? found : null;
    }, 15_000);
    const counts = { requests: 4, errors: 1, aborted: 0, errorRate: 0.25, abortedRate: 0 };
    expect(metrics.versions).toMatchObject([{ version: 1, ...counts }]);
    expect(metrics.arms).toMatchObject([
      { version: 1, arm: "baseline", ...counts },
      { version: 2, arm: "pinned", requests: 1, errors: 0, aborted: 0, errorRate: 0, abortedRate: 0 },
    ]);
  });
});
