// Long streams: what goes by is not held, what is kept does not depend on how the bytes were cut, and the last event is
// found however long it is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAnswerReader } from "../../src/wire/answer-reader.ts";
import { createArrayTail, createEventTail, createFrameTail, type Tail } from "../../src/wire/answer-tail.ts";
import { anthropicAnswers } from "../../src/wire/answer-anthropic.ts";
import { chatAnswers, responsesAnswers } from "../../src/wire/answer-openai.ts";
import { geminiAnswers } from "../../src/wire/answer-gemini.ts";
import { converseAnswers } from "../../src/wire/answer-bedrock.ts";
import { MOST_LEAN_BYTES } from "../../src/wire/lean-json.ts";
import { eventFrame } from "../support/aws-frames.ts";
import {
  ANTHROPIC_EVENTS,
  CHAT_EVENTS,
  chatChunk,
  converseFrames,
  eventStream,
  geminiPiece,
  jsonArray,
  messageItem,
  responseEvents,
  responseObject,
} from "./answers.ts";
import { seededRandom } from "./random.ts";

const MEGABYTE = 1_000_000;
const PIECE_BYTES = 32 * 1024;
/** The part again and again, at least so many bytes of it. */
function repeat(part: Uint8Array, size: number): Uint8Array {
  return Buffer.concat(Array.from({ length: Math.ceil(size / part.length) }, () => part));
}

function* piecesOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size));
}

const CHAT_MIDDLE = eventStream([chatChunk({ content: 'some words, "quoted"\n' })]);
const CONVERSE_MIDDLE = eventFrame("contentBlockDelta", { delta: { text: "words" } });
const GEMINI_MIDDLE = Buffer.from(`${JSON.stringify(geminiPiece([{ text: "{\n" }]), null, 2)}\n,\n`);

const MIDDLES: [string, () => Tail, Uint8Array][] = [
  ["server-sent events", createEventTail, CHAT_MIDDLE],
  ["an array's items", createArrayTail, GEMINI_MIDDLE],
  ["frames", createFrameTail, CONVERSE_MIDDLE],
  ["one endless line", createEventTail, Buffer.from("x".repeat(999))],
  ["one endless string", createEventTail, Buffer.from('data: {"a": "xxxxxxxxxxxx')],
  [
    "an array's items on one line",
    createArrayTail,
    Buffer.from('{"candidates":[{"content":{"parts":[{"text":"a few words"}]}}]},'),
  ],
  ["endless small values", createEventTail, Buffer.from('{"a":1},')],
  ["zeroes in the place of frames", createFrameTail, Buffer.alloc(999)],
];

describe("10 MB of", () => {
  it.each(MIDDLES)("%s are not held, in pieces of any size", (_, create, middle) => {
    const bytes = repeat(middle, 10 * MEGABYTE);
    for (const size of [1000, PIECE_BYTES, 3 * MEGABYTE]) {
      const tail = create();
      let most = 0;
      for (const piece of piecesOf(bytes, size)) {
        tail.push(piece);
        most = Math.max(most, tail.heldBytes());
      }
      const longest = create === createFrameTail ? 256 * 1024 : 64 * 1024;
      expect(most).toBeLessThanOrEqual(longest + 2 * PIECE_BYTES);
      expect(tail.finish().isAll).toBe(false);
      expect(tail.finish().bytes.length).toBeLessThan(longest);
    }
  });

  it("a frame are let by, and what comes behind it is read", () => {
    const big = eventFrame("contentBlockDelta", { delta: { text: "x".repeat(10 * MEGABYTE) } });
    const tail = createFrameTail();
    for (const piece of piecesOf(big, PIECE_BYTES)) {
      tail.push(piece);
      expect(tail.heldBytes()).toBeLessThanOrEqual(256 * 1024 + PIECE_BYTES);
    }
    const end = Buffer.concat(converseFrames("max_tokens").slice(-2));
    tail.push(end);
    expect(Buffer.from(tail.finish().bytes).equals(end)).toBe(true);
  });
});

