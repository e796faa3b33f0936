// AWS's binary event stream (application/vnd.amazon.eventstream): reads the frames of an answer where something wants to
// know what they say, and writes the one frame that tells a reader of a broken stream so. The stream itself passes
// byte for byte. A frame: its length, its headers' length, a checksum of the two, headers, payload, a checksum of all.

import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import { joinBytes } from "./json-write.ts";

export type Frame = { headers: { [name: string]: string }; payload: Uint8Array };

/** `short`: more bytes are needed. `damaged`: this is no frame. */
export type FrameRead = { frame: Frame; to: number } | "short" | "damaged";

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LEAST_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;
/** AWS's own limit for a message is 24 MB. */
const MOST_BYTES = 24 * 1024 * 1024;
const STRING_TYPE = 7;
/** How long the values of the other types are: true, false, byte, short, integer, long, …, timestamp, UUID. */
const FIXED_BYTES: { readonly [type: number]: number } = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1;
  for (let at = from; at < to; at += 1) crc = CRC_TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function readNumber(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function numberBytes(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** The frame that begins at `from`. */
export function readFrame(bytes: Uint8Array, from: number): FrameRead {
  if (bytes.length - from < PRELUDE_BYTES) return "short";
  const size = readNumber(bytes, from);
  const headersFrom = from + PRELUDE_BYTES;
  const headersTo = headersFrom + readNumber(bytes, from + 4);
  const to = from + size;
  if (size < LEAST_BYTES || size > MOST_BYTES || headersTo > to - CHECKSUM_BYTES) return "damaged";
  if (checksum(bytes, from, from + 8) !== readNumber(bytes, from + 8)) return "damaged";
  if (bytes.length < to) return "short";
  const payloadTo = to - CHECKSUM_BYTES;
  if (checksum(bytes, from, payloadTo) !== readNumber(bytes, payloadTo)) return "damaged";
  const headers = readFrameHeaders(bytes, headersFrom, headersTo);
  if (headers === null) return "damaged";
  return { frame: { headers, payload: bytes.subarray(headersTo, payloadTo) }, to };
}

/** Those that are texts; null: they do not fit. */
function readFrameHeaders(bytes: Uint8Array, from: number, to: number): Frame["headers"] | null {
  const headers: Frame["headers"] = {};
  let at = from;
  while (at < to) {
    const nameFrom = at + 1;
    const typeAt = nameFrom + bytes[at]!;
    const type = bytes[typeAt]!;
    const fixed = FIXED_BYTES[type];
    const valueFrom = fixed === undefined ? typeAt + 3 : typeAt + 1;
    const valueTo = valueFrom + (fixed ?? (bytes[typeAt + 1]! << 8) | bytes[typeAt + 2]!);
    if (valueTo > to) return null;
    if (type === STRING_TYPE) {
      const name = decodeUtf8(bytes.subarray(nameFrom, typeAt));
      const value = decodeUtf8(bytes.subarray(valueFrom, valueTo));
      if (name === null || value === null) return null;
      headers[name] = value;
    }
    at = valueTo;
  }
  return headers;
}

export function writeFrame({ headers, payload }: Frame): Uint8Array {
  const parts = Object.entries(headers).flatMap(([name, value]) => {
    const nameBytes = encodeUtf8(name);
    const valueBytes = encodeUtf8(value);
    const { length } = valueBytes;
    return [
      Uint8Array.of(nameBytes.length),
      nameBytes,
      Uint8Array.of(STRING_TYPE, length >>> 8, length),
      valueBytes,
    ];
  });
  const head = joinBytes(parts);
  const size = LEAST_BYTES + head.length + payload.length;
  const lengths = joinBytes([numberBytes(size), numberBytes(head.length)]);
  const prelude = joinBytes([lengths, numberBytes(checksum(lengths, 0, lengths.length))]);
  const body = joinBytes([prelude, head, payload]);
  return joinBytes([body, numberBytes(checksum(body, 0, body.length))]);
}
