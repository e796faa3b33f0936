// What became of one call to a provider, as plain data: the edge makes it when the answer is over, and tallies, log lines
// and Analytics Engine read it. What a provider does not say is null, never zero: no data is not good data.

import type { ArmName, Reason } from "../types.ts";

/** Tokens of one answer, as far as the provider says; null: it does not say. Zero is data. */
export type Usage = {
  inputTokens: number | null;
  outputTokens: number | null;
  cachedInputTokens: number | null;
  cacheWriteTokens: number | null;
  reasoningTokens: number | null;
};

/** `ok`: a whole good answer. `error`: an error, no answer, or a broken one. `aborted`: the client left before the end. */
export type OutcomeKind = "ok" | "error" | "aborted";

/** Why an answer failed, and whose matter that is. `provider`: its own. `asker`: who asks is not let in; no version can
 * cause that, so arms are compared without it. `request`: what was asked for, by the caller or by the version; a
 * `permission` too, because a version may ask for a model, or for more, than the account has paid for. */
const OWNERS = {
  rate_limited: "provider",
  overloaded: "provider",
  server_error: "provider",
  timeout: "provider",
  broken_stream: "provider",
  unreachable: "provider",
  credentials: "asker",
  permission: "request",
  context_length: "request",
  content_filter: "request",
  invalid_request: "request",
  variables: "request",
  other: "request",
} as const;
export type ErrorClass = keyof typeof OWNERS;
export const ERROR_CLASSES = Object.keys(OWNERS) as ErrorClass[];

export function classesOf(owner: (typeof OWNERS)[ErrorClass]): ErrorClass[] {
  return ERROR_CLASSES.filter((name) => OWNERS[name] === owner);
}

/** Says nothing about a version, neither for it nor against it. */
export function isAskers(errorClass: ErrorClass | null): boolean {
  return errorClass !== null && OWNERS[errorClass] === "asker";
}

/** How an answer ended, in one vocabulary for all formats. `refusal`: declined or stopped by a filter. */
export type Finish = "stop" | "length" | "refusal" | "tool" | "other";

/** What an answer says about itself. */
export type AnswerFacts = {
  usage: Usage | null;
  finish: Finish | null;
  /** The model that answered, and the provider's fingerprint of what runs it. */
  model: string | null;
  fingerprint: string | null;
  /** JSON was asked for; null: it was not, or nobody could tell. */
  isSchemaFailure: boolean | null;
};

/** In billionths of a dollar, whole numbers, so that sums are exact. `fullNanoUsd`: as if nothing had come out of, or gone
 * into, the provider's cache, by which arms are compared: a small canary warms its cache later. */
export type Cost = { nanoUsd: number; fullNanoUsd: number };

/** First turns of conversations and later ones are compared apart: at the beginning a canary has the first alone, and these
 * are shorter and miss the provider's cache. */
export type Turn = "first" | "later";

export type Outcome = {
  kind: OutcomeKind;
  /** Of the provider's answer; null: there was none. */
  status: number | null;
  /** null: no error. */
  errorClass: ErrorClass | null;
  /** The client left after it had waited long without a byte (or a request hung): it counts as an answer that never came. */
  isHung: boolean;
  /** From the request's last byte going up to the first event of a stream; null: no stream, or nothing came. */
  firstTokenMs: number | null;
  totalMs: number | null;
  answer: AnswerFacts | null;
  /** null: unknown, because the model's price or the usage is. */
  cost: Cost | null;
};

/** Under which tally a call is counted: fixed when it is routed, whenever it ends. `revision` is its epoch. */
export type Stamp = {
  revision: number;
  version: number;
  arm: ArmName;
  reason: Reason;
  turn: Turn;
  /** 0 to 63, of the unit; null where every request is a unit of its own. */
  unitBucket: number | null;
};
