// Ways for bytes from one stream into another, that leave the other open where the first one breaks, so that something can
// be said before the connection is broken. The runtime's own pipe, or a loop of ours for the beginning of an answer, and where
// silence has a limit or something is taken out: that one costs JavaScript between the chunks (about 35 µs each), and for the
// limit one timer a stream and a count, no timer a chunk.

import { problem, type Problem } from "../core/problem.ts";
import { lookThrough, type Look } from "./head.ts";
import type { Sight } from "./sight.ts";

const LINE_END = Uint8Array.of(0x0a);

/** What sees the bytes as they come, and what may take some of them out after that. */
type Hands = { sight: Pick<Sight, "push"> | null; filter: Filter | null };
export type Filter = { push(bytes: Uint8Array): Uint8Array; finish(): Uint8Array };
type Writer = WritableStreamDefaultWriter<Uint8Array>;

/** Why a stream did not end as it should. */
export type Broken = { problem: Problem; error: unknown };

/** The first bytes: those that were read already, and as many more as `look` wants to see, `atLeastBytes` in all. null: the
 * rest is still to come. */
export async function pipeHead(
  body: ReadableStream,
  writable: WritableStream,
  chunks: Uint8Array[],
  signal: AbortSignal,
  { look, atLeastBytes, ...hands }: Hands & { look: Look | null; atLeastBytes: number },
): Promise<Broken | "ended" | null> {
  const writer = writable.getWriter();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const release = cancelOnLeave(reader, signal);
  const sees = look === null ? null : lookThrough(look);
  let size = 0;
  /** True: that was enough. */
  const pass = async (bytes: Uint8Array): Promise<boolean> => {
    const hasSeen = sees?.(bytes) ?? true;
    size += bytes.length;
    await passOn(writer, bytes, hands);
    return hasSeen && size >= atLeastBytes;
  };
  let isEnough = look === null && atLeastBytes === 0;
  try {
    // Nobody reads what is written for a client that has left.
    if (signal.aborted) return brokenBy(signal.reason);
    for (const chunk of chunks) isEnough = await pass(chunk);
    while (!isEnough) {
      const { done, value } = await reader.read();
      if (signal.aborted) return brokenBy(signal.reason);
      if (done) {
        await close(writer, hands);
        return "ended";
      }
      isEnough = await pass(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    return brokenBy(error);
  } finally {
    release();
    writer.releaseLock();
  }
  reader.releaseLock();
  return null;
}

/** Ends what `reader` waits for when the client leaves: a read in JavaScript does not hear of it by itself. To be released
 * with the reader. */
export function cancelOnLeave(
  reader: Pick<ReadableStreamDefaultReader, "cancel">,
  signal: AbortSignal,
): () => void {
  const leave = () => void reader.cancel().catch(() => {});
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave);
  return () => signal.removeEventListener("abort", leave);
}

/** Seen first, then filtered. */
async function passOn(writer: Writer, bytes: Uint8Array, { sight, filter }: Hands): Promise<void> {
  // A copy: what is written may be taken away.
  sight?.push(bytes.slice());
  const kept = filter === null ? bytes : filter.push(bytes);
  if (kept.length > 0) await writer.write(kept);
}

async function close(writer: Writer, { filter }: Hands): Promise<void> {
  const rest = filter?.finish();
  if (rest !== undefined && rest.length > 0) await writer.write(rest);
  await writer.close();
}

export async function pipe(
  body: ReadableStream,
  writable: WritableStream,
  signal: AbortSignal,
  options: { preventCancel?: boolean } = {},
): Promise<Broken | null> {
  try {
    await body.pipeTo(writable, { ...options, preventAbort: true, signal });
    return null;
  } catch (error) {
    return brokenBy(error);
  }
}

export function brokenBy(error: unknown): Broken {
  return { problem: problem("upstream_unreachable", "The provider broke off its answer."), error };
}

/** Says so, then breaks the connection. False: nobody is there to hear it. A write is over once it was read, not once it
 * was sent, and what was not sent yet is lost with the connection: so one more byte is written, which is read only when
 * the words before it are out. */
export async function breakOff(
  writable: WritableStream,
  words: Uint8Array | null,
  error: unknown,
): Promise<boolean> {
  const writer = writable.getWriter();
  try {
    if (words !== null) {
      await writer.write(words);
      await writer.write(LINE_END);
    }
    return true;
  } catch {
    return false;
  } finally {
    writer.abort(error).catch(() => {});
  }
}

/** Looks a limit: a silence is ended within a quarter of the limit after it. */
const LOOKS = 4;

/** `pipeTo` that keeps the writable open where the body breaks off or falls silent. `idleMs`: null: it may be silent for
 * ever. A client that is slow to read is no silence of the provider's. */
export async function pipeByHand(
  body: ReadableStream,
  writable: WritableStream,
  signal: AbortSignal,
  { idleMs, ...hands }: Hands & { idleMs: number | null },
): Promise<Broken | null> {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const writer = writable.getWriter();
  let quietLooks = 0;
  let isReading = false;
  let silence: Broken | null = null;
  const lookAtClock = (limitMs: number): void => {
    quietLooks = isReading ? quietLooks + 1 : 0;
    if (quietLooks <= LOOKS) return;
    silence = silent(limitMs);
    reader.cancel().catch(() => {});
  };
  const release = cancelOnLeave(reader, signal);
  const timer = idleMs === null ? null : setInterval(lookAtClock, idleMs / LOOKS, idleMs);
  try {
    for (;;) {
      isReading = true;
      const { done, value } = await reader.read();
      isReading = false;
      quietLooks = 0;
      if (silence !== null) return silence;
      if (signal.aborted) return brokenBy(signal.reason);
      if (done) {
        await close(writer, hands);
        return null;
      }
      await passOn(writer, value, hands);
    }
  } catch (error) {
    if (silence !== null) return silence;
    reader.cancel(error).catch(() => {});
    return brokenBy(error);
  } finally {
    if (timer !== null) clearInterval(timer);
    release();
    writer.releaseLock();
  }
}

function silent(idleMs: number): Broken {
  const message = `The provider sent nothing for ${idleMs / 1000} s.`;
  return { problem: problem("upstream_timeout", message), error: new Error(message) };
}
