// What the providers' answers say about themselves, in their own words and framings. (Bedrock's: event-stream.test.ts.)

import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/problem.ts";
import type { JsonObject } from "../../src/core/types.ts";
import { framingOf } from "../../src/wire/answer.ts";
import { anthropicAnswers } from "../../src/wire/answer-anthropic.ts";
import { geminiAnswers } from "../../src/wire/answer-gemini.ts";
import { chatAnswers, responsesAnswers } from "../../src/wire/answer-openai.ts";
import { usageOf, type Counts } from "../../src/wire/answer-usage.ts";
import { workersAiAnswers } from "../../src/wire/answer-workers-ai.ts";

const decoder = new TextDecoder();
const BROKEN = problem("upstream_unreachable", "The connection broke.");

function brokenOff(framing?: "events" | "array" | "binary"): string | null {
  const bytes = geminiAnswers.breakOff(BROKEN, "r1", framing);
  return bytes === null ? null : decoder.decode(bytes);
}

describe("OpenAI's answers", () => {
  const usage = {
    prompt_tokens: 9,
    completion_tokens: 4,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 3 },
  };
  const expected = { inputTokens: 9, outputTokens: 4, cachedInputTokens: 0, reasoningTokens: 3 };

  it("of Chat report usage on a chunk of its own, on one with choices, or not yet; nothing cached is data", () => {
    expect(chatAnswers.readUsage({ choices: [], usage })).toEqual(expected);
    const delta = { index: 0, delta: { content: "a" } };
    expect(chatAnswers.readUsage({ choices: [delta], usage })).toEqual(expected);
    expect(chatAnswers.readUsage({ choices: [delta], usage: null })).toBeNull();
    expect(chatAnswers.readUsage({ choices: [delta] })).toBeNull();
    const early = chatAnswers.readUsage({ choices: [], usage: { prompt_tokens: 9 } });
    expect(early).toEqual({ inputTokens: 9 });
    expect(usageOf(early)).toEqual({
      inputTokens: 9,
      outputTokens: null,
      cachedInputTokens: null,
      cacheWriteTokens: null,
      reasoningTokens: null,
    });
    expect(usageOf(chatAnswers.readUsage({ usage: {} }))).toBeNull();
  });

  it("of Chat count cached tokens and thoughts under any provider's names", () => {
    const counts = { prompt_tokens: 9, completion_tokens: 4 };
    const read = (more: JsonObject) => chatAnswers.readUsage({ usage: { ...counts, ...more } });
    const written = read({ prompt_tokens_details: { cached_tokens: 2, cache_write_tokens: 5 } });
    expect(written).toMatchObject({ cachedInputTokens: 2, cacheWriteTokens: 5 });
    expect(read({ prompt_cache_hit_tokens: 0, prompt_cache_miss_tokens: 9 })).toMatchObject({
      cachedInputTokens: 0,
    });
    expect(read({ cached_tokens: 3 })).toMatchObject({ cachedInputTokens: 3 });
    expect(chatAnswers.readUsage({ choices: [], x_groq: { usage: counts } })).toMatchObject({
      outputTokens: 4,
    });
    // xAI's completion is without the thoughts, as its total tells; everybody else's has them in it.
    const thoughts = { completion_tokens_details: { reasoning_tokens: 3 } };
    expect(read({ total_tokens: 16, ...thoughts })).toMatchObject({ outputTokens: 7, reasoningTokens: 3 });
    expect(read({ total_tokens: 13, ...thoughts })).toMatchObject({ outputTokens: 4, reasoningTokens: 3 });
  });

  it("of Responses report it whole at their end, and null before", () => {
    const response = {
      usage: {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 3 },
      },
    };
    expect(responsesAnswers.readUsage({ type: "response.completed", response })).toEqual(expected);
    expect(responsesAnswers.readUsage({ id: "resp_1", ...response })).toEqual(expected);
    expect(responsesAnswers.readUsage({ type: "response.created", response: { usage: null } })).toBeNull();
  });
});

describe("Anthropic's answers", () => {
  it("report the input at their start, the output as a running total, and take nothing back", () => {
    const start = {
      input_tokens: 9,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 5,
      output_tokens: 1,
    };
    const found = [
      anthropicAnswers.readUsage({ type: "message_start", message: { usage: start } }),
      anthropicAnswers.readUsage({ type: "content_block_delta", delta: { type: "text_delta", text: "a" } }),
      anthropicAnswers.readUsage({ type: "message_delta", delta: {}, usage: { output_tokens: 4 } }),
      anthropicAnswers.readUsage({ type: "message_delta", delta: {}, usage: { output_tokens: 8 } }),
    ];
    const counts = Object.assign({}, ...found) as Counts;
    expect(counts).toEqual({
      freshInputTokens: 9,
      outputTokens: 8,
      cachedInputTokens: 0,
      cacheWriteTokens: 5,
    });
    // What went into the cache is beside the input there, and a part of it here.
    expect(usageOf(counts)).toMatchObject({ inputTokens: 14, cachedInputTokens: 0, cacheWriteTokens: 5 });
  });

  it("of several goes count them all, as they are billed", () => {
    const usage = {
      input_tokens: 23_000,
      output_tokens: 1_000,
      cache_read_input_tokens: 7,
      iterations: [
        { type: "compaction", input_tokens: 180_000, output_tokens: 3_500 },
        { type: "message", input_tokens: 23_000, output_tokens: 1_000, cache_read_input_tokens: 7 },
      ],
    };
    const expected = { freshInputTokens: 203_000, outputTokens: 4_500, cachedInputTokens: 7 };
    expect(anthropicAnswers.readUsage({ type: "message_delta", usage })).toEqual(expected);
    expect(anthropicAnswers.readUsage({ usage: { ...usage, iterations: [] } })).toMatchObject({
      freshInputTokens: 23_000,
    });
    // An advisor is another model at another price.
    const advised = [...usage.iterations, { type: "advisor_message", input_tokens: 1_000, output_tokens: 9 }];
    expect(anthropicAnswers.readUsage({ usage: { ...usage, iterations: advised } })).toEqual(expected);
  });
});

