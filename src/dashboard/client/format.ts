// Data → words and figures, without the DOM: what the page says about ages, weights and changes.

import type { RampEvent } from "../../core/ramps.ts";
import type { Action, ArmName, Reason, Release } from "../../core/types.ts";

type Weighted = { version: number; weight: number };

/** 25 → "25 %", 0.5 → "0.5 %". */
export function formatWeight(weight: number): string {
  return `${Number(weight.toFixed(2))} %`;
}

/** [{1, 75}, {2, 25}] → "v1 75 % · v2 25 %". */
export function formatArms(arms: readonly Weighted[]): string {
  return arms.map(({ version, weight }) => `v${version} ${formatWeight(weight)}`).join(" · ");
}

export function formatChange(before: Release | null, after: Release): string {
  const now = formatArms(after.arms);
  const then = before === null ? "" : formatArms(before.arms);
  return then === "" || then === now ? now : `${then} → ${now}`;
}

const STEPS = [
  { unit: "second", seconds: 1, until: 60 },
  { unit: "minute", seconds: 60, until: 3_600 },
  { unit: "hour", seconds: 3_600, until: 86_400 },
  { unit: "day", seconds: 86_400, until: Infinity },
] as const;

/** "just now", "3 minutes ago", "5 days ago". Clocks that disagree by a little read as "just now". */
export function formatAge(time: string, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(time)) / 1000);
  if (seconds < 5) return "just now";
  const step = STEPS.find(({ until }) => seconds < until) ?? STEPS[3];
  const count = Math.floor(seconds / step.seconds);
  return `${count} ${step.unit}${count === 1 ? "" : "s"} ago`;
}

/** "2026-11-23 04:05:06 UTC". */
export function formatTime(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}

const HOUR_MS = 3_600_000;

/** Of a step of so many ms: "14:05:15 UTC", "14:05 UTC", of several hours "Nov 21, 14:00 UTC". */
export function formatMoment(atMs: number, stepMs: number): string {
  const time = new Date(atMs).toISOString();
  if (stepMs < 60_000) return `${time.slice(11, 19)} UTC`;
  return `${stepMs > HOUR_MS ? `${formatDay(atMs)}, ` : ""}${time.slice(11, 16)} UTC`;
}

/** "Nov 21", in UTC. */
export function formatDay(atMs: number): string {
  return new Date(atMs).toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" });
}

export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

/** 0.0125 → "1.3 %"; null (nothing was counted) → "–", because no data is not good data. */
export function formatRate(rate: number | null): string {
  return rate === null ? "–" : `${(rate * 100).toFixed(rate > 0 && rate < 0.1 ? 1 : 0)} %`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

export const ACTION_LABELS: Record<Action, string> = {
  push: "first version",
  canary: "canary",
  promote: "promote",
  rollback: "rollback",
  ramp: "ramp",
  revoke: "revoke",
  settings: "settings",
  archive: "archive",
  restore: "restore",
};

/** What a revision did to a ramp. */
export const RAMP_LABELS: Record<RampEvent, string> = {
  start: "ramp started",
  step: "ramp",
  holdback: "ramp",
  complete: "promote",
  pause: "ramp paused",
  resume: "ramp resumed",
  stop: "ramp stopped",
  end: "ramp ended",
};

/** What a reason of an assignment means, as the second half of a sentence. */
export const REASON_TEXTS: Record<Reason, string> = {
  static: "it is the only version with traffic",
  split: "its bucket belongs to that version",
  pinned: "the request asks for that version",
  drain: "the conversation began on it and a change still drains",
  no_lease: "the edge had no live lease, so it fell back to the baseline",
  fallback: "the canary failed and the baseline answered",
};

export const ARM_LABELS: Record<ArmName, string> = {
  baseline: "Baseline",
  canary: "Canary",
  pinned: "Pinned",
};

/** How long until a rollback is enforced, in ms, never too short: the server's Date header is cut to whole seconds, so
 * it lags by up to one; and no answer can be older than the commit. */
export function remainingMs(
  answer: { committedAt: string; enforcedBy: string },
  serverTimeMs: number | null,
): number {
  const enforcedByMs = Date.parse(answer.enforcedBy);
  const leaseMs = enforcedByMs - Date.parse(answer.committedAt);
  const byClockMs = serverTimeMs === null ? leaseMs : enforcedByMs - serverTimeMs;
  return Math.max(0, Math.min(leaseMs, byClockMs));
}
