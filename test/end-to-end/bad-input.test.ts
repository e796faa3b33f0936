// What goes wrong is said in the caller's own format, with the code, the field and the mend; and whatever goes wrong,
// nothing reaches the provider un-prompted.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { PLAIN_ID, SIGNED_ID } from "../support/request-ids.ts";
import { callAdmin, createPrompt, send, startProvider, type Answer, type Provider } from "./rollback-rig.ts";

const MAX_BODY_BYTES = 200_000;
const CHAT = "openai/v1/chat/completions";
const MESSAGES = [{ role: "user", content: "Hi" }];

let provider: Provider;
let cluster: Cluster;
let url: string;

beforeAll(async () => {
  provider = await startProvider();
  const vars = {
    UPSTREAM_OPENAI: provider.url,
    UPSTREAM_ANTHROPIC: provider.url,
    UPSTREAM_GEMINI: provider.url,
    MAX_BODY_BYTES: String(MAX_BODY_BYTES),
  };
  cluster = await startCluster({ edges: 1, vars });
  url = cluster.edges[0]?.url ?? "";
  await createPrompt(cluster.control.url, "bot");
  await callAdmin(cluster.control.url, "PUT", "/admin/prompts/greeter");
  const system = "You are the baseline. Greet {{name}} of {{company}}, {{age}}.";
  const variables = { age: { type: "number" } };
  await callAdmin(cluster.control.url, "POST", "/admin/prompts/greeter/versions", { system, variables });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});
beforeEach(() => void (provider.dispatches.length = 0));

function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return send(`${url}/${path}`, "POST", body, headers);
}

function chatBody(more: object = {}): string {
  return JSON.stringify({ model: "m", messages: MESSAGES, ...more });
}

type Refusal = { status: number; code: string; message?: RegExp; retry?: boolean };

function expectRefusal(answer: Answer, { status, code, message, retry = false }: Refusal): void {
  expect([answer.status, answer.headers["prompt-error"]], answer.body).toEqual([status, code]);
  expect(answer.headers["x-should-retry"]).toBe(retry ? undefined : "false");
  const isDecided = answer.headers["prompt-version"] !== undefined;
  expect(answer.headers["prompt-request-id"]).toMatch(isDecided ? SIGNED_ID : PLAIN_ID);
  const parsed = JSON.parse(answer.body) as { error: { message: string } };
  if (message) expect(parsed.error.message).toMatch(message);
  expect(provider.dispatches, "nothing went upstream").toEqual([]);
}

