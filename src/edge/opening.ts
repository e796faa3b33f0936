// The first event of a stream, looked at before the client gets a byte where arms are compared: providers say that they
// are overloaded, or that they cannot read a request, in the first event of a 200. Held back is only what a client could
// make nothing of, the beginning of one event; any sign of life, a comment too, lets everything through.

import type { AnswerRules, Framing } from "../wire/answer.ts";
import { findFirstEvent, findFirstFrame, type FirstEvent } from "../wire/first-event.ts";
import { joinBytes } from "../wire/json-write.ts";
import { cancelOnLeave } from "./pipe.ts";
import { within } from "./time.ts";

/** No error is longer; OpenAI's first event repeats the request's instructions and may be. */
const MOST_OPENING_BYTES = 16 * 1024;

export type Opening = {
  /** What was read to know; the client gets it first. */
  chunks: Uint8Array[];
  failed: boolean;
};

/** `broken`: the stream broke off, or its reader left. `silent`: nothing to judge by within `timeoutMs`. Either way nothing
 * of the body is left to be read. */
export async function readOpening(
  body: ReadableStream,
  rules: AnswerRules,
  framing: Framing,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number | null },
): Promise<Opening | "broken" | "silent"> {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const release = cancelOnLeave(reader, signal);
  const deadlineMs = timeoutMs === null ? null : Date.now() + timeoutMs;
  const chunks: Uint8Array[] = [];
  const find = framing === "binary" ? () => findFirstFrame(joinBytes(chunks)) : eventFinder();
  let size = 0;
  let failed = false;
  try {
    for (;;) {
      const reading = reader.read();
      const read = deadlineMs === null ? await reading : await within(deadlineMs - Date.now(), reading);
      if (read === undefined) {
        reader.cancel().catch(() => {});
        return "silent";
      }
      if (signal.aborted) return "broken";
      if (read.done) break;
      chunks.push(read.value);
      size += read.value.byteLength;
      const first = find(read.value);
      failed = first.state === "event" && first.value !== null && rules.isError(first.value);
      if (first.state !== "more" || size > MOST_OPENING_BYTES) break;
    }
  } catch {
    return "broken";
  } finally {
    release();
  }
  reader.releaseLock();
  return { chunks, failed };
}

function eventFinder(): (chunk: Uint8Array) => FirstEvent {
  const decoder = new TextDecoder();
  let text = "";
  return (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    return findFirstEvent(text);
  };
}
