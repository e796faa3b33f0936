// Calls of the control plane, by the table of operations. A write carries a fresh Idempotency-Key, and a failure
// that may have lost only the answer (no connection, 502, 503, 504) is tried again under the same key, so that a
// rollback in a bad network happens once and does happen. Every failure comes back as a problem document (RFC 9457),
// our own included, and none of them holds the token.

import type * as z from "zod";
import {
  buildPath,
  isPromptWrite,
  OPERATIONS,
  type Operation,
  type OperationId,
} from "../admin/operations.ts";
import type { Settings } from "./settings.ts";

export type Input = {
  params?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | undefined>;
  body?: Record<string, unknown>;
  /** The revision that the caller believes to be the newest. */
  ifMatch?: number | undefined;
};

export type Answer<Id extends OperationId> = z.output<(typeof OPERATIONS)[Id]["response"]>;

/** `text` is what the server said, byte for byte. */
export type Reply<Body> = { ok: true; status: number; text: string; body: Body };

export type ProblemBody = {
  title: string;
  detail?: string;
  code: string;
  status?: number;
  field?: string;
  errors?: { field: string; message: string }[];
  current?: number;
  missing?: string[];
};

export type Refusal = { ok: false; text: string; problem: ProblemBody };

export type Client = {
  url: string;
  call<Id extends OperationId>(id: Id, input?: Input): Promise<Reply<Answer<Id>> | Refusal>;
  /** The same client, but for these options. */
  with(changes: Partial<ClientOptions>): Client;
};

export type ClientOptions = {
  settings: Settings;
  /** Replies are handed through without a look at their shape: `--json` promises the server's own. */
  unchecked: boolean;
  newKey(): string;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Ends calls and waits early. */
  signal?: AbortSignal;
  /** About to try again, for the `attempt`th time. */
  onRetry(why: string, attempt: number): void;
};

/** Waits between the attempts, in ms: a write is worth more patience than a look. */
const WRITE_PAUSES_MS = [200, 400, 800, 1600];
const READ_PAUSES_MS = [150, 400];
const TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;
const TRANSIENT = new Set([502, 503, 504]);

export function createClient(options: ClientOptions): Client {
  return {
    url: options.settings.url,
    async call<Id extends OperationId>(id: Id, input: Input = {}): Promise<Reply<Answer<Id>> | Refusal> {
      const operation = OPERATIONS[id];
      const sent = await send(options, operation, input);
      if ("problem" in sent) return sent;
      return readReply<Answer<Id>>(operation, sent, options.unchecked);
    },
    with: (changes) => createClient({ ...options, ...changes }),
  };
}

export function isRefusal(value: object): value is Refusal {
  return "ok" in value && value.ok === false;
}

/** A failure that the server knows nothing of. */
export function localProblem(code: string, title: string, detail: string): Refusal {
  const problem = { type: "about:blank", title, detail, code };
  return { ok: false, text: JSON.stringify(problem), problem };
}

type Received = { status: number; text: string; retryAfter: string | null };

async function send(options: ClientOptions, operation: Operation, input: Input): Promise<Received | Refusal> {
  const request = buildRequest(options, operation, input);
  const pauses = pausesOf(operation);
  for (let attempt = 0; ; attempt += 1) {
    const received = await fetchOnce(request, options.signal);
    const failed = "problem" in received;
    if (!failed && !TRANSIENT.has(received.status)) return received;
    const pauseMs = pauses[attempt];
    if (pauseMs === undefined || options.signal?.aborted) return received;
    options.onRetry(
      failed ? (received.problem.detail ?? "") : `The server answered ${received.status}.`,
      attempt + 2,
    );
    const leastMs = failed ? 0 : readPauseMs(received.retryAfter);
    await options.sleep(Math.max(pauseMs, leastMs), options.signal);
  }
}

/** Minting a token knows no key: a second try could mint a second token that nobody ever sees. */
function pausesOf(operation: Operation): number[] {
  if (!operation.writes) return READ_PAUSES_MS;
  return isPromptWrite(operation) || operation.method === "DELETE" ? WRITE_PAUSES_MS : [];
}

function readPauseMs(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? 0);
  return Number.isFinite(seconds) ? Math.min(LONGEST_PAUSE_MS, Math.max(0, seconds * 1000)) : 0;
}

type Prepared = { url: URL; method: string; headers: Record<string, string>; body: string | null };

function buildRequest(options: ClientOptions, operation: Operation, input: Input): Prepared {
  const url = new URL(options.settings.url + buildPath(operation, input.params ?? {}));
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers: Record<string, string> = {
    authorization: `Bearer ${options.settings.token}`,
    accept: "application/json, application/problem+json",
  };
  if (input.body) headers["content-type"] = "application/json";
  if (isPromptWrite(operation)) headers["idempotency-key"] = options.newKey();
  if (input.ifMatch !== undefined) headers["if-match"] = `"${input.ifMatch}"`;
  return { url, method: operation.method, headers, body: input.body ? JSON.stringify(input.body) : null };
}

async function fetchOnce(request: Prepared, signal: AbortSignal | undefined): Promise<Received | Refusal> {
  const { url, ...init } = request;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    const text = await response.text();
    return { status: response.status, text, retryAfter: response.headers.get("retry-after") };
  } catch (error) {
    return localProblem(
      "unreachable",
      "The control plane cannot be reached",
      `${url.origin}: ${describeFailure(error)}.`,
    );
  }
}

const FAILURES: { [code: string]: string } = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection broke",
  UND_ERR_SOCKET: "the connection broke",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the name of the host cannot be looked up",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** Of the error only its code is told: its message may quote what was sent. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return "the request failed";
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  const code = codeOf(error.cause) ?? codeOf(error);
  return code === null ? "the request failed" : (FAILURES[code] ?? `the request failed (${code})`);
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : null;
}

function readReply<Body>(
  operation: Operation,
  received: Received,
  unchecked: boolean,
): Reply<Body> | Refusal {
  const { status, text } = received;
  const value = parseJson(text);
  if (status < 200 || status > 299) return readProblem(received, value);
  if (value === undefined) return unexpected(`It answered ${status}, but not in JSON.`);
  if (unchecked) return { ok: true, status, text, body: value as Body };
  const checked = operation.response.safeParse(value);
  if (checked.success) return { ok: true, status, text, body: checked.data as Body };
  const where = checked.error.issues[0]?.path.join(".") ?? "";
  return unexpected(
    `It answered ${status}, ${operation.writes ? "so the change has taken effect, " : ""}but the answer is not understood ` +
      `(at "${where}"); --json shows it. This command line and the server may be of different releases.`,
  );
}

function readProblem(received: Received, value: unknown): Refusal {
  const { status, text } = received;
  const body = value as Partial<ProblemBody> | undefined;
  if (typeof body?.code === "string" && typeof body.title === "string") {
    return { ok: false, text, problem: body as ProblemBody };
  }
  return unexpected(`It answered ${status} without a problem document: is the URL the one of a Switchback?`);
}

function unexpected(detail: string): Refusal {
  return localProblem("unexpected_answer", "The answer is not one of a control plane", detail);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