describe("a request that names something unknown", () => {
  it("is refused for an unknown prompt, wherever it is named", async () => {
    const refusal = { status: 404, code: "prompt_not_found", message: /nope/ };
    expectRefusal(await post(`p/nope/${CHAT}`, chatBody()), refusal);
    expectRefusal(await post(CHAT, chatBody(), { "prompt-name": "nope" }), refusal);
    expectRefusal(await post(CHAT, chatBody({ prompt: { id: "nope" } })), refusal);
    expectRefusal(await post(CHAT, chatBody({ model: "prompt:nope" })), refusal);
  });

  it("is refused for an unknown or impossible version", async () => {
    expectRefusal(await post(`p/bot/${CHAT}`, chatBody(), { "prompt-version": "9" }), {
      status: 404,
      code: "version_not_found",
      message: /9/,
    });
    for (const version of ["latest", "0", "-1", "1.5", "2x"]) {
      expectRefusal(await post(`p/bot/${CHAT}`, chatBody(), { "prompt-version": version }), {
        status: 400,
        code: "invalid_request",
        message: /Prompt-Version/,
      });
    }
  });

  it("is refused for an unknown provider or environment", async () => {
    expectRefusal(await post("p/bot/nope/v1/chat/completions", chatBody()), {
      status: 404,
      code: "provider_not_found",
      message: /UPSTREAM_NOPE/,
    });
    expectRefusal(await post(`p/bot@staging/${CHAT}`, chatBody()), {
      status: 404,
      code: "environment_not_found",
      message: /staging/,
    });
    expectRefusal(await post(`p/bot/${CHAT}`, chatBody(), { "prompt-environment": "Not A Name" }), {
      status: 400,
      code: "invalid_request",
      message: /environment/,
    });
  });

  it("is refused where its base URL brings the version along that the SDK adds, and passes without a prompt", async () => {
    const refusal = { status: 400, code: "invalid_request", message: /\/v1 twice/ };
    expectRefusal(await post(`p/bot/openai/v1/v1/chat/completions`, chatBody()), refusal);
    expectRefusal(await post(`p/bot/anthropic/v1/v1/messages`, chatBody()), refusal);
    expectRefusal(await post("openai/v1/v1/chat/completions", chatBody(), { "prompt-name": "bot" }), refusal);
    expect((await post("openai/v1/v1/embeddings", chatBody())).status).toBe(200);
    expect(provider.dispatches).toHaveLength(1);
  });

  it("is refused for an archived prompt and for a partial", async () => {
    await callAdmin(cluster.control.url, "PUT", "/admin/prompts/gone");
    await callAdmin(cluster.control.url, "POST", "/admin/prompts/gone/versions", { system: "x" });
    await callAdmin(cluster.control.url, "DELETE", "/admin/prompts/gone");
    const archived = { status: 404, code: "prompt_not_found", message: /archived/ };
    expectRefusal(await post(`p/gone/${CHAT}`, chatBody()), archived);
    await callAdmin(cluster.control.url, "PUT", "/admin/prompts/tone", { kind: "partial" });
    await callAdmin(cluster.control.url, "POST", "/admin/prompts/tone/versions", { system: "Be kind." });
    const partial = { status: 404, code: "prompt_not_found", message: /partial/ };
    expectRefusal(await post(`p/tone/${CHAT}`, chatBody()), partial);
  });

  it("gets its prompt however the endpoint's path is written", async () => {
    for (const path of ["%63hat/completions", "chat%2Fcompletions", "chat/completions/"]) {
      const answer = await post(`p/bot/openai/v1/${path}`, chatBody());
      expect([answer.status, answer.headers["prompt-version"]], path).toEqual([200, "1"]);
    }
    expect(provider.dispatches.map(({ version }) => version)).toEqual(["baseline", "baseline", "baseline"]);
  });

  it("hears which prompt it was about on every refusal", async () => {
    const refused = [
      await post("p/bot/nope/v1/chat/completions", chatBody()),
      await post(`p/bot/${CHAT}`, chatBody(), { "prompt-version": "abc" }),
      await post(`p/bot/${CHAT}`, chatBody({ pad: "x".repeat(MAX_BODY_BYTES) })),
      await post(`p/bot/${CHAT}`, chatBody(), { authorization: "Bearer sb_unknown" }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 400, 413, 401]);
    for (const { headers } of refused) expect(headers["prompt-name"]).toBe("bot");
    const odd = await post(`p/%F0%9F%92%A5%0D%0Ax/${CHAT}`, chatBody());
    expect([odd.status, odd.headers["prompt-name"]]).toEqual([404, "____x"]);
  });

  it("is refused where no prompt can be injected, instead of going through without it", async () => {
    const invoke = await post("p/bot/openai/model/amazon.titan/invoke", JSON.stringify({ inputText: "x" }));
    expectRefusal(invoke, { status: 400, code: "invalid_request" });
    expect(invoke.body).toMatch(/amazon.titan.invoke.*Converse/);
    const speech = await post("p/bot/openai/model/m/invoke-with-bidirectional-stream", "{}");
    expectRefusal(speech, { status: 400, code: "invalid_request" });
    expectRefusal(await post(`p/bot/${CHAT}`, chatBody(), { authorization: "Bearer sb_unknown" }), {
      status: 401,
      code: "unauthenticated",
    });
  });
});

describe("variables", () => {
  it("that are missing are all named at once", async () => {
    const answer = await post(`p/greeter/${CHAT}`, chatBody({ prompt_variables: { company: "Acme" } }));
    expectRefusal(answer, { status: 400, code: "variable_missing", message: /name.*age|age.*name/ });
  });

  it("of the wrong type, or in a header that is no JSON object, are named", async () => {
    const wrong = chatBody({ prompt_variables: { name: "A", company: "B", age: "old" } });
    expectRefusal(await post(`p/greeter/${CHAT}`, wrong), {
      status: 400,
      code: "variable_invalid",
      message: /age/,
    });
    for (const header of ["{", "[1]", "null", "7"]) {
      expectRefusal(await post(`p/greeter/${CHAT}`, chatBody(), { "prompt-variables": header }), {
        status: 400,
        code: "variable_invalid",
        message: /Prompt-Variables/,
      });
    }
  });

  it("are merged, the later place winning, and never reach the provider", async () => {
    const body = chatBody({
      prompt: { id: "greeter", variables: { name: "Field", company: "Field" } },
      prompt_variables: { company: "Body", age: 1 },
    });
    const answer = await post(CHAT, body, { "prompt-variables": `{"age":2}` });
    expect(answer.status).toBe(200);
    expect(provider.dispatches).toMatchObject([{ version: "baseline" }]);
  });
});

