// A release as a person reads it at three in the morning: who gets what, how it is doing, and who changed it last.

import type { ReleaseView } from "../../core/types.ts";
import { armMark, armStyle, formatBar } from "./bar.ts";
import { glyph, paint, plain, type Look } from "./look.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge, formatSpan } from "./time.ts";

/** What is counted per version; null where no counters are at hand. `perSecond`: requests, since the last look. */
export type Counters = { version: number; requests: number; errors: number; perSecond?: number }[] | null;

const LARGEST_BAR = 100;
/** An error rate from this many percent on is red. */
const ALARMING_ERROR_PERCENT = 5;
const NOTE_COLUMN = 5;

export function formatRelease(look: Look, release: ReleaseView, counters: Counters, nowMs: number): string[] {
  const weights = release.arms.map((arm) => arm.weight);
  return [
    formatReleaseTitle(look, release),
    `  ${formatBar(look, weights, Math.min(LARGEST_BAR, look.width - 4))}`,
    ...formatTable(look, formatArms(look, release, counters, nowMs), { flexible: NOTE_COLUMN, indent: 2 }),
    ...formatDraining(look, release, nowMs),
    ...formatRevoked(look, release),
    `  ${formatLastChange(look, release, nowMs)}`,
  ];
}

export function formatReleaseTitle(look: Look, release: ReleaseView): string {
  const name = paint(look, "bold", release.prompt);
  const separator = glyph(look, "dot");
  return `${name} ${separator} ${release.environment} ${separator} revision ${release.revision}`;
}

/** "95 %", "0.5 %": no digits that say nothing. */
export function formatPercent(percent: number): string {
  return `${Number(percent.toFixed(2))} %`;
}

/** "v2 95 %, v3 5 %": a release in one phrase. */
export function formatWeights(arms: { version: number; weight: number }[]): string {
  return arms.map((arm) => `v${arm.version} ${formatPercent(arm.weight)}`).join(", ");
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** "0 %", "0.12 %"; a dash where nothing was counted: no data is not good data. */
export function formatErrorRate(look: Look, requests: number, errors: number): string {
  return requests === 0 ? glyph(look, "dot") : formatPercent((errors / requests) * 100);
}

function formatArms(look: Look, release: ReleaseView, counters: Counters, nowMs: number): Row[] {
  return release.arms.map((arm, place) => [
    { text: armMark(look, place), style: armStyle(place) },
    { text: `v${arm.version}`, style: "bold" },
    arm.arm,
    { text: formatPercent(arm.weight), align: "right" },
    { text: formatAge(arm.versionCreatedAt, nowMs), style: "dim" },
    plain(arm.note),
    ...formatArmCounters(look, counters, arm.version),
  ]);
}

function formatArmCounters(look: Look, counters: Counters, version: number): Row {
  if (counters === null) return [];
  const counter = counters.find((candidate) => candidate.version === version);
  const { requests, errors, perSecond } = counter ?? { requests: 0, errors: 0 };
  const alarming = requests > 0 && (errors / requests) * 100 >= ALARMING_ERROR_PERCENT;
  const rate = `${formatErrorRate(look, requests, errors)} errors`;
  return [
    { text: `${formatCount(requests)} requests`, align: "right" },
    { text: perSecond === undefined ? "" : `${perSecond.toFixed(1)}/s`, align: "right", style: "cyan" },
    { text: rate, align: "right", ...(alarming ? { style: "red" as const } : {}) },
  ];
}

function formatDraining(look: Look, release: ReleaseView, nowMs: number): string[] {
  return release.draining.map(({ version, until }) => {
    const left = formatSpan(Date.parse(until) - nowMs);
    return paint(look, "yellow", `  conversations begun on v${version} stay on it for another ${left}`);
  });
}

function formatRevoked(look: Look, release: ReleaseView): string[] {
  if (release.revoked.length === 0) return [];
  return [paint(look, "red", `  revoked: ${release.revoked.map((version) => `v${version}`).join(", ")}`)];
}

function formatLastChange(look: Look, release: ReleaseView, nowMs: number): string {
  const age = formatAge(release.changedAt, nowMs);
  const reason = release.reason === "" ? "" : `: ${plain(release.reason)}`;
  return paint(look, "dim", `last change: ${release.action} by ${plain(release.changedBy)}, ${age}${reason}`);
}
