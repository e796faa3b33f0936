// What the product sees of the chosen prompt: health, metrics of a window, events. Each is read and kept by itself.
// Guarantee: where one of them cannot be read, its last figures stay with a word on why, and the others go on.

import type { HealthView, ReleaseEvent } from "../../core/health.ts";
import type { Metrics } from "../../admin/schemas.ts";
import { failed, type ApiProblem, type Reply } from "./api.ts";

export type WindowName = "15m" | "1h" | "24h" | "7d";
type Window = {
  name: WindowName;
  label: string;
  /** "in the last …" */
  words: string;
  step: string;
  /** Of the time axis. */
  tickMs: number;
  /** Of the page, from one reading to the next: no oftener than the picture would change. */
  everyRounds: number;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Some thirty steps to a chart: of finer ones, each has so few requests that rates are noise. */
export const WINDOWS: readonly Window[] = [
  { name: "15m", label: "15 min", words: "15 minutes", step: "30s", tickMs: 5 * MINUTE_MS, everyRounds: 1 },
  { name: "1h", label: "1 h", words: "hour", step: "2m", tickMs: 15 * MINUTE_MS, everyRounds: 1 },
  { name: "24h", label: "24 h", words: "24 hours", step: "30m", tickMs: 6 * HOUR_MS, everyRounds: 5 },
  { name: "7d", label: "7 d", words: "7 days", step: "3h", tickMs: 48 * HOUR_MS, everyRounds: 15 },
];

export function windowOf(name: WindowName): Window {
  return WINDOWS.find((window) => window.name === name) ?? WINDOWS[0]!;
}

/** `body`: the last good answer, null until there is one; `problem`: why the latest one is none. */
export type Panel<Body> = { body: Body | null; problem: ApiProblem | null };
export type EventPage = { events: ReleaseEvent[]; nextBefore: number | null };

export type Observed = {
  window: WindowName;
  /** How many events are asked for. */
  mostEvents: number;
  health: Panel<HealthView>;
  /** Of `metricsWindow`, which lags behind `window` until they were read. */
  metrics: Panel<Metrics>;
  metricsWindow: WindowName;
  events: Panel<EventPage>;
};

export const EVENTS_A_PAGE = 8;
const nothing = { body: null, problem: null };

export function createObserved(window: WindowName = "1h"): Observed {
  return {
    window,
    mostEvents: EVENTS_A_PAGE,
    health: nothing,
    metrics: nothing,
    metricsWindow: window,
    events: nothing,
  };
}

export type PanelName = "health" | "metrics" | "events";
type Asked = Pick<Observed, "window" | "mostEvents">;

/** What is asked of a panel, beside prompt and environment. */
export function queryOf(name: PanelName, { window, mostEvents }: Asked): string {
  if (name === "metrics") return `&window=${window}&step=${windowOf(window).step}`;
  return name === "events" ? `&limit=${mostEvents}` : "";
}

/** `reply`: to what `queryOf` asks of the panel for `before`. */
export function mergeObserved(before: Observed, name: PanelName, reply: Reply<unknown>): Observed {
  const { window, metricsWindow } = before;
  const isOther = name === "metrics" && metricsWindow !== window;
  const kept = isOther ? nothing : before[name];
  const panel = failed(reply) ? { ...kept, problem: reply.problem } : { body: reply.body, problem: null };
  return { ...before, ...(isOther && { metricsWindow: window }), [name]: panel };
}
