import { describe, expect, it } from "vitest";
import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";
import { inject as injectInto, tryInject } from "./injecting.ts";

const RESPONSES = "openai-responses";

describeFormat({ format: FORMATS[RESPONSES], smallest: '{"model":"m","input":"hi"}', counts: true });

const inject = (
  text: string,
  ...rest: [Parameters<typeof injectInto>[2], Parameters<typeof injectInto>[3]?]
) => injectInto(RESPONSES, text, ...rest);

const joined = (text: string) => `{"instructions":${text},"input":"q"}`;

describe("a response's system text", () => {
  const system = "S";

  it("joins the caller's instructions with a blank line, whose bytes stay", () => {
    const body = '{"instructions":"\\u0041 \\"b\\"","input":"q"}';
    expect(inject(body, { system, placement: "prepend" })).toBe(joined('"S\\n\\n\\u0041 \\"b\\""'));
    expect(inject(body, { system, placement: "append" })).toBe(joined('"\\u0041 \\"b\\"\\n\\nS"'));
    expect(inject(body, { system, placement: "replace" })).toBe(joined('"S"'));
    expect(inject(body, { system, placement: "if_absent" })).toBe(body);
  });

  it("stands alone where the caller has none", () => {
    for (const placement of ["prepend", "append", "replace", "if_absent"] as const) {
      expect(inject('{"input":"q"}', { system, placement })).toBe('{"instructions":"S","input":"q"}');
      for (const none of ["null", '""']) {
        expect(inject(`{"instructions":${none},"input":"q"}`, { system, placement })).toBe(
          '{"instructions":"S","input":"q"}',
        );
      }
    }
    expect(tryInject(RESPONSES, '{"instructions":["x"]}', { system })).toMatchObject({
      field: "instructions",
    });
  });

  it("knows the caller's instructions among the items of the input", () => {
    const body = '{"input":[{"role":"developer","content":"A"},{"role":"user","content":"q"}]}';
    expect(inject(body, { system, placement: "if_absent" })).toBe(body);
    expect(inject(body, { system, placement: "replace" })).toBe(
      '{"instructions":"S","input":[{"role":"user","content":"q"}]}',
    );
  });

  it("is sent again on every turn, for instructions are not carried over", () => {
    const out = inject('{"previous_response_id":"resp_1","input":"q"}', { system });
    expect(out).toBe('{"instructions":"S","previous_response_id":"resp_1","input":"q"}');
  });
});

describe("a response's examples", () => {
  const examples = [
    { role: "user" as const, content: "1" },
    { role: "assistant" as const, content: "2" },
  ];
  const written = '{"role":"user","content":"1"},{"role":"assistant","content":"2"}';

  it("make a list of an input that is a text, around the text's own bytes", () => {
    expect(inject('{"input": "\\u0041\\/" }', { examples })).toBe(
      `{"input": [${written},{"role":"user","content":"\\u0041\\/"}] }`,
    );
  });

  it("stand behind the caller's leading instructions", () => {
    const own = '{"role":"system","content":"A"}';
    expect(inject(`{"input":[${own},{"role":"user","content":"q"}]}`, { examples })).toBe(
      `{"input":[${own},${written},{"role":"user","content":"q"}]}`,
    );
  });

  it("make an input where there is none", () => {
    expect(inject("{}", { examples })).toBe(`{"input":[${written}]}`);
    expect(inject('{"input":null}', { examples })).toBe(`{"input":[${written}]}`);
    expect(inject('{"input":[]}', { examples })).toBe(`{"input":[${written}]}`);
    expect(tryInject(RESPONSES, '{"input":7}', { examples })).toMatchObject({ field: "input" });
  });

  it("never go into a conversation that the provider keeps", () => {
    for (const thread of ['"previous_response_id":"r"', '"conversation":"c"', '"conversation":{"id":"c"}']) {
      const body = `{${thread},"input":"q"}`;
      expect(inject(body, { examples })).toBe(body);
    }
    expect(inject('{"previous_response_id":null,"conversation":null,"input":[]}', { examples })).toContain(
      written,
    );
  });
});

describe("what stands inside an object", () => {
  const responseFormat = { type: "json_schema", name: "answer", schema: {} };
  const format = '"format":{"type":"json_schema","name":"answer","schema":{}}';

  it("is set in it, beside what the caller has there", () => {
    expect(inject('{"text":{"verbosity":"high","x":1.0}}', { responseFormat })).toBe(
      `{"text":{${format},"verbosity":"high","x":1.0}}`,
    );
    expect(inject('{"text":{"format":1,"format":2}}', { responseFormat })).toBe(
      `{"text":{${format},${format}}}`,
    );
    expect(inject('{"text":{ }}', { responseFormat, params: { verbosity: "low" } })).toBe(
      `{"text":{"verbosity":"low",${format} }}`,
    );
    expect(inject('{"t\\u0065xt":{"x":1}}', { responseFormat })).toBe(`{"t\\u0065xt":{${format},"x":1}}`);
  });

  it("makes the object where there is none, once for all", () => {
    const version = { responseFormat, defaults: { verbosity: "low" } };
    const both = `{"text":{"verbosity":"low",${format}}`;
    expect(inject("{}", version)).toBe(`${both}}`);
    expect(inject('{"text":null}', version)).toBe(`${both}}`);
    expect(inject('{"text":7}', version)).toBe(`{"text":{${format}}}`);
  });

  it("is left to the caller where it is but a default", () => {
    const defaults = { reasoning_effort: "low" };
    const body = '{"reasoning":{"effort":"high"}}';
    expect(inject(body, { defaults })).toBe(body);
    expect(inject('{"reasoning":{"summary":"auto"}}', { defaults })).toBe(
      '{"reasoning":{"effort":"low","summary":"auto"}}',
    );
    expect(inject('{"reasoning":{"effort":"high"},"reasoning":{}}', { defaults })).toBe(
      '{"reasoning":{"effort":"high"},"reasoning":{"effort":"low"}}',
    );
  });
});

it("a token count takes what counts and no sampling parameters", () => {
  const version = {
    system: "S",
    model: "m",
    params: {
      temperature: 1,
      max_output_tokens: 5,
      reasoning_effort: "low",
      tool_choice: "auto",
      service_tier: "flex",
    },
    tools: [{ name: "f", parameters: {} }],
    providerParams: { openai: { store: true, truncation: "auto" } },
  };
  expect(
    Object.keys(JSON.parse(inject('{"input":"q"}', version, { count: true })) as object).toSorted(),
  ).toEqual(["input", "instructions", "model", "reasoning", "tool_choice", "tools", "truncation"]);
});
