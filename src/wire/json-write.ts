// Our own text as JSON bytes. What a version says goes into the caller's body through here and nowhere else, so that
// no quote, line separator or lone surrogate of it can break out of its string.

import { encodeUtf8 } from "../core/text.ts";
import type { Json } from "../core/types.ts";

/** U+2028 and U+2029 are legal in JSON but end a line in older JavaScript and in log viewers. */
const LINE_SEPARATORS = /[\u2028\u2029]/g;

/** One JSON text. JSON.stringify writes lone surrogates as escapes, so the bytes are always UTF-8. */
export function jsonText(value: Json): string {
  const text = JSON.stringify(value);
  if (!text.includes("\u2028") && !text.includes("\u2029")) return text;
  return text.replace(LINE_SEPARATORS, (separator) => (separator === "\u2028" ? "\\u2028" : "\\u2029"));
}

export function jsonBytes(value: Json): Uint8Array {
  return encodeUtf8(jsonText(value));
}

/** The inside of a JSON string, without its quotes: to be joined to a string that stands in the body. */
export function stringInside(text: string): Uint8Array {
  return encodeUtf8(jsonText(text).slice(1, -1));
}

export function joinBytes(parts: Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const OPEN = Uint8Array.of(0x7b);
const CLOSE = Uint8Array.of(0x7d);
const OPEN_LIST = Uint8Array.of(0x5b);
const CLOSE_LIST = Uint8Array.of(0x5d);
const COMMA = Uint8Array.of(0x2c);

export function objectBytes(items: Uint8Array[]): Uint8Array {
  return joinBytes([OPEN, joinItems(items), CLOSE]);
}

export function listBytes(items: Uint8Array[]): Uint8Array {
  return joinBytes([OPEN_LIST, joinItems(items), CLOSE_LIST]);
}

/** With commas between them. */
export function joinItems(items: Uint8Array[]): Uint8Array {
  return joinBytes(items.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item])));
}
