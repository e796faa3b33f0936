import { describe, expect, it } from "vitest";
import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";
import { inject as injectInto, tryInject } from "./injecting.ts";

const ANTHROPIC = "anthropic-messages";

describeFormat({
  format: FORMATS[ANTHROPIC],
  smallest: '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
  counts: true,
});

const inject = (
  text: string,
  ...rest: [Parameters<typeof injectInto>[2], Parameters<typeof injectInto>[3]?]
) => injectInto(ANTHROPIC, text, ...rest);

const withBlocks = (blocks: string) => withSystem(`[${blocks}]`);
const withSystem = (system: string) => `{"system":${system},"messages":[]}`;

describe("Anthropic's system text", () => {
  const system = "S";
  const block = '{"type":"text","text":"S"}';

  it("stays a string where it was one", () => {
    expect(inject(withSystem('"A\\t"'), { system, placement: "prepend" })).toBe(withSystem('"S\\n\\nA\\t"'));
    expect(inject(withSystem('"A\\t"'), { system, placement: "append" })).toBe(withSystem('"A\\t\\n\\nS"'));
    expect(inject(withSystem('"A\\t"'), { system, placement: "replace" })).toBe(withSystem('"S"'));
    expect(inject(withSystem('"A\\t"'), { system, placement: "if_absent" })).toBe(withSystem('"A\\t"'));
    expect(inject('{"messages":[]}', { system })).toBe(withSystem('"S"'));
  });

  it("stays a list of blocks where it was one, cache marks untouched", () => {
    const own = '{"type":"text","text":"A","cache_control":{"type":"ephemeral","ttl":"1h"}}';
    expect(inject(withBlocks(own), { system, placement: "prepend" })).toBe(withBlocks(`${block},${own}`));
    expect(inject(withBlocks(own), { system, placement: "append" })).toBe(withBlocks(`${own},${block}`));
    expect(inject(withBlocks(own), { system, placement: "replace" })).toBe(withBlocks(block));
    expect(inject(withBlocks(own), { system, placement: "if_absent" })).toBe(withBlocks(own));
    expect(inject(withBlocks(""), { system, placement: "if_absent" })).toBe(withBlocks(block));
  });

  it("adds no cache mark to the four that a request may have, nor do examples and tools", () => {
    const mark = { cache_control: { type: "ephemeral" } };
    const body = {
      system: [{ type: "text", text: "A", ...mark }],
      tools: [{ name: "t", input_schema: {}, ...mark }],
      messages: [{ role: "user", content: [1, 2].map((n) => ({ type: "text", text: String(n), ...mark })) }],
    };
    const version = {
      system: "S",
      examples: [
        { role: "user" as const, content: "U" },
        { role: "assistant" as const, content: "V" },
      ],
      tools: [{ name: "u", parameters: {} }],
    };
    for (const placement of ["prepend", "append"] as const) {
      const sent = inject(JSON.stringify(body), { ...version, placement });
      expect(sent.match(/cache_control/g)).toHaveLength(4);
      expect(sent).toContain(`{"type":"text","text":"A",${JSON.stringify(mark).slice(1)}`);
    }
  });

  it("is refused a place in what is neither", () => {
    expect(tryInject(ANTHROPIC, '{"system":{},"messages":[]}', { system })).toMatchObject({
      field: "system",
    });
    expect(tryInject(ANTHROPIC, '{"system":"A"}', { system })).toMatchObject({ field: "messages" });
  });

  it("leaves messages of role system in the middle of a conversation alone", () => {
    const messages = '"messages":[{"role":"user","content":"q"},{"role":"system","content":"m"}]';
    expect(inject(`{${messages}}`, { system, placement: "replace" })).toBe(`{"system":"S",${messages}}`);
  });

  it("gives way to blocks that provider_params sets", () => {
    const own = [{ type: "text", text: "T", cache_control: { type: "ephemeral" } }];
    const version = { system, providerParams: { anthropic: { system: own } } };
    expect(JSON.parse(inject('{"system":"A","messages":[]}', version))).toEqual({
      system: own,
      messages: [],
    });
  });
});

const of = (body: object, version: Parameters<typeof inject>[1]) =>
  JSON.parse(inject(JSON.stringify({ ...body, messages: [] }), version)) as object;

