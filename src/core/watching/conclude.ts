// What follows from a watch: a verdict for every canary and for the baseline alone, what is new since the last one, and
// whether something has to be rolled back. A rollback is asked for as long as the canary is there and its guardrail has
// crossed, so that one that was lost with its process is asked for again; carrying it out takes the canary away.
// No data is not good data: without a comparison of late the verdict is to wait.

import { judge, findChanges, type Verdict } from "../guardrails/verdict.ts";
import { judgeGate, type GateAnswer } from "../guardrails/ramp-gate.ts";
import { SPLIT_AT } from "../guardrails/split-check.ts";
import type { GuardView, ReleaseEvent, UpstreamView, VerdictKind } from "../health.ts";
import { nextClosingMs, type WatchContext } from "./add.ts";
import { latelyOf, viewGuards } from "./guard-view.ts";
import { sayCount, sayClock, sayGate, sayGuard, sayRate, sayUpstream } from "./says.ts";
import type { BaselineWatch, EnvironmentWatch, ErrorClasses, PairWatch } from "./state.ts";

/** Without a comparison for so long, the verdict is to wait. */
export const QUIET_MS = 30 * 60_000;
/** A changed model is the verdict for so long. */
export const RECENT_MODEL_MS = 3_600_000;

export type News = Pick<ReleaseEvent, "kind" | "says" | "data">;

export type PairConclusion = {
  pair: PairWatch;
  verdict: VerdictKind;
  says: string;
  /** Compared of late. */
  isCompared: boolean;
  /** Something is wrong. */
  isAmiss: boolean;
  isRollback: boolean;
  isMismatch: boolean;
  guards: GuardView[];
  gate: GateAnswer;
};

export type Conclusion = {
  verdict: VerdictKind;
  says: string;
  isFrozen: boolean;
  pairs: PairConclusion[];
};

type Context = Pick<WatchContext, "specs" | "nowMs">;

export function conclude(watch: EnvironmentWatch, context: Context): Conclusion {
  const { baseline } = watch;
  const pairs = watch.pairs.map((pair) => concludePair(pair, baseline, context));
  if (pairs.length === 0) {
    const alone = concludeBaseline(baseline, context);
    return { ...alone, isFrozen: alone.verdict === "upstream", pairs };
  }
  const worst = pairs.reduce((one, other) => (rankOf(other.verdict) > rankOf(one.verdict) ? other : one));
  return {
    verdict: worst.verdict,
    says: worst.says,
    isFrozen: pairs.some(({ isCompared, isAmiss }) => isAmiss || !isCompared),
    pairs,
  };
}

const RANKS: readonly VerdictKind[] = [
  "watching",
  "waiting",
  "model changed",
  "upstream",
  "prompt",
  "prompt+upstream",
];

function rankOf(verdict: VerdictKind): number {
  return RANKS.indexOf(verdict);
}

function concludePair(pair: PairWatch, baseline: BaselineWatch, { specs, nowMs }: Context): PairConclusion {
  const judged = judge(pair.state, baseline.upstream, specs);
  const guards = viewGuards(pair, specs);
  const isCompared = pair.comparedAtMs !== null && nowMs - pair.comparedAtMs < QUIET_MS;
  const verdict = kindOf(judged, baseline, isCompared, nowMs);
  const isMismatch = pair.split.peak >= SPLIT_AT;
  const gate = judgeGate(pair.gate.proof);
  const isAmiss = isMismatch || judged.findings.length > 0 || judged.changes.length > 0;
  const { isRollback } = judged;
  const rest = { pair, verdict, isCompared, isAmiss, isRollback, isMismatch, guards, gate };
  return { ...rest, says: sayPair(rest, judged, baseline) };
}

function kindOf(judged: Verdict, baseline: BaselineWatch, isCompared: boolean, nowMs: number): VerdictKind {
  if (judged.kind !== "watching" && judged.kind !== "waiting") return judged.kind;
  if (hasNewModel(baseline, nowMs)) return "model changed";
  return isCompared ? "watching" : "waiting";
}

