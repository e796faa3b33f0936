// A large body goes up while it still comes in, if its turn can be decided by what stands before its messages: memory stays
// flat, and most of a copy is saved. The provider gets nothing that looks whole before all of it has been judged: what
// stands behind the messages is held back, and before it goes up the release is looked at once more, so that a rollback
// stops a canary whose body was on its way when it came (guarantee 1). Whatever does not fit is read whole instead.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { joinBytes } from "../wire/json-write.ts";
import { openBody, type PartialBody } from "../wire/partial-body.ts";
import type { Endpoint } from "../wire/wire.ts";
import { brokenOff, drain, giveBuffer, LARGE_CHUNK_BYTES, mostBytes, readOn, takeBuffer } from "./body.ts";
import type { Call } from "./call.ts";
import { decideBody, type Decision } from "./decide.ts";
import { answerTurn, attempt } from "./dispatch.ts";
import { isDecidedEarly } from "./early.ts";
import { questionOf } from "./question.ts";
import { discard, type Attempt } from "./shield.ts";
import { SKIPS } from "./skips.ts";
import { within } from "./time.ts";

/** Below, reading a body whole is cheaper (bench/run.ts). */
export const STREAM_FROM_BYTES = 512 * 1024;
/** A canary's body up to here is read whole, because the shield may have to send it again with the baseline; above, it goes
 * up unshielded. */
export const SHIELD_MOST_BYTES = 4 * 1024 * 1024;
/** So much of the messages is looked at, or else all that has come. */
const LOOKS = [4 * 1024, Infinity];
/** How long a provider that has answered may go on reading; one that refuses hardly will. */
const READ_ON_MS = 5_000;
const REFUSED_MS = 200;

type Reader = ReadableStreamBYOBReader;
/** Where the body goes up, and what breaks it off. */
type Way = { writer: WritableStreamDefaultWriter<Uint8Array>; abort: AbortController };

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

/** What became of the body: it is up, the client left, the provider reads no more of it, or it was broken off, and why. */
type Outcome = "sent" | "gone" | "unread" | Problem;

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
  const reading = reader.readAtLeast(LARGE_CHUNK_BYTES, new Uint8Array(takeBuffer()));
  const head = await reading.then(({ value }) => value ?? new Uint8Array(0), brokenOff);
  if (isProblem(head)) return head;
  for (const look of LOOKS) {
    const partial = openBody(endpoint.format, endpoint.resource, head, look, SKIPS);
    if (partial === null) break;
    const begun = await begin({ call, endpoint, name, partial }, size);
    if (begun === null) break;
    if (begun !== "unsettled") return send(begun, head, reader);
  }
  const body = await readOn(reader, head, size).catch(brokenOff);
  giveBuffer(head.buffer);
  return body;
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

async function send(begun: Begun, head: Uint8Array, reader: Reader): Promise<Response> {
  const { call, endpoint, path } = begun;
  const dispatchedAtMs = Date.now();
  const { readable, writable } = new IdentityTransformStream();
  const way: Way = { writer: writable.getWriter(), abort: new AbortController() };
  const sent = pump(begun, head, reader, way);
  // Whether the answer streams may stand behind the messages.
  const asStream = () => ({ ...begun.decision, streams: true, fallback: null });
  const upload = { sent, signal: way.abort.signal };
  const answered = await attempt(call, endpoint, asStream(), { path, body: readable, upload });
  const isRefused = answered.kind !== "answered" || answered.upstream.status >= 400;
  const outcome = await settle(sent, isRefused ? REFUSED_MS : READ_ON_MS, reader, way);
  const answer = (attempted: Attempt) => answerTurn(call, endpoint, asStream(), attempted, dispatchedAtMs);
  if (outcome === "sent" || outcome === "unread") return answer(answered);
  discard(answered);
  return answer(outcome === "gone" ? { kind: "aborted" } : { kind: "unsent", problem: outcome });
}

/** A provider that answers before it has read all may read on for a while; the client is let finish writing, or it would
 * get a reset connection instead of the answer. */
async function settle(sent: Promise<Outcome>, ms: number, reader: Reader, { writer }: Way): Promise<Outcome> {
  const outcome = await within(ms, sent);
  if (outcome !== undefined) return outcome;
  writer.abort(BROKEN).catch(() => {});
  await drain(reader);
  return "unread";
}

const BROKEN = new Error("The body was broken off.");

/** From the client to the provider. */
async function pump(begun: Begun, head: Uint8Array, reader: Reader, way: Way): Promise<Outcome> {
  const outcome = await pass(begun, head, reader, way.writer).catch((): Outcome => "unread");
  if (outcome === "sent") return outcome;
  way.writer.abort(BROKEN).catch(() => {});
  // The stream's end alone leaves the provider waiting on an open connection; and it may be answering already.
  if (outcome !== "unread") way.abort.abort(BROKEN);
  await drain(reader);
  return outcome;
}

/** Rejects where the provider reads no more. */
async function pass(begun: Begun, head: Uint8Array, reader: Reader, writer: Way["writer"]): Promise<Outcome> {
  const { partial } = begun;
  const tail: Uint8Array[] = [];
  await writer.write(begun.body);
  for (let chunk: Uint8Array | null = partial.rest(head); chunk !== null;) {
    const end = tail.length > 0 ? 0 : partial.pass(chunk);
    if (isProblem(end)) return end;
    if (end > 0) await writer.write(chunk.subarray(0, end));
    if (end < chunk.length) tail.push(chunk.slice(end));
    const next = await readChunk(reader, chunk.buffer as ArrayBuffer);
    if (next === "gone") return next;
    chunk = next;
  }
  const end = await finish(begun, joinBytes(tail));
  if (isProblem(end)) return end;
  await writer.write(end);
  await writer.close();
  return "sent";
}

/** Into the memory of the chunk before, which has gone up. null: that was all. */
async function readChunk(reader: Reader, buffer: ArrayBuffer): Promise<Uint8Array | null | "gone"> {
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

/** The end of the body, decided like its beginning and by all that is known now. */
async function finish(begun: Begun, tail: Uint8Array): Promise<Uint8Array | Problem> {
  const { call, endpoint, name, partial, pin } = begun;
  const scan = partial.close(tail);
  if (isProblem(scan)) return scan;
  const ending = injecting(endpoint, (whole, prepared) => partial.end(whole, prepared, tail));
  const question = questionOf(call, ending, scan, name);
  if (isProblem(question)) return question;
  if (question.pin !== pin) return latePin();
  const account = { ...call.account };
  const decision = await decideBody({ ...question, isCut: true }, account, call.scope);
  if (isProblem(decision)) return decision;
  const isSame = account.assignment?.version === call.account.assignment?.version;
  if ("skipped" in decision || !isSame || !isDecidedEarly(decision, question, account)) return changed(name);
  if (isProblem(decision.injected)) return decision.injected;
  Object.assign(call.account, account);
  begun.decision = decision;
  return decision.injected.body as Uint8Array;
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
