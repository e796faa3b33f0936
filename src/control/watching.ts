// Watches the releases of one prompt: every report, once it is counted, goes into the watch of its environment, and what
// follows is done at once. A guardrail that crossed rolls back by the command that people use (guarantee 7), in the same
// sync, whose answer carries the release after it. The verdict is durable before the rollback is asked for, and it is asked
// for as long as the canary is there, so a process that dies between the two only delays it to the next report.

import { GUARDRAIL_ACTOR } from "../core/actors.ts";
import { releaseStateOf } from "../core/decide-release.ts";
import { applySettings } from "../core/guardrails/guards.ts";
import type { HealthView } from "../core/health.ts";
import { isProblem } from "../core/problem.ts";
import type { RampHealth } from "../core/ramps.ts";
import type { Release } from "../core/types.ts";
import { addSeen, passTime, type Seen, type WatchContext } from "../core/watching/add.ts";
import {
  conclude,
  nextChangeMs,
  takeNews,
  type News,
  type PairConclusion,
} from "../core/watching/conclude.ts";
import type { EnvironmentWatch } from "../core/watching/state.ts";
import { viewGate, viewHealth } from "../core/watching/view.ts";
import { executeCommand, type CommandOptions } from "./commands.ts";
import { recordEvent } from "./events.ts";
import type { ControlStore } from "./store.ts";
import { withWatch, writeWatch, type HeldWatch } from "./watches.ts";

/** A watch is written at most so often, but for verdicts. */
const WRITE_EVERY_MS = 1_000;
/** What was not written yet is written after so long without another report. */
const FLUSH_MS = 60_000;
/** As much as people may say. */
const MOST_REASON = 1_000;

/** Tallies that were just counted, each once: of a report, of feedback, of judges, of calls given up for lost. */
export function watchReport(
  store: ControlStore,
  environment: string,
  seen: Seen,
  nowMs: number,
  options: CommandOptions,
): void {
  const release = releaseOf(store, environment);
  const isNothing = seen.tallies.length === 0 && (seen.askedModels ?? []).length === 0;
  if (release === null || isNothing) return;
  advance(store, release, nowMs, options, (watch, context) => addSeen(watch, seen, context));
}

/** What time alone changes, and what a process that died left undone: at every alarm. Asks for the next one. */
export function watchTime(store: ControlStore, nowMs: number, options: CommandOptions): void {
  if (!store.created) return;
  for (const row of store.sql.exec(`SELECT environment FROM watches`)) {
    const release = releaseOf(store, String(row["environment"]));
    if (release !== null) advance(store, release, nowMs, options, passTime);
  }
}

/** What a ramp asks of its canary; null: there is nothing to compare, or nothing of late. */
export function gateOf(
  store: ControlStore,
  environment: string,
  canary: number,
  nowMs: number,
): RampHealth | null {
  const release = releaseOf(store, environment);
  if (release === null) return null;
  const context = { specs: specsOf(store), nowMs };
  return withWatch(store, release, nowMs, ({ watch }) => viewGate(watch, canary, context));
}

/** Of an environment that has a release. */
export function readHealth(store: ControlStore, release: Release, nowMs: number): HealthView {
  const { prompt, environment, unit } = release;
  const context = { specs: specsOf(store), unit, nowMs };
  return withWatch(store, release, nowMs, ({ watch }) => viewHealth(watch, { prompt, environment }, context));
}

function releaseOf({ state }: ControlStore, environment: string): Release | null {
  if (state === null || state.prompt.archivedAt !== null) return null;
  return releaseStateOf(state, environment)?.release ?? null;
}

function specsOf({ state }: ControlStore): WatchContext["specs"] {
  return applySettings(state?.prompt.guardrails);
}

