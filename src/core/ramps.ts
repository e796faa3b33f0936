// A ramp as plain data: the plan that people write, and where its release stands in it. Decisions are made elsewhere
// (decide-ramp.ts); the edge knows nothing of ramps, only of weights.

export type RampPlan = {
  /** Percents of the canary, ascending; the last one is 100. */
  steps: number[];
  /** Least time at a step. */
  bakeMs: number;
  /** Percent that the old version keeps after the last step, as something to compare with; 0: none. */
  holdback: number;
  /** How long it keeps it, before the canary is promoted. */
  holdbackMs: number;
  /** A step that was not proven safe for so long waits for a person; the ramp never advances without proof. */
  askAfterMs: number;
};

export const RAMP_DEFAULTS: RampPlan = {
  steps: [5, 25, 50, 100],
  bakeMs: 10 * 60_000,
  holdback: 5,
  holdbackMs: 24 * 3_600_000,
  askAfterMs: 24 * 3_600_000,
};

export type RampState = "running" | "paused" | "holdback";

/** Part of the state of a release, while a ramp is on. */
export type Ramp = {
  version: number;
  plan: RampPlan;
  state: RampState;
  /** Index into `plan.steps`. */
  step: number;
  /** When the step began, or when it was resumed; ms since the epoch. */
  stepSinceMs: number;
  startedAtMs: number;
  startedBy: string;
};

/** A ramp as people see it. */
export type RampView = {
  version: number;
  state: RampState;
  steps: number[];
  step: number;
  weight: number;
  stepSince: string;
  /** The next step is not taken before; null: paused. */
  notBefore: string | null;
  bakeMs: number;
  holdback: number;
  holdbackMs: number;
  startedAt: string;
  startedBy: string;
};
