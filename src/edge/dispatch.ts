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
import { isPieces, joinPieces, openPieces } from "./pieces.ts";
import { relayAnswer, type Watch } from "./relay.ts";
import { scheduleFlush } from "./releases.ts";
import { respondProblem, stampHeaders } from "./respond.ts";
import { sealAccount } from "./seal.ts";
import { discard, isBlamed, openStream, type Attempt } from "./shield.ts";
import { addOutcome, type OutcomeKind } from "./tallies.ts";
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
  { entry, streams, chain, isCompared }: Decision,
  injected: Injected | Problem,
): Promise<Attempt> {
  let startedAtMs = Date.now();
  if (isProblem(injected)) return { kind: "unsent", problem: injected };
  // The provider's time begins when all of the body is up.
  void injected.upload?.sent.then(() => (startedAtMs = Date.now()));
  const prepared = await prepareCall(call, "POST", injected, streams || chain !== null);
  if (isProblem(prepared)) return { kind: "failed", problem: prepared };
  const { assignment } = call.account;
  if (assignment !== null && !isInForce(entry.grant, assignment, Date.now())) return { kind: "fenced" };
  const upstream = await callUpstream(prepared, call.request.signal, firstByteMs(call));
  if (upstream === "aborted") return { kind: "aborted" };
  if (isProblem(upstream)) return { kind: "failed", problem: upstream };
  if (!isCompared || !streams) return { kind: "answered", upstream, opening: null };
  const limits = { signal: call.request.signal, timeoutMs: firstByteMs(call), startedAtMs };
  return openStream(upstream, endpoint.format.answers, limits);
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
  count(call, endpoint, decision.entry, "error");
  discard(failed);
  account.assignedVersion = canary.version;
  account.assignment = found.assignment;
  return attempt(call, endpoint, { ...decision, fallback: null }, found.injected);
}

export function answerTurn(
  call: Call,
  endpoint: Endpoint,
  decision: Decision,
  attempted: Attempt,
  dispatchedAtMs: number,
): Response {
  const { family, account } = call;
  // Of the decision no more than its entry: it holds two bodies, which a long stream must not keep.
  const { entry } = decision;
  const settle = (outcome: OutcomeKind) => count(call, endpoint, entry, outcome);
  switch (attempted.kind) {
    case "unsent":
      // Variables are what a version asks for; anything else is the caller's own mistake and no arm's fault.
      if (attempted.problem.problem.startsWith("variable_")) settle("error");
      return respondProblem(attempted.problem, family, account);
    case "failed":
      settle("error");
      return respondProblem(attempted.problem, family, account);
    case "aborted":
      settle("aborted");
      return new Response(null, { status: 499 });
    case "fenced":
      return respondProblem(lateForLease(), family, account);
    case "answered": {
      const watch = {
        ...watchFor(call, endpoint.format.answers, settle),
        look: lookForId(decision, call.scope),
        streams: endpoint.streams === true,
      };
      const answer = relayAnswer(attempted.upstream, attempted.opening, watch);
      stampHeaders(answer.headers, account, dispatchedAtMs);
      return answer;
    }
  }
}

/** For a turn that is not decided anew once more. */
export function lateForLease(): Problem {
  return problem("release_unavailable", "The lease was over before the call was ready. Retry shortly.");
}

/** Token counts are no traffic of an arm. */
function count(call: Call, endpoint: Endpoint, entry: Decision["entry"], outcome: OutcomeKind): void {
  if (call.account.assignment === null || endpoint.count) return;
  addOutcome(entry.tallies, call.account.assignment, outcome);
  scheduleFlush(entry, call.scope);
}

function watchFor(
  { request, scope, account }: Call,
  rules: AnswerRules | null,
  settle: (outcome: OutcomeKind) => void,
): Watch {
  return {
    signal: request.signal,
    ctx: scope.ctx,
    requestId: account.requestId,
    rules,
    streams: false,
    look: null,
    idleMs: Number(scope.env.STREAM_IDLE_TIMEOUT_MS) || null,
    settle,
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
  const answer = relayAnswer(upstream, null, watchFor(call, null, uncounted));
  if (family === "gemini") mountUploadUrl(answer.headers, call);
  stampHeaders(answer.headers, account, dispatchedAtMs);
  return answer;
}

function uncounted(): void {}

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
  const { request, headers: values, scope, route, origin, admission } = call;
  const headers = cleanRequestHeaders(request.headers, values, route);
  if (values.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  if (isWatched) headers.set("accept-encoding", "identity");
  const url = origin + path + cleanSearch(route.search, route, admission !== null);
  // What is signed is signed whole.
  const isSigned = admission !== null && admission.secret.kind !== "header";
  const body = !isPieces(outgoing) ? outgoing : isSigned ? joinPieces(outgoing) : openPieces(outgoing);
  const plain = { url, method, headers, body, ...(upload !== undefined && { upload }) };
  return admission === null ? plain : authorize(plain, admission, scope, path);
}
