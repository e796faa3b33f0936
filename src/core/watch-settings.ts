// How a prompt is watched, as people set it: what each guardrail does, and who judges its answers.

import type { GuardAction, Metric } from "./guardrails/guards.ts";

/** `tolerance`: what is no regression yet. Of counts an odds ratio (1.5: up to half as many again), of times, cost and tokens
 * a share (0.1: up to 10 % more), of a judge's score a difference. */
export type GuardSetting = { action?: GuardAction; tolerance?: number };

export type GuardrailSettings = { [metric in Metric]?: GuardSetting };

export type JudgeSettings = {
  /** A prompt of the registry that answers with `{"score": 0…1}`; it gets the variables `question` and `answer`. */
  prompt: string;
  /** Where it is asked; the Worker has to hold that provider's secret. */
  provider: string;
  /** Of the canary's answers, 0 to 1; as many of the baseline's are judged. */
  sample: number;
  /** Of the answer, and of the question: what is longer is cut. */
  maxBytes: number;
  maxUsdPerDay: number;
  /** Answers of one isolate that are judged at the same time. */
  concurrency: number;
};

export const JUDGE_DEFAULTS: Pick<JudgeSettings, "sample" | "maxBytes" | "maxUsdPerDay" | "concurrency"> = {
  sample: 1,
  maxBytes: 16_384,
  maxUsdPerDay: 5,
  concurrency: 2,
};
