// A diagnosis for whoever is on call: the answer first, then since when, who is suspected and why or why not, and what
// happened around it. Sentences are wrapped, not cut: half a reason is none.

import {
  sayOnset,
  type Diagnosis,
  type Onset,
  type Suspect,
  type TimelineEntry,
} from "../../core/diagnosis.ts";
import { glyph, measure, paint, plain, type Look, type Style } from "./look.ts";
import { formatTable, type Row } from "./table.ts";
import { formatAge, formatMoment } from "./time.ts";
import { wrap } from "./wrap.ts";

const MOST_SHOWN = 20;

const NAMES: { [cause in Suspect["cause"]]: string } = {
  prompt: "the prompt",
  upstream: "the provider",
  model: "the model",
  caller: "the callers",
  credentials: "credentials",
};

const STYLES: { [kind in TimelineEntry["kind"]]?: Style } = {
  onset: "red",
  release: "cyan",
  model: "yellow",
  caller: "yellow",
  "model changed": "yellow",
};

export function formatDiagnosis(look: Look, diagnosis: Diagnosis, nowMs: number): string[] {
  const { prompt, environment, since, summary, onset, suspects, timeline } = diagnosis;
  const title = `${paint(look, "bold", prompt)} ${glyph(look, "dot")} ${environment}`;
  const began = onset === null ? [] : wrap(look, sayBegan(onset, nowMs), 2);
  return [
    `${title}  ${paint(look, "dim", `since ${formatMoment(since)}`)}`,
    ...wrap(look, plain(summary), 2).map((line) => paint(look, "bold", line)),
    ...began.map((line) => paint(look, "red", line)),
    ...suspects.flatMap((suspect) => formatSuspect(look, suspect)),
    ...formatErrors(look, diagnosis),
    ...formatTimeline(look, timeline),
  ];
}

function sayBegan(onset: Onset, nowMs: number): string {
  // An object that runs an earlier deployment does not say that it is over.
  const until = (onset.until ?? null) === null ? "" : `, until ${formatMoment(onset.until!)}`;
  return `${formatMoment(onset.at)} (${formatAge(onset.at, nowMs)})${until}: ${sayOnset(onset)}`;
}

function formatSuspect(look: Look, { cause, weight, ...reasons }: Suspect): string[] {
  const style: Style = weight >= 0.5 ? "red" : "yellow";
  const say = (mark: string, says: string) => wrap(look, `${mark} ${plain(says)}`, 4, measure(mark) + 1);
  return [
    "",
    `  ${paint(look, style, NAMES[cause])}  ${paint(look, "dim", `weight ${weight.toFixed(2)}`)}`,
    ...reasons.for.flatMap((says) => say("+", says)),
    ...reasons.against.flatMap((says) => say("-", says)).map((line) => paint(look, "dim", line)),
  ];
}

function formatErrors(look: Look, { errorClasses }: Diagnosis): string[] {
  const rows = errorClasses
    .filter(({ errors }) => errors > 0)
    .map(({ version, arm, requests, errors, classes }): Row => {
      const named = Object.entries(classes).toSorted(([, one], [, other]) => other - one);
      return [
        { text: `v${version}`, style: "bold" },
        arm,
        { text: `${errors} of ${requests}`, align: "right" },
        named.map(([name, count]) => `${name} ${count}`).join(", "),
      ];
    });
  if (rows.length === 0) return [];
  return ["", ...formatTable(look, rows, { header: ["ERRORS", "", "", "BY CLASS"], flexible: 3, indent: 2 })];
}

function formatTimeline(look: Look, timeline: readonly TimelineEntry[]): string[] {
  const rows = timeline.slice(0, MOST_SHOWN).map(({ at, kind, says }): Row => {
    const style = STYLES[kind];
    return [
      { text: formatMoment(at), style: "dim" },
      { text: kind, ...(style === undefined ? {} : { style }) },
      plain(says),
    ];
  });
  if (rows.length === 0) return [];
  const more = timeline.length - rows.length;
  return [
    "",
    ...formatTable(look, rows, { header: ["WHEN", "WHAT", ""], flexible: 2, indent: 2 }),
    ...(more === 0 ? [] : [paint(look, "dim", `  ${more} more: --json has them all`)]),
  ];
}
