// Problems as HTTP: RFC 9457 `application/problem+json`, whose `type` leads to the anchor of the code in /docs.
// Guarantee: an exception never shows its message to a caller or to a log line, because messages can quote bodies.

import { PROBLEMS, type Problem } from "../core/problem.ts";

/** A bug, not an expected failure: hence no member of `PROBLEMS`. */
export const INTERNAL = { status: 500, title: "Unexpected failure", code: "internal" } as const;

const HEADERS = { "content-type": "application/problem+json", "cache-control": "no-store" };

/** Seconds to wait before the same request is worth sending again. */
const RETRY_AFTER_SECONDS = 1;

/** The body of a problem: `{type, title, status, detail, code, field?, errors?, current?, missing?}`. */
export function describeProblem(value: Problem): Record<string, unknown> {
  const { problem: code, message, ...data } = value;
  const { status, title } = PROBLEMS[code];
  return { type: `/docs#${code}`, title, status, detail: message, code, ...data };
}

export function answerProblem(value: Problem, headers: Record<string, string> = {}): Response {
  const { status, retry } = PROBLEMS[value.problem];
  const more: Record<string, string> = { ...HEADERS, ...headers };
  if (retry) more["retry-after"] = String(RETRY_AFTER_SECONDS);
  if (value.current !== undefined) more["etag"] = `"${value.current}"`;
  return new Response(JSON.stringify(describeProblem(value)), { status, headers: more });
}

/** Answers an exception, and logs one line: the id that the answer carries and the error's name, nothing else. */
export function answerException(error: unknown, requestId: string): Response {
  const name = error instanceof Error ? error.name : typeof error;
  console.error(JSON.stringify({ event: "admin_exception", requestId, error: name }));
  const { status, title, code } = INTERNAL;
  const detail = `Something failed that should not have. The log has a line with the request id ${requestId}.`;
  return new Response(JSON.stringify({ type: `/docs#${code}`, title, status, detail, code }), {
    status,
    headers: HEADERS,
  });
}
