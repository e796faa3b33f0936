// A canary beside its baseline, as a diagnosis takes it: what is worse for sure, what is alike, and what a guardrail said.
// A dozen metrics are looked at, so each has to be surer than an interval of 95 % is.

import { GUARDRAIL_ACTOR } from "./actors.ts";
import { sayMs, sayRate, type Evidence, type Onset } from "./diagnosis.ts";
import type { Trial } from "./diagnosis-trial.ts";
import type { Comparison, Estimate, MetricComparison } from "./metrics-view.ts";

const Z_95 = 1.96;
/** One in two thousand, one-sided. */
const WORSE_Z = 3.3;
const ALIKE_Z = 2;
const LEAST_UNITS = 50;
const LEAST_RATIO = 1.1;
/** Of rates, where a smaller difference is none that somebody is called for. */
const LEAST_DIFFERENCE = 0.005;

export type Contrast = {
  worse: { says: string; z: number }[];
  alike: string[];
  /** What guardrails said or did in the window, of canaries that may be blamed. */
  convictions: string[];
  /** Where only the canary is worse: since it is there. */
  onset: Onset | null;
};

const NAMES: { [metric in MetricComparison["metric"]]: string | null } = {
  errors: "answers that failed",
  // What callers do.
  aborted: null,
  timeouts: "timeouts",
  refusals: "refusals",
  truncations: "truncated answers",
  schema_failures: "answers that break their schema",
  first_token: "time to the first token",
  latency: "latency",
  latency_tail: "slow answers",
  cost: "cost",
  tokens: "tokens",
  thumbs_down: "thumbs down",
  score: "score",
  judge_score: "judge's score",
};

/** Of all pairs in the window whose canary may be blamed. */
export function contrastArms(evidence: Evidence, trial: Trial): Contrast {
  const { metrics, health, revisions, sinceMs } = evidence;
  const pairs = metrics.comparisons.filter(({ canary }) => trial.isOnTrial(canary));
  const worse = pairs.flatMap((pair) => pair.metrics.flatMap((metric) => sayWorse(pair, metric)));
  const alike = pairs.flatMap((pair) => pair.metrics.flatMap((metric) => sayAlike(pair, metric)));
  const convictions = [
    ...(health?.comparisons ?? [])
      .filter(({ verdict }) => verdict === "prompt" || verdict === "prompt+upstream")
      .map(({ says }) => `a guardrail says: ${says}`),
    ...revisions
      .filter(
        (one) =>
          one.actor === GUARDRAIL_ACTOR.name &&
          one.action === "rollback" &&
          Date.parse(one.at) >= sinceMs &&
          trial.isRelevant(one),
      )
      .map(({ revision, reason }) => `a guardrail rolled it back, revision ${revision}: ${reason}`),
  ];
  return { worse, alike: worse.length > 0 ? [] : alike, convictions, onset: onsetOf(evidence, pairs, trial) };
}

/** How many standard errors it is worse by; null: unknown. */
export function badnessOf({ metric, kind, difference, ratio }: MetricComparison): number | null {
  const sign = metric === "score" || metric === "judge_score" ? -1 : 1;
  const z = kind === "typical" ? zOf(ratio, Math.log) : zOf(difference, (value) => value);
  return z === null ? null : sign * z;
}

function zOf(estimate: Estimate | null, scale: (value: number) => number): number | null {
  if (estimate === null) return null;
  const { value, low, high } = estimate;
  if (value === null || low === null || high === null) return null;
  const error = (scale(high) - scale(low)) / (2 * Z_95);
  return error > 0 && Number.isFinite(error) ? scale(value) / error : null;
}

function sayWorse({ baseline, canary }: Comparison, metric: MetricComparison): Contrast["worse"] {
  const name = NAMES[metric.metric];
  const z = badnessOf(metric);
  if (name === null || z === null || z < WORSE_Z || !matters(metric)) return [];
  const [of, than] = [sayValue(metric, "canary"), sayValue(metric, "baseline")];
  const units = `${metric.canary.units} and ${metric.baseline.units} on the same traffic`;
  return [{ says: `${name}: ${of} of v${canary}, ${than} of v${baseline} (${units})`, z }];
}

function matters({ kind, difference, ratio }: MetricComparison): boolean {
  if (kind === "typical") return (ratio?.value ?? 1) >= LEAST_RATIO;
  return Math.abs(difference?.value ?? 0) >= LEAST_DIFFERENCE;
}

function sayAlike({ baseline, canary }: Comparison, metric: MetricComparison): string[] {
  const z = badnessOf(metric);
  const isAlike = z === null ? isSame(metric) : Math.abs(z) < ALIKE_Z;
  if (metric.metric !== "errors" || !isAlike) return [];
  if (Math.min(metric.canary.units, metric.baseline.units) < LEAST_UNITS) return [];
  const values = `${sayValue(metric, "canary")} of v${canary} fail, ${sayValue(metric, "baseline")} of v${baseline}`;
  return [`both arms are alike: ${values}`];
}

function isSame({ canary, baseline }: MetricComparison): boolean {
  return canary.value !== null && canary.value === baseline.value;
}

function sayValue({ metric, kind, ...arms }: MetricComparison, arm: "baseline" | "canary"): string {
  const { value } = arms[arm];
  if (value === null) return "unknown";
  if (kind === "rate") return sayRate(value);
  if (metric === "latency" || metric === "first_token") return sayMs(value);
  return metric === "cost" ? `$${value.toPrecision(3)}` : String(Number(value.toPrecision(3)));
}

function onsetOf({ metrics }: Evidence, pairs: readonly Comparison[], trial: Trial): Onset | null {
  for (const pair of pairs) {
    for (const name of ["errors", "latency"] as const) {
      const metric = pair.metrics.find((one) => one.metric === name);
      if (metric === undefined || sayWorse(pair, metric).length === 0) continue;
      const { stepS = 0, points = [] } = metrics.series ?? {};
      const own = points.filter(({ arm, version }) => arm === "canary" && version === pair.canary);
      const [first, last] = [own[0], own.at(-1)];
      const [before, after] = [metric.baseline.value, metric.canary.value];
      if (first === undefined || last === undefined || before === null || after === null) continue;
      const end = new Date(Date.parse(last.at) + stepS * 1_000).toISOString();
      const until = trial.isServed(pair.canary) ? null : end;
      return { at: first.at, until, metric: name, before, after };
    }
  }
  return null;
}