describe("what Anthropic calls otherwise", () => {
  it("parameters", () => {
    const params = {
      max_output_tokens: 5,
      stop: ["END"],
      top_k: 40,
      reasoning_effort: "minimal",
      tool_choice: "required",
      seed: 7,
      verbosity: "low",
    };
    expect(JSON.parse(inject('{"max_tokens":9,"messages":[]}', { params }))).toEqual({
      max_tokens: 5,
      messages: [],
      stop_sequences: ["END"],
      top_k: 40,
      output_config: { effort: "low" },
      tool_choice: { type: "any" },
    });
  });

  it("tools", () => {
    const parameters = { type: "object", properties: {} };
    const tools = [
      { name: "find", description: "d", parameters, strict: true },
      { type: "web_search_20250305", name: "web_search" },
    ];
    const caller = '{"name":"find","input_schema":{}},{"name":"other","input_schema":{"n":1.0}}';
    const out = inject(`{"tools":[${caller}],"messages":[]}`, { tools });
    expect(JSON.parse(out)).toMatchObject({
      tools: [
        { name: "find", description: "d", input_schema: parameters, strict: true },
        { type: "web_search_20250305", name: "web_search" },
        { name: "other", input_schema: { n: 1 } },
      ],
    });
    expect(out).toContain('{"name":"other","input_schema":{"n":1.0}}');
  });

  it("a temperature or a top_p, as it takes one of them: the version's, else the caller's, else a default", () => {
    const caller = { top_p: 0.9 };
    expect(of(caller, { params: { temperature: 0.2 } })).toEqual({ temperature: 0.2, messages: [] });
    expect(of({ temperature: 1 }, { params: { top_p: 0.5 } })).toEqual({ top_p: 0.5, messages: [] });
    expect(of(caller, { defaults: { temperature: 0.2 } })).toEqual({ top_p: 0.9, messages: [] });
    expect(of({}, { params: { temperature: 0.2 }, defaults: { top_p: 0.5 } })).toEqual({
      temperature: 0.2,
      messages: [],
    });
    expect(of(caller, { params: { temperature: 0.2, top_p: 0.5 } })).toEqual({
      temperature: 0.2,
      top_p: 0.5,
      messages: [],
    });
    const providerParams = { anthropic: { top_p: 0.3 } };
    expect(of({ temperature: 1 }, { params: { temperature: 0.2 }, providerParams })).toEqual({
      top_p: 0.3,
      messages: [],
    });
  });

  it("a response format, or says that it has none such", () => {
    const schema = { type: "object", properties: {} };
    const responseFormat = { type: "json_schema", name: "answer", schema, strict: true };
    expect(
      JSON.parse(inject('{"output_config":{"effort":"low"},"messages":[]}', { responseFormat })),
    ).toEqual({
      output_config: { effort: "low", format: { type: "json_schema", schema } },
      messages: [],
    });
    expect(
      tryInject(ANTHROPIC, '{"messages":[]}', { responseFormat: { type: "json_object" } }),
    ).toMatchObject({
      problem: "invalid_request",
      field: "response_format",
    });
    expect(inject('{"messages":[]}', { responseFormat: { type: "text" } })).toBe('{"messages":[]}');
  });

  it("a response format under the name of its beta, where the caller uses that, and never under two", () => {
    const schema = { type: "object", properties: {} };
    const responseFormat = { type: "json_schema", name: "answer", schema };
    const own = { type: "json_schema", schema: { type: "string" } };
    const ours = { type: "json_schema", schema };
    expect(of({ output_format: own }, { responseFormat })).toEqual({ output_format: ours, messages: [] });
    expect(of({ output_format: own, output_config: { format: own } }, { responseFormat })).toEqual({
      output_config: { format: ours },
      messages: [],
    });
  });
});

it("a token count takes what counts and no sampling parameters", () => {
  const version = {
    system: "S",
    model: "m",
    params: { temperature: 1, max_output_tokens: 5, stop: ["x"], tool_choice: "auto" },
    defaults: { top_p: 1, reasoning_effort: "low" },
    tools: [{ name: "f", parameters: {} }],
    providerParams: { anthropic: { thinking: { type: "adaptive" }, service_tier: "auto" } },
  };
  expect(
    Object.keys(JSON.parse(inject('{"messages":[]}', version, { count: true })) as object).toSorted(),
  ).toEqual(["messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"]);
});

it("the version's examples are the conversation where the caller sends no messages", () => {
  const examples = [{ role: "user" as const, content: "1" }];
  expect(inject('{"max_tokens":9}', { examples })).toBe(
    '{"messages":[{"role":"user","content":"1"}],"max_tokens":9}',
  );
  expect(tryInject(ANTHROPIC, "{}", { system: "S" })).toMatchObject({ field: "messages" });
});
