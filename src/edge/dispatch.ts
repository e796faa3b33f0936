// The last stage: the call to the provider, its answer for the client, and what becomes of it in the counters. Nothing
// is decided here but whether an answer is a good one.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { AnswerRules } from "../wire/answer.ts";
import type { Endpoint } from "../wire/wire.ts";
import { checkUnprompted } from "./admit.ts";
import { authorize } from "./authorize.ts";
import { discardBody } from "./body.ts";
import type { Call } from "./call.ts";
import { lookForId } from "./chain-watch.ts";
import type { Decision, Injected } from "./decide.ts";
import { cleanSearch } from "./foreign.ts";
import { callUpstream, type UpstreamCall } from "./forward.ts";
import { cleanRequestHeaders } from "./headers.ts";
import { isInForce } from "./lease.ts";
import { judgeLater } from "./judge-means.ts";
import { isPieces, joinPieces, openPieces } from "./pieces.ts";
import { framingIn, isEncoded, relayAnswer, type Meter, type Watch } from "./relay.ts";
import type { Scope } from "./releases.ts";
import { respondProblem, stampHeaders } from "./respond.ts";
import { sealAccount } from "./seal.ts";
import { discard, isBlamed, openStream, type Attempt } from "./shield.ts";
import { beginCall, NO_ANSWER, safely, settleCall, type CallEnd, type OpenCall } from "./settle.ts";
import { createSight } from "./sight.ts";
import { within } from "./time.ts";
import { mountUploadUrl } from "./uploads.ts";

/** A turn with its version in it; a canary's failure before its first byte is answered by the baseline, once. null: the
 * turn has to be decided anew. */
export async function dispatchTurn(
  call: Call,
  endpoint: Endpoint,
  decision: Decision,
): Promise<Response | null> {
  const dispatchedAtMs = Date.now();
  const first = await attempt(call, endpoint, decision, decision.injected);
  if (first.kind === "fenced") return null;
  const second = await standIn(call, endpoint, decision, first);
  await sealAccount(call.account);
  return answerTurn(call, endpoint, decision, second ?? first, dispatchedAtMs);
}

export async function attempt(
  call: Call,
  endpoint: Endpoint,
  { entry, streams, chain, isCompared, describe }: Decision,
  injected: Injected | Problem,
): Promise<Attempt> {
  let startedAtMs = Date.now();
  const { account, scope } = call;
  const { assignment } = account;
  if (isProblem(injected)) {
    // Variables are what a version asks for; anything else is the caller's own mistake and no arm's fault.
    const isVersions = injected.problem.startsWith("variable_");
    return { kind: "unsent", problem: injected, open: isVersions ? begin() : null };
  }
  const prepared = await prepareCall(
    call,
    "POST",
    injected,
    streams || chain !== null || (!endpoint.count && scope.env.METERING !== "off"),
  );
  if (isProblem(prepared)) return { kind: "failed", problem: prepared, open: begin() };
  if (assignment !== null && !isInForce(entry.grant, assignment, Date.now())) return { kind: "fenced" };
  startedAtMs = Date.now();
  const calling = callUpstream(prepared, call.request.signal, firstByteMs(call));
  // A client that leaves meanwhile must not take the call with it: it would never be counted.
  scope.ctx.waitUntil(calling);
  const open = begin();
  // The provider's time begins when all of the body is up.
  void injected.upload?.sent.then(() => {
    startedAtMs = Date.now();
    if (open !== null) open.startedAtMs = startedAtMs;
  });
  const upstream = await calling;
  if (upstream === "aborted") return { kind: "aborted", open };
  if (isProblem(upstream)) return { kind: "failed", problem: upstream, open };
  if (!isCompared || !streams) return { kind: "answered", upstream, opening: null, open };
  const limits = { signal: call.request.signal, ctx: scope.ctx, timeoutMs: firstByteMs(call), startedAtMs };
  return openStream(upstream, endpoint.format.answers, limits, open);

  /** Token counts are no traffic of an arm. */
  function begin(): OpenCall | null {
    if (assignment === null || endpoint.count) return null;
    // The call is under way by now, whatever becomes of the counting.
    return safely(() => beginCall(entry, account.requestId, describe(assignment), scope));
  }
}

