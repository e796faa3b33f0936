// A release as a person reads it at three in the morning: who gets what, how it is doing, and who changed it last.

import type { ReleaseView } from "../../core/types.ts";
import { armMark, armStyle, formatBar } from "./bar.ts";
import { formatRamp } from "./ramp.ts";
import { glyph, paint, plain, type Look } from "./look.ts";
import { formatTable, type Cell, type Row } from "./table.ts";
import { formatAge, formatSpan } from "./time.ts";

/** What is counted per version; null where no counters are at hand. `perSecond`: requests, since the last look. */
export type Counters = { version: number; requests: number; errors: number; perSecond?: number }[] | null;

const LARGEST_BAR = 100;
/** An error rate from this many percent on is red. */
const ALARMING_ERROR_PERCENT = 5;

export function formatRelease(look: Look, release: ReleaseView, counters: Counters, nowMs: number): string[] {
  const weights = release.arms.map((arm) => arm.weight);
  return [
    formatReleaseTitle(look, release),
    `  ${formatBar(look, weights, Math.min(LARGEST_BAR, look.width - 4))}`,
    ...formatArms(look, release, counters, nowMs),
    ...(release.ramp === undefined ? [] : formatRamp(look, release.ramp, nowMs)),
    ...formatDraining(look, release, nowMs),
    ...formatRevoked(look, release),
    `  ${formatLastChange(look, release, nowMs)}`,
  ];
}

export function formatReleaseTitle(
  look: Look,
  release: Pick<ReleaseView, "prompt" | "environment" | "revision">,
): string {
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

function formatArms(look: Look, release: ReleaseView, counters: Counters, nowMs: number): string[] {
  const counted = (counters ?? []).some((counter) => counter.perSecond !== undefined);
  const header: Row = [
    "",
    "VERSION",
    "ARM",
    right("WEIGHT"),
    "PUSHED",
    ...(counters === null ? [] : [right("REQUESTS"), right(counted ? "PER SECOND" : ""), right("ERRORS")]),
    "NOTE",
  ];
  const rows = release.arms.map((arm, place): Row => [
    { text: armMark(look, place), style: armStyle(place) },
    { text: `v${arm.version}`, style: "bold" },
    arm.arm,
    right(formatPercent(arm.weight)),
    { text: formatAge(arm.versionCreatedAt, nowMs), style: "dim" },
    ...(counters === null ? [] : formatCounters(look, counters, arm.version)),
    plain(arm.note),
  ]);
  return formatTable(look, rows, { header, flexible: header.length - 1, indent: 2 });
}

function formatCounters(look: Look, counters: NonNullable<Counters>, version: number): Row {
  const counter = counters.find((candidate) => candidate.version === version);
  const { requests, errors, perSecond } = counter ?? { requests: 0, errors: 0 };
  const alarming = requests > 0 && (errors / requests) * 100 >= ALARMING_ERROR_PERCENT;
  const rate = right(formatErrorRate(look, requests, errors));
  return [
    right(formatCount(requests)),
    { ...right(perSecond === undefined ? "" : perSecond.toFixed(1)), style: "cyan" },
    alarming ? { ...rate, style: "red" } : rate,
  ];
}

function right(text: string): Cell {
  return { text, align: "right" };
}

function formatDraining(look: Look, release: ReleaseView, nowMs: number): string[] {
  return release.draining.map(({ version, until }) => {
    // A window that has just begun is not a unit shorter.
    const left = formatSpan(Date.parse(until) - nowMs + 59_999);
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
