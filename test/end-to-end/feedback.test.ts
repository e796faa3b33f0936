// Feedback over HTTP, on the built Worker: from the header that an SDK reads to the totals that people read. Who may give it,
// from where, on what; that a storm of it counts exactly once and keeps no edge from its lease.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FeedbackPage, FeedbackReceipt } from "../../src/core/feedback.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { openai } from "./sdk-rig.ts";

const PROMPT = "support-bot";
const OTHER = "billing-bot";
const ANSWER = { choices: [{ index: 0, message: { role: "assistant", content: "hi" } }] };
const LIMIT = 5;

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 2,
    vars: { UPSTREAM_OPENAI: upstream.url, OPENAI_API_KEY: "sk-held" },
    limits: [LIMIT],
  });
  admin = connectAdmin(cluster.control.url);
  for (const prompt of [PROMPT, OTHER]) {
    await admin.put(prompt);
    await admin.push(prompt, { system: "Speak as the baseline." });
    await admin.push(prompt, { system: "Speak as the canary." });
  }
  await admin.canary(PROMPT, 2, 5, { environment: "staging" });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(json(ANSWER)));

/** The id of an answer, from the first edge. */
async function askForId(prompt = PROMPT, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${cluster.edges[0]!.url}/p/${prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] }),
  });
  await answer.text();
  return answer.headers.get("prompt-request-id") ?? "";
}

type Given = {
  status: number;
  headers: Headers;
  body: FeedbackReceipt & { code?: string; detail?: string; field?: string };
};

