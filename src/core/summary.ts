// Tallies as people read them: per arm, and per version. Guarantees: counts are only added; a rate without requests and a
// mean without values are null, because no data is not good data. What the baseline answered in a canary's stead is kept
// apart: requests that a canary failed are no sample of its own traffic.

import { countIn, mergeHistograms, quantileOf, type Histogram } from "./guardrails/histogram.ts";
import { meanInterval, momentsOf, quantileInterval, rateInterval, type Interval } from "./intervals.ts";
import { COST_UNIT_NANO_USD, createSums, mergeSums, SCORE_SCALE, type Sums } from "./metering/sums.ts";
import { openOf } from "./metering/tally.ts";
import type {
  ArmStats,
  CostView,
  FinishView,
  Intervals,
  StatsView,
  Times,
  TimesIntervals,
  TimesView,
  TokensView,
  VersionStats,
} from "./metrics-view.ts";
import type { Tally } from "./types.ts";

type Gathered = {
  requests: number;
  errors: number;
  aborted: number;
  lost: number;
  open: number;
  /** null: nobody told any. */
  sums: Sums | null;
};

const NANO = 1e9;
const COST_UNIT_USD = COST_UNIT_NANO_USD / NANO;

type Summary = { arms: ArmStats[]; versions: VersionStats[]; fallbacks: VersionStats[] };

/** Sums tallies per (version, arm), and per version without pinned requests, which choose their version themselves.
 * `totals`: what calls under way are read from, where `tallies` are those of a window. */
export function summarizeTallies(tallies: Iterable<Tally>, totals: Iterable<Tally> = tallies): Summary {
  const arms = new Map<string, { head: Pick<ArmStats, "version" | "arm">; all: Gathered }>();
  const versions = new Map<number, { head: Pick<VersionStats, "version">; all: Gathered }>();
  const fallbacks = new Map<number, { head: Pick<VersionStats, "version">; all: Gathered }>();
  const place = ({ version, arm, reason }: Tally, add: (all: Gathered) => void, isOpenOnly = false) => {
    const put = <Key, Head>(into: Map<Key, { head: Head; all: Gathered }>, key: Key, head: Head) => {
      let held = into.get(key);
      if (held === undefined && isOpenOnly) return;
      held ??= { head, all: createGathered() };
      into.set(key, held);
      add(held.all);
    };
    if (reason === "fallback") return put(fallbacks, version, { version });
    put(arms, `${version} ${arm}`, { version, arm });
    if (arm !== "pinned") put(versions, version, { version });
  };
  for (const tally of tallies) place(tally, (all) => gather(all, tally));
  for (const tally of totals) place(tally, (all) => void (all.open += openOf(tally)), true);
  const byVersion = (held: typeof versions): VersionStats[] =>
    [...held.values()]
      .map(({ head, all }) => ({ ...head, ...statsOf(all) }))
      .toSorted((left, right) => left.version - right.version);
  return {
    arms: [...arms.values()]
      .map(({ head, all }) => ({ ...head, ...statsOf(all) }))
      .toSorted((left, right) => left.version - right.version || (left.arm < right.arm ? -1 : 1)),
    versions: byVersion(versions),
    fallbacks: byVersion(fallbacks),
  };
}

function createGathered(): Gathered {
  return { requests: 0, errors: 0, aborted: 0, lost: 0, open: 0, sums: null };
}

function gather(all: Gathered, { requests, errors, aborted, lost = 0, sums }: Tally): void {
  all.requests += requests;
  all.errors += errors;
  all.aborted += aborted;
  all.lost += lost;
  if (sums !== undefined) all.sums = all.sums === null ? sums : mergeSums(all.sums, sums);
}

/** In a window, what was lost and came back later may take off more than was counted in it. */
const least0 = (count: number) => Math.max(0, count);

function statsOf(all: Gathered): StatsView {
  const [requests, errors, aborted] = [least0(all.requests), least0(all.errors), least0(all.aborted)];
  const rate = (count: number) => (requests === 0 ? null : count / requests);
  const sums = all.sums ?? createSums();
  const { thumbs, scores, judge } = sums;
  const rated = least0(thumbs.up) + least0(thumbs.down);
  return {
    requests,
    errors,
    aborted,
    errorRate: rate(errors),
    abortedRate: rate(aborted),
    open: least0(all.open),
    lost: least0(all.lost),
    errorClasses: Object.fromEntries(Object.entries(sums.errorClasses).filter(([, count]) => count > 0)),
    finish: all.sums === null ? null : finishOf(sums),
    latencyMs: timesOf(sums, "latency", sums.latencyMs),
    firstTokenMs: timesOf(sums, "firstToken", sums.firstTokenMs),
    tokens: tokensOf(sums),
    cost: costOf(sums),
    models: modelsOf(sums),
    thumbs: { up: least0(thumbs.up), down: least0(thumbs.down), rate: over(thumbs.up, rated) },
    scores: { units: scores.units, mean: over(scores.sum / SCORE_SCALE, scores.units) },
    judge: {
      units: judge.units,
      mean: over(judge.sum / SCORE_SCALE, judge.units),
      usd: judge.nanoUsd / NANO,
    },
    intervals: intervalsOf({ requests, errors, aborted }, all.sums),
  };
}

