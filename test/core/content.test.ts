import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/canonical.ts";
import type { Json } from "../../src/core/types.ts";
import { read, refusal } from "./content-reading.ts";

/** The contract's own example, filled in. */
const full = {
  messages: [
    { role: "system", content: "You help users of {{product}}." },
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello" },
  ],
  placement: "replace",
  model: "gpt-5.4-mini",
  params: { temperature: 0.2, stop: ["END"], tool_choice: "auto" },
  defaults: { max_output_tokens: 800 },
  tools: [{ name: "find", description: "d", parameters: { type: "object" }, strict: true }],
  response_format: {
    type: "json_schema",
    name: "answer",
    schema: { type: "object" },
    strict: true,
    description: "x",
  },
  provider_params: { anthropic: { thinking: { type: "enabled" } }, "openai-chat": { store: true } },
  variables: { product: { type: "string", required: true, default: "Acme", description: "the product" } },
  note: "why",
};

describe("a content in its normal form", () => {
  it("is read as it is", () => {
    expect(read(full)).toEqual(full);
    expect(read({ messages: [], placement: "append", model: "m" })).toEqual({
      messages: [],
      placement: "append",
      model: "m",
    });
  });

  it("is what every content becomes, and stays", () => {
    const tool = fc.constantFrom<Json>(
      { name: "a" },
      { name: "b", input_schema: { type: "object" }, type: "custom" },
      { type: "function", function: { name: "c", strict: null } },
      { type: "web_search" },
    );
    const params = fc.constantFrom<Json>({ stop: "x" }, { tool_choice: { type: "any" } }, { top_p: 1 }, {});
    const input = fc.record(
      {
        system: fc.constantFrom<Json>("s", [{ type: "text", text: "t" }]),
        params,
        defaults: params,
        tools: fc.uniqueArray(tool, { selector: canonicalJson, maxLength: 4 }),
        response_format: fc.constantFrom<Json>(
          { type: "text" },
          { type: "json_schema", json_schema: { name: "n", schema: {} } },
        ),
        note: fc.constantFrom("", "n"),
      },
      { requiredKeys: ["system"] },
    );
    fc.assert(
      fc.property(input, (written) => {
        const content = read(written);
        expect(read(content)).toEqual(content);
        expect(read(JSON.parse(JSON.stringify(content)))).toEqual(content);
      }),
    );
  });
});

