// Gemini's API on the wire: the prompt in its place, the model in the path, every other byte and the query as they were.

import { describe, expect, test } from "vitest";
import { expectFaithful } from "../support/fidelity.ts";
import { headerOf } from "../support/http-messages.ts";
import { sse } from "../support/upstream.ts";
import { MODEL, MODELLED, parsed, PROMPT, refusal, send, SYSTEM, useFormatsRig } from "./formats-rig.ts";

const rig = useFormatsRig();

const CONTENTS = String.raw`"contents":[{"role":"user","parts":[{"text":"h\u0065llo 🙂"}]}]`;
const BODY = `{ "n":9007199254740993, ${CONTENTS} ,"safety_settings":[ ]}`;
const OURS = `"systemInstruction":{"parts":[{"text":"${SYSTEM}"}]},`;
const CONFIG = '"generationConfig":{"temperature":0.5},';
const at = (path: string, prompt = PROMPT) => `/p/${prompt}/gemini${path}`;

describe("a prompt", () => {
  test.each(["v1", "v1beta"])(
    "goes into systemInstruction, at %s as at any version of the API",
    async (api) => {
      const { client, provider } = await send(rig, at(`/${api}/models/gemini-3:generateContent`), BODY);
      expect(provider.request.url).toBe(`/${api}/models/gemini-3:generateContent`);
      expect(String(provider.request.body)).toBe(BODY.replace("{ ", `{ ${OURS}${CONFIG}`));
      expectFaithful(client, provider);
    },
  );

  test("goes into a stream, whose query stays", async () => {
    const url = "/v1beta/models/gemini-3:streamGenerateContent?alt=sse&x=%2F";
    const events = [{ data: { candidates: [{ content: { parts: [{ text: "a" }] } }] } }];
    rig.upstream.play(sse(events, { newline: "\r\n" }));
    const { client, provider } = await send(rig, at(url), BODY);
    expect(provider.request.url).toBe(url);
    expectFaithful(client, provider);
  });

  test("goes into a stream of array items, which come one by one as they are", async () => {
    rig.upstream.play({
      headers: [["content-type", "application/json; charset=UTF-8"]],
      chunks: [
        { bytes: '[{"candidates":[]}\n' },
        { bytes: ',\n{"usageMetadata":{"promptTokenCount":1}}\n]', afterMs: 300 },
      ],
    });
    const { client, provider } = await send(rig, at("/v1beta/models/gemini-3:streamGenerateContent"), BODY);
    expectFaithful(client, provider);
    const { bodyAtMs, lastByteAtMs } = client.response!;
    expect(lastByteAtMs - bodyAtMs!).toBeGreaterThan(150);
  });

  test("counts: what is counted is what would be sent", async () => {
    const { provider } = await send(rig, at("/v1beta/models/gemini-3:countTokens"), `{${CONTENTS}}`);
    expect(parsed(provider.request)).toEqual({
      generateContentRequest: {
        model: "models/gemini-3",
        systemInstruction: { parts: [{ text: SYSTEM }] },
        contents: [{ role: "user", parts: [{ text: "hello 🙂" }] }],
      },
    });
  });

  test("counts on Vertex AI, whose count takes the members themselves", async () => {
    const path = "/v1/projects/p/locations/l/publishers/google/models/gemini-3:countTokens";
    const { provider } = await send(rig, `/p/${PROMPT}/vertex${path}`, `{${CONTENTS}}`);
    expect(String(provider.request.body)).toBe(`{${OURS}${CONTENTS}}`);
  });

  test("beside cached content is refused by name, and nothing is sent", async () => {
    const body = `{"cachedContent":"cachedContents/c",${CONTENTS}}`;
    const { response } = await refusal(rig, at("/v1beta/models/gemini-3:generateContent"), body);
    expect(response?.status).toBe(400);
    expect(headerOf(response!, "prompt-error")).toBe("invalid_request");
    expect(parsed(response)).toMatchObject({ error: { code: 400, status: "INVALID_ARGUMENT" } });
    expect(String(response?.body)).toContain("cachedContent");
    expect(rig.upstream.exchanges()).toEqual([]);
  });
});

