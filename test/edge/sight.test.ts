// What is seen of an answer that goes by: the time of its first words, in any cut, and never at the answer's expense.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSight } from "../../src/edge/sight.ts";
import { anthropicAnswers } from "../../src/wire/answer-anthropic.ts";
import { chatAnswers, responsesAnswers } from "../../src/wire/answer-openai.ts";
import type { AnswerRules } from "../../src/wire/answer.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`;

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

/** Pieces that come 100 ms after one another; what is seen of them. */
function see(rules: AnswerRules, pieces: string[]) {
  const sight = createSight(rules, "events", { collectsText: false, startedAtMs: Date.now() });
  for (const piece of pieces) {
    vi.advanceTimersByTime(100);
    sight.push(bytesOf(piece));
  }
  return sight.finish();
}

const role = event({ choices: [{ delta: { role: "assistant", content: "" } }] });
const word = event({ choices: [{ delta: { content: "Hi" } }] });

describe("the first token", () => {
  it("of a chat is its first word, not the role before it", () => {
    expect(see(chatAnswers, [role, word, word]).firstTokenMs).toBe(200);
  });

  it("is found wherever the pieces are cut", () => {
    for (let cut = 1; cut < word.length; cut += 1) {
      const seen = see(chatAnswers, [role, word.slice(0, cut), word.slice(cut), word]).firstTokenMs;
      expect([200, 300]).toContain(seen);
    }
  });

  it("of a response is its first delta, not the response that was created", () => {
    const created = event({ type: "response.created", response: { id: "resp_1", instructions: "Be kind." } });
    const delta = event({ type: "response.output_text.delta", delta: "Hi" });
    expect(see(responsesAnswers, [created, created, delta]).firstTokenMs).toBe(300);
  });

  it("of a message of Anthropic's is its first block's, not the count of the input", () => {
    const start = event({ type: "message_start", message: { content: [], usage: { input_tokens: 3 } } });
    const delta = event({ type: "content_block_delta", delta: { type: "text_delta", text: "Hi" } });
    expect(see(anthropicAnswers, [start, delta]).firstTokenMs).toBe(200);
  });

  it("is the first byte where no words are known, and unknown where nothing came", () => {
    expect(see(chatAnswers, [": alive\n\n", ": alive\n\n"]).firstTokenMs).toBe(100);
    expect(see(chatAnswers, [])).toEqual({ reading: null, firstTokenMs: null, isSilent: true });
  });
});

const fail = (): never => {
  throw new Error("a bug");
};

describe("a reader that fails", () => {
  it("leaves the reading unknown, and what goes by alone", () => {
    const seen = see({ ...chatAnswers, isError: fail, readUsage: fail, readFacts: fail }, [role, word]);
    expect(seen).toEqual({ reading: null, firstTokenMs: 200, isSilent: false });
  });
});
