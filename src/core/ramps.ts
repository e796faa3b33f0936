// A ramp as plain data: the plan that people write, and where its release stands in it. Decisions are made elsewhere
// (decide-ramp.ts, ramp-next.ts); the edge knows nothing of ramps, only of weights.

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
  /** Since when what happens upstream keeps it from going on; absent: it does not. */
  frozenSinceMs?: number;
  /** How long that was the case before, within this step: the bake time stood still. */
  frozenMs?: number;
  /** When a person was asked for, within this step. */
  askedAtMs?: number;
};

/** What the watch over the canary says of going on. `says`: in one phrase, with its numbers. */
export type RampHealth = {
  /** It is proven at the present weights not to be much worse. */
  isOpen: boolean;
  /** Whatever is proven: something is wrong that a ramp must not go on in. */
  isFrozen: boolean;
  says: string;
};

/** What a revision did to a ramp. `stop`: as asked; `end`: another change of the release put an end to it. */
export type RampEvent = "start" | "step" | "holdback" | "complete" | "pause" | "resume" | "stop" | "end";

/** In a line of the audit log. `step`: where the ramp stood after it, or when it ended. */
export type RampMark = { event: RampEvent; version: number; step: number; steps: number[] };

/** A ramp as people see it. */
export type RampView = {
  version: number;
  state: RampState;
  steps: number[];
  step: number;
  weight: number;
  stepSince: string;
  /** The next step is not taken before; null: paused or frozen. */
  notBefore: string | null;
  bakeMs: number;
  holdback: number;
  holdbackMs: number;
  askAfterMs: number;
  startedAt: string;
  startedBy: string;
  isFrozen: boolean;
  /** Nobody can tell whether it is safe: a person has to look. */
  asks: boolean;
  /** What it waits for, in words, with numbers. */
  says: string;
};
