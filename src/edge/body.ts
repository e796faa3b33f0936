// Reads a request body that a prompt is to be injected into, within a limit.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { joinBytes } from "../wire/json-write.ts";
import type { HeaderValues } from "./headers.ts";
import { within } from "./time.ts";

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const DISCARD_BYTES = 128 * 1024 * 1024;
const DISCARD_MS = 5_000;
/** The runtime reads 4 KB at a time unless it is asked for more, which costs five times the CPU. */
const CHUNK_BYTES = 256 * 1024;
/** Read and written at once of a large body: what a chunk costs besides its bytes is not felt, and memory stays flat. */
export const LARGE_CHUNK_BYTES = 512 * 1024;

export function mostBytes(configured: string | undefined): number {
  return Number(configured) || DEFAULT_MAX_BYTES;
}

export function isEncoded(headers: HeaderValues): boolean {
  const encoding = headers.get("content-encoding");
  return encoding !== undefined && encoding !== "identity";
}

export async function readBody(
  request: Request,
  headers: HeaderValues,
  configuredMax: string | undefined,
): Promise<Uint8Array | Problem> {
  const maxBytes = mostBytes(configuredMax);
  if (isEncoded(headers)) {
    return problem(
      "invalid_request",
      `A prompt cannot be put into a ${headers.get("content-encoding")} body. Send it uncompressed.`,
      {
        field: "Content-Encoding",
      },
    );
  }
  const declared = headers.get("content-length");
  if (declared !== undefined) {
    if (Number(declared) > maxBytes) {
      await discardBody(request.body);
      return tooLarge(maxBytes);
    }
    if (Number(declared) >= CHUNK_BYTES && request.body !== null) {
      const reader = (request.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
      return readOn(reader, new Uint8Array(0), Number(declared)).catch(brokenOff);
    }
    const buffer = await request.arrayBuffer().catch(brokenOff);
    return isProblem(buffer) ? buffer : new Uint8Array(buffer);
  }
  return request.body === null ? new Uint8Array(0) : readChunks(request.body, maxBytes).catch(brokenOff);
}

/** A body that is needed whole, whoever holds it. */
export async function collectBody(
  body: Uint8Array | ReadableStream | null,
  configuredMax: string | undefined,
): Promise<Uint8Array | null | Problem> {
  if (body === null || body instanceof Uint8Array) return body;
  return readChunks(body, mostBytes(configuredMax)).catch(brokenOff);
}

/** Reads to the end what was refused before it was read, within bounds: a client that is still writing would get a
 * reset connection instead of the answer, and try again. Awaited before the answer; in `waitUntil` it comes too late. */
export async function discardBody(stream: ReadableStream | null): Promise<void> {
  if (stream === null) return;
  const reader = (stream as ReadableStream<Uint8Array>).getReader();
  const deadlineMs = Date.now() + DISCARD_MS;
  let size = 0;
  while (size < DISCARD_BYTES && Date.now() < deadlineMs) {
    const read = await within(DISCARD_MS, reader.read()).catch(() => undefined);
    if (read === undefined || read.done) return;
    size += read.value.byteLength;
  }
}

/** Memory for chunks of large bodies: the system takes as long to make 512 KB of it as to send 60. */
const spare: ArrayBuffer[] = [];
const MOST_SPARE = 4;

export function takeBuffer(): ArrayBuffer {
  return spare.pop() ?? new ArrayBuffer(LARGE_CHUNK_BYTES);
}

export function giveBuffer(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === LARGE_CHUNK_BYTES && spare.length < MOST_SPARE)
    spare.push(buffer);
}

/** A body of `size` bytes whose beginning has been read. */
export async function readOn(
  reader: ReadableStreamBYOBReader,
  head: Uint8Array,
  size: number,
): Promise<Uint8Array> {
  let body = new Uint8Array(size);
  body.set(head);
  let at = head.length;
  while (at < size) {
    // The runtime reads into memory of its own first: as much as is asked for at once.
    const most = Math.min(LARGE_CHUNK_BYTES, size - at);
    const { value, done } = await reader.readAtLeast(most, body.subarray(at, at + most));
    if (value === undefined) break;
    body = new Uint8Array(value.buffer as ArrayBuffer);
    at += value.length;
    if (done) break;
  }
  return body.subarray(0, at);
}

/** As `discardBody`, of what has been read in part. */
export async function drain(reader: ReadableStreamBYOBReader): Promise<void> {
  const deadlineMs = Date.now() + DISCARD_MS;
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  for (let size = 0; size < DISCARD_BYTES && Date.now() < deadlineMs;) {
    const reading = reader.read(new Uint8Array(buffer));
    const read = await within(DISCARD_MS, reading).catch(() => undefined);
    if (read === undefined || read.done) return;
    size += read.value.length;
    buffer = read.value.buffer as ArrayBuffer;
  }
}

/** A chunked upload tells its size only at its end; nothing of it is kept once it is over the limit. */
async function readChunks(stream: ReadableStream, maxBytes: number): Promise<Uint8Array | Problem> {
  const reader = (stream as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { value, done } = await reader.readAtLeast(CHUNK_BYTES, new Uint8Array(CHUNK_BYTES));
    if (done || value === undefined) return joinBytes(chunks);
    size += value.length;
    if (size > maxBytes) {
      await drain(reader);
      return tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

/** Clients leave while they send, which is no bug of ours; one that only stopped sending reads this. */
export function brokenOff(): Problem {
  return problem("invalid_request", "The body broke off before it was complete. Send it again.");
}

function tooLarge(maxBytes: number): Problem {
  return problem(
    "body_too_large",
    `The body is larger than ${maxBytes} bytes, the limit for requests with a prompt.`,
  );
}
