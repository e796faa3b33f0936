// What reading an answer costs, beside handing its bytes on: a megabyte of a stream's middle going by, in pieces as they
// gather in 200 ms, and the reading at the end, of answers of usual size. Run it with the project's own Node:
// node bench/answers.ts
//
// Least of many rounds, Node 24, two shared cores:
//   a megabyte goes by (µs)            pieces of 16 KB    64 KB
//     chat                                        31       57
//     anthropic                                   18       27
//     gemini, array                               47       27
//     converse                                   278      223
//     responses, one event of 1 MB               604      643
//     chat, whole                                277      274
//   an answer read (µs)             bytes      all   finish   with text   parse all
//     chat, 50 chunks              13,585       46       45         141          78
//     chat, 500 chunks            117,535       66       62         700         761
//     anthropic, 500 events        60,961       73       71         442         349
//     responses, 500, 2 KB         68,926       65       63         390         399
//     responses, 500, 300 KB      366,964      250       37         721       1,277
//     gemini, 100 pieces           19,943       68       67         220         138
//     gemini, array of 100         31,356      157      153         421
//     converse, 500 frames         76,368      179      158       2,008
//     chat, whole, 2 KB             2,053      4.4      4.3         4.8

import { parseObject } from "../src/wire/facts.ts";
import { dataIn } from "../src/wire/answer-events.ts";
import { createAnswerReader, type ReaderOptions } from "../src/wire/answer-reader.ts";
import type { AnswerRules, Framing } from "../src/wire/answer.ts";
import { anthropicAnswers } from "../src/wire/answer-anthropic.ts";
import { converseAnswers } from "../src/wire/answer-bedrock.ts";
import { geminiAnswers } from "../src/wire/answer-gemini.ts";
import { chatAnswers, responsesAnswers } from "../src/wire/answer-openai.ts";
import {
  ANTHROPIC_EVENTS,
  CHAT_EVENTS,
  chatChunk,
  converseFrames,
  eventStream,
  GEMINI_PIECES,
  geminiPiece,
  jsonArray,
  messageItem,
  named,
  responseEvents,
  responseObject,
  type Event,
} from "../test/wire/answers.ts";
import { eventFrame } from "../test/support/aws-frames.ts";

const ROUNDS = 40;
const MEGABYTE = 1_000_000;
const PROSE = "The quick brown fox jumps over the lazy dog, and then over some more of them. ";

type Stream = [string, AnswerRules, Framing | "whole", Uint8Array];

function repeat(part: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => part));
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(new Uint8Array(bytes.subarray(at, at + size)));
  return pieces;
}

/** Microseconds of one call, least of many rounds. */
function measure(call: () => unknown, calls: number): number {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    for (let index = 0; index < calls; index += 1) call();
    least = Math.min(least, ((performance.now() - startedAt) / calls) * 1_000);
  }
  return least;
}

function readAll([, rules, framing]: Stream, pieces: Uint8Array[], options?: ReaderOptions): unknown {
  const reader = createAnswerReader(rules, framing, options);
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

function parseAll(pieces: Uint8Array[]): number {
  return dataIn(Buffer.concat(pieces).toString()).filter((data) => parseObject(data) !== null).length;
}

function withMiddle(events: Event[], middle: Event, count: number): Uint8Array {
  const [first, ...rest] = events;
  return Buffer.concat([eventStream([first!]), repeat(eventStream([middle]), count), eventStream(rest)]);
}

const CHAT = chatChunk({ content: "word" });
const ANTHROPIC = named([
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "word" } } as { type: string },
])[0]!;
const RESPONSES = named([
  { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, delta: "word" } as {
    type: string;
  },
])[0]!;
const GEMINI = { data: geminiPiece([{ text: "some words" }]) };
const CONVERSE = eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "word" } });

function responsesOf(size: number): Event[] {
  const text = PROSE.repeat(Math.ceil(size / PROSE.length));
  const output = { type: "output_text", text, annotations: [], logprobs: [] };
  const response = responseObject("completed", [messageItem([output])]);
  return responseEvents({ type: "response.completed", response });
}

