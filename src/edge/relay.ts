// The provider's answer on its way down, byte for byte and unbuffered. The client's leaving ends the provider's work;
// the provider's dying mid-stream reaches the client in its format's own words and as a broken stream, never as a clean
// end (guarantee 4). Watching adds no JavaScript between two chunks of a stream: it runs through the runtime's own pipe, and a
// copy of it is looked at now and then (sight.ts), unless a limit on silence or a chunk to be taken out asks for more. Of
// other answers only the first 64 KB go through our hands.

import { framingOf, type AnswerRules, type Framing } from "../wire/answer.ts";
import { joinBytes } from "../wire/json-write.ts";
import { UsageFilter } from "../wire/usage-filter.ts";
import { cleanResponseHeaders } from "./headers.ts";
import type { Opening } from "./opening.ts";
import type { Look } from "./head.ts";
import type { OutcomeKind } from "../core/metering/outcome.ts";
import type { Problem } from "../core/problem.ts";
import { breakOff, cancelOnLeave, pipe, pipeByHand, pipeHead, type Broken } from "./pipe.ts";
import type { Ctx } from "./releases.ts";
import type { CallEnd } from "./settle.ts";
import { sleep } from "./time.ts";
import { createSight, watchBranch, type Sight } from "./sight.ts";

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
  /** The chunk with the usage of a chat's stream is not for the client. */
  hidesUsage: boolean;
  /** Longest silence in a stream; null: none is too long. */
  idleMs: number | null;
  /** Of a call that counts; null: nobody wants to know how it ends. */
  meter: Meter | null;
};

export type Meter = {
  /** When the request was up. */
  startedAtMs: number;
  /** false: only how it ends counts (METERING). */
  isSeen: boolean;
  /** What the user gets to read is wanted, too. */
  collectsText: boolean;
  /** Called once, when the answer is over. */
  settle(end: CallEnd): void;
};

/** Room for a whole answer of a known length, which mostly comes in one piece. */
const SHORT_BYTES = 64 * 1024;
/** Reading that much takes some 20 µs, less than a timer does; longer ones are read when they are on their way. */
const AT_ONCE_BYTES = 4 * 1024;
const NOTHING = new Uint8Array(0);
const UNREAD: Opening = { chunks: [], failed: false };

/** The provider's answer for the client: its bytes as they came, in the encoding that they came in, its headers
 * cleaned. `opening`: what has been read of it already, and goes down before the rest. */
export async function relayAnswer(
  upstream: Response,
  opening: Opening | null,
  watch: Watch,
): Promise<Response> {
  const { body } = upstream;
  const { chunks } = opening ?? UNREAD;
  const view = viewOf(upstream, opening ?? UNREAD, watch);
  const { sight, look, streams } = view;
  if (body === null || (!streams && look === null && sight === null)) {
    view.settle(view.kind);
    return copyAnswer(upstream, body);
  }
  if (streams || look !== null || sight === null || chunks.length > 0) {
    return relayPiped(upstream, body, chunks, view, watch);
  }
  const length = lengthOf(upstream.headers);
  const reading = length > 0 && length <= SHORT_BYTES ? readPiece(body, length, watch.signal) : null;
  // A client that leaves meanwhile must not take the reading with it: the call would never be counted.
  if (reading !== null) watch.ctx.waitUntil(reading);
  const piece = (await reading) ?? NOTHING;
  if (piece.length !== length)
    return relayPiped(upstream, body, piece.length > 0 ? [piece] : [], view, watch);
  const count = (): void => {
    sight.push(piece);
    view.settle(view.kind);
  };
  if (length <= AT_ONCE_BYTES) count();
  else watch.ctx.waitUntil(sleep(0).then(count));
  return copyAnswer(upstream, piece);
}

/** What the provider says that the answer's length is; Infinity: it does not, or frames it otherwise. */
function lengthOf(headers: Headers): number {
  const length = headers.get("content-length");
  return length === null || headers.has("transfer-encoding") ? Infinity : Number(length);
}

/** What there is to do about an answer. */
type View = {
  kind: OutcomeKind;
  framing: Framing | null;
  /** In a stream that breaks off something has to be said, or its silence has a limit. */
  streams: boolean;
  isLegible: boolean;
  look: Look | null;
  sight: Sight | null;
  /** Counts the call. */
  settle(kind: OutcomeKind, broken?: Problem | null): void;
};

