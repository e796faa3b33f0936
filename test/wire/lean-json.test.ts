// Lean JSON is the same value without its long strings and deep ends, however the bytes come.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/types.ts";
import { LeanJson, MOST_LEAN_BYTES } from "../../src/wire/lean-json.ts";
import { JsonWriter, seededRandom } from "./random.ts";

function lean(bytes: Uint8Array, size: number): { value: Json; taken: number; isWhole: boolean } {
  const text = new LeanJson();
  let taken = 0;
  for (let at = 0; at < bytes.length; at += size) taken += text.push(bytes.subarray(at, at + size));
  return { value: text.value(), taken, isWhole: text.isWhole };
}

/** Bytes of a string with its opening quote. */
function spelled(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 1;
}

/** What is left of a value, by another way: `depth` containers stand around it. */
function trim(value: unknown, depth = 0): Json {
  if (typeof value === "string") return spelled(value) > 1024 ? "" : value;
  if (typeof value !== "object" || value === null) return value as Json;
  if (depth === 7) return null;
  if (Array.isArray(value)) return value.map((item) => trim(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, trim(member, depth + 1)]));
}

describe("lean JSON", () => {
  it("is the value itself where nothing of it is long or deep, in any spelling and any cut", () => {
    for (let seed = 0; seed < 3_000; seed += 1) {
      const writer = new JsonWriter(seededRandom(seed));
      const text = writer.object([
        ["a", writer.junk(3)],
        ["b", writer.array([writer.junk(3), writer.junk(1)])],
      ]);
      const bytes = Buffer.from(` ${text} rest`);
      const expected: unknown = JSON.parse(text);
      for (const size of [bytes.length, 1, 3]) {
        const { value, taken, isWhole } = lean(bytes, size);
        expect({ seed, value, isWhole }).toEqual({ seed, value: expected, isWhole: true });
        expect(taken).toBe(bytes.length - " rest".length);
      }
    }
  });

  it("has an empty string for every long one and null below seven levels", () => {
    const long = fc
      .tuple(fc.constantFrom("x", "\\", '"', "é", "\n", "\\u0041"), fc.integer({ min: 0, max: 1500 }))
      .map(([unit, count]) => unit.repeat(count));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "large", withCrossShrink: true },
        long,
        fc.integer(),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"), { maxKeys: 3, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 5_000 }), (value, size) => {
        const bytes = Buffer.from(JSON.stringify([value]));
        expect(lean(bytes, size).value).toEqual(trim([value]));
      }),
      { numRuns: 300 },
    );
  });

  it("is none where the text is cut, malformed, or large all over", () => {
    const bytes = Buffer.from('{"a":"b\\"","c":[1]}');
    for (let size = 0; size < bytes.length; size += 1) {
      expect(lean(bytes.subarray(0, size), 2)).toMatchObject({ value: null, isWhole: false });
    }
    expect(lean(Buffer.from('{"a":}'), 9)).toMatchObject({ value: null, isWhole: true });
    const large = Buffer.from(JSON.stringify(Array.from({ length: MOST_LEAN_BYTES / 2 }, () => 1)));
    expect(lean(large, 9_999)).toMatchObject({ value: null, isWhole: true });
  });
});
