// Drives the ramps of one prompt: looks at each when its time is over (the object's alarm) and whenever a report was
// evaluated, and takes the step that is due as an ordinary command by the actor `ramp`. All of it runs between two awaits
// of a single-threaded object, and a step names where it starts from and the revision it saw, so it happens once, whatever
// comes at the same time. Where a ramp stands is in its release's state, and the alarm is durable, so a restart forgets
// nothing. Cheap where nothing is due: one look at memory per environment.

import { RAMP_ACTOR } from "../core/actors.ts";
import { releaseStateOf } from "../core/decide-release.ts";
import type { ReleaseEvent } from "../core/health.ts";
import { isProblem, type Problem } from "../core/problem.ts";
import { nextLookMs, noteLook, planNext } from "../core/ramp-next.ts";
import { describeMs } from "../core/ramp-words.ts";
import { weightAt } from "../core/ramp-plan.ts";
import type { Ramp, RampHealth } from "../core/ramps.ts";
import type { ReleaseState } from "../core/types.ts";
import { executeCommand, type CommandOptions } from "./commands.ts";
import { writeDocument, type ControlStore } from "./store.ts";

export type RampEvent = Omit<ReleaseEvent, "id">;

/** What a ramp asks of those around it. */
export type RampCare = {
  /** null: nobody watches this canary yet. */
  healthOf(store: ControlStore, environment: string, canary: number, nowMs: number): RampHealth | null;
  /** Within a transaction. */
  record(store: ControlStore, event: RampEvent): void;
};

/** Looks at the ramps of these environments, and takes what steps are due, one each. The refusals, which are bugs: a step
 * is only asked for where it is due. */
export function driveRamps(
  store: ControlStore,
  environments: readonly string[],
  care: RampCare,
  nowMs: number,
  options: CommandOptions,
): Problem[] {
  const refusals: Problem[] = [];
  for (const environment of environments) {
    const before = store.state === null ? null : releaseStateOf(store.state, environment);
    const ramp = before?.ramp;
    if (before === null || ramp === undefined || ramp.state === "paused") continue;
    const health = care.healthOf(store, environment, ramp.version, nowMs);
    const noted = noteLook(ramp, health, nowMs);
    const next = planNext(noted, health, nowMs);
    if (next.kind === "step" || next.kind === "complete") {
      const refused = takeStep(store, before, ramp.step, next.says, nowMs, options);
      if (refused !== null) refusals.push(refused);
    } else if (noted !== ramp) {
      keepNote(store, before, noted, eventOf(ramp, noted, next.says), care, nowMs);
    }
  }
  return refusals;
}

function takeStep(
  store: ControlStore,
  { release }: ReleaseState,
  step: number,
  reason: string,
  nowMs: number,
  options: CommandOptions,
): Problem | null {
  const { prompt, environment, revision } = release;
  const answer = executeCommand(
    store,
    {
      prompt,
      command: { type: "ramp_step", environment, step, reason },
      actor: RAMP_ACTOR,
      ifMatch: { environment, revision },
      idempotency: null,
    },
    null,
    nowMs,
    options,
  );
  return isProblem(answer) ? answer : null;
}

/** What was seen is kept beside the release, and is no change of it. */
function keepNote(
  store: ControlStore,
  before: ReleaseState,
  noted: Ramp,
  says: string | null,
  care: RampCare,
  nowMs: number,
): void {
  const { environment, revision } = before.release;
  const after: ReleaseState = { ...before, ramp: noted };
  const state = store.state!;
  store.sql.transaction(() => {
    writeDocument(store.sql, `release:${environment}`, after);
    if (says !== null) {
      const { version, step, plan } = noted;
      const data = { version, step, weight: weightAt(plan, step) };
      care.record(store, {
        environment,
        at: new Date(nowMs).toISOString(),
        revision,
        kind: "ramp",
        says: `Ramp of version ${version}: ${says}.`,
        data,
      });
    }
    store.sql.wakeBy(nextLookMs(noted, nowMs)!);
  });
  store.state = { ...state, releases: { ...state.releases, [environment]: after } };
}

/** null: nothing that anybody need hear of. */
function eventOf(before: Ramp, after: Ramp, says: string): string | null {
  if (before.frozenSinceMs === undefined && after.frozenSinceMs !== undefined) return says;
  if (before.frozenSinceMs !== undefined && after.frozenSinceMs === undefined) {
    const forMs = (after.frozenMs ?? 0) - (before.frozenMs ?? 0);
    return `no longer frozen, after ${describeMs(forMs)}; ${says}`;
  }
  return before.askedAtMs === undefined && after.askedAtMs !== undefined ? says : null;
}
