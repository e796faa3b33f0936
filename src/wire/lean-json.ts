// A large JSON text without what makes it large: strings longer than 1 KB become empty ones, and what nests deeper than
// seven levels becomes null. What an answer says about itself is short and stands above that (Gemini's parts are the
// deepest); texts, pictures and lists of log probabilities are not. The bytes come in pieces cut anywhere, so that no large
// body is ever held: 256 KB is the bound.
//
// 1 MB of prose costs 0.3 ms (bench/answers.ts), against 2 to 3 ms for JSON.parse.

import type { Json } from "../core/types.ts";
import { decodeUtf8 } from "../core/text.ts";

const LONGEST_STRING_BYTES = 1024;
const DEEPEST = 7;
export const MOST_LEAN_BYTES = 256 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NULL = [0x6e, 0x75, 0x6c, 0x6c];

export class LeanJson {
  /** One JSON text is there from its first bracket to its last. What follows is not looked at. */
  isWhole = false;
  /** Too much is left over to be read. */
  isOver = false;
  private out = new Uint8Array(1024);
  private used = 0;
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  /** Where the string that is being read begins in `out`; −1: it is left out. */
  private stringFrom = -1;

  /** Answers how many bytes of these belong to the text. */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isWhole) {
      at = this.inString ? this.string(bytes, at) : this.structure(bytes, at);
    }
    return at;
  }

  /** null: none, not whole, or too large. */
  value(): Json {
    if (!this.isWhole || this.isOver) return null;
    const text = decodeUtf8(this.out.subarray(0, this.used));
    try {
      return text === null ? null : (JSON.parse(text) as Json);
    } catch {
      return null;
    }
  }

  private structure(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.inString = true;
        this.stringFrom = this.depth > DEEPEST ? -1 : this.used;
        this.keep(byte);
        return at + 1;
      }
      if (byte === 0x7b || byte === 0x5b) {
        this.depth += 1;
        if (this.depth === DEEPEST + 1) for (const letter of NULL) this.put(letter);
        this.keep(byte);
      } else if (byte === 0x7d || byte === 0x5d) {
        this.keep(byte);
        this.depth -= 1;
        if (this.depth <= 0) {
          this.isWhole = true;
          return at + 1;
        }
      } else if (byte > 0x20) {
        this.keep(byte);
      }
    }
    return bytes.length;
  }

  /** From inside a string to behind its end. */
  private string(bytes: Uint8Array, start: number): number {
    if (this.isEscaped) {
      this.isEscaped = false;
      this.copy(bytes, start, start + 1);
      return start + 1;
    }
    const quote = bytes.indexOf(QUOTE, start);
    const end = quote < 0 ? bytes.length : quote;
    let slashes = 0;
    while (end - slashes > start && bytes[end - slashes - 1] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 1) {
      // The quote belongs to the text, or the other half of an escape is still to come.
      this.copy(bytes, start, end);
      this.isEscaped = true;
      return end;
    }
    this.copy(bytes, start, end);
    if (quote < 0) return end;
    this.inString = false;
    this.keep(QUOTE);
    return quote + 1;
  }

  /** A part of a string: what grows too long is taken back to its opening quote. */
  private copy(bytes: Uint8Array, from: number, to: number): void {
    if (this.stringFrom < 0) return;
    if (this.used - this.stringFrom + to - from > LONGEST_STRING_BYTES) {
      this.used = this.stringFrom + 1;
      this.stringFrom = -1;
      return;
    }
    this.reserve(to - from);
    if (this.isOver) return;
    this.out.set(bytes.subarray(from, to), this.used);
    this.used += to - from;
  }

  private keep(byte: number): void {
    if (this.depth <= DEEPEST) this.put(byte);
  }

  private put(byte: number): void {
    if (this.used === this.out.length) this.reserve(1);
    if (!this.isOver) this.out[this.used++] = byte;
  }

  private reserve(size: number): void {
    if (this.isOver || this.used + size <= this.out.length) return;
    if (this.used + size > MOST_LEAN_BYTES) {
      this.isOver = true;
      this.out = new Uint8Array(0);
      this.used = 0;
      return;
    }
    const larger = new Uint8Array(Math.min(MOST_LEAN_BYTES, Math.max(this.out.length * 2, this.used + size)));
    larger.set(this.out.subarray(0, this.used));
    this.out = larger;
  }
}
