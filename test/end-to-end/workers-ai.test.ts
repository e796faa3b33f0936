// Workers AI on the wire: over REST, where bytes are kept, and through the Worker's own binding, whose code is the
// runtime's and whose calls end at a stand-in.

import OpenAI from "openai";
import { beforeAll, describe, expect, test } from "vitest";
import { expectFaithful } from "../support/fidelity.ts";
import { headerOf } from "../support/http-messages.ts";
import { json, sse } from "../support/upstream.ts";
import { MODEL, MODELLED, parsed, PROMPT, refusal, send, SYSTEM, useFormatsRig } from "./formats-rig.ts";
import { completion, HELLO } from "./sdk-replies.ts";

const rig = useFormatsRig();

const LLAMA = "@cf/meta/llama-3.1-8b-instruct";
const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';
const REST = `/accounts/a1/ai/run/${LLAMA}`;
const ours = `{"role":"system","content":"${SYSTEM}"},`;
const rest = (prompt = PROMPT) => `/p/${prompt}/workers-ai${REST}`;

describe("over REST", () => {
  test("a prompt goes into a chat, every other byte stays", async () => {
    const body = `{ "seed":9007199254740993, ${MESSAGES}}`;
    const { client, provider } = await send(rig, rest(), body);
    expect(provider.request.url).toBe(REST);
    expect(String(provider.request.body)).toBe(
      `{ "temperature":0.5,"seed":9007199254740993, ${MESSAGES.replace("[", `[${ours}`)}}`,
    );
    expect(client.response?.body).toEqual(provider.response?.body);
  });

  test("a prompt goes into a Responses request, and into the compatible endpoints", async () => {
    const run = await send(rig, rest(), '{"input":"hi"}');
    expect(parsed(run.provider.request)).toMatchObject({ instructions: SYSTEM, input: "hi" });
    const chat = await send(
      rig,
      `/p/${PROMPT}/workers-ai/accounts/a1/ai/v1/chat/completions`,
      `{${MESSAGES}}`,
    );
    expect(parsed(chat.provider.request)).toMatchObject({ messages: [{ role: "system" }, { role: "user" }] });
  });

  test("a version's model stands in the path, slashes and all", async () => {
    await rig.admin.put("on-llama");
    await rig.admin.push("on-llama", { system: SYSTEM, model: LLAMA });
    const { provider } = await send(rig, "/workers-ai/accounts/a1/ai/run/prompt:on-llama", `{${MESSAGES}}`);
    expect(provider.request.url).toBe(REST);
  });

  test("a version's model leads nowhere but to a model: what would climb out of its place is refused", async () => {
    await rig.admin.put("climber");
    for (const model of ["@cf/../../../../user/tokens", "..", "@cf/./x", "@cf//x", "@cf/x/"]) {
      const { version } = await rig.admin.push("climber", { system: model, model });
      const pin: [string, string] = ["Prompt-Version", String(version)];
      const { response } = await refusal(rig, rest("climber"), `{${MESSAGES}}`, [pin]);
      expect([model, response?.status, headerOf(response!, "prompt-error")]).toEqual([
        model,
        400,
        "invalid_request",
      ]);
    }
    expect(rig.upstream.exchanges()).toEqual([]);
  });

  test("a bare prompt is refused in Cloudflare's own shape, with what to send instead", async () => {
    const { response } = await refusal(rig, rest(), '{"prompt":"hi"}');
    expect(response?.status).toBe(400);
    expect(parsed(response)).toMatchObject({ success: false, result: null, errors: [{ code: 400 }] });
    expect(String(response?.body)).toContain("Send messages");
    expect(rig.upstream.exchanges()).toEqual([]);
  });

  test.each(['{"text":["a", 1.0]}', "RIFF\u0000\u00ff", "{"])(
    "what is no conversation passes: %j",
    async (body) => {
      // Not even the model of a version that would force one.
      const url = body === "{" ? `/workers-ai${REST}` : rest(MODELLED);
      const { client, provider } = await send(rig, url, body);
      expect(String(provider.request.body)).toBe(body);
      expectFaithful(client, provider);
    },
  );
});

/** What the runtime's binding made of the last call. */
function sent(): { model: string | undefined; inputs: unknown; all: string } {
  const { request } = rig.upstream.exchanges().at(-1)!;
  const all = request.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).join("\n");
  const { inputs } = parsed(request) as { inputs: unknown };
  return { model: /consn-model-id: (\S+)/.exec(all)?.[1], inputs, all: `${all}\n${String(request.body)}` };
}

