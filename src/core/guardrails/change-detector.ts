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
  /** Units since a sum was at its most: where nothing fails as a rule, an incident that is over fades that slowly. */
  fadingUnits: number;
  /** One sum per multiple of the usual rate. */
  sums: number[];
};

export const MULTIPLES: readonly number[] = [2, 5];
export const ALARM_AT = 12;
/** The sums stop here, so that an incident that is over is forgotten within a thousand requests or so. */
const MOST = 2 * ALARM_AT;

export type ChangeRule = {
  /** Units until anything is taken for usual. */
  warmUpUnits: number;
  /** Units after which half of what was usual is forgotten, and what is unusual for so long has become usual … */
  halfLifeUnits: number;
  /** … if it has lasted so long, too, or fades: under load so many units are a minute, and no incident is over by lasting one. */
  leastUnusualMs: number;
};

export const CHANGE_RULE: ChangeRule = {
  warmUpUnits: 500,
  halfLifeUnits: 20_000,
  leastUnusualMs: 30 * 60_000,
};

const NONE: Counts = { units: 0, bad: 0 };

export function createChangeDetector(): ChangeDetector {
  return { usual: NONE, unusual: NONE, unusualSinceMs: null, fadingUnits: 0, sums: MULTIPLES.map(() => 0) };
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
  const sums = detector.sums.map((sum, index) => {
    const multiple = MULTIPLES[index]!;
    const step = counts.bad * Math.log(multiple) - counts.units * rate * (multiple - 1);
    return Math.min(MOST, Math.max(0, sum + step));
  });
  // While something is under way, what is usual stands still.
  if (Math.max(...sums) <= ALARM_AT / 2) {
    return {
      sums,
      usual: add(fade(usual, counts.units, rule), counts),
      unusual: NONE,
      unusualSinceMs: null,
      fadingUnits: 0,
    };
  }
  const unusual = add(detector.unusual, counts);
  const unusualSinceMs = Math.min(nowMs, detector.unusualSinceMs ?? nowMs);
  const fadingUnits = Math.max(...sums) >= MOST ? 0 : detector.fadingUnits + counts.units;
  const isLong = nowMs - unusualSinceMs >= rule.leastUnusualMs || fadingUnits >= rule.halfLifeUnits;
  if (isLong && unusual.units >= rule.halfLifeUnits) return { ...createChangeDetector(), usual: unusual };
  return { sums, usual, unusual, unusualSinceMs, fadingUnits };
}

/** The rate of bad answers that little data may still hide: a standard error above what was seen. */
export function usualRate({ units, bad }: Counts): number {
  return (bad + Math.sqrt(bad) + 1) / units;
}

function add(one: Counts, other: Counts): Counts {
  return { units: one.units + other.units, bad: one.bad + other.bad };
}

function fade({ units, bad }: Counts, after: number, { halfLifeUnits }: ChangeRule): Counts {
  const kept = 0.5 ** (after / halfLifeUnits);
  return { units: kept * units, bad: kept * bad };
}

/** `changed` from the alarm on until the sums are back at half of it. */
export function hasChanged({ sums }: ChangeDetector, wasChanged: boolean): boolean {
  const top = Math.max(...sums);
  return top >= ALARM_AT || (wasChanged && top >= ALARM_AT / 2);
}
