// The strings of a JSON text in chunks cut anywhere, which are most of its bytes. Read four bytes at a time as in
// json-lexer.ts; the rest of a long one is skipped by `Skips`, native functions that only the edge has.
//
// In workerd, 1 MB of an image: four bytes at a time 170 µs, Uint8Array.indexOf 260 µs, node:buffer's search for a text
// 10 µs, its isUtf8 10 µs. So within what is skipped UTF-8 and the string's end are judged; control characters and the
// letters of escapes are left to the provider, whose parser refuses them.

import { Utf8Flow } from "./utf8-flow.ts";

export type Skips = {
  /** Where the next quote stands, or −1. */
  findQuote(bytes: Uint8Array, from: number): number;
  isUtf8(bytes: Uint8Array): boolean;
};

/** `repeated`: the member that was watched for came. */
export type FlowFault = "malformed" | "too_deep" | "not_utf8" | "repeated";

/** So much of a string is read before the rest of it is skipped: a native call costs as much as reading 1 KB. */
const LONG_BYTES = 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const HIGH_BITS = 0x80808080 | 0;

/** States of a string, above all others (json-flow.ts). */
export const IN_STRING = 8;
export const IN_ESCAPE = 9;
export const IN_HEX = 10;

export class StringFlow {
  fault: FlowFault | null = null;
  protected state = 0;
  protected hasHigh = false;
  protected readonly text = new Utf8Flow();
  /** The bytes of the string at hand are wanted. */
  protected isKept = false;
  protected kept: Uint8Array[] = [];
  protected readonly skips: Skips | null;
  private hexLeft = 0;
  /** The string at hand is being skipped. */
  private isLong = false;

  constructor(skips: Skips | null) {
    this.skips = skips;
  }

  protected fail(fault: FlowFault): -1 {
    this.fault ??= fault;
    return -1;
  }

  protected beginString(isKept: boolean): void {
    this.state = IN_STRING;
    this.isLong = false;
    this.isKept = isKept;
    this.kept = [];
  }

  /** Answers where the closing quote stands, or the chunk's end, or where an escape needs a closer look (`state`). */
  protected string(chunk: Uint8Array, view: DataView, start: number): number {
    const at = this.scan(chunk, view, start);
    if (this.isKept && at > start) this.kept.push(chunk.slice(start, at));
    return at;
  }

  private scan(chunk: Uint8Array, view: DataView, start: number): number {
    const { length } = chunk;
    let at = start;
    while (at < length) {
      const limit = this.skips === null ? length : at + LONG_BYTES;
      if (!this.isLong) at = this.plain(view, at, Math.min(limit, length - 4));
      if (this.isLong || at > limit) {
        const end = this.skip(chunk, at);
        if (!this.isEscaped(chunk, at, end)) return end;
        if (this.isLong) return this.beginEscape(end - 1);
        at = end + 1;
        continue;
      }
      if (at >= length || chunk[at] === QUOTE) return at;
      const byte = chunk[at]!;
      if (byte === BACKSLASH) {
        if (!isEscape(chunk[at + 1])) return this.beginEscape(at);
        at += 2;
      } else {
        if (byte < 0x20) return this.fail("malformed");
        if (byte >= 0x80) this.hasHigh = true;
        at += 1;
      }
    }
    return at;
  }

  /** As Lexer.plain: stops at the first byte that wants a look, or beyond `lastWord`. */
  private plain(view: DataView, start: number, lastWord: number): number {
    let lanes = 0;
    let at = start;
    while (at <= lastWord) {
      const word = view.getInt32(at, true);
      const found =
        (((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & ~word & HIGH_BITS;
      if (found !== 0) {
        const count = (31 - Math.clz32(found & -found)) >> 3;
        if (((lanes | (word & ~(-1 << (count << 3)))) & HIGH_BITS) !== 0) this.hasHigh = true;
        return at + count;
      }
      lanes |= word;
      at += 4;
    }
    if ((lanes & HIGH_BITS) !== 0) this.hasHigh = true;
    return at;
  }

  private beginEscape(at: number): number {
    this.state = IN_ESCAPE;
    return at + 1;
  }

  /** To the next quote, or the chunk's end. */
  private skip(chunk: Uint8Array, start: number): number {
    const quote = this.skips!.findQuote(chunk, start);
    this.hasHigh = true;
    this.isLong = quote < 0;
    return this.isLong ? chunk.length : quote;
  }

  /** By an odd number of backslashes right before. */
  private isEscaped(chunk: Uint8Array, from: number, at: number): boolean {
    let backslashes = 0;
    while (at - backslashes > from && chunk[at - backslashes - 1] === BACKSLASH) backslashes += 1;
    return backslashes % 2 === 1;
  }

  /** Within an escape; false: it is none. */
  protected escape(byte: number): boolean {
    if (this.isKept) this.kept.push(Uint8Array.of(byte));
    if (this.state === IN_HEX) {
      this.hexLeft -= 1;
      if (this.hexLeft === 0) this.state = IN_STRING;
      return isHexDigit(byte);
    }
    this.state = byte === LETTER_U ? IN_HEX : IN_STRING;
    this.hexLeft = 4;
    return byte === LETTER_U || isEscape(byte);
  }
}

/** The one letter behind a backslash. */
function isEscape(byte: number | undefined): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // solidus
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true;
    default:
      return false;
  }
}

function isHexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