function megabyteOf(part: Uint8Array): Uint8Array {
  return repeat(part, Math.ceil(MEGABYTE / part.length));
}

const MIDDLES: Stream[] = [
  ["chat", chatAnswers, "events", megabyteOf(eventStream([CHAT]))],
  ["anthropic", anthropicAnswers, "events", megabyteOf(eventStream([ANTHROPIC]))],
  [
    "gemini, array",
    geminiAnswers,
    "array",
    megabyteOf(Buffer.from(`${JSON.stringify(GEMINI.data, null, 2)}\n,\n`)),
  ],
  ["converse", converseAnswers, "binary", megabyteOf(CONVERSE)],
  ["responses, one event", responsesAnswers, "events", eventStream(responsesOf(MEGABYTE).slice(-1))],
  [
    "chat, whole",
    chatAnswers,
    "whole",
    Buffer.from(
      JSON.stringify({ choices: [{ message: { content: PROSE.repeat(MEGABYTE / PROSE.length) } }] }),
    ),
  ],
];

const ANSWERS: Stream[] = [
  ["chat, 50 chunks", chatAnswers, "events", withMiddle(CHAT_EVENTS, CHAT, 50)],
  ["chat, 500 chunks", chatAnswers, "events", withMiddle(CHAT_EVENTS, CHAT, 500)],
  ["anthropic, 500 events", anthropicAnswers, "events", withMiddle(ANTHROPIC_EVENTS, ANTHROPIC, 500)],
  ["responses, 500 events, 2 KB", responsesAnswers, "events", withMiddle(responsesOf(2_000), RESPONSES, 500)],
  [
    "responses, 500 events, 300 KB",
    responsesAnswers,
    "events",
    withMiddle(responsesOf(300_000), RESPONSES, 500),
  ],
  [
    "gemini, 100 pieces",
    geminiAnswers,
    "events",
    withMiddle(
      GEMINI_PIECES.map((data) => ({ data })),
      GEMINI,
      100,
    ),
  ],
  [
    "gemini, array of 100",
    geminiAnswers,
    "array",
    jsonArray([...Array.from({ length: 100 }, () => GEMINI.data), GEMINI_PIECES.at(-1)]),
  ],
  [
    "converse, 500 frames",
    converseAnswers,
    "binary",
    Buffer.concat([...Array.from({ length: 500 }, () => CONVERSE), ...converseFrames("end_turn")]),
  ],
  [
    "chat, whole, 2 KB",
    chatAnswers,
    "whole",
    Buffer.from(
      JSON.stringify({
        model: "m",
        choices: [{ finish_reason: "stop", message: { content: PROSE.repeat(25) } }],
        usage: { prompt_tokens: 1 },
      }),
    ),
  ],
];

function cells(values: number[]): string {
  return values.map((micros) => micros.toFixed(micros < 100 ? 1 : 0).padStart(11)).join("");
}

console.log(`${"a megabyte goes by (µs)".padEnd(34)}     pieces of    16 KB      64 KB`);
for (const stream of MIDDLES) {
  const columns = [16 * 1024, 64 * 1024].map((size) => {
    const pieces = cut(stream[3], size);
    return measure(() => {
      const reader = createAnswerReader(stream[1], stream[2]);
      for (const piece of pieces) reader.push(piece);
    }, 4);
  });
  console.log(`${stream[0].padEnd(34)}${" ".repeat(10)}${cells(columns)}`);
}

console.log(`\n${"an answer read (µs)".padEnd(34)}     bytes       all     finish  with text  parse all`);
for (const stream of ANSWERS) {
  const pieces = cut(stream[3], 16 * 1024);
  const all = measure(() => readAll(stream, pieces), 20);
  const push = measure(() => {
    const reader = createAnswerReader(stream[1], stream[2]);
    for (const piece of pieces) reader.push(piece);
  }, 20);
  const text = measure(() => readAll(stream, pieces, { collectsText: true }), 20);
  const parsed = stream[2] === "events" ? measure(() => parseAll(pieces), 20) : Number.NaN;
  console.log(
    `${stream[0].padEnd(34)}${String(stream[3].length).padStart(10)}${cells([all, all - push, text, parsed])}`,
  );
}
