// A whole answer, read for what it says about itself while its bytes go by: the pieces come in any cut, and however they are
// cut the reading is the same. A stream's first events are read (model, fingerprint, Anthropic's count of the input) and its
// last ones (how it ended, usage); what lies between is neither decoded nor parsed. What a format says only in the middle is
// not seen: a call of a tool that text follows in Gemini's streams, a refusal that ends with `stop` 16 KB after its words.
//
// Held at most: 8 KB of the beginning, what answer-tail.ts holds of the end, and of a body that does not stream 64 KB as it
// is or 256 KB of lean JSON; with `collectsText`, 64 KB of text and 256 KB of one event more.

import type { AnswerRules, Framing } from "./answer.ts";
import { eventsIn } from "./answer-events.ts";
import { startReading, type AnswerReading } from "./answer-reading.ts";
import { createArrayTail, createEventTail, createFrameTail, type Tail } from "./answer-tail.ts";
import { createTextCollector, type TextCollector } from "./answer-text.ts";
import { isObject } from "./answer-usage.ts";
import { createWholeReader } from "./answer-whole.ts";
import { joinBytes } from "./json-write.ts";

export type { AnswerReading } from "./answer-reading.ts";

export type AnswerReader = {
  /** The bytes are kept, not copied: they must not change. */
  push(bytes: Uint8Array): void;
  finish(): AnswerReading;
};

export type ReaderOptions = { collectsText?: boolean };

const HEAD_BYTES = 8 * 1024;
const HEAD_EVENTS = 4;
/** Events that say something, at the end of a stream; a provider may put its usage on every one. */
const TAIL_EVENTS = 32;
/** The last one may be cut. */
const LAST_EVENTS = 2;

/** `framing`: of the answer as it came, "whole" for a body that does not stream. */
export function createAnswerReader(
  rules: AnswerRules,
  framing: Framing | "whole",
  { collectsText = false }: ReaderOptions = {},
): AnswerReader {
  if (framing === "whole") return createWholeReader(rules, collectsText);
  const tail = createTail(framing);
  const collector = collectsText ? createTextCollector(rules, framing) : null;
  const head: Uint8Array[] = [];
  let headBytes = 0;
  return {
    push(bytes) {
      if (headBytes < HEAD_BYTES) {
        const part = bytes.subarray(0, HEAD_BYTES - headBytes);
        head.push(part.slice());
        headBytes += part.length;
      }
      tail.push(bytes);
      collector?.push(bytes);
    },
    finish: () => readStream(rules, framing, tail, joinBytes(head), collector),
  };
}

function createTail(framing: Framing): Tail {
  if (framing === "binary") return createFrameTail();
  return framing === "array" ? createArrayTail() : createEventTail();
}

function readStream(
  rules: AnswerRules,
  framing: Framing,
  tail: Tail,
  head: Uint8Array,
  collector: TextCollector | null,
): AnswerReading {
  const { bytes, isAll, long } = tail.finish();
  const reading = startReading(rules);
  const last = eventsIn(bytes, framing);
  const first = isAll ? last.splice(0, HEAD_EVENTS) : eventsIn(head, framing).slice(0, HEAD_EVENTS);
  for (const event of first) reading.addEvent(event);
  const value = long?.value() ?? null;
  const events = isObject(value) ? [JSON.stringify(value), ...last] : last;
  for (const event of tellingOf(rules, events)) reading.addEvent(event);
  return { ...reading.finish(), ...collector?.finish() };
}

/** The last events that say something, in their order; and the very last ones, for what has been used so far where a stream
 * broke off. */
function tellingOf(rules: AnswerRules, events: string[]): string[] {
  const found: string[] = [];
  for (let index = events.length - 1; index >= 0 && found.length < TAIL_EVENTS; index -= 1) {
    const event = events[index]!;
    const isLast = index >= events.length - LAST_EVENTS;
    if (isLast || rules.isEnd(event) || rules.telling.test(event)) found.push(event);
  }
  return found.toReversed();
}