describe("messages", () => {
  it("may be given as system, and as text parts", () => {
    expect(read({ system: "s" })).toEqual({
      messages: [{ role: "system", content: "s" }],
      placement: "prepend",
    });
    const parts = [
      { type: "text", text: "one" },
      { type: "text", text: "two" },
    ];
    expect(read({ system: parts }).messages).toEqual([{ role: "system", content: "one\ntwo" }]);
    expect(read({ messages: [{ role: "user", content: parts }] }).messages).toEqual([
      { role: "user", content: "one\ntwo" },
    ]);
  });

  it("of a developer's are the system's, as OpenAI's prompts have them", () => {
    const written = { messages: [{ role: "developer", content: "s" }] };
    expect(read(written)).toEqual(read({ system: "s" }));
  });

  it.each<[string, unknown, string, RegExp]>([
    [
      "both ways at once",
      { system: "s", messages: [{ role: "user", content: "u" }] },
      "system",
      /role system/,
    ],
    [
      "an unknown role",
      { messages: [{ role: "tool", content: "x" }] },
      "messages[0].role",
      /"system", "user", "assistant" or "developer"/,
    ],
    ["no role", { messages: [{ content: "x" }] }, "messages[0].role", /required/],
    ["no content", { messages: [{ role: "user" }] }, "messages[0].content", /required/],
    ["an empty text", { system: "" }, "system", /empty/],
    ["an empty list of parts", { system: [] }, "system", /empty/],
    ["an image part", { system: [{ type: "image_url", image_url: {} }] }, "system", /string, or a list/],
    [
      "a part with more in it",
      { system: [{ type: "text", text: "t", cache_control: {} }] },
      "system[0].cache_control",
      /a type and a text/,
    ],
    [
      "a name",
      { messages: [{ role: "user", content: "x", name: "n" }] },
      "messages[0].name",
      /a role and a content/,
    ],
    ["a number", { messages: [{ role: "user", content: 1 }] }, "messages[0].content", /string, or a list/],
    ["a prompt for a model", { model: "prompt:support-bot" }, "model", /provider's model/],
    ["no list", { messages: "hello" }, "messages", /must be an array, not string/],
  ])("are refused with %s", (_, input, field, mend) => {
    const found = refusal(input);
    expect(found.field).toBe(field);
    expect(found.errors?.[0]?.message).toMatch(mend);
  });

  it("or something else that says something must be there", () => {
    for (const input of [
      {},
      { messages: [] },
      { note: "n" },
      { placement: "append" },
      { variables: { x: {} } },
      { params: {} },
    ]) {
      expect(refusal(input).field).toBe("content");
    }
    for (const input of [
      { model: "m" },
      { params: { seed: 1 } },
      { defaults: { seed: 1 } },
      { tools: [{ type: "t" }] },
    ]) {
      expect(read(input).messages).toEqual([]);
    }
  });
});

describe("an unknown field", () => {
  it.each([
    [{ prompt: "p" }, "prompt", "system or messages"],
    [{ instructions: "p" }, "instructions", "system or messages"],
    [{ temperature: 1 }, "temperature", "params.temperature"],
    [{ max_tokens: 1 }, "max_tokens", "params.max_output_tokens"],
    [{ mesages: [] }, "mesages", "did you mean messages?"],
    [{ responseFormat: {} }, "responseFormat", "did you mean response_format?"],
    [{ whatever: 1 }, "whatever", "the fields of a content are messages, system"],
    [{ params: { max_tokens: 1 } }, "params.max_tokens", "did you mean max_output_tokens?"],
    [{ params: { topP: 1 } }, "params.topP", "did you mean top_p?"],
    [{ params: { temprature: 1 } }, "params.temprature", "did you mean temperature?"],
    [{ defaults: { store: true } }, "defaults.store", "provider_params.openai.store"],
    [{ params: { model: "m" } }, "params.model", "top of the content"],
    [{ variables: { x: { optional: true } } }, "variables.x.optional", "required"],
    [{ constructor: 1 }, "constructor", "fields of a content"],
    [{ params: { constructor: 1 } }, "params.constructor", "provider_params"],
  ])("of %j is named, with a way out", (input, field, way) => {
    const found = refusal({ system: "s", ...input });
    expect(found.field).toBe(field);
    expect(found.errors?.[0]?.message).toContain(way);
  });

  it("does not hide the other errors", () => {
    const found = refusal({
      temperature: 1,
      params: { top_p: 7, seed: 0.5 },
      messages: [{ role: "x", content: "" }],
    });
    expect(found.errors?.map(({ field }) => field).toSorted()).toEqual(
      ["messages[0].content", "messages[0].role", "params.seed", "params.top_p", "temperature"].toSorted(),
    );
    expect(found.message).toContain("and 4 more");
  });
});

describe("variables", () => {
  it.each([
    [{ "1st": {} }, 'variables["1st"]', /letters/],
    [{ "a.b": {} }, 'variables["a.b"]', /letters/],
    [{ x: { type: "text" } }, "variables.x.type", /"string"/],
    [{ x: { type: "string", default: [] } }, "variables.x.default", /type string, not array/],
    [{ x: { type: "number", default: "1" } }, "variables.x.default", /type number, not string/],
    [{ x: { default: null } }, "variables.x.default", /required to false/],
    [{ x: "string" }, "variables.x", /must be an object, not string/],
  ])("are refused as %j", (variables, field, mend) => {
    const found = refusal({ system: "s", variables });
    expect(found.field).toBe(field);
    expect(found.errors?.[0]?.message).toMatch(mend);
  });

  it("are kept as declared", () => {
    const variables = {
      a: {},
      b_2: { type: "array", default: [1] },
      "c-d": { type: "string", default: 5, required: false },
    };
    expect(read({ system: "s", variables }).variables).toEqual(variables);
  });
});

describe("provider_params", () => {
  it("are kept verbatim, whatever they hold", () => {
    const verbatim = {
      anthropic: { constructor: { "a b": [null, 1e300, { z: 1, a: 2 }] } },
      "workers-ai": { x: false },
    };
    expect(JSON.stringify(read({ provider_params: verbatim }).provider_params)).toBe(
      JSON.stringify(verbatim),
    );
    expect(read({ system: "s", provider_params: { openai: {} } })).not.toHaveProperty("provider_params");
  });

  it("are refused under a name that no provider has, or with something that is no object", () => {
    expect(refusal({ provider_params: { "Open AI": {} } }).field).toBe('provider_params["Open AI"]');
    expect(refusal({ provider_params: { openai: [] } }).field).toBe("provider_params.openai");
  });
});
