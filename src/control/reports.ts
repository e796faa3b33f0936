// The one round trip between an isolate and its authority (design §7): counters up, release and lease down. It is
// the hottest call of the object, so it answers from memory and one row, and writes only when it brings something.
// A report is counted exactly once, however often its answer is lost and it is sent again.

import { releaseStateOf } from "../core/decide-release.ts";
import type { SyncReply, SyncRequest } from "../core/ports.ts";
import { problem, type Problem } from "../core/problem.ts";
import type { ArmName, Lease, PromptState, Reason, Release, Tally } from "../core/types.ts";
import { addChains } from "./chains.ts";
import { feedbackKeyOf } from "./feedback-key.ts";
import { wakeToForget } from "./housekeeping.ts";
import type { ControlStore } from "./store.ts";
import { numberOf, textOf, type Sql } from "./sql.ts";

/** Answers a sync at `nowMs` with `lease`. `prompt_not_found` (archived too), `version_not_found` when nothing has
 * been pushed, `environment_not_found`; then nothing is counted. `afterReport` may change the release: the answer carries
 * what is in force after it. */
export function answerSync(
  store: ControlStore,
  request: SyncRequest,
  lease: Lease,
  nowMs: number,
  afterReport: () => void = () => {},
): SyncReply | Problem {
  const before = findRelease(store.state, request.prompt, request.environment);
  if ("problem" in before) return before;
  const acceptedSequence = acceptReport(store.sql, request, nowMs);
  if (request.report !== null) afterReport();
  const release = findRelease(store.state, request.prompt, request.environment);
  if ("problem" in release) return release;
  return {
    // An isolate that knows a later revision than we do holds what never was: it gets ours, and no lease on its own.
    release: request.knownRevision === release.revision ? null : release,
    lease: { softMs: lease.softMs, leaseMs: lease.leaseMs },
    acceptedSequence,
    feedbackKey: feedbackKeyOf(store),
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
    `The prompt "${prompt}" has no release in "${environment}". A canary, promote or rollback there starts one.`,
  );
}

/** Counts a report and notes begun conversations and chains, in one transaction; returns the highest sequence counted. */
function acceptReport(sql: Sql, request: SyncRequest, nowMs: number): number {
  const { environment, isolate, report, began, chains = [] } = request;
  if (report === null && began.length === 0 && chains.length === 0) return lastSequence(sql, isolate);
  return sql.transaction(() => {
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
    const counted = lastSequence(sql, isolate);
    if (report === null || report.sequence <= counted) return counted;
    for (const tally of report.tallies) addTally(sql, environment, tally);
    sql.exec(
      `INSERT OR REPLACE INTO reporters (isolate, sequence, at_ms) VALUES (?, ?, ?)`,
      isolate,
      report.sequence,
      nowMs,
    );
    return report.sequence;
  });
}

function lastSequence(sql: Sql, isolate: string): number {
  const [row] = sql.exec(`SELECT sequence FROM reporters WHERE isolate = ?`, isolate);
  return row === undefined ? 0 : numberOf(row, "sequence");
}

function addTally(sql: Sql, environment: string, tally: Tally): void {
  sql.exec(
    `INSERT INTO tallies (environment, revision, version, arm, reason, requests, errors, aborted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (environment, revision, version, arm, reason) DO UPDATE SET
       requests = requests + excluded.requests, errors = errors + excluded.errors,
       aborted = aborted + excluded.aborted`,
    environment,
    tally.revision,
    tally.version,
    tally.arm,
    tally.reason,
    tally.requests,
    tally.errors,
    tally.aborted,
  );
}

export function readTallies(sql: Sql, environment: string): Tally[] {
  const rows = sql.exec(
    `SELECT * FROM tallies WHERE environment = ? ORDER BY revision, version, arm, reason`,
    environment,
  );
  return rows.map((row) => ({
    revision: numberOf(row, "revision"),
    version: numberOf(row, "version"),
    // Written from a Tally.
    arm: textOf(row, "arm") as ArmName,
    reason: textOf(row, "reason") as Reason,
    requests: numberOf(row, "requests"),
    errors: numberOf(row, "errors"),
    aborted: numberOf(row, "aborted"),
  }));
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
