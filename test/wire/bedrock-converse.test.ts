import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import { bedrockCount } from "../../src/wire/bedrock-count.ts";
import { bedrockInvoke } from "../../src/wire/bedrock-invoke.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import type { Pieces, WireFormat } from "../../src/wire/wire.ts";
import { randomBody } from "./bodies.ts";
import { describeFormat } from "./format-suite.ts";
import { inject as injectInto, scanText, tryInject } from "./injecting.ts";
import { seededRandom } from "./random.ts";
import { randomVersions, renderedWith } from "./versions.ts";

const CONVERSE = "bedrock-converse";

describeFormat({
  format: FORMATS[CONVERSE],
  smallest: '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}',
  counts: true,
  modelInPath: true,
});

describeFormat({
  name: "bedrock-invoke",
  format: bedrockInvoke as unknown as WireFormat,
  smallest:
    '{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
  counts: false,
  modelInPath: true,
});

const inject = (
  text: string,
  ...rest: [Parameters<typeof injectInto>[2], Parameters<typeof injectInto>[3]?]
) => injectInto(CONVERSE, text, ...rest);

const withSystem = (system: string) => `{"system":${system},"messages":[]}`;

describe("Converse's system text", () => {
  const system = "S";
  const block = '{"text":"S"}';

  it("is a block among the caller's, cache points and guarded blocks untouched", () => {
    const own = '{"text":"A\\t"},{"guardContent":{"text":{"text":"g"}}}, {"cachePoint":{"type":"default"}}';
    expect(inject(withSystem(`[${own}]`), { system })).toBe(withSystem(`[${block},${own}]`));
    expect(inject(withSystem(`[${own}]`), { system, placement: "append" })).toBe(
      withSystem(`[${own},${block}]`),
    );
    expect(inject(withSystem(`[${own}]`), { system, placement: "replace" })).toBe(withSystem(`[${block}]`));
    expect(inject(withSystem(`[${own}]`), { system, placement: "if_absent" })).toBe(withSystem(`[${own}]`));
    expect(inject(withSystem("[]"), { system, placement: "if_absent" })).toBe(withSystem(`[${block}]`));
    expect(inject('{"messages":[]}', { system })).toBe(`{"system":[${block}],"messages":[]}`);
  });

  it("is refused a place in what is no list", () => {
    expect(tryInject(CONVERSE, withSystem('"A"'), { system })).toMatchObject({ field: "system" });
  });
});

describe("what Converse calls otherwise", () => {
  it("parameters, and leaves out what is one model's alone", () => {
    const params = {
      temperature: 0.2,
      top_p: 1,
      max_output_tokens: 5,
      stop: ["END"],
      tool_choice: "required",
      service_tier: "flex",
      top_k: 40,
      reasoning_effort: "low",
      seed: 7,
    };
    const out = inject('{"inferenceConfig":{"maxTokens":9,"x":1.0},"messages":[]}', { params });
    expect(JSON.parse(out)).toEqual({
      inferenceConfig: { maxTokens: 5, x: 1, temperature: 0.2, topP: 1, stopSequences: ["END"] },
      toolConfig: { toolChoice: { any: {} } },
      serviceTier: { type: "flex" },
      messages: [],
    });
    expect(out).toContain('"x":1.0');
  });

  it("tools, in the place of the caller's of the same name", () => {
    const parameters = { type: "object", properties: {} };
    const tools = [{ name: "find", description: "d", parameters, strict: true }];
    const caller = '{"toolSpec":{"name":"find"}},{"cachePoint":{"type":"default"}},{"toolSpec":{"name":"b"}}';
    const out = inject(`{"toolConfig":{"tools":[${caller}]},"messages":[]}`, { tools });
    const ours = `{"toolSpec":{"name":"find","description":"d","strict":true,"inputSchema":{"json":${JSON.stringify(parameters)}}}}`;
    expect(out).toBe(
      `{"toolConfig":{"tools":[${ours},{"cachePoint":{"type":"default"}},{"toolSpec":{"name":"b"}}]},"messages":[]}`,
    );
    const params = { tool_choice: { name: "find" } };
    expect(JSON.parse(inject('{"messages":[]}', { tools, params }))).toMatchObject({
      toolConfig: { toolChoice: { tool: { name: "find" } }, tools: [{ toolSpec: { name: "find" } }] },
    });
    expect(tryInject(CONVERSE, '{"messages":[]}', { tools: [{ type: "web_search" }] })).toMatchObject({
      problem: "invalid_request",
      field: "tools",
    });
    expect(tryInject(CONVERSE, '{"toolConfig":7,"messages":[]}', { tools })).toMatchObject({
      field: "toolConfig",
    });
  });

  it("a response format, whose schema is a text, or says that it has none such", () => {
    const schema = { type: "object", properties: {} };
    const responseFormat = { type: "json_schema", name: "answer", schema, strict: true };
    expect(JSON.parse(inject('{"messages":[]}', { responseFormat }))).toEqual({
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { name: "answer", schema: JSON.stringify(schema) } },
        },
      },
      messages: [],
    });
    expect(tryInject(CONVERSE, '{"messages":[]}', { responseFormat: { type: "json_object" } })).toMatchObject(
      { field: "response_format" },
    );
  });

  it("examples, and takes provider_params of bedrock verbatim, whatever the provider is called", () => {
    const examples = [{ role: "user" as const, content: "q" }];
    const providerParams = { bedrock: { additionalModelRequestFields: { top_k: 5 } } };
    const version = { examples, providerParams };
    expect(JSON.parse(inject('{"messages":[]}', version, { provider: "bedrock-eu" }))).toEqual({
      messages: [{ role: "user", content: [{ text: "q" }] }],
      additionalModelRequestFields: { top_k: 5 },
    });
  });
});

