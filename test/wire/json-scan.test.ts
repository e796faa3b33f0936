import { describe, expect, it } from "vitest";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { MAX_DEPTH, MAX_VALUES, scanJson } from "../../src/wire/json-scan.ts";
import { findMember, nameOf, readString, ROOT, type Tree } from "../../src/wire/json-tree.ts";
import { randomBody } from "./bodies.ts";
import { JsonWriter, seededRandom, type Random } from "./random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const FIELDS = ["messages", "input"].map((name) => ({ name: nameOf(name).bytes, depth: 4 }));

function scan(body: string | Uint8Array): Tree | Problem {
  return scanJson(typeof body === "string" ? encoder.encode(body) : body, FIELDS);
}

function isRefused(body: string | Uint8Array): boolean {
  return isProblem(scan(body));
}

/** What JSON.parse and a strict decoder say of a body, objects alone being bodies. */
function isBody(bytes: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function expectSameVerdict(bytes: Uint8Array, about: string): void {
  if (isRefused(bytes) === isBody(bytes)) {
    expect.fail(
      `${isBody(bytes) ? "refused" : "accepted"} (${about}): ${JSON.stringify(new TextDecoder().decode(bytes))}`,
    );
  }
}

const SAMPLES = [
  '{"model":"gpt","messages":[{"role":"user","content":"a\\u00e9\\n\\"x\\" é 日本語 🦊"}],"n":-1.50e+3,"t":true,"f":false,"z":null}',
  ' {\n "input" : [ ] , "x" : { } , "y" : [ 0 , -0.0 , 1E9 , [ [ ] ] ] }\t\r\n',
  '{"a\\u0062":"\\ud83e\\udd8a","":""}',
];

const NO_NUMBERS = [
  "01",
  "-",
  "-a",
  "1.",
  ".5",
  "1e",
  "1e+",
  "+1",
  "0x1",
  "1_0",
  "NaN",
  "Infinity",
  "--1",
  "1.e1",
  "00",
];
const NO_VALUES = [
  "tru",
  "True",
  "nul",
  "nulll",
  "undefined",
  "'a'",
  "a",
  "",
  ",",
  ":",
  "[",
  "]",
  "{",
  "}",
  "[,]",
  "[1,]",
  "[1 2]",
];
const NO_OBJECTS = [
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  "{,}",
  "{a:1}",
  "{1:1}",
  '{"a":1 "b":2}',
  '{"a"::1}',
  "[1]]",
  '{"a":1}}',
];
const NO_TEXTS = [
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\"',
  '"\n"',
  '"\t"',
  '"\u0000"',
  '"\u001f"',
  '"a',
  "//",
  "/* */ 1",
  "\u00a01",
  "\v1",
  "\ufeff1",
];
const VALUES = [
  "1",
  "-0",
  "0.5",
  "1e5",
  "1E+5",
  "1e-05",
  "[]",
  "[[]]",
  "{}",
  '{"":{}}',
  '"\u007f"',
  '"\u2028"',
  '"\\/"',
  '"\\ud800"',
  "\t1\r\n",
];

describe("the scanner judges as JSON.parse does", () => {
  it("every truncation of a body", () => {
    for (const sample of SAMPLES) {
      const bytes = encoder.encode(sample);
      expect(isRefused(bytes)).toBe(false);
      for (let end = 0; end < bytes.length; end += 1) {
        expectSameVerdict(bytes.subarray(0, end), `cut at ${end}`);
        // The same, with other bytes behind it in the buffer, which must not be read.
        expectSameVerdict(bytes.slice(0, end), `cut at ${end}, alone`);
      }
    }
  });

  it("every byte of a body replaced by any other", () => {
    for (const sample of SAMPLES.slice(1)) {
      const bytes = encoder.encode(sample);
      for (let at = 0; at < bytes.length; at += 1) {
        for (let value = 0; value < 256; value += 1) {
          const mutated = bytes.slice();
          mutated[at] = value;
          expectSameVerdict(mutated, `byte ${at} as ${value}`);
        }
      }
    }
  });

  it("random bodies with a few bytes changed, put in or taken out", () => {
    const seed = Math.floor(Math.random() * 0x1_0000_0000);
    const random = seededRandom(seed);
    for (let index = 0; index < 40_000; index += 1) {
      const format = random.pick(["openai-chat", "openai-responses", "anthropic-messages"] as const);
      let bytes = encoder.encode(randomBody(format, random).text);
      for (let change = random.int(3); change >= 0; change -= 1) bytes = mutate(bytes, random);
      expectSameVerdict(bytes, `seed ${seed}, body ${index}`);
    }
  });

  it("random values of every kind, spelled in every way", () => {
    const seed = Math.floor(Math.random() * 0x1_0000_0000);
    const writer = new JsonWriter(seededRandom(seed));
    for (let index = 0; index < 20_000; index += 1) {
      const bytes = encoder.encode(
        writer.object([
          ["x", writer.junk(5)],
          ["messages", writer.junk(5)],
        ]),
      );
      if (isRefused(bytes)) expect.fail(`seed ${seed}, value ${index}: ${decoder.decode(bytes)}`);
    }
  });

  it.each([...NO_NUMBERS, ...NO_VALUES, ...NO_OBJECTS, ...NO_TEXTS, ...VALUES])("%j as a value", (value) => {
    expectSameVerdict(encoder.encode(`{"x":${value}}`), value);
    expectSameVerdict(encoder.encode(`{"messages":[${value}]}`), value);
    expectSameVerdict(encoder.encode(value), value);
  });

  it("what stands around a body", () => {
    const around = ["", " ", "\n\r\t ", "\ufeff", "\u00a0", "\u0000", ",", "x", "{}", "[]", "//"];
    for (const before of around) {
      for (const behind of around) expectSameVerdict(encoder.encode(`${before}{"a":1}${behind}`), "around");
    }
    for (const body of ["", " ", "null", "[]", '"x"', "1", "[{}]"]) expect(isRefused(body)).toBe(true);
  });

  it("bytes that are no UTF-8, wherever they stand", () => {
    const wrong = [
      [0x80],
      [0xc3],
      [0xc0, 0x80],
      [0xe2, 0x28, 0xa1],
      [0xed, 0xa0, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xf0, 0x9f, 0xa6],
      [0xff],
      [0xe2, 0x82],
    ];
    const right = [
      [0xc3, 0xa9],
      [0xe2, 0x82, 0xac],
      [0xf0, 0x9f, 0xa6, 0x8a],
      [0xef, 0xbb, 0xbf],
      [0xf4, 0x8f, 0xbf, 0xbf],
    ];
    for (const bytes of [...wrong, ...right]) {
      for (let offset = 0; offset < 9; offset += 1) {
        for (const [before, behind] of [
          ['{"', '":1}'],
          ['{"a":"', '"}'],
          ['{"a":[1,"', 'x"]}'],
          ["{", "}"],
        ] as const) {
          const body = [
            ...encoder.encode(before + "x".repeat(offset)),
            ...bytes,
            ...encoder.encode("x".repeat(offset) + behind),
          ];
          expectSameVerdict(Uint8Array.from(body), `${bytes} at ${offset}`);
        }
      }
    }
  });

  it("a long text whose characters straddle the pieces that UTF-8 is checked in", () => {
    for (let offset = 0; offset < 5; offset += 1) {
      const text = "x".repeat(offset) + "日🦊é".repeat(20_000);
      const body = encoder.encode(JSON.stringify({ text }));
      expect(isRefused(body)).toBe(false);
      for (const at of [20, 16_384 + 15, 100_000, body.length - 4]) {
        const broken = body.slice();
        broken[at] = 0xff;
        expect(isRefused(broken)).toBe(true);
      }
    }
  });
});

/** Bodies whose deepest container is the `depth`-th. */
function nested(depth: number): string[] {
  return [
    `{"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`,
    `{"messages":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`,
    `${'{"x":'.repeat(depth)}1${"}".repeat(depth)}`,
  ];
}

function mutate(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const at = random.int(bytes.length + 1);
  const byte = random.chance(0.5) ? random.int(256) : '"\\,:{}[]0.-eu \n'.charCodeAt(random.int(15));
  const head = bytes.subarray(0, at);
  const kind = random.int(3);
  if (kind === 0) return Uint8Array.from([...head, byte, ...bytes.subarray(at)]);
  return Uint8Array.from([...head, ...(kind === 1 ? [byte] : []), ...bytes.subarray(at + 1)]);
}

describe("the scanner", () => {
  it("refuses what nests too deep, without losing its stack", () => {
    for (const body of nested(MAX_DEPTH)) expect(isRefused(body)).toBe(false);
    for (const depth of [MAX_DEPTH + 1, 100_000]) {
      for (const body of nested(depth)) expect(scan(body)).toMatchObject({ problem: "invalid_request" });
    }
    expect(isRefused(`{"x":${"[".repeat(1_000_000)}`)).toBe(true);
  });

  it("refuses more values than a table should hold, and works on after that", () => {
    const many = `{"messages":[${"1,".repeat(MAX_VALUES)}1]}`;
    expect(scan(many)).toMatchObject({ problem: "body_too_large" });
    expect(isRefused(`{"x":[${"1,".repeat(MAX_VALUES)}1]}`)).toBe(false);
    expect(isRefused(SAMPLES[0]!)).toBe(false);
  });

  it("reads the last of several members of one name, however it is spelled", () => {
    const tree = scan('{"model":"a","mod\\u0065l":"b","\\u006dodel":"c","models":"d","mode":"e"}') as Tree;
    expect(readString(tree, findMember(tree, ROOT, nameOf("model")))).toBe("c");
  });

  it("looks into a member whose name is spelled with escapes", () => {
    const tree = scan('{"m\\u0065ssages":[{"r\\u006fle":"user"}]}') as Tree;
    const list = findMember(tree, ROOT, nameOf("messages"));
    expect(tree.nodes.length / 5).toBe(4);
    expect(list).not.toBe(-1);
  });

  it("takes strings of 5 MB, plain, full of escapes, and of other scripts", () => {
    for (const piece of ["x", "\\n", "\\\\\\u0041", "日", "🦊"]) {
      const body = `{"messages":[{"role":"user","content":"${piece.repeat(Math.ceil(5_000_000 / encoder.encode(piece).length))}"}]}`;
      expect(isRefused(body)).toBe(false);
      expect(isRefused(body.slice(0, -4))).toBe(true);
    }
  });
});
