// Every failure that Switchback expects, as one closed table: the edge, the admin API, OpenAPI, the command
// line and the tests all read it, so that a code means the same thing and carries the same status everywhere.
// An expected failure is a value (`Problem`); an exception is a bug.

type ProblemRule = { status: number; title: string; retry: boolean };

/** code → HTTP status, human title, and whether the same request may succeed when it is simply sent again. */
export const PROBLEMS = {
  prompt_not_found: { status: 404, title: "No such prompt", retry: false },
  version_not_found: { status: 404, title: "No such version", retry: false },
  provider_not_found: { status: 404, title: "No such provider", retry: false },
  environment_not_found: { status: 404, title: "No release in this environment", retry: false },
  token_not_found: { status: 404, title: "No such token", retry: false },
  key_not_found: { status: 404, title: "No such proxy key", retry: false },
  route_not_found: { status: 404, title: "No such call", retry: false },
  method_not_allowed: { status: 405, title: "Method not allowed", retry: false },
  invalid_request: { status: 400, title: "Invalid request", retry: false },
  variable_missing: { status: 400, title: "A variable of the prompt is missing", retry: false },
  variable_invalid: { status: 400, title: "A variable of the prompt is invalid", retry: false },
  unauthenticated: { status: 401, title: "Not authenticated", retry: false },
  forbidden: { status: 403, title: "Not allowed", retry: false },
  conflict: { status: 409, title: "Not possible in the present state", retry: false },
  feedback_too_late: { status: 410, title: "Too late for feedback", retry: false },
  version_revoked: { status: 410, title: "This version was revoked", retry: false },
  revision_conflict: { status: 412, title: "The release has changed since", retry: false },
  body_too_large: { status: 413, title: "The body is too large", retry: false },
  idempotency_key_reused: {
    status: 422,
    title: "Idempotency-Key was used for another request",
    retry: false,
  },
  rate_limited: { status: 429, title: "Too many requests", retry: true },
  upstream_unreachable: { status: 502, title: "The provider could not be reached", retry: true },
  release_unavailable: { status: 503, title: "No release is at hand", retry: true },
  upstream_timeout: { status: 504, title: "The provider did not answer in time", retry: true },
} as const satisfies Record<string, ProblemRule>;

export type ProblemCode = keyof typeof PROBLEMS;

export type FieldError = { field: string; message: string };

/** An expected failure. `message` names the mend; `field` is a JSON path (`params.temperature`) or a header name. */
export type Problem = {
  problem: ProblemCode;
  message: string;
  field?: string;
  errors?: FieldError[];
  /** `revision_conflict` only: the revision that the release is at now. */
  current?: number;
  /** `variable_missing` only: every variable that is missing. */
  missing?: string[];
};

export function problem(
  code: ProblemCode,
  message: string,
  more: Omit<Problem, "problem" | "message"> = {},
): Problem {
  return { problem: code, message, ...more };
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === "object" && value !== null && "problem" in value && "message" in value;
}

/** What may be said of an exception anywhere: its message may quote a request, its name does not. */
export function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : "unknown";
}

export function statusOf(value: Problem): number {
  return PROBLEMS[value.problem].status;
}
