// A ramp as a person reads it: the whole plan in a line, with a mark at the step it is at; what it waits for, in the
// server's own words; and since when, by whom.

import { isHeldBack, weightAt } from "../../core/ramp-plan.ts";
import { describeMs } from "../../core/ramp-words.ts";
import type { RampView } from "../../core/ramps.ts";
import { glyph, measure, paint, plain, type Look, type Style } from "./look.ts";
import { formatAge, formatMoment } from "./time.ts";

export function formatRamp(look: Look, ramp: RampView, nowMs: number): string[] {
  return [
    `  ${paint(look, "bold", `ramp of v${ramp.version}`)}  ${stateOf(ramp)}`,
    ...formatPlan(look, ramp),
    `    ${paint(look, toneOf(ramp), plain(ramp.says))}`,
    paint(look, "dim", `    ${formatTimes(ramp, nowMs)}`),
  ];
}

/** "5 % → 25 % → 50 % → 95 % for 24 h → 100 %"; the old version's share is what is left. */
function listStages(ramp: RampView): string[] {
  const stages = ramp.steps.map((_, step) => `${weightAt(ramp, step)} %`);
  if (!isHeldBack(ramp)) return stages;
  return [...stages.slice(0, -1), `${stages.at(-1)} for ${describeMs(ramp.holdbackMs)}`, "100 %"];
}

/** In one line where it fits, else in as many as it takes. */
function formatPlan(look: Look, ramp: RampView): string[] {
  const arrow = ` ${glyph(look, "arrow")} `;
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const [step, stage] of listStages(ramp).entries()) {
    const mark =
      step < ramp.step ? `${glyph(look, "tick")} ` : step === ramp.step ? `${glyph(look, "here")} ` : "";
    const text = `${mark}${stage}`;
    const style: Style = step < ramp.step ? "green" : step === ramp.step ? "bold" : "dim";
    const before = step === 0 ? "" : arrow;
    if (used > 0 && 4 + used + measure(before + text) > look.width) {
      lines.push(line);
      line = "";
      used = 0;
    }
    line += paint(look, "dim", before) + paint(look, style, text);
    used += measure(before + text);
  }
  return [...lines, line].map((one) => `    ${one}`);
}

function stateOf({ state, isFrozen, asks, step, steps }: RampView): string {
  const word = asks ? "needs somebody" : isFrozen ? "frozen" : state === "holdback" ? "held back" : state;
  return `${word}, step ${step + 1} of ${steps.length}`;
}

function toneOf({ state, isFrozen, asks }: RampView): Style {
  if (asks) return "red";
  return isFrozen || state === "paused" ? "yellow" : "cyan";
}

function formatTimes({ stepSince, notBefore, startedAt, startedBy }: RampView, nowMs: number): string {
  const isToCome = notBefore !== null && Date.parse(notBefore) > nowMs;
  const next = isToCome ? `, the next one not before ${formatWhen(notBefore, nowMs)}` : "";
  const started = `started by ${plain(startedBy)}, ${formatAge(startedAt, nowMs)}`;
  return `this step began ${formatAge(stepSince, nowMs)}${next}; ${started}`;
}

/** With its date where that is not today's. */
function formatWhen(iso: string, nowMs: number): string {
  const moment = formatMoment(iso);
  return iso.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10) ? moment.slice(11) : moment;
}
