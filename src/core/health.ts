// What the watch over a release says to people and programs: verdicts, each with its numbers. Control makes them, `status`,
// the API, the dashboard and ramps read them. Guarantee 8: without a comparison the verdict is `waiting`.

import type { GuardAction, Metric } from "./guardrails/guards.ts";

export type VerdictKind =
  | "waiting"
  | "watching"
  | "prompt"
  | "upstream"
  | "prompt+upstream"
  | "model changed";

/** One guardrail of one canary. */
export type GuardView = {
  metric: Metric;
  kind: "count" | "mean";
  action: GuardAction;
  /** What counts, in words: "answers that failed". */
  says: string;
  isCrossed: boolean;
  /** Nats at their highest, and how many it takes. */
  evidence: number;
  threshold: number;
  /** Canary over baseline: a ratio; of scores the difference. null: nothing to compare yet. `low` and `high` hold at every
   * moment at once. */
  effect: number | null;
  low: number | null;
  high: number | null;
  baseline: ArmValue;
  canary: ArmValue;
  /** Evidence counts as one over it, because a unit's requests are alike. */
  designEffect: number;
};

/** `value`: the rate of bad ones, or the mean in the metric's own unit (ms, dollars, tokens, score). */
export type ArmValue = { units: number; bad: number | null; value: number | null };

/** One canary beside its baseline, since `since`. */
export type ComparisonView = {
  baseline: number;
  canary: number;
  since: string;
  verdict: VerdictKind;
  /** The verdict in one sentence, with its numbers. */
  says: string;
  guards: GuardView[];
  /** Only where every request is assigned by itself. */
  split: {
    expected: number;
    actual: number | null;
    evidence: number;
    threshold: number;
    isMismatch: boolean;
  } | null;
  /** May the ramp go on? Nats of proof since the present weights. */
  gate: { isOpen: boolean; errors: number; time: number; threshold: number };
};

/** What changed on the baseline alone. */
export type UpstreamView = {
  metric: "errors" | "latency_tail";
  usualRate: number;
  rate: number | null;
  since: string;
};

/** The provider answers with another model, or what runs it has another fingerprint. */
export type ModelChange = { asked: string | null; from: string; to: string; since: string };

export type HealthView = {
  prompt: string;
  environment: string;
  revision: number;
  /** The worst of the comparisons'; without a canary what the baseline alone says. */
  verdict: VerdictKind;
  says: string;
  /** A ramp does not go on. */
  isFrozen: boolean;
  comparisons: ComparisonView[];
  upstream: UpstreamView[];
  modelChanges: ModelChange[];
};

/** What happened without a change of the release: verdicts that came and went, notices, ramps that wait for somebody.
 * A line of the audit log. */
export type ReleaseEvent = {
  id: number;
  environment: string;
  at: string;
  revision: number;
  kind: "verdict" | "notice" | "model changed" | "split" | "ramp";
  /** One sentence with the numbers in it. */
  says: string;
  data: { [name: string]: unknown };
};