describe("through the binding", () => {
  let key: string;

  beforeAll(async () => {
    const minted = await rig.admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" });
    key = minted.body.key;
  });

  const bound = (url: string, body: string) =>
    send(rig, url, body, [["Authorization", `Bearer ${key}`]], "binding");

  test("a prompt goes into a chat; the model of the path runs it", async () => {
    rig.upstream.play(json({ response: "hello" }));
    const { client } = await bound(`/p/${PROMPT}/workers-ai/run/${LLAMA}`, `{${MESSAGES},"max_tokens":5}`);
    expect(client.response?.status).toBe(200);
    expect(parsed(client.response)).toEqual({ response: "hello" });
    expect(sent()).toMatchObject({
      model: LLAMA,
      inputs: {
        temperature: 0.5,
        max_tokens: 5,
        messages: [
          { role: "system", content: SYSTEM },
          { role: "user", content: "hi" },
        ],
      },
    });
    expect(headerOf(client.response!, "prompt-version")).toBe("1");
  });

  test("the official SDK of OpenAI's gets its answer, of a version's own model", async () => {
    rig.upstream.play(json(completion));
    const openai = new OpenAI({
      baseURL: `${rig.clients.binding.url}/p/${MODELLED}/workers-ai/v1`,
      apiKey: key,
      maxRetries: 0,
    });
    const answer = await openai.chat.completions.create({ model: LLAMA, messages: HELLO });
    expect(answer.choices).toEqual(completion.choices);
    expect(sent()).toMatchObject({ model: MODEL, inputs: { messages: [{ content: SYSTEM }, ...HELLO] } });
  });

  test("a stream comes unbuffered and byte for byte", async () => {
    rig.upstream.play(sse([{ data: { response: "a" } }, { data: "[DONE]" }], { everyMs: 300 }));
    const { client, provider } = await bound(
      `/p/${PROMPT}/workers-ai/run/${LLAMA}`,
      `{"stream":true,${MESSAGES}}`,
    );
    expect(client.response?.body).toEqual(provider.response?.body);
    expect(client.response!.lastByteAtMs - client.response!.bodyAtMs!).toBeGreaterThan(150);
  });

  test("an error of the model's comes as it is", async () => {
    const error = { internalCode: 5007, name: "InvalidModel", description: "No such model" };
    rig.upstream.play(json(error, { status: 400 }));
    const { client } = await bound(`/p/${PROMPT}/workers-ai/run/@cf/none`, `{${MESSAGES}}`);
    expect(client.response?.status).toBe(400);
    expect(parsed(client.response)).toEqual(error);
  });

  test("what is no conversation, and what names no prompt, passes", async () => {
    await bound(`/p/${PROMPT}/workers-ai/run/@cf/baai/bge-m3`, '{"text":["a"]}');
    expect(sent()).toMatchObject({ model: "@cf/baai/bge-m3", inputs: { text: ["a"] } });
    await bound("/workers-ai/v1/embeddings", '{"model":"@cf/baai/bge-m3","text":["b"]}');
    expect(sent()).toMatchObject({ model: "@cf/baai/bge-m3", inputs: { text: ["b"] } });
    await bound(`/workers-ai/run/${LLAMA}`, '{"prompt":"hi"}');
    expect(sent()).toMatchObject({ inputs: { prompt: "hi" } });
  });

  test("bytes and bodies without a model are refused by name", async () => {
    const headers: [string, string][] = [["Authorization", `Bearer ${key}`]];
    const bytes = await refusal(rig, `/workers-ai/run/${LLAMA}`, "RIFF", headers, "binding");
    expect(bytes.response?.status).toBe(400);
    expect(parsed(bytes.response)).toMatchObject({ success: false });
    const { response } = await refusal(
      rig,
      "/workers-ai/v1/chat/completions",
      `{${MESSAGES}}`,
      headers,
      "binding",
    );
    expect(parsed(response)).toMatchObject({ error: { param: "model" } });
  });

  test("nobody without a key of ours runs anything on the Worker's account, and no key goes on", async () => {
    for (const headers of [[], [["Authorization", "Bearer cf-token"]]] as [string, string][][]) {
      const { response } = await refusal(
        rig,
        `/workers-ai/run/${LLAMA}`,
        `{${MESSAGES}}`,
        headers,
        "binding",
      );
      expect(response?.status).toBe(401);
      expect(String(response?.body)).toContain("proxy key");
    }
    expect(rig.upstream.exchanges()).toEqual([]);
    await bound(`/workers-ai/run/${LLAMA}`, `{${MESSAGES}}`);
    expect(sent().all).not.toContain(key);
  });
});
