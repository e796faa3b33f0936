// The official OpenAI SDK with only its base URL changed. What it returns is judged by what the application sees;
// what went up, by the tap in front of the provider.

import { randomBytes } from "node:crypto";
import { toFile } from "openai";
import type { RunnableToolFunctionWithParse } from "openai/lib/RunnableFunction";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { headerOf } from "../support/http-messages.ts";
import type { Exchange } from "../support/tap.ts";
import { json } from "../support/upstream.ts";
import { completion, HELLO as hello, MODEL as model } from "./sdk-replies.ts";
import { bodyOf, collect, MODELLED, openai, PROMPT, SYSTEM, TEMPLATED, useRig } from "./sdk-rig.ts";

const rig = useRig();

const weather = {
  name: "weather",
  description: "The weather in a city.",
  parameters: { type: "object", properties: { city: { type: "string" } } },
};

type ChatBody = { messages: { role: string; content: string }[]; [field: string]: unknown };

/** Bodies of the turns that reached aimock. */
function turns(): ChatBody[] {
  return rig.aimock.exchanges().map((exchange) => bodyOf<ChatBody>(exchange));
}

describe("chat completions", () => {
  test("a chat is answered, with the prompt in front and the account in the headers", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi there" });
    const client = openai(rig.clients.aimock);
    const { data, response } = await client.chat.completions
      .create({ model, messages: hello })
      .withResponse();
    expect(data.choices[0]?.message.content).toBe("hi there");
    expect(turns()).toEqual([{ model, messages: [{ role: "system", content: SYSTEM }, ...hello] }]);
    const [exchange] = rig.aimock.exchanges();
    expect(exchange?.request).toMatchObject({ method: "POST", url: "/v1/chat/completions" });
    expect(headerOf(exchange!.request, "authorization")).toBe("Bearer sk-client");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "prompt-name": PROMPT,
      "prompt-version": "1",
      "prompt-arm": "baseline",
      "prompt-revision": "1",
      "prompt-reason": "static",
      "prompt-request-id": expect.stringMatching(/./),
      "server-timing": expect.stringContaining("proxy;dur="),
    });
  });

  test("a stream arrives delta by delta; usage comes only when asked for", async () => {
    rig.aimock.mock.onMessage("hello", { content: "one two three four" }, { chunkSize: 4 });
    const client = openai(rig.clients.aimock);
    for (const wanted of [true, false]) {
      const stream = await client.chat.completions.create({
        model,
        messages: hello,
        stream: true,
        ...(wanted && { stream_options: { include_usage: true } }),
      });
      const received = await collect(stream);
      const text = received.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
      expect(text).toBe("one two three four");
      expect(received.length).toBeGreaterThan(4);
      expect(received.some((chunk) => chunk.usage != null)).toBe(wanted);
      expect(received.every((chunk) => wanted || chunk.choices.length > 0)).toBe(true);
    }
  });

  test("a tool loop runs to its end, with the prompt once in every turn", async () => {
    const call = { name: "weather", arguments: '{"city":"Oslo"}', id: "call_1" };
    rig.aimock.mock.on({ userMessage: "hello", hasToolResult: false }, { toolCalls: [call] });
    rig.aimock.mock.on({ userMessage: "hello", hasToolResult: true }, { content: "cold" });
    const cities: unknown[] = [];
    const tool: RunnableToolFunctionWithParse<{ city: string }> = {
      type: "function",
      function: { ...weather, parse: JSON.parse, function: ({ city }) => cities.push(city) },
    };
    const client = openai(rig.clients.aimock);
    const runner = client.chat.completions.runTools({ model, messages: hello, tools: [tool] });
    expect(await runner.finalContent()).toBe("cold");
    expect(cities).toEqual(["Oslo"]);
    const roles = turns().map(({ messages }) => messages.map(({ role }) => role));
    expect(roles).toEqual([
      ["system", "user"],
      ["system", "user", "assistant", "tool"],
    ]);
  });

  test("structured output is parsed by the SDK", async () => {
    rig.aimock.mock.onMessage("hello", { content: '{"city":"Oslo","degrees":-4}' });
    const schema = z.object({ city: z.string(), degrees: z.number() });
    const parsed = await openai(rig.clients.aimock).chat.completions.parse({
      model,
      messages: hello,
      response_format: zodResponseFormat(schema, "weather"),
    });
    expect(parsed.choices[0]?.message.parsed).toEqual({ city: "Oslo", degrees: -4 });
  });

  test("a prompt named in the body, and its variables, work without a prompt in the URL", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi" });
    const client = openai(rig.clients.aimock, { prompt: null });
    const ours = { prompt: { id: TEMPLATED }, prompt_variables: { product: "bread", count: 3 } };
    await client.chat.completions.create({ model, messages: hello, ...ours } as never);
    expect(turns()[0]?.messages[0]?.content).toBe("You sell bread in 3 shops.");
    expect(Object.keys(turns()[0]!).toSorted()).toEqual(["messages", "model"]);
  });

  test("a prompt named as the model brings its own", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi" });
    const client = openai(rig.clients.aimock, { prompt: null });
    await client.chat.completions.create({ model: `prompt:${MODELLED.name}`, messages: hello });
    const { model: forced, system } = MODELLED.content;
    expect(turns()).toEqual([{ model: forced, messages: [{ role: "system", content: system }, ...hello] }]);
  });
});