describe("what is kept of a long stream", () => {
  it("begins with a line, holds the last 16 KB, and is the same however the bytes were cut", () => {
    const random = seededRandom(11);
    for (let round = 0; round < 60; round += 1) {
      const lines = Array.from({ length: 40 + random.int(60) }, (_, index) => {
        const length = random.chance(0.04) ? random.int(150_000) : random.int(4_000);
        return `data: {"n":${index},"t":"${"x".repeat(length)}"}${random.pick(["\n\n", "\r\n\r\n"])}`;
      });
      const bytes = Buffer.from(lines.join(""));
      const results = [bytes.length, 1 + random.int(300), 1 + random.int(90_000)].map((size) => {
        const tail = createEventTail();
        for (const piece of piecesOf(bytes, size)) tail.push(piece);
        const { bytes: kept, isAll, long } = tail.finish();
        return { kept: Buffer.from(kept).toString(), isAll, long: long?.value() ?? null };
      });
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
      const { kept, long } = results[0]!;
      expect(bytes.toString().endsWith(kept)).toBe(true);
      expect(kept.length >= 16 * 1024 || long !== null).toBe(true);
      expect(kept).toMatch(/^(?:data: |[\r\n])/);
    }
  });
});

/** A reading of these bytes in pieces of one size. */
function readIn(size: number, bytes: Uint8Array, ...[rules, framing]: Parameters<typeof createAnswerReader>) {
  const reader = createAnswerReader(rules, framing);
  for (const piece of piecesOf(bytes, size)) reader.push(piece);
  return reader.finish();
}

const SIZES = [700, PIECE_BYTES, 100 * MEGABYTE];

