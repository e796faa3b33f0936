// One command, from envelope to answer: repeated? stale? then core decides, and one transaction keeps all that follows
// from it (state, audit rows, the version, the answer under its idempotency key, the outbox). A command is therefore
// in force completely or not at all, and sending it again under the same key answers the same, whatever was lost.
// Refusals are not remembered: they changed nothing, so the same key may try again.

import { releaseStateOf } from "../core/decide-release.ts";
import { decide, type DecideInput, type Decision, type DecideResult } from "../core/decide.ts";
import type { Accepted, Envelope, RevokeAnswer, RollbackAnswer } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { viewRelease } from "../core/release-view.ts";
import { DEFAULT_ENVIRONMENT, type PromptState, type PromptVersion } from "../core/types.ts";
import { wakeForRamps, wakeToForget } from "./housekeeping.ts";
import { enforcedByMs, type HeldLease } from "./lease.ts";
import { enqueue, staleKeys } from "./outbox.ts";
import { appendRevisions, compareStates, createTables, writeState, type ControlStore } from "./store.ts";
import { textOf } from "./sql.ts";

/** A pushed content, closed and compiled: all of its version but number and author. */
export type PreparedPush = Pick<PromptVersion, "digest" | "content" | "compiled" | "partials">;

export type CommandOptions = { drainMs: number; lease: HeldLease };

/**
 * Executes a command at `nowMs`. `prepared` belongs to a push and is null for all others.
 * Refuses with `idempotency_key_reused`, `revision_conflict` (with `current`) or what `decide` refuses with.
 */
export function executeCommand(
  store: ControlStore,
  envelope: Envelope,
  prepared: PreparedPush | null,
  nowMs: number,
  options: CommandOptions,
): Accepted | Problem {
  const repeated = findRepeated(store, envelope);
  if (repeated !== null) return repeated;
  if (envelope.command.type === "push" && prepared === null) throw new Error("a push without its content");
  const decision = previewCommand(store, envelope, prepared, nowMs, options.drainMs);
  if (isProblem(decision)) return decision;
  const answer = answerOf(decision, store.state, { nowMs, lease: options.lease });
  if (isProblem(answer)) return answer;
  store.sql.transaction(() => commit(store, envelope, prepared, decision, answer, nowMs));
  store.created = true;
  store.state = decision.state;
  return answer;
}

/** The answer given under this idempotency key before; null: it is new (or there is none). */
export function findRepeated(store: ControlStore, { idempotency }: Envelope): Accepted | Problem | null {
  if (idempotency === null || !store.created) return null;
  const [row] = store.sql.exec(`SELECT fingerprint, answer FROM idempotency WHERE key = ?`, idempotency.key);
  if (row === undefined) return null;
  if (textOf(row, "fingerprint") === idempotency.fingerprint) {
    // Written below from an Accepted.
    return JSON.parse(textOf(row, "answer")) as Accepted;
  }
  return problem(
    "idempotency_key_reused",
    "This Idempotency-Key stands for another request. Use a new key for a new request.",
    { field: "Idempotency-Key" },
  );
}

/** What the command would do to the present state; a push without content: what would be refused whatever it says.
 * Changes nothing. */
export function previewCommand(
  store: ControlStore,
  envelope: Envelope,
  prepared: PreparedPush | null,
  nowMs: number,
  drainMs: number,
): Decision | Problem {
  // What is not there has no revision to be stale against; a put is what may make it.
  const isThere = store.state !== null || envelope.command.type === "put";
  const stale = isThere ? checkRevision(store.state, envelope.ifMatch) : null;
  if (stale !== null) return stale;
  return decide(store.state, inputOf(envelope, prepared), envelope.actor, nowMs, { drainMs });
}

