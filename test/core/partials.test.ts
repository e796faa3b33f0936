import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inlinePartials, listPartials, partialText, type PartialSource } from "../../src/core/partials.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { compileTemplate, renderTemplate } from "../../src/core/template.ts";
import type { Content, JsonObject } from "../../src/core/types.ts";
import { inSection, renderByMustache, templates, views } from "./template-texts.ts";

type Sources = { [name: string]: string };

function contentOf(text: string, more: Partial<Content> = {}): Content {
  return { messages: [{ role: "system", content: text }], placement: "prepend", ...more };
}

function lookIn(sources: Sources) {
  return (name: string, version: number | null): PartialSource | null => {
    const text = sources[version === null ? name : `${name}@${version}`];
    return text === undefined ? null : { text, version: version ?? 9, digest: `digest of ${name}` };
  };
}

function close(text: string, sources: Sources): string {
  const inlined = inlinePartials(contentOf(text), lookIn(sources));
  if (isProblem(inlined)) throw new Error(inlined.message);
  return inlined.content.messages[0]!.content;
}

function refusal(text: string, sources: Sources): Problem {
  const inlined = inlinePartials(contentOf(text), lookIn(sources));
  if (!isProblem(inlined)) throw new Error(`inlined: ${JSON.stringify(inlined)}`);
  return inlined;
}

function render(text: string, view: JsonObject): string | Problem {
  const template = compileTemplate(text, "text");
  if (isProblem(template)) throw new Error(template.message);
  return renderTemplate(template, view);
}

describe("inlining partials", () => {
  it("renders exactly as Mustache does with the same partials, or is refused", () => {
    let torn = 0;
    let runs = 0;
    const inputs = fc.tuple(
      templates(["p", "q"]),
      templates(["q", "r"]),
      templates(["r"]),
      templates(),
      views,
    );
    fc.assert(
      fc.property(inputs, ([host, p, q, r, view]) => {
        runs += 1;
        const inlined = inlinePartials(
          contentOf(inSection(host.ours)),
          lookIn({ p: p.ours, q: q.ours, r: r.ours }),
        );
        if (isProblem(inlined)) {
          expect(inlined.message).toMatch(/torn|closed|empty|cannot be the name/);
          torn += 1;
          return;
        }
        const root = { root: { ...view, here: 1 } };
        const expected = renderByMustache(inSection(host.plain), root, {
          p: p.plain,
          q: q.plain,
          r: r.plain,
        });
        expect(render(inlined.content.messages[0]!.content, root)).toBe(expected);
      }),
      { numRuns: 4_000 },
    );
    expect(torn / runs).toBeLessThan(0.03);
  });

  it("keeps every text without partials as it was written", () => {
    fc.assert(
      fc.property(templates(), ({ ours }) => {
        expect(close(ours, {})).toBe(ours);
      }),
    );
  });

  it("indents every line of a partial whose tag stands alone on its line, and takes the line's end away", () => {
    expect(close("Rules:\n  {{> rules}}\nEnd", { rules: "- one\n- two\n\n- three\n" })).toBe(
      "Rules:\n  - one\n  - two\n\n  - three\nEnd",
    );
    expect(close("{{#s}}\n  {{> p}}  \n{{/s}}\n", { p: "x\n" })).toBe("{{#s}}\n  x\n{{/s}}\n");
    expect(close("a\r\n{{> p}}\r\nb", { p: "x\r\n" })).toBe("a\r\nx\r\nb");
    expect(close("{{> p}}", { p: "whole" })).toBe("whole");
  });

  it("puts a partial into a line as it is", () => {
    expect(close("Be {{> tone}}, please.", { tone: "kind" })).toBe("Be kind, please.");
  });

  it("keeps the tags of a partial for the variables of the request", () => {
    expect(close("{{> p}}!", { p: "Hi {{name}}{{#vip}} dear{{/vip}}" })).toBe(
      "Hi {{name}}{{#vip}} dear{{/vip}}!",
    );
  });

  it("writes the template anew where the plain way would read differently", () => {
    const closed = close("{{> hello}}\n{{#vip}}\nDear\n{{/vip}}\n", { hello: "Hello" });
    expect(render(closed, { vip: true })).toBe("HelloDear\n");
    const blank = close("{{> p}}\n\nNext", { p: "{{#vip}}\nHi\n{{/vip}}" });
    expect(render(blank, { vip: true })).toBe("Hi\n\nNext");
    expect(render(blank, {})).toBe("\nNext");
  });

  it("never lets two harmless halves make a tag", () => {
    expect(refusal("{{> p}}{b}} {{c}}", { p: "a{" }).message).toContain("torn");
    expect(close("{{> p}} {b}}", { p: "a{" })).toBe("a{ {b}}");
  });

  it("inlines partials of partials, and names each version used once", () => {
    const sources = { a: "[{{> b}}{{> c@3}}]", b: "b{{> c@3}}", "c@3": "c" };
    const inlined = inlinePartials(contentOf("{{> a}}{{> a}}"), lookIn(sources));
    expect(inlined).toMatchObject({
      content: { messages: [{ content: "[bcc][bcc]" }] },
      partials: [
        { name: "a", version: 9, digest: "digest of a" },
        { name: "b", version: 9, digest: "digest of b" },
        { name: "c", version: 3, digest: "digest of c" },
      ],
    });
  });

  it("leaves the content it was given alone", () => {
    const content = contentOf("{{> p}}", { model: "m", variables: { x: {} } });
    const before = structuredClone(content);
    const inlined = inlinePartials(content, lookIn({ p: "text" }));
    expect(content).toEqual(before);
    expect(inlined).toMatchObject({ content: { model: "m", variables: { x: {} } } });
  });
});

