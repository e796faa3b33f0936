// Base64 between bytes: how Bedrock puts one JSON text inside another. The pure rooms have no atob.

import { encodeUtf8 } from "../core/text.ts";

const ALPHABET = encodeUtf8("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PADDING = 0x3d;
const NO_DIGIT = 0xff;
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (const [digit, character] of ALPHABET.entries()) DIGITS[character] = digit;

/** null: it is none. */
export function decodeBase64(text: Uint8Array): Uint8Array | null {
  let end = text.length;
  while (end > 0 && text.length - end < 2 && text[end - 1] === PADDING) end -= 1;
  if (end % 4 === 1 || (end < text.length && text.length % 4 !== 0)) return null;
  const out = new Uint8Array(Math.floor((end * 3) / 4));
  let bits = 0;
  let written = 0;
  for (let at = 0; at < end; at += 1) {
    const digit = DIGITS[text[at]!]!;
    if (digit === NO_DIGIT) return null;
    bits = (bits << 6) | digit;
    if (at % 4 === 0) continue;
    out[written] = bits >> (6 - 2 * (at % 4));
    written += 1;
  }
  return out;
}

export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(PADDING);
  let written = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(4, bytes.length - at + 1);
    for (let index = 0; index < digits; index += 1) {
      out[written + index] = ALPHABET[(group >> (18 - 6 * index)) & 0x3f]!;
    }
    written += 4;
  }
  return out;
}
