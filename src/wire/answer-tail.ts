// The end of an answer that streams, kept while the rest goes by undecoded: whole lines, or whole frames, of at least the
// last 16 KB. How an answer ended stands in its last events, which are small (chat with log probabilities: 3 KB; Anthropic,
// Bedrock: 1 KB; Gemini with its sources: up to 50 KB), but for the last one of OpenAI's Responses, which repeats
// instructions, tools and the whole answer: a line that grows beyond 64 KB goes on as lean JSON (lean-json.ts). So a stream
// holds at most 64 KB and one piece of its own, and 256 KB of lean JSON.
//
// What goes by costs a search for the last line end in each piece, and a copy of 16 KB where the piece is larger.

import { LeanJson } from "./lean-json.ts";
import { Pieces } from "./pieces.ts";

const KEPT_BYTES = 16 * 1024;
const LONGEST_PART_BYTES = 64 * 1024;
const LONGEST_FRAME_BYTES = 256 * 1024;
/** Frames are dearer to read than lines. */
const KEPT_FRAME_BYTES = 4 * 1024;
const KEPT_FRAMES = 8;
const LEAST_FRAME_BYTES = 16;
const LENGTH_BYTES = 4;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const OPEN_BRACE = 0x7b;

export type Tail = {
  push(bytes: Uint8Array): void;
  /** Of memory, beside a lean JSON. */
  heldBytes(): number;
  /** However the bytes were cut, the same. */
  finish(): {
    /** Whole lines or frames, of which the last may be cut. */
    bytes: Uint8Array;
    /** Nothing has gone by: these are all the bytes there were. */
    isAll: boolean;
    /** The line before these bytes, where it was too long to be kept. */
    long: LeanJson | null;
  };
};

/** `isStart`: whether a line that begins with this byte is a place to cut at. `endsWithLine`: so does a JSON text. */
function createLineTail(isStart: (byte: number) => boolean, endsWithLine: boolean): Tail {
  const pieces = new Pieces();
  /** No line that could be cut at begins behind `pieces.from` and before here. */
  let searchedTo = 0;
  let isAll = true;
  let long: LeanJson | null = null;
  let isInLong = false;

  function push(bytes: Uint8Array): void {
    pieces.push(isInLong ? goOn(bytes) : bytes);
    if (pieces.size >= 2 * KEPT_BYTES) trim();
  }

  function trim(): void {
    const to = pieces.to - KEPT_BYTES;
    const start = lastStart(Math.max(pieces.from, searchedTo), to);
    searchedTo = to;
    if (start > pieces.from) {
      pieces.dropBefore(start);
      isAll = false;
      long = null;
    } else if (pieces.size > LONGEST_PART_BYTES) {
      beginLong();
    }
  }

  function lastStart(from: number, to: number): number {
    for (let end = to; end > from;) {
      const newline = pieces.lastIndexOf(NEWLINE, from, end);
      // Lines may end with a return alone.
      const found = newline >= 0 || !endsWithLine ? newline : pieces.lastIndexOf(RETURN, from, end);
      if (found < 0) return 0;
      if (isStart(pieces.byteAt(found + 1))) return found + 1;
      end = found;
    }
    return 0;
  }

  function beginLong(): void {
    const bytes = pieces.bytes();
    const brace = bytes.indexOf(OPEN_BRACE);
    pieces.dropBefore(pieces.to);
    searchedTo = pieces.to;
    isAll = false;
    isInLong = true;
    long = new LeanJson();
    push(bytes.subarray(brace < 0 ? bytes.length : brace));
  }

  /** The long line goes by; answers what stands behind it. */
  function goOn(bytes: Uint8Array): Uint8Array {
    return bytes.subarray(endsWithLine ? goByLine(bytes) : goByItems(bytes));
  }

  function goByLine(bytes: Uint8Array): number {
    const newline = bytes.indexOf(NEWLINE);
    const end = newline < 0 ? bytes.length : newline;
    long!.push(bytes.subarray(0, end));
    isInLong = newline < 0;
    return end;
  }

  /** Items that stand on one line go by one after the other. */
  function goByItems(bytes: Uint8Array): number {
    let at = long!.push(bytes);
    while (long!.isWhole && at < bytes.length) {
      const brace = bytes.indexOf(OPEN_BRACE, at);
      const between = bytes.subarray(at, brace < 0 ? bytes.length : brace);
      isInLong = !between.includes(NEWLINE);
      if (!isInLong) break;
      at += between.length;
      if (brace < 0) break;
      long = new LeanJson();
      at += long.push(bytes.subarray(at));
    }
    return at;
  }

  function finish(): ReturnType<Tail["finish"]> {
    if (!isAll || pieces.size >= 2 * KEPT_BYTES) trim();
    return { bytes: pieces.bytes(), isAll, long };
  }

  return { push, finish, heldBytes: () => pieces.heldBytes };
}

const ANY_LINE = () => true;

/** Of server-sent events: their data stand on lines of their own. */
export function createEventTail(): Tail {
  return createLineTail(ANY_LINE, true);
}

/** Of an array's items: Google writes their braces at the beginning of a line and indents what is in them. */
export function createArrayTail(): Tail {
  return createLineTail((byte) => byte === OPEN_BRACE, false);
}

/** Of AWS's frames, whose lengths lead from one to the next. The last eight are kept however long they are: a guardrail's
 * account of itself comes behind the frame that says how the answer ended. */
export function createFrameTail(): Tail {
  const pieces = new Pieces();
  /** Where the frames begin that are kept whole. */
  let starts: number[] = [];
  let next = 0;

  function push(bytes: Uint8Array): void {
    pieces.push(bytes);
    while (next + LENGTH_BYTES <= pieces.to) {
      const size = lengthAt(next);
      starts.push(next);
      // Where something is wrong nothing leads on.
      next = size < LEAST_FRAME_BYTES ? Infinity : next + size;
    }
    const past = countPast(pieces.to);
    if (past > 0) starts = starts.slice(past);
    pieces.dropBefore(Math.min(starts[0] ?? next, pieces.to));
  }

  /** Frames that are not kept: old ones, and what is so large that it says nothing of use here. */
  function countPast(to: number): number {
    let count = 0;
    while (starts.length - count > KEPT_FRAMES && starts[count + 1]! <= to - KEPT_FRAME_BYTES) count += 1;
    while (count < starts.length && to - starts[count]! > LONGEST_FRAME_BYTES) count += 1;
    return count;
  }

  function lengthAt(at: number): number {
    let length = 0;
    for (let byte = 0; byte < LENGTH_BYTES; byte += 1) length = length * 256 + pieces.byteAt(at + byte);
    return length;
  }

  function finish(): ReturnType<Tail["finish"]> {
    return { bytes: pieces.bytes(), isAll: pieces.from === 0, long: null };
  }

  return { push, finish, heldBytes: () => pieces.heldBytes };
}
