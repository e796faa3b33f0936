// Our logarithmic histograms as Prometheus wants them: cumulative, at OTel's bounds. Pure. Guarantee: every value is in one
// bucket, none further from where it was than half of one of our bins.

import { addHistogram, countIn, valueOfBin, type Histogram } from "../core/guardrails/histogram.ts";
import { COST_UNIT_NANO_USD, type Sums } from "../core/metering/sums.ts";
import type { Tally } from "../core/types.ts";
import type { Family, Labels, Sample } from "./prometheus-text.ts";

/** One version in one arm. */
export type Row = { labels: Labels; tally: Tally };

/** Seconds: OTel's bounds of gen_ai.client.operation.duration and gen_ai.server.time_to_first_token. */
const DURATION_BOUNDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
const FIRST_TOKEN_BOUNDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
/** Dollars at full price. */
const COST_BOUNDS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

const NANO = 1e9;

export function describeTimes(rows: Row[]): Family[] {
  const of = (
    name: string,
    help: string,
    bounds: number[],
    { unit, read, sum }: { unit: number; read: (sums: Sums) => Histogram; sum: (sums: Sums) => number },
  ): Family => ({
    name,
    type: "histogram",
    help,
    samples: rows.flatMap(({ labels, tally: { sums } }) =>
      sums === undefined ? [] : toBuckets(read(sums), { labels, bounds, unit, sum: sum(sums) }),
    ),
  });
  return [
    of("switchback_request_duration_seconds", "Good answers, whole.", DURATION_BOUNDS, {
      unit: 1 / 1_000,
      read: ({ histograms }) => together(histograms.latency, histograms.latencyCached),
      sum: ({ latencyMs }) => latencyMs / 1_000,
    }),
    of("switchback_first_token_seconds", "Good streams, to their first event.", FIRST_TOKEN_BOUNDS, {
      unit: 1 / 1_000,
      read: ({ histograms }) => together(histograms.firstToken, histograms.firstTokenCached),
      sum: ({ firstTokenMs }) => firstTokenMs / 1_000,
    }),
    of("switchback_answer_full_cost_usd", "Good answers, as if the provider had no cache.", COST_BOUNDS, {
      unit: COST_UNIT_NANO_USD / NANO,
      read: ({ histograms }) => together(histograms.cost),
      // The exact sum holds answers that failed as well, so this one is of the bins.
      sum: ({ histograms }) => (sumOf(together(histograms.cost)) * COST_UNIT_NANO_USD) / NANO,
    }),
  ];
}

function together(...histograms: (Histogram | undefined)[]): Histogram {
  const all: Histogram = {};
  for (const histogram of histograms) addHistogram(all, histogram);
  return all;
}

function sumOf(histogram: Histogram): number {
  return Object.entries(histogram).reduce((sum, [bin, count]) => sum + count * valueOfBin(Number(bin)), 0);
}

/** Each of our bins falls, as a whole, where the value that stands for it does: within 4.8 %. `unit`: what 1 of a
 * histogram's values is in the unit of the bounds. */
export function toBuckets(
  histogram: Histogram,
  { labels, bounds, unit, sum }: { labels: Labels; bounds: number[]; unit: number; sum: number },
): Sample[] {
  const bins = Object.entries(histogram).map(([bin, count]) => ({
    value: valueOfBin(Number(bin)) * unit,
    count,
  }));
  const upTo = (bound: number) =>
    bins.reduce((seen, { value, count }) => (value <= bound ? seen + count : seen), 0);
  const total = countIn(histogram);
  const bucket = (le: string, value: number) => ({ suffix: "_bucket", labels: { ...labels, le }, value });
  return [
    ...bounds.map((bound) => bucket(String(bound), upTo(bound))),
    bucket("+Inf", total),
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: total },
  ];
}
