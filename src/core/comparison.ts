// A canary beside its baseline, on traffic that was split between the two and on nothing else. Both are compared within an
// epoch, among first turns or later ones, and times of cached answers with such times; what each of these says is weighted
// by what both arms have of it. So a change of weights, a daily rhythm or a cold cache is not taken for the prompt's doing.
// The intervals are of one look (core/intervals.ts); verdicts are the guardrails'.

import { BINS, countAbove, countIn, logSums, mergeHistograms, quantileBin } from "./guardrails/histogram.ts";
import type { Histogram } from "./guardrails/histogram.ts";
import type { Metric } from "./guardrails/guards.ts";
import type { DesignEffects } from "./guardrails/watch.ts";
import { compareMeans, compareRates, compareTypical, type BadOf, type Both } from "./contrast.ts";
import type { Moments } from "./intervals.ts";
import { COST_UNIT_NANO_USD, SCORE_SCALE, type HistogramName, type Sums } from "./metering/sums.ts";
import { addTo, comparedOf, keyOf } from "./metering/tally.ts";
import type { ComparedMetric, Comparison, MetricComparison } from "./metrics-view.ts";
import type { Tally } from "./types.ts";
import { addClumps, createClumps, designEffectsOf } from "./watching/clumps.ts";

/** One epoch, first turns or later ones. */
type Stratum = { baseline: Tally; canary: Tally };
type Pair = { baseline: number; canary: number; from: number; to: number; strata: Stratum[] };

const MOST_PAIRS = 5;

/** Every pair that traffic was split between, the newest first. `totals`: of all time, where `tallies` are of a window; how
 * alike the requests of a unit are is read from them. */
export function compareArms(tallies: Iterable<Tally>, totals: Iterable<Tally> = tallies): Comparison[] {
  const known = pairsOf(totals);
  return pairsOf(tallies)
    .toSorted((one, other) => other.to - one.to || other.canary - one.canary)
    .slice(0, MOST_PAIRS)
    .map((pair) => {
      const same = known.find(({ baseline, canary }) => baseline === pair.baseline && canary === pair.canary);
      return {
        baseline: pair.baseline,
        canary: pair.canary,
        revisions: { from: pair.from, to: pair.to },
        metrics: compareMetrics(pair.strata, effectsOf(same?.strata ?? [])),
      };
    });
}

function pairsOf(tallies: Iterable<Tally>): Pair[] {
  const split = new Map<string, Tally>();
  for (const tally of tallies) {
    // Revision 0 are epochs that are no longer kept apart.
    if (tally.reason === "split" && tally.revision > 0) addTo(split, keyOf(tally), tally);
  }
  const all = [...split.values()];
  const pairs = new Map<string, Pair>();
  for (const baseline of all.filter(({ arm }) => arm === "baseline")) {
    for (const canary of all) {
      const { revision, turn } = canary;
      if (canary.arm !== "canary" || revision !== baseline.revision || turn !== baseline.turn) continue;
      const key = `${baseline.version} ${canary.version}`;
      const pair = pairs.get(key) ?? {
        baseline: baseline.version,
        canary: canary.version,
        from: revision,
        to: revision,
        strata: [],
      };
      pair.from = Math.min(pair.from, revision);
      pair.to = Math.max(pair.to, revision);
      pair.strata.push({ baseline, canary });
      pairs.set(key, pair);
    }
  }
  return [...pairs.values()];
}

/** Empty where every request is a unit of its own. */
function effectsOf(strata: readonly Stratum[]): DesignEffects {
  let clumps = createClumps();
  let [requests, thumbs, judged] = [0, 0, 0];
  for (const { baseline, canary } of strata) {
    clumps = addClumps(addClumps(clumps, "baseline", baseline), "canary", canary);
    requests += canary.requests;
    thumbs += (canary.sums?.thumbs.up ?? 0) + (canary.sums?.thumbs.down ?? 0);
    judged += canary.sums?.judge.units ?? 0;
  }
  if (Object.keys(clumps.baseline.buckets).length === 0) return {};
  const share = (part: number) => (requests > 0 ? part / requests : 0);
  return designEffectsOf(clumps, { thumbs: share(thumbs), judged: share(judged) });
}

/** What is compared, and as what. */
type Rule =
  | { kind: "rate"; effect: Metric; read: (tally: Tally) => BadOf | null }
  | { kind: "tail"; effect: Metric; names: readonly HistogramName[] }
  | { kind: "typical"; effect: Metric; names: readonly HistogramName[]; scale: number }
  | { kind: "mean"; effect: Metric; read: (sums: Sums) => Moments };

const ofCount = (name: keyof Sums["counts"]) => (tally: Tally) =>
  tally.sums === undefined ? null : { bad: tally.sums.counts[name] ?? 0, units: comparedOf(tally).requests };
