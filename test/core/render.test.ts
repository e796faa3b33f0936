import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileContent } from "../../src/core/compile.ts";
import { isProblem } from "../../src/core/problem.ts";
import { hasVariables, renderVersion } from "../../src/core/render.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { Compiled, Content, Json, JsonObject, VariableRule } from "../../src/core/types.ts";

function compile(text: string, more: Partial<Content> = {}): Compiled {
  const compiled = compileContent({
    messages: [{ role: "system", content: text }],
    placement: "prepend",
    ...more,
  });
  if (isProblem(compiled)) throw new Error(compiled.message);
  return compiled;
}

function render(text: string, variables: JsonObject, rules: { [name: string]: VariableRule } = {}) {
  return renderVersion(compile(text, { variables: rules }), variables);
}

function systemOf(text: string, variables: JsonObject, rules: { [name: string]: VariableRule } = {}) {
  return (render(text, variables, rules) as Rendered).system;
}

describe("rendering a version", () => {
  it("fills the variables into every message, and into nothing else", () => {
    const compiled = compile("Hi {{x}}", {
      messages: [
        { role: "system", content: "Hi {{x}}" },
        { role: "user", content: "Q{{x}}" },
        { role: "assistant", content: "A{{x}}" },
      ],
      placement: "append",
      model: "{{x}}",
      params: { stop: ["{{x}}"] },
      defaults: { service_tier: "{{x}}" },
      tools: [{ name: "t", description: "{{x}}", parameters: {} }],
      response_format: { type: "json_schema", name: "f", schema: { title: "{{x}}" } },
      provider_params: { openai: { metadata: { m: "{{x}}" } } },
    });
    const rendered = renderVersion(compiled, { x: "1" });
    expect(rendered).toEqual({
      system: "Hi 1",
      examples: [
        { role: "user", content: "Q1" },
        { role: "assistant", content: "A1" },
      ],
      placement: "append",
      model: "{{x}}",
      params: { stop: ["{{x}}"] },
      defaults: { service_tier: "{{x}}" },
      tools: [{ name: "t", description: "{{x}}", parameters: {} }],
      responseFormat: { type: "json_schema", name: "f", schema: { title: "{{x}}" } },
      providerParams: { openai: { metadata: { m: "{{x}}" } } },
    });
  });

  it("gives the same for every request when there are no variables", () => {
    const compiled = compile("No tags.");
    expect(hasVariables(compiled)).toBe(false);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (variables) => {
        expect(renderVersion(compiled, variables as JsonObject)).toEqual(renderVersion(compiled, {}));
      }),
    );
    expect(hasVariables(compile("{{x}}"))).toBe(true);
    expect(hasVariables(compile("{{#x}}y{{/x}}"))).toBe(true);
    expect(hasVariables(compile("none used", { variables: { x: {} } }))).toBe(true);
  });

  it("has no system text where the version has none", () => {
    expect(renderVersion(compile("", { messages: [], model: "m" }), {})).toMatchObject({
      system: null,
      examples: [],
    });
  });

  it("fills in defaults, also for null, and never changes the caller's object", () => {
    const rules: { [name: string]: VariableRule } = {
      a: { type: "string", default: "A" },
      b: { default: [1, 2] },
    };
    const variables: JsonObject = { a: null };
    expect(systemOf("{{a}} {{#b}}{{.}}{{/b}}", variables, rules)).toBe("A 12");
    expect(variables).toEqual({ a: null });
    expect(systemOf("{{a}}", { a: "mine" }, rules)).toBe("mine");
    expect(systemOf("[{{a}}]", { a: "" }, rules)).toBe("[]");
  });

  it("leaves optional ones empty, and lets sections see what no rule names", () => {
    expect(
      systemOf("[{{a}}]{{#vip}}{{name}}{{/vip}}", { vip: true, name: "Ann" }, { a: { required: false } }),
    ).toBe("[]Ann");
  });

  it("never renders a value twice", () => {
    expect(systemOf("{{a}}{{b}}", { a: "{{b}}", b: "{{a}}{{> p}}" })).toBe("{{b}}{{a}}{{> p}}");
  });
});

