import { describe, expect, it } from "vitest";
import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";
import { inject as injectInto, tryInject } from "./injecting.ts";

const GEMINI = "gemini";
const MODEL = { collection: "models", model: "gemini-3", isVertex: false };

describeFormat({
  format: FORMATS[GEMINI],
  smallest: '{"contents":[{"parts":[{"text":"hi"}]}]}',
  counts: true,
  modelInPath: true,
  resources: [MODEL, { ...MODEL, collection: "tunedModels" }, { ...MODEL, isVertex: true }],
});

const inject = (
  text: string,
  ...rest: [Parameters<typeof injectInto>[2], Parameters<typeof injectInto>[3]?]
) => injectInto(GEMINI, text, ...rest);

const CONTENTS = '"contents":[{"role":"user","parts":[{"text":"hi"}]}]';
const nested = (inside: string) => `{"generateContentRequest":{${inside}${CONTENTS}}}`;
const withSystem = (system: string) => `{"systemInstruction":${system},${CONTENTS}}`;

describe("Gemini's system text", () => {
  const system = "S";
  const part = '{"text":"S"}';
  const own = '{"text":"A","thought":false}';

  it("is a part beside the caller's own, whose bytes stay", () => {
    const content = (parts: string) => withSystem(`{ "role":"system","parts":${parts}}`);
    expect(inject(content(`[ ${own}]`), { system })).toBe(content(`[ ${part},${own}]`));
    expect(inject(content(`[ ${own}]`), { system, placement: "append" })).toBe(content(`[ ${own},${part}]`));
    expect(inject(content(`[ ${own}]`), { system, placement: "replace" })).toBe(content(`[${part}]`));
    expect(inject(content(`[ ${own}]`), { system, placement: "if_absent" })).toBe(content(`[ ${own}]`));
    expect(inject(content("[]"), { system, placement: "if_absent" })).toBe(content(`[${part}]`));
    expect(inject(`{${CONTENTS}}`, { system })).toBe(withSystem(`{"parts":[${part}]}`));
  });

  it("joins the single part that may stand in a list's place, and a bare text", () => {
    expect(inject(withSystem(`{"parts":${own}}`), { system })).toBe(withSystem(`{"parts":[${part},${own}]}`));
    expect(inject(withSystem(`{"parts":${own}}`), { system, placement: "append" })).toBe(
      withSystem(`{"parts":[${own},${part}]}`),
    );
    expect(inject(withSystem('"A\\t"'), { system })).toBe(withSystem(`{"parts":[${part},{"text":"A\\t"}]}`));
  });

  it("goes under the caller's own spelling, never beside it", () => {
    const text = `{"system_instruction":{"parts":[${own}]},${CONTENTS}}`;
    expect(inject(text, { system })).toBe(`{"system_instruction":{"parts":[${part},${own}]},${CONTENTS}}`);
  });

  it("is refused a place in what is no content", () => {
    expect(tryInject(GEMINI, withSystem("5"), { system })).toMatchObject({ field: "systemInstruction" });
    expect(tryInject(GEMINI, withSystem('{"parts":5}'), { system })).toMatchObject({
      field: "systemInstruction.parts",
    });
    expect(tryInject(GEMINI, '{"contents":"hi"}', { system })).toMatchObject({ field: "contents" });
  });
});

it("Gemini's examples stand before the caller's contents, the assistant's as the model's", () => {
  const examples = [
    { role: "user" as const, content: "Q" },
    { role: "assistant" as const, content: "A" },
  ];
  const ours = '{"role":"user","parts":[{"text":"Q"}]},{"role":"model","parts":[{"text":"A"}]}';
  expect(inject('{"contents":[{"parts":[]}]}', { examples })).toBe(`{"contents":[${ours},{"parts":[]}]}`);
  expect(inject('{"contents": {"parts":[]}}', { examples })).toBe(`{"contents": [${ours},{"parts":[]}]}`);
  expect(inject("{}", { examples })).toBe(`{"contents":[${ours}]}`);
});

