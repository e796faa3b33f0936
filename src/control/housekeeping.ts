// What an alarm does: tell what is to be told, forget what is over, and say when to look next. Rows are kept as long as
// somebody may still ask for them, and an object with nothing to forget sets no alarm, so that an idle prompt costs
// nothing. Expired drains stay in their release until its next change: they are dated and no longer count, and dropping
// them here would leave a state that the audit log cannot explain.

import { nextLookMs } from "../core/ramp-next.ts";
import type { PromptState, Release, Tally } from "../core/types.ts";
import { forgetChains } from "./chains.ts";
import { forgetFeedback } from "./feedback-rows.ts";
import { giveUpSilent, nextGiveUpMs } from "./reporters.ts";
import { dropOld, foldMinute, nextFoldMs } from "./series-fold.ts";
import type { ControlStore } from "./store.ts";
import { forgetJudging } from "./judging.ts";
import { keepSeen } from "./seen.ts";
import { drainOutbox, nextDeliveryMs, type Targets } from "./outbox.ts";
import type { Sql } from "./sql.ts";

/** How long an Idempotency-Key is remembered; a reporter is, too, since a lost report is repeated within seconds. */
const REMEMBER_MS = 24 * 3_600_000;
/** To forget reads tables; alarms go off once a minute under traffic and in a ramp. */
const LOOK_EVERY_MS = 3_600_000;
/** What is put off for a moment is not asked for at once again. */
const LEAST_PAUSE_MS = 60_000;
/** Clocks of edges may be a little behind ours. */
const CLOCK_MARGIN_MS = 60_000;

/** One alarm. `onLost` gets what was counted as lost. It does not throw for what targets do: the runtime gives an alarm up
 * after six failures, and the outbox must go on for ever. */
export async function runAlarm(
  store: ControlStore,
  targets: Targets,
  now: () => number,
  onFailure: (key: string, error: unknown) => void,
  onLost: (environment: string, tallies: readonly Tally[]) => void = () => {},
): Promise<void> {
  try {
    await drainOutbox(store, targets, now, onFailure);
    forgetAtTimes(store, now());
    await keepSeries(store, now, onLost);
  } finally {
    scheduleNext(store, now());
  }
}

/** A clock may go back, too. */
function forgetAtTimes(store: ControlStore, nowMs: number): void {
  if (Math.abs(nowMs - store.forgotAtMs) < LOOK_EVERY_MS) return;
  forget(store, nowMs);
  store.forgotAtMs = nowMs;
}

/** Drops what is over: old idempotency keys and reporters, conversations and chains that nobody asks for. */
function forget(store: ControlStore, nowMs: number): void {
  const { sql, state } = store;
  if (state === null) return;
  sql.transaction(() => {
    sql.exec(`DELETE FROM idempotency WHERE at_ms < ?`, nowMs - REMEMBER_MS);
    sql.exec(`DELETE FROM reporters WHERE at_ms < ? AND open = ''`, nowMs - REMEMBER_MS);
    for (const { release } of Object.values(state.releases)) forgetConversations(sql, release, nowMs);
    forgetChains(sql, state, nowMs);
    forgetFeedback(sql, nowMs);
    forgetJudging(sql, nowMs);
  });
  keepSeen(store, nowMs);
}

/** Folds, gives up silent reporters and drops, a batch at a time, with room for syncs between two of them. */
async function keepSeries(
  store: ControlStore,
  now: () => number,
  onLost: (environment: string, tallies: readonly Tally[]) => void,
): Promise<void> {
  if (store.state === null) return;
  for (;;) {
    if (!foldMinute(store, now())) {
      const lost = giveUpSilent(store, now());
      for (const { environment, tallies } of lost ?? []) onLost(environment, tallies);
      if (lost === null && !dropOld(store, now())) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** A conversation that began under the oldest table in force, or before, is answered like one that was never noted:
 * by the oldest table. So only those begun under a later one need a row, and only while there is an older one. */
function forgetConversations(sql: Sql, { environment, drains, table }: Release, nowMs: number): void {
  const live = drains.filter((drain) => drain.until + CLOCK_MARGIN_MS > nowMs);
  const revisions = [...live.map((drain) => drain.revision), table.revision];
  const keptFrom = revisions[1] ?? Number.MAX_SAFE_INTEGER;
  sql.exec(`DELETE FROM began WHERE environment = ? AND revision < ?`, environment, keptFrom);
}

/** Within the transaction that adds something to forget. */
export function wakeToForget(sql: Sql, nowMs: number): void {
  sql.wakeBy(nowMs + LOOK_EVERY_MS);
}

/** The alarm that ramps need: within the transaction that changes one, and after every alarm. */
export function wakeForRamps(sql: Sql, { releases }: PromptState, nowMs: number): void {
  for (const { ramp } of Object.values(releases)) {
    const lookMs = ramp === undefined ? null : nextLookMs(ramp, nowMs);
    if (lookMs !== null) sql.wakeBy(lookMs);
  }
}

/** Asks for the alarm that comes next, if any. */
function scheduleNext(store: ControlStore, nowMs: number): void {
  if (store.state === null) return;
  const deliveryMs = nextDeliveryMs(store.sql, nowMs);
  if (deliveryMs !== null) store.sql.wakeBy(deliveryMs);
  if (hasSomethingToForget(store.sql)) {
    store.sql.wakeBy(Math.max(store.forgotAtMs + LOOK_EVERY_MS, nowMs + LEAST_PAUSE_MS));
  }
  for (const atMs of [nextGiveUpMs(store.sql), nextFoldMs(store, nowMs)]) {
    if (atMs !== null) store.sql.wakeBy(Math.max(atMs, nowMs + LEAST_PAUSE_MS));
  }
  wakeForRamps(store.sql, store.state, nowMs);
}

function hasSomethingToForget(sql: Sql): boolean {
  const tables = ["idempotency", "reporters", "began", "chains", "feedback", "judge_days"];
  return tables.some((table) => sql.exec(`SELECT 1 FROM ${table} LIMIT 1`).length > 0);
}
