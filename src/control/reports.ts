// The one round trip between an isolate and its authority (design §7): counters up, release and lease down. It is
// the hottest call of the object, so it answers from memory and one row, and writes only when it brings something.
// A report is counted exactly once, however often its answer is lost and it is sent again.

import { releaseStateOf } from "../core/decide-release.ts";
import type { SyncReply, SyncRequest } from "../core/ports.ts";
import { addTo, keyOf } from "../core/metering/tally.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { explainMissing } from "../core/release-view.ts";
import type { Lease, PromptState, Release, Tally } from "../core/types.ts";
import { addChains } from "./chains.ts";
import { feedbackKeyOf } from "./feedback-key.ts";
import { wakeToForget } from "./housekeeping.ts";
import { countJudged, grantJudging } from "./judging.ts";
import { addReport, lastSequence, LEAST_REPORT_MS, paceReports } from "./reporters.ts";
import { countWithin, type Count } from "./series.ts";
import { totalsOf } from "./series-fold.ts";
import type { ControlStore } from "./store.ts";
import { numberOf } from "./sql.ts";

/** Answers a sync at `nowMs` with `lease`. `prompt_not_found` (archived too), `version_not_found` when nothing has
 * been pushed, `environment_not_found`; then nothing is counted. `afterReport` gets the tallies that were counted just now,
 * and may change the release: the answer carries what is in force after it. */
export function answerSync(
  store: ControlStore,
  request: SyncRequest,
  lease: Lease,
  nowMs: number,
  afterReport: (tallies: readonly Tally[]) => void = () => {},
): SyncReply | Problem {
  const before = findRelease(store.state, request.prompt, request.environment);
  if ("problem" in before) return before;
  const { acceptedSequence, counted } = acceptReport(store, request, nowMs);
  if (request.report !== null || (request.callers ?? []).length > 0) afterReport(counted);
  const release = findRelease(store.state, request.prompt, request.environment);
  if ("problem" in release) return release;
  const judgeAllowance = grantJudging(store, release, request.isolate, nowMs);
  const reportAfterMs = paceReports(store.series.heard, request.isolate, nowMs);
  return {
    // An isolate that knows a later revision than we do holds what never was: it gets ours, and no lease on its own.
    release: request.knownRevision === release.revision ? null : release,
    lease: { softMs: lease.softMs, leaseMs: lease.leaseMs },
    acceptedSequence,
    feedbackKey: feedbackKeyOf(store),
    ...(reportAfterMs > LEAST_REPORT_MS && { reportAfterMs }),
    ...(judgeAllowance !== null && { judgeAllowance }),
  };
}

/** The release that the data plane serves by. */
export function findRelease(
  state: PromptState | null,
  prompt: string,
  environment: string,
): Release | Problem {
  if (state === null || state.prompt.name !== prompt) {
    return problem("prompt_not_found", `There is no prompt "${prompt}". Create it first.`);
  }
  if (state.prompt.archivedAt !== null) {
    return problem("prompt_not_found", `The prompt "${prompt}" is archived. Put it again to bring it back.`);
  }
  if (state.prompt.kind === "partial") {
    return problem(
      "prompt_not_found",
      `"${prompt}" is a partial: it is served only inside the prompts that name it.`,
    );
  }
  const found = releaseStateOf(state, environment);
  if (found !== null) return found.release;
  if (state.versions.length === 0) {
    return problem("version_not_found", `The prompt "${prompt}" has no version yet. Push one.`);
  }
  return problem(
    "environment_not_found",
    `The prompt "${prompt}" has no release in "${environment}". A canary, promotion, rollback or the start of a ramp there makes one.`,
  );
}

/** The same for the control plane, whose callers are told which environments there are. */
export function readRouting(state: PromptState, environment: string): Release | Problem {
  const release = findRelease(state, state.prompt.name, environment);
  return isProblem(release) && release.problem === "environment_not_found"
    ? explainMissing(state, environment)
    : release;
}

/** `counted`: what is new of it, and what it puts right. */
type Acceptance = { acceptedSequence: number; counted: readonly Tally[] };

/** Counts a report and notes begun conversations and chains, in one transaction. */
function acceptReport(store: ControlStore, request: SyncRequest, nowMs: number): Acceptance {
  const { sql } = store;
  const { environment, isolate, report, began, chains = [] } = request;
  if (report === null && began.length === 0 && chains.length === 0) {
    return { acceptedSequence: lastSequence(store, isolate), counted: [] };
  }
  return countWithin(store, nowMs, (count, note) => {
    wakeToForget(sql, nowMs);
    for (const { conversation, revision } of began) {
      // The first turn decides; a repeated one changes nothing.
      sql.exec(
        `INSERT OR IGNORE INTO began (environment, conversation, revision) VALUES (?, ?, ?)`,
        environment,
        conversation,
        revision,
      );
    }
    if (chains.length > 0) addChains(sql, environment, chains, nowMs);
    const counted: Tally[] = [];
    const countNew: Count = (into, tallies) => {
      counted.push(...tallies);
      count(into, tallies);
    };
    const acceptedSequence = addReport(store, request, countNew, note, nowMs);
    countJudged(sql, counted, nowMs);
    return { acceptedSequence, counted };
  });
}

/** Counters since ever per epoch, version, arm and reason: what Workers of an earlier deployment ask for. */
export function readTallies(store: ControlStore, environment: string): Tally[] {
  if (!store.created) return [];
  const tallies = new Map<string, Tally>();
  for (const { revision, version, arm, reason, requests, errors, aborted } of totalsOf(
    store,
    environment,
  ).values()) {
    const tally = { revision, version, arm, reason, requests, errors, aborted };
    addTo(tallies, keyOf(tally), tally);
  }
  const entries = [...tallies].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([, { revision, version, arm, reason, requests, errors, aborted }]) => {
    return { revision, version, arm, reason, requests, errors, aborted };
  });
}

/** The revision that a conversation's first turn was served under; null: not noted. */
export function readBegan(store: ControlStore, environment: string, conversation: string): number | null {
  if (!store.created) return null;
  const [row] = store.sql.exec(
    `SELECT revision FROM began WHERE environment = ? AND conversation = ?`,
    environment,
    conversation,
  );
  return row === undefined ? null : numberOf(row, "revision");
}
