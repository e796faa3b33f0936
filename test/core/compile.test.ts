import { describe, expect, it } from "vitest";
import { compileContent } from "../../src/core/compile.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Compiled, Content } from "../../src/core/types.ts";

function contentOf(text: string, more: Partial<Content> = {}): Content {
  return { messages: [{ role: "system", content: text }], placement: "prepend", ...more };
}

function compile(content: Content): Compiled {
  const compiled = compileContent(content);
  if (isProblem(compiled)) throw new Error(compiled.message);
  return compiled;
}

describe("a compiled content", () => {
  it("joins system messages with a blank line and keeps the rest in order, wherever they stand", () => {
    const compiled = compile({
      messages: [
        { role: "user", content: "Q {{q}}" },
        { role: "system", content: "one" },
        { role: "assistant", content: "A" },
        { role: "system", content: "{{two}}" },
        { role: "system", content: "three" },
      ],
      placement: "append",
    });
    expect(compiled.system).toEqual(["one\n\n", { kind: "value", path: ["two"] }, "\n\nthree"]);
    expect(compiled.examples).toEqual([
      { role: "user", content: ["Q ", { kind: "value", path: ["q"] }] },
      { role: "assistant", content: ["A"] },
    ]);
    expect(compiled.placement).toBe("append");
  });

  it("has no system text when the content has none", () => {
    const compiled = compile({ messages: [], placement: "prepend", model: "m", params: { seed: 1 } });
    expect(compiled).toEqual({
      system: null,
      examples: [],
      placement: "prepend",
      model: "m",
      params: { seed: 1 },
      defaults: {},
      tools: [],
      responseFormat: null,
      providerParams: {},
      variables: {},
    });
  });

  it("survives JSON", () => {
    const compiled = compile(contentOf("{{a.b}} {{#c}}{{.}}{{/c}}", { variables: { d: { default: [1] } } }));
    expect(JSON.parse(JSON.stringify(compiled))).toEqual(compiled);
  });
});

function variables(text: string, more: Partial<Content> = {}): Compiled["variables"] {
  return compile(contentOf(text, more)).variables;
}

describe("the variables of a content", () => {
  it("are required where an undeclared name stands outside of every section", () => {
    expect(variables("{{a}} {{b.c.0}} {{{d}}}")).toEqual({
      a: { type: null, required: true },
      b: { type: null, required: true },
      d: { type: null, required: true },
    });
  });

  it("are optional where only sections ask for them, and not listed where they stand inside of one", () => {
    expect(variables("{{#vip}}Dear {{name}}{{/vip}}{{^vip}}{{other}}{{/vip}}")).toEqual({
      vip: { type: null, required: false },
    });
    const name = { type: null, required: true };
    expect(variables("{{#name}}{{name}}{{/name}} {{name}}")).toEqual({ name });
    expect(variables("{{name}} {{#name}}x{{/name}}")).toEqual({ name });
  });

  it("are as declared, used or not: required unless there is a default or it says otherwise", () => {
    const declared: Content["variables"] = {
      plain: { type: "string" },
      preset: { type: "number", default: 0 },
      both: { required: true, default: "x" },
      free: { required: false },
      untyped: {},
    };
    expect(variables("{{free}} {{preset}}", { variables: declared })).toEqual({
      plain: { type: "string", required: true },
      preset: { type: "number", required: false, default: 0 },
      both: { type: null, required: true, default: "x" },
      free: { type: null, required: false },
      untyped: { type: null, required: true },
    });
  });

  it("may be called like built-ins of the language", () => {
    expect(Object.keys(variables("{{constructor}} {{toString}} {{hasOwnProperty}}"))).toEqual([
      "constructor",
      "toString",
      "hasOwnProperty",
    ]);
  });

  it("come from examples too", () => {
    const messages: Content["messages"] = [
      { role: "user", content: "{{a}}" },
      { role: "assistant", content: "{{b}}" },
    ];
    expect(Object.keys(compile({ messages, placement: "prepend" }).variables)).toEqual(["a", "b"]);
  });
});

describe("a content is refused", () => {
  it("with every message that does not parse", () => {
    const compiled = compileContent({
      messages: [
        { role: "system", content: "fine" },
        { role: "user", content: "one\n{{#a}}" },
        { role: "assistant", content: "{{b" },
        { role: "user", content: "{{> p}}" },
      ],
      placement: "prepend",
    });
    expect(compiled).toMatchObject({ problem: "invalid_request", field: "messages[1].content" });
    expect(isProblem(compiled) && compiled.errors?.map(({ field }) => field)).toEqual([
      "messages[1].content",
      "messages[2].content",
      "messages[3].content",
    ]);
    expect(isProblem(compiled) && compiled.errors?.[1]?.message).toContain("line 1, column 1");
  });

  it.each(["{{.}}", "{{^a}}{{.}}{{/a}}", "{{#.}}x{{/.}}"])(
    "for %s, which would print all variables",
    (text) => {
      expect(compileContent(contentOf(text))).toMatchObject({
        problem: "invalid_request",
        field: "messages[0].content",
      });
      expect(isProblem(compileContent(contentOf("{{#a}}{{.}}{{/a}}")))).toBe(false);
    },
  );

  it("but a partial may ask for the element that it will be put beside", () => {
    expect(isProblem(compileContent(contentOf("- {{.}}\n"), "partial"))).toBe(false);
  });

  it("when it and its compiled form would not fit into one row of storage", () => {
    const text = "x".repeat(1_000_000);
    expect(compileContent(contentOf(text))).toMatchObject({ problem: "invalid_request", field: "messages" });
    expect(isProblem(compileContent(contentOf(text.slice(0, 900_000))))).toBe(false);
    const tags = "{{a}}".repeat(50_000);
    const two: Content["messages"] = [
      { role: "system", content: tags },
      { role: "user", content: tags },
    ];
    expect(isProblem(compileContent({ messages: two, placement: "prepend" }))).toBe(true);
  });
});