function hasNewModel({ models }: BaselineWatch, nowMs: number): boolean {
  const last = models.changes.at(-1);
  return last !== undefined && nowMs - last.sinceMs < RECENT_MODEL_MS;
}

function sayPair(
  { pair, verdict, guards, gate, isMismatch }: Omit<PairConclusion, "says">,
  { findings }: Verdict,
  baseline: BaselineWatch,
): string {
  const versions = { baseline: pair.baseline, canary: pair.canary };
  const sentenceOf = (metric: GuardView["metric"]) => {
    const guard = guards.find((one) => one.metric === metric);
    if (guard === undefined) return [];
    const cause = metric === "errors" && guard.isCrossed ? mainCause(pair.errorClasses) : "";
    return [sayGuard(guard, versions, latelyOf(pair, guard)) + cause];
  };
  const crossed = findings.flatMap(({ metric }) => sentenceOf(metric));
  const upstream = viewUpstream(baseline).map((one) => sayUpstream(one) + sayCauses(baseline, one));
  const split = isMismatch ? [saySplit(pair)] : [];
  switch (verdict) {
    case "prompt":
      return [...crossed, ...split].join(". ");
    case "prompt+upstream":
      return [...crossed, `At the same time ${upstream.join(", ")}`, ...split].join(". ");
    case "upstream":
      return [`not the prompt: ${upstream.join(", ")}`, ...sentenceOf("errors"), ...split].join(". ");
    case "model changed":
      return [sayModel(baseline), ...split].join(". ");
    case "watching":
      return [`nothing found so far; ${sayGate(gate)}`, ...sentenceOf("errors"), ...split].join(". ");
    case "waiting":
      return [`v${pair.canary} has no traffic to compare of late`, ...split].join(". ");
  }
}

function saySplit({ canary, split }: PairWatch): string {
  const share = (count: number) => sayRate(count / Math.max(1, split.units));
  return `v${canary} gets ${share(split.canary)} of the requests instead of ${share(split.expected)}`;
}

function sayModel({ models }: BaselineWatch): string {
  const last = models.changes.at(-1);
  if (last === undefined) return "";
  return `the provider answers with ${last.to} instead of ${last.from} since ${sayClock(last.since)}`;
}

function sayCauses({ errorClasses }: BaselineWatch, { metric }: UpstreamView): string {
  return metric === "errors" ? mainCause(errorClasses) : "";
}

/** ", mostly rate_limited" */
function mainCause(errorClasses: ErrorClasses): string {
  const classes = Object.entries(errorClasses).toSorted(([, one], [, other]) => other - one);
  const total = classes.reduce((sum, [, count]) => sum + count, 0);
  const [first] = classes;
  return first !== undefined && first[1] > total / 2 ? `, mostly ${first[0]}` : "";
}

export function viewUpstream({ upstream, risingSinceMs, seenAtMs }: BaselineWatch): UpstreamView[] {
  return findChanges(upstream).map(({ metric, usualRate, rate }) => {
    const since = new Date(risingSinceMs[metric] ?? seenAtMs ?? 0).toISOString();
    return { metric, usualRate, rate, since };
  });
}

function concludeBaseline(
  baseline: BaselineWatch,
  { nowMs }: Context,
): { verdict: VerdictKind; says: string } {
  const upstream = viewUpstream(baseline);
  if (upstream.length > 0) {
    const says = upstream.map((one) => sayUpstream(one) + sayCauses(baseline, one)).join(", ");
    return { verdict: "upstream", says };
  }
  if (hasNewModel(baseline, nowMs)) return { verdict: "model changed", says: sayModel(baseline) };
  const { units, bad } = baseline.upstream.errors.detector.usual;
  const isSeen = baseline.seenAtMs !== null && nowMs - baseline.seenAtMs < QUIET_MS;
  if (!isSeen || units === 0) return { verdict: "waiting", says: "no canary, and no traffic of late" };
  const usual = `errors ${sayRate(bad / units)} of ${sayCount(Math.round(units))} requests of late`;
  return { verdict: "watching", says: `no canary; v${baseline.version} is as usual: ${usual}` };
}

