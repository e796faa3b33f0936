// Thumbs and scores are rare and come late, days after their request, in any order of epochs. They gather until there are
// enough of them to compare, always within their own epoch and turn: the split was another before and after. A bounded
// number of epochs is open at once; the oldest gives way, and what it has gathered is compared as it is.

import type { Turn } from "../metering/outcome.ts";
import { addPairs, addSums, STRATUM_UNITS, type ArmSums, type Stratum } from "./arm-sums.ts";
import type { CountStratum } from "./count-guard.ts";
import type { MeanStratum } from "./normal-mixture.ts";

export type Gathering = { epoch: number; turn: Turn | null; thumbs: CountStratum; judge: MeanStratum };

export const MOST_GATHERINGS = 12;

const NO_PAIR = { units: 0, bad: 0 };
const NO_SUMS = { units: 0, sum: 0, squares: 0 };
const NO_THUMBS: CountStratum = { baseline: NO_PAIR, canary: NO_PAIR };
const NO_SCORES: MeanStratum = { baseline: NO_SUMS, canary: NO_SUMS };

/** What is complete now, and what goes on gathering; the latest that was added to last. */
export function gather(
  held: readonly Gathering[],
  stratum: Stratum,
): { thumbs: CountStratum[]; judge: MeanStratum[]; rest: readonly Gathering[] } {
  const { epoch, turn = null, baseline, canary } = stratum;
  if (isSilent(baseline) && isSilent(canary)) return { thumbs: [], judge: [], rest: held };
  const open = held.find((one) => one.epoch === epoch && one.turn === turn);
  const thumbs = {
    baseline: addPairs(open?.thumbs.baseline ?? NO_PAIR, baseline.thumbs),
    canary: addPairs(open?.thumbs.canary ?? NO_PAIR, canary.thumbs),
  };
  const judge = {
    baseline: addSums(open?.judge.baseline ?? NO_SUMS, baseline.judge),
    canary: addSums(open?.judge.canary ?? NO_SUMS, canary.judge),
  };
  const left = {
    epoch,
    turn,
    thumbs: isEnough(thumbs) ? NO_THUMBS : thumbs,
    judge: isEnough(judge) ? NO_SCORES : judge,
  };
  const others = held.filter((one) => one !== open);
  const rest = unitsOf(left.thumbs) + unitsOf(left.judge) === 0 ? others : [...others, left];
  const over = rest.length > MOST_GATHERINGS ? oldestOf(rest) : null;
  return {
    thumbs: [...(over === null ? [] : [over.thumbs]), ...(isEnough(thumbs) ? [thumbs] : [])],
    judge: [...(over === null ? [] : [over.judge]), ...(isEnough(judge) ? [judge] : [])],
    rest: over === null ? rest : rest.filter((one) => one !== over),
  };
}

function isSilent({ thumbs, judge }: ArmSums): boolean {
  return thumbs.units === 0 && judge.units === 0;
}

function isEnough(stratum: CountStratum | MeanStratum): boolean {
  return unitsOf(stratum) >= STRATUM_UNITS;
}

function unitsOf({ baseline, canary }: CountStratum | MeanStratum): number {
  return baseline.units + canary.units;
}

function oldestOf(gatherings: readonly Gathering[]): Gathering {
  return gatherings.reduce((oldest, one) => (one.epoch < oldest.epoch ? one : oldest));
}
