// When an answer counts as one that was to be JSON and is not: only where it is there whole and meant as an answer.

import { describe, expect, it } from "vitest";
import { createAnswerReader, type AnswerReading } from "../../src/wire/answer-reader.ts";
import { chatAnswers, responsesAnswers } from "../../src/wire/answer-openai.ts";
import { isSchemaFailure, type JsonDemand } from "../../src/wire/json-demand.ts";
import {
  chatChunk,
  eventStream,
  messageItem,
  named,
  responseEvents,
  responseObject,
  whole,
  type Event,
} from "./answers.ts";

const DEMAND: JsonDemand = { of: "any", schema: { type: "object", required: ["city"] } };

function readChat(events: Event[], collectsText = true): AnswerReading {
  const reader = createAnswerReader(chatAnswers, "events", { collectsText });
  reader.push(eventStream(events));
  return reader.finish();
}

function chatOf(text: string, finish: string, more: object = {}): Event[] {
  const pieces = [text.slice(0, 3), text.slice(3)].map((content) => chatChunk({ content, ...more }));
  return [...pieces, chatChunk({}, finish), { data: "[DONE]" }];
}

describe("an answer that was to be JSON", () => {
  it("fails where it is whole and something else", () => {
    expect(isSchemaFailure(readChat(chatOf('{"city":"Oslo"}', "stop")), DEMAND)).toBe(false);
    expect(isSchemaFailure(readChat(chatOf("Oslo is nice.", "stop")), DEMAND)).toBe(true);
    expect(isSchemaFailure(readChat(chatOf('{"town":"Oslo"}', "stop")), DEMAND)).toBe(true);
    expect(isSchemaFailure(readChat(chatOf("", "stop")), DEMAND)).toBe(true);
  });

  it("tells nothing where JSON was not wanted, or it is no answer, or not all of one", () => {
    const text = "Oslo is nice.";
    const cases: [string, AnswerReading][] = [
      ["cut by length", readChat(chatOf(text, "length"))],
      ["a tool", readChat(chatOf("", "tool_calls"))],
      ["filtered", readChat(chatOf(text, "content_filter"))],
      ["refused", readChat(chatOf(text, "stop", { refusal: "No." }))],
      ["broken off", readChat(chatOf(text, "stop").slice(0, 2))],
      ["an error", readChat([...chatOf(text, "stop"), { data: { error: { message: "m" } } }])],
      ["not collected", readChat(chatOf(text, "stop"), false)],
      ["too long", readChat(chatOf("x".repeat(70_000), "stop"))],
    ];
    for (const [name, reading] of cases)
      expect({ name, is: isSchemaFailure(reading, DEMAND) }).toEqual({ name, is: null });
    expect(isSchemaFailure(readChat(chatOf(text, "stop")), null)).toBeNull();
  });

  it("of Responses is its last message, streamed or whole", () => {
    const [thinking, final] = ["Let me see.", '{"city":"Oslo"}'];
    const [first, last] = [thinking, final].map((text) => messageItem([{ type: "output_text", text }]));
    const response = responseObject("completed", [first, last]);
    const message = { type: "response.output_item.added", item: { type: "message", content: [] } };
    const deltas = [thinking, final].flatMap((delta) => [
      message,
      { type: "response.output_text.delta", delta },
    ]);
    const events = [
      ...named(deltas as { type: string }[]),
      responseEvents({ type: "response.completed", response }).at(-1)!,
    ];
    for (const [framing, bytes] of [
      ["events", eventStream(events)],
      ["whole", whole(response)],
    ] as const) {
      const reader = createAnswerReader(responsesAnswers, framing, { collectsText: true });
      reader.push(bytes);
      const reading = reader.finish();
      expect(reading.text).toBe(final);
      expect(isSchemaFailure(reading, DEMAND)).toBe(false);
    }
  });
});
