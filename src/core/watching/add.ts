// Reports into the watch: tallies gather in open strata and are compared once a stratum is full, or some time after its
// epoch is over. Only what was split by chance is compared (reason `split`); pinned, drained, fenced and fallback requests
// are not. Whenever a call ends, it is counted into the epoch that it was routed in.

import { createArmSums, isFull, mergeArmSums } from "../guardrails/arm-sums.ts";
import type { GuardSpec } from "../guardrails/guards.ts";
import { addToGate, createRampGate } from "../guardrails/ramp-gate.ts";
import { addSplit, splitEvidence } from "../guardrails/split-check.ts";
import { addToUpstream, UPSTREAM_METRICS } from "../guardrails/verdict.ts";
import { addStratum, addUsual, countsOf, meansOf } from "../guardrails/watch.ts";
import { ERROR_CLASSES, isAskers } from "../metering/outcome.ts";
import { mergeCounts } from "../metering/sums.ts";
import type { Tally, Unit } from "../types.ts";
import { armSumsOf } from "./arms.ts";
import { addClumps, designEffectsOf } from "./clumps.ts";
import { addModels } from "./models.ts";
import type {
  BaselineWatch,
  EnvironmentWatch,
  Epoch,
  ErrorClasses,
  OpenStratum,
  PairSplit,
  PairWatch,
} from "./state.ts";

export type WatchContext = {
  specs: readonly GuardSpec[];
  unit: Unit;
  /** The model that the baseline's version asks for; null: callers choose. */
  forcedModel: string | null;
  nowMs: number;
};

/** `askedModels`: names of models that stood in callers' own bodies. */
export type Seen = { tallies: readonly Tally[]; askedModels?: readonly string[] };

/** A stratum of an epoch that is over waits so long for calls that are still under way. */
export const LATE_MS = 10 * 60_000;
const MOST_OPEN = 24;
/** Reading the design effects anew at every stratum would be the largest part of an evaluation. */
const DESIGN_AFTER = 1.05;
/** Reasons for which the baseline's answers say nothing about how it usually is: others chose them. */
const CHOSEN = new Set(["pinned", "fallback"]);

/** All of a report, each tally once. */
export function addSeen(watch: EnvironmentWatch, seen: Seen, context: WatchContext): EnvironmentWatch {
  const { askedModels = [] } = seen;
  // What was presumed lost and came back is taken off the counters; what it was compared in is closed.
  const tallies = seen.tallies.filter(({ requests, errors }) => requests >= 0 && errors >= 0);
  const ofBaseline = tallies.filter(
    ({ version, arm, reason }) =>
      arm === "baseline" && version === watch.baseline.version && !CHOSEN.has(reason),
  );
  const baseline = addToBaseline(watch.baseline, ofBaseline, askedModels, context);
  // What was proven was proven of another model; and after an incident, bets on few failures are lost for good.
  const provesAnew =
    baseline.models.changes.at(-1) !== watch.baseline.models.changes.at(-1) ||
    UPSTREAM_METRICS.some(
      (metric) => watch.baseline.upstream[metric].isChanged && !baseline.upstream[metric].isChanged,
    );
  const split = tallies.filter(({ reason }) => reason === "split");
  const pairs = watch.pairs.map((pair) => {
    const next = closeStrata(addToPair(pair, split, context), context);
    return provesAnew ? { ...next, gate: { ...next.gate, proof: createRampGate() } } : next;
  });
  return { ...watch, baseline, pairs };
}

/** Compares what has waited long enough. */
export function passTime(watch: EnvironmentWatch, context: WatchContext): EnvironmentWatch {
  const pairs = watch.pairs.map((pair) => closeStrata(pair, context));
  return pairs.every((pair, index) => pair === watch.pairs[index]) ? watch : { ...watch, pairs };
}

/** When `passTime` has something to do (ms); null: never. */
export function nextClosingMs({ pairs }: EnvironmentWatch): number | null {
  const times = pairs.flatMap(({ open, epochs }) =>
    open.flatMap(({ epoch }) => {
      const endedAtMs = epochs.find(({ revision }) => revision === epoch)?.endedAtMs ?? null;
      return endedAtMs === null ? [] : [endedAtMs + LATE_MS];
    }),
  );
  return times.length === 0 ? null : Math.min(...times);
}

function addToBaseline(
  watch: BaselineWatch,
  tallies: readonly Tally[],
  asked: readonly string[],
  { forcedModel, nowMs }: WatchContext,
): BaselineWatch {
  let { models, open } = watch;
  let { errorClasses } = watch;
  for (const tally of tallies) {
    open = mergeArmSums(open, armSumsOf(tally));
    errorClasses = addClasses(errorClasses, tally);
  }
  if (tallies.length > 0 || asked.length > 0) {
    const seen = tallies.map(({ sums }) => sums?.models ?? {}).reduce(mergeCounts, {});
    models = addModels(models, seen, { forced: forcedModel, asked, nowMs });
  }
  const seenAtMs = tallies.some(({ requests }) => requests > 0) ? nowMs : watch.seenAtMs;
  const next = { ...watch, models, open, errorClasses, seenAtMs };
  return isFull({ baseline: open, canary: NOTHING }) ? closeBaseline(next, nowMs) : next;
}

function addClasses(held: ErrorClasses, { sums }: Tally): ErrorClasses {
  const next = { ...held };
  for (const name of ERROR_CLASSES) {
    const failed = isAskers(name) ? 0 : (sums?.errorClasses[name] ?? 0);
    if (failed > 0) next[name] = (next[name] ?? 0) + failed;
  }
  return next;
}

const NOTHING = createArmSums();

