// Proxy keys at the edge, several isolates against one Registry: a revocation is in force everywhere within the lease, an
// outage of the Registry stops nobody who was known before it, and a key opens what it is scoped to and nothing else.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProxyKey } from "../../src/core/ports.ts";
import { type Admin, connectAdmin } from "../support/admin.ts";
import { ADMIN_TOKEN, type Cluster, type Isolate, startCluster } from "../support/cluster.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { completion, HELLO } from "./sdk-replies.ts";

type Minted = ProxyKey & { key: string };
type Answer = { status: number; error: string | null; retryAfter: string | null; body: string };
type Ask = {
  mount?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: object;
  method?: string;
};

const PROMPT = "support-bot";
const OTHER = "billing-bot";
const LEASE_MS = 2_000;
const LIMIT = 3;
/** What tests on a loaded machine may be late by. */
const SLACK_MS = 1_000;

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let one: Isolate;
let two: Isolate;
/** Has no grace. */
let strict: Isolate;
/** Takes nobody without a key. */
let closed: Isolate;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 4,
    vars: { UPSTREAM_OPENAI: upstream.url, UPSTREAM_GROQ: upstream.url, OPENAI_API_KEY: "sk-held" },
    edgeVars: [{}, {}, { KEY_GRACE_MS: "0" }, { REQUIRE_KEY: "true" }],
    limits: [LIMIT, 60],
  });
  [one, two, strict, closed] = cluster.edges as [Isolate, Isolate, Isolate, Isolate];
  admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT, { aliases: ["pmpt_support"] });
  await admin.push(PROMPT, { system: "Be kind.", model: "gpt-5.4-mini" });
  await admin.put(OTHER, { aliases: ["pmpt_billing"] });
  await admin.push(OTHER, { system: "Be exact." });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(async () => {
  upstream.play(json(completion));
  for (const edge of cluster.edges) await edge.setFaults({ control: "none", registry: "none" });
});

