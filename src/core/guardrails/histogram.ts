// Times, costs and counts as logarithmic histograms: 140 bins, each 1.1 times as wide as the one before, so that
// quantiles are within 4.8 % and merging is adding. Sparse where it travels: a window of traffic fills a dozen bins.

export const BINS = 140;
const LOG_GROWTH = Math.log(1.1);

/** bin → count. */
export type Histogram = { [bin: number]: number };

/** Bin 0 holds what is at most 1, the last one all beyond 1.1^139 (10 minutes in ms). */
export function binOf(value: number): number {
  if (!(value > 1)) return 0;
  return Math.min(BINS - 1, Math.ceil(Math.log(value) / LOG_GROWTH));
}

/** The value that stands for a bin: within 4.8 % of all in it. */
export function valueOfBin(bin: number): number {
  return bin === 0 ? 1 : (2 * 1.1 ** bin) / 2.1;
}

/** Where a bin begins, and where it ends; null: it has no end. */
export function binBelow(bin: number): number {
  return bin === 0 ? 0 : 1.1 ** (bin - 1);
}

export function binUpTo(bin: number): number | null {
  return bin === BINS - 1 ? null : 1.1 ** bin;
}

export function countIn(histogram: Histogram): number {
  let sum = 0;
  for (const bin in histogram) sum += histogram[bin] ?? 0;
  return sum;
}

export function mergeHistograms(one: Histogram, other: Histogram): Histogram {
  const merged = { ...one };
  for (const bin in other) merged[bin] = (merged[bin] ?? 0) + (other[bin] ?? 0);
  return merged;
}

/** In place. */
export function addHistogram(into: Histogram, other: Histogram = {}): void {
  for (const bin in other) into[bin] = (into[bin] ?? 0) + (other[bin] ?? 0);
}

/** Half of every bin: how a histogram of what is usual forgets. */
export function halveHistogram(histogram: Histogram): Histogram {
  const halves: Histogram = {};
  for (const bin in histogram) halves[bin] = Math.floor((histogram[bin] ?? 0) / 2);
  return halves;
}

/** The bin that holds the quantile; null: nothing in it. (Whole-number keys come in ascending order.) */
export function quantileBin(histogram: Histogram, quantile: number): number | null {
  const total = countIn(histogram);
  if (total === 0) return null;
  const wanted = Math.max(1, Math.ceil(quantile * total));
  let seen = 0;
  for (const bin in histogram) {
    seen += histogram[bin] ?? 0;
    if (seen >= wanted) return Number(bin);
  }
  return null;
}

export function quantileOf(histogram: Histogram, quantile: number): number | null {
  const bin = quantileBin(histogram, quantile);
  return bin === null ? null : valueOfBin(bin);
}

const LOGS = Array.from({ length: BINS }, (_, bin) => Math.log(valueOfBin(bin)));

/** Sums of ln x, what lies beyond `clip` counting as that much: a stall of a minute is one slow answer, not sixty. */
export function logSums(
  histogram: Histogram,
  clip: number,
): { units: number; sum: number; squares: number; cubes: number } {
  const sums = { units: 0, sum: 0, squares: 0, cubes: 0 };
  for (const bin in histogram) {
    const count = histogram[bin] ?? 0;
    const x = LOGS[Math.min(Number(bin), clip)]!;
    sums.units += count;
    sums.sum += count * x;
    sums.squares += count * x * x;
    sums.cubes += count * x * x * x;
  }
  return sums;
}

/** How many are beyond the bin. */
export function countAbove(histogram: Histogram, bin: number): number {
  let sum = 0;
  for (const at in histogram) if (Number(at) > bin) sum += histogram[at] ?? 0;
  return sum;
}
