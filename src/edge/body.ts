// Reads a request body that a prompt is to be injected into, within a limit.

import { problem, type Problem } from "../core/problem.ts";
import type { HeaderValues } from "./headers.ts";
import { within } from "./time.ts";

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
const DISCARD_BYTES = 128 * 1024 * 1024;
const DISCARD_MS = 5_000;

export async function readBody(
  request: Request,
  headers: HeaderValues,
  configuredMax: string | undefined,
): Promise<Uint8Array | Problem> {
  const maxBytes = Number(configuredMax) || DEFAULT_MAX_BYTES;
  const encoding = headers.get("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    return problem(
      "invalid_request",
      `A prompt cannot be put into a ${encoding} body. Send it uncompressed.`,
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
    return new Uint8Array(await request.arrayBuffer());
  }
  return request.body === null ? new Uint8Array(0) : readChunks(request.body, maxBytes);
}

/** A body that is needed whole, whoever holds it. */
export async function collectBody(
  body: Uint8Array | ReadableStream | null,
  configuredMax: string | undefined,
): Promise<Uint8Array | null | Problem> {
  if (body === null || body instanceof Uint8Array) return body;
  return readChunks(body, Number(configuredMax) || DEFAULT_MAX_BYTES);
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

/** A chunked upload tells its size only at its end; nothing of it is kept once it is over the limit. */
async function readChunks(stream: ReadableStream, maxBytes: number): Promise<Uint8Array | Problem> {
  const reader = (stream as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > maxBytes) {
      reader.releaseLock();
      await discardBody(stream);
      return tooLarge(maxBytes);
    }
    chunks.push(read.value);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

function tooLarge(maxBytes: number): Problem {
  return problem(
    "body_too_large",
    `The body is larger than ${maxBytes} bytes, the limit for requests with a prompt.`,
  );
}
