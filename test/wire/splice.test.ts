import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scanJson } from "../../src/wire/json-scan.ts";
import {
  firstChild,
  findMember,
  nameOf,
  nextSibling,
  NONE,
  ROOT,
  type Node,
  type Tree,
} from "../../src/wire/json-tree.ts";
import { editList, sortPatches, splice, type Insertion, type Patch } from "../../src/wire/splice.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LIST = nameOf("list");

function treeOf(text: string): Tree {
  return scanJson(encoder.encode(text), [{ name: LIST.bytes, depth: 2 }]) as Tree;
}

function childrenOf(tree: Tree, list: Node): Node[] {
  const found: Node[] = [];
  for (let node = firstChild(tree, list); node !== NONE; node = nextSibling(tree, list, node))
    found.push(node);
  return found;
}

function namesIn(text: string): string[] {
  return Object.keys((JSON.parse(text) as { list: object }).list);
}

const spaces = fc.constantFrom("", " ", "\n  ", "\t");

describe("splice", () => {
  it("replaces, inserts and removes in one go, and copies the rest", () => {
    const body = encoder.encode("0123456789");
    const patches: Patch[] = [
      { from: 0, to: 0, bytes: encoder.encode("<") },
      { from: 2, to: 4, bytes: encoder.encode("ab") },
      { from: 4, to: 4, bytes: encoder.encode("c") },
      { from: 6, to: 8, bytes: new Uint8Array() },
      { from: 10, to: 10, bytes: encoder.encode(">") },
    ];
    expect(decoder.decode(splice(body, patches))).toBe("<01abc4589>");
    expect(splice(body, [])).toEqual(body);
  });

  it("agrees with a rebuilt text for any patches that do not overlap", () => {
    const cuts = fc.array(fc.tuple(fc.nat(60), fc.string({ maxLength: 5 })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.string({ minLength: 60, maxLength: 60, unit: "binary-ascii" }), cuts, (text, given) => {
        const offsets = given.map(([offset]) => offset).toSorted((one, other) => one - other);
        const patches: Patch[] = [];
        let expected = "";
        let read = 0;
        for (let index = 0; index + 1 < offsets.length; index += 2) {
          const [from = 0, to = 0] = offsets.slice(index, index + 2);
          const put = given[index]![1];
          patches.push({ from, to, bytes: encoder.encode(put) });
          expected += text.slice(read, from) + put;
          read = to;
        }
        expect(decoder.decode(splice(encoder.encode(text), patches))).toBe(expected + text.slice(read));
      }),
    );
  });
});

describe("an edited list", () => {
  const edit = fc.record({
    items: fc.array(fc.tuple(fc.constantFrom("1", '"a,b"', "{}", "[1,2]", "null"), fc.boolean()), {
      maxLength: 6,
    }),
    insertions: fc.array(fc.record({ at: fc.nat(6), count: fc.nat(2) }), { maxLength: 3 }),
    space: spaces,
    inObject: fc.boolean(),
  });

  it("has its commas right, and its items in their order, whatever goes and comes", () => {
    fc.assert(
      fc.property(edit, ({ items, insertions, space, inObject }) => {
        const write = (value: string, index: number) =>
          inObject ? `"k${index}"${space}:${space}${value}` : value;
        const inner = items.map(([value], index) => space + write(value, index) + space).join(",") || space;
        const tree = treeOf(`{"list":${space}${inObject ? `{${inner}}` : `[${inner}]`}}`);
        const list = findMember(tree, ROOT, LIST);
        const nodes = childrenOf(tree, list);
        const places = insertions
          .map(({ at }) => Math.min(at, items.length))
          .toSorted((one, other) => one - other);
        const expected: string[] = [];
        const given: Insertion[] = [];
        for (let index = 0; index <= items.length; index += 1) {
          for (const [number, place] of places.entries()) {
            if (place !== index) continue;
            const added = Array.from({ length: insertions[number]!.count }, (_, copy) =>
              inObject ? `"new${number}_${copy}":${number}` : `"new${number}_${copy}"`,
            );
            given.push({ before: nodes[index] ?? NONE, items: added.map((item) => encoder.encode(item)) });
            expected.push(...added);
          }
          const [value, goes] = items[index] ?? ["", true];
          if (!goes) expected.push(write(value, index));
        }
        const patches: Patch[] = [];
        editList(
          patches,
          tree,
          list,
          nodes.filter((_, index) => items[index]![1]),
          given,
        );
        const out = decoder.decode(splice(tree.body, sortPatches(patches)));
        const rebuilt = inObject ? `{${expected.join(",")}}` : `[${expected.join(",")}]`;
        expect(JSON.parse(out)).toEqual({ list: JSON.parse(rebuilt) as unknown });
        expect(namesIn(out)).toEqual(namesIn(`{"list":${rebuilt}}`));
      }),
      { numRuns: 2_000 },
    );
  });
});
