// Numbers as sentences: short, plain, in the units that people know. They stand in `status`, in the events, and as the
// reason of a rollback in the audit log.

import type { Metric } from "../guardrails/guards.ts";
import type { GateAnswer } from "../guardrails/ramp-gate.ts";
import type { GuardView, UpstreamView } from "../health.ts";

/** What a guardrail is about, as the subject of a sentence. */
export const SUBJECTS: { readonly [metric in Metric]: string } = {
  errors: "errors",
  timeouts: "timeouts",
  refusals: "refusals",
  truncations: "answers cut off by length",
  schema_failures: "answers outside the schema",
  first_token: "time to first token",
  latency: "time to the whole answer",
  latency_tail: "slow answers",
  cost: "cost of an answer",
  tokens: "output tokens",
  thumbs_down: "thumbs down",
  judge_score: "score by the judge",
};

/** What was counted, where it is no request. */
const UNITS: { readonly [metric in Metric]?: string } = {
  first_token: "canary answers",
  latency: "canary answers",
  latency_tail: "canary answers",
  cost: "canary answers",
  tokens: "canary answers",
  thumbs_down: "canary thumbs",
  judge_score: "judged canary answers",
};

export type Lately = { baseline: number; canary: number; units: number };

/** "errors 1.0 % on v1, 8.4 % on v2 (×7.9, 4.1 to 15.2) after 310 canary requests; evidence 7.4 of 6.7" */
export function sayGuard(
  guard: GuardView,
  { baseline, canary }: { baseline: number; canary: number },
  lately: Lately | null = null,
): string {
  const { metric, evidence, threshold } = guard;
  const values = `${sayValue(metric, guard.baseline.value)} on v${baseline}, ${sayValue(metric, guard.canary.value)} on v${canary}`;
  const effect = sayEffect(guard);
  const units = `${sayCount(guard.canary.units)} ${UNITS[metric] ?? "canary requests"}`;
  const late =
    lately === null
      ? ""
      : `, in the latest ${sayCount(lately.units)} ${sayValue(metric, lately.baseline)} and ${sayValue(metric, lately.canary)}`;
  return (
    `${SUBJECTS[metric]} ${values}${effect === "" ? "" : ` (${effect})`} after ${units}${late}; ` +
    `evidence ${evidence.toFixed(1)} of ${threshold.toFixed(1)}`
  );
}

export function sayValue(metric: Metric, value: number | null): string {
  if (value === null) return "unknown";
  switch (metric) {
    case "first_token":
    case "latency":
      return sayTime(value);
    case "cost":
      return `$${value.toFixed(value >= 1 || value <= 0 ? 2 : 1 - Math.floor(Math.log10(value)))}`;
    case "tokens":
      return sayCount(Math.round(value));
    case "judge_score":
      return value.toFixed(2);
    default:
      return sayRate(value);
  }
}

/** Counts as a factor, times and costs as a difference in percent, scores as a difference. */
export function sayEffect({ kind, metric, effect, low, high }: GuardView): string {
  if (effect === null) return low === null || low === 0 ? "" : `at least ×${sayFactor(low)}`;
  if (metric === "judge_score") return range(effect, low, high, saySigned);
  if (kind === "mean") {
    return range(effect, low, high, (ratio) => `${saySigned(Math.round(100 * (ratio - 1)))} %`);
  }
  return `×${range(effect, low, high, sayFactor)}`;
}

function range(
  effect: number,
  low: number | null,
  high: number | null,
  say: (value: number) => string,
): string {
  if (low === null) return say(effect);
  return high === null
    ? `${say(effect)}, at least ${say(low)}`
    : `${say(effect)}, ${say(low)} to ${say(high)}`;
}

export function sayRate(rate: number): string {
  const percent = 100 * rate;
  if (percent === 0) return "0 %";
  if (percent < 0.1) return `${Number(percent.toPrecision(1))} %`;
  return `${percent >= 99.95 ? "100" : percent.toFixed(1)} %`;
}

function sayTime(timeMs: number): string {
  return timeMs < 10_000 ? `${sayCount(Math.round(timeMs))} ms` : `${(timeMs / 1_000).toFixed(1)} s`;
}

function sayFactor(factor: number): string {
  return factor >= 100 ? String(Math.round(factor)) : factor.toFixed(factor < 2 ? 2 : 1);
}

function saySigned(value: number): string {
  const text = Number.isInteger(value) ? String(Math.abs(value)) : Math.abs(value).toFixed(2);
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** 20310 → "20,310". */
export function sayCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "14:02 UTC" */
export function sayClock(iso: string): string {
  return `${iso.slice(11, 16)} UTC`;
}

/** "errors 1.0 % → 9.8 % on the baseline since 14:02 UTC" */
export function sayUpstream({ metric, usualRate, rate, since }: UpstreamView): string {
  const now = rate === null ? "more" : sayRate(rate);
  return `${SUBJECTS[metric]} ${sayRate(usualRate)} → ${now} on the baseline since ${sayClock(since)}`;
}

/** "proof 1.2 of 3.0 for errors, 3.4 of 3.0 for times" */
export function sayGate({ errors, time, threshold }: GateAnswer): string {
  const needed = threshold.toFixed(1);
  return `proof ${errors.toFixed(1)} of ${needed} for errors, ${time.toFixed(1)} of ${needed} for times`;
}
