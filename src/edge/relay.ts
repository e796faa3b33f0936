// The provider's answer on its way down, byte for byte and unbuffered. The client's leaving ends the provider's work;
// the provider's dying mid-stream reaches the client in its format's own words and as a broken stream, never as a clean
// end (guarantee 4). Watching adds no JavaScript between two chunks: a stream runs through the runtime's own pipe, and
// only its end is looked at, unless a limit on silence asks for more.

import { framingOf, type AnswerRules, type Framing } from "../wire/answer.ts";
import { cleanResponseHeaders } from "./headers.ts";
import type { Opening } from "./opening.ts";
import type { Look } from "./head.ts";
import { breakOff, pipe, pipeHead, pipeUnlessIdle } from "./pipe.ts";
import type { Ctx } from "./releases.ts";
import type { OutcomeKind } from "./tallies.ts";

export type Watch = {
  signal: AbortSignal;
  ctx: Ctx;
  requestId: string;
  /** How this format says that a stream broke off; null: the broken connection says it. */
  rules: AnswerRules | null;
  /** The path asked for a stream, which may come as JSON too. */
  streams: boolean;
  /** Sees the first bytes of a good answer go by. */
  look: Look | null;
  /** Longest silence in a stream; null: none is too long. */
  idleMs: number | null;
  /** Called once, when the outcome is known. */
  settle(outcome: OutcomeKind): void;
};

const UNREAD: Opening = { chunks: [], failed: false };

/** The provider's answer for the client: its bytes as they came, in the encoding that they came in, its headers
 * cleaned. `opening`: what has been read of it already, and goes down before the rest. */
export function relayAnswer(upstream: Response, opening: Opening | null, watch: Watch): Response {
  const { chunks, failed } = opening ?? UNREAD;
  const { body, headers } = upstream;
  const outcome = failed || upstream.status >= 400 ? "error" : "ok";
  const framing = framingIn(headers, watch.streams);
  const streams = framing !== null && (watch.rules !== null || watch.idleMs !== null);
  // Asked only where it matters: each look at a header leaves JavaScript.
  const isLegible = (streams || watch.look !== null) && !isEncoded(headers);
  const look = outcome === "ok" && isLegible ? watch.look : null;
  if (body === null || (!streams && look === null)) {
    watch.settle(outcome);
    return copyAnswer(upstream, body);
  }
  const { readable, writable } = openPipe(streams, headers);
  const seen = { ...watch, look, ...(streams ? {} : { idleMs: null }) };
  const rules = streams && isLegible ? watch.rules : null;
  watch.ctx.waitUntil(pump(body, writable, chunks, { ...seen, rules, framing }, outcome));
  return copyAnswer(upstream, readable);
}

/** An answer of known length keeps it; behind a stream something may have to be said. */
function openPipe(streams: boolean, headers: Headers): TransformStream {
  const length = headers.get("content-length");
  return streams || length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
}

const STREAM_TYPES = /^(?:text\/event-stream|application\/vnd\.amazon\.eventstream)\b/i;

/** How the pieces of an answer are told apart; null: it comes as one. */
export function framingIn(headers: Headers, streams: boolean): Framing | null {
  const type = headers.get("content-type") ?? "";
  const isArray = streams && /^application\/json\b/i.test(type) && !headers.has("content-length");
  return isArray || STREAM_TYPES.test(type) ? framingOf(type) : null;
}

/** Nothing can be read in compressed bytes, nor said behind them. */
export function isEncoded(headers: Headers): boolean {
  const encoding = headers.get("content-encoding");
  return encoding !== null && encoding !== "identity";
}

/** A copy whose headers can be changed, the encoding of its body included (`encodeResponseBody` in forward.ts). */
export function copyAnswer(upstream: Response, body: ReadableStream | null): Response {
  const answer = new Response(body, upstream);
  cleanResponseHeaders(answer.headers);
  return answer;
}

async function pump(
  body: ReadableStream,
  writable: WritableStream,
  chunks: Uint8Array[],
  { signal, idleMs, rules, framing, look, requestId, settle }: Watch & { framing: Framing | null },
  outcome: OutcomeKind,
): Promise<void> {
  const isHeadRead = chunks.length > 0 || look !== null;
  const head = isHeadRead ? await pipeHead(body, writable, chunks, look) : null;
  if (head === "ended") return settle(outcome);
  const broken =
    head ??
    (idleMs === null ? await pipe(body, writable, signal) : await pipeUnlessIdle(body, writable, idleMs));
  if (broken === null) return settle(outcome);
  const words = signal.aborted
    ? null
    : (rules?.breakOff(broken.problem, requestId, framing ?? "events") ?? null);
  const isThere = await breakOff(writable, words, broken.error);
  body.cancel().catch(() => {});
  settle(signal.aborted || !isThere ? "aborted" : "error");
}
