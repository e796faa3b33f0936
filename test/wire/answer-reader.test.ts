// A whole answer's reading: what each format says, however its bytes are cut, wherever it breaks off, however long it is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAnswerReader, type AnswerReading, type ReaderOptions } from "../../src/wire/answer-reader.ts";
import { anthropicAnswers } from "../../src/wire/answer-anthropic.ts";
import { geminiAnswers } from "../../src/wire/answer-gemini.ts";
import { chatAnswers } from "../../src/wire/answer-openai.ts";
import { workersAiAnswers } from "../../src/wire/answer-workers-ai.ts";
import {
  ANTHROPIC_EVENTS,
  BROKEN,
  eventStream,
  geminiPiece,
  SAMPLES,
  STREAMS,
  whole,
  type Sample,
} from "./answers.ts";

type Readable = Pick<Sample, "rules" | "framing" | "bytes">;

/** `cuts`: sizes of the pieces, repeated; none: in one. */
function read(
  { rules, framing, bytes }: Readable,
  cuts: number[] = [],
  options?: ReaderOptions,
): AnswerReading {
  const reader = createAnswerReader(rules, framing, options);
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = cuts.length === 0 ? bytes.length : cuts[index % cuts.length]!;
    reader.push(bytes.subarray(at, at + size));
    at += size;
  }
  return reader.finish();
}

describe.each(SAMPLES)("$name", (sample) => {
  it("says how it ended, what it used and who wrote it", () => {
    expect(read(sample)).toEqual({
      facts: sample.facts,
      isError: false,
      isEnd: true,
      errorClass: null,
      errorText: null,
      text: null,
      isTextCut: false,
    });
  });

  it("gives the text that the user reads, where it is asked for", () => {
    const { text, isTextCut, facts } = read(sample, [], { collectsText: true });
    expect({ text, isTextCut, facts }).toEqual({ text: sample.text, isTextCut: false, facts: sample.facts });
  });

  it("says the same however its bytes are cut", () => {
    for (const options of [{}, { collectsText: true }]) {
      const expected = read(sample, [], options);
      expect(read(sample, [1], options)).toEqual(expected);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }), (cuts) => {
          expect(read(sample, cuts, options)).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    }
  });
});

/** How many bytes at the end say nothing any more. */
function endingOf({ rules, framing, bytes }: Sample): number {
  const isEnd = (size: number) => read({ rules, framing, bytes: bytes.subarray(0, size) }).isEnd;
  let size = bytes.length;
  while (size > 0 && isEnd(size - 1)) size -= 1;
  return bytes.length - size;
}

describe("a stream that breaks off", () => {
  it.each(STREAMS)("of $name is never taken for a whole one", (sample) => {
    // A line end or two, brackets of an array, a last count of tokens that Gemini and Workers AI may leave out.
    const ending = endingOf(sample);
    expect(ending).toBeLessThan(sample.framing === "binary" ? 1 : 8);
    for (let size = 0; size < sample.bytes.length - ending; size += 1) {
      const { isEnd, isError } = read({ ...sample, bytes: sample.bytes.subarray(0, size) }, [97]);
      expect({ size, isEnd, isError }).toEqual({ size, isEnd: false, isError: false });
    }
  });

  it.each(BROKEN)("of %s by an error says so, in a class", (_, rules, framing, bytes, errorClass) => {
    for (const cuts of [[], [1], [50]]) {
      const reading = read({ rules, framing, bytes }, cuts);
      expect(reading).toMatchObject({ isError: true, isEnd: false, errorClass });
      expect(reading.errorText).toContain("{");
      expect(reading.facts.finish).toBeNull();
    }
  });
});

function endOf(index: number, finish_reason: string): object {
  return { index, delta: {}, finish_reason };
}

it("of several choices the worst end is told, whichever ends first", () => {
  for (const ends of [
    ["length", "stop"],
    ["stop", "length"],
    ["length", "content_filter"],
    ["content_filter", "stop"],
  ]) {
    const chunks = ends.map((end, index) => ({ data: { choices: [endOf(index, end)] } }));
    const streamed = read({ rules: chatAnswers, framing: "events", bytes: eventStream(chunks) });
    const bytes = whole({ choices: ends.map((end, index) => ({ ...endOf(index, end), message: {} })) });
    const expected = ends.includes("content_filter") ? "refusal" : "length";
    expect(streamed.facts.finish).toBe(expected);
    expect(read({ rules: chatAnswers, framing: "whole", bytes }).facts.finish).toBe(expected);
  }
});

describe("what a broken or strange answer reports", () => {
  it("is what had been used when it broke off, as far as it was said", () => {
    const pieces = Array.from({ length: 60 }, (_, index) => {
      const piece = geminiPiece([{ text: "some words, and some more of them ".repeat(20) }]);
      return { data: { ...piece, usageMetadata: { promptTokenCount: 90, candidatesTokenCount: index } } };
    });
    const gemini = read({
      rules: geminiAnswers,
      framing: "events",
      bytes: eventStream(pieces).subarray(0, -30),
    });
    expect(gemini).toMatchObject({ isEnd: false, facts: { finish: null, usage: { outputTokens: 58 } } });
    const begun = eventStream(ANTHROPIC_EVENTS.slice(0, 5));
    const anthropic = read({ rules: anthropicAnswers, framing: "events", bytes: begun });
    expect(anthropic.facts).toMatchObject({ finish: null, usage: { inputTokens: 90, outputTokens: 1 } });
  });

  it("has no counts that are none, and no names that are books", () => {
    const usage = {
      prompt_tokens: -1,
      completion_tokens: 1e300,
      prompt_tokens_details: { cached_tokens: "4" },
    };
    const bytes = whole({ model: "m".repeat(9_999), system_fingerprint: 7, choices: "none", usage });
    const { facts } = read({ rules: chatAnswers, framing: "whole", bytes });
    expect(facts).toEqual({ ...NOTHING, model: "m".repeat(200) });
  });

  it("is nothing where it nests too deep for anybody", () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const text = `[{"a":${open.repeat(5_000)}1${close.repeat(5_000)}}]`;
      const long = `[{"a":${open.repeat(90_000)}1${close.repeat(90_000)}}]`;
      for (const bytes of [Buffer.from(text), Buffer.from(long), Buffer.from(text.slice(1, -1))]) {
        const answer = Buffer.from(`{"response":${bytes.toString()}}`);
        read({ rules: workersAiAnswers, framing: "whole", bytes: answer }, [], { collectsText: true });
        for (const { rules } of SAMPLES)
          expect(read({ rules, framing: "whole", bytes }).facts).toEqual(NOTHING);
        const event = Buffer.concat([Buffer.from("data: "), bytes, Buffer.from("\n\n")]);
        for (const { rules, framing } of STREAMS)
          expect(read({ rules, framing, bytes: event }).facts).toEqual(NOTHING);
      }
    }
  });
});

const NOTHING = { usage: null, finish: null, model: null, fingerprint: null, isSchemaFailure: null };

it("nothing at all, and what is no answer, say nothing", () => {
  for (const { rules, framing } of SAMPLES) {
    for (const text of [
      "",
      "\n\n",
      "<html>oops</html>",
      '{"a":',
      '"data: x"',
      ": ping\n\n",
      "\u0000\u0001",
    ]) {
      const reading = read({ rules, framing, bytes: Buffer.from(text) }, [], { collectsText: true });
      expect(reading).toMatchObject({ isError: false, facts: { usage: null, finish: null, model: null } });
      expect(reading.isEnd).toBe(framing === "whole" && text === '"data: x"');
    }
  }
});