function advance(
  store: ControlStore,
  release: Release,
  nowMs: number,
  options: CommandOptions,
  step: (watch: EnvironmentWatch, context: WatchContext) => EnvironmentWatch,
): void {
  const { held, watch, news, conclusion, isChanged } = withWatch(store, release, nowMs, (of) => {
    const context = { specs: specsOf(store), unit: release.unit, forcedModel: of.model.forced, nowMs };
    const stepped = step(of.watch, context);
    const concluded = conclude(stepped, context);
    const told = takeNews(stepped, of.watch, concluded);
    return { ...told, held: of, conclusion: concluded, isChanged: !of.isWritten || stepped !== of.watch };
  });
  keep(store, held, { release, watch, news, isChanged }, nowMs);
  const guilty = conclusion.pairs.find(({ isRollback }) => isRollback);
  if (guilty !== undefined) rollBack(store, release, held, guilty, nowMs, options);
}

function keep(
  store: ControlStore,
  held: HeldWatch,
  {
    release,
    watch,
    news,
    isChanged,
  }: { release: Release; watch: EnvironmentWatch; news: News[]; isChanged: boolean },
  nowMs: number,
): void {
  const { sql } = store;
  const isDue = news.length > 0 || (isChanged && nowMs - held.writtenAtMs >= WRITE_EVERY_MS);
  const wakeAtMs = [nextChangeMs(watch, nowMs), isDue || !isChanged ? null : nowMs + FLUSH_MS].filter(
    (timeMs) => timeMs !== null,
  );
  if (isDue) {
    // Should this fail, memory is no better than what is stored, and news that nobody heard is news again.
    store.watches.delete(release.environment);
    sql.transaction(() => {
      writeWatch(sql, release.environment, watch);
      for (const one of news) recordNews(store, release, one, nowMs);
      if (wakeAtMs.length > 0) sql.wakeBy(Math.min(...wakeAtMs));
    });
    store.watches.set(release.environment, held);
    held.writtenAtMs = nowMs;
  } else if (wakeAtMs.length > 0) {
    sql.wakeBy(Math.min(...wakeAtMs));
  }
  held.isWritten = isDue || !isChanged;
  held.watch = watch;
}

function recordNews(
  { sql }: ControlStore,
  { environment, revision }: Release,
  news: News,
  nowMs: number,
): void {
  recordEvent(sql, { environment, at: new Date(nowMs).toISOString(), revision, ...news });
}

/** The release is at the revision that was judged: nothing else runs in between. */
function rollBack(
  store: ControlStore,
  release: Release,
  held: HeldWatch,
  { pair, says }: PairConclusion,
  nowMs: number,
  options: CommandOptions,
): void {
  const { prompt, environment, revision } = release;
  const reason = sayRollback(says, othersOf(release, pair));
  const answer = executeCommand(
    store,
    {
      prompt,
      command: { type: "rollback", environment, mode: "now", reason },
      actor: GUARDRAIL_ACTOR,
      ifMatch: { environment, revision },
      idempotency: null,
    },
    null,
    nowMs,
    options,
  );
  if (!isProblem(answer) || held.refusal === answer.message) return;
  held.refusal = answer.message;
  const data = { canary: pair.canary, baseline: pair.baseline, problem: answer.problem };
  const refused = { kind: "notice", says: `the rollback was refused: ${answer.message}`, data } as const;
  store.sql.transaction(() => recordNews(store, release, refused, nowMs));
}

/** A rollback takes off whatever is not the baseline: canaries that nothing was found about, too. */
function othersOf({ arms, baseline }: Release, { canary }: PairConclusion["pair"]): number[] {
  return arms
    .filter(({ version, weight }) => version !== baseline && version !== canary && weight > 0)
    .map(({ version }) => version);
}

function sayRollback(says: string, others: readonly number[]): string {
  const names = others.map((version) => `v${version}`).join(", ");
  const more = others.length === 0 ? "" : `. Takes off ${names} as well`;
  const most = MOST_REASON - more.length;
  return (says.length <= most ? says : `${says.slice(0, most - 1)}…`) + more;
}
