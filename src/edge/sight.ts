// Sees an answer go by: when its first token came, and its bytes for the reader (wire/answer-reader.ts). The client's bytes
// run through the runtime's own pipe; what is looked at is the other branch of a tee, read at once until something has been
// said and then only now and then, in large pieces. Measured beside other ways: bench/streams.ts.

import { createAnswerReader, type AnswerReader, type AnswerReading } from "../wire/answer-reader.ts";
import type { AnswerRules, Framing } from "../wire/answer.ts";

export type Sight = {
  /** A piece of the answer; the bytes must not change afterwards. */
  push(bytes: Uint8Array): void;
  /** Something has been said, so that a look now and then is enough. */
  hasSpoken(): boolean;
  finish(): Seen;
};

export type Seen = { reading: AnswerReading | null; firstTokenMs: number | null; isSilent: boolean };

/** The first words of an answer, in any format; what comes before them (a role, a response that was created, the count of the
 * input) says only that the provider is there. */
const WORDS =
  /\.delta"|content_block_delta|contentBlockDelta|"(?:content|text|reasoning|reasoning_content|refusal|response)"\s*:\s*"[^"]|"(?:tool_calls|functionCall|function_call)"|"bytes"/;
/** Without words by then, its first byte counts. */
const MOST_SEARCHED_BYTES = 64 * 1024;

const LATIN = new TextDecoder("latin1");

/** `startedAtMs`: when the request was up. `streams`: time to the first token is of interest. */
export function createSight(
  rules: AnswerRules,
  framing: Framing | "whole",
  { collectsText, startedAtMs }: { collectsText: boolean; startedAtMs: number },
): Sight {
  const reader: AnswerReader = createAnswerReader(rules, framing, { collectsText });
  let firstByteMs: number | null = null;
  let firstTokenMs: number | null = null;
  let searchedBytes = 0;
  let before = "";
  const search = (bytes: Uint8Array): void => {
    const sinceMs = Math.max(0, Date.now() - startedAtMs);
    firstByteMs ??= sinceMs;
    const text = before + LATIN.decode(bytes.subarray(0, MOST_SEARCHED_BYTES));
    if (WORDS.test(text)) firstTokenMs = sinceMs;
    before = text.slice(-64);
    searchedBytes += bytes.length;
  };
  // The client's bytes may be on their way through the same hands: whatever goes wrong here, they go on.
  let isBlind = false;
  const hasSpoken = () => framing === "whole" || firstTokenMs !== null || searchedBytes > MOST_SEARCHED_BYTES;
  return {
    push(bytes) {
      if (isBlind) return;
      try {
        if (firstByteMs === null || !hasSpoken()) search(bytes);
        reader.push(bytes);
      } catch {
        isBlind = true;
      }
    },
    hasSpoken,
    finish: () => ({
      reading: firstByteMs === null || isBlind ? null : finishReading(reader),
      firstTokenMs: framing === "whole" ? null : (firstTokenMs ?? firstByteMs),
      isSilent: firstByteMs === null,
    }),
  };
}

/** What cannot be read is unknown, and fails nothing. */
function finishReading(reader: AnswerReader): AnswerReading | null {
  try {
    return reader.finish();
  } catch {
    return null;
  }
}

/** Large ones would be held long after they are needed: 200 slow streams took 160 MB more with 64 KB. */
const PIECE_BYTES = 16 * 1024;
const LOOK_EVERY_MS = 200;

/** Reads the other branch until it ends; rejects where it breaks. `over`: when the client has got all (null), so that nobody
 * waits for the next look, or gets no more: then this branch is given up, or the provider would go on for nobody. */
export async function watchBranch(
  branch: ReadableStream,
  sight: Sight,
  over: Promise<object | null>,
): Promise<void> {
  const reader = (branch as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  let room: ArrayBuffer = new ArrayBuffer(PIECE_BYTES);
  let isOver = false;
  const end = over.then((broken) => {
    isOver = true;
    if (broken !== null) reader.cancel().catch(() => {});
  });
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(room));
    if (value !== undefined) {
      room = value.buffer as ArrayBuffer;
      if (value.length > 0) sight.push(value.slice());
    }
    if (done) return;
    // A full piece says that more is waiting: a fast answer is not let pile up.
    if (!isOver && sight.hasSpoken() && (value?.length ?? 0) < PIECE_BYTES / 2) {
      await Promise.race([new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS)), end]);
    }
  }
}
