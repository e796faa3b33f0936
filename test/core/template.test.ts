import fc from "fast-check";
import Mustache from "mustache";
import { describe, expect, it, vi } from "vitest";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { compileTemplate, renderTemplate } from "../../src/core/template.ts";
import type { Json, JsonObject, Template } from "../../src/core/types.ts";
import { inSection, renderByMustache, templates, views } from "./template-texts.ts";

function compile(text: string): Template {
  const template = compileTemplate(text, "messages[0].content");
  if (isProblem(template)) throw new Error(template.message);
  return template;
}

function render(text: string, view: JsonObject): string | Problem {
  return renderTemplate(compile(text), view);
}

function refusal(text: string): Problem {
  const template = compileTemplate(text, "messages[0].content");
  if (!isProblem(template)) throw new Error(`compiled: ${JSON.stringify(template)}`);
  return template;
}

describe("a template renders", () => {
  it("exactly as Mustache does without escaping, whatever the template and the view", () => {
    fc.assert(
      fc.property(templates(), views, ({ ours, plain }, view) => {
        const root = { root: { ...view, here: 1 } };
        expect(render(inSection(ours), root)).toBe(renderByMustache(inSection(plain), root));
      }),
      { numRuns: 3_000 },
    );
  });

  it("all three ways to write a value without escaping", () => {
    const view = { x: `<b> & "q" 'p' / \` =` };
    expect(render("{{x}}|{{{x}}}|{{&x}}|{{ x }}", view)).toBe([view.x, view.x, view.x, view.x].join("|"));
  });

  it("a value that looks like a template as it is", () => {
    expect(render("{{x}} {{y}}", { x: "{{y}}{{> p}}{{#y}}", y: "Y" })).toBe("{{y}}{{> p}}{{#y}} Y");
  });

  it("lists and objects as compact JSON, numbers and booleans as JavaScript prints them, null as nothing", () => {
    const view = {
      list: [1, "a", null],
      object: { k: { n: [] } },
      n: 1e21,
      z: -0,
      yes: true,
      no: false,
      none: null,
    };
    expect(render("{{list}} {{object}} {{n}} {{z}} {{yes}} {{no}} [{{none}}] [{{lacking}}]", view)).toBe(
      '[1,"a",null] {"k":{"n":[]}} 1e+21 0 true false [] []',
    );
  });

  it("names from the innermost section outwards, and members by dots", () => {
    const view = { who: "outer", people: [{ who: "Ann", at: { city: "Ulm" } }, { at: { city: "Ghent" } }] };
    expect(render("{{#people}}{{who}} {{at.city}};{{/people}}", view)).toBe("Ann Ulm;outer Ghent;");
    expect(render("{{people.1.at.city}} of {{people.length}}", view)).toBe("Ghent of 2");
  });

  it("lists of plain values by the implicit iterator, inverted sections for what is empty", () => {
    const text = "{{#x}}<{{.}}>{{/x}}{{^x}}none{{/x}}";
    expect(render(text, { x: ["a", 2, false] })).toBe("<a><2><false>");
    for (const x of [[], false, null, "", 0] as Json[]) expect(render(text, { x })).toBe("none");
  });

  it("never all variables at once: outside of a section {{.}} prints nothing", () => {
    expect(render("[{{.}}]{{#yes}}[{{.}}]{{/yes}}", { yes: true, secret: "s" })).toBe("[][]");
  });

  it("lines with nothing but section tags and comments away, with either line end", () => {
    for (const end of ["\n", "\r\n"]) {
      const text = ["Hi", "  {{#vip}}  ", "  dear", "  {{/vip}}", "{{! note }}", "you"].join(end);
      expect(render(text, { vip: true })).toBe(["Hi", "  dear", "you"].join(end));
      expect(render(text, {})).toBe(["Hi", "you"].join(end));
    }
  });
});

describe("a look-up", () => {
  it("never leaves the caller's own data", () => {
    const names = [
      "constructor",
      "toString",
      "hasOwnProperty",
      "valueOf",
      "x.length",
      "x.0",
      "x.constructor",
      "y.toString",
    ];
    for (const name of names) expect(render(`[{{${name}}}]`, { x: "text", y: {} })).toBe("[]");
    expect(render("{{#x}}[{{length}}]{{/x}}", { x: "text" })).toBe("[]");
  });

  it("reads a key of the caller's that is called like a built-in", () => {
    const view = JSON.parse('{"constructor":"mine","o":{"toString":"yours"}}') as JsonObject;
    expect(render("{{constructor}} {{o.toString}}", view)).toBe("mine yours");
  });

  it("is not misled by a __proto__ key in the values", () => {
    const view = JSON.parse('{"o":{"__proto__":{"x":"bad"}}}') as JsonObject;
    expect(render("[{{o.x}}]{{#o}}[{{x}}]{{/o}}", view)).toBe("[][]");
  });
});

