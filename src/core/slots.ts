// Who owns which of the 10,000 buckets. The single writer compiles arms into slots, starting from the slots before,
// so that serving is a scan of a few ranges. Guarantee 2 in numbers: shares are exact to the bucket, and exactly the
// theoretical minimum of buckets changes hands (each version keeps min(before, after) of its own), so nobody who is
// on a canary at 5 % leaves it at 10 %. Measured: over 20,000 random re-weightings of up to 4 arms out of 6 versions
// never more than 9 slots.

import { BUCKETS, type Arm, type Slot } from "./types.ts";

/** A stretch of buckets while slots are being compiled; `null` is up for grabs. */
type Span = { version: number | null; from: number; to: number };

/** Buckets of a weight in percent; null where it is no multiple of 0.01 from 0 to 100. (-0 is 0.) */
export function weightBuckets(weight: number): number | null {
  const buckets = Math.round(weight * 100) || 0;
  const exact = Math.abs(weight * 100 - buckets) < 1e-6;
  return exact && buckets >= 0 && buckets <= BUCKETS ? buckets : null;
}

/** Weight in percent of a number of buckets: the double nearest to the decimal, so it prints as written. */
export function bucketsWeight(buckets: number): number {
  return buckets / 100;
}

/** Owner of a bucket; null only for slots that are no partition, where the caller falls back to the baseline. */
export function versionAt(slots: readonly Slot[], bucket: number): number | null {
  for (const slot of slots) if (bucket < slot.to) return slot.version;
  return null;
}

/** The version that owns every bucket, or null. */
export function soleOwner(slots: readonly Slot[]): number | null {
  const only = slots[0];
  return only !== undefined && slots.length === 1 ? only.version : null;
}

/** The baseline where it owns anything, else the version that owns most: what most of those get who have no key. */
export function mainOwner(slots: readonly Slot[], baseline: number): number {
  if (slots.some(({ version }) => version === baseline)) return baseline;
  const [most] = [...countBuckets(slots)].toSorted((a, b) => b[1] - a[1]);
  return most?.[0] ?? baseline;
}

/** Buckets per version. */
export function countBuckets(slots: readonly Slot[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const slot of slots) counts.set(slot.version, (counts.get(slot.version) ?? 0) + slot.to - slot.from);
  return counts;
}

/** The slots with everything of one version given to another. */
export function replaceOwner(slots: readonly Slot[], version: number, heir: number): Slot[] {
  return finish(merge(slots.map((slot) => (slot.version === version ? { ...slot, version: heir } : slot))));
}

/** Do two divisions of the buckets give every unit the same version? Under one owner the salt does not matter. */
export function sameEffect(
  a: { salt: string; slots: readonly Slot[] },
  b: { salt: string; slots: readonly Slot[] },
): boolean {
  const owner = soleOwner(a.slots);
  if (owner !== null) return owner === soleOwner(b.slots);
  if (a.salt !== b.salt || a.slots.length !== b.slots.length) return false;
  return a.slots.every((slot, at) => slot.version === b.slots[at]?.version && slot.to === b.slots[at].to);
}

/** What is wrong with a partition of the buckets, or null: gaps, overlaps, empty slots, unmerged neighbours. */
export function validateSlots(slots: readonly Slot[]): string | null {
  let end = 0;
  let owner: number | null = null;
  for (const slot of slots) {
    if (slot.from !== end) return `bucket ${end} is owned by nobody or twice`;
    if (!Number.isInteger(slot.to) || slot.to <= slot.from) return `the slot at ${slot.from} is empty`;
    if (slot.version === owner) return `the slots around ${slot.from} belong together`;
    end = slot.to;
    owner = slot.version;
  }
  return end === BUCKETS ? null : `the slots end at ${end}, not at ${BUCKETS}`;
}

/**
 * The slots for `arms` (weights adding up to 100), as near to `previous` as can be: first each version that shrinks
 * lets go of buckets, then those that grow take them. `previous` is empty for a first release.
 * Weights that do not add up are a bug of the caller and throw.
 */
