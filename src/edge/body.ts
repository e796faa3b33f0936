// Reads a request body that a prompt is to be injected into, within a limit.

import { problem, type Problem } from "../core/problem.ts";

const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;

export async function readBody(
  request: Request,
  configuredMax: string | undefined,
): Promise<Uint8Array | Problem> {
  const maxBytes = Number(configuredMax) || DEFAULT_MAX_BYTES;
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") {
    return problem(
      "invalid_request",
      `A prompt cannot be put into a ${encoding} body. Send it uncompressed.`,
      {
        field: "Content-Encoding",
      },
    );
  }
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (Number(declared) > maxBytes) return tooLarge(maxBytes);
    return new Uint8Array(await request.arrayBuffer());
  }
  return request.body === null ? new Uint8Array(0) : readChunks(request.body, maxBytes);
}

/** A chunked upload tells its size only at its end; it is dropped as soon as it is over the limit. */
async function readChunks(stream: ReadableStream, maxBytes: number): Promise<Uint8Array | Problem> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as ReadableStream<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) return tooLarge(maxBytes);
    chunks.push(chunk);
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
