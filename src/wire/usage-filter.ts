// Takes one event out of a chat that streams: the chunk without choices that carries the usage, which was asked for on
// behalf of a caller who did not (stream-usage.ts). Every other byte goes on as it came, and whether an event goes on
// depends on its own bytes alone, never on how the stream was cut.
//
// Held back is only an event that stands open at the end of a piece and may still be that chunk. Comments go on at once,
// other chunks with the first byte of their choices, and whatever is longer than 16 KB.

import { encodeUtf8 } from "../core/text.ts";
import { eventsIn } from "./answer-events.ts";
import { isObject } from "./answer-usage.ts";
import { ChoicesFlow } from "./choices-flow.ts";
import { parseObject } from "./facts.ts";
import { joinBytes } from "./json-write.ts";

/** The chunk has 300 to 1,000 bytes. */
export const MOST_HELD_BYTES = 16 * 1024;

const DATA = encodeUtf8("data");
const NOTHING = new Uint8Array(0);

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

export class UsageFilter {
  /** Where the next byte stands: in no event (a comment before one), in one that may be the chunk, in one that is not. */
  private event: "none" | "open" | "other" = "none";
  /** What has been read of its line: nothing, some of its name, `data:`, some of the data; or it says nothing. */
  private line: "start" | "name" | "colon" | "data" | "mute" = "start";
  private matched = 0;
  private hasData = false;
  private choices = new ChoicesFlow();
  /** The line before ended with a return, to which a newline may belong. */
  private isAfterReturn = false;
  /** The event before was the chunk. */
  private isAfterChunk = false;
  /** Of the open event: what earlier pieces had of it. */
  private held: Uint8Array[] = [];
  private heldBytes = 0;

  /** What may go on now: what was held and the piece, or parts of them. Without a copy where all of the piece may. */
  push(bytes: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    /** First byte that has not gone on; first byte of the open event. */
    let from = 0;
    let openFrom = 0;
    for (let at = 0; at < bytes.length;) {
      const isTail = this.isAfterReturn && bytes[at] === NEWLINE;
      this.isAfterReturn = false;
      if (isTail) {
        at += 1;
        if (this.isAfterChunk) from = at;
        continue;
      }
      this.isAfterChunk = false;
      if (this.beginsWith(bytes[at]!)) openFrom = at;
      const lineEnd = findLineEnd(bytes, at);
      this.readLine(bytes, at, lineEnd);
      at = lineEnd + 1;
      if (this.event === "other") this.release(out);
      if (lineEnd === bytes.length || !this.endLine(bytes[lineEnd]!)) continue;
      if (this.event === "open" && this.isChunk(bytes.subarray(openFrom, at))) {
        out.push(bytes.subarray(from, openFrom));
        from = at;
        this.release([]);
        this.isAfterChunk = true;
      } else {
        this.release(out);
      }
      this.event = "none";
    }
    return this.hold(bytes, from, openFrom, out);
  }

  /** What is held where the stream is over or broken off. An event without its blank line counts: some readers take it for
   * whole. */
  finish(): Uint8Array {
    return this.event === "open" && this.isChunk(NOTHING) ? NOTHING : joinBytes(this.held);
  }

  /** Does an event begin with this byte? */
  private beginsWith(byte: number): boolean {
    const isPlace = this.event === "none" && this.line === "start";
    if (!isPlace || byte === COLON || byte === NEWLINE || byte === RETURN) return false;
    this.event = "open";
    this.hasData = false;
    this.choices = new ChoicesFlow();
    return true;
  }

  /** A line, or as much of it as there is. */
  private readLine(bytes: Uint8Array, from: number, to: number): void {
    if (this.event !== "open") {
      if (from < to) this.line = "mute";
      return;
    }
    for (let at = from; at < to && this.line !== "mute"; at += 1) {
      if (this.readByte(bytes[at]!)) continue;
      this.event = "other";
      this.line = "mute";
    }
  }

  /** False: the event is not the chunk. */
  private readByte(byte: number): boolean {
    switch (this.line) {
      case "start":
        this.matched = 0;
        this.line = "name";
        return this.readName(byte);
      case "name":
        return this.readName(byte);
      case "colon":
        this.line = "data";
        this.hasData = true;
        return byte === SPACE || this.choices.read(byte);
      case "data":
        return this.choices.read(byte);
      case "mute":
        return true;
    }
  }

  private readName(byte: number): true {
    if (byte === DATA[this.matched]) this.matched += 1;
    else this.line = this.matched === DATA.length && byte === COLON ? "colon" : "mute";
    return true;
  }

  /** True: the line was blank. */
  private endLine(byte: number): boolean {
    const isBlank = this.line === "start";
    this.line = "start";
    this.isAfterReturn = byte === RETURN;
    return isBlank;
  }

  /** An error is none, whatever else it says. */
  private isChunk(last: Uint8Array): boolean {
    if (!this.hasData || this.heldBytes + last.length > MOST_HELD_BYTES) return false;
    const [data] = eventsIn(joinBytes([...this.held, last]), "events");
    const value = data === undefined ? null : parseObject(data);
    if (value === null || !isObject(value["usage"]) || isObject(value["error"])) return false;
    const { choices } = value;
    return Array.isArray(choices) && choices.length === 0;
  }

  private release(out: Uint8Array[]): void {
    if (this.held.length === 0) return;
    out.push(...this.held);
    this.held = [];
    this.heldBytes = 0;
  }

  /** The end of a piece. */
  private hold(bytes: Uint8Array, from: number, openFrom: number, out: Uint8Array[]): Uint8Array {
    const isOpen = this.event === "open";
    const isLong = isOpen && this.heldBytes + bytes.length - openFrom > MOST_HELD_BYTES;
    if (isLong) {
      this.event = "other";
      this.release(out);
    }
    const to = isOpen && !isLong ? openFrom : bytes.length;
    if (to < bytes.length) {
      this.held.push(bytes.slice(to));
      this.heldBytes += bytes.length - to;
    }
    if (out.length === 0) return bytes.subarray(from, to);
    return joinBytes([...out, bytes.subarray(from, to)]);
  }
}

function findLineEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== NEWLINE && bytes[at] !== RETURN) at += 1;
  return at;
}