describe("what Gemini calls otherwise", () => {
  it("parameters, under the caller's spelling where there is one", () => {
    const params = {
      top_p: 0.5,
      max_output_tokens: 5,
      stop: ["END"],
      top_logprobs: 3,
      tool_choice: { name: "f" },
    };
    const text = `{"generation_config":{"topP":1, "max_output_tokens":9,"x":1.0},${CONTENTS}}`;
    const out = inject(text, { params });
    expect(JSON.parse(out)).toMatchObject({
      generation_config: { topP: 0.5, max_output_tokens: 5, stopSequences: ["END"], logprobs: 3, x: 1 },
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
    });
    expect(out).toContain('"x":1.0');
  });

  it("effort, which takes the place of a budget and leaves the rest", () => {
    const thinking = '{"includeThoughts":true,"thinkingBudget":99}';
    const text = `{"generationConfig":{"thinkingConfig":${thinking}},${CONTENTS}}`;
    const config = (effort: string, kind: "params" | "defaults" = "params") =>
      (JSON.parse(inject(text, { [kind]: { reasoning_effort: effort } })) as { generationConfig: unknown })
        .generationConfig;
    expect(config("minimal")).toEqual({ thinkingConfig: { includeThoughts: true, thinkingLevel: "low" } });
    expect(config("max")).toEqual({ thinkingConfig: { includeThoughts: true, thinkingLevel: "high" } });
    expect(config("none")).toEqual({ thinkingConfig: { includeThoughts: true, thinkingBudget: 99 } });
    expect(config("high", "defaults")).toEqual({
      thinkingConfig: { includeThoughts: true, thinkingBudget: 99 },
    });
  });

  it("a response format, in place of the caller's own of any kind", () => {
    const text = `{"generationConfig":{"response_schema":{},"responseMimeType":"text/x.enum"},${CONTENTS}}`;
    const config = (responseFormat: { type: string; schema?: object }) =>
      (JSON.parse(inject(text, { responseFormat: responseFormat as never })) as { generationConfig: unknown })
        .generationConfig;
    const schema = { type: "object", additionalProperties: false };
    expect(config({ type: "json_schema", schema })).toEqual({
      responseMimeType: "application/json",
      responseJsonSchema: schema,
    });
    expect(config({ type: "json_object" })).toEqual({ responseMimeType: "application/json" });
    expect(config({ type: "text" })).toEqual({ responseMimeType: "text/plain" });
  });

  it("tools: functions join the caller's, Google's own stand beside them", () => {
    const parameters = { type: "object" };
    const tools = [{ name: "find", description: "d", parameters, strict: true }, { type: "googleSearch" }];
    const ours = '{"name":"find","description":"d","parametersJsonSchema":{"type":"object"}}';
    const callers = '{"codeExecution":{}},{"function_declarations":[{"name":"find"},{"name":"b","n":1.0}]}';
    expect(inject(`{"tools":[${callers}],${CONTENTS}}`, { tools })).toBe(
      `{"tools":[{"googleSearch":{}},{"codeExecution":{}},{"function_declarations":[${ours},{"name":"b","n":1.0}]}],${CONTENTS}}`,
    );
    expect(inject(`{"tools":[{"google_search":{}}],${CONTENTS}}`, { tools })).toBe(
      `{"tools":[{"functionDeclarations":[${ours}]},{"googleSearch":{}}],${CONTENTS}}`,
    );
    expect(tryInject(GEMINI, `{"tools":5,${CONTENTS}}`, { tools })).toMatchObject({ field: "tools" });
  });

  it("provider_params, whose generationConfig leaves the caller's other members", () => {
    const providerParams = { gemini: { generation_config: { candidateCount: 2 }, safetySettings: [] } };
    const text = `{"generationConfig":{"candidate_count":1,"topP":1},${CONTENTS}}`;
    expect(JSON.parse(inject(text, { providerParams }))).toMatchObject({
      generationConfig: { candidate_count: 2, topP: 1 },
      safetySettings: [],
    });
    for (const gemini of [{ contents: [] }, { generationConfig: 5 }]) {
      expect(tryInject(GEMINI, text, { providerParams: { gemini } as never })).toMatchObject({
        problem: "invalid_request",
      });
    }
  });
});

describe("cached content", () => {
  const text = `{"cachedContent":"cachedContents/c",${CONTENTS}}`;

  it("takes no system text, tools, choice of a tool or other model: never a sure 400", () => {
    const clashes = [
      { system: "S" },
      { tools: [{ name: "f", parameters: {} }] },
      { params: { tool_choice: "auto" } },
      { model: "gemini-4" },
      { providerParams: { gemini: { system_instruction: {} } } },
    ];
    for (const version of clashes) {
      for (const body of [text, text.replace("cachedContent", "cached_content")]) {
        expect(tryInject(GEMINI, body, version, { resource: MODEL })).toMatchObject({
          problem: "invalid_request",
          field: "cachedContent",
        });
      }
    }
  });

  it("takes parameters, examples and its own model", () => {
    const version = { params: { temperature: 0 }, model: "gemini-3" };
    expect(inject(text, version, { resource: MODEL })).toBe(
      `{"generationConfig":{"temperature":0},"cachedContent":"cachedContents/c",${CONTENTS}}`,
    );
    const own = { system: "S", providerParams: { gemini: { cachedContent: null } } };
    expect(inject(text, own)).toContain('"cachedContent":null');
  });

  it("of a version that has a system text too is the version's own mistake", () => {
    const version = { system: "S", providerParams: { gemini: { cachedContent: "c" } } };
    expect(tryInject(GEMINI, `{${CONTENTS}}`, version)).toMatchObject({
      field: "provider_params.gemini.cachedContent",
    });
  });
});

describe("a count of tokens", () => {
  const version = { system: "S", params: { temperature: 1, tool_choice: "auto" } };
  const counted = (text: string, more: object = {}, resource = MODEL) =>
    inject(text, { ...version, ...more }, { count: true, resource });

  it("of a bare list becomes the request that it counts for, with the model of the path", () => {
    expect(counted(` {${CONTENTS} }`)).toBe(
      ` {"generateContentRequest":{"systemInstruction":{"parts":[{"text":"S"}]},"model":"models/gemini-3",${CONTENTS} }}`,
    );
    expect(counted("{ }", { examples: [{ role: "user", content: "Q" }] })).toBe(
      '{"generateContentRequest":{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[{"role":"user","parts":[{"text":"Q"}]}],"model":"models/gemini-3" }}',
    );
  });

  it("of a whole request goes into that request", () => {
    expect(counted(nested('"model":"models/m",'))).toBe(
      nested('"systemInstruction":{"parts":[{"text":"S"}]},"model":"models/m",'),
    );
    expect(JSON.parse(counted(nested('"model":"models/m",'), { model: "tunedModels/t" }))).toMatchObject({
      generateContentRequest: { model: "tunedModels/t" },
    });
    expect(tryInject(GEMINI, '{"generateContentRequest":5}', version, { count: true })).toMatchObject({
      field: "generateContentRequest",
    });
  });

  it("on Vertex AI stays as it is, and so does one that nothing but examples is added to", () => {
    expect(counted(`{${CONTENTS}}`, {}, { ...MODEL, isVertex: true })).toBe(
      `{"systemInstruction":{"parts":[{"text":"S"}]},${CONTENTS}}`,
    );
    expect(counted(`{${CONTENTS}}`, { system: null })).toBe(`{${CONTENTS}}`);
  });
});
