// What a diagnosis is: for the person on call, who has to know whether it was the prompt. It puts side by side what is
// known elsewhere; each suspect comes with what speaks for it and against it, in numbers, and "nothing found" is an answer.

import type { HealthView, ReleaseEvent } from "./health.ts";
import type { ErrorClass } from "./metering/outcome.ts";
import type { MetricsView } from "./metrics-view.ts";
import type { SeenValue } from "./seen.ts";
import type { ArmName, Revision } from "./types.ts";

export type Evidence = {
  prompt: string;
  environment: string;
  sinceMs: number;
  untilMs: number;
  /** Of the window, with a series. */
  metrics: MetricsView;
  /** Newest first. */
  revisions: readonly Revision[];
  events: readonly ReleaseEvent[];
  seen: readonly SeenValue[];
  health: HealthView | null;
};

/** `before`, `after`: a rate, or milliseconds. `until`: null while it goes on. */
export type Onset = {
  at: string;
  until: string | null;
  metric: "errors" | "latency";
  before: number;
  after: number;
};

/** `credentials`: who asks is not let in; a caller, or all of the account. */
export type Cause = "prompt" | "upstream" | "model" | "caller" | "credentials";

/** `weight`: 0 to 1, to rank by; no probability. */
export type Suspect = { cause: Cause; for: string[]; against: string[]; weight: number };

export type TimelineEntry = {
  at: string;
  kind: "onset" | "release" | "model" | "caller" | ReleaseEvent["kind"];
  says: string;
};

export type Diagnosis = {
  prompt: string;
  environment: string;
  since: string;
  until: string;
  summary: string;
  /** null: neither errors nor latency rose. */
  onset: Onset | null;
  /** The likeliest first. */
  suspects: Suspect[];
  /** Newest first. */
  timeline: TimelineEntry[];
  errorClasses: { version: number; arm: ArmName; requests: number; errors: number; classes: Classes }[];
};
type Classes = { [errorClass in ErrorClass]?: number };

/** "12.3 %", "0.25 %". */
export function sayRate(rate: number): string {
  const percent = 100 * rate;
  return `${Number(percent.toPrecision(percent >= 10 ? 3 : 2))} %`;
}

export function sayMs(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function sayOnset({ metric, before, after }: Pick<Onset, "metric" | "before" | "after">): string {
  return metric === "errors"
    ? `errors rose from ${sayRate(before)} to ${sayRate(after)}`
    : `latency (median) rose from ${sayMs(before)} to ${sayMs(after)}`;
}

/** "Since … errors rose from 1 % to 20 %", or "From … until …" where it is over. */
export function saySince(onset: Onset): string {
  const when = onset.until === null ? `Since ${onset.at}` : `From ${onset.at} until ${onset.until}`;
  return `${when} ${sayOnset(onset)}`;
}
