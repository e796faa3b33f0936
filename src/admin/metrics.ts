// What part of the past metrics are asked of: `window` and `step` of the URL as seconds, within what is kept and what a
// chart can show.

import type { MetricsQuery } from "../core/metrics-view.ts";
import { problem, type Problem } from "../core/problem.ts";

/** `15m`, `24h`; of a step also plain seconds. */
export const WINDOW_PATTERN = /^[1-9]\d{0,6}[smhd]$/;
export const STEP_PATTERN = /^[1-9]\d{0,6}[smhd]?$/;

export const MOST_POINTS = 500;
const LONGEST_WINDOW_S = 31 * 86_400;
const HOUR_S = 3_600;
const UNIT_S: { [unit: string]: number } = { s: 1, m: 60, h: HOUR_S, d: 86_400 };

/** `invalid_request` for what is not kept for so long, or would be too many points. */
export function readMetricsQuery(query: { window?: string; step?: string }): MetricsQuery | Problem {
  const windowS = query.window === undefined ? null : secondsOf(query.window);
  const stepS = query.step === undefined ? null : secondsOf(query.step);
  if (windowS !== null && windowS > LONGEST_WINDOW_S) {
    return invalid("window", "is at most 31d; leave it out for all that was ever counted");
  }
  if (stepS === null) return { windowS, stepS };
  if (windowS === null) return invalid("step", "needs a window");
  if (stepS < 60 ? 60 % stepS !== 0 : stepS % 60 !== 0) {
    return invalid("step", "is a divisor of 60 seconds, or a whole number of minutes");
  }
  if (stepS < 60 && windowS > HOUR_S) {
    return invalid("step", "is at least 1m for a window of more than an hour: seconds are kept no longer");
  }
  if (windowS / stepS > MOST_POINTS) {
    const least = Math.ceil(windowS / MOST_POINTS);
    return invalid("step", `makes more than ${MOST_POINTS} points; for this window it is at least ${least}s`);
  }
  return { windowS, stepS };
}

function secondsOf(text: string): number {
  const unit = text.at(-1) ?? "";
  const scale = UNIT_S[unit];
  return scale === undefined ? Number(text) : Number(text.slice(0, -1)) * scale;
}

function invalid(field: string, message: string): Problem {
  return problem("invalid_request", `${field}: ${message}.`, { field });
}