function viewOf({ headers, status }: Response, { failed }: Opening, watch: Watch): View {
  const { meter, rules } = watch;
  const isGood = !failed && status < 400;
  const framing = framingIn(headers, watch.streams);
  const streams = framing !== null && (rules !== null || watch.idleMs !== null);
  // Asked only where it matters: each look at a header leaves JavaScript.
  const isLegible = (streams || watch.look !== null || meter !== null) && !isEncoded(headers);
  const isSeen = meter !== null && meter.isSeen && rules !== null && isLegible;
  const sight = isSeen ? sightOf(meter, rules, framing) : null;
  const errorName = meter === null || isGood ? null : headers.get("x-amzn-errortype");
  const look = isGood && isLegible ? watch.look : null;
  return {
    kind: isGood ? "ok" : "error",
    framing,
    streams,
    isLegible,
    look,
    sight,
    settle(kind, broken = null) {
      const seen = sight?.finish() ?? { reading: null, firstTokenMs: null, isSilent: false };
      meter?.settle({ kind, status, problem: broken, errorName, ...seen });
    },
  };
}

/** The way for whatever something may have to be added to. */
function relayPiped(
  upstream: Response,
  body: ReadableStream,
  chunks: Uint8Array[],
  view: View,
  watch: Watch,
): Response {
  const { streams, framing, isLegible } = view;
  const { readable, writable } = openPipe(streams, upstream.headers);
  const filter = watch.hidesUsage && isLegible && framing === "events" ? new UsageFilter() : null;
  const rules = streams && isLegible ? watch.rules : null;
  const pumped = { ...watch, ...view, rules, filter, idleMs: streams ? watch.idleMs : null };
  watch.ctx.waitUntil(pump(body, writable, chunks, pumped));
  return copyAnswer(upstream, readable);
}

function sightOf(meter: Meter, rules: AnswerRules, framing: Framing | null): Sight {
  const { collectsText, startedAtMs } = meter;
  return createSight(rules, framing ?? "whole", { collectsText, startedAtMs });
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
export function copyAnswer(upstream: Response, body: ReadableStream | Uint8Array | null): Response {
  const answer = new Response(body as BodyInit | null, upstream);
  cleanResponseHeaders(answer.headers);
  return answer;
}

/** The first piece of an answer, as soon as it is there; empty: none came. With a whole short answer in it, nothing of
 * ours is left to stand between provider and client: at 1 KB that costs a tenth of what a tee does. */
async function readPiece(body: ReadableStream, length: number, signal: AbortSignal): Promise<Uint8Array> {
  const reader = (body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const release = cancelOnLeave(reader, signal);
  const read = await reader.read(new Uint8Array(length)).catch(() => null);
  release();
  reader.releaseLock();
  return read?.value ?? NOTHING;
}

type Pumped = View &
  Pick<Watch, "signal" | "idleMs" | "rules" | "requestId"> & { filter: UsageFilter | null };

async function pump(
  body: ReadableStream,
  writable: WritableStream,
  chunks: Uint8Array[],
  { kind, signal, idleMs, rules, framing, streams, look, requestId, sight, filter, settle }: Pumped,
): Promise<void> {
  // Whole answers are mostly short, and for two pieces a tee and a pipe cost more than a loop does.
  const atLeastBytes = streams || sight === null ? 0 : SHORT_BYTES;
  const isHeadRead = chunks.length > 0 || look !== null || atLeastBytes > 0;
  const head = isHeadRead
    ? await pipeHead(body, writable, chunks, signal, { look, atLeastBytes, sight, filter })
    : null;
  if (head === "ended") return settle(kind);
  const broken =
    head ??
    (idleMs === null && filter === null
      ? await pipeSeen(body, writable, signal, sight)
      : await pipeByHand(body, writable, signal, { idleMs, sight, filter }));
  if (broken === null) return settle(kind);
  const said = rules?.breakOff(broken.problem, requestId, framing ?? "events") ?? null;
  const words = signal.aborted || said === null ? null : joinBytes([filter?.finish() ?? NOTHING, said]);
  const isThere = await breakOff(writable, words, broken.error);
  body.cancel().catch(() => {});
  const isLeft = signal.aborted || !isThere;
  settle(isLeft ? "aborted" : "error", isLeft ? null : broken.problem);
}

/** The runtime's own pipe for the client, and what it carries looked at beside it. */
async function pipeSeen(
  body: ReadableStream,
  writable: WritableStream,
  signal: AbortSignal,
  sight: Sight | null,
): Promise<Broken | null> {
  if (sight === null) return pipe(body, writable, signal);
  const [down, seen] = body.tee();
  // A branch is cancelled only when both are, so the pipe must not wait for the one that it reads.
  const piping = pipe(down, writable, signal, { preventCancel: true });
  const watching = watchBranch(seen, sight, piping).catch(() => {
    // Broken with the answer; or not to be read so, and then nothing must gather in it.
    seen.cancel().catch(() => {});
  });
  const broken = await piping;
  if (broken === null) await watching;
  else down.cancel().catch(() => {});
  return broken;
}