describe("missing variables", () => {
  it("are all named at once, null and inherited ones too", () => {
    const rendered = render(
      "{{a}} {{b}} {{c}} {{toString}} {{#d}}{{/d}}",
      { b: null, c: 1 },
      { e: { type: "number" } },
    );
    expect(rendered).toMatchObject({
      problem: "variable_missing",
      field: "prompt.variables.e",
      missing: ["e", "a", "b", "toString"],
    });
    if (!isProblem(rendered)) return;
    expect(rendered.message).toContain("e, a, b, toString");
    expect(rendered.errors?.map(({ field }) => field)).toContain("prompt.variables.toString");
  });

  it("come first, with what is wrong besides among the errors", () => {
    const rendered = render("{{a}}", { n: "x" }, { n: { type: "number" } });
    expect(rendered).toMatchObject({
      problem: "variable_missing",
      missing: ["a"],
      errors: [{ field: "prompt.variables.a" }, { field: "prompt.variables.n" }],
    });
  });
});

describe("types", () => {
  const samples: { [type: string]: Json[] } = {
    string: ["", "x"],
    number: [0, -1.5],
    boolean: [true, false],
    array: [[], [1]],
    object: [{}, { a: 1 }],
  };
  const printable = new Set(["string", "number", "boolean"]);
  for (const type of Object.keys(samples)) {
    for (const [given, values] of Object.entries(samples)) {
      const fits = type === given || (type === "string" && printable.has(given));
      it(`${fits ? "takes" : "refuses"} ${given} for ${type}`, () => {
        for (const value of values) {
          const rendered = render("{{v}}", { v: value }, { v: { type: type as "string" } });
          if (fits) expect(isProblem(rendered)).toBe(false);
          else expect(rendered).toMatchObject({ problem: "variable_invalid", field: "prompt.variables.v" });
        }
      });
    }
  }

  it("convert nothing: a number for a string prints as it is, and every wrong one is among the errors", () => {
    expect(systemOf("{{v}} {{w}}", { v: 7, w: true }, { v: { type: "string" }, w: { type: "string" } })).toBe(
      "7 true",
    );
    const rules: { [name: string]: VariableRule } = { v: { type: "number" }, w: { type: "object" } };
    const rendered = render("{{v}}", { v: "7", w: [] }, rules);
    expect(rendered).toMatchObject({
      problem: "variable_invalid",
      message: "prompt.variables.v must be of type number, not string.",
      errors: [
        { field: "prompt.variables.v" },
        { field: "prompt.variables.w", message: "must be of type object, not array" },
      ],
    });
  });

  it("take OpenAI's text parts as their text", () => {
    const part = { type: "input_text", text: "hello {{x}}" };
    expect(systemOf("{{v}}", { v: part })).toBe("hello {{x}}");
    expect(systemOf("{{v}}", { v: part }, { v: { type: "string" } })).toBe("hello {{x}}");
    expect(systemOf("{{v.text}}", { v: part }, { v: { type: "object" } })).toBe("hello {{x}}");
    expect(systemOf("{{v}}", {}, { v: { default: part } })).toBe("hello {{x}}");
  });
});

describe("hostile variables", () => {
  it("never exhaust the stack, named by a rule or not", () => {
    const deep = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`) as Json;
    expect(render("{{v}}", { v: deep })).toMatchObject({
      problem: "variable_invalid",
      field: "prompt.variables.v",
    });
    expect(render("{{#s}}{{other}}{{/s}}", { s: true, other: { k: deep } })).toMatchObject({
      problem: "variable_invalid",
      field: "prompt.variables.other",
    });
  });

  it("never reach a prototype", () => {
    const variables = JSON.parse('{"__proto__":{"x":"bad"},"v":"ok"}') as JsonObject;
    expect(render("{{v}} {{x}}", variables)).toMatchObject({ problem: "variable_missing", missing: ["x"] });
    expect(systemOf("{{v}}{{#s}}{{x}}{{/s}}", { ...variables, s: 1 })).toBe("ok");
    expect(({} as JsonObject)["x"]).toBeUndefined();
  });

  it("may be called like the fields of a problem", () => {
    expect(systemOf("{{problem}} {{message}}", { problem: "p", message: "m" })).toBe("p m");
  });

  it("never make it throw", () => {
    const compiled = compile("{{a}} {{#b}}{{c}}{{.}}{{/b}}{{^d}}{{/d}}", {
      variables: { a: { type: "string" } },
    });
    const names = fc.constantFrom("a", "b", "c", "d", "__proto__", "length");
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (variables) => {
        const rendered = renderVersion(compiled, variables as JsonObject);
        expect(isProblem(rendered) || typeof rendered.system === "string").toBe(true);
      }),
    );
  });
});
