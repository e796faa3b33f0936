// Gathers what a diagnosis looks at: the window's metrics with a series as fine as it may be, what changed in it, what was
// seen. Reading yields to syncs (series-read.ts); the rest is memory and a few rows.

import { diagnose } from "../core/diagnose.ts";
import type { Diagnosis } from "../core/diagnosis.ts";
import { isProblem } from "../core/problem.ts";
import { readEvents } from "./events.ts";
import { findRelease } from "./reports.ts";
import { readSeen } from "./seen.ts";
import { readMetrics } from "./series-read.ts";
import { readRevisions, type ControlStore } from "./store.ts";
import { readHealth } from "./watching.ts";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const MOST_STEPS = 480;
/** Of minutes, each is read by itself: 0.2 ms of CPU. So windows of more than 5 days are put together from hours. */
const LONGEST_IN_MINUTES_S = 15 * MINUTE_S;
const MOST_REVISIONS = 200;
const MOST_EVENTS = 200;

/** In whole minutes, or whole hours, so that the window is no more than so many. */
export function stepOf(windowS: number): number {
  const stepS = Math.max(1, Math.ceil(windowS / MINUTE_S / MOST_STEPS)) * MINUTE_S;
  return stepS > LONGEST_IN_MINUTES_S ? Math.ceil(stepS / HOUR_S) * HOUR_S : stepS;
}

/** Of an environment that the prompt has. */
export async function readDiagnosis(
  store: ControlStore,
  environment: string,
  windowS: number,
  nowMs: number,
): Promise<Diagnosis> {
  const prompt = store.state?.prompt.name ?? "";
  const metrics = await readMetrics(store, environment, { windowS, stepS: stepOf(windowS) }, nowMs);
  const release = findRelease(store.state, prompt, environment);
  return diagnose({
    prompt,
    environment,
    sinceMs: nowMs - windowS * 1_000,
    untilMs: nowMs,
    metrics,
    revisions: readRevisions(store.sql, environment, MOST_REVISIONS, null),
    events: readEvents(store.sql, environment, MOST_EVENTS, null),
    seen: readSeen(store, environment, nowMs),
    health: isProblem(release) ? null : readHealth(store, release, nowMs),
  });
}
