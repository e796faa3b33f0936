// A large body goes up while it still comes in, if its turn can be decided by what stands before its messages: memory stays
// flat, and most of a copy is saved. The provider gets nothing that looks whole before all of it has been judged: what
// stands behind the messages is held back, and before it goes up the release is looked at once more, so that a rollback
// stops a canary whose body was on its way when it came (guarantee 1). Whatever does not fit is read whole instead.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { openBody, type PartialBody } from "../wire/partial-body.ts";
import type { Endpoint } from "../wire/wire.ts";
import { brokenOff, giveBuffer, LARGE_CHUNK_BYTES, mostBytes, readOn, takeBuffer } from "./body.ts";
import type { Call } from "./call.ts";
import { decideBody, type Decision, type Question } from "./decide.ts";
import { answerTurn, attempt } from "./dispatch.ts";
import { isDecidedEarly } from "./early.ts";
import { questionOf } from "./question.ts";
import { discard, type Attempt } from "./shield.ts";
import { withdrawCall } from "./settle.ts";
import { sealAccount } from "./seal.ts";
import { SKIPS } from "./skips.ts";
import { within } from "./time.ts";
import { checkedWay, nativeWay, type Outcome, type Way } from "./ways.ts";

/** Below, reading a body whole is cheaper (bench/run.ts). */
export const STREAM_FROM_BYTES = 512 * 1024;
/** A canary's body up to here is read whole, because the shield may have to send it again with the baseline; above, it goes
 * up unshielded. */
export const SHIELD_MOST_BYTES = 4 * 1024 * 1024;
/** So much of a body is read before it is looked at: little, for the rest costs less, and more where that says nothing. */
const HEADS = [64 * 1024, LARGE_CHUNK_BYTES];
/** So much of the messages is looked at, or else all that has come. */
const LOOKS = [4 * 1024, Infinity];
/** How long a provider that has answered may go on reading; one that refuses hardly will. */
const READ_ON_MS = 5_000;
const REFUSED_MS = 200;

type Reader = ReadableStreamBYOBReader;

/** A turn whose beginning is decided. */
type Begun = {
  call: Call;
  endpoint: Endpoint;
  name: string;
  partial: PartialBody;
  pin: number | null;
  path: string;
  /** The beginning of the body with the version in it. */
  body: Uint8Array;
  /** What is known of the turn by now. */
  decision: Decision;
};

/** May the body go up while it comes in, as far as its headers say? */
export function isLarge({ request, headers, admission, scope }: Call, endpoint: Endpoint): boolean {
  const { format, count } = endpoint;
  const encoding = headers.get("content-encoding") ?? "identity";
  const isSigned = admission !== null && admission.secret.kind !== "header";
  if (count || format.stream === null || isSigned || encoding !== "identity") return false;
  const size = Number(headers.get("content-length") ?? 0);
  return request.body !== null && size >= STREAM_FROM_BYTES && size <= mostBytes(scope.env.MAX_BODY_BYTES);
}

