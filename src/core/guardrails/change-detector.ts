// Has the baseline itself changed? A Poisson CUSUM over the baseline arm alone. It never rolls anything back: it says
// that the provider or the model has changed for everybody, freezes ramps, and tells a prompt's fault from an incident.

export type Counts = { units: number; bad: number };

export type ChangeDetector = {
  /** What is usual: counts whose past fades. */
  usual: Counts;
  /** What has been seen since something is under way; it becomes what is usual if it lasts. */
  unusual: Counts;
  /** Since when (ms); null: nothing is. */
  unusualSinceMs: number | null;
  /** One sum per multiple of the usual rate. */
  sums: number[];
  /** Evidence that it is over, one sum per multiple, and since when it has been growing (ms). */
  over?: { sums: number[]; sinceMs: number };
};

export const MULTIPLES: readonly number[] = [2, 5];
export const ALARM_AT = 12;
const OVER_AT = ALARM_AT / 2;
/** The sums stop here, so that a long incident is forgotten no later than a short one. */
const MOST = 2 * ALARM_AT;

export type ChangeRule = {
  /** Units until anything is taken for usual. */
  warmUpUnits: number;
  /** Units after which half of what was usual is forgotten, and what is unusual for so long has become usual … */
  halfLifeUnits: number;
  /** … if it has lasted so long, too: under load so many units are a minute, and no incident is over by lasting one. */
  leastUnusualMs: number;
  /** An alarm is over, too, once it is proven that the rate is less than this above the usual one: where nothing fails as
   * a rule, the sums alone take up to 20,000 good answers to forget a minute of failures. */
  harmlessRise: number;
  /** It must have been quiet for so long, too: a provider that allows so much a minute fails for some seconds of each. */
  leastQuietMs: number;
};

export const CHANGE_RULE: ChangeRule = {
  warmUpUnits: 500,
  halfLifeUnits: 20_000,
  leastUnusualMs: 30 * 60_000,
  harmlessRise: 0.005,
  leastQuietMs: 2 * 60_000,
};

const Z_99 = 2.33;

const NONE: Counts = { units: 0, bad: 0 };
const NO_SUMS = MULTIPLES.map(() => 0);

export function createChangeDetector(): ChangeDetector {
  return { usual: NONE, unusual: NONE, unusualSinceMs: null, sums: NO_SUMS };
}

export function addBaseline(
  detector: ChangeDetector,
  counts: Counts,
  nowMs: number,
  rule: ChangeRule = CHANGE_RULE,
): ChangeDetector {
  if (counts.units === 0) return detector;
  const { usual } = detector;
  if (usual.units < rule.warmUpUnits) return { ...detector, usual: add(usual, counts) };
  const rate = usualRate(usual);
  const sums = addRise(detector.sums, counts, rate);
  const over = addFall(detector, counts, highestUsualRate(usual) + rule.harmlessRise, nowMs);
  const isOver = Math.max(...over.sums) >= OVER_AT && nowMs - over.sinceMs >= rule.leastQuietMs;
  // While something is under way, what is usual stands still.
  if (isOver || Math.max(...sums) <= OVER_AT) {
    const next = add(fade(usual, counts.units, rule), counts);
    return { ...createChangeDetector(), sums: isOver ? NO_SUMS : sums, usual: next };
  }
  const unusual = add(detector.unusual, counts);
  const unusualSinceMs = Math.min(nowMs, detector.unusualSinceMs ?? nowMs);
  const isLong = nowMs - unusualSinceMs >= rule.leastUnusualMs && unusual.units >= rule.halfLifeUnits;
  if (isLong) return { ...createChangeDetector(), usual: unusual };
  return { sums, usual, unusual, unusualSinceMs, over };
}

/** Likelihood of each multiple of the rate against the rate. */
function addRise(sums: readonly number[], { units, bad }: Counts, rate: number): number[] {
  return MULTIPLES.map((multiple, index) => {
    const step = bad * Math.log(multiple) - units * rate * (multiple - 1);
    return Math.min(MOST, Math.max(0, sums[index]! + step));
  });
}

/** The other way about: likelihood of each fraction of the rate that would still be an incident against it. */
function addFall(
  { over }: ChangeDetector,
  { units, bad }: Counts,
  rate: number,
  nowMs: number,
): { sums: number[]; sinceMs: number } {
  const sums = MULTIPLES.map((multiple, index) => {
    const step = units * rate * (1 - 1 / multiple) - bad * Math.log(multiple);
    return Math.min(MOST, Math.max(0, (over?.sums[index] ?? 0) + step));
  });
  const isQuiet = over !== undefined && Math.max(...over.sums) > 0;
  return { sums, sinceMs: isQuiet ? Math.min(nowMs, over.sinceMs) : nowMs };
}

/** The rate of bad answers that little data may still hide: a standard error above what was seen. */
export function usualRate({ units, bad }: Counts): number {
  return (bad + Math.sqrt(bad) + 1) / units;
}

/** The highest of the rates that what was seen does not rule out at 99 % (the square root of a Poisson count has a variance of about
 * ¼). What is not surely worse than usual keeps no alarm up: else a short run of errors is an incident for as long as nothing is
 * learned, where the first 500 units hardly failed by luck. */
function highestUsualRate({ units, bad }: Counts): number {
  return (Math.sqrt(bad + 1) + Z_99 / 2) ** 2 / units;
}

function add(one: Counts, other: Counts): Counts {
  return { units: one.units + other.units, bad: one.bad + other.bad };
}

function fade({ units, bad }: Counts, after: number, { halfLifeUnits }: ChangeRule): Counts {
  const kept = 0.5 ** (after / halfLifeUnits);
  return { units: kept * units, bad: kept * bad };
}

/** `changed` from the alarm on until the sums are back at half of it, or it is proven to be over. */
export function hasChanged({ sums }: ChangeDetector, wasChanged: boolean): boolean {
  const top = Math.max(...sums);
  return top >= ALARM_AT || (wasChanged && top >= OVER_AT);
}
