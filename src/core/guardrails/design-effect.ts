// Sticky units bring their requests in clumps, so a hundred requests say less than a hundred units would. How much less
// is read off both arms, whose units are hashed into buckets: the evidence of every guardrail is divided by it. Both,
// because at a small share the canary's few units decide: one of them that always fails must not speak for all.

/** Of one bucket of units: how many values, and their sum. */
export type BucketSums = { units: number; sum: number };
/** Of one arm and metric; `squares` is the sum of x² over all its buckets. */
export type ClumpSums = { buckets: readonly BucketSums[]; squares: number };

export const UNIT_BUCKETS = 64;
/** Chosen in simulation: without it heavy users still cause 1.5 times the false alarms. */
const SAFETY = 1.5;
/** Below so many buckets of equal size nobody can tell how alike a unit's values are: each bucket then counts as one. */
const FEW_BUCKETS = 8;

/** Every value counts as one over it. For sticky units only: where it cannot tell it is the margin of safety, not 1. */
export function designEffect(baseline: ClumpSums, canary: ClumpSums): number {
  return Math.max(1, SAFETY * clumping(baseline), SAFETY * clumping(canary), scarcity(canary));
}

/** Variance of the bucket's sums over what it would be if values were independent. */
function clumping({ buckets, squares }: ClumpSums): number {
  const filled = buckets.filter(({ units }) => units > 0);
  const units = filled.reduce((all, bucket) => all + bucket.units, 0);
  const sum = filled.reduce((all, bucket) => all + bucket.sum, 0);
  if (filled.length < 2) return 1;
  const mean = sum / units;
  const single = squares - units * mean * mean;
  if (!(single > 0)) return 1;
  const between = filled.reduce((all, bucket) => all + (bucket.sum - mean * bucket.units) ** 2, 0);
  return (between * filled.length) / ((filled.length - 1) * single);
}

function scarcity({ buckets }: ClumpSums): number {
  const units = buckets.reduce((all, bucket) => all + bucket.units, 0);
  const squares = buckets.reduce((all, bucket) => all + bucket.units ** 2, 0);
  if (units === 0 || (units * units) / squares >= FEW_BUCKETS) return 1;
  return squares / units;
}
