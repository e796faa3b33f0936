// Has the provider put another model, or another build of it, behind the same name? Read off what answers of the baseline
// say of themselves. Callers choose models too, so only what is alike in name is compared: dated snapshots and fingerprints
// within one family, unless the version itself forces the model, which then is the one name for all.
//
// What it cannot see: a swap for a model of another family where callers choose the model; a provider that names no snapshot
// and no fingerprint; a build that comes in so slowly that it is usual before it is a fifth of the answers. What it may
// take for one: a caller who moves between two APIs, or to a snapshot, and does not say so in the body.

import type { ModelChange } from "../health.ts";
import { OTHER_MODELS } from "../metering/sums.ts";

type Counts = { [seen: string]: number };

type Family = {
  /** What is known, by `model fingerprint`; fading. */
  usual: Counts;
  /** The window under way. */
  recent: Counts;
  /** Seen, neither usual nor frequent: in how many windows, and since when (ms). */
  strangers: { [seen: string]: { windows: number; sinceMs: number } };
};

export type ModelWatch = {
  families: { [family: string]: Family };
  /** Names that callers ask for; the latest last. */
  asked: readonly string[];
  /** Oldest first. */
  changes: readonly (ModelChange & { sinceMs: number })[];
};

const WINDOW_ANSWERS = 30;
const WARM_UP_ANSWERS = 200;
/** Of a window, from which on something new is a change. */
const SHARE = 0.2;
/** Something new that stays rare for so many windows is usual. */
const LEARNED_WINDOWS = 20;
/** Halved at that many answers, so that what was usual last quarter is not usual for ever. */
const MOST_ANSWERS = 20_000;
const MOST_FAMILIES = 12;
const MOST_USUAL = 24;
const MOST_ASKED = 40;
const MOST_CHANGES = 10;

export function createModelWatch(): ModelWatch {
  return { families: {}, asked: [], changes: [] };
}

/** Answers of the baseline, `model fingerprint` → count. `forced`: the model that the version asks for, if it does. */
export function addModels(
  watch: ModelWatch,
  seen: Counts,
  { forced, asked = [], nowMs }: { forced: string | null; asked?: readonly string[]; nowMs: number },
): ModelWatch {
  const fresh = asked.filter((name) => !watch.asked.includes(name));
  let next = fresh.length === 0 ? watch : { ...watch, asked: [...watch.asked, ...fresh].slice(-MOST_ASKED) };
  for (const [name, answers] of Object.entries(seen)) {
    // Where too many were seen at once, the rest of them goes by this name.
    if (name === OTHER_MODELS || answers <= 0) continue;
    const family = forced ?? familyOf(modelOf(name));
    const held = next.families[family] ?? { usual: {}, recent: {}, strangers: {} };
    const recent = { ...held.recent, [name]: (held.recent[name] ?? 0) + answers };
    next = { ...next, families: bound({ ...next.families, [family]: { ...held, recent } }) };
  }
  for (const [family, held] of Object.entries(next.families)) {
    if (totalOf(held.recent) >= WINDOW_ANSWERS) next = closeWindow(next, family, held, forced, nowMs);
  }
  return next;
}

function closeWindow(
  watch: ModelWatch,
  name: string,
  family: Family,
  forced: string | null,
  nowMs: number,
): ModelWatch {
  const { usual, recent, strangers } = family;
  const isWarm = totalOf(usual) >= WARM_UP_ANSWERS;
  const total = totalOf(recent);
  const learned: Counts = { ...usual };
  const left: Family["strangers"] = {};
  const changes = [...watch.changes];
  for (const [seen, answers] of Object.entries(recent)) {
    const known = strangers[seen] ?? { windows: 0, sinceMs: nowMs };
    const isNew = isWarm && isNews(usual, seen) && !isAskedFor(watch, usual, seen, forced);
    if (isNew && answers < SHARE * total && known.windows + 1 < LEARNED_WINDOWS) {
      left[seen] = { ...known, windows: known.windows + 1 };
      continue;
    }
    if (isNew && answers >= SHARE * total) {
      const since = new Date(known.sinceMs).toISOString();
      changes.push({ asked: forced, from: mainOf(usual), to: seen, since, sinceMs: known.sinceMs });
    }
    learned[seen] = (learned[seen] ?? 0) + answers;
  }
  const unknown = Object.entries({ ...strangers, ...left }).filter(([seen]) => learned[seen] === undefined);
  const next = {
    usual: fade(learned),
    recent: {},
    strangers: Object.fromEntries(unknown.slice(-MOST_USUAL)),
  };
  return {
    ...watch,
    families: { ...watch.families, [name]: next },
    changes: changes.slice(-MOST_CHANGES),
  };
}

/** A name that was not there, or a fingerprint of a name that used to have others. One that had none says nothing: some of
 * a provider's APIs give fingerprints, and others do not. */
function isNews(usual: Counts, seen: string): boolean {
  if (usual[seen] !== undefined) return false;
  const alike = Object.keys(usual).filter((one) => modelOf(one) === modelOf(seen));
  if (alike.length === 0) return true;
  return seen !== modelOf(seen) && alike.some((one) => one !== modelOf(one));
}

/** A caller who asks for another snapshot by its name gets what they ask for; another build of it is news all the same. */
function isAskedFor({ asked }: ModelWatch, usual: Counts, seen: string, forced: string | null): boolean {
  const model = modelOf(seen);
  if (forced !== null || Object.keys(usual).some((one) => modelOf(one) === model)) return false;
  return asked.includes(model);
}

export function modelOf(seen: string): string {
  return seen.split(" ", 1)[0] ?? seen;
}

/** The name without what tells one snapshot from another: `gpt-4o-2024-08-06`, `gemini-1.5-pro-002`, `…-20250929-v1:0`. */
export function familyOf(model: string): string {
  const endings = [
    /[-@](latest|stable)$/,
    /-v\d+(:\d+)?$/,
    /[-@]20\d\d-?\d\d-?\d\d$/,
    /-(preview|exp)(-\d\d-\d\d(\d\d)?|-\d{4})?$/,
    /-\d{3,4}$/,
  ];
  let family = model.toLowerCase();
  for (const ending of endings) family = family.replace(ending, "");
  return family === "" ? model : family;
}

function mainOf(usual: Counts): string {
  const [first] = Object.entries(usual).toSorted(([, one], [, other]) => other - one);
  return first?.[0] ?? "";
}

function fade(usual: Counts): Counts {
  const kept = Object.entries(usual)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, MOST_USUAL);
  const scale = totalOf(usual) >= MOST_ANSWERS ? 2 : 1;
  return Object.fromEntries(
    kept.map(([seen, count]) => [seen, Math.floor(count / scale)] as const).filter(([, count]) => count > 0),
  );
}

function bound(families: ModelWatch["families"]): ModelWatch["families"] {
  const names = Object.keys(families);
  if (names.length <= MOST_FAMILIES) return families;
  const sizeOf = (name: string) => totalOf(families[name]!.usual) + totalOf(families[name]!.recent);
  const smallest = names.slice(0, -1).reduce((one, other) => (sizeOf(other) < sizeOf(one) ? other : one));
  const { [smallest]: _, ...rest } = families;
  return rest;
}

function totalOf(counts: Counts): number {
  let sum = 0;
  for (const name in counts) sum += counts[name] ?? 0;
  return sum;
}
