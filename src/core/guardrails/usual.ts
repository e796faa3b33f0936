// What times and costs the baseline usually has, fading: from where on an answer belongs to its slowest twentieth (which
// has a guardrail of its own), and to its slowest hundredth (beyond which a value counts as that much). Both were fixed
// before the stratum that they judge, and both arms are measured by the same.

import { BINS, countIn, halveHistogram, mergeHistograms, quantileBin, type Histogram } from "./histogram.ts";

export type Usual = {
  histogram: Histogram;
  units: number;
  /** The last bins of the quantiles. */
  tailBin: number;
  clipBin: number;
  /** Units from which on the bins are read anew. */
  readAt: number;
};

const TAIL = 0.95;
const CLIP = 0.99;
/** A clip half as far again beyond: at the hundredth itself, a canary twice as slow would lose a part of its shift. */
const CLIP_BINS = 4;
/** Halved at that many, so that what was usual last month does not judge today's answers. */
const MOST_UNITS = 40_000;
/** Reading the quantiles anew at every stratum would be half of an evaluation's cost. */
const READ_AFTER = 1.05;

export const NOTHING_USUAL: Usual = {
  histogram: {},
  units: 0,
  tailBin: BINS - 1,
  clipBin: BINS - 1,
  readAt: 1,
};

export function addToUsual(usual: Usual, seen: Histogram): Usual {
  const merged = mergeHistograms(usual.histogram, seen);
  const units = usual.units + countIn(seen);
  if (units < usual.readAt) return { ...usual, histogram: merged, units };
  const histogram = units < MOST_UNITS ? merged : halveHistogram(merged);
  const kept = units < MOST_UNITS ? units : countIn(histogram);
  return {
    histogram,
    units: kept,
    tailBin: quantileBin(histogram, TAIL) ?? BINS - 1,
    clipBin: Math.min(BINS - 1, (quantileBin(histogram, CLIP) ?? BINS) + CLIP_BINS),
    readAt: kept * READ_AFTER,
  };
}
