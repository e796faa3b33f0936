// What the client gets from us: the headers of contract §2.3, and errors of our own in the caller's wire format, so
// that its SDK raises the right exception and retries only where retrying can help.

import { nameOfError, PROBLEMS, statusOf, type Problem, type ProblemCode } from "../core/problem.ts";
import type { Assignment } from "../core/types.ts";
import { errorBody, errorHeaders } from "../wire/errors.ts";
import type { Family } from "../wire/wire.ts";
import type { SealedAs } from "./seal.ts";

/** What is known of a request so far; every answer, an error too, explains itself with it. */
export type Account = {
  /** Random; what log lines have. */
  requestId: string;
  /** What the client gets instead, with the random one in it: feedback is given by it. null: by the plain one, none is. */
  signedId: string | null;
  /** Set where a version is about to serve the turn. */
  sealedAs: SealedAs | null;
  startedAtMs: number;
  prompt: string | null;
  assignment: Assignment | null;
  /** The canary that could not be served, where the baseline answers instead. */
  assignedVersion: number | null;
  /** The client that the prompt's settings give no prompt to. */
  skipped: string | null;
};

export function stampHeaders(headers: Headers, account: Account, dispatchedAtMs: number): void {
  headers.set("prompt-request-id", idFor(account));
  headers.append("server-timing", `proxy;dur=${Math.max(0, dispatchedAtMs - account.startedAtMs)}`);
  if (account.prompt !== null) headers.set("prompt-name", printable(account.prompt));
  if (account.skipped !== null) headers.set("prompt-skipped", account.skipped);
  const { assignment } = account;
  if (assignment === null) return;
  headers.set("prompt-version", String(assignment.version));
  headers.set("prompt-arm", assignment.arm);
  headers.set("prompt-revision", String(assignment.revision));
  headers.set("prompt-reason", assignment.reason);
  if (account.assignedVersion !== null)
    headers.set("prompt-assigned-version", String(account.assignedVersion));
}

function idFor({ signedId, requestId }: Account): string {
  return signedId ?? requestId;
}

/** A name that is nobody's yet comes from the caller: no byte of it may break a header. */
function printable(name: string): string {
  return name.replace(/[^\w@.-]/g, "_").slice(0, 128);
}

/** Seconds. A limit is counted by the minute, and nobody says when the next one begins. */
const RETRY_AFTER: { [code in ProblemCode]?: string } = { release_unavailable: "1", rate_limited: "10" };

export function respondProblem(value: Problem, family: Family, account: Account): Response {
  const headers = new Headers({ "content-type": "application/json", "prompt-error": value.problem });
  stampHeaders(headers, account, Date.now());
  const rule = PROBLEMS[value.problem];
  if (!rule.retry) headers.set("x-should-retry", "false");
  const retryAfter = RETRY_AFTER[value.problem];
  if (retryAfter !== undefined) headers.set("retry-after", retryAfter);
  const id = idFor(account);
  const own = errorHeaders(family, value, id);
  for (const [name, text] of Object.entries(own)) headers.set(name, text);
  return new Response(errorBody(family, value, id), { status: statusOf(value), headers });
}

/** A bug of ours must not leak details, nor turn into an un-prompted call. The log has a line with the request's id. */
export function respondFailure(error: unknown, account: Account): Response {
  const { requestId } = account;
  console.error(JSON.stringify({ event: "proxy_failed", requestId, error: nameOfError(error) }));
  const headers = new Headers({ "prompt-error": "internal" });
  stampHeaders(headers, account, Date.now());
  const message = `The proxy failed. Its log has a line with the request id ${requestId}.`;
  const body = { error: { message, type: "server_error", param: null, code: "internal" } };
  return Response.json(body, { status: 500, headers });
}
