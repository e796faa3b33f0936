import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, digestSource } from "../../src/core/canonical.ts";
import { parseContent } from "../../src/core/content.ts";
import type { Content, Json } from "../../src/core/types.ts";

const json = fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<Json>;

/** The same value with the keys of every object the other way round. */
function turnKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(turnKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, turnKeys(member)] as const)
      .toReversed(),
  );
}

describe("canonical JSON", () => {
  it("reads back as the value it was made of", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("is the same whatever the order of keys", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(turnKeys(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it("sorts by UTF-16 units and writes numbers and strings as JSON.stringify does", () => {
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    const order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object).filter((key) => key !== "1")).toEqual(
      order.filter((key) => key !== "1"),
    );
    expect(canonicalJson([1e21, -0, 0.1, 1e-7, "\ud800", "é\n\u0007", null, true])).toBe(
      String.raw`[1e+21,0,0.1,1e-7,"\ud800","é\n\u0007",null,true]`,
    );
    expect(canonicalJson({ b: [], a: {}, c: [{}, []] })).toBe('{"a":{},"b":[],"c":[{},[]]}');
  });

  it("leaves undefined members out and keeps keys that are called like built-ins", () => {
    expect(canonicalJson({ a: undefined as unknown as Json, b: 1 })).toBe('{"b":1}');
    const value = JSON.parse('{"constructor":1,"__proto__":{"x":2}}') as Json;
    expect(canonicalJson(value)).toBe('{"__proto__":{"x":2},"constructor":1}');
  });

  it("has no stack to lose", () => {
    const depth = 100_000;
    let value: Json = [];
    for (let level = 1; level < depth; level += 1) value = level % 2 === 0 ? [value] : { k: value };
    expect(canonicalJson(value)).toHaveLength((depth / 2) * 2 + (depth / 2) * 6);
  });
});

function read(input: unknown): string {
  return digestSource(parseContent(input) as Content);
}

describe("the source of a digest", () => {
  it("is the same for contents that mean the same, however they are written", () => {
    const written = read({
      system: "You help users of {{product}}.",
      params: { temperature: 0.2, stop: "END", tool_choice: "any" },
      tools: [
        { type: "function", function: { name: "find", parameters: { type: "object", properties: {} } } },
      ],
      note: "first",
    });
    const otherwise = read({
      note: "second",
      tools: [{ name: "find", input_schema: { properties: {}, type: "object" } }],
      params: { tool_choice: { type: "any" }, stop: ["END"], temperature: 0.2 },
      defaults: {},
      variables: {},
      placement: "prepend",
      messages: [{ content: [{ type: "text", text: "You help users of {{product}}." }], role: "system" }],
    });
    expect(otherwise).toBe(written);
  });

  it("differs with every field but the note", () => {
    const base = { system: "s", model: "m", params: { seed: 1 }, variables: { x: { type: "string" } } };
    const changed = [
      { ...base, system: "S" },
      { ...base, model: "n" },
      { ...base, params: { seed: 2 } },
      { ...base, defaults: { seed: 1 } },
      { ...base, placement: "append" },
      { ...base, variables: { x: { type: "number" } } },
      { ...base, variables: { x: { type: "string", description: "d" } } },
      { ...base, provider_params: { openai: { store: true } } },
      { ...base, tools: [{ name: "t" }] },
      { ...base, response_format: { type: "text" } },
    ];
    const sources = [base, ...changed].map(read);
    expect(new Set(sources).size).toBe(sources.length);
    expect(read({ ...base, note: "n" })).toBe(read(base));
  });
});