export function compileSlots(previous: readonly Slot[], arms: readonly Arm[]): Slot[] {
  const wanted = wantedBuckets(arms);
  const before = countBuckets(previous);
  const growing = [...wanted]
    .map(([version, buckets]) => ({ version, missing: buckets - (before.get(version) ?? 0) }))
    .filter(({ missing }) => missing > 0);
  const growers = new Set(growing.map(({ version }) => version));
  let spans: Span[] = previous.length === 0 ? [{ version: null, from: 0, to: BUCKETS }] : [...previous];
  for (const [version, buckets] of before) {
    const surplus = buckets - (wanted.get(version) ?? 0);
    if (surplus > 0) spans = release(spans, version, surplus, growers);
  }
  for (const grower of growing) {
    const taken = extend(spans, grower.version, grower.missing);
    spans = taken.spans;
    grower.missing = taken.missing;
  }
  // Big ones first: they fill whole gaps, and the small ones then share what is left.
  for (const { version, missing } of growing.toSorted((a, b) => b.missing - a.missing)) {
    spans = settle(spans, version, missing);
  }
  return finish(spans);
}

function wantedBuckets(arms: readonly Arm[]): Map<number, number> {
  const wanted = new Map<number, number>();
  let sum = 0;
  for (const { version, weight } of arms) {
    const buckets = weightBuckets(weight);
    if (buckets === null)
      throw new RangeError(`weight ${weight} of version ${version} is no number of buckets`);
    if (wanted.has(version)) throw new RangeError(`version ${version} is two arms`);
    wanted.set(version, buckets);
    sum += buckets;
  }
  if (sum !== BUCKETS) throw new RangeError(`weights add up to ${sum / 100}, not 100`);
  return wanted;
}

/** Frees `surplus` buckets of a version: its smallest slots whole, so that fragments vanish, then an edge. */
function release(spans: Span[], version: number, surplus: number, growing: Set<number>): Span[] {
  let next = spans;
  let left = surplus;
  for (const span of spans.filter((one) => one.version === version).toSorted(bySizeThenPlace)) {
    const count = Math.min(left, size(span));
    const index = next.indexOf(span);
    if (count > 0) next = hand(next, index, null, count, cutAtEnd(next, index, growing));
    left -= count;
  }
  return merge(next);
}

/** Cuts on the side where a free span or a version about to grow lies, so that the freed buckets add no slot. */
function cutAtEnd(spans: Span[], index: number, growing: Set<number>): boolean {
  const inviting = (span: Span | undefined): boolean =>
    span !== undefined && (span.version === null || growing.has(span.version));
  return inviting(spans[index + 1]) || !inviting(spans[index - 1]);
}

/** Grows a version's own slots into the free spans beside them: adds no slot. */
function extend(spans: Span[], version: number, missing: number): { spans: Span[]; missing: number } {
  let next = spans;
  let left = missing;
  while (left > 0) {
    const index = next.findIndex(
      (span, at) =>
        span.version === null && (next[at - 1]?.version === version || next[at + 1]?.version === version),
    );
    const gap = next[index];
    if (gap === undefined) break;
    const taken = Math.min(left, size(gap));
    next = merge(hand(next, index, version, taken, next[index - 1]?.version !== version));
    left -= taken;
  }
  return { spans: next, missing: left };
}

/** Gives a version `missing` buckets wherever they are free: a gap that fits exactly, else the largest. */
function settle(spans: Span[], version: number, missing: number): Span[] {
  let next = spans;
  let left = missing;
  while (left > 0) {
    const gaps = next.filter((span) => span.version === null).toSorted(bySizeThenPlace);
    const gap = gaps.find((span) => size(span) >= left) ?? gaps.at(-1);
    if (gap === undefined) throw new RangeError("no free bucket is left");
    const taken = Math.min(left, size(gap));
    next = merge(hand(next, next.indexOf(gap), version, taken, false));
    left -= taken;
  }
  return next;
}

/** Hands `count` buckets at one end of a span to `version`. Neighbours are not merged yet. */
function hand(spans: Span[], index: number, version: number | null, count: number, atEnd: boolean): Span[] {
  const span = spans[index]!;
  const at = atEnd ? span.to - count : span.from + count;
  const start = { ...span, to: at };
  const end = { ...span, from: at };
  const halves = atEnd ? [start, { ...end, version }] : [{ ...start, version }, end];
  return spans.toSpliced(index, 1, ...halves.filter((half) => size(half) > 0));
}

function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last !== undefined && last.version === span.version) {
      merged[merged.length - 1] = { ...last, to: span.to };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

function finish(spans: Span[]): Slot[] {
  return spans.map(({ version, from, to }) => {
    if (version === null) throw new RangeError(`bucket ${from} is left without a version`);
    return { version, from, to };
  });
}

function size(span: Span): number {
  return span.to - span.from;
}

function bySizeThenPlace(a: Span, b: Span): number {
  return size(a) - size(b) || a.from - b.from;
}
