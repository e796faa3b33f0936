// Of any stream, cut anywhere, exactly the chunks with the usage and no choices are gone; every other byte is there, and
// none waits longer than its event.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MOST_HELD_BYTES, UsageFilter } from "../../src/wire/usage-filter.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `isChunk`: it is to be taken out. */
type Part = { lines: readonly string[]; isChunk: boolean };

const head = { id: "chatcmpl-1", object: "chat.completion.chunk", model: "m" };
const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } };
const data = (value: unknown): string[] => [`data: ${JSON.stringify(value)}`];
const stays = (lines: string[]): Part => ({ lines: [...lines, ""], isChunk: false });
const goes = (lines: string[]): Part => ({ lines: [...lines, ""], isChunk: true });

const decoys = fc.constantFrom(
  '{"choices":[],"usage":{}}',
  '"choices":[],"usage":{"a":1}',
  '\\",\\"choices\\":[]',
  "data: [DONE]",
  "é✓🙂\u2028",
  "\\",
);
const words = fc.oneof(fc.string(), decoys);

const others: fc.Arbitrary<Part> = fc.oneof(
  words.map((content) => stays(data({ ...head, choices: [{ index: 0, delta: { content } }], usage: null }))),
  words.map((content) => stays(data({ note: content, ...head, choices: [{ delta: { content } }], usage }))),
  // Azure's first one, and what a provider may say beside it.
  fc.constant(stays(data({ choices: [], prompt_filter_results: [{}], usage: null }))),
  fc.constant(stays(data({ ...head, choices: [] }))),
  fc.constant(stays(data({ ...head, usage }))),
  fc.constant(stays(data({ ...head, choices: null, usage }))),
  fc.constant(stays(data({ ...head, choices: {}, usage }))),
  words.map((text) => stays(data({ ...head, inner: { choices: [], usage, text } }))),
  fc.constant(stays(data([{ choices: [], usage }]))),
  words.map((message) => stays(data({ error: { message, code: 502 }, choices: [], usage }))),
  fc.constant(stays(["data: [DONE]"])),
  fc.constant(stays(['data: {"choices":[],"usage":{"a":1}'])),
  fc.constant(stays(['data: {"choices":[],"usage":{}}}'])),
  fc.constant(stays(['{"choices":[],"usage":{}}'])),
  fc.constant(stays(['x-data: {"choices":[],"usage":{}}'])),
  fc.constant(stays(["event: ping", "id: 7", "retry:3"])),
  fc.constant(stays(["data", "data:"])),
  fc.constant({ lines: [": OPENROUTER PROCESSING", ""], isChunk: false }),
  fc.constant({ lines: [": a comment right before an event"], isChunk: false }),
  fc.constant({ lines: [""], isChunk: false }),
  fc.constant(stays(data({ ...head, pad: "x".repeat(MOST_HELD_BYTES), choices: [], usage }))),
);

const chunks: fc.Arbitrary<Part> = fc.oneof(
  fc.constant(goes(data({ ...head, choices: [], usage }))),
  fc.constant(goes(data({ usage, choices: [], ...head }))),
  words.map((text) => goes(data({ text, inner: { choices: [{ text }] }, choices: [], usage, error: null }))),
  fc.constant(goes(['data:{ "usage" : { "a" : 1 } ,\t"choices" : [ ] }'])),
  fc.constant(goes(['data: {"\\u0063hoices":[],"usage":{"a":1}}'])),
  fc.constant(goes(['data: {"choices":[', ": a comment", 'data: ],"usage":', "id: 3", "data:{}}"])),
  fc.constant(goes(["event: message", ...data({ choices: [], usage }), "id: 9"])),
);

const streams = fc.record({
  parts: fc.array(fc.oneof({ weight: 4, arbitrary: others }, { weight: 1, arbitrary: chunks }), {
    maxLength: 8,
  }),
  newline: fc.constantFrom("\n", "\r\n", "\r"),
});
type Stream = { parts: Part[]; newline: string };

function textOf({ parts, newline }: Stream, wanted: (part: Part) => boolean = () => true): string {
  const lines = parts.filter(wanted).flatMap((part) => part.lines);
  return lines.map((line) => line + newline).join("");
}

/** What comes out of the pieces, one by one. */
function filter(filterOf: UsageFilter, pieces: Uint8Array[]): Uint8Array[] {
  // What is written may be taken away: nothing of a piece may be needed when it has gone by.
  return pieces.map((piece) => {
    const out = filterOf.push(piece).slice();
    piece.fill(0x21);
    return out;
  });
}

function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (one, other) => one - other,
  );
  return sorted.slice(1).map((to, index) => bytes.slice(sorted[index], to));
}

function through(bytes: Uint8Array, places: number[]): string {
  const one = new UsageFilter();
  const out = filter(one, cut(bytes, places));
  return Buffer.concat([...out, one.finish()]).toString("latin1");
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });

describe("a chat's stream whose usage is hidden", () => {
  it("lacks the chunks with the usage and nothing else, whatever it is cut into", () => {
    fc.assert(
      fc.property(streams, cuts, (stream, places) => {
        const kept = encoder.encode(textOf(stream, ({ isChunk }) => !isChunk));
        // A comment before the chunk has gone on already.
        expect(through(encoder.encode(textOf(stream)), places)).toBe(Buffer.from(kept).toString("latin1"));
      }),
      { numRuns: 3_000 },
    );
  });

  it("is the same however it is cut, though it is no stream at all", () => {
    const bits = [
      "data: ",
      '{"choices":',
      "[]",
      ',"usage":{}',
      "}",
      "\n",
      "\r",
      ":",
      " ",
      "[",
      "x",
      '"',
      "\\",
    ];
    const noise = fc.array(fc.oneof(fc.constantFrom(...bits), fc.string()), { maxLength: 40 });
    fc.assert(
      fc.property(noise, cuts, (parts, places) => {
        const bytes = encoder.encode(parts.join(""));
        const every = Array.from({ length: bytes.length }, (_, place) => place);
        expect(through(bytes, places)).toBe(through(bytes, []));
        expect(through(bytes, every)).toBe(through(bytes, []));
      }),
      { numRuns: 3_000 },
    );
  });

  it("holds nothing back behind the end of an event", () => {
    fc.assert(
      fc.property(streams, cuts, (stream, places) => {
        const one = new UsageFilter();
        for (const part of stream.parts) {
          const bytes = encoder.encode(textOf({ ...stream, parts: [part] }));
          const out = Buffer.concat(filter(one, cut(bytes, places)));
          expect(out.length).toBe(part.isChunk ? 0 : bytes.length);
        }
        expect(one.finish()).toHaveLength(0);
      }),
    );
  });
});

function pushed(...pieces: string[]): string[] {
  const one = new UsageFilter();
  return pieces.map((piece) => decoder.decode(one.push(encoder.encode(piece))));
}

function endOf(text: string): string {
  const one = new UsageFilter();
  return decoder.decode(Buffer.concat([one.push(encoder.encode(text)), one.finish()]));
}

describe("a piece of a stream", () => {
  it("goes on without a copy where all of it may", () => {
    const piece = encoder.encode(`data: {"choices":[{"delta":{}}]}\n\n`);
    const out = new UsageFilter().push(piece);
    expect(out.buffer).toBe(piece.buffer);
    expect(out).toHaveLength(piece.length);
  });

  it("goes on within an event with the first byte of its choices", () => {
    const start = 'data: {"id":"x","choices":[';
    expect(pushed(start, "{", '"delta":{"content":"a')).toEqual(["", `${start}{`, '"delta":{"content":"a']);
    expect(pushed("data: [DO", "NE]")).toEqual(["data: [DO", "NE]"]);
    expect(pushed("data: {", '"choices": n')).toEqual(["", 'data: {"choices": n']);
  });

  it("goes on at once where it is a comment, within one too", () => {
    expect(pushed(": pi", "ng", "\n", ": pong\n")).toEqual([": pi", "ng", "\n", ": pong\n"]);
  });

  it("may end its lines one way and then another", () => {
    const chunk = 'data: {"choices":[],"usage":{}}';
    expect(pushed("\r", chunk, "\n", "\n", "x")).toEqual(["\r", "", "", "", ""]);
    expect(pushed(`${chunk}\r\n\r`, "\n", "\n")).toEqual(["", "", "\n"]);
    expect(pushed(`${chunk}\n\r`, `\n: x\n${chunk}\r\n`, "\r:")).toEqual(["", ": x\n", ":"]);
  });

  it("of an event that never ends goes on, and no more than 16 KB are held", () => {
    const one = new UsageFilter();
    const piece = encoder.encode("x".repeat(1_000));
    let sent = encoder.encode('data: {"a":"').length;
    let out = one.push(encoder.encode('data: {"a":"')).length;
    let most = 0;
    for (let count = 0; count < 200; count += 1) {
      out += one.push(piece).length;
      sent += piece.length;
      most = Math.max(most, sent - out);
    }
    expect(most).toBeGreaterThan(MOST_HELD_BYTES - 1_000);
    expect(most).toBeLessThanOrEqual(MOST_HELD_BYTES);
    expect(out).toBe(sent);
  });

  it("that breaks off is whole but for its chunk", () => {
    const chunk = 'data: {"choices":[],"usage":{"a":1}}';
    expect(endOf(chunk)).toBe("");
    expect(endOf(`${chunk}\n`)).toBe("");
    expect(endOf(chunk.slice(0, -1))).toBe(chunk.slice(0, -1));
    expect(endOf("data: {")).toBe("data: {");
    expect(endOf("\n\nid: 4")).toBe("\n\nid: 4");
  });
});