function closeBaseline(watch: BaselineWatch, nowMs: number): BaselineWatch {
  // By what was usual before: a stratum must not choose the bound that it is judged by.
  const upstream = addToUpstream(
    watch.upstream,
    { baseline: watch.open, canary: NOTHING },
    watch.usual,
    nowMs,
  );
  const risingSinceMs = { ...watch.risingSinceMs };
  for (const metric of UPSTREAM_METRICS) {
    const isRising = Math.max(...upstream[metric].detector.sums) > 0;
    risingSinceMs[metric] = isRising ? (risingSinceMs[metric] ?? nowMs) : null;
  }
  return {
    ...watch,
    open: createArmSums(),
    usual: addUsual(watch.usual, watch.open),
    upstream,
    risingSinceMs,
    errorClasses: risingSinceMs.errors === null ? {} : watch.errorClasses,
  };
}

function addToPair(pair: PairWatch, tallies: readonly Tally[], { unit }: WatchContext): PairWatch {
  let next = pair;
  for (const tally of tallies) {
    const arm = armIn(pair, tally);
    const epoch = pair.epochs.find(({ revision }) => revision === tally.revision);
    if (arm === null || epoch === undefined) continue;
    next = {
      ...next,
      open: addToOpen(next.open, arm, tally),
      errorClasses: arm === "canary" ? addClasses(next.errorClasses, tally) : next.errorClasses,
      clumps: next.clumps === null ? null : addClumps(next.clumps, arm, tally),
      split: unit === "request" ? addToSplit(next.split, arm, tally, epoch) : next.split,
    };
  }
  if (next.split === pair.split) return next;
  return {
    ...next,
    split: { ...next.split, peak: Math.max(next.split.peak, splitEvidence(next.split.check)) },
  };
}

function armIn(pair: PairWatch, { arm, version }: Tally): "baseline" | "canary" | null {
  if (arm === "pinned" || version !== pair[arm]) return null;
  return arm;
}

function addToOpen(
  open: readonly OpenStratum[],
  arm: "baseline" | "canary",
  tally: Tally,
): readonly OpenStratum[] {
  const { revision: epoch, turn = null } = tally;
  const added = armSumsOf(tally);
  const held = open.find((one) => one.epoch === epoch && one.turn === turn);
  if (held === undefined) {
    const none = { epoch, turn, baseline: createArmSums(), canary: createArmSums() };
    return [...open, { ...none, [arm]: added }];
  }
  const merged = { ...held, [arm]: mergeArmSums(held[arm], added) };
  return open.map((one) => (one === held ? merged : one));
}

/** By calls that began: a slow canary's end later, which must not look like a share that is missing. */
function addToSplit(split: PairSplit, arm: "baseline" | "canary", tally: Tally, { share }: Epoch): PairSplit {
  const units = tally.started ?? tally.requests;
  const canary = arm === "canary" ? units : 0;
  return {
    ...split,
    check: addSplit(split.check, { units, canary, share }),
    units: split.units + units,
    canary: split.canary + canary,
    expected: split.expected + units * share,
  };
}

function closeStrata(pair: PairWatch, context: WatchContext): PairWatch {
  const endedAtMs = (epoch: number) =>
    pair.epochs.find(({ revision }) => revision === epoch)?.endedAtMs ?? Number.POSITIVE_INFINITY;
  const isDue = (stratum: OpenStratum) =>
    isFull(stratum) || endedAtMs(stratum.epoch) + LATE_MS <= context.nowMs;
  const due = pair.open.filter((stratum, index) => isDue(stratum) || index < pair.open.length - MOST_OPEN);
  if (due.length === 0) return pair;
  const rest = { ...pair, open: pair.open.filter((stratum) => !due.includes(stratum)) };
  return due.reduce<PairWatch>((next, stratum) => compare(next, stratum, context), rest);
}

function compare(pair: PairWatch, stratum: OpenStratum, { specs, unit, nowMs }: WatchContext): PairWatch {
  const designed = unit === "request" ? pair : design(pair);
  const { designEffects, state, gate } = designed;
  const effects = unit === "request" ? {} : designEffects;
  // Late feedback says nothing about traffic.
  const isBoth = stratum.baseline.requests > 0 && stratum.canary.requests > 0;
  const proof = {
    errors: countsOf("errors", stratum, state.usual)[0]!,
    latency: meansOf("latency", stratum, state.usual),
  };
  return {
    ...designed,
    state: addStratum(state, stratum, specs, effects),
    gate: stratum.epoch < gate.since ? gate : { ...gate, proof: addToGate(gate.proof, proof, effects) },
    comparedAtMs: isBoth ? nowMs : pair.comparedAtMs,
  };
}

/** Design effects as of now, where enough has come in since they were read last. */
function design(pair: PairWatch): PairWatch {
  const { clumps, state } = pair;
  if (clumps === null) return pair;
  const { errors, thumbs_down: thumbs, judge_score: judged } = state.guards;
  const requests = requestsIn(clumps.baseline) + requestsIn(clumps.canary);
  const isKnown = pair.designEffects.errors !== undefined;
  if (isKnown && (requests === 0 || requests < pair.designedAt * DESIGN_AFTER)) return pair;
  const share = (units = 0) => units / Math.max(1, errors?.canaryUnits ?? 0);
  const feedback = { thumbs: share(thumbs?.canaryUnits), judged: share(judged?.canaryUnits) };
  return { ...pair, designEffects: designEffectsOf(clumps, feedback), designedAt: requests };
}

function requestsIn({ buckets }: NonNullable<PairWatch["clumps"]>["baseline"]): number {
  let sum = 0;
  for (const bucket in buckets) sum += buckets[bucket]?.[0] ?? 0;
  return sum;
}
