// Azure OpenAI on the wire: by deployment, where the path names the model and the body's `model` counts for nothing, and at
// its v1 endpoints, where the body names it.

import OpenAI, { AzureOpenAI } from "openai";
import { expect, test } from "vitest";
import { expectFaithful } from "../support/fidelity.ts";
import { headerOf } from "../support/http-messages.ts";
import { sse } from "../support/upstream.ts";
import { MODEL, MODELLED, parsed, PROMPT, send, SYSTEM, useFormatsRig } from "./formats-rig.ts";
import { HELLO } from "./sdk-replies.ts";

const rig = useFormatsRig();

const MESSAGES = '"messages":[{"role":"user","content":"hi"}]';
const DEPLOYMENT = "/openai/deployments/gpt-5/chat/completions?api-version=2026-01-01";
const ours = `{"role":"system","content":"${SYSTEM}"},`;

test("a prompt goes into a deployment's chat, whose path, query and key stay", async () => {
  const { client, provider } = await send(
    rig,
    `/p/${PROMPT}/azure${DEPLOYMENT}`,
    `{"model":"gpt-5",${MESSAGES}}`,
    [["api-key", "k"]],
  );
  expect(provider.request.url).toBe(DEPLOYMENT);
  expect(headerOf(provider.request, "api-key")).toBe("k");
  expect(parsed(provider.request)).toMatchObject({ messages: [{ role: "system" }, { role: "user" }] });
  expect(client.response?.status).toBe(200);
});

test("a version's model is the deployment, in the path as at v1", async () => {
  const path = await send(rig, `/p/${MODELLED}/azure${DEPLOYMENT}`, `{"model":"gpt-5",${MESSAGES}}`);
  expect(path.provider.request.url).toBe(DEPLOYMENT.replace("gpt-5", MODEL));
  expect(String(path.provider.request.body)).toBe(`{"model":"gpt-5",${MESSAGES.replace("[", `[${ours}`)}}`);
  const chat = await send(
    rig,
    `/p/${MODELLED}/azure/openai/v1/chat/completions`,
    `{"model":"gpt-5",${MESSAGES}}`,
  );
  expect(parsed(chat.provider.request)).toMatchObject({ model: MODEL });
  const responses = await send(
    rig,
    `/p/${MODELLED}/azure/openai/v1/responses`,
    '{"model":"gpt-5","input":"hi"}',
  );
  expect(parsed(responses.provider.request)).toEqual({ model: MODEL, input: "hi", instructions: SYSTEM });
});

test("provider_params.azure.model names the deployment, for Azure alone", async () => {
  await rig.admin.put("deployed");
  await rig.admin.push("deployed", {
    system: SYSTEM,
    model: "gpt-5.4",
    provider_params: { azure: { model: "our-gpt" } },
  });
  const { provider } = await send(rig, `/p/deployed/azure${DEPLOYMENT}`, `{${MESSAGES}}`);
  expect(provider.request.url).toBe(DEPLOYMENT.replace("gpt-5", "our-gpt"));
  const v1 = await send(rig, "/p/deployed/azure/openai/v1/chat/completions", `{${MESSAGES}}`);
  expect(parsed(v1.provider.request)).toMatchObject({ model: "our-gpt" });
});

test("the official SDK names a prompt as its model, which stands in path and body", async () => {
  const azure = new AzureOpenAI({
    endpoint: `${rig.clients.http.url}/azure`,
    apiKey: "k",
    apiVersion: "2026-01-01",
    maxRetries: 0,
  });
  await azure.chat.completions.create({ model: `prompt:${MODELLED}`, messages: HELLO });
  const sent = rig.upstream.exchanges().at(-1)!.request;
  expect(sent.url).toBe(DEPLOYMENT.replace("gpt-5", MODEL));
  expect(parsed(sent)).toMatchObject({ messages: [{ role: "system", content: SYSTEM }, ...HELLO] });
  const refused = await azure.chat.completions
    .create({ model: `prompt:${PROMPT}`, messages: HELLO })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
});

test("a stream that begins with filter results and ends without a delta comes as it is", async () => {
  rig.upstream.play(
    sse([
      { data: { id: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] } },
      { data: { choices: [{ index: 0, delta: { content: "hi" } }] } },
      { data: { choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] } },
      { data: "[DONE]" },
    ]),
  );
  const url = `/p/${PROMPT}/azure/openai/v1/chat/completions`;
  const { client, provider } = await send(
    rig,
    url,
    `{"model":"m","temperature":0.5,"stream":true,${MESSAGES}}`,
  );
  expectFaithful(client, provider);
  expect(client.response?.complete).toBe(true);
});