const scoresOf = ({ units, sum, squares }: Moments): Moments => {
  return { units, sum: sum / SCORE_SCALE, squares: squares / SCORE_SCALE ** 2 };
};

const LATENCY = ["latency", "latencyCached"] as const;

const RULES: { readonly [metric in ComparedMetric]: Rule } = {
  errors: {
    kind: "rate",
    effect: "errors",
    read: (tally) => ({ bad: comparedOf(tally).errors, units: comparedOf(tally).requests }),
  },
  aborted: {
    kind: "rate",
    effect: "errors",
    read: (tally) => ({ bad: tally.aborted, units: comparedOf(tally).requests }),
  },
  timeouts: { kind: "rate", effect: "timeouts", read: ofCount("timeouts") },
  refusals: { kind: "rate", effect: "refusals", read: ofCount("refusals") },
  truncations: { kind: "rate", effect: "truncations", read: ofCount("truncations") },
  schema_failures: { kind: "rate", effect: "schema_failures", read: ofCount("schemaFailures") },
  first_token: {
    kind: "typical",
    effect: "first_token",
    names: ["firstToken", "firstTokenCached"],
    scale: 1,
  },
  latency: { kind: "typical", effect: "latency", names: LATENCY, scale: 1 },
  latency_tail: { kind: "tail", effect: "latency_tail", names: LATENCY },
  cost: { kind: "typical", effect: "cost", names: ["cost"], scale: COST_UNIT_NANO_USD / 1e9 },
  tokens: { kind: "typical", effect: "tokens", names: ["tokens"], scale: 1 },
  thumbs_down: {
    kind: "rate",
    effect: "thumbs_down",
    read: ({ sums }) =>
      sums === undefined ? null : { bad: sums.thumbs.down, units: sums.thumbs.up + sums.thumbs.down },
  },
  score: { kind: "mean", effect: "thumbs_down", read: ({ scores }) => scoresOf(scores) },
  judge_score: { kind: "mean", effect: "judge_score", read: ({ judge }) => scoresOf(judge) },
};

function compareMetrics(strata: readonly Stratum[], effects: DesignEffects): MetricComparison[] {
  const metrics = Object.keys(RULES) as ComparedMetric[];
  return metrics.map((metric) => {
    const rule = RULES[metric];
    const designEffect = effects[rule.effect] ?? 1;
    const head = { metric, designEffect };
    if (rule.kind === "rate") return { ...head, ...compareRates(readRates(strata, rule.read), designEffect) };
    if (rule.kind === "tail")
      return { ...head, ...compareRates(readTails(strata, rule.names), designEffect) };
    if (rule.kind === "mean") return { ...head, ...compareMeans(readMeans(strata, rule.read), designEffect) };
    return { ...head, ...compareTypical(readLogs(strata, rule.names), designEffect, rule.scale) };
  });
}

function readRates(strata: readonly Stratum[], read: (tally: Tally) => BadOf | null): Both<BadOf>[] {
  return strata.flatMap(({ baseline, canary }) => {
    const [one, other] = [read(baseline), read(canary)];
    return one === null || other === null ? [] : [{ baseline: one, canary: other }];
  });
}

/** Answers slower than nineteen in twenty of the baseline's of the same kind. */
function readTails(strata: readonly Stratum[], names: readonly HistogramName[]): Both<BadOf>[] {
  return names.flatMap((name) => {
    const usual = strata.reduce<Histogram>(
      (all, { baseline }) => mergeHistograms(all, histogramOf(baseline, name)),
      {},
    );
    const bin = quantileBin(usual, 0.95) ?? BINS;
    const read = (tally: Tally) => {
      const histogram = histogramOf(tally, name);
      return { bad: countAbove(histogram, bin), units: countIn(histogram) };
    };
    return readRates(strata, read);
  });
}

function histogramOf({ sums }: Tally, name: HistogramName): Histogram {
  return sums?.histograms[name] ?? {};
}

function readMeans(strata: readonly Stratum[], read: (sums: Sums) => Moments): Both<Moments>[] {
  return strata.flatMap(({ baseline, canary }) =>
    baseline.sums === undefined || canary.sums === undefined
      ? []
      : [{ baseline: read(baseline.sums), canary: read(canary.sums) }],
  );
}

function readLogs(strata: readonly Stratum[], names: readonly HistogramName[]): Both<Moments>[] {
  return names.flatMap((name) =>
    strata.map(({ baseline, canary }) => ({
      baseline: logSums(histogramOf(baseline, name), BINS - 1),
      canary: logSums(histogramOf(canary, name), BINS - 1),
    })),
  );
}