async function mint(scope: object = {}): Promise<Minted> {
  const answer = await admin.call<Minted>("POST", "/admin/keys", { name: "app", ...scope });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

async function revoke(key: Minted): Promise<void> {
  expect((await admin.call("DELETE", `/admin/keys/${key.id}`)).status).toBe(200);
}

/** A chat turn through `edge`, as an SDK with this API key sends it. */
async function ask(edge: Isolate, key: string | null, sent: Ask = {}): Promise<Answer> {
  const {
    mount = `/p/${PROMPT}/openai`,
    path = "/v1/chat/completions",
    headers,
    body,
    method = "POST",
  } = sent;
  const response = await fetch(edge.url + mount + path, {
    method,
    headers: {
      "content-type": "application/json",
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(method === "POST" && { body: JSON.stringify({ model: "m", messages: HELLO, ...body }) }),
  });
  return {
    status: response.status,
    error: response.headers.get("prompt-error"),
    retryAfter: response.headers.get("retry-after"),
    body: await response.text(),
  };
}

const checks = async (edge: Isolate) => (await edge.readCalls())["registry.checkKeys"] ?? 0;
const lastCredential = () =>
  upstream
    .exchanges()
    .at(-1)
    ?.request.headers.find(([name]) => name.toLowerCase() === "authorization")?.[1];

describe("a key", () => {
  it("that is valid opens the provider with the Worker's secret", async () => {
    const { key, id } = await mint();
    expect((await ask(one, key)).status).toBe(200);
    expect(lastCredential()).toBe("Bearer sk-held");
    const { body } = await admin.call<{ keys: ProxyKey[] }>("GET", "/admin/keys");
    const used = body.keys.find((known) => known.id === id)?.lastUsedAt;
    expect(Date.now() - Date.parse(used ?? "")).toBeLessThan(60_000);
  });

  it.each([
    ["unknown", `sb_${"A".repeat(43)}`],
    ["too short", "sb_1"],
    ["another token", `sbt_${"A".repeat(43)}`],
    ["the deployment's ADMIN_TOKEN", ADMIN_TOKEN],
  ])("that is %s opens nothing, even where anonymous callers may pass", async (_, key) => {
    const answer = await ask(one, key);
    expect(answer).toMatchObject({ status: 401, error: "unauthenticated" });
    expect(answer.body).not.toContain(key);
    expect(upstream.exchanges()).toEqual([]);
  });

  it("is asked for where the deployment demands one", async () => {
    expect(await ask(closed, null)).toMatchObject({ status: 401, error: "unauthenticated" });
    expect(await ask(closed, "sk-of-the-client")).toMatchObject({ status: 401, error: "unauthenticated" });
    expect((await ask(closed, (await mint()).key)).status).toBe(200);
  });

  it("that is revoked is refused by every isolate within the lease, in use or not", async () => {
    const key = await mint();
    for (const edge of [one, two]) expect((await ask(edge, key.key)).status).toBe(200);
    const revokedAtMs = Date.now();
    await revoke(key);
    const refusedAfterMs = async (edge: Isolate) => {
      await until(async () => (await ask(edge, key.key)).status === 401, LEASE_MS + SLACK_MS);
      return Date.now() - revokedAtMs;
    };
    for (const lateMs of await Promise.all([refusedAfterMs(one), refusedAfterMs(two)])) {
      expect(lateMs).toBeLessThan(LEASE_MS + SLACK_MS);
    }
    // Once refused, refused for good.
    for (const edge of [one, two]) expect((await ask(edge, key.key)).status).toBe(401);
  });

  it("that is revoked opens nothing once more where it was not in use for as long as a lease", async () => {
    const key = await mint();
    expect((await ask(two, key.key)).status).toBe(200);
    const usedAtMs = Date.now();
    await revoke(key);
    await until(() => Date.now() - usedAtMs > LEASE_MS);
    upstream.play(json(completion));
    expect((await ask(two, key.key)).status).toBe(401);
    expect(upstream.exchanges()).toEqual([]);
  });

  it("is made sure of before a request passes without a prompt, too", async () => {
    const key = await mint();
    const models = { method: "GET", mount: "/openai", path: "/v1/models" };
    expect((await ask(two, key.key, models)).status).toBe(200);
    const usedAtMs = Date.now();
    await revoke(key);
    await until(() => Date.now() - usedAtMs > LEASE_MS);
    upstream.play(json(completion));
    expect((await ask(two, key.key, models)).status).toBe(401);
    expect(upstream.exchanges()).toEqual([]);
  });

  it("that is revoked is refused within the lease however late the Registry's answers are", async () => {
    const key = await mint();
    expect((await ask(one, key.key)).status).toBe(200);
    await one.setFaults({ registry: { answerDelayMs: 900 } });
    // Keeps the key in use, so that a good answer is on its way while the key is revoked.
    const until401 = until(async () => (await ask(one, key.key)).status === 401, 10_000);
    const before = await checks(one);
    await until(async () => (await checks(one)) > before);
    await revoke(key);
    const revokedAtMs = Date.now();
    await until401;
    expect(Date.now() - revokedAtMs).toBeLessThan(LEASE_MS + SLACK_MS);
    expect((await ask(one, key.key)).status).toBe(401);
  });

  it("that expires stops at its time, without the Registry", async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { key } = await mint({ expiresAt });
    expect((await ask(one, key)).status).toBe(200);
    await one.setFaults({ registry: "dead" });
    await until(async () => (await ask(one, key)).status === 401);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  });

  it("is written to no log", async () => {
    const { key } = await mint();
    await ask(one, key);
    await ask(one, `${key.slice(0, -1)}_`);
    expect(JSON.stringify(cluster.logs)).not.toContain("sb_");
  });
});

describe("the Registry", () => {
  it("is asked once a second for all keys in use, not once a request", async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => mint()));
    for (const { key } of keys) await ask(one, key);
    const before = await checks(one);
    const startedAtMs = Date.now();
    let requests = 0;
    await until(async () => {
      await Promise.all(keys.map(({ key }) => ask(one, key)));
      requests += keys.length;
      return Date.now() - startedAtMs > 2_500;
    }, 10_000);
    const seconds = (Date.now() - startedAtMs) / 1_000;
    expect(requests).toBeGreaterThan(20);
    expect((await checks(one)) - before).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
  });

  it("is asked once about an unknown key, and in few calls about many of them", async () => {
    const garbage = Array.from({ length: 80 }, (_, index) => `sb_${String(index).padStart(43, "x")}`);
    const before = await checks(two);
    const startedAtMs = Date.now();
    const answers = await Promise.all(garbage.slice(0, 40).map((key) => ask(two, key)));
    for (const { status } of answers) expect(status).toBe(401);
    expect((await checks(two)) - before).toBeLessThan(20);
    for (const key of garbage.slice(40)) expect((await ask(two, key)).status).toBe(401);
    const made = (await checks(two)) - before;
    // 50 a second at most, and one that was due at once.
    expect(made).toBeLessThanOrEqual(1 + (Date.now() - startedAtMs) / 20);
    for (const key of garbage) await ask(two, key);
    expect(await checks(two)).toBe(before + made);
  });

  it.each(["dead", "silent"] as const)(
    "when it is %s leaves known keys working, and unknown ones with a hint to come back",
    async (fault) => {
      const known = await mint();
      const unknown = await mint();
      expect((await ask(one, known.key)).status).toBe(200);
      await one.setFaults({ registry: fault });
      const outageAtMs = Date.now();
      // Well past the lease.
      await until(async () => {
        expect((await ask(one, known.key)).status).toBe(200);
        return Date.now() - outageAtMs > LEASE_MS + 500;
      }, 10_000);
      expect(await ask(one, unknown.key)).toMatchObject({
        status: 503,
        error: "release_unavailable",
        retryAfter: "1",
      });
      await one.setFaults({ registry: "none" });
      await until(async () => (await ask(one, unknown.key)).status === 200);
    },
    20_000,
  );

  it("when it is out of reach stops every key where no grace is given", async () => {
    const { key } = await mint();
    expect((await ask(strict, key)).status).toBe(200);
    await strict.setFaults({ registry: "dead" });
    await until(async () => (await ask(strict, key)).status === 503, LEASE_MS + SLACK_MS);
    expect(await ask(strict, key)).toMatchObject({ error: "release_unavailable" });
  });

  it("that comes back ends what was revoked meanwhile", async () => {
    const key = await mint();
    expect((await ask(one, key.key)).status).toBe(200);
    await one.setFaults({ registry: "dead" });
    await revoke(key);
    await until(async () => (await checks(one)) > 0);
    expect((await ask(one, key.key)).status).toBe(200);
    await one.setFaults({ registry: "none" });
    await until(async () => (await ask(one, key.key)).status === 401, LEASE_MS + SLACK_MS);
  });
});