describe("a body that is no good", () => {
  const whole = chatBody({ seed: 1 });

  it("is refused at every byte where it may have been cut off", async () => {
    for (let length = 0; length < whole.length; length += 1) {
      const answer = await post(`p/bot/${CHAT}`, whole.slice(0, length));
      expectRefusal(answer, { status: 400, code: "invalid_request" });
    }
  });

  it("is refused when malformed, not UTF-8, not an object or with messages that are none", async () => {
    const bodies = [`{"messages":[],}`, `[]`, `null`, `"x"`, `{"messages":"hi"}`, `{"messages":{}}`, "x"];
    for (const body of bodies) {
      expectRefusal(await post(`p/bot/${CHAT}`, body), { status: 400, code: "invalid_request" });
    }
    const bytes = Buffer.concat([
      Buffer.from(`{"messages":[{"role":"user","content":"`),
      Buffer.from([0xc3, 0x28]),
      Buffer.from(`"}]}`),
    ]);
    const answer = await fetch(`${url}/p/bot/${CHAT}`, { method: "POST", body: bytes });
    expect([answer.status, answer.headers.get("prompt-error")]).toEqual([400, "invalid_request"]);
    expect(provider.dispatches).toEqual([]);
  });

  it("is refused when too large, with a length and without one", async () => {
    const huge = chatBody({ pad: "x".repeat(MAX_BODY_BYTES) });
    expectRefusal(await post(`p/bot/${CHAT}`, huge), { status: 413, code: "body_too_large" });
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(huge));
        controller.close();
      },
    });
    const init = { method: "POST", body: stream, duplex: "half" };
    const answer = await fetch(`${url}/p/bot/${CHAT}`, init as RequestInit);
    expect([answer.status, answer.headers.get("prompt-error")]).toEqual([413, "body_too_large"]);
    expect(provider.dispatches).toEqual([]);
  });

  it("is refused when compressed, rather than sent without the prompt", async () => {
    expectRefusal(await post(`p/bot/${CHAT}`, whole, { "content-encoding": "gzip" }), {
      status: 400,
      code: "invalid_request",
      message: /uncompressed/,
    });
  });

  it("passes to the provider as it is where no prompt is named at all", async () => {
    const answer = await post(CHAT, `{"broken`);
    expect(answer.status).toBe(200);
    expect(provider.dispatches).toMatchObject([{ version: "none" }]);
  });
});

describe("an error of ours", () => {
  it("has the shape of the caller's provider", async () => {
    const anthropic = await post("p/nope/anthropic/v1/messages", chatBody());
    expect(JSON.parse(anthropic.body)).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    const openai = await post(`p/nope/${CHAT}`, chatBody());
    expect(JSON.parse(openai.body)).toMatchObject({
      error: { code: "prompt_not_found", type: "not_found_error" },
    });
    const gemini = await post("p/nope/gemini/v1beta/models/g:generateContent", "{}");
    expect(JSON.parse(gemini.body)).toMatchObject({ error: { code: 404, status: "NOT_FOUND" } });
  });

  it("tells when the provider is out of reach, and that a retry may help", async () => {
    const down = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: "http://127.0.0.1:9" } });
    try {
      await createPrompt(down.control.url, "bot");
      const answer = await send(`${down.edges[0]?.url}/p/bot/${CHAT}`, "POST", chatBody(), {});
      expectRefusal(answer, { status: 502, code: "upstream_unreachable", retry: true });
      expect(answer.headers["prompt-version"]).toBe("1");
    } finally {
      await down.stop();
    }
  });

  it("tells a cold isolate's caller to come back when neither Control nor KV can be reached", async () => {
    const faults = { edges: { control: "dead", registry: "dead", store: "dead" } } as const;
    const cut = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: provider.url }, faults });
    try {
      await createPrompt(cut.control.url, "bot");
      const answer = await send(`${cut.edges[0]?.url}/p/bot/${CHAT}`, "POST", chatBody(), {});
      expectRefusal(answer, { status: 503, code: "release_unavailable", retry: true });
      expect(answer.headers["retry-after"]).toBe("1");
    } finally {
      await cut.stop();
    }
  });

  it("does not stop a cold isolate that can reach one of the two", async () => {
    for (const faults of [{ control: "dead" }, { store: "dead" }] as const) {
      const part = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: provider.url } });
      try {
        await createPrompt(part.control.url, "bot");
        await expect.poll(() => part.store.list(), { timeout: 5_000 }).toContain("release:bot:production");
        await part.edges[0]?.setFaults({ registry: "dead", ...faults });
        const answer = await send(`${part.edges[0]?.url}/p/bot/${CHAT}`, "POST", chatBody(), {});
        expect([answer.status, answer.headers["prompt-version"]], answer.body).toEqual([200, "1"]);
        expect(answer.headers["prompt-reason"]).toBe("control" in faults ? "no_lease" : "static");
      } finally {
        await part.stop();
      }
    }
  });
});
