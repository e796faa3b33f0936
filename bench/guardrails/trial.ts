// One rollout, simulated: traffic in, the first rollback out.

import { GUARDS, type GuardSpec, type Metric } from "../../src/core/guardrails/guards.ts";
import type { Stratum } from "../../src/core/guardrails/arm-sums.ts";
import { addToUpstream, createUpstream, judge, type Verdict } from "../../src/core/guardrails/verdict.ts";
import { addStratum, createWatch } from "../../src/core/guardrails/watch.ts";
import { createRandom, type Random } from "./random.ts";
import { drawStratum, HEALTHY, type Arm } from "./world.ts";

export type Scenario = {
  requests: number;
  share: (at: number) => number;
  baseline: (at: number) => Arm;
  canary: (at: number) => Arm;
  specs?: readonly GuardSpec[];
  /** Canary requests before this do not count towards the time to detection. */
  brokenFrom?: number;
  /** Instead of independent requests. */
  draw?: (at: number, random: Random) => Stratum;
  designEffects?: () => { [metric in Metric]?: number };
  /** Requests between two looks; 50 unless given. */
  every?: number;
};

export type Trial = {
  /** Canary requests until the rollback, counted from where it broke; null: none came. */
  detectedAfter: number | null;
  metric: Metric | null;
  feedbacks: number;
  judged: number;
  /** Baseline requests until the notice that the baseline itself has changed, from where it broke; null: none. */
  noticedAfter: number | null;
  /** The verdict that came with the rollback, or the last one. */
  verdict: Verdict["kind"];
};

/** Ten a second: what is unusual has lasted for half an hour by the time that it is usual by its number. */
const MS_PER_REQUEST = 100;

export function runTrial(scenario: Scenario, seed: number): Trial {
  const random = createRandom(seed);
  const every = scenario.every ?? 50;
  const brokenFrom = scenario.brokenFrom ?? 0;
  const specs = scenario.specs ?? GUARDS;
  let watch = createWatch();
  let upstream = createUpstream();
  const trial: Trial = {
    detectedAfter: null,
    metric: null,
    feedbacks: 0,
    judged: 0,
    noticedAfter: null,
    verdict: "waiting",
  };
  let canary = 0;
  let baseline = 0;
  let epoch = 0;
  let shareBefore = Number.NaN;
  for (let at = 0; at < scenario.requests; at += every) {
    const share = scenario.share(at);
    if (share !== shareBefore) epoch += 1;
    shareBefore = share;
    const arms = { baseline: scenario.baseline(at), canary: scenario.canary(at) };
    const stratum = scenario.draw?.(at, random) ?? drawStratum(every, share, arms, random, epoch);
    if (at >= brokenFrom) {
      canary += stratum.canary.requests;
      baseline += stratum.baseline.requests;
      trial.feedbacks += stratum.canary.thumbs.units;
      trial.judged += stratum.canary.judge.units;
    }
    upstream = addToUpstream(upstream, stratum, watch.usual, at * MS_PER_REQUEST);
    watch = addStratum(watch, stratum, specs, scenario.designEffects?.() ?? {});
    const verdict = judge(watch, upstream, specs);
    trial.verdict = verdict.kind;
    if (verdict.changes.length > 0 && trial.noticedAfter === null) trial.noticedAfter = baseline;
    if (!verdict.isRollback) continue;
    return { ...trial, detectedAfter: canary, metric: verdict.findings[0]?.metric ?? null };
  }
  return trial;
}

export function alike(arm: Arm = HEALTHY): (at: number) => Arm {
  return () => arm;
}

/** Other seeds than the ones that the method was tuned on: `FRESH=1`, 2, … */
const FRESH = Number(process.env["FRESH"] ?? 0) * 7_919_000_003;

export function runTrials(scenario: Scenario | (() => Scenario), runs: number, seed: number): Trial[] {
  return Array.from({ length: runs }, (_, index) =>
    runTrial(typeof scenario === "function" ? scenario() : scenario, seed * 100_003 + index + FRESH),
  );
}

/** The value that `share` of the trials stay under; those without one count as never. */
export function quantile(values: (number | null)[], share: number): number {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.POSITIVE_INFINITY;
}
