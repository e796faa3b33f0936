// Every call to a provider with a version in it is counted twice: when it is sent, and once when it is over, whatever became
// of it, under the stamp that it got when it was routed. What was sent and is never over is known by the difference.
// Guarantee 6: nothing here fails or delays a request.

import type { AnswerFacts, Outcome, OutcomeKind, Stamp } from "../core/metering/outcome.ts";
import { nameOfError, type Problem } from "../core/problem.ts";
import type { AnswerReading } from "../wire/answer-reader.ts";
import { classifyError } from "../wire/error-class.ts";
import { isSchemaFailure, type JsonDemand } from "../wire/json-demand.ts";
import { emitRecord } from "./emit.ts";
import type { JudgeSample } from "./judge-draw.ts";
import { priceAnswer } from "./prices.ts";
import { scheduleFlush, type Entry, type Scope } from "./releases.ts";
import { addOutcome, addStarted } from "./tallies.ts";

/** What is known of a call when it is sent. */
export type CallTraits = {
  stamp: Stamp;
  provider: string;
  /** null: the request names none. */
  askedModel: string | null;
  streams: boolean;
  /** JSON that is wanted of the answer. */
  demand: JsonDemand | null;
  /** The answer is to be judged, should it be a good one; null: it is not. */
  sample: JudgeSample | null;
};

/** A call under way. It holds no body and no I/O object: isolates have thousands of them. */
export type OpenCall = CallTraits & {
  entry: Entry;
  requestId: string;
  startedAtMs: number;
  isSettled: boolean;
};

/** How a call ended. `problem`: ours, where the provider gave no answer, or only half of one. */
export type CallEnd = {
  kind: OutcomeKind;
  status: number | null;
  problem: Problem | null;
  /** `x-amzn-errortype`, or its like. */
  errorName: string | null;
  reading: AnswerReading | null;
  firstTokenMs: number | null;
  /** Nothing of the answer came. */
  isSilent: boolean;
  /** A session, whose length says nothing. */
  isSession?: true;
};

/** A client that leaves without a byte after so long has given up waiting: the answer never came. */
const ABANDONED_AFTER_MS = 30_000;
/** Whatever is under way for longer counts as never answered. */
const HUNG_AFTER_MS = 600_000;

export const NO_ANSWER: CallEnd = {
  kind: "error",
  status: null,
  problem: null,
  errorName: null,
  reading: null,
  firstTokenMs: null,
  isSilent: true,
};

export function beginCall(entry: Entry, requestId: string, traits: CallTraits, scope: Scope): OpenCall {
  const open = { ...traits, entry, requestId, startedAtMs: Date.now(), isSettled: false };
  entry.open.add(open);
  addStarted(entry.tallies, open.stamp);
  scheduleFlush(entry, scope);
  return open;
}

/** It was not the provider's to answer after all. */
export function withdrawCall(open: OpenCall): void {
  if (open.isSettled) return;
  open.isSettled = true;
  open.entry.open.delete(open);
  addStarted(open.entry.tallies, open.stamp, -1);
}

/** Counts the call once; as what, or null where it was counted before. Never throws. */
export function settleCall(open: OpenCall, end: CallEnd, scope: Scope): OutcomeKind | null {
  if (open.isSettled) return null;
  open.isSettled = true;
  open.entry.open.delete(open);
  const outcome = safely(() => outcomeOf(open, end, Date.now()));
  if (outcome === null) return null;
  const { provider, askedModel } = open;
  const facts = outcome.answer;
  const cost = facts === null ? null : priceAnswer({ provider, askedModel, facts });
  if (cost instanceof Promise) {
    scope.ctx.waitUntil(cost.then((known) => record(open, { ...outcome, cost: known }, scope)));
  } else {
    record(open, { ...outcome, cost }, scope);
  }
  return outcome.kind;
}

/** Calls that nobody will hear of any more, before a report is made. The oldest stand first. */
export function settleHung(entry: Entry, scope: Scope, nowMs: number): void {
  const limitMs = Number(scope.env.HUNG_AFTER_MS) || HUNG_AFTER_MS;
  for (const open of entry.open) {
    if (nowMs - open.startedAtMs < limitMs) return;
    open.isSettled = true;
    entry.open.delete(open);
    const outcome = outcomeOf(open, NO_ANSWER, nowMs);
    record(open, { ...outcome, errorClass: "timeout", isHung: true }, scope);
  }
}

function record(open: OpenCall, outcome: Outcome, scope: Scope): void {
  const { entry, stamp, requestId, provider, askedModel, streams } = open;
  safely(() => {
    addOutcome(entry.tallies, stamp, outcome);
    scheduleFlush(entry, scope);
  });
  const { prompt, environment } = entry;
  emitRecord({ requestId, prompt, environment, provider, askedModel, stamp, outcome, streams }, scope.env);
}

/** null: it failed, which is a bug, and a line in the log. The request goes on. */
export function safely<Result>(meter: () => Result): Result | null {
  try {
    return meter();
  } catch (error) {
    console.error(JSON.stringify({ event: "metering_failed", error: nameOfError(error) }));
    return null;
  }
}

function outcomeOf(open: OpenCall, end: CallEnd, nowMs: number): Outcome {
  const { status, problem, reading, errorName, firstTokenMs } = end;
  const tookMs = Math.max(0, nowMs - open.startedAtMs);
  const totalMs = end.isSession === true ? null : tookMs;
  const kind = kindOf(end);
  const isHung = kind === "aborted" && end.isSilent && tookMs >= ABANDONED_AFTER_MS;
  const words = reading?.errorText ?? null;
  const isCut = kind === "error" && problem === null && words === null && status !== null && status < 400;
  const errorClass =
    kind !== "error"
      ? null
      : isBroken(end) || isCut
        ? "broken_stream"
        : classifyError(status, words, problem, errorName);
  return {
    kind,
    status,
    errorClass,
    isHung,
    firstTokenMs,
    totalMs,
    answer: factsOf(open, reading),
    cost: null,
  };
}

/** The connection broke after the answer had begun. */
function isBroken({ problem, status }: CallEnd): boolean {
  return problem?.problem === "upstream_unreachable" && status !== null && status < 400;
}

/** What an answer says of itself goes before how its connection ended: an error in a stream that ends well is one, and a
 * client that hangs up right after the last event has got all of it. */
function kindOf({ kind, reading, status }: CallEnd): OutcomeKind {
  if (reading === null || status === null || status >= 400) return kind;
  if (reading.isError) return "error";
  if (kind === "aborted" && reading.isEnd) return "ok";
  const isUnderstood = reading.facts.model !== null || reading.facts.usage !== null;
  const isWhole = reading.isEnd || reading.facts.finish !== null;
  return kind === "ok" && isUnderstood && !isWhole ? "error" : kind;
}

function factsOf({ demand }: OpenCall, reading: AnswerReading | null): AnswerFacts | null {
  if (reading === null) return null;
  if (demand === null) return reading.facts;
  return { ...reading.facts, isSchemaFailure: isSchemaFailure(reading, demand) };
}
