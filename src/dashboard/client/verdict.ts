// What the watch says → words, tones and rows, without the DOM. Guarantee: a signal that has no data says so; it is never
// shown as good.

import type { GuardView, HealthView, ReleaseEvent, VerdictKind } from "../../core/health.ts";
import type { ReleaseView, Revision } from "../../core/types.ts";
import { sayCount, sayEffect, sayValue, SUBJECTS } from "../../core/watching/says.ts";

export type Tone = "good" | "bad" | "warn" | "quiet";

export const VERDICT_TONES: { [verdict in VerdictKind]: Tone } = {
  waiting: "quiet",
  watching: "good",
  prompt: "bad",
  upstream: "warn",
  "prompt+upstream": "bad",
  "model changed": "warn",
};

/** What the verdict comes to, for somebody who has to decide. */
export const VERDICT_TITLES: { [verdict in VerdictKind]: string } = {
  waiting: "Nothing to compare",
  watching: "Being compared",
  prompt: "The canary is worse than its baseline",
  upstream: "It is not the prompt: the baseline itself has changed",
  "prompt+upstream": "The canary is worse, and the baseline has changed as well",
  "model changed": "The provider answers with another model",
};

/** "errors 1 % on v1. more" → "Errors 1 % on v1. More."; names of versions stay as they are. */
export function sentence(text: string): string {
  const ended = /[.!?…]$/.test(text) ? text : `${text}.`;
  return ended.replace(/(^|[.] )(?!v\d)(\p{Ll})/gu, (_, before: string, letter: string) => {
    return before + letter.toUpperCase();
  });
}

export type GuardRow = {
  metric: string;
  name: string;
  /** What counts, in words. */
  counts: string;
  baseline: Side;
  canary: Side;
  effect: string;
  evidence: string;
  /** Of what it takes, 0 to 1. */
  share: number;
  action: string;
  state: "crossed" | "rising" | "quiet";
};
/** "8.4 %" of "310". */
export type Side = { value: string; of: string };

const ACTIONS = { rollback: "rollback", notify: "notify", off: "nothing" };
const RISING = 0.5;

/** Rows of what has data, nearest to its threshold first, and the names of what has none. */
export function guardRows(guards: readonly GuardView[]): { rows: GuardRow[]; without: string[] } {
  const known = guards.filter(hasData).toSorted((one, other) => shareOf(other) - shareOf(one));
  const without = guards.filter((guard) => !hasData(guard)).map(({ metric }) => SUBJECTS[metric]);
  return { rows: known.map(rowOf), without };
}

/** Of a comparison there are two. */
function hasData({ baseline, canary, isCrossed }: GuardView): boolean {
  return isCrossed || (baseline.units > 0 && canary.units > 0);
}

function rowOf(guard: GuardView): GuardRow {
  const { metric, says, evidence, threshold, action, isCrossed } = guard;
  const share = shareOf(guard);
  return {
    metric,
    name: sentence(SUBJECTS[metric]).slice(0, -1),
    counts: says,
    baseline: sideOf(guard, guard.baseline),
    canary: sideOf(guard, guard.canary),
    effect: sayEffect(guard) || "–",
    evidence: `${evidence.toFixed(1)} of ${threshold.toFixed(1)}`,
    share,
    action: ACTIONS[action],
    state: isCrossed ? "crossed" : share >= RISING ? "rising" : "quiet",
  };
}

function shareOf({ evidence, threshold, isCrossed }: GuardView): number {
  return isCrossed ? 1 : Math.min(1, Math.max(0, evidence / threshold));
}

function sideOf({ metric }: GuardView, { value, units }: GuardView["canary"]): Side {
  return { value: sayValue(metric, value), of: sayCount(units) };
}

/** A verdict on which a guardrail rolls back, if it can. */
export type Conviction = { revision: number; baseline: number; canary: number; guards: GuardView[] };

/** null: no guardrail acts on this event. `revision` was in force. */
export function convictionOf({ kind, revision, data }: ReleaseEvent): Conviction | null {
  const { baseline, canary, guards } = data;
  if (kind !== "verdict" || typeof baseline !== "number" || typeof canary !== "number") return null;
  // Written by core/watching/conclude.ts: the guardrails that had crossed.
  const crossed = (Array.isArray(guards) ? guards : []) as GuardView[];
  const acting = crossed.filter(({ action }) => action === "rollback");
  return acting.length === 0 ? null : { revision, baseline, canary, guards: crossed };
}

/** `conviction` null: the guardrail had no new verdict to tell, so that its `reason` is all that is known. */
export type GuardrailRollback = {
  at: string;
  revision: number;
  reason: string;
  conviction: Conviction | null;
};

/** The rollback that the release in force is the result of; null: it is none by a guardrail. */
export function rollbackInForce(
  events: readonly ReleaseEvent[],
  release: Pick<ReleaseView, "revision" | "action" | "changedBy" | "changedAt" | "reason"> | null,
): GuardrailRollback | null {
  if (release === null || !isOfGuardrail(release.action, release.changedBy)) return null;
  const { revision, changedAt: at, reason } = release;
  const conviction = events.map(convictionOf).find((one) => one?.revision === revision - 1) ?? null;
  return { at, revision, reason, conviction };
}

function isOfGuardrail(action: string, actor: string): boolean {
  return action === "rollback" && actor === "guardrail";
}

export type EventLine = {
  id: number;
  at: string;
  label: string;
  tone: Tone;
  says: string;
  /** The revision that a guardrail made on it; null: none that the log shows. */
  rollback: number | null;
};

const KIND_TONES: { [kind in ReleaseEvent["kind"]]: Tone } = {
  verdict: "quiet",
  notice: "warn",
  "model changed": "warn",
  split: "warn",
  ramp: "quiet",
};

/** `revisions`: of the log, as far as it was read. A verdict stands before its own sentence already ("prompt: errors …"), and is the label here. */
export function eventLine(
  event: ReleaseEvent,
  revisions: readonly Pick<Revision, "revision" | "action" | "actor">[],
): EventLine {
  const { id, at, kind, says, data } = event;
  const next = revisions.find(({ revision }) => revision === event.revision + 1);
  const isRollback = next !== undefined && isOfGuardrail(next.action, next.actor);
  const rollback = isRollback && convictionOf(event) !== null ? next.revision : null;
  const verdict = kind === "verdict" ? verdictIn(data["to"]) : null;
  if (verdict === null)
    return { id, at, label: kind, tone: KIND_TONES[kind], says: sentence(says), rollback };
  const own = says.startsWith(`${verdict}: `) ? says.slice(verdict.length + 2) : says;
  return { id, at, label: verdict, tone: VERDICT_TONES[verdict], says: sentence(own), rollback };
}

function verdictIn(value: unknown): VerdictKind | null {
  return Object.keys(VERDICT_TONES).find((one): one is VerdictKind => one === value) ?? null;
}

/** A line for each thing that the provider seems to have changed by itself. */
export function providerNotices({ upstream, modelChanges }: HealthView): string[] {
  const changes = upstream.map(({ metric, usualRate, rate }) => {
    const now = rate === null ? "more" : sayValue(metric, rate);
    return `${SUBJECTS[metric]} of the baseline: ${now}, usually ${sayValue(metric, usualRate)}`;
  });
  return [...changes, ...modelChanges.map(({ from, to }) => `model ${to} instead of ${from}`)].map(sentence);
}
