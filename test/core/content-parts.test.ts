// Pictures and files as variables: they become parts of a user's message and are refused everywhere else, never lost and
// never printed into a text.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileContent } from "../../src/core/compile.ts";
import { readContentPart } from "../../src/core/content-parts.ts";
import { isProblem } from "../../src/core/problem.ts";
import { renderVersion } from "../../src/core/render.ts";
import type { Content, Json, JsonObject } from "../../src/core/types.ts";

const IMAGE = { type: "input_image", image_url: "https://x.test/a.png", detail: "low" };
const FILE = { type: "input_file", file_data: "data:application/pdf;base64,JVBER", filename: "a.pdf" };

function render(messages: Content["messages"], variables: JsonObject, more: Partial<Content> = {}) {
  const compiled = compileContent({ messages, placement: "prepend", ...more });
  if (isProblem(compiled)) throw new Error(compiled.message);
  return renderVersion(compiled, variables);
}

function renderUser(content: string, variables: JsonObject, more: Partial<Content> = {}) {
  const rendered = render([{ role: "user", content }], variables, more);
  return isProblem(rendered) ? rendered : rendered.examples[0]!.content;
}

function sourceOf(value: JsonObject): unknown {
  const part = readContentPart("v", value);
  return part !== null && "media" in part ? part.media.source : part;
}

const image = (more: JsonObject) => sourceOf({ type: "input_image", ...more });
const file = (more: JsonObject) => sourceOf({ type: "input_file", ...more });

describe("a part", () => {
  it("is read in every form that OpenAI's variables take", () => {
    expect(image({ image_url: "https://x.test/a" })).toEqual({ from: "url", url: "https://x.test/a" });
    expect(image({ file_id: "file-1" })).toEqual({ from: "id", id: "file-1" });
    const png = { from: "data", mediaType: "image/png", base64: "iVBOR" };
    expect(image({ image_url: "data:image/png;base64,iVBOR" })).toEqual(png);
    const pdf = { from: "data", mediaType: "application/pdf", base64: "JVBER" };
    expect(file({ file_data: "data:application/pdf;charset=x;base64,JVBER" })).toEqual(pdf);
    expect(file({ file_data: "JVBER", filename: "Some.Thing.PDF" })).toEqual(pdf);
    expect(file({ file_data: "JVBER", filename: "constructor" })).toEqual({ ...pdf, mediaType: null });
    expect(file({ file_url: "https://x.test/a" })).toEqual({ from: "url", url: "https://x.test/a" });
    expect(file({ file_id: "file-1" })).toEqual({ from: "id", id: "file-1" });
    expect(readContentPart("v", { ...IMAGE })).toMatchObject({ media: { detail: "low", sent: IMAGE } });
    expect(readContentPart("v", { ...FILE })).toMatchObject({ media: { filename: "a.pdf", sent: FILE } });
  });

  it("without what it is about is said to be so, and other objects are none", () => {
    for (const type of ["input_text", "input_image", "input_file", "input_audio"]) {
      expect(renderUser("{{v}}", { v: { type, text: 7, image_url: "", file_id: null } })).toMatchObject({
        problem: "variable_invalid",
        field: "prompt.variables.v",
      });
    }
    expect(renderUser("{{v}}", { v: { type: "order", id: 7 } })).toBe('{"type":"order","id":7}');
  });
});

describe("a picture or a file", () => {
  it("stands between the texts of a user's message, where its tag stood", () => {
    expect(
      renderUser("Look: {{a}}\n{{b}}{{c}} and {{n}}?", { a: IMAGE, b: FILE, c: { ...IMAGE }, n: "say" }),
    ).toMatchObject([
      { kind: "text", text: "Look: " },
      { kind: "image", variable: "a", sent: IMAGE },
      { kind: "file", variable: "b", sent: FILE },
      { kind: "image", variable: "c" },
      { kind: "text", text: " and say?" },
    ]);
    expect(renderUser("{{a}}", { a: IMAGE })).toMatchObject([{ kind: "image" }]);
    expect(renderUser("Look: {{a}}", { a: "a tree" })).toBe("Look: a tree");
  });

  it("may be a default, and may be asked for by a section", () => {
    expect(renderUser("{{a}}", {}, { variables: { a: { default: IMAGE } } })).toMatchObject([
      { kind: "image" },
    ]);
    const text = "{{#a}}Look.{{/a}}{{^a}}Imagine.{{/a}}";
    expect(renderUser(text, { a: IMAGE })).toBe("Look.");
    expect(renderUser(text, {})).toBe("Imagine.");
    expect(renderUser("{{a.image_url}}", { a: IMAGE })).toBe("https://x.test/a.png");
    const rules = { variables: { a: { type: "object" as const } } };
    expect(renderUser("{{a}}", { a: IMAGE }, rules)).toBe(JSON.stringify(IMAGE));
  });

  it.each([
    ["a system text", [{ role: "system", content: "{{photo}}" }]],
    ["an assistant's message", [{ role: "assistant", content: "Here: {{photo}}" }]],
    ["a section", [{ role: "user", content: "{{#on}}{{photo}}{{/on}}" }]],
    ["a section beside a good place", [{ role: "user", content: "{{photo}}{{#photo}}{{.}}{{/photo}}" }]],
  ] satisfies [string, Content["messages"]][])(
    "is refused in %s, by the name of its variable",
    (_where, messages) => {
      for (const part of [IMAGE, FILE]) {
        const rendered = render(messages, { photo: part, on: true });
        expect(rendered).toMatchObject({ problem: "variable_invalid", field: "prompt.variables.photo" });
        if (isProblem(rendered)) expect(rendered.message).toContain("user message");
      }
    },
  );

  it("is refused where the variable is declared to be something else", () => {
    expect(renderUser("{{a}}", { a: IMAGE }, { variables: { a: { type: "string" } } })).toMatchObject({
      problem: "variable_invalid",
      message: "prompt.variables.a must be of type string, not an input_image part.",
    });
  });

  it("is never lost or printed, whatever the message looks like", () => {
    const piece = fc.constantFrom("x", " ", "{{a}}", "{{b}}", "{{t}}", "{{#s}}y{{/s}}");
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 8 }), (pieces) => {
        const values: { [name: string]: Json } = { a: IMAGE, b: FILE, t: "T", s: true };
        const content = renderUser(pieces.join(""), values);
        if (isProblem(content)) throw new Error(content.message);
        const parts = typeof content === "string" ? [{ kind: "text" as const, text: content }] : content;
        const seen = parts.map((part) =>
          part.kind === "text" ? part.text.replaceAll(/\s/g, "") : part.variable,
        );
        const all: { [piece: string]: string } = {
          "{{a}}": "a",
          "{{b}}": "b",
          "{{t}}": "T",
          "{{#s}}y{{/s}}": "y",
        };
        expect(seen.join("")).toBe(pieces.map((one) => all[one] ?? one.trim()).join(""));
      }),
    );
  });
});
