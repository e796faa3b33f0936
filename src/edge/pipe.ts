// Ways for bytes from one stream into another, that leave the other open where the first one breaks, so that something can
// be said before the connection is broken. The runtime's own pipe, or a loop of ours where silence has a limit: that
// one costs JavaScript between the chunks (about 35 µs each), one timer a stream and a count, no timer a chunk.

import { problem, type Problem } from "../core/problem.ts";
import { lookThrough, type Look } from "./head.ts";
import type { Sight } from "./sight.ts";

const LINE_END = Uint8Array.of(0x0a);

/** Why a stream did not end as it should. */
export type Broken = { problem: Problem; error: unknown };

/** The first bytes: those that were read already, and as many more as `look` wants to see. null: the rest is still to come. */
export async function pipeHead(
  body: ReadableStream,
  writable: WritableStream,
  chunks: Uint8Array[],
  { look, sight }: { look: Look | null; sight: Pick<Sight, "push"> | null },
): Promise<Broken | "ended" | null> {
  const writer = writable.getWriter();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const sees = look === null ? null : lookThrough(look);
  let isEnough = look === null;
  try {
    for (const chunk of chunks) {
      isEnough = sees?.(chunk) ?? true;
      // A copy: what is written may be taken away.
      sight?.push(chunk.slice());
      await writer.write(chunk);
    }
    while (!isEnough) {
      const { done, value } = await reader.read();
      if (done) {
        await writer.close();
        return "ended";
      }
      isEnough = sees?.(value) ?? true;
      sight?.push(value.slice());
      await writer.write(value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    return brokenBy(error);
  } finally {
    writer.releaseLock();
  }
  reader.releaseLock();
  return null;
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

/** `pipeTo` that keeps the writable open where the body breaks off or falls silent. A client that is slow to read is no
 * silence of the provider's. */
export async function pipeUnlessIdle(
  body: ReadableStream,
  writable: WritableStream,
  idleMs: number,
  sight: Pick<Sight, "push"> | null = null,
): Promise<Broken | null> {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const writer = writable.getWriter();
  let quietLooks = 0;
  let isReading = false;
  let isIdle = false;
  const timer = setInterval(() => {
    quietLooks = isReading ? quietLooks + 1 : 0;
    if (quietLooks <= LOOKS) return;
    isIdle = true;
    reader.cancel().catch(() => {});
  }, idleMs / LOOKS);
  try {
    for (;;) {
      isReading = true;
      const { done, value } = await reader.read();
      isReading = false;
      quietLooks = 0;
      if (isIdle) return silent(idleMs);
      if (done) {
        await writer.close();
        return null;
      }
      sight?.push(value.slice());
      await writer.write(value);
    }
  } catch (error) {
    if (isIdle) return silent(idleMs);
    reader.cancel(error).catch(() => {});
    return brokenBy(error);
  } finally {
    clearInterval(timer);
    writer.releaseLock();
  }
}

function silent(idleMs: number): Broken {
  const message = `The provider sent nothing for ${idleMs / 1000} s.`;
  return { problem: problem("upstream_timeout", message), error: new Error(message) };
}