/** When time alone changes something (ms); null: never. */
export function nextChangeMs(watch: EnvironmentWatch, nowMs: number): number | null {
  const { baseline, pairs } = watch;
  const quiet = pairs.flatMap(({ comparedAtMs }) => (comparedAtMs === null ? [] : [comparedAtMs + QUIET_MS]));
  const model = baseline.models.changes.at(-1);
  const times = [
    nextClosingMs(watch) ?? 0,
    ...quiet,
    model === undefined || pairs.length === 0 ? 0 : model.sinceMs + RECENT_MODEL_MS,
  ].filter((timeMs) => timeMs > nowMs);
  return times.length === 0 ? null : Math.min(...times);
}

/** The watch with its verdicts noted, and what there is to tell that was not told before. */
export function takeNews(
  watch: EnvironmentWatch,
  before: EnvironmentWatch,
  conclusion: Conclusion,
): { watch: EnvironmentWatch; news: News[] } {
  const news: News[] = [];
  const pairs = conclusion.pairs.map((concluded) => {
    const held = before.pairs.find(({ canary, sinceMs }) => isPair(concluded.pair, canary, sinceMs));
    const told = newsOfPair(concluded, held?.split.peak ?? 0);
    news.push(...told.news);
    return told.pair;
  });
  const alone = conclusion.pairs.length === 0 ? conclusion.verdict : watch.baseline.verdict;
  const isTold = alone === watch.baseline.verdict || !isWorthTelling(alone, watch.baseline.verdict);
  if (!isTold) {
    const data = { from: watch.baseline.verdict, to: alone, baseline: watch.baseline.version };
    news.push({ kind: "verdict", says: `${alone}: ${conclusion.says}`, data });
  }
  news.push(...newsOfModels(watch.baseline, before.baseline));
  return { watch: { ...watch, baseline: { ...watch.baseline, verdict: alone }, pairs }, news };
}

function isPair(pair: PairWatch, canary: number, sinceMs: number): boolean {
  return pair.canary === canary && pair.sinceMs === sinceMs;
}

/** Without a canary nobody asks whether there is traffic: only an incident and its end are news. */
function isWorthTelling(verdict: VerdictKind, before: VerdictKind): boolean {
  return verdict === "upstream" || before === "upstream";
}

function newsOfPair(concluded: PairConclusion, peakBefore: number): { pair: PairWatch; news: News[] } {
  const { pair, verdict, says, guards, isMismatch } = concluded;
  const { baseline, canary } = pair;
  const news: News[] = [];
  if (verdict !== pair.verdict) {
    const crossed = guards.filter(({ isCrossed }) => isCrossed);
    const data = { from: pair.verdict, to: verdict, baseline, canary, guards: crossed };
    news.push({ kind: "verdict", says: `${verdict}: ${says}`, data });
  }
  const fresh = guards.filter(
    ({ metric, isCrossed, action }) => isCrossed && action === "notify" && !pair.noticed.includes(metric),
  );
  for (const guard of fresh) {
    const sentence = sayGuard(guard, pair, latelyOf(pair, guard));
    news.push({ kind: "notice", says: sentence, data: { baseline, canary, guard } });
  }
  if (isMismatch && peakBefore < SPLIT_AT) {
    const { units, canary: actual, expected } = pair.split;
    news.push({ kind: "split", says: saySplit(pair), data: { baseline, canary, units, actual, expected } });
  }
  const noticed = [...pair.noticed, ...fresh.map(({ metric }) => metric)];
  return { pair: { ...pair, verdict, noticed }, news };
}

function newsOfModels(baseline: BaselineWatch, before: BaselineWatch): News[] {
  if (baseline.version !== before.version) return [];
  return baseline.models.changes
    .filter(
      (change) => !before.models.changes.some((one) => one.to === change.to && one.since === change.since),
    )
    .map(({ asked, from, to, since }) => ({
      kind: "model changed",
      says: `the provider answers with ${to} instead of ${from} since ${sayClock(since)}`,
      data: { asked, from, to, since },
    }));
}