describe("the model of a version", () => {
  test("stands in the path, in the place of the caller's or of the prompt's name", async () => {
    const named = await send(rig, `/gemini/v1beta/models/prompt:${MODELLED}:generateContent`, BODY);
    expect(named.provider.request.url).toBe(`/v1beta/models/${MODEL}:generateContent`);
    expect(headerOf(named.client.response!, "prompt-name")).toBe(MODELLED);
    const url = at("/v1beta/models/gemini-3:streamGenerateContent?alt=sse", MODELLED);
    const { provider } = await send(rig, url, BODY);
    expect(provider.request.url).toBe(`/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`);
  });

  test("has to be the path's where the version names none", async () => {
    const { response } = await refusal(rig, `/gemini/v1beta/models/prompt:${PROMPT}:generateContent`, BODY);
    expect(response?.status).toBe(400);
    expect(parsed(response)).toMatchObject({ error: { status: "INVALID_ARGUMENT" } });
  });
});

test("variables are the request's own member, and do not go up", async () => {
  await rig.admin.put("greeter");
  await rig.admin.push("greeter", { system: "Greet {{name}}.", variables: { name: { required: true } } });
  const url = at("/v1beta/models/gemini-3:generateContent", "greeter");
  const { provider } = await send(rig, url, `{"prompt_variables":{"name":"Ada"},${CONTENTS}}`);
  expect(String(provider.request.body)).toBe(
    `{"systemInstruction":{"parts":[{"text":"Greet Ada."}]},${CONTENTS}}`,
  );
  const { response } = await refusal(rig, url, `{${CONTENTS}}`);
  expect(headerOf(response!, "prompt-error")).toBe("variable_missing");
});

describe("an error of ours", () => {
  const stream = "/v1beta/models/gemini-3:streamGenerateContent";
  const missing = { error: { code: 404, status: "NOT_FOUND" } };

  test.each([
    ["/v1beta/models/gemini-3:generateContent", missing],
    [`${stream}?alt=sse`, missing],
    [stream, [missing]],
    [`${stream}?key=k`, [missing]],
  ])("at %s has the shape that is read there", async (path, expected) => {
    const { response } = await refusal(rig, at(path, "nobodys-prompt"), BODY);
    expect(response?.status).toBe(404);
    expect(parsed(response)).toMatchObject(expected);
  });
});

test("what no prompt is named for, and what is no turn, passes as it is", async () => {
  const batch = '{ "requests":[{"model":"models/e","content":{"parts":[]}}] }';
  for (const [url, body] of [
    ["/gemini/v1beta/models/gemini-3:generateContent?alt=sse", BODY],
    [at("/v1beta/models/e:batchEmbedContents"), batch],
    ["/gemini/v1beta/models/gemini-3:generateContent", "{"],
  ] as const) {
    const { client, provider } = await send(rig, url, body);
    expect(String(provider.request.body)).toBe(body);
    expectFaithful(client, provider);
  }
});

test("a key in the URL goes up and is written down nowhere", async () => {
  const key = "AIzaSyTheClientsOwnKey";
  const url = at(`/v1beta/models/gemini-3:generateContent?key=${key}`);
  const { provider } = await send(rig, url, BODY);
  expect(provider.request.url).toContain(`key=${key}`);
  rig.upstream.play({ status: 500, end: "cut" });
  await refusal(rig, url, BODY);
  const { response } = await refusal(rig, `${at(":generateContent", "nobody")}?key=${key}`, BODY);
  expect(String(response?.body)).not.toContain(key);
  expect(JSON.stringify(rig.cluster.logs)).not.toContain(key);
});
