// The place of a JSON error, checked against JSON.parse itself.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { locateJsonError } from "../../src/admin/json-error.ts";

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("the place of a JSON error", () => {
  it("is found exactly where JSON.parse refuses the text", () => {
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom("", "}", "]", ",", ":", '"', "\\", "\n", "0", "e", "tru", "{", "\u0001", "é"),
      )
      .map(([text, at, junk]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + junk + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.json(), fc.string()), (text) => {
        expect(locateJsonError(text) === null).toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['{"a":x}', 1, 6, '"x"'],
    ['{"a":1,}', 1, 8, '"}"'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, '"\\""'],
    ['{"a":', 1, 6, "the end"],
    ['{"system":"first line\nsecond"}', 1, 22, '"\\n"'],
    ['{"a":"\\x"}', 1, 7, '"\\\\"'],
    ["[1 2]", 1, 4, '"2"'],
    ["{} x", 1, 4, '"x"'],
    ["{'a':1}", 1, 2, '"\'"'],
    ['{"a":01}', 1, 6, '"0"'],
    ['{"a":"é😀"b}', 1, 11, '"b"'],
  ])("%j: line %i, column %i, at %s", (text, line, column, found) => {
    expect(locateJsonError(text)).toEqual({ line, column, found });
  });
});
