// What part of the past metrics and diagnoses are asked of: `window` and `step` of the URL as seconds, within what is kept
// and what a chart can show. A refusal names what is allowed instead, and that is taken then.

import type { MetricsQuery } from "../core/metrics-view.ts";
import { problem, type Problem } from "../core/problem.ts";

/** `15m`, `24h`; of a step also plain seconds. */
export const WINDOW_PATTERN = /^[1-9]\d{0,6}[smhd]$/;
export const STEP_PATTERN = /^[1-9]\d{0,6}[smhd]?$/;

export const MOST_POINTS = 500;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const LONGEST_WINDOW_S = 31 * 24 * HOUR_S;
/** In less there is no time before, to compare with. */
const LEAST_DIAGNOSED_S = 10 * MINUTE_S;
const UNIT_S: { [unit: string]: number } = { s: 1, m: MINUTE_S, h: HOUR_S, d: 24 * HOUR_S };

const DIVISORS_S = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30];
/** What series are put together from without reading finer rows than must be: of steps over an hour that are no whole hours
 * every minute would be read, 8 s of CPU for 31 days. Ascending. */
const STEPS_S: readonly number[] = [
  ...DIVISORS_S,
  ...Array.from({ length: 60 }, (_, index) => (index + 1) * MINUTE_S),
  ...Array.from({ length: LONGEST_WINDOW_S / HOUR_S - 1 }, (_, index) => (index + 2) * HOUR_S),
];

/** `invalid_request` for what is not kept for so long, or would be too many points, or none. */
export function readMetricsQuery(query: { window?: string; step?: string }): MetricsQuery | Problem {
  const windowS = query.window === undefined ? null : secondsOf(query.window);
  const stepS = query.step === undefined ? null : secondsOf(query.step);
  if (windowS !== null && windowS > LONGEST_WINDOW_S) {
    return invalid("window", "is at most 31d; leave it out for all that was ever counted");
  }
  if (stepS === null) return { windowS, stepS };
  if (windowS === null) return invalid("step", "needs a window");
  return refuseStep(windowS, stepS) ?? { windowS, stepS };
}

/** Of a diagnosis: in seconds. */
export function readDiagnosedWindow(window: string): number | Problem {
  const windowS = secondsOf(window);
  if (windowS > LONGEST_WINDOW_S) return invalid("window", "is at most 31d");
  return windowS < LEAST_DIAGNOSED_S ? invalid("window", "is at least 10m") : windowS;
}

function refuseStep(windowS: number, stepS: number): Problem | null {
  if (stepS > windowS) return invalid("step", "is no longer than the window");
  const allowed = STEPS_S.filter((one) => isAllowed(windowS, one));
  if (allowed.includes(stepS)) return null;
  const [least = 1] = allowed;
  if (!STEPS_S.includes(stepS)) {
    const [nearest = least] = allowed.toSorted(
      (one, other) => Math.abs(one - stepS) - Math.abs(other - stepS) || other - one,
    );
    const kinds = "a divisor of 60 seconds, whole minutes up to an hour, or whole hours";
    return invalid("step", `is ${kinds}; for this window the nearest is ${sayStep(nearest)}`);
  }
  const why =
    stepS < MINUTE_S && windowS > HOUR_S
      ? "is in seconds, which are kept for an hour only"
      : `makes more than ${MOST_POINTS} points`;
  return invalid("step", `${why}; for this window it is at least ${sayStep(least)}`);
}

function isAllowed(windowS: number, stepS: number): boolean {
  const isKept = stepS >= MINUTE_S || windowS <= HOUR_S;
  return isKept && stepS <= windowS && windowS / stepS <= MOST_POINTS;
}

/** As the URL takes it. */
function sayStep(stepS: number): string {
  if (stepS % HOUR_S === 0) return `${stepS / HOUR_S}h`;
  return stepS % MINUTE_S === 0 ? `${stepS / MINUTE_S}m` : `${stepS}s`;
}

function secondsOf(text: string): number {
  const unit = text.at(-1) ?? "";
  const scale = UNIT_S[unit];
  return scale === undefined ? Number(text) : Number(text.slice(0, -1)) * scale;
}

function invalid(field: string, message: string): Problem {
  return problem("invalid_request", `${field}: ${message}.`, { field });
}
