// A large body that was read whole goes up piece by piece, the caller's own bytes from where they lie: no copy with the
// prompt in it is made, nor the one that the runtime makes of a body in memory, and what is no longer needed is given
// back at once. Waiting for the collector, four bodies of 25 MB at a time took another 200 MB each round.

import { splice, type Patch } from "../wire/splice.ts";

export type Pieces = { body: Uint8Array; patches: readonly Patch[] };

/** Below, one copy is cheaper than the pieces. */
export const PIECES_FROM_BYTES = 2 * 1024 * 1024;
const PIECE_BYTES = 512 * 1024;
/** Smaller bodies are the collector's: freeing them one by one costs more. */
const RELEASED_FROM_BYTES = PIECES_FROM_BYTES;

export function isPieces(body: unknown): body is Pieces {
  return typeof body === "object" && body !== null && "patches" in body;
}

export function joinPieces({ body, patches }: Pieces): Uint8Array {
  return splice(body, patches);
}

/** Bodies that are on their way up. */
const underWay = new WeakMap<Uint8Array, Promise<void>>();

/** Can be called again: the pieces stay as they are. */
export function openPieces(pieces: Pieces): ReadableStream {
  let size = pieces.body.length;
  for (const { from, to, bytes } of pieces.patches) size += bytes.length - (to - from);
  const { readable, writable } = new FixedLengthStream(size);
  // Where the provider or the client leaves, the call says so.
  const writing = write(pieces, writable.getWriter()).catch(() => {});
  underWay.set(pieces.body, writing);
  return readable;
}

async function write(
  { body, patches }: Pieces,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  let read = 0;
  for (const { from, to, bytes } of patches) {
    await writeRange(writer, body, read, from);
    if (bytes.length > 0) await writer.write(bytes);
    read = to;
  }
  await writeRange(writer, body, read, body.length);
  await writer.close();
}

async function writeRange(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  body: Uint8Array,
  from: number,
  to: number,
): Promise<void> {
  for (let at = from; at < to; at += PIECE_BYTES) {
    await writer.write(body.subarray(at, Math.min(to, at + PIECE_BYTES)));
  }
}

/** Gives back the memory of a body that nobody will read again, once it is up: a provider may answer before it has read
 * all, and goes on reading. */
export function release(body: Uint8Array): void {
  if (body.length < RELEASED_FROM_BYTES) return;
  void (underWay.get(body) ?? Promise.resolve()).then(() => {
    (body.buffer as ArrayBuffer & { transfer(length: number): ArrayBuffer }).transfer(0);
  });
}
