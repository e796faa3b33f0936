// The case of a diagnosis: since when it is worse, whose trouble that is, and which canaries may be blamed for it. What goes
// on comes before what is over; what a baseline went through before that is no part of the case.

import { listChanges, type Change } from "./diagnosis-changes.ts";
import { contrastArms, type Contrast } from "./diagnosis-contrast.ts";
import { openTrial } from "./diagnosis-trial.ts";
import type { Evidence, Onset } from "./diagnosis.ts";
import type { SeriesPoint } from "./metrics-view.ts";
import { compareRises, listRises, type Rise } from "./onset.ts";

export type Case = {
  evidence: Evidence;
  stepMs: number;
  /** Without pinned. */
  points: SeriesPoint[];
  onset: Onset | null;
  /** Of one version as a baseline. */
  baselineRise: BaselineRise | null;
  /** The strongest that was over before. */
  earlier: Onset | null;
  contrast: Contrast;
  changes: Change[];
};

type BaselineRise = Rise & { version: number };

export function openCase(evidence: Evidence): Case {
  const { metrics, health } = evidence;
  const points = (metrics.series?.points ?? []).filter(({ arm }) => arm !== "pinned");
  const stepMs = (metrics.series?.stepS ?? 60) * 1_000;
  const { own, all, rises } = findRises(points, stepMs);
  const troubles = (health?.upstream ?? []).map(({ since }) => Date.parse(since));
  if (own !== null) troubles.push(own.from);
  const trial = openTrial(evidence, troubles, stepMs);
  const contrast = contrastArms(evidence, trial);
  const rise = own?.until === null || all?.until !== null ? (own ?? all) : all;
  // All that rose is over, and a canary that came afterwards is worse.
  const isCanarys =
    contrast.onset?.until === null && rise?.until != null && Date.parse(contrast.onset.at) >= rise.to;
  const onset = rise === null || isCanarys ? contrast.onset : pickOnset(rise);
  const over = rises.find(({ until, to }) => until !== null && to <= Date.parse(onset?.at ?? until));
  const found = { onset, baselineRise: isCanarys ? null : own, earlier: over ? pickOnset(over) : null };
  return { evidence, stepMs, points, ...found, contrast, changes: listChanges(evidence) };
}

/** `own`: of one version as a baseline; `all`: of all traffic. What goes on comes before what is over: a baseline's own rise
 * that was over when another began is no part of this. */
function findRises(points: readonly SeriesPoint[], stepMs: number) {
  const lastMs = Math.max(...points.map(({ at }) => Date.parse(at)));
  const baselines = points.filter(({ arm }) => arm === "baseline");
  const owns: BaselineRise[] = [...new Set(baselines.map(({ version }) => version))].flatMap((version) => {
    const its = baselines.filter((point) => point.version === version);
    return listRises(its, stepMs, lastMs).map((rise) => ({ ...rise, version }));
  });
  const [best = null] = owns.toSorted(compareRises);
  const alls = listRises(points, stepMs, lastMs);
  const [all = null] = alls;
  const isPast = best !== null && best.until !== null && all?.until === null && best.to <= all.from;
  const rises: Rise[] = [...owns, ...alls].toSorted(compareRises);
  return { own: isPast ? null : best, all, rises };
}

function pickOnset({ at, until, metric, before, after }: Rise): Onset {
  return { at, until, metric, before, after };
}

/** Among all errors that have a class, while it lasts: what failed before or was pinned is another matter. null: there are
 * none. */
export function shareOf({ points, onset, evidence }: Case, of: ReadonlySet<string>): number | null {
  const since = (evidence.health?.upstream ?? []).map((one) => Date.parse(one.since));
  const fromMs = onset === null ? Math.min(...since) : Date.parse(onset.at);
  const toMs = onset === null || onset.until === null ? Infinity : Date.parse(onset.until);
  let [all, wanted] = [0, 0];
  for (const { at, errorClasses } of points) {
    const atMs = Date.parse(at);
    if (atMs < fromMs || atMs >= toMs) continue;
    for (const [errorClass, count] of Object.entries(errorClasses ?? {})) {
      all += count;
      if (of.has(errorClass)) wanted += count;
    }
  }
  return all === 0 ? null : wanted / all;
}
