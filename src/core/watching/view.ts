// The watch as people, scripts and ramps read it (core/health.ts).

import { SPLIT_AT, splitEvidence } from "../guardrails/split-check.ts";
import type { ComparisonView, HealthView } from "../health.ts";
import type { RampHealth } from "../ramps.ts";
import type { WatchContext } from "./add.ts";
import { conclude, viewUpstream, type PairConclusion } from "./conclude.ts";
import { sayGate } from "./says.ts";
import type { EnvironmentWatch, PairWatch } from "./state.ts";

export function viewHealth(
  watch: EnvironmentWatch,
  names: { prompt: string; environment: string },
  context: Pick<WatchContext, "specs" | "nowMs" | "unit">,
): HealthView {
  const { verdict, says, isFrozen, pairs } = conclude(watch, context);
  return {
    ...names,
    revision: watch.revision,
    verdict,
    says,
    isFrozen,
    comparisons: pairs.map((concluded) => viewComparison(concluded, context.unit === "request")),
    upstream: viewUpstream(watch.baseline),
    modelChanges: watch.baseline.models.changes.map(({ asked, from, to, since }) => ({
      asked,
      from,
      to,
      since,
    })),
  };
}

function viewComparison(
  { pair, verdict, says, guards, gate }: PairConclusion,
  isSingle: boolean,
): ComparisonView {
  return {
    baseline: pair.baseline,
    canary: pair.canary,
    since: new Date(pair.sinceMs).toISOString(),
    verdict,
    says,
    guards,
    split: isSingle ? viewSplit(pair) : null,
    gate,
  };
}

function viewSplit({ split, epochs }: PairWatch): ComparisonView["split"] {
  const { check, units, canary, expected, peak } = split;
  return {
    expected: units === 0 ? (epochs.at(-1)?.share ?? 0) : expected / units,
    actual: units === 0 ? null : canary / units,
    evidence: splitEvidence(check),
    threshold: SPLIT_AT,
    isMismatch: peak >= SPLIT_AT,
  };
}

/** What a ramp asks of its canary; null: there is nothing to compare, or nothing of late. */
export function viewGate(
  watch: EnvironmentWatch,
  canary: number,
  context: Pick<WatchContext, "specs" | "nowMs">,
): RampHealth | null {
  const found = conclude(watch, context).pairs.find(({ pair }) => pair.canary === canary);
  if (found === undefined || (!found.isCompared && !found.isAmiss)) return null;
  const { isAmiss, gate, says } = found;
  return { isOpen: gate.isOpen, isFrozen: isAmiss, says: isAmiss ? says : sayGate(gate) };
}