/** What the baseline makes of a request that its canary failed; null: the canary's own answer goes down. */
async function standIn(
  call: Call,
  endpoint: Endpoint,
  decision: Decision,
  failed: Attempt,
): Promise<Attempt | null> {
  const { account, request } = call;
  const canary = account.assignment;
  if (decision.fallback === null || canary === null || !isBlamed(failed)) return null;
  const found = await decision.fallback();
  // Nobody is there any more to answer, and nothing to blame the canary for a second time.
  if (found === null || request.signal.aborted) return null;
  settleFailed(call, endpoint, failed);
  account.assignedVersion = canary.version;
  account.assignment = found.assignment;
  return attempt(call, endpoint, { ...decision, fallback: null }, found.injected);
}

/** Counts a canary's failure whose words nobody gets to read but us: they are read for their class, and for no longer than
 * the baseline's answer takes. */
function settleFailed({ scope }: Call, endpoint: Endpoint, failed: Attempt): void {
  const open = "open" in failed ? failed.open : null;
  if (open == null) return discard(failed);
  if (failed.kind !== "answered") {
    const own = failed.kind === "unsent" || failed.kind === "failed" ? failed.problem : null;
    settleCall(open, { ...NO_ANSWER, problem: own }, scope);
    return;
  }
  const { upstream, opening } = failed;
  const framing = framingIn(upstream.headers, false) ?? "whole";
  const { startedAtMs } = open;
  const sight = createSight(endpoint.format.answers, framing, { collectsText: false, startedAtMs });
  for (const chunk of opening?.chunks ?? []) sight.push(chunk);
  const errorName = upstream.headers.get("x-amzn-errortype");
  const settle = () => {
    const end = { kind: "error", status: upstream.status, problem: null, errorName } as const;
    settleCall(open, { ...end, ...sight.finish(), firstTokenMs: null }, scope);
    discard(failed);
  };
  if (opening !== null || isEncoded(upstream.headers)) return settle();
  scope.ctx.waitUntil(readSome(upstream, (bytes) => sight.push(bytes)).then(settle, settle));
}

const MOST_ERROR_BYTES = 16 * 1024;
const ERROR_WITHIN_MS = 2_000;

async function readSome({ body }: Response, push: (bytes: Uint8Array) => void): Promise<void> {
  if (body === null) return;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const untilMs = Date.now() + ERROR_WITHIN_MS;
  let size = 0;
  while (size < MOST_ERROR_BYTES) {
    const read = await within(untilMs - Date.now(), reader.read());
    if (read === undefined || read.done) break;
    size += read.value.length;
    push(read.value);
  }
  await reader.cancel();
}

export async function answerTurn(
  call: Call,
  endpoint: Endpoint,
  decision: Decision,
  attempted: Attempt,
  dispatchedAtMs: number,
): Promise<Response> {
  const { family, account, scope } = call;
  // Of the decision no more than what follows: it holds two bodies, which a long stream must not keep.
  const settle = (open: OpenCall | null | undefined, end: CallEnd) => {
    if (open != null) settleCall(open, end, scope);
  };
  switch (attempted.kind) {
    case "unsent":
    case "failed":
      settle(attempted.open, { ...NO_ANSWER, problem: attempted.problem });
      return respondProblem(attempted.problem, family, account);
    case "aborted":
      settle(attempted.open, { ...NO_ANSWER, kind: "aborted" });
      return new Response(null, { status: 499 });
    case "fenced":
      return respondProblem(lateForLease(), family, account);
    case "answered": {
      const { open } = attempted;
      const watch = {
        ...watchFor(call, endpoint.format.answers, open),
        look: lookForId(decision, call.scope),
        hidesUsage: decision.hidesUsage,
        streams: endpoint.streams === true,
      };
      const answer = await relayAnswer(attempted.upstream, attempted.opening, watch);
      stampHeaders(answer.headers, account, dispatchedAtMs);
      return answer;
    }
  }
}

