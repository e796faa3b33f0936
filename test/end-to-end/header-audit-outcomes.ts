// Every way that a request can end in the header audit, as a table: what the provider does, what the client gets, what it is
// told.

import type { Header } from "../support/http-messages.ts";
import type { Reply } from "../support/upstream.ts";

export const PROMPT = "support-bot";
/** All its traffic is its canary's. */
export const SHIELDED = "shielded";
/** Of a version without variables: with them no body goes up before it was read. */
export const PLAIN = "plain";

export type Edge = "reaching" | "stranded" | "impatient";

export type Outcome = {
  /** By its `X-Case`, the attempt counted from 1; null: it does not come to that. `headers` are to be sent along. */
  answer: ((attempt: number, headers: Header[]) => Reply | "silent") | null;
  status: number;
  edge?: Edge;
  streams?: boolean;
  /** The body goes up while it comes in. */
  isLarge?: boolean;
  /** Of ours, in the caller's format. */
  error?: string;
  isBroken?: boolean;
  /** What the answer says was decided, where that is not the usual; null: nothing was before it ended. */
  decision?: { [header: string]: string } | null;
  /** The prompt that is asked for, and further headers. */
  prompt?: string;
  headers?: Header[];
  /** Only where the URL names the prompt. */
  needsPrompt?: boolean;
  /** Only with a key of ours, and this one. */
  key?: "unknown" | "elsewhere";
  /** How many requests go up. */
  asks?: number;
};

const BYTES = "data: {}\n\n";

function whole(status: number, more: Header[] = []): Outcome["answer"] {
  return (_, headers) => ({
    status,
    headers: [["content-type", "application/json"], ...headers, ...more],
    body: JSON.stringify({ error: { message: "no" } }),
  });
}

function stream(end: "clean" | "cut"): Outcome["answer"] {
  const chunks = [{ bytes: BYTES }, { bytes: BYTES }, { bytes: BYTES, afterMs: 20 }];
  return (_, headers) => ({ headers: [["content-type", "text/event-stream"], ...headers], chunks, end });
}

export const OUTCOMES: { [label: string]: Outcome } = {
  "a good answer": { answer: whole(200), status: 200 },
  "a stream": { answer: stream("clean"), status: 200, streams: true },
  "a stream that breaks off": { answer: stream("cut"), status: 200, streams: true, isBroken: true },
  "a request that the provider refuses": { answer: whole(400), status: 400 },
  "a credential that the provider refuses": { answer: whole(401), status: 401 },
  "a limit of the provider's": { answer: whole(429, [["Retry-After", "1"]]), status: 429 },
  "a failure of the provider's": { answer: whole(500), status: 500 },
  "a large body": { answer: whole(200), status: 200, prompt: PLAIN, needsPrompt: true, isLarge: true },
  "a large body that the provider refuses": {
    answer: whole(400),
    status: 400,
    prompt: PLAIN,
    needsPrompt: true,
    isLarge: true,
  },
  "a redirect": {
    answer: whole(307, [["Location", "http://127.0.0.1:1/elsewhere"]]),
    status: 307,
  },
  "no first byte": {
    answer: () => "silent",
    status: 504,
    edge: "impatient",
    error: "upstream_timeout",
  },
  "a provider out of reach": {
    answer: null,
    status: 502,
    edge: "stranded",
    error: "upstream_unreachable",
    asks: 0,
  },
  "a canary that fails": {
    answer: (attempt, headers) => whole(attempt === 1 ? 500 : 200)!(attempt, headers),
    status: 200,
    prompt: SHIELDED,
    decision: { version: "1", arm: "baseline", reason: "fallback", revision: "2", "assigned-version": "2" },
    needsPrompt: true,
    asks: 2,
  },
  "a canary that fails where a stream was asked for": {
    answer: (attempt, headers) => (attempt === 1 ? whole(404) : stream("clean"))!(attempt, headers),
    status: 200,
    prompt: SHIELDED,
    decision: { version: "1", arm: "baseline", reason: "fallback", revision: "2", "assigned-version": "2" },
    needsPrompt: true,
    streams: true,
    asks: 2,
  },
  "a name that cannot be, before the body is read": {
    answer: null,
    status: 404,
    prompt: "-NOT A NAME",
    error: "prompt_not_found",
    decision: null,
    asks: 0,
  },
  "a prompt that is not there, after the body was read": {
    answer: null,
    status: 404,
    prompt: "nobody",
    error: "prompt_not_found",
    decision: null,
    asks: 0,
  },
  "a pin that cannot be, after the body was read": {
    answer: null,
    status: 400,
    headers: [["Prompt-Version", "latest"]],
    error: "invalid_request",
    decision: null,
    needsPrompt: true,
    asks: 0,
  },
  "a version that is not there": {
    answer: null,
    status: 404,
    headers: [["Prompt-Version", "99"]],
    error: "version_not_found",
    decision: { version: "99", arm: "pinned", reason: "pinned", revision: "1" },
    needsPrompt: true,
    asks: 0,
  },
  "a key that nobody knows": {
    answer: null,
    status: 401,
    key: "unknown",
    error: "unauthenticated",
    decision: null,
    asks: 0,
  },
  "a key for another provider": {
    answer: null,
    status: 403,
    key: "elsewhere",
    error: "forbidden",
    decision: null,
    asks: 0,
  },
};