/** The answer; or the body, read whole; a problem where it broke off. */
export async function serveLarge(
  call: Call,
  endpoint: Endpoint,
  name: string,
): Promise<Response | Uint8Array | Problem> {
  const reader = (call.request.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const size = Number(call.headers.get("content-length"));
  let head: Uint8Array = new Uint8Array(takeBuffer(), 0, 0);
  for (const most of HEADS) {
    const more = await readMore(reader, head, Math.min(most, size)).catch(brokenOff);
    if (isProblem(more)) return more;
    head = more;
    const begun = await beginAnyhow({ call, endpoint, name }, head, size);
    if (begun === null) break;
    if (begun !== "unsettled") return send(begun, head, size, reader);
  }
  const body = await readOn(reader, head, size).catch(brokenOff);
  giveBuffer(head.buffer);
  return body;
}

/** The beginning of the body up to `most` bytes, in the memory of what is there of it. */
async function readMore(reader: Reader, head: Uint8Array, most: number): Promise<Uint8Array> {
  // Reading takes the memory away from `head`, which then has no length any more.
  const { length } = head;
  const wanted = most - length;
  if (wanted <= 0) return head;
  const room = new Uint8Array(head.buffer as ArrayBuffer, length, wanted);
  const { value } = await reader.readAtLeast(wanted, room);
  return value === undefined ? new Uint8Array(0) : new Uint8Array(value.buffer, 0, length + value.length);
}

async function beginAnyhow(
  turn: Pick<Begun, "call" | "endpoint" | "name">,
  head: Uint8Array,
  size: number,
): Promise<Begun | "unsettled" | null> {
  for (const look of LOOKS) {
    const partial = openBody(turn.endpoint.format, turn.endpoint.resource, head, look, SKIPS);
    if (partial === null) break;
    const begun = await begin({ ...turn, partial }, size);
    if (begun !== "unsettled") return begun;
  }
  return "unsettled";
}

/** null: the body has to be read whole, which also says what is wrong with it. */
async function begin(
  turn: Pick<Begun, "call" | "endpoint" | "name" | "partial">,
  size: number,
): Promise<Begun | "unsettled" | null> {
  const { call, endpoint, name, partial } = turn;
  const unsettled: Problem = problem("invalid_request", "What comes later may change where the prompt goes.");
  const opening = injecting(endpoint, (_, prepared) => partial.begin(prepared) ?? unsettled);
  const question = questionOf(call, opening, partial.scan, name);
  if (isProblem(question)) return null;
  const decision = await decideBody({ ...question, isCut: true }, call.account, call.scope);
  if (isProblem(decision) || "skipped" in decision) return null;
  if (!isDecidedEarly(decision, question, call.account)) return null;
  if (isProblem(decision.injected)) return decision.injected === unsettled ? "unsettled" : null;
  if (decision.fallback !== null && size <= SHIELD_MOST_BYTES) return null;
  const { path, body } = decision.injected;
  return { ...turn, pin: question.pin, path, body: body as Uint8Array, decision };
}

type Inject = Endpoint["format"]["inject"];

/** The endpoint for a part of the body. */
function injecting(endpoint: Endpoint, inject: Inject): Endpoint {
  return { ...endpoint, format: { ...endpoint.format, inject } };
}

async function send(begun: Begun, head: Uint8Array, size: number, reader: Reader): Promise<Response> {
  const { call, endpoint, path, partial } = begun;
  const { request, scope } = call;
  const dispatchedAtMs = Date.now();
  const stream = request.body as ReadableStream<Uint8Array>;
  const source = { stream, reader, head, size, partial, begun: begun.body, signal: request.signal };
  const isNative = scope.env.LARGE_BODIES === "native" && partial.isSettled;
  const way = isNative
    ? nativeWay(source, () => confirm(begun))
    : checkedWay(source, (tail) => finish(begun, tail));
  const abort = new AbortController();
  const sent = pump(way, abort);
  // Whether the answer streams may stand behind the messages.
  const asStream = () => ({ ...begun.decision, streams: true, fallback: null });
  const upload = { sent, signal: abort.signal };
  const answered = await attempt(call, endpoint, asStream(), { path, body: way.readable, upload });
  const isRefused = answered.kind !== "answered" || answered.upstream.status >= 400;
  const outcome = await settle(sent, isRefused ? REFUSED_MS : READ_ON_MS, way);
  await sealAccount(call.account);
  const answer = (attempted: Attempt) => answerTurn(call, endpoint, asStream(), attempted, dispatchedAtMs);
  if (outcome === "sent" || outcome === "unread") return answer(answered);
  discard(answered);
  const open = "open" in answered ? (answered.open ?? null) : null;
  if (outcome === "gone") return answer({ kind: "aborted", open });
  // The provider never got a whole body.
  if (open !== null) withdrawCall(open);
  return answer({ kind: "unsent", problem: outcome });
}

/** A provider that answers before it has read all may read on for a while; the client is let finish writing, or it would
 * get a reset connection instead of the answer. */
async function settle(sent: Promise<Outcome>, ms: number, way: Way): Promise<Outcome> {
  const outcome = await within(ms, sent);
  if (outcome !== undefined) return outcome;
  way.breakOff();
  await way.drain();
  return "unread";
}

/** From the client to the provider. */
async function pump(way: Way, abort: AbortController): Promise<Outcome> {
  const outcome = await way.pass().catch((): Outcome => "unread");
  if (outcome === "sent") return outcome;
  way.breakOff();
  // The stream's end alone leaves the provider waiting on an open connection; and it may be answering already.
  if (outcome !== "unread") abort.abort();
  await way.drain();
  return outcome;
}

/** Decided once more by what the beginning says, which is all that is looked at. */
async function confirm(begun: Begun): Promise<Problem | null> {
  const { call, endpoint, name, partial } = begun;
  const question = questionOf(
    call,
    injecting(endpoint, () => begun.body),
    partial.scan,
    name,
  );
  if (isProblem(question)) return question;
  const decision = await decideAgain(begun, question);
  return isProblem(decision) ? decision : null;
}

/** The end of the body, decided like its beginning and by all that is known now. */
async function finish(begun: Begun, tail: Uint8Array): Promise<Uint8Array | Problem> {
  const { call, endpoint, name, partial, pin } = begun;
  const scan = partial.close(tail);
  if (isProblem(scan)) return scan;
  const ending = injecting(endpoint, (whole, prepared) => partial.end(whole, prepared, tail));
  const question = questionOf(call, ending, scan, name);
  if (isProblem(question)) return question;
  if (question.pin !== pin) return latePin();
  const decision = await decideAgain(begun, question);
  if (isProblem(decision)) return decision;
  begun.decision = decision;
  return isProblem(decision.injected) ? decision.injected : (decision.injected.body as Uint8Array);
}

/** By the release as it is now. */
async function decideAgain({ call, name }: Begun, question: Question): Promise<Decision | Problem> {
  const account = { ...call.account };
  const decision = await decideBody({ ...question, isCut: true }, account, call.scope);
  if (isProblem(decision)) return decision;
  const isSame = account.assignment?.version === call.account.assignment?.version;
  if ("skipped" in decision || !isSame || !isDecidedEarly(decision, question, account)) return changed(name);
  Object.assign(call.account, account);
  return decision;
}

function latePin(): Problem {
  return problem(
    "invalid_request",
    "prompt.version came too late in so large a body: put prompt before the messages, or send Prompt-Version.",
    { field: "prompt.version" },
  );
}

function changed(name: string): Problem {
  return problem(
    "release_unavailable",
    `The release of ${name} changed while the body was on its way, and the provider got no whole body. Retry shortly.`,
  );
}
