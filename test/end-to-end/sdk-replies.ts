// What the scripted provider says in the SDK suites, in each wire format.

import type { SseEvent } from "../support/upstream.ts";

export const MODEL = "gpt-5.4-mini";
export const HELLO = [{ role: "user" as const, content: "hello" }];

export const completion = {
  id: "chatcmpl-1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
};

export function chatChunks(count: number): SseEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    data: {
      id: "chatcmpl-1",
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: { content: `${index} ` } }],
    },
  }));
}

export const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude",
  content: [{ type: "text", text: "hi" }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 1 },
};

/** A message's stream up to its deltas; `ended` adds the events that close it. */
export function messageEvents(deltas: number, ended: boolean): SseEvent[] {
  const events: Record<string, unknown>[] = [
    { type: "message_start", message: { ...message, content: [], stop_reason: null } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "ping" },
  ];
  for (let index = 0; index < deltas; index++) {
    events.push({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: `${index} ` } });
  }
  if (ended) {
    events.push(
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: deltas },
      },
      { type: "message_stop" },
    );
  }
  return events.map((data) => ({ event: String(data["type"]), data }));
}
