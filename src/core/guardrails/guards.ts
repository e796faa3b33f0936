// The table of guardrails: what is watched, as what, and what "worse" means. Control, the CLI, OpenAPI, the simulation and
// the tests all read it. One budget of false alarms is shared by all that may roll back; who only notifies takes none.

import type { GuardrailSettings } from "../watch-settings.ts";
import { COUNT_RULE, type CountRule } from "./count-guard.ts";
import { SCORE_RULE, TIME_RULE, type MeanRule } from "./mean-guard.ts";

export type CountMetric =
  | "errors"
  | "timeouts"
  | "refusals"
  | "truncations"
  | "schema_failures"
  | "latency_tail"
  | "thumbs_down";
export type MeanMetric = "first_token" | "latency" | "cost" | "tokens" | "judge_score";
export type Metric = CountMetric | MeanMetric;

export type GuardAction = "rollback" | "notify" | "off";

export type GuardSpec =
  | { metric: CountMetric; kind: "count"; rule: CountRule; action: GuardAction; says: string }
  | { metric: MeanMetric; kind: "mean"; rule: MeanRule; action: GuardAction; says: string };

/** Chance, per rollout and however long it lasts, that a canary which is no worse is rolled back by any guardrail. */
export const ALPHA_TOTAL = 0.01;

const COST_RULE: MeanRule = { ...TIME_RULE, minEffect: Math.log(1.1) };

/** `action` is the default, which a prompt's own settings replace. */
export const GUARDS: readonly GuardSpec[] = [
  { metric: "errors", kind: "count", rule: COUNT_RULE, action: "rollback", says: "answers that failed" },
  { metric: "timeouts", kind: "count", rule: COUNT_RULE, action: "notify", says: "answers that never came" },
  { metric: "refusals", kind: "count", rule: COUNT_RULE, action: "rollback", says: "answers that refuse" },
  {
    metric: "truncations",
    kind: "count",
    rule: COUNT_RULE,
    action: "notify",
    says: "answers cut off by length",
  },
  {
    metric: "schema_failures",
    kind: "count",
    rule: COUNT_RULE,
    action: "notify",
    says: "answers outside the schema",
  },
  { metric: "first_token", kind: "mean", rule: TIME_RULE, action: "rollback", says: "time to first token" },
  { metric: "latency", kind: "mean", rule: TIME_RULE, action: "rollback", says: "time to the whole answer" },
  {
    metric: "latency_tail",
    kind: "count",
    rule: COUNT_RULE,
    action: "rollback",
    says: "answers slower than the baseline's slowest twentieth",
  },
  { metric: "cost", kind: "mean", rule: COST_RULE, action: "rollback", says: "cost of an answer" },
  { metric: "tokens", kind: "mean", rule: COST_RULE, action: "notify", says: "output tokens of an answer" },
  { metric: "thumbs_down", kind: "count", rule: COUNT_RULE, action: "rollback", says: "thumbs down" },
  { metric: "judge_score", kind: "mean", rule: SCORE_RULE, action: "rollback", says: "score by the judge" },
];

/**
 * The table as a prompt's settings make it. A tolerance is a promise: a canary that is truly worse by less is rolled back no
 * more often than one that is no worse at all. It also takes the place of the least effect.
 */
export function applySettings(settings: GuardrailSettings | undefined): readonly GuardSpec[] {
  if (settings === undefined) return GUARDS;
  return GUARDS.map((spec) => {
    const { action = spec.action, tolerance } = settings[spec.metric] ?? {};
    if (tolerance === undefined) return { ...spec, action };
    if (spec.kind === "count") return { ...spec, action, rule: { ...spec.rule, margin: tolerance } };
    const margin = spec.metric === "judge_score" ? tolerance : Math.log1p(tolerance);
    return { ...spec, action, rule: { ...spec.rule, margin, minEffect: margin } };
  });
}

/** Each guardrail's share of the budget: those that may roll back share it, the others look at it alone. */
export function alphaShare(specs: readonly GuardSpec[] = GUARDS): number {
  return ALPHA_TOTAL / Math.max(1, specs.filter(({ action }) => action === "rollback").length);
}
