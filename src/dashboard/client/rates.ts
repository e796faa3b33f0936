// Requests per second from counters that only grow, over a short sliding window.

export type Sample = { atMs: number; requests: { [version: number]: number } };

/** Short, so that an arm without traffic is seen to stand still within a few seconds. */
const WINDOW_MS = 4_500;

/** The samples of the window with one more at the end. */
export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples.filter(({ atMs }) => sample.atMs - atMs <= WINDOW_MS), sample];
}

/** Requests per second of one version; null with fewer than two samples. A counter that shrank counts as 0. */
export function ratePerSecond(samples: readonly Sample[], version: number): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.atMs <= first.atMs) return null;
  const grown = (last.requests[version] ?? 0) - (first.requests[version] ?? 0);
  return Math.max(0, grown / ((last.atMs - first.atMs) / 1000));
}
