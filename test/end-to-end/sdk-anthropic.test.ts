// The official Anthropic SDK with only its base URL changed. What it returns is judged by what the application sees;
// what went up, by the tap in front of the provider.

import { randomBytes } from "node:crypto";
import { toFile } from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { headerOf } from "../support/http-messages.ts";
import { json } from "../support/upstream.ts";
import { HELLO as messages, message } from "./sdk-replies.ts";
import { anthropic, bodyOf, collect, PROMPT, SYSTEM, TEMPLATED, useRig } from "./sdk-rig.ts";

const rig = useRig();
const turn = { model: "claude-sonnet-5", max_tokens: 64, messages };

type Sent = { system: unknown; messages: { role: string }[]; [field: string]: unknown };

function sentToAimock(): Sent[] {
  return rig.aimock.exchanges().map((exchange) => bodyOf<Sent>(exchange));
}

/** The system text of a body, in either of the format's two spellings. */
function systemOf({ system }: Sent): string {
  if (typeof system === "string") return system;
  return (system as { text: string }[]).map(({ text }) => text).join("\n");
}

describe("messages", () => {
  test("a message is answered, with the prompt as its system text and the account in the headers", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi there" });
    const { data, response } = await anthropic(rig.clients.aimock).messages.create(turn).withResponse();
    expect(data.content).toMatchObject([{ type: "text", text: "hi there" }]);
    const [exchange] = rig.aimock.exchanges();
    expect(exchange?.request).toMatchObject({ method: "POST", url: "/v1/messages" });
    expect(bodyOf(exchange)).toEqual({ ...turn, system: SYSTEM });
    for (const name of ["authorization", "anthropic-version"]) {
      const [sent] = rig.clients.aimock.exchanges();
      expect(headerOf(exchange!.request, name)).toBe(headerOf(sent!.request, name));
      expect(headerOf(exchange!.request, name)).not.toBeNull();
    }
    expect(response.headers.get("prompt-name")).toBe(PROMPT);
    expect(response.headers.get("prompt-version")).toBe("1");
  });

  test("the caller's own system blocks stay, cache marks included, behind the prompt", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi" });
    const own = { type: "text", text: "Own words.", cache_control: { type: "ephemeral" } } as const;
    await anthropic(rig.clients.aimock).messages.create({ ...turn, system: [own] });
    const { system } = sentToAimock()[0]!;
    expect(system).toEqual([expect.objectContaining({ type: "text", text: SYSTEM }), own]);
  });

  test("a stream adds up to its message, in the provider's own order of events", async () => {
    rig.aimock.mock.onMessage("hello", { content: "one two three four" }, { chunkSize: 4 });
    const stream = anthropic(rig.clients.aimock).messages.stream(turn);
    const types: string[] = [];
    stream.on("streamEvent", ({ type }) => types.push(type));
    expect(await stream.finalText()).toBe("one two three four");
    expect(types[0]).toBe("message_start");
    expect(types.at(-1)).toBe("message_stop");
    expect(types.filter((type) => type === "content_block_delta").length).toBeGreaterThan(3);
  });

  test("a tool loop runs to its end, with the prompt in every turn", async () => {
    const call = { name: "weather", arguments: '{"city":"Oslo"}', id: "toolu_1" };
    rig.aimock.mock.on({ userMessage: "hello", hasToolResult: false }, { toolCalls: [call] });
    rig.aimock.mock.on({ hasToolResult: true }, { content: "cold" });
    const client = anthropic(rig.clients.aimock);
    const weather = { name: "weather", input_schema: { type: "object" as const } };
    const asked = await client.messages.create({ ...turn, tools: [weather] });
    expect(asked.stop_reason).toBe("tool_use");
    const use = asked.content.find((block) => block.type === "tool_use");
    expect(use?.input).toEqual({ city: "Oslo" });
    const answered = await client.messages.create({
      ...turn,
      tools: [weather],
      messages: [
        ...messages,
        { role: "assistant", content: asked.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use!.id, content: "-4" }] },
      ],
    });
    expect(answered.content).toMatchObject([{ type: "text", text: "cold" }]);
    expect(sentToAimock().map(systemOf)).toEqual([SYSTEM, SYSTEM]);
  });

  test("structured output is parsed by the SDK", async () => {
    rig.aimock.mock.onMessage("hello", { content: '{"city":"Oslo"}' });
    const format = zodOutputFormat(z.object({ city: z.string() }));
    const parsed = await anthropic(rig.clients.aimock).messages.parse({ ...turn, output_config: { format } });
    expect(parsed.parsed_output).toEqual({ city: "Oslo" });
  });

  test("a prompt named in the model, with variables in the body, works without a prompt in the URL", async () => {
    rig.aimock.mock.onMessage("hello", { content: "hi" });
    const client = anthropic(rig.clients.aimock, { prompt: null });
    const variables = { prompt_variables: { product: "bread", count: 3 } };
    const headers = { "prompt-name": TEMPLATED };
    await client.messages.create({ ...turn, ...variables } as typeof turn, { headers });
    expect(sentToAimock()).toEqual([{ ...turn, system: "You sell bread in 3 shops." }]);
  });
});