describe("a key's scope", () => {
  const refusal = { status: 403, error: "forbidden" };
  let narrow: Minted;
  beforeAll(async () => {
    narrow = await mint({ name: "narrow", prompts: ["pmpt_support"] });
  });

  it("names prompts, by any of their names and wherever the request names them", async () => {
    for (const [mount, headers, body] of [
      [`/p/${PROMPT}/openai`, {}, {}],
      ["/p/pmpt_support/openai", {}, {}],
      ["/openai", { "prompt-name": PROMPT }, {}],
      ["/openai", {}, { prompt: { id: "pmpt_support" } }],
      ["/openai", {}, { model: `prompt:${PROMPT}` }],
    ] as [string, Record<string, string>, object][]) {
      expect(await ask(one, narrow.key, { mount, headers, body })).toMatchObject({
        status: 200,
        error: null,
      });
    }
  });

  it.each([
    ["the URL", `/p/${OTHER}/openai`, {}, {}],
    ["an alias in the URL", "/p/pmpt_billing/openai", {}, {}],
    ["a header", "/openai", { "prompt-name": OTHER }, {}],
    ["the body", "/openai", {}, { prompt: { id: OTHER } }],
    ["an alias in the body", "/openai", {}, { prompt: { id: "pmpt_billing" } }],
    ["the model", "/openai", {}, { model: `prompt:${OTHER}` }],
    ["nothing", "/openai", {}, {}],
    ["the URL, as one that nobody has", "/p/nobody/openai", {}, {}],
  ])("keeps it from what %s names beyond it, before anything is sent", async (_, mount, headers, body) => {
    for (const edge of [one, two]) {
      const answer = await ask(edge, narrow.key, { mount, headers: headers as Record<string, string>, body });
      expect(answer).toMatchObject(refusal);
      expect(answer.body).toContain(`is for the prompts ${PROMPT}`);
    }
    expect(upstream.exchanges()).toEqual([]);
  });

  it.each([
    ["a list of models", "GET", "/openai", "/v1/models"],
    ["embeddings", "POST", "/openai", "/v1/embeddings"],
    ["embeddings under its prompt's URL", "POST", `/p/${PROMPT}/openai`, "/v1/embeddings"],
  ])("keeps it from %s, unless it was minted for pass-through", async (_, method, mount, path) => {
    expect(await ask(one, narrow.key, { method, mount, path })).toMatchObject(refusal);
    expect(upstream.exchanges()).toEqual([]);
    const wide = await mint({ prompts: [PROMPT], passThrough: true });
    expect((await ask(one, wide.key, { method, mount, path })).status).toBe(200);
    const foreign = { method, mount: "/p/pmpt_billing/openai", path };
    expect(await ask(one, wide.key, foreign)).toMatchObject(refusal);
    const own = { method, mount: "/p/pmpt_support/openai", path };
    expect((await ask(one, wide.key, own)).status).toBe(200);
  });

  it("names environments and providers", async () => {
    const { key } = await mint({ environments: ["staging"], providers: ["openai"] });
    expect(await ask(one, key)).toMatchObject(refusal);
    const staging = { mount: `/p/${PROMPT}@staging/openai` };
    // Past the scope: there is no release in staging.
    expect(await ask(one, key, staging)).toMatchObject({ status: 404 });
    expect(await ask(one, key, { mount: "/groq" })).toMatchObject(refusal);
  });

  it("does not matter where the Worker holds no secret, which is said instead", async () => {
    const { key } = await mint();
    const answer = await ask(one, key, { mount: "/groq" });
    expect(answer).toMatchObject(refusal);
    expect(answer.body).toContain("GROQ_API_KEY");
    expect(upstream.exchanges()).toEqual([]);
  });
});

describe("a key's limit", () => {
  it("lets so many requests a minute through, and says when to come back", async () => {
    const { key } = await mint({ requestsPerMinute: LIMIT });
    const other = await mint({ requestsPerMinute: LIMIT });
    const answers: Answer[] = [];
    // The simulator's minute may begin anew in between.
    for (let index = 0; index < 2 * LIMIT + 1; index += 1) answers.push(await ask(one, key));
    const passed = answers.filter(({ status }) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(LIMIT);
    expect(passed).toBeLessThanOrEqual(2 * LIMIT);
    const refused = answers.find(({ status }) => status !== 200);
    expect(refused).toMatchObject({ status: 429, error: "rate_limited", retryAfter: "10" });
    expect((await ask(one, other.key)).status).toBe(200);
  });

  it("must be one that the deployment has", async () => {
    const refused = await admin.call<{ detail: string }>("POST", "/admin/keys", {
      name: "app",
      requestsPerMinute: 61,
    });
    expect(refused.status).toBe(400);
    expect(refused.body.detail).toContain(`${LIMIT}, 60`);
    expect(refused.body.detail).toContain("RATE_LIMIT_61");
  });
});
