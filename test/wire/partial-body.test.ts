// A body that goes up in pieces is the body that goes up whole: for any body, version and cuts, byte for byte; and where
// it cannot be, it is refused before its end.

import { describe, expect, it } from "vitest";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import { openBody, planAtEnd } from "../../src/wire/partial-body.ts";
import { isSame } from "../../src/wire/json-tree.ts";
import { joinBytes } from "../../src/wire/json-write.ts";
import { splice } from "../../src/wire/splice.ts";
import type { Skips } from "../../src/wire/string-flow.ts";
import { isUtf8 } from "../../src/wire/utf8.ts";
import type { FormatId, Pieces, Scan, WireFormat } from "../../src/wire/wire.ts";
import { randomBody } from "./bodies.ts";
import { isEqual } from "./equal.ts";
import { seededRandom, type Random } from "./random.ts";
import { randomVersions, renderedWith } from "./versions.ts";

const STREAMED: FormatId[] = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "bedrock-converse",
  "gemini",
];
/** Per format; 125,000 bodies a run. */
const BODIES = 25_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const SKIPS: Skips = {
  findQuote: (bytes, from) => bytes.indexOf(0x22, from),
  isUtf8: (bytes) => isUtf8(bytes, 0, bytes.length),
};

type Cuts = { head: number; leastBytes: number; sizes: () => number; skips: Skips | null };

/** What went up, and what is known of the body at its end. */
type Streamed = { bytes: Uint8Array; scan: Scan };

/** A problem where the body is refused; null where it has to be read whole first. */
function stream(
  format: WireFormat,
  body: Uint8Array,
  prepared: Pieces,
  cuts: Cuts,
): Streamed | Problem | null {
  const received = body.slice(0, cuts.head);
  const partial = openBody(format, null, received, cuts.leastBytes, cuts.skips);
  if (partial === null) return null;
  const begun = partial.begin(prepared);
  if (begun === null || isProblem(begun)) return begun;
  const sent = [begun];
  const tail: Uint8Array[] = [];
  let chunk = partial.rest(received);
  for (let at = received.length; ;) {
    const end = tail.length > 0 ? 0 : partial.pass(chunk);
    if (isProblem(end)) return end;
    sent.push(chunk.subarray(0, end));
    if (end < chunk.length) tail.push(chunk.subarray(end));
    if (at >= body.length) break;
    const size = Math.max(1, cuts.sizes());
    chunk = body.slice(at, at + size);
    at += size;
  }
  const scan = partial.close(joinBytes(tail));
  if (isProblem(scan)) return scan;
  const ended = partial.end(scan, prepared, joinBytes(tail));
  return isProblem(ended) ? ended : { bytes: joinBytes([...sent, ended]), scan };
}

function whole(format: WireFormat, body: Uint8Array, prepared: Pieces): Uint8Array | Problem {
  const scan = format.scan(body);
  if (isProblem(scan)) return scan;
  const patches = planAtEnd(format, scan, prepared);
  return isProblem(patches) ? patches : splice(body, patches);
}

function randomCuts(random: Random, length: number): Cuts {
  return {
    head: random.chance(0.3) ? length : 1 + random.int(length),
    leastBytes: random.pick([0, 20, 80, Infinity]),
    sizes: () => (random.chance(0.5) ? 1 + random.int(4) : 1 + random.int(200)),
    skips: random.chance(0.5) ? SKIPS : null,
  };
}

function readSeed(): number {
  const given = process.env["WIRE_SEED"];
  return given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given);
}

type Count = { streamed: number; refused: number };

describe.each(STREAMED)("a body of %s that goes up in pieces", (id) => {
  const format = FORMATS[id];
  const options = {
    provider: "openai",
    count: false,
    modelInPath: id === "gemini" || id === "bedrock-converse",
  };

  it("is the same as the whole one", { timeout: 300_000 }, () => {
    const seed = readSeed();
    const random = seededRandom(seed);
    const count: Count = { streamed: 0, refused: 0 };
    let versions: Rendered[] = [];
    for (let index = 0; index < BODIES; index += 1) {
      if (index % 500 === 0) versions = [...randomVersions(random, 20), ...plainVersions(random, 20)];
      const { text } = randomBody(id, seededRandom((seed + index) >>> 0));
      const prepared = format.prepare(random.pick(versions), { ...options, asksUsage: random.chance(0.5) });
      const wrong = tryPieces(format, encoder.encode(text), prepared, random, count);
      if (wrong !== null) expect.fail(`WIRE_SEED=${seed}, body ${index}: ${wrong}\n${text}`);
    }
    expect(count.streamed).toBeGreaterThan(BODIES / 20);
    expect(count.refused).toBeLessThan(count.streamed / 5);
  });

  it("never goes up whole when it is broken", { timeout: 120_000 }, () => {
    const seed = readSeed();
    const random = seededRandom(seed);
    const prepared = format.prepare(renderedWith({ system: "Be kind." }), options);
    for (let index = 0; index < BODIES / 5; index += 1) {
      const { text } = randomBody(id, seededRandom((seed + index) >>> 0));
      const body = breakOne(encoder.encode(text), random);
      const out = stream(format, body, prepared, { ...randomCuts(random, body.length), skips: null });
      const expected = whole(format, body, prepared);
      if (out === null || isProblem(out)) continue;
      if (isProblem(expected) || !isSame(out.bytes, expected)) {
        expect.fail(`WIRE_SEED=${seed}, body ${index}: ${new TextDecoder().decode(body)}`);
      }
    }
  });
});