async function give(
  body: object,
  credential: Record<string, string> = { authorization: `Bearer ${ADMIN_TOKEN}` },
  edge = 1,
): Promise<Given> {
  const answer = await fetch(`${cluster.edges[edge]!.url}/feedback`, {
    method: "POST",
    headers: { "content-type": "application/json", ...credential },
    body: JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Given["body"] };
}

async function mint(scope: object = {}): Promise<string> {
  const { body } = await admin.call<{ key: string }>("POST", "/admin/keys", { name: "checkout", ...scope });
  return body.key;
}

async function read(prompt: string, query = ""): Promise<FeedbackPage> {
  const { body } = await admin.call<FeedbackPage>("GET", `/admin/prompts/${prompt}/feedback?${query}`);
  return body;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe("an application", () => {
  it("gives feedback with its proxy key, by the header that its SDK reads, at any isolate", async () => {
    const key = await mint({ prompts: [PROMPT] });
    const { response } = await openai(cluster.edges[0]!, { prompt: PROMPT, apiKey: key })
      .chat.completions.create({ model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] })
      .withResponse();
    const requestId = response.headers.get("prompt-request-id");
    const comment = "It promised a refund after 60 days. 🙃";
    const given = await give({ request_id: requestId, name: "thumbs", value: "down", comment }, bearer(key));
    expect([given.status, given.body]).toEqual([
      202,
      {
        prompt: PROMPT,
        environment: "production",
        revision: 1,
        version: 1,
        arm: "baseline",
        reason: "static",
        result: "counted",
      },
    ]);
    const { feedback, totals } = await read(PROMPT, "name=thumbs");
    expect(feedback[0]).toMatchObject({ name: "thumbs", value: false, comment, by: "checkout", version: 1 });
    expect(requestId).toContain(feedback[0]!.requestId);
    expect(totals).toMatchObject([{ version: 1, name: "thumbs", up: 0, down: 1 }]);
  });

  it("gives it in whatever header its SDK has a key in, and with tokens of any role", async () => {
    const key = await mint();
    const token = await admin.call<{ token: string }>("POST", "/admin/tokens", {
      name: "eve",
      role: "viewer",
    });
    const credentials = [{ "x-api-key": key }, { "api-key": key }, bearer(key), bearer(token.body.token)];
    for (const [at, credential] of credentials.entries()) {
      const request_id = await askForId();
      const given = await give({ request_id, name: "score", value: at / 4 }, credential);
      expect([at, given.status]).toEqual([at, 202]);
    }
    expect((await read(PROMPT, "name=score")).totals).toMatchObject([{ scores: 4, meanScore: 0.375 }]);
  });

  it("gives it with a key for feedback, which opens nothing else", async () => {
    const key = await mint({ use: "feedback", prompts: [PROMPT] });
    const request_id = await askForId();
    expect((await give({ request_id, name: "public", value: true }, bearer(key))).status).toBe(202);
    const other = await give({ request_id: await askForId(OTHER), name: "public", value: true }, bearer(key));
    expect([other.status, other.body.code]).toEqual([403, "forbidden"]);
    const asked = upstream.exchanges().length;
    const chat = JSON.stringify({ model: "gpt-5.4-mini", messages: [{ role: "user", content: "hello" }] });
    for (const [method, path] of [
      ["POST", `/p/${PROMPT}/openai/v1/chat/completions`],
      ["POST", "/openai/v1/chat/completions"],
      ["GET", "/openai/v1/models"],
      ["POST", `/p/${PROMPT}/anthropic/v1/messages`],
    ] as const) {
      const answer = await fetch(cluster.edges[1]!.url + path, {
        method,
        headers: { "content-type": "application/json", "x-api-key": key },
        ...(method === "POST" && { body: chat }),
      });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.text()).toContain("POST /feedback and nothing else");
    }
    expect(upstream.exchanges().length).toBe(asked);
    for (const path of ["/admin/whoami", `/admin/prompts/${PROMPT}/feedback`, "/metrics"]) {
      const answer = await fetch(cluster.edges[1]!.url + path, { headers: bearer(key) });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  it("is refused without a credential, with an unknown one, and beyond its key's scope", async () => {
    const request_id = await askForId();
    const thumbs = { request_id, name: "thumbs", value: true };
    const none = await give(thumbs, {});
    expect([none.status, none.body.code]).toEqual([401, "unauthenticated"]);
    expect(none.headers.get("content-type")).toBe("application/problem+json");
    expect(none.headers.get("www-authenticate")).toMatch(/^Bearer/);
    const wrong = ["sb_" + "x".repeat(43), "sb_short", "sbt_" + "x".repeat(43), "sk-held", ""];
    for (const key of wrong) {
      const refused = await give(thumbs, bearer(key));
      expect([key, refused.status, refused.body.code]).toEqual([key, 401, "unauthenticated"]);
    }
    for (const scope of [{ prompts: [OTHER] }, { environments: ["staging"] }]) {
      const refused = await give(thumbs, bearer(await mint(scope)));
      expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    }
    const staged = await askForId(PROMPT, { "prompt-environment": "staging" });
    const given = await give(
      { ...thumbs, request_id: staged },
      bearer(await mint({ environments: ["staging"] })),
    );
    expect([given.status, given.body.environment]).toEqual([202, "staging"]);
    expect((await read(PROMPT, "environment=staging")).totals).toHaveLength(1);
  });

  it("is held to its key's limit", async () => {
    const key = await mint({ requestsPerMinute: LIMIT });
    const request_id = await askForId();
    const statuses: number[] = [];
    for (let at = 0; at <= LIMIT; at += 1) {
      statuses.push((await give({ request_id, name: "limited", value: true }, bearer(key))).status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.slice(0, LIMIT)).toEqual(Array.from({ length: LIMIT }, () => 202));
  });
});

describe("a page in a browser", () => {
  it("of any origin may ask, and gets to read what it is answered, refusals too", async () => {
    const origin = { origin: "https://shop.example" };
    const asked = await fetch(`${cluster.edges[0]!.url}/feedback`, {
      method: "OPTIONS",
      headers: {
        ...origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get("access-control-allow-methods")).toBe("POST");
    expect(asked.headers.get("access-control-allow-headers")).toMatch(/authorization, content-type.*, \*$/);
    const thumbs = { request_id: await askForId(), name: "thumbs", value: true };
    const answers = [await give(thumbs, { ...origin, ...bearer(await mint()) }), await give(thumbs, origin)];
    expect(answers.map(({ status }) => status)).toEqual([202, 401]);
    for (const { headers } of [asked, ...answers]) {
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("access-control-expose-headers")).toBe("retry-after");
      // Nothing here goes by what a browser sends of itself.
      expect(headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  it("may ask nothing else of the control plane", async () => {
    for (const path of ["/admin/prompts", `/admin/prompts/${PROMPT}/feedback`]) {
      for (const method of ["OPTIONS", "GET"]) {
        const answer = await fetch(cluster.edges[0]!.url + path, {
          method,
          headers: { origin: "https://x.example" },
        });
        await answer.text();
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });
});

describe("what cannot be said", () => {
  it("is refused by name, with the mend", async () => {
    const request_id = await askForId();
    const refusals: [object, string, RegExp][] = [
      [{ name: "thumbs", value: true }, "request_id", /is missing/],
      [{ request_id, value: true }, "name", /is missing/],
      [{ request_id, name: "thumbs" }, "value", /true or false, a number/],
      [{ request_id, name: "Thumbs Up", value: true }, "name", /lower-case/],
      [{ request_id, name: "score", value: 5 }, "value", /\(rating - 1\) \/ 4/],
      [{ request_id, name: "thumbs", value: null }, "value", /true or false/],
      [{ request_id, name: "thumbs", value: true, comment: "x".repeat(2_001) }, "comment", /2000/],
      [{ request_id, name: "thumbs", value: true, score: 1 }, "score", /not known/],
      [{ request_id: "chatcmpl-1", name: "thumbs", value: true }, "request_id", /Prompt-Request-Id/],
      [{ request_id: crypto.randomUUID(), name: "thumbs", value: true }, "request_id", /no version/],
    ];
    for (const [body, field, mend] of refusals) {
      const refused = await give(body);
      expect([refused.status, refused.body.field], refused.body.detail).toEqual([400, field]);
      expect(refused.body.detail).toMatch(mend);
    }
  });

  it("is anything by an id that was changed, of another prompt or of none: all refused alike", async () => {
    const id = await askForId();
    const details = new Set<string | undefined>();
    for (const request_id of [
      id.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
      id.replace("1v1", "1v2"),
      id.replace(PROMPT, OTHER),
      id.replace(PROMPT, "nobody"),
      id.replace("production", "staging"),
    ]) {
      const refused = await give({ request_id, name: "forged", value: true });
      expect([refused.status, refused.body.code]).toEqual([400, "invalid_request"]);
      details.add(refused.body.detail);
    }
    expect(details.size).toBe(1);
    expect((await read(PROMPT, "name=forged")).totals).toEqual([]);
  });

  it("is what another method asks for", async () => {
    const answer = await fetch(`${cluster.edges[0]!.url}/feedback`);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    await answer.text();
  });
});

it("a storm from two isolates counts every answer once, and no edge loses its lease over it", async () => {
  const prompt = "stormy";
  await admin.put(prompt);
  await admin.push(prompt, { system: "Speak as the baseline." });
  await admin.push(prompt, { system: "Speak as the canary." });
  await admin.canary(prompt, 2, 100, { transition: "now" });
  const ids = await Promise.all(Array.from({ length: 60 }, () => askForId(prompt)));
  const sent = [...ids, ...ids, ...ids].map((request_id, at) => async () => {
    const body = { request_id, name: "thumbs", value: true };
    const statuses: number[] = [];
    await until(async () => {
      const { status } = await give(body, undefined, at % 2);
      statuses.push(status);
      return status === 202;
    }, 20_000);
    return statuses;
  });
  const served: (string | null)[] = [];
  const asking = (async () => {
    for (let at = 0; at < 40; at += 1) {
      const id = await askForId(prompt);
      served.push(/\.\d+v(\d)/.exec(id)?.[1] ?? null);
    }
  })();
  const statuses = (await Promise.all(sent.map((send) => send()))).flat();
  await asking;
  expect([...new Set(statuses)].filter((status) => status !== 202 && status !== 429)).toEqual([]);
  expect(new Set(served)).toEqual(new Set(["2"]));
  expect((await read(prompt)).totals).toMatchObject([{ version: 2, up: 60, down: 0 }]);
});

it("thumbs down on a canary are evidence against it, and in the end its guardrail's reason to roll it back", async () => {
  const prompt = "disliked";
  await admin.put(prompt, { unit: "request" });
  await admin.push(prompt, { system: "Speak as the baseline." });
  await admin.push(prompt, { system: "Speak as the canary." });
  await admin.canary(prompt, 2, 50, { transition: "now" });
  const release = await until(async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => askForId(prompt)));
    const said = ids.map((request_id) => {
      const isCanary = /\.\d+v2c/.test(request_id);
      return give({ request_id, name: "thumbs", value: isCanary ? "down" : "up" });
    });
    for (const { status } of await Promise.all(said)) expect(status).toBe(202);
    const found = await admin.readRelease(prompt);
    return found.action === "rollback" ? found : null;
  }, 50_000);
  expect(release).toMatchObject({ baseline: 1, changedBy: "guardrail" });
  expect(release.reason).toMatch(/thumbs down/);
  const { totals } = await read(prompt);
  expect(totals.find(({ version }) => version === 1)).toMatchObject({ down: 0 });
  expect(totals.find(({ version }) => version === 2)).toMatchObject({ up: 0 });
});

it("outlives Control: the key stays, and repeats are known", async () => {
  const request_id = await askForId(OTHER);
  const thumbs = { request_id, name: "thumbs", value: true };
  expect((await give(thumbs)).body.result).toBe("counted");
  await cluster.evict(OTHER);
  expect((await give(thumbs)).body.result).toBe("repeated");
  await cluster.restart();
  admin = connectAdmin(cluster.control.url);
  expect((await give({ ...thumbs, value: false })).body.result).toBe("replaced");
  expect((await read(OTHER)).totals).toMatchObject([{ up: 0, down: 1 }]);
});