describe("a template is refused", () => {
  it.each([
    ["Hi {{name", "line 1, column 4", "never closed"],
    ["a\nb {{{x}} c", "line 2, column 3", "never closed"],
    ["{{#a}}x", "line 1, column 8", 'unclosed section "a"'],
    ["x{{/a}}", "line 1, column 2", 'unopened section "a"'],
    ["{{#a}}{{#b}}{{/a}}{{/b}}", "line 1, column 13", 'unclosed section "b"'],
    ["{{=<% %>=}}", "line 1, column 1", "delimiters"],
    ["ok {{}}", "line 1, column 4", "empty"],
    ["{{{ }}}", "line 1, column 1", "empty"],
    ["{{a b}}", "line 1, column 1", "cannot be the name"],
    ['{{"role": 1}}', "line 1, column 1", "cannot be the name"],
    ["{{x | upper}}", "line 1, column 1", "cannot be the name"],
    ["{{a..b}}", "line 1, column 1", "cannot be the name"],
    ["{{#if x}}y{{/if}}", "line 1, column 1", "logic"],
    ["{{#each items}}y{{/each}}", "line 1, column 1", "logic"],
    ["{{__proto__}}", "line 1, column 1", "cannot be the name"],
    ["{{#a.__proto__.b}}{{/a.__proto__.b}}", "line 1, column 1", "cannot be the name"],
    ["x {{> tone}}", "line 1, column 3", 'the partial "tone"'],
  ])("%j, and the problem says where and why", (text, where, why) => {
    const found = refusal(text);
    expect(found).toMatchObject({ problem: "invalid_request", field: "messages[0].content" });
    expect(found.message).toContain(where);
    expect(found.message.toLowerCase()).toContain(why);
    expect(found.errors).toHaveLength(1);
  });

  it("before hostile nesting can reach the stack", () => {
    const deep = 20_000;
    expect(refusal("{{#a}}".repeat(deep) + "{{/a}}".repeat(deep)).message).toContain("nest deeper than 32");
    expect(isProblem(compileTemplate("{{#a}}".repeat(32) + "{{/a}}".repeat(32), "x"))).toBe(false);
  });

  it("before blanks in a tag can cost quadratic time", () => {
    const blanks = " ".repeat(200_000);
    const started = performance.now();
    expect(refusal(`{{x${blanks}`).message).toContain("never closed");
    expect(refusal(`{{x${blanks}y}}`).message).toContain("longer than");
    expect(refusal(`{{{x}}${blanks}`).message).toContain("never closed");
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("when it is huge and has tags, while huge text alone is taken", () => {
    const huge = "lorem ipsum \n".repeat(40_000);
    expect(refusal(`${huge}{{x}}`).message).toContain("262144");
    expect(compile(huge)).toEqual([huge]);
  });
});

describe("a rendering", () => {
  it("that lists blow up ends in a problem, not in a dead isolate", () => {
    const template = compile("{{#a}}{{#a}}{{#a}}{{#a}}{{lacking}}{{/a}}{{/a}}{{/a}}{{/a}}");
    const started = performance.now();
    const rendered = renderTemplate(template, { a: Array.from({ length: 2_000 }, () => "e") });
    expect(rendered).toMatchObject({ problem: "variable_invalid", field: "prompt.variables" });
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("that long values blow up ends in a problem", () => {
    const rendered = render("{{#list}}{{long}}{{/list}}", {
      list: Array.from({ length: 1_000 }, () => 1),
      long: "x".repeat(1_000_000),
    });
    expect(rendered).toMatchObject({ problem: "variable_invalid" });
  });

  it("keeps lone surrogates and every other unit of a value as they came", () => {
    const x = "\ud800 é ☃ 𝒳 \u0000 \r\n";
    expect(render("{{x}}", { x })).toBe(x);
  });

  it("leaves nothing behind in the parser, which by itself keeps every template for ever", () => {
    const parse = vi.spyOn(Mustache.Writer.prototype, "parse");
    compile("a {{x}}");
    expect(parse.mock.contexts).toMatchObject([{ templateCache: undefined }]);
    parse.mockRestore();
  });

  it("never depends on what was compiled before", () => {
    expect(render("__proto__ {{x}}", { x: 1 })).toBe("__proto__ 1");
    expect(compile("{{x}}")).toEqual(compile("{{x}}"));
    expect(compile("{{x}}")).not.toBe(compile("{{x}}"));
  });
});