function plainVersions(random: Random, count: number): Rendered[] {
  return Array.from({ length: count }, () =>
    renderedWith({
      system: "Be kind.",
      placement: random.pick(["prepend", "append", "replace", "if_absent"]),
    }),
  );
}

function tryPieces(
  format: WireFormat,
  body: Uint8Array,
  prepared: Pieces,
  random: Random,
  count: Count,
): string | null {
  const out = stream(format, body, prepared, randomCuts(random, body.length));
  if (out === null) return null;
  const expected = whole(format, body, prepared);
  if (isProblem(out)) {
    if (!isProblem(expected)) count.refused += 1;
    return null;
  }
  count.streamed += 1;
  const got = decoder.decode(out.bytes);
  if (isProblem(expected)) return `${got} for ${expected.message}`;
  if (got !== decoder.decode(expected)) return `${got}\nfor ${decoder.decode(expected)}`;
  const scan = format.scan(body);
  const injected = isProblem(scan) ? scan : format.inject(scan, prepared);
  if (isProblem(scan) || isProblem(injected)) return "the whole one is refused";
  if (!isEqual(factsIn(out.scan), factsIn(scan))) return `${JSON.stringify(factsIn(out.scan))} as facts`;
  return isEqual(JSON.parse(got), JSON.parse(decoder.decode(injected)))
    ? null
    : `${got} means something else`;
}

/** All that is decided by, but for what stands in the list. */
function factsIn(scan: Scan): Partial<Scan> {
  const {
    promptField,
    promptVariables,
    model,
    stream: streams,
    conversationKey,
    userKey,
    previousResponse,
  } = scan;
  return { promptField, promptVariables, model, stream: streams, conversationKey, userKey, previousResponse };
}

/** One byte gone, changed or too much. */
function breakOne(body: Uint8Array, random: Random): Uint8Array {
  const at = random.int(body.length);
  const byte = random.pick([
    0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x0a, 0x80, 0xc3, 0x30, 0x2e, 0x74,
  ]);
  const bytes = [...body];
  bytes.splice(at, random.int(2), ...(random.chance(0.7) ? [byte] : []));
  return Uint8Array.from(bytes);
}

function longCuts(random: Random): Cuts {
  return {
    head: 60 + random.int(2_000),
    leastBytes: Infinity,
    sizes: () => 1 + random.int(2_500),
    skips: SKIPS,
  };
}

describe("a long string in a body that goes up in pieces", () => {
  const format = FORMATS["openai-chat"];
  const prepared = format.prepare(renderedWith({ system: "Be kind." }), { provider: "openai", count: false });
  const pieces = ["x", "\\n", '\\"', "\\\\", "\\u00e9", "é", "日", "🦊", "0123456789".repeat(30)];

  function longBody(random: Random): Uint8Array {
    let content = "";
    while (content.length < 4_000) content += random.pick(pieces);
    return encoder.encode(`{"messages":[{"role":"user","content":"${content}"},{"role":"user"}],"n":1}`);
  }

  it("is skipped to its own end, wherever it is cut", () => {
    const random = seededRandom(readSeed());
    for (let index = 0; index < 1_500; index += 1) {
      const body = longBody(random);
      const out = stream(format, body, prepared, longCuts(random));
      if (out === null || isProblem(out)) return expect.fail(out === null ? "read whole" : out.message);
      const expected = whole(format, body, prepared);
      if (isProblem(expected) || !isSame(out.bytes, expected)) expect.fail(decoder.decode(body));
    }
  });

  it("is no way past the judgement of its end and of its UTF-8", () => {
    const random = seededRandom(readSeed());
    for (let index = 0; index < 1_500; index += 1) {
      const body = longBody(random);
      const at = random.int(body.length);
      body[at] = random.pick([0x22, 0x80, 0xc3, 0xf0]);
      const out = stream(format, body, prepared, longCuts(random));
      if (out === null || isProblem(out)) continue;
      // Letters of escapes are the one thing that is left to the provider.
      if (isProblem(whole(format, body, prepared)) && body[at - 1] !== 0x5c)
        expect.fail(decoder.decode(body));
    }
  });

  it("may not end within a character, nor a body within a string", () => {
    const open = encoder.encode('{"messages":[{"role":"user","content":"');
    const close = encoder.encode('"}]}');
    const long = new Uint8Array(3_000).fill(0x61);
    const cuts = { head: 300, leastBytes: Infinity, sizes: () => 700, skips: SKIPS };
    for (const end of [[0xc3], [0xf0, 0x9f], [0xe6, 0x97]]) {
      const body = joinBytes([open, long, Uint8Array.from(end), close]);
      expect(stream(format, body, prepared, cuts)).toMatchObject({ problem: "invalid_request" });
    }
    expect(stream(format, joinBytes([open, long]), prepared, cuts)).toMatchObject({
      problem: "invalid_request",
    });
  });
});