it("Converse's unit keys are its request metadata, else the first user message", () => {
  const messages = '"messages":[{"role":"user","content":[{"text":"a"},{"image":{}},{"text":"b"}]}]';
  expect(scanText(CONVERSE, `{${messages}}`)).toMatchObject({
    conversationKey: null,
    userKey: null,
    firstUserText: "ab",
    continues: false,
  });
  const metadata = '"requestMetadata":{"session_id":"s","userId":"u"}';
  expect(scanText(CONVERSE, `{${metadata},${messages}}`)).toMatchObject({
    conversationKey: "s",
    userKey: "u",
  });
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe("InvokeModel", () => {
  it("takes a prompt into what says that it is Anthropic's, and never another model in its path", () => {
    expect(bedrockInvoke.scan(encode('{"inputText":"hi"}'))).toMatchObject({ field: "anthropic_version" });
    const options = { provider: "bedrock", count: false, modelInPath: true };
    const scan = bedrockInvoke.scan(encode('{"anthropic_version":"b","messages":[]}'));
    if (isProblem(scan)) throw new Error(scan.message);
    const plan = (model: string) =>
      bedrockInvoke.plan(scan, bedrockInvoke.prepare(renderedWith({ model }), options));
    expect(plan("amazon.nova-pro-v1:0")).toMatchObject({ field: "model" });
    expect(plan("eu.anthropic.claude-sonnet-5-v1:0")).toEqual([]);
  });
});

describe("CountTokens", () => {
  const decoder = new TextDecoder();
  const options = { provider: "bedrock", count: true, modelInPath: true };

  function injectIn(format: WireFormat, text: string, prepared: Pieces): string | null {
    const scan = format.scan(new TextEncoder().encode(text));
    const out = isProblem(scan) ? scan : format.inject(scan, prepared);
    return isProblem(out) ? null : decoder.decode(out);
  }

  it("counts what the call itself would send, for any body and any version", () => {
    const seed = Math.floor(Math.random() * 0x1_0000_0000);
    const random = seededRandom(seed);
    const versions = randomVersions(random, 200);
    const count = bedrockCount as unknown as WireFormat;
    for (let index = 0; index < 10_000; index += 1) {
      const version = random.pick(versions);
      const converse = randomBody(CONVERSE, random).text;
      const invoke = randomBody("anthropic-messages", random).text;
      const prepared = count.prepare(version, options);
      const asConverse = injectIn(FORMATS[CONVERSE], converse, FORMATS[CONVERSE].prepare(version, options));
      const wrapped = injectIn(count, `{"input" : {"converse":${converse.trim()} }}`, prepared);
      const expected = asConverse === null ? null : `{"input" : {"converse":${asConverse.trim()} }}`;
      expect(wrapped, `seed ${seed}, body ${index}`).toBe(expected);
      const whole = { ...options, count: false };
      const format = bedrockInvoke as unknown as WireFormat;
      const asInvoke = injectIn(format, invoke, format.prepare(version, whole));
      const packed = Buffer.from(invoke).toString("base64");
      const out = injectIn(count, `{"input":{"invokeModel":{"body":"${packed}"}}}`, prepared);
      const unpacked = out === null ? null : Buffer.from(out.slice(33, -4), "base64").toString();
      expect(unpacked, `seed ${seed}, body ${index}`).toBe(asInvoke);
    }
  });

  it("takes a prompt's name and variables out of its own body", () => {
    const text =
      '{"prompt":{"id":"p"},"prompt_variables":{"a":1},"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}';
    const scan = bedrockCount.scan(encode(text));
    if (isProblem(scan)) throw new Error(scan.message);
    expect(scan).toMatchObject({ promptField: { id: "p" }, promptVariables: { a: 1 }, firstUserText: "hi" });
    const prepared = bedrockCount.prepare(renderedWith({ system: "S" }), options);
    expect(decoder.decode(bedrockCount.inject(scan, prepared) as Uint8Array)).toBe(
      '{"input":{"converse":{"system":[{"text":"S"}],"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}',
    );
  });

  it.each([
    '{"input":{}}',
    '{"input":{"converse":[]}}',
    '{"input":{"converse":{"messages":[]},"invokeModel":{"body":""}}}',
    '{"input":{"converse":{},"converse":{}}}',
    '{"input":{"invokeModel":{"body":"not base64!"}}}',
    '{"input":{"invokeModel":{"body":"e30="}}}',
  ])("is refused where it is not clear what is counted: %s", (text) => {
    expect(isProblem(bedrockCount.scan(new TextEncoder().encode(text)))).toBe(true);
  });
});
