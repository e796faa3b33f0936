// Feedback on one answer: what people may say of it, and what is kept of what they said. A yes or no is a thumb, a number
// from 0 to 1 a score, a text a label; the names `thumbs`, `score` and `label` take one kind each, any other name takes
// all three. Guarantee: what is kept can be counted and taken out again exactly.

import { createSums, SCORE_SCALE } from "./metering/sums.ts";
import { problem, type Problem } from "./problem.ts";
import { readSignedId, type ServedTurn, type SignedId } from "./request-id.ts";
import type { ArmName, Reason, Tally } from "./types.ts";
import type { Turn } from "./metering/outcome.ts";

/** boolean: a thumb, up or down. number: a score. string: a label. */
export type FeedbackValue = boolean | number | string;

/** One act of rating, as an edge or an admin call hands it to the prompt's Control. */
export type Feedback = {
  /** `Prompt-Request-Id` as it came. */
  requestId: string;
  name: string;
  value: FeedbackValue;
  comment: string | null;
  /** Name of the key or token that it came with. */
  by: string;
};

/** `repeated`: it was known already. `replaced`: another value or comment was, and this one counts instead. */
export type FeedbackResult = "counted" | "replaced" | "repeated";

/** What served the answer that the feedback is on. */
export type FeedbackReceipt = Pick<
  ServedTurn,
  "prompt" | "environment" | "revision" | "version" | "arm" | "reason"
> & {
  result: FeedbackResult;
};

/** As it is kept, for 30 days. `id`: for paging. */
export type FeedbackEntry = {
  id: number;
  requestId: string;
  revision: number;
  version: number;
  arm: ArmName;
  reason: Reason;
  turn: Turn;
  name: string;
  value: FeedbackValue;
  comment: string | null;
  by: string;
  servedAt: string;
  at: string;
};

/** Of one name on one version, since the prompt's first feedback. Means are null without a score: no data is not good
 * data. */
export type FeedbackTotal = {
  version: number;
  name: string;
  up: number;
  down: number;
  scores: number;
  meanScore: number | null;
  labels: number;
};

export type FeedbackQuery = {
  environment: string;
  limit: number;
  /** Only ids below this one. */
  before: number | null;
  version: number | null;
  name: string | null;
};

/** Newest first. `nextBefore`: of the next page; null: this was the last. */
export type FeedbackPage = {
  totals: FeedbackTotal[];
  feedback: FeedbackEntry[];
  nextBefore: number | null;
};

export const FEEDBACK_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const MOST_COMMENT_CHARACTERS = 2_000;
export const MOST_LABEL_CHARACTERS = 200;
/** Feedback later than this is refused. */
export const FEEDBACK_WITHIN_MS = 7 * 86_400_000;

/** The id of a turn of ours, as far as can be told without the prompt's key. */
export function readFeedbackId(requestId: string): SignedId | Problem {
  const read = readSignedId(requestId);
  if (read === null) return notOurs();
  if (read !== "plain") return read;
  return problem(
    "invalid_request",
    "request_id is of a request that no version was put into (or whose isolate had not reached the control plane yet): nothing can be said of it.",
    { field: "request_id" },
  );
}

/** Of a prompt that is not there, too: an id does not tell which prompts there are. */
export function notOurs(): Problem {
  return problem(
    "invalid_request",
    "request_id is none that this deployment has given: send the answer's header Prompt-Request-Id as it is.",
    { field: "request_id" },
  );
}

const UP = new Set<unknown>([true, "up", 1]);
const DOWN = new Set<unknown>([false, "down", 0, -1]);

/** What is kept of a value; `invalid_request` says what the name takes. */
export function readFeedbackValue(name: string, value: FeedbackValue): FeedbackValue | Problem {
  if (name === "thumbs") return readThumb(value);
  if (name === "score" && typeof value !== "number") return wrong(`must be a number from 0 to 1. ${RESCALE}`);
  if (name === "label" && typeof value !== "string") return wrong("must be a text, the label itself");
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return readLabel(value);
  return value >= 0 && value <= 1 ? value : wrong(`must be from 0 to 1. ${RESCALE}`);
}

const RESCALE = "Ratings from 1 to 5 are sent as (rating - 1) / 4";

function readThumb(value: FeedbackValue): boolean | Problem {
  if (UP.has(value)) return true;
  if (DOWN.has(value)) return false;
  return wrong('must be true or false, "up" or "down", 1 or -1 (0 is down, too)');
}

function readLabel(value: string): string | Problem {
  const label = value.trim();
  if (label.length > 0 && label.length <= MOST_LABEL_CHARACTERS) return label;
  return wrong(
    `must have 1 to ${MOST_LABEL_CHARACTERS} characters; a longer text goes into the field comment`,
  );
}

function wrong(mend: string): Problem {
  const message = `value ${mend}.`;
  return problem("invalid_request", message, { field: "value", errors: [{ field: "value", message: mend }] });
}

/** Whole numbers that are added to totals: 1 for what came, -1 for what it replaces. Scores in ten-thousandths. */
export type FeedbackCounts = {
  up: number;
  down: number;
  units: number;
  sum: number;
  squares: number;
  labels: number;
};

export function countsOf(value: FeedbackValue, times: 1 | -1): FeedbackCounts {
  const none = { up: 0, down: 0, units: 0, sum: 0, squares: 0, labels: 0 };
  if (typeof value === "string") return { ...none, labels: times };
  if (typeof value === "boolean") return value ? { ...none, up: times } : { ...none, down: times };
  const scaled = Math.round(value * SCORE_SCALE);
  return { ...none, units: times, sum: times * scaled, squares: times * scaled * scaled };
}

export function addCounts(one: FeedbackCounts, other: FeedbackCounts): FeedbackCounts {
  return {
    up: one.up + other.up,
    down: one.down + other.down,
    units: one.units + other.units,
    sum: one.sum + other.sum,
    squares: one.squares + other.squares,
    labels: one.labels + other.labels,
  };
}

/** As the time series and guardrails count it, under the turn's own key: `thumbs` and `score` alone, for a mean over several
 * questions would compare nothing. */
export function tallyOf(
  { revision, version, arm, reason, turn }: ServedTurn,
  name: string,
  { up, down, units, sum, squares }: FeedbackCounts,
): Tally | null {
  if (name !== "thumbs" && name !== "score") return null;
  const sums = { ...createSums(), thumbs: { up, down }, scores: { units, sum, squares } };
  return { revision, version, arm, reason, turn, started: 0, requests: 0, errors: 0, aborted: 0, sums };
}
