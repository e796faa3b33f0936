// Random templates and views for the properties of template and partials: tags of every kind, on lines of their own and
// within text, with blanks and both line ends around them.

import fc from "fast-check";
import Mustache from "mustache";
import type { Json, JsonObject } from "../../src/core/types.ts";

// No `x.length` and no `x.0`: of a string, the package prints them and we do not.
const name = fc.constantFrom("a", "b", "c", "a.b", "b.c.a");
const blank = fc.constantFrom("", " ", "  ", "\t");
const text = fc
  .array(fc.constantFrom("x", " ", "  ", "\n", "\n\n", "\r\n", "\t", "é☃𝒳", "} ", "{ ", "}}", "\u2028"), {
    maxLength: 4,
  })
  .map((parts) => parts.join(""));

/** How an unescaped value may be written; all mean the same to us, the first one to Mustache without escaping. */
type Writing = "{{x}}" | "{{{x}}}" | "{{&x}}";
const writing = fc.constantFrom<Writing>("{{x}}", "{{{x}}}", "{{&x}}");

/** `ours` uses all three ways to write a value, `plain` only the first. */
export type Pair = { ours: string; plain: string };

const value = fc
  .record({ name: fc.oneof(name, fc.constant(".")), writing, inner: blank })
  .map(({ name: of, writing: as, inner }) => ({
    ours: as.replace("x", `${inner}${of}${inner}`),
    plain: `{{${of}}}`,
  }));
const comment = fc
  .constantFrom("{{! note }}", "{{!\n two\n lines }}")
  .map((written) => ({ ours: written, plain: written }));
const plainText = text.map((written) => ({ ours: written, plain: written }));

function both(pairs: Pair[]): Pair {
  return { ours: pairs.map(({ ours }) => ours).join(""), plain: pairs.map(({ plain }) => plain).join("") };
}

/** `partials`: names that may be included. */
export function templates(partials: string[] = []): fc.Arbitrary<Pair> {
  const { node } = fc.letrec<{ node: Pair; section: Pair }>((tie) => ({
    section: fc
      .record({
        kind: fc.constantFrom("#", "^"),
        of: name,
        body: fc.array(tie("node"), { maxLength: 4 }),
        pad: blank,
      })
      .map(({ kind, of, body, pad }) => {
        const inside = both(body);
        return {
          ours: `{{${kind}${pad}${of}}}${inside.ours}{{/${of}${pad}}}`,
          plain: `{{${kind}${pad}${of}}}${inside.plain}{{/${of}${pad}}}`,
        };
      }),
    node: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      plainText,
      value,
      comment,
      fc.constant({ ours: "\n", plain: "\n" }),
      ...(partials.length === 0
        ? []
        : [fc.constantFrom(...partials).map((of) => ({ ours: `{{>${of}}}`, plain: `{{> ${of} }}` }))]),
      tie("section"),
    ),
  }));
  return fc.array(node, { maxLength: 8 }).map(both);
}

const leaf = fc.oneof(
  fc.constantFrom<Json>(0, 1, -2.5, 1e21, true, false, "", "text", "{{a}}", "<&>", "\ud800", "two\nlines"),
  fc.constant<Json>([]),
);

/** No null inside of lists: the package throws on those. */
const json: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(tie("json"), fc.constant(null)), { maxKeys: 3 }),
  ),
})).json;

export const views: fc.Arbitrary<JsonObject> = fc.dictionary(fc.constantFrom("a", "b", "c"), json, {
  maxKeys: 3,
});

function print(printed: unknown): string {
  return typeof printed === "object" ? JSON.stringify(printed) : String(printed);
}

/** What the package makes of it, with our way to print values. */
export function renderByMustache(
  template: string,
  view: JsonObject,
  partials: { [name: string]: string } = {},
): string {
  return Mustache.render(template, view, partials, { escape: print });
}

/** A section around everything, so that `{{.}}` has something to stand for. */
export function inSection(template: string): string {
  return `{{#root}}${template}{{/root}}`;
}
