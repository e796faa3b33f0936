// What the user got to read of an answer that streams, for judges and for checks of its form: every event is parsed, which
// costs what parsing costs (bench/answers.ts: 6 ms per megabyte, ten times the rest), so it is for a sampled share. At most 64 KB of text
// are kept; what comes later is not looked at.

import type { AnswerRules, Framing } from "./answer.ts";
import { eventsIn } from "./answer-events.ts";
import { readFrame } from "./event-stream.ts";
import { parseObject } from "./facts.ts";
import { joinBytes } from "./json-write.ts";

/** In UTF-16 units, as strings are counted. */
export const LONGEST_TEXT = 64 * 1024;
/** An event longer than this is no piece of a text. */
const MOST_PENDING_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

export type CollectedText = { text: string; isTextCut: boolean };

export type TextCollector = { push(bytes: Uint8Array): void; finish(): CollectedText };

export function cutText(text: string): CollectedText {
  const isTextCut = text.length > LONGEST_TEXT;
  return { text: isTextCut ? text.slice(0, LONGEST_TEXT) : text, isTextCut };
}

/** Where whole events end in these bytes; 0: none does. */
type FindCut = (bytes: Uint8Array) => number;

/** Collects piece by piece; an array's items as soon as all of them are there, if they are not too many. */
export function createTextCollector(rules: AnswerRules, framing: Framing): TextCollector {
  const findCut: FindCut = { events: behindBlankLine, binary: behindFrames, array: () => 0 }[framing];
  let text = "";
  let pending: Uint8Array[] = [];
  let size = 0;
  let isOver = false;

  function push(bytes: Uint8Array): void {
    if (isOver) return;
    pending.push(bytes);
    size += bytes.length;
    // Inside a long event nothing is joined over and over.
    if (framing !== "events" || bytes.includes(NEWLINE) || bytes.includes(RETURN)) take(findCut);
    if (size > MOST_PENDING_BYTES || text.length > LONGEST_TEXT) stop();
  }

  function take(find: FindCut): void {
    const bytes = joinBytes(pending);
    const cut = find(bytes);
    if (cut > 0) for (const event of eventsIn(bytes.subarray(0, cut), framing)) add(event);
    pending = [bytes.subarray(cut)];
    size -= cut;
  }

  function add(event: string): void {
    if (event.length > MOST_PENDING_BYTES) stop();
    const value = isOver || text.length > LONGEST_TEXT ? null : parseObject(event);
    if (value === null) return;
    text = (rules.startsOver?.(value) === true ? "" : text) + rules.readText(value);
  }

  function stop(): void {
    isOver = true;
    pending = [];
  }

  function finish(): CollectedText {
    if (!isOver) take(({ length }) => length);
    const cut = cutText(text);
    return { ...cut, isTextCut: cut.isTextCut || isOver };
  }

  return { push, finish };
}

function isBreak(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

function behindBlankLine(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at > 0; at -= 1) {
    if (!isBreak(bytes[at]!)) continue;
    const before = bytes[at - 1]!;
    if (before === bytes[at] || (before === RETURN && isBreak(bytes[at - 2] ?? 0))) return at + 1;
  }
  return 0;
}

function behindFrames(bytes: Uint8Array): number {
  let at = 0;
  for (let read = readFrame(bytes, at); typeof read !== "string"; read = readFrame(bytes, at)) at = read.to;
  return at;
}
