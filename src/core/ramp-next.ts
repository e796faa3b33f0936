// What a ramp does next: it goes on only when its time at the step is over, it is proven safe at the present weights, and
// nothing upstream is wrong. Without data it waits, for ever, and asks for a person; "inconclusive" never advances it, and
// nothing here ever takes a step back. Guarantee 8: no data is not good data.
//
// Time upstream trouble takes does not count: what a canary went through while everybody had trouble says little. While
// frozen the bake time stands still, and goes on where it was once the trouble is over.
//
// The holdback is a watch, not a step: what it is for was proven before it. At its end the canary is promoted unless
// something is wrong, but not while nobody could have told.

import { describeMs } from "./ramp-words.ts";
import { weightAt } from "./ramp-plan.ts";
import type { Ramp, RampHealth, RampView } from "./ramps.ts";

export type RampNext =
  | { kind: "wait"; says: string }
  /** `complete`: the step is the promotion. */
  | { kind: "step" | "complete"; says: string }
  /** It waits, but somebody should look. */
  | { kind: "ask"; says: string };

/** `health` null: nobody watches yet. `says` is the reason in the audit log for a step, else what is waited for. */
export function planNext(ramp: Ramp, health: RampHealth | null, nowMs: number): RampNext {
  const { plan, state } = ramp;
  const at = `${weightAt(plan, ramp.step)} %`;
  if (state === "paused") return wait(`paused at ${at}; resume it to go on`);
  if (isFrozen(ramp, health)) {
    const why = health === null ? "" : `: ${health.says}`;
    const frozenMs = nowMs - (ramp.frozenSinceMs ?? nowMs);
    if (frozenMs < plan.askAfterMs) return wait(`frozen at ${at}, its time stands still${why}`);
    return {
      kind: "ask",
      says: `frozen at ${at} for ${describeMs(frozenMs)}, so somebody has to decide${why}`,
    };
  }
  const notBeforeMs = bakedAtMs(ramp);
  const least = `${describeMs(stepMs(ramp))} at ${at}`;
  if (nowMs < notBeforeMs) {
    const what = state === "holdback" ? `the old version keeps ${plan.holdback} %, ${least}` : least;
    return wait(`${what}, ${describeMs(notBeforeMs - nowMs)} to go`);
  }
  const over = stepMs(ramp) === 0 ? `at ${at}` : `${least} are over`;
  if (health !== null && state === "holdback") {
    return { kind: "complete", says: `${over}, the holdback ends: ${health.says}` };
  }
  if (health !== null && health.isOpen) {
    const isPromotion = ramp.step === plan.steps.length - 2 && plan.holdback === 0;
    return { kind: isPromotion ? "complete" : "step", says: `${over} and proven safe: ${health.says}` };
  }
  const why = health === null ? "there is nothing to compare yet" : health.says;
  if (nowMs < asksAtMs(ramp)) return wait(`${over}, but not proven safe yet: ${why}`);
  const since = describeMs(nowMs - ramp.stepSinceMs);
  return {
    kind: "ask",
    says: `${since} at ${at} and still not proven safe, so somebody has to decide: ${why}`,
  };
}

function wait(says: string): RampNext {
  return { kind: "wait", says };
}

/** Where nothing is known it stays as it was. */
function isFrozen(ramp: Ramp, health: RampHealth | null): boolean {
  return health === null ? ramp.frozenSinceMs !== undefined : health.isFrozen;
}

function stepMs({ plan, state }: Ramp): number {
  return state === "holdback" ? plan.holdbackMs : plan.bakeMs;
}

function bakedAtMs(ramp: Ramp): number {
  return ramp.stepSinceMs + (ramp.frozenMs ?? 0) + stepMs(ramp);
}

function asksAtMs(ramp: Ramp): number {
  const longestMs = Math.max(stepMs(ramp), ramp.plan.askAfterMs);
  return ramp.stepSinceMs + (ramp.frozenMs ?? 0) + longestMs;
}

/**
 * What is to be kept of this look at the ramp: since when it is frozen, for how long it was, whether it has asked. The
 * ramp itself where there is nothing new. A clock that went back must not make a step take a day longer: the step then
 * began now.
 */
export function noteLook(ramp: Ramp, health: RampHealth | null, nowMs: number): Ramp {
  if (ramp.state === "paused") return ramp;
  let noted = ramp;
  if (nowMs < noted.stepSinceMs) noted = { ...noted, stepSinceMs: nowMs };
  const { frozenSinceMs, ...thawed } = noted;
  if (isFrozen(ramp, health)) {
    if (frozenSinceMs === undefined || frozenSinceMs > nowMs) noted = { ...noted, frozenSinceMs: nowMs };
  } else if (frozenSinceMs !== undefined) {
    const frozenMs = (noted.frozenMs ?? 0) + Math.max(0, nowMs - frozenSinceMs);
    const { askedAtMs: _, ...unasked } = thawed;
    noted = { ...unasked, frozenMs };
  }
  if (noted.askedAtMs !== undefined || planNext(noted, health, nowMs).kind !== "ask") return noted;
  return { ...noted, askedAtMs: nowMs };
}

/** How often a ramp whose time is over is looked at, should nobody report. */
const LOOK_EVERY_MS = 60_000;
/** Once somebody was asked; reports have it looked at in any case. */
const LOOK_LATER_MS = 3_600_000;

/** When to look at the ramp next (epoch ms), if nothing is heard before; null: not before somebody resumes it. */
export function nextLookMs(ramp: Ramp, nowMs: number): number | null {
  if (ramp.state === "paused") return null;
  const bakedMs = bakedAtMs(ramp);
  if (ramp.frozenSinceMs === undefined && bakedMs > nowMs) return bakedMs;
  return nowMs + (ramp.askedAtMs === undefined ? LOOK_EVERY_MS : LOOK_LATER_MS);
}

export function viewRamp(ramp: Ramp, health: RampHealth | null, nowMs: number): RampView {
  const { version, state, step, plan, stepSinceMs, startedAtMs, startedBy } = ramp;
  const { steps, bakeMs, holdback, holdbackMs, askAfterMs } = plan;
  const next = planNext(ramp, health, nowMs);
  const frozen = state !== "paused" && isFrozen(ramp, health);
  return {
    version,
    state,
    steps,
    step,
    weight: weightAt(plan, step),
    stepSince: isoTime(stepSinceMs),
    notBefore: state === "paused" || frozen ? null : isoTime(bakedAtMs(ramp)),
    bakeMs,
    holdback,
    holdbackMs,
    askAfterMs,
    startedAt: isoTime(startedAtMs),
    startedBy,
    isFrozen: frozen,
    asks: next.kind === "ask",
    says: next.says,
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
