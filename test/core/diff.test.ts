import { applyPatch } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContent } from "../../src/core/content.ts";
import { diffContents, type ContentDiff } from "../../src/core/diff.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Content } from "../../src/core/types.ts";

function read(input: unknown): Content {
  const content = parseContent(input);
  if (isProblem(content)) throw new Error(content.message);
  return content;
}

function compare(from: unknown, to: unknown): ContentDiff {
  return diffContents({ version: 3, content: read(from) }, { version: 7, content: read(to) });
}

/** How a content with nothing but a system text reads. */
function whole(text: string): string {
  return `placement: "prepend"\n\n== messages[0] system ==\n${text}\n`;
}

function lines(mark: string): string {
  return Array.from({ length: 20_000 }, (_, index) => `${mark} ${index}`).join("\n");
}

const base = {
  messages: [
    { role: "system", content: "Line one\nLine two\nLine three" },
    { role: "user", content: "Hi" },
  ],
  model: "a",
  params: { temperature: 0.2, stop: ["x"] },
  variables: { product: { type: "string", default: "Acme" } },
  tools: [{ name: "find", parameters: { type: "object", properties: { q: { type: "string" } } } }],
};

describe("a diff", () => {
  it("of the same content is empty in both forms, whatever the note and the order of keys", () => {
    const turned = {
      note: "n",
      ...Object.fromEntries(Object.entries(base).toReversed()),
      provider_params: { gemini: { c: 3 }, openai: { b: 2, a: 1 } },
      params: { stop: ["x"], temperature: 0.2 },
    };
    const diff = compare({ ...base, provider_params: { openai: { a: 1, b: 2 }, gemini: { c: 3 } } }, turned);
    expect(diff).toMatchObject({ from: 3, to: 7, text: "" });
    expect(Object.values(diff.changes).flat()).toEqual([]);
  });

  it("names what changed by path, with before and after", () => {
    const { changes } = compare(base, {
      ...base,
      messages: [
        { role: "system", content: "Line one\nLine 2\nLine three" },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Hello" },
      ],
      model: "b",
      placement: "append",
      params: { temperature: 0.3, seed: 1 },
      defaults: { max_output_tokens: 5 },
      variables: { product: { type: "string" } },
      tools: [{ name: "find", parameters: { type: "object", properties: { q: { type: "number" } } } }],
      response_format: { type: "text" },
      provider_params: { openai: { store: true } },
    });
    expect(changes).toEqual({
      messages: [
        {
          path: "messages[0].content",
          before: "Line one\nLine two\nLine three",
          after: "Line one\nLine 2\nLine three",
        },
        { path: "messages[2]", before: null, after: { role: "assistant", content: "Hello" } },
      ],
      model: [{ path: "model", before: "a", after: "b" }],
      placement: [{ path: "placement", before: "prepend", after: "append" }],
      params: [
        { path: "params.temperature", before: 0.2, after: 0.3 },
        { path: "params.stop", before: ["x"], after: null },
        { path: "params.seed", before: null, after: 1 },
      ],
      defaults: [{ path: "defaults.max_output_tokens", before: null, after: 5 }],
      variables: [{ path: "variables.product.default", before: "Acme", after: null }],
      tools: [{ path: "tools[0].parameters.properties.q.type", before: "string", after: "number" }],
      response_format: [{ path: "response_format", before: null, after: { type: "text" } }],
      provider_params: [{ path: "provider_params.openai", before: null, after: { store: true } }],
    });
  });

  it("shows the lines that changed as unified text with the versions as file names", () => {
    const { text } = compare(base, {
      ...base,
      model: "b",
      messages: [{ role: "system", content: "Line one\nLine 2\nLine three" }],
    });
    expect(text.split("\n").slice(0, 2)).toEqual(["--- version 3", "+++ version 7"]);
    for (const line of ['-model: "a"', '+model: "b"', "-Line two", "+Line 2", " Line three", "-Hi"]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("shows a change of line ends, of blanks and of a last newline", () => {
    for (const [from, to] of [
      ["a\nb", "a\r\nb"],
      ["a b", "a  b"],
      ["a", "a\n"],
    ]) {
      const diff = compare({ system: from }, { system: to });
      expect(diff.text).not.toBe("");
      expect(diff.changes.messages).toHaveLength(1);
    }
  });

  it("sees a change that only null could hide", () => {
    const diff = compare(
      { provider_params: { openai: { a: 1, b: null } } },
      { provider_params: { openai: { a: 1 } } },
    );
    expect(diff.text).not.toBe("");
    expect(diff.changes.provider_params).toHaveLength(1);
  });

  it("agrees in both forms on whether anything changed", () => {
    const some = fc.constantFrom;
    const content = fc.record(
      {
        system: some("a", "a\nb", "b"),
        model: some("m", "n"),
        params: some({ seed: 1 }, { seed: 2 }, { top_p: 1 }),
        provider_params: some(
          { openai: { x: null } },
          { openai: { x: [] } },
          { openai: { x: {} } },
          { gemini: { x: [null] } },
        ),
        note: some("x", "y"),
      },
      { requiredKeys: ["system"] },
    );
    fc.assert(
      fc.property(content, content, (from, to) => {
        const diff = compare(from, to);
        expect(diff.text === "").toBe(Object.values(diff.changes).flat().length === 0);
      }),
    );
  });

  it("can be applied as a patch", () => {
    const texts = fc
      .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 8 })
      .map((parts) => `x${parts.join("\n")}`);
    fc.assert(
      fc.property(texts, texts, texts, (one, two, three) => {
        const empty = compare({ system: one }, { system: two });
        const forth = compare({ system: two }, { system: three });
        expect(empty.text === "" ? whole(one) : applyPatch(whole(one), empty.text)).toBe(whole(two));
        expect(forth.text === "" ? whole(two) : applyPatch(whole(two), forth.text)).toBe(whole(three));
      }),
    );
  });

  it("of two texts without a common line is written out in bearable time", () => {
    const started = performance.now();
    const { text } = compare({ system: lines("old") }, { system: lines("new") });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(text.split("\n").filter((line) => line.startsWith("-old"))).toHaveLength(20_000);
    expect(text.split("\n").filter((line) => line.startsWith("+new"))).toHaveLength(20_000);
  });
});