function over(sum: number, units: number): number | null {
  return units > 0 ? sum / units : null;
}

function finishOf({ counts }: Sums): FinishView {
  const { refusals = 0, truncations = 0, toolCalls = 0, schemaFailures = 0 } = counts;
  return { refusals, truncations, toolCalls, schemaFailures };
}

function timesOf({ histograms }: Sums, name: "latency" | "firstToken", sumMs: number): TimesView {
  const uncached = histograms[name] ?? {};
  const cached = histograms[`${name}Cached`] ?? {};
  const whole = describeTimes(mergeHistograms(uncached, cached));
  const hasBoth = countIn(cached) > 0 && countIn(uncached) > 0;
  return {
    all: whole === null ? null : { ...whole, mean: sumMs / whole.answers },
    cached: hasBoth ? describeTimes(cached) : null,
    uncached: hasBoth ? describeTimes(uncached) : null,
  };
}

function describeTimes(histogram: Histogram): Times | null {
  const { units, sum } = momentsOf(histogram);
  if (units === 0) return null;
  const at = (quantile: number) => quantileOf(histogram, quantile) ?? 0;
  return { answers: units, mean: sum / units, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function tokensOf({ usage }: Sums): TokensView {
  const { answers = 0, input = 0, output = 0, cached = 0, cacheWrite = 0, reasoning = 0 } = usage;
  if (answers <= 0) {
    return {
      answers: 0,
      input: null,
      output: null,
      cached: null,
      cacheWrite: null,
      reasoning: null,
      perAnswer: null,
    };
  }
  return { answers, input, output, cached, cacheWrite, reasoning, perAnswer: output / answers };
}

function costOf({ cost: { answers, nanoUsd, fullNanoUsd } }: Sums): CostView {
  const isKnown = answers > 0;
  return {
    answers,
    usd: isKnown ? nanoUsd / NANO : null,
    perAnswerUsd: over(nanoUsd / NANO, answers),
    fullUsd: isKnown ? fullNanoUsd / NANO : null,
    fullPerAnswerUsd: over(fullNanoUsd / NANO, answers),
  };
}

function modelsOf({ models }: Sums): StatsView["models"] {
  return Object.entries(models)
    .filter(([, answers]) => answers > 0)
    .map(([seen, answers]) => {
      const [model = "", ...fingerprint] = seen.split(" ");
      return { model, fingerprint: fingerprint.length === 0 ? null : fingerprint.join(" "), answers };
    })
    .toSorted((one, other) => other.answers - one.answers || (one.model < other.model ? -1 : 1));
}

function intervalsOf(
  { requests, errors, aborted }: Pick<StatsView, "requests" | "errors" | "aborted">,
  sums: Sums | null,
): Intervals {
  const ofRequests = (count: number) => rateInterval(count, requests);
  const ofCount = (name: keyof Sums["counts"]) =>
    sums === null ? null : ofRequests(least0(sums.counts[name] ?? 0));
  const { histograms, thumbs, scores, judge } = sums ?? createSums();
  return {
    errorRate: ofRequests(errors),
    abortedRate: ofRequests(aborted),
    timeoutRate: ofCount("timeouts"),
    refusalRate: ofCount("refusals"),
    truncationRate: ofCount("truncations"),
    schemaFailureRate: ofCount("schemaFailures"),
    latencyMs: timesIntervals(mergeHistograms(histograms.latency ?? {}, histograms.latencyCached ?? {})),
    firstTokenMs: timesIntervals(
      mergeHistograms(histograms.firstToken ?? {}, histograms.firstTokenCached ?? {}),
    ),
    outputTokens: meanInterval(momentsOf(histograms.tokens ?? {})),
    fullCostUsd: scaleInterval(meanInterval(momentsOf(histograms.cost ?? {})), COST_UNIT_USD),
    thumbsUpRate: rateInterval(least0(thumbs.up), least0(thumbs.up) + least0(thumbs.down)),
    score: scoreInterval(scores),
    judgeScore: scoreInterval(judge),
  };
}

function timesIntervals(histogram: Histogram): TimesIntervals | null {
  if (countIn(histogram) === 0) return null;
  return {
    mean: meanInterval(momentsOf(histogram)),
    p50: quantileInterval(histogram, 0.5),
    p95: quantileInterval(histogram, 0.95),
    p99: quantileInterval(histogram, 0.99),
  };
}

function scoreInterval({ units, sum, squares }: Sums["scores"]): Interval | null {
  const interval = meanInterval({ units, sum: sum / SCORE_SCALE, squares: squares / SCORE_SCALE ** 2 });
  if (interval === null) return null;
  return { low: Math.max(0, interval.low), high: Math.min(1, interval.high ?? 1) };
}

function scaleInterval(interval: Interval | null, scale: number): Interval | null {
  if (interval === null) return null;
  return { low: interval.low * scale, high: interval.high === null ? null : interval.high * scale };
}