function lookInDeclaring(name: string): PartialSource {
  const variables: PartialSource["variables"] = { x: { type: "string", default: name } };
  return { text: `{{x}}${name}`, version: 1, digest: name, variables };
}

describe("a partial's declared variables", () => {
  it("are inherited by the prompt, whose own declarations win", () => {
    const inherited = inlinePartials(contentOf("{{> a}}"), lookInDeclaring);
    expect(inherited).toMatchObject({ content: { variables: { x: { type: "string", default: "a" } } } });
    const own = inlinePartials(
      contentOf("{{> a}}{{> b}}", { variables: { x: { type: "number" } } }),
      lookInDeclaring,
    );
    expect(own).toMatchObject({ content: { variables: { x: { type: "number" } } } });
  });

  it("must not disagree between partials unless the prompt settles it", () => {
    const inlined = inlinePartials(contentOf("{{> a}}{{> b}}"), lookInDeclaring);
    expect(inlined).toMatchObject({ problem: "invalid_request", field: "variables.x" });
  });

  it("may be called like the fields of a problem", () => {
    const inlined = inlinePartials(contentOf("{{> a}}"), () => ({
      text: "t",
      version: 1,
      digest: "d",
      variables: { problem: {}, message: {} },
    }));
    expect(isProblem(inlined)).toBe(false);
  });
});

describe("inlining is refused", () => {
  it("for a partial that is not there, by its name and its message", () => {
    const content: Content = {
      messages: [
        { role: "system", content: "fine" },
        { role: "user", content: "{{> tone@2}}" },
      ],
      placement: "prepend",
    };
    const inlined = inlinePartials(content, lookIn({ tone: "kind" }));
    expect(inlined).toMatchObject({ problem: "invalid_request", field: "messages[1].content" });
    expect((inlined as Problem).message).toContain('"tone@2"');
  });

  it.each(["Tone", "a b", "tone@", "tone@0", "tone@x", "tone@1.5", "@3", "tone @3", "", "../x", "__proto__"])(
    "for the name %j",
    (name) => {
      expect(refusal(`{{> ${name}}}`, {}).message).toMatch(/no partial's name/);
    },
  );

  it("for partials that include each other, showing the way round", () => {
    const found = refusal("{{> a}}", { a: "{{> b}}", b: "x{{> a}}" });
    expect(found.message).toContain("include each other: a@9 → b@9 → a@9");
  });

  it("for more than ten levels", () => {
    const sources: Sources = { p10: "end" };
    for (let level = 0; level < 10; level += 1) sources[`p${level}`] = `{{> p${level + 1}}}`;
    expect(close("{{> p1}}", sources)).toBe("end");
    expect(refusal("{{> p0}}", sources).message).toContain("deeper than 10");
  });

  it("for partials that multiply, whether they hold text or not", () => {
    const started = performance.now();
    const empty: Sources = { p9: "" };
    const full: Sources = { p9: "x".repeat(60_000) };
    for (let level = 0; level < 9; level += 1) {
      empty[`p${level}`] = `{{> p${level + 1}}}`.repeat(10);
      full[`p${level}`] = `{{> p${level + 1}}}`.repeat(4);
    }
    expect(refusal("{{> p0}}", empty).message).toContain("1000 inclusions");
    expect(refusal("{{> p0}}", full).message).toContain("1048576 bytes");
    const wide = { p: "x\n".repeat(100_000) };
    expect(refusal(`${" ".repeat(10_000)}{{> p}}`, wide).message).toContain("1048576 bytes");
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("for a syntax error inside a partial, naming the partial", () => {
    const found = refusal("ok\n{{> a}}", { a: "x\n{{#open}}" });
    expect(found).toMatchObject({ problem: "invalid_request", field: "messages[0].content" });
    expect(found.message).toContain("partial a@9, line 2");
  });

  it("for a section that only two partials together would close", () => {
    expect(refusal("{{> a}}x{{> b}}", { a: "{{#s}}", b: "{{/s}}" }).message).toContain("unclosed");
  });
});

describe("listing partials", () => {
  it("finds each reference once, in sections too, and overlooks what inlining will refuse", () => {
    const content = contentOf("{{> a}} {{#s}}{{>b@12}}{{/s}} {{> a }} {{> Not Me}}");
    content.messages.push({ role: "user", content: "{{> c}}" }, { role: "assistant", content: "{{> d}} {{" });
    expect(listPartials(content)).toEqual([
      { name: "a", version: null },
      { name: "b", version: 12 },
      { name: "c", version: null },
    ]);
  });

  it("finds none in a comment", () => {
    expect(listPartials(contentOf("{{! > a }} {{! {{> b}}"))).toEqual([]);
  });
});

describe("a partial's text", () => {
  it("is its one message", () => {
    expect(partialText(contentOf("kind"))).toBe("kind");
    expect(partialText({ messages: [{ role: "user", content: "u" }], placement: "append", note: "n" })).toBe(
      "u",
    );
  });

  it("is refused with no message, with two, and with anything that inlining would drop", () => {
    expect(partialText({ messages: [], placement: "prepend" })).toMatchObject({ field: "messages" });
    const two = contentOf("a");
    two.messages.push({ role: "user", content: "b" });
    expect(partialText(two)).toMatchObject({ problem: "invalid_request", field: "messages" });
    expect(partialText(contentOf("a", { params: { temperature: 1 } }))).toMatchObject({ field: "params" });
  });
});
