import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { parseContent } from "../../src/core/content.ts";
import { readShape } from "../../src/core/content-problems.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Json } from "../../src/core/types.ts";
import { read, refusal } from "./content-reading.ts";

describe("hostile input", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "system"],
    ["a list", [{ role: "user", content: "x" }]],
    ["a number", 7],
    ["a function", () => 1],
    ["a date", new Date(0)],
  ])("%s is no content", (_, input) => {
    expect(refusal(input).field).toBe("content");
  });

  it("that nests deeply, or holds itself, ends in a problem", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`) as Json;
    expect(refusal({ provider_params: { openai: deep } }).errors?.[0]?.message).toContain("deeper than 64");
    const cyclic: { [key: string]: unknown } = {};
    cyclic["me"] = cyclic;
    expect(refusal({ provider_params: { openai: cyclic } }).errors?.[0]?.message).toContain("deeper than 64");
  });

  it("with a __proto__ key is refused wherever the key stands, and changes no prototype", () => {
    for (const text of [
      '{"__proto__":{"system":"x"}}',
      '{"system":"s","variables":{"__proto__":{"default":"x"}}}',
      '{"system":"s","provider_params":{"openai":{"a":[{"__proto__":1}]}}}',
    ]) {
      expect(refusal(JSON.parse(text)).errors?.[0]?.message).toContain("key that cannot be used");
    }
    expect(({} as { default?: unknown }).default).toBeUndefined();
  });

  it("that is huge is refused by its bytes", () => {
    expect(refusal({ system: "é".repeat(600_000) }).errors?.[0]?.message).toContain("1048576 bytes");
    expect(read({ system: "e".repeat(600_000) }).messages[0]?.content).toHaveLength(600_000);
  });

  it("with half of a surrogate pair is refused, with whole ones taken", () => {
    expect(refusal({ system: "x \ud800 y" }).field).toBe("system");
    expect(refusal({ system: "s", provider_params: { openai: { "\udc00": 1 } } }).problem).toBe(
      "invalid_request",
    );
    expect(read({ system: "x 😀 é \u0000 \r\n" }).messages[0]?.content).toBe("x 😀 é \u0000 \r\n");
  });

  it("with numbers or values that JSON has not is refused", () => {
    expect(refusal({ provider_params: { openai: { x: Number.NaN } } }).field).toBe(
      "provider_params.openai.x",
    );
    expect(refusal({ provider_params: { openai: { x: undefined } } }).field).toBe("provider_params.openai.x");
    expect(refusal({ provider_params: { openai: { x: new Map() } } }).field).toBe("provider_params.openai.x");
  });

  it("with endless unknown keys is advised on the first only, which would take seconds", () => {
    const keys = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 1]));
    let advised = 0;
    const shape = readShape(z.strictObject({}), keys, [], () => `; advice ${(advised += 1)}`);
    expect("errors" in shape && shape.errors).toHaveLength(500);
    expect(advised).toBe(50);
    expect(refusal({ system: "x", ...keys }).errors?.at(-1)?.message).toContain("the fields of a content");
  });

  it("with endless errors answers with fifty of them", () => {
    const messages = Array.from({ length: 1_000 }, () => ({ role: "x", content: "" }));
    expect(refusal({ messages }).errors).toHaveLength(50);
  });

  it("of any kind never makes it throw", () => {
    const keys = fc.constantFrom(
      "messages",
      "system",
      "params",
      "tools",
      "response_format",
      "variables",
      "role",
      "content",
      "type",
      "name",
      "x",
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5, depthSize: "medium" },
        fc.constantFrom<unknown>("system", "function", "json_schema", "custom", "", 1, null, true, undefined),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(keys, tie("value"), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, (input) => {
        const content = parseContent(input);
        expect(isProblem(content) || Array.isArray(content.messages)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