describe("Gemini's answers", () => {
  it("report running totals, thoughts and the use of tools counted in", () => {
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 4,
      thoughtsTokenCount: 3,
      toolUsePromptTokenCount: 2,
      cachedContentTokenCount: 0,
      totalTokenCount: 19,
    };
    expect(geminiAnswers.readUsage({ usageMetadata })).toEqual({
      inputTokens: 12,
      outputTokens: 7,
      cachedInputTokens: 0,
      reasoningTokens: 3,
    });
    // The first pieces know of the prompt alone, and take nothing back.
    expect(geminiAnswers.readUsage({ usageMetadata: { promptTokenCount: 10 } })).toEqual({ inputTokens: 10 });
    expect(geminiAnswers.readUsage({ candidates: [] })).toBeNull();
  });

  it("end with a reason, the model's own or the block's, and never because a model wrote of one", () => {
    expect(geminiAnswers.isEnd('{"candidates":[{"finishReason": "STOP"}]}')).toBe(true);
    expect(geminiAnswers.isEnd('{"promptFeedback":{"blockReason":"SAFETY"}}')).toBe(true);
    expect(geminiAnswers.isEnd('{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}')).toBe(false);
    const written = JSON.stringify({ text: '"finishReason": "STOP"' });
    expect(geminiAnswers.isEnd(written)).toBe(false);
    expect(geminiAnswers.isEnd("[DONE]")).toBe(false);
  });

  it("are errors where they say so", () => {
    expect(geminiAnswers.isError({ error: { code: 503, status: "UNAVAILABLE" } })).toBe(true);
    expect(geminiAnswers.isError({ candidates: [] })).toBe(false);
  });

  it("that broke off say so in their framing: an event, or an item more", () => {
    expect(brokenOff()).toMatch(/^\n\ndata: \{"error":\{"code":502,.*\}\}\n\n$/);
    const items = '[{"candidates":[]}\n,\n{"candidates":[]}';
    const read = JSON.parse(items + brokenOff("array")!) as JsonObject[];
    expect(read.map((item) => geminiAnswers.isError(item))).toEqual([false, false, true]);
    expect(() => JSON.parse('[{"candidates":[' + brokenOff("array")!) as unknown).toThrow();
    expect(brokenOff("binary")).toBeNull();
  });
});

it.each([
  ["text/event-stream; charset=utf-8", "events"],
  [null, "events"],
  ["application/json; charset=UTF-8", "array"],
  ["application/vnd.amazon.eventstream", "binary"],
])("an answer of type %s is framed as %s", (contentType, framing) => {
  expect(framingOf(contentType)).toBe(framing);
});

describe("Azure's answers", () => {
  it("may begin with a chunk of filter results and end with ones that hold no delta", () => {
    const first = { id: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const late = { choices: [{ index: 0, content_filter_offsets: {}, finish_reason: null }] };
    const last = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } };
    for (const chunk of [first, late, last]) expect(chatAnswers.isError(chunk)).toBe(false);
    expect([first, late].map((chunk) => chatAnswers.readUsage(chunk))).toEqual([null, null]);
    expect(chatAnswers.readUsage({ ...late, usage: null })).toBeNull();
    expect(chatAnswers.readUsage(last)).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });
});

describe("Workers AI's answers", () => {
  it("report usage in either shape, over REST in the result", () => {
    const chat = { prompt_tokens: 3, completion_tokens: 2 };
    const expected = { inputTokens: 3, outputTokens: 2 };
    expect(workersAiAnswers.readUsage({ response: "hi", usage: chat })).toMatchObject(expected);
    expect(workersAiAnswers.readUsage({ result: { usage: chat }, success: true })).toMatchObject(expected);
    const responses = { usage: { input_tokens: 3, output_tokens: 2 } };
    expect(workersAiAnswers.readUsage(responses)).toMatchObject(expected);
    expect(workersAiAnswers.readUsage({ result: responses })).toMatchObject(expected);
    expect(workersAiAnswers.readUsage({ result: { data: [] } })).toBeNull();
  });

  it("are errors in any of the ways in which it says so", () => {
    const said = [
      { success: false, errors: [{ code: 7009, message: "m" }] },
      { errors: [{ message: "m" }] },
      { internalCode: 5007, name: "InferenceError", description: "d" },
      { error: { message: "m" } },
    ];
    expect(said.every((value) => workersAiAnswers.isError(value as JsonObject))).toBe(true);
    expect(workersAiAnswers.isError({ result: {}, success: true, errors: [] })).toBe(false);
    const bytes = workersAiAnswers.breakOff(BROKEN, "r1")!;
    expect(decoder.decode(bytes)).toMatch(/^\n\ndata: \{"result":null,"success":false/);
    expect(workersAiAnswers.isEnd("[DONE]")).toBe(true);
  });
});