describe("count_tokens", () => {
  test("counts the prompt too, and is no turn", async () => {
    rig.upstream.play(json({ input_tokens: 42 }));
    const client = anthropic(rig.clients.upstream);
    const { model } = turn;
    const { data, response } = await client.messages.countTokens({ model, messages }).withResponse();
    expect(data.input_tokens).toBe(42);
    const [exchange] = rig.upstream.exchanges();
    expect(exchange?.request.url).toBe("/v1/messages/count_tokens");
    expect(bodyOf(exchange)).toEqual({ model, messages, system: SYSTEM });
    expect(response.headers.get("prompt-version")).toBe("1");
  });
});

describe("what takes no prompt passes through", () => {
  test("models", async () => {
    const listed = { data: [{ id: "claude-sonnet-5", type: "model" }], has_more: false };
    rig.upstream.play(json(listed));
    const models = await collect(anthropic(rig.clients.upstream).models.list());
    expect(models).toMatchObject(listed.data);
    expect(rig.upstream.exchanges()[0]?.request).toMatchObject({ method: "GET", url: "/v1/models" });
  });

  test("an upload goes by byte for byte, beta header and all", async () => {
    rig.upstream.play(json({ id: "file_1", type: "file" }));
    const content = Buffer.concat([randomBytes(300_000), Buffer.from("\r\n--boundary\r\n\u0000")]);
    const file = await toFile(content, "data.bin", { type: "application/octet-stream" });
    const uploaded = await anthropic(rig.clients.upstream).beta.files.upload({
      file,
      betas: ["next-month-2027-01-01"],
    });
    expect(uploaded.id).toBe("file_1");
    const [sent] = rig.clients.upstream.exchanges();
    const [received] = rig.upstream.exchanges();
    expect(received!.request.body.includes(content)).toBe(true);
    expect(received!.request.body.equals(sent!.request.body)).toBe(true);
    for (const name of ["content-type", "anthropic-beta"]) {
      expect(headerOf(received!.request, name)).toBe(headerOf(sent!.request, name));
      expect(headerOf(received!.request, name)).not.toBeNull();
    }
  });
});

test("_request_id and the rate limit headers are the provider's", async () => {
  const limit = "anthropic-ratelimit-unified-5h-remaining";
  rig.upstream.play(
    json(message, {
      headers: [
        ["request-id", "req_42"],
        [limit, "17"],
      ],
    }),
  );
  const { data, response } = await anthropic(rig.clients.upstream).messages.create(turn).withResponse();
  expect(data).toHaveProperty("_request_id", "req_42");
  expect(response.headers.get(limit)).toBe("17");
});