describe("responses", () => {
  test("a response is answered, with the prompt in its instructions", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi there" });
    const response = await openai(rig.clients.aimock).responses.create({ model, input: "hello" });
    expect(response.output_text).toBe("hi there");
    const [exchange] = rig.aimock.exchanges();
    expect(exchange?.request.url).toBe("/v1/responses");
    expect(bodyOf(exchange)).toEqual({ model, input: "hello", instructions: SYSTEM });
  });

  test("a stream ends in the SDK's final response", async () => {
    rig.aimock.mock.onMessage("hello", { content: "one two three" }, { chunkSize: 4 });
    const stream = openai(rig.clients.aimock).responses.stream({ model, input: "hello" });
    const deltas: string[] = [];
    stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
    expect((await stream.finalResponse()).output_text).toBe("one two three");
    expect(deltas.length).toBeGreaterThan(2);
  });

  test("previous_response_id goes up as it is, and the prompt with it again", async () => {
    rig.aimock.mock.onMessage("more", { content: "more of it" });
    const request = { model, input: "more", previous_response_id: "resp_123" };
    await openai(rig.clients.aimock).responses.create(request);
    expect(bodyOf(rig.aimock.exchanges()[0])).toEqual({ ...request, instructions: SYSTEM });
  });

  test("OpenAI's own prompt parameter names one of ours, and is gone when the provider is asked", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi" });
    const client = openai(rig.clients.aimock, { prompt: null });
    const prompt = { id: TEMPLATED, version: "1", variables: { product: "bread", count: 3 as never } };
    const { response } = await client.responses.create({ model, input: "hello", prompt }).withResponse();
    expect(response.headers.get("prompt-arm")).toBe("pinned");
    expect(bodyOf(rig.aimock.exchanges()[0])).toEqual({
      model,
      input: "hello",
      instructions: "You sell bread in 3 shops.",
    });
  });

  test("structured output is parsed by the SDK", async () => {
    rig.aimock.mock.onMessage("hello", { content: '{"city":"Oslo"}' });
    const format = zodTextFormat(z.object({ city: z.string() }), "weather");
    const response = await openai(rig.clients.aimock).responses.parse({
      model,
      input: "hello",
      text: { format },
    });
    expect(response.output_parsed).toEqual({ city: "Oslo" });
  });
});

describe("what takes no prompt passes through", () => {
  test("embeddings and models", async () => {
    const client = openai(rig.clients.aimock);
    const { data } = await client.embeddings.create({ model: "text-embedding-3-small", input: "hello" });
    expect(data[0]?.embedding.length).toBeGreaterThan(0);
    expect((await collect(client.models.list())).length).toBeGreaterThan(0);
    expectSameBodies();
  });

  test("an upload goes by byte for byte", async () => {
    rig.upstream.play(json({ id: "file-1", object: "file" }));
    const content = Buffer.concat([randomBytes(300_000), Buffer.from("\r\n--boundary\r\n\u0000")]);
    const file = await toFile(content, 'data "ö".bin');
    expect((await openai(rig.clients.upstream).files.create({ file, purpose: "assistants" })).id).toBe(
      "file-1",
    );
    const [sent] = rig.clients.upstream.exchanges();
    const [received] = rig.upstream.exchanges();
    expect(received!.request.body.includes(content)).toBe(true);
    expect(received!.request.body.equals(sent!.request.body)).toBe(true);
    const boundary = headerOf(sent!.request, "content-type");
    expect(boundary).toMatch(/^multipart\/form-data; boundary=/);
    expect(headerOf(received!.request, "content-type")).toBe(boundary);
  });
});

/** Every request of the SDK reached aimock with its own method and body. */
function expectSameBodies(): void {
  expect(rig.aimock.exchanges().map(describeBody)).toEqual(rig.clients.aimock.exchanges().map(describeBody));
}

function describeBody({ request }: Exchange): string {
  return `${request.method} ${request.body.toString()}`;
}

test("_request_id and the rate limit headers are the provider's", async () => {
  rig.upstream.play(
    json(completion, {
      headers: [
        ["x-request-id", "req_42"],
        ["x-ratelimit-remaining-tokens", "17"],
      ],
    }),
  );
  const { data, response } = await openai(rig.clients.upstream)
    .chat.completions.create({ model, messages: hello })
    .withResponse();
  expect(data).toHaveProperty("_request_id", "req_42");
  expect(response.headers.get("x-ratelimit-remaining-tokens")).toBe("17");
});
