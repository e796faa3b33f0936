// How a body that still comes in goes up. Checked: every byte is looked at on its way, and what stands behind the messages
// is held back until all of it is known. Native: behind the beginning the runtime's own pipe takes over, which costs next
// to nothing and sees nothing; one line break is held back instead, so that the provider gets no whole body before the
// release has been looked at once more.

import { isProblem, type Problem } from "../core/problem.ts";
import { joinBytes } from "../wire/json-write.ts";
import type { PartialBody } from "../wire/partial-body.ts";
import { discardBody, drain, giveBuffer, LARGE_CHUNK_BYTES } from "./body.ts";

/** What became of the body: it is up, the client left, the provider reads no more of it, or it was broken off, and why. */
export type Outcome = "sent" | "gone" | "unread" | Problem;

export type Way = {
  /** Where the provider reads. */
  readable: ReadableStream;
  /** Rejects where the provider reads no more. */
  pass(): Promise<Outcome>;
  breakOff(): void;
  /** Lets the client finish writing. */
  drain(): Promise<void>;
};

export type Source = {
  stream: ReadableStream<Uint8Array>;
  reader: ReadableStreamBYOBReader;
  /** What has been read of it. */
  head: Uint8Array;
  /** Of the whole body. */
  size: number;
  partial: PartialBody;
  /** The beginning with the version in it. */
  begun: Uint8Array;
  signal: AbortSignal;
};

const BROKEN = new Error("The body was broken off.");
const LINE_BREAK = Uint8Array.of(0x0a);

/** `finish`: what goes up for the tail, or why nothing does. */
export function checkedWay(
  { reader, head, partial, begun }: Source,
  finish: (tail: Uint8Array) => Promise<Uint8Array | Problem>,
): Way {
  const { readable, writable } = new IdentityTransformStream();
  const writer: WritableStreamDefaultWriter<Uint8Array> = writable.getWriter();
  const pass = async (): Promise<Outcome> => {
    const tail: Uint8Array[] = [];
    await writer.write(begun);
    for (let chunk: Uint8Array | null = partial.rest(head); chunk !== null;) {
      const end = tail.length > 0 ? 0 : partial.pass(chunk);
      if (isProblem(end)) return end;
      if (end > 0) await writer.write(chunk.subarray(0, end));
      if (end < chunk.length) tail.push(chunk.slice(end));
      const next = await readChunk(reader, chunk.buffer as ArrayBuffer);
      if (next === "gone") return next;
      chunk = next;
    }
    const end = await finish(joinBytes(tail));
    if (isProblem(end)) return end;
    await writer.write(end);
    await writer.close();
    return "sent";
  };
  const breakOff = () => void writer.abort(BROKEN).catch(() => {});
  return { readable, pass, breakOff, drain: () => drain(reader) };
}

/** `confirm`: may the body become whole? */
export function nativeWay(source: Source, confirm: () => Promise<Problem | null>): Way {
  const { stream, reader, head, size, partial, begun, signal } = source;
  const rest = partial.rest(head);
  const added = begun.length + rest.length - head.length + LINE_BREAK.length;
  const { readable, writable } = new FixedLengthStream(size + added);
  const stop = new AbortController();
  const pass = async (): Promise<Outcome> => {
    const first = writable.getWriter();
    await first.write(begun);
    await first.write(rest);
    first.releaseLock();
    reader.releaseLock();
    giveBuffer(head.buffer);
    const options = { preventClose: true, preventAbort: true, preventCancel: true, signal: stop.signal };
    try {
      await stream.pipeTo(writable, options);
    } catch {
      return signal.aborted ? "gone" : "unread";
    }
    const refused = await confirm();
    if (refused !== null) return refused;
    const last = writable.getWriter();
    await last.write(LINE_BREAK);
    await last.close();
    return "sent";
  };
  const breakOff = () => {
    stop.abort(BROKEN);
    if (!writable.locked) writable.abort(BROKEN).catch(() => {});
  };
  return { readable, pass, breakOff, drain: () => discardBody(stream).catch(() => {}) };
}

/** Into the memory of the chunk before, which has gone up. null: that was all. */
async function readChunk(
  reader: ReadableStreamBYOBReader,
  buffer: ArrayBuffer,
): Promise<Uint8Array | null | "gone"> {
  try {
    const { value, done } = await reader.readAtLeast(LARGE_CHUNK_BYTES, new Uint8Array(buffer));
    if (!done) return value;
    // With the end comes the memory that nothing was read into.
    const unused = value as Uint8Array | undefined;
    if (unused !== undefined) giveBuffer(unused.buffer);
    return null;
  } catch {
    return "gone";
  }
}
