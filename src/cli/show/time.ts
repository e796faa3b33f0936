// Ages, clocks and durations in the words of the output. Pure: "now" is always handed in.

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "just now", "40 s ago", "3 m ago", "2 h ago", "5 d ago"; after 60 days the date. A clock that runs a little
 * ahead of ours must not produce "-1 s ago". */
export function formatAge(iso: string, nowMs: number): string {
  const atMs = Date.parse(iso);
  if (Number.isNaN(atMs)) return "";
  const ageMs = nowMs - atMs;
  if (ageMs < 2 * SECOND_MS) return "just now";
  if (ageMs > 60 * DAY_MS) return iso.slice(0, 10);
  return `${formatSpan(ageMs)} ago`;
}

/** The largest unit that fits, rounded down: "40 s", "3 m", "23 h", "5 d". */
export function formatSpan(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} m`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} d`;
}

/** "2.0 s": for leases, where tenths matter. */
export function formatSeconds(ms: number): string {
  return `${(Math.max(0, ms) / SECOND_MS).toFixed(1)} s`;
}

/** The UTC clock of an ISO time: "12:00:05.123Z". */
export function formatClock(iso: string): string {
  return iso.slice(11) || iso;
}

/** "2026-01-31 12:00:05Z": for columns that must sort and align. */
export function formatMoment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}
