// The last stage: the call to the provider, its answer for the client, and what becomes of it in the counters. Nothing
// is decided here but whether an answer is a good one.

import { isProblem } from "../core/problem.ts";
import type { Endpoint } from "../wire/wire.ts";
import { checkUnprompted } from "./admit.ts";
import { authorize } from "./authorize.ts";
import { discardBody } from "./body.ts";
import type { Call } from "./call.ts";
import { lookForId } from "./chain-watch.ts";
import { withoutKey } from "./credentials.ts";
import type { Decision } from "./decide.ts";
import { callUpstream } from "./forward.ts";
import { cleanRequestHeaders } from "./headers.ts";
import { copyAnswer, relayAnswer } from "./relay.ts";
import { scheduleFlush } from "./releases.ts";
import { respondProblem, stampHeaders } from "./respond.ts";
import { addOutcome, type OutcomeKind } from "./tallies.ts";
import { mountUploadUrl } from "./uploads.ts";

/** A turn with its version in it. */
export async function dispatchTurn(call: Call, endpoint: Endpoint, decision: Decision): Promise<Response> {
  const { request, scope, family, account } = call;
  const dispatchedAtMs = Date.now();
  const settle = (outcome: OutcomeKind) => {
    if (account.assignment === null || endpoint.count) return;
    addOutcome(decision.entry.tallies, account.assignment, outcome);
    scheduleFlush(decision.entry, scope);
  };
  const { injected } = decision;
  if (isProblem(injected)) {
    // Variables are what a version asks for; anything else is the caller's own mistake and no arm's fault.
    if (injected.problem.startsWith("variable_")) settle("error");
    return respondProblem(injected, family, account);
  }
  const upstream = await callProvider(call, "POST", injected.path, injected.body, decision.chain !== null);
  if (upstream === "aborted") {
    settle("aborted");
    return new Response(null, { status: 499 });
  }
  if (isProblem(upstream)) {
    settle("error");
    return respondProblem(upstream, family, account);
  }
  const answer = relayAnswer(upstream, request.signal, scope.ctx, settle, lookForId(decision, scope));
  stampHeaders(answer.headers, account, dispatchedAtMs);
  return answer;
}

/** No prompt: bodies, streams, multipart and WebSockets go by as they are. */
export async function passThrough(call: Call, body: ReadableStream | Uint8Array | null): Promise<Response> {
  const { request, route, family, account } = call;
  const outside = call.admission === null ? null : await checkUnprompted(call);
  if (outside !== null) {
    await discardBody(body instanceof ReadableStream ? body : null);
    return respondProblem(outside, family, account);
  }
  const dispatchedAtMs = Date.now();
  const upstream = await callProvider(call, request.method, route.path, body);
  if (upstream === "aborted") return new Response(null, { status: 499 });
  if (isProblem(upstream)) return respondProblem(upstream, family, account);
  const answer = copyAnswer(upstream, upstream.body);
  if (family === "gemini") mountUploadUrl(answer.headers, call);
  stampHeaders(answer.headers, account, dispatchedAtMs);
  return answer;
}

async function callProvider(
  { request, headers: values, scope, route, origin, admission }: Call,
  method: string,
  path: string,
  body: ReadableStream | Uint8Array | null,
  isRead = false,
) {
  const headers = cleanRequestHeaders(request.headers, values, route.provider);
  if (values.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  // An answer that is looked into has to come as it is.
  if (isRead) headers.set("accept-encoding", "identity");
  // Without a limit of ours the client's own counts: its leaving ends the call.
  const timeoutMs = Number(scope.env.FIRST_BYTE_TIMEOUT_MS) || null;
  const url = origin + path + (admission === null ? route.search : withoutKey(route.search));
  const plain = { url, method, headers, body };
  const authorized = admission === null ? plain : await authorize(plain, admission, scope);
  if (isProblem(authorized)) return authorized;
  return callUpstream(authorized, request.signal, timeoutMs);
}