function checkRevision(state: PromptState | null, ifMatch: Envelope["ifMatch"]): Problem | null {
  if (ifMatch === null) return null;
  const current = revisionOf(state, ifMatch.environment);
  if (current === ifMatch.revision) return null;
  return problem(
    "revision_conflict",
    `The release in "${ifMatch.environment}" is at revision ${current}, not ${ifMatch.revision}. Read it and decide again.`,
    { field: "If-Match", current },
  );
}

function revisionOf(state: PromptState | null, environment: string): number {
  const held = state === null ? null : releaseStateOf(state, environment);
  return held?.release.revision ?? 0;
}

function inputOf({ prompt, command }: Envelope, prepared: PreparedPush | null): DecideInput {
  if (command.type === "put") return { type: "put", name: prompt, settings: command.settings };
  if (command.type !== "push") return command;
  return { type: "push", digest: prepared?.digest ?? "", note: prepared?.content.note ?? "" };
}

function commit(
  { sql, created, state }: ControlStore,
  envelope: Envelope,
  prepared: PreparedPush | null,
  decision: Decision,
  answer: Accepted,
  nowMs: number,
): void {
  if (!created) createTables(sql);
  const changes = compareStates(state, decision.state);
  const version = prepared === null ? null : versionOf(decision, prepared);
  writeState(sql, decision.state, changes, version);
  appendRevisions(sql, decision.revisions);
  if (envelope.idempotency !== null) {
    sql.exec(
      `INSERT INTO idempotency (key, fingerprint, answer, at_ms) VALUES (?, ?, ?, ?)`,
      envelope.idempotency.key,
      envelope.idempotency.fingerprint,
      JSON.stringify(answer),
      nowMs,
    );
  }
  enqueue(sql, staleKeys(state, decision.state, changes, version?.version ?? null), nowMs);
  wakeToForget(sql, nowMs);
  wakeForRamps(sql, decision.state, nowMs);
}

/** The document of the version that a push made; null when the content was there already. */
function versionOf({ state, result }: Decision, prepared: PreparedPush): PromptVersion | null {
  if (result.kind !== "push" || !result.created) return null;
  const summary = state.versions.find((known) => known.version === result.version);
  if (summary === undefined)
    throw new Error(`a push made version ${result.version}, but it is not in the state`);
  const { version, createdAt, createdBy } = summary;
  return { schema: 1, prompt: state.prompt.name, version, createdAt, createdBy, ...prepared };
}

/** Prompt-level commands answer with the revision of production, which is what If-Match compares them with. */
function answerOf(
  { state, action, result }: Decision,
  before: PromptState | null,
  { nowMs, lease }: { nowMs: number; lease: HeldLease },
): Accepted | Problem {
  const revision = revisionOf(state, DEFAULT_ENVIRONMENT);
  switch (result.kind) {
    case "prompt":
      return { status: before === null ? 201 : 200, body: state.prompt, revision, action };
    case "push": {
      const { version, digest, created } = result;
      return { status: created ? 201 : 200, body: { version, digest }, revision, action };
    }
    case "release": {
      const view = viewRelease(state, result.environment, nowMs);
      return isProblem(view) ? view : { status: 200, body: view, revision: view.revision, action };
    }
    case "rollback":
      return { status: 200, body: rollbackAnswer(result, lease), revision: result.revision, action };
    case "revoke":
      return { status: 200, body: revokeAnswer(result, lease), revision, action };
  }
}

function rollbackAnswer(
  { revision, from, to, committedAtMs }: Extract<DecideResult, { kind: "rollback" }>,
  lease: HeldLease,
): RollbackAnswer {
  const enforcedBy = isoTime(enforcedByMs(lease, committedAtMs));
  return { revision, from, to, committedAt: isoTime(committedAtMs), enforcedBy };
}

function revokeAnswer(
  { version, revokedAtMs }: Extract<DecideResult, { kind: "revoke" }>,
  lease: HeldLease,
): RevokeAnswer {
  return { version, revokedAt: isoTime(revokedAtMs), enforcedBy: isoTime(enforcedByMs(lease, revokedAtMs)) };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