/** For a turn that is not decided anew once more. */
export function lateForLease(): Problem {
  return problem("release_unavailable", "The lease was over before the call was ready. Retry shortly.");
}

function watchFor(
  { request, scope, account }: Call,
  rules: AnswerRules | null,
  open: OpenCall | null,
): Watch {
  return {
    signal: request.signal,
    ctx: scope.ctx,
    requestId: account.requestId,
    rules,
    streams: false,
    look: null,
    hidesUsage: false,
    idleMs: Number(scope.env.STREAM_IDLE_TIMEOUT_MS) || null,
    meter: open === null ? null : meterOf(open, scope),
  };
}

function meterOf(open: OpenCall, scope: Scope): Meter {
  return {
    startedAtMs: open.startedAtMs,
    isSeen: scope.env.METERING !== "off",
    collectsText: open.demand !== null || open.sample !== null,
    settle(end) {
      const kind = settleCall(open, end, scope);
      const { sample } = open;
      if (kind === "ok" && sample !== null) safely(() => judgeLater(open.entry, sample, end.reading, scope));
    },
  };
}

/** Without a limit of ours the client's own counts: its leaving ends the call. */
function firstByteMs({ scope }: Call): number | null {
  return Number(scope.env.FIRST_BYTE_TIMEOUT_MS) || null;
}

/** No prompt: bodies, streams, multipart and WebSockets go by as they are, and break as they break. */
export async function passThrough(call: Call, body: ReadableStream | Uint8Array | null): Promise<Response> {
  const { request, route, family, account } = call;
  const outside = call.admission === null ? null : await checkUnprompted(call);
  if (outside !== null) {
    await discardBody(body instanceof ReadableStream ? body : null);
    return respondProblem(outside, family, account);
  }
  const dispatchedAtMs = Date.now();
  const upstream = await callProvider(call, request.method, { path: route.path, body });
  if (upstream === "aborted") return new Response(null, { status: 499 });
  if (isProblem(upstream)) return respondProblem(upstream, family, account);
  const answer = await relayAnswer(upstream, null, watchFor(call, null, null));
  if (family === "gemini") mountUploadUrl(answer.headers, call);
  stampHeaders(answer.headers, account, dispatchedAtMs);
  return answer;
}

type Outgoing = Omit<Injected, "body"> & { body: Injected["body"] | null };

/** A call that no version is in, or none yet. */
export async function callProvider(call: Call, method: string, outgoing: Outgoing) {
  const prepared = await prepareCall(call, method, outgoing, false);
  return isProblem(prepared) ? prepared : callUpstream(prepared, call.request.signal, firstByteMs(call));
}

/** Every attempt goes through here: headers and signature of one call to the provider. `isWatched`: the answer is to come
 * as it is, so that it can be read and spoken in. A signature takes its time: the lease is looked at after it. */
async function prepareCall(
  call: Call,
  method: string,
  { path, body: outgoing, upload }: Outgoing,
  isWatched: boolean,
): Promise<UpstreamCall | Problem> {
  const { request, headers: values, scope, route, origin, admission, account } = call;
  const headers = cleanRequestHeaders(request.headers, values, route);
  const attemptKey = values.get("idempotency-key");
  // The canary's request went up under that key with another body: the provider must not answer for it again.
  if (attemptKey !== undefined && account.assignedVersion !== null) {
    headers.set("idempotency-key", `${attemptKey}-baseline`);
  }
  if (values.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  if (isWatched) headers.set("accept-encoding", "identity");
  const url = origin + path + cleanSearch(route.search, route, admission !== null);
  // What is signed is signed whole.
  const isSigned = admission !== null && admission.secret.kind !== "header";
  const body = !isPieces(outgoing) ? outgoing : isSigned ? joinPieces(outgoing) : openPieces(outgoing);
  const plain = { url, method, headers, body, ...(upload !== undefined && { upload }) };
  return admission === null ? plain : authorize(plain, admission, scope, path);
}