describe("a long answer", () => {
  it.each(SIZES)("of Chat is read at its two ends (pieces of %i bytes)", (size) => {
    const [first, ...rest] = CHAT_EVENTS;
    const middle = repeat(CHAT_MIDDLE, MEGABYTE);
    const bytes = Buffer.concat([eventStream([first!]), middle, eventStream(rest)]);
    const { facts, isEnd } = readIn(size, bytes, chatAnswers, "events");
    expect({ ...facts, isEnd }).toMatchObject({
      isEnd: true,
      finish: "stop",
      model: "gpt-5.4-mini-2026-03-17",
      usage: { inputTokens: 90 },
    });
  });

  it.each(SIZES)("of Anthropic is read at its two ends (pieces of %i bytes)", (size) => {
    for (const newline of ["\n", "\r\n", "\r"]) {
      const parts = [ANTHROPIC_EVENTS.slice(0, 3), ANTHROPIC_EVENTS.slice(3, 4), ANTHROPIC_EVENTS.slice(4)];
      const [first, middle, rest] = parts.map((events) => eventStream(events, newline));
      const bytes = Buffer.concat([first!, repeat(middle!, MEGABYTE), rest!]);
      expect(readIn(size, bytes, anthropicAnswers, "events")).toMatchObject({
        isEnd: true,
        facts: {
          finish: "stop",
          model: "claude-sonnet-5-20260201",
          usage: { inputTokens: 90, outputTokens: 12, cacheWriteTokens: 20 },
        },
      });
    }
  });

  const large = "A line.\n".repeat(40_000);
  const picture = {
    type: "image_generation_call",
    status: "completed",
    result: "iVBORw0KGgo".repeat(300_000),
  };
  const output = { type: "output_text", text: large, annotations: [], logprobs: [] };
  it.each(SIZES)("of Responses is read in its last event, megabytes long (pieces of %i bytes)", (size) => {
    const response = responseObject("completed", [picture, messageItem([output])], { instructions: large });
    const bytes = eventStream(responseEvents({ type: "response.completed", response }));
    expect(bytes.length).toBeGreaterThan(4 * MEGABYTE);
    const { facts, isEnd } = readIn(size, bytes, responsesAnswers, "events");
    expect({ ...facts, isEnd }).toMatchObject({ isEnd: true, finish: "stop", usage: { outputTokens: 12 } });
    const call = { type: "function_call", name: "f", arguments: large };
    const called = responseObject("completed", [messageItem([output]), call]);
    const events = eventStream(responseEvents({ type: "response.completed", response: called }));
    expect(readIn(size, events, responsesAnswers, "events").facts.finish).toBe("tool");
    // Cut a byte before the end of the event it is no end.
    const cut = readIn(size, events.subarray(0, -3), responsesAnswers, "events");
    expect(cut).toMatchObject({ isEnd: false, facts: { finish: null, usage: null } });
  });

  it.each(SIZES)("of Gemini, as an array or whole, may hold pictures (pieces of %i bytes)", (size) => {
    const inlineData = { mimeType: "image/png", data: "iVBORw0KGgo".repeat(200_000) };
    const pieces = [
      geminiPiece([{ text: "Here." }]),
      geminiPiece([{ inlineData }]),
      geminiPiece([{ text: "" }], "STOP"),
    ];
    const expected = {
      isEnd: true,
      facts: { finish: "stop", model: "gemini-3.1-flash", usage: { outputTokens: 12 } },
    };
    expect(readIn(size, jsonArray(pieces), geminiAnswers, "array")).toMatchObject(expected);
    expect(readIn(size, jsonArray(pieces), geminiAnswers, "whole")).toMatchObject(expected);
    const both = { ...pieces[1]!, ...geminiPiece([{ inlineData }], "STOP") };
    expect(readIn(size, Buffer.from(JSON.stringify(both)), geminiAnswers, "whole")).toMatchObject(expected);
    expect(readIn(size, eventStream([{ data: both }]), geminiAnswers, "events")).toMatchObject(expected);
    expect(readIn(size, jsonArray([pieces[0], both]), geminiAnswers, "array")).toMatchObject(expected);
  });

  it.each(SIZES)("of Converse is read in its last frames (pieces of %i bytes)", (size) => {
    const frames = converseFrames("tool_use");
    const bytes = Buffer.concat([frames[0]!, repeat(CONVERSE_MIDDLE, MEGABYTE), ...frames.slice(1)]);
    const { facts, isEnd } = readIn(size, bytes, converseAnswers, "binary");
    expect({ ...facts, isEnd }).toMatchObject({ isEnd: true, finish: "tool", usage: { inputTokens: 90 } });
    // A guardrail's account of itself stands in the last frame, behind the one that says how the answer ended.
    const usage = { inputTokens: 9, outputTokens: 12 };
    const last = eventFrame("metadata", { usage, trace: { guardrail: "x".repeat(100_000) } });
    const traced = Buffer.concat([
      ...frames.slice(0, 1),
      repeat(CONVERSE_MIDDLE, MEGABYTE),
      ...frames.slice(1, -1),
      last,
    ]);
    const reading = readIn(size, traced, converseAnswers, "binary");
    expect(reading).toMatchObject({ isEnd: true, facts: { finish: "tool", usage: { outputTokens: 12 } } });
  });

  it("whole, with every token's probabilities, is read", () => {
    const token = {
      token: "word",
      logprob: -0.1,
      bytes: [119],
      top_logprobs: Array.from({ length: 20 }, () => ({ token: "a", logprob: -1, bytes: [97] })),
    };
    const choice = {
      index: 0,
      finish_reason: "length",
      message: { content: large },
      logprobs: { content: Array.from({ length: 900 }, () => token) },
    };
    const body = { model: "m", choices: [choice], usage: { prompt_tokens: 1, completion_tokens: 900 } };
    const bytes = Buffer.from(JSON.stringify(body));
    expect(bytes.length).toBeGreaterThan(MEGABYTE);
    const { facts, isEnd } = readIn(PIECE_BYTES, bytes, chatAnswers, "whole");
    expect({ ...facts, isEnd }).toMatchObject({
      isEnd: true,
      finish: "length",
      usage: { outputTokens: 900 },
    });
    expect(readIn(PIECE_BYTES, bytes.subarray(0, -1), chatAnswers, "whole").isEnd).toBe(false);
  });

  it("whole, that is large all over, is given up", () => {
    const body = { model: "m", choices: Array.from({ length: 60_000 }, () => ({ index: 0 })) };
    const bytes = Buffer.from(JSON.stringify(body));
    expect(bytes.length).toBeGreaterThan(2 * MOST_LEAN_BYTES);
    const { facts, isEnd } = readIn(PIECE_BYTES, bytes, chatAnswers, "whole");
    expect({ ...facts, isEnd }).toMatchObject({ isEnd: true, finish: null, usage: null });
  });
});

describe("the text of a long answer", () => {
  it("is cut at 64 KB, and says so", () => {
    const bytes = repeat(CHAT_MIDDLE, MEGABYTE);
    const reader = createAnswerReader(chatAnswers, "events", { collectsText: true });
    for (const piece of piecesOf(bytes, PIECE_BYTES)) reader.push(piece);
    const { text, isTextCut } = reader.finish();
    expect(isTextCut).toBe(true);
    expect(text!.length).toBe(64 * 1024);
    expect(text!.startsWith('some words, "quoted"\nsome')).toBe(true);
  });

  it("is the same however its events are cut into lines and pieces", () => {
    const words = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 30 });
    fc.assert(
      fc.property(
        words,
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        (said, size, line) => {
          const bytes = eventStream(
            said.map((content) => chatChunk({ content })),
            line,
          );
          const reader = createAnswerReader(chatAnswers, "events", { collectsText: true });
          for (const piece of piecesOf(bytes, size)) reader.push(piece);
          expect(reader.finish().text).toBe(said.join(""));
        },
      ),
    );
  });
});
