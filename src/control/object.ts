// The authority over one prompt: a Durable Object, so that there is one writer, and its reply is held back until what
// it says is durable. Everything it decides is decided elsewhere on plain data; here is the wiring to storage, clock,
// alarm and the other objects. Every grant of a lease is the answer to a fresh call (guarantee 1).

import { DurableObject } from "cloudflare:workers";
import { releaseStateOf } from "../core/decide-release.ts";
import type { Feedback, FeedbackPage, FeedbackQuery, FeedbackReceipt } from "../core/feedback.ts";
import type { Diagnosis } from "../core/diagnosis.ts";
import type { HealthView, ReleaseEvent } from "../core/health.ts";
import type { JudgeView } from "../core/judge-view.ts";
import { configuredLease } from "../core/lease.ts";
import type { Accepted, ControlPort, Envelope, SyncReply, SyncRequest, VersionView } from "../core/ports.ts";
import type { MetricsQuery, MetricsView } from "../core/metrics-view.ts";
import { isProblem, nameOfError, problem, type Problem } from "../core/problem.ts";
import { viewRelease } from "../core/release-view.ts";
import type { ChainRoot } from "../core/strangers.ts";
import {
  DEFAULT_ENVIRONMENT,
  type Prompt,
  type PromptState,
  type PromptVersion,
  type Release,
  type ReleaseView,
  type Revision,
  type Tally,
  type VersionSummary,
} from "../core/types.ts";
import type { Env } from "../env.ts";
import { readChain } from "./chains.ts";
import {
  executeCommand,
  findRepeated,
  previewCommand,
  type CommandOptions,
  type PreparedPush,
} from "./commands.ts";
import { readDiagnosis } from "./diagnosing.ts";
import { createDurableSql, type DurableSql } from "./durable-sql.ts";
import { giveFeedback } from "./feedback.ts";
import { readFeedback } from "./feedback-reads.ts";
import { readEvents, recordEvent } from "./events.ts";
import { runAlarm } from "./housekeeping.ts";
import { driveRamps, type RampCare } from "./ramping.ts";
import { viewJudge } from "./judging.ts";
import { holdLease, type HeldLease } from "./lease.ts";
import { deliverKey, REGISTRY_KEY, type Targets } from "./outbox.ts";
import { drainMs, logFailure, versionNotFound } from "./object-words.ts";
import { preparePush } from "./prepare.ts";
import { answerSync, readBegan, readRouting, readTallies } from "./reports.ts";
import { foldInPassing } from "./series-fold.ts";
import { readMetrics, readTotals } from "./series-read.ts";
import { noteSeen } from "./seen.ts";
import { openStore, readRevisions, readVersionDocument, type ControlStore } from "./store.ts";
import { claimNames, createTargets } from "./targets.ts";
import { gateOf, readHealth, watchReport, watchTime } from "./watching.ts";

const CARE: RampCare = { healthOf: gateOf, record: ({ sql }, event) => recordEvent(sql, event) };

export class Control extends DurableObject<Env> implements ControlPort {
  readonly #sql: DurableSql;
  readonly #store: ControlStore;
  readonly #targets: Targets;
  #lease: HeldLease | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = createDurableSql(ctx.storage);
    this.#store = openStore(this.#sql);
    this.#targets = createTargets(env);
    void ctx.blockConcurrencyWhile(() => this.#sql.restore());
  }

  async sync(request: SyncRequest): Promise<SyncReply | Problem> {
    const nowMs = Date.now();
    if (request.report !== null) this.#foldSeries(nowMs);
    return answerSync(this.#store, request, this.#grant(nowMs), nowMs, (tallies) => {
      this.#try("seen_failed", () =>
        noteSeen(this.#store, request.environment, tallies, request.callers ?? [], nowMs),
      );
      this.#watch(request, tallies, nowMs);
      this.#driveRamps([request.environment], nowMs);
    });
  }

  async began(environment: string, conversation: string): Promise<number | null> {
    return readBegan(this.#store, environment, conversation);
  }

  async recallChain(environment: string, response: string): Promise<ChainRoot | null> {
    return readChain(this.#store, environment, response);
  }

  async execute(envelope: Envelope): Promise<Accepted | Problem> {
    const repeated = findRepeated(this.#store, envelope);
    if (repeated !== null) return repeated;
    const prepared = await this.#prepare(envelope);
    if (isProblem(prepared)) return prepared;
    const nowMs = Date.now();
    const answer = executeCommand(this.#store, envelope, prepared, nowMs, this.#options(nowMs));
    if (!isProblem(answer)) await this.#publishSummary(envelope);
    return answer;
  }

  /** Any version, a revoked one too: whether it may be served stands in the release. */
  async readCompiled(version: number): Promise<PromptVersion | Problem> {
    const state = this.#readState();
    if (isProblem(state)) return state;
    return readVersionDocument(this.#sql, version) ?? versionNotFound(state, version);
  }

  async readPrompt(): Promise<Prompt | Problem> {
    const state = this.#readState();
    return isProblem(state) ? state : state.prompt;
  }

  /** Oldest first. */
  async readVersions(): Promise<VersionSummary[] | Problem> {
    const state = this.#readState();
    return isProblem(state) ? state : state.versions;
  }

  async readVersion(version: number): Promise<VersionView | Problem> {
    const state = this.#readState();
    if (isProblem(state)) return state;
    const summary = state.versions.find((known) => known.version === version);
    const document = summary === undefined ? null : readVersionDocument(this.#sql, version);
    if (summary === undefined || document === null) return versionNotFound(state, version);
    return { ...summary, prompt: state.prompt.name, content: document.content, partials: document.partials };
  }

  async readRelease(environment: string): Promise<ReleaseView | Problem> {
    const state = this.#readState();
    if (isProblem(state)) return state;
    const ramp = releaseStateOf(state, environment)?.ramp;
    const nowMs = Date.now();
    const health = ramp === undefined ? null : gateOf(this.#store, environment, ramp.version, nowMs);
    return viewRelease(state, environment, nowMs, health);
  }

  async readRouting(environment: string): Promise<Release | Problem> {
    const state = this.#readState();
    return isProblem(state) ? state : readRouting(state, environment);
  }

  /** Newest first; `before` (a revision, excluded) asks for the page after it. */
  async readRevisions(
    environment: string,
    limit: number,
    before: number | null,
  ): Promise<Revision[] | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readRevisions(this.#sql, environment, limit, before);
  }

  async readMetrics(environment: string, query: MetricsQuery): Promise<MetricsView | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readMetrics(this.#store, environment, query, Date.now());
  }

  async readTotals(environment: string): Promise<Tally[] | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readTotals(this.#store, environment);
  }

  async readTallies(environment: string): Promise<Tally[] | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readTallies(this.#store, environment);
  }

  async giveFeedback(feedback: Feedback): Promise<FeedbackReceipt | Problem> {
    const nowMs = Date.now();
    this.#foldSeries(nowMs);
    return giveFeedback(this.#store, feedback, nowMs, (environment, tallies) => {
      this.#watch({ environment }, tallies, nowMs);
      this.#driveRamps([environment], nowMs);
    });
  }

  async readFeedback(query: FeedbackQuery): Promise<FeedbackPage | Problem> {
    const state = this.#readEnvironment(query.environment);
    return isProblem(state) ? state : readFeedback(this.#sql, query);
  }

  async readHealth(environment: string): Promise<HealthView | Problem> {
    const release = await this.readRouting(environment);
    return isProblem(release) ? release : readHealth(this.#store, release, Date.now());
  }

  /** Newest first; `before` (an id, excluded) asks for the page after it. */
  async readEvents(
    environment: string,
    limit: number,
    before: number | null,
  ): Promise<ReleaseEvent[] | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readEvents(this.#sql, environment, limit, before);
  }

  async readDiagnosis(environment: string, windowS: number): Promise<Diagnosis | Problem> {
    const state = this.#readEnvironment(environment);
    return isProblem(state) ? state : readDiagnosis(this.#store, environment, windowS, Date.now());
  }

  async readJudge(): Promise<JudgeView | Problem> {
    const state = this.#readState();
    return isProblem(state) ? state : viewJudge(this.#store, state.prompt);
  }

  async readEnvironments(): Promise<string[] | Problem> {
    const state = this.#readState();
    return isProblem(state) ? state : Object.keys(state.releases).toSorted();
  }

  override async alarm(): Promise<void> {
    this.#sql.alarmFired();
    this.#try("watch_failed", () => watchTime(this.#store, Date.now(), this.#options(Date.now())));
    this.#driveRamps(Object.keys(this.#store.state?.releases ?? {}), Date.now());
    await runAlarm(this.#store, this.#targets, Date.now, logFailure, (environment, tallies) => {
      const nowMs = Date.now();
      this.#watch({ environment }, tallies, nowMs);
      this.#driveRamps([environment], nowMs);
    });
  }

  #readState(): PromptState | Problem {
    const { name } = this.ctx.id;
    return (
      this.#store.state ??
      problem(
        "prompt_not_found",
        `There is no prompt ${name === undefined ? "of this name" : `"${name}"`}. Create it first.`,
        { field: "prompt" },
      )
    );
  }

  /** Production has a history, if an empty one, from the first on. */
  #readEnvironment(environment: string): PromptState | Problem {
    const state = this.#readState();
    if (isProblem(state) || environment === DEFAULT_ENVIRONMENT) return state;
    const missing = viewRelease(state, environment);
    return isProblem(missing) ? missing : state;
  }

  #grant(nowMs: number): HeldLease {
    if (this.#lease !== null) return this.#lease;
    const lease = holdLease(this.#store, configuredLease(this.env), nowMs);
    // An object that has nothing yet has nothing on record either.
    if (this.#store.created) this.#lease = lease;
    return lease;
  }

  #foldSeries(nowMs: number): void {
    this.#try("fold_failed", () => foldInPassing(this.#store, nowMs));
  }

  #options(nowMs: number): CommandOptions {
    return { drainMs: drainMs(this.env), lease: this.#grant(nowMs) };
  }

  #watch(
    { environment, callers = [] }: Pick<SyncRequest, "environment" | "callers">,
    tallies: readonly Tally[],
    nowMs: number,
  ): void {
    const askedModels = callers.filter(({ kind }) => kind === "model").map(({ value }) => value);
    this.#try("watch_failed", () =>
      watchReport(this.#store, environment, { tallies, askedModels }, nowMs, this.#options(nowMs)),
    );
  }

  #driveRamps(environments: readonly string[], nowMs: number): void {
    this.#try("ramp_failed", () => {
      const options = this.#options(nowMs);
      for (const { problem: code } of driveRamps(this.#store, environments, CARE, nowMs, options)) {
        console.error(JSON.stringify({ event: "ramp_refused", code }));
      }
    });
  }

  /** Neither a report nor an alarm may fail for the sake of what follows from it. */
  #try(event: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      console.error(JSON.stringify({ event, error: nameOfError(error) }));
    }
  }

  /** What needs other objects, before the decision: a push's content, and the names that a put asks for. What would
   * be refused anyway is refused before anybody is asked. */
  async #prepare(envelope: Envelope): Promise<PreparedPush | null | Problem> {
    const { prompt, command } = envelope;
    // Not every runtime tells an object its name (`workerd serve` does not).
    const { name } = this.ctx.id;
    if (name !== undefined && prompt !== name) throw new Error("an envelope for another prompt");
    if (command.type !== "put" && command.type !== "push") return null;
    const preview = previewCommand(this.#store, envelope, null, Date.now(), drainMs(this.env));
    if (isProblem(preview)) return preview;
    if (command.type === "push")
      return preparePush(command.content, preview.state.prompt.kind, this.env.CONTROL);
    const { aliases } = preview.state.prompt;
    const held = this.#store.state?.prompt.aliases;
    if (held !== undefined && aliases.every((alias) => held.includes(alias))) return null;
    return claimNames(this.env, prompt, aliases);
  }

  /** A prompt is listed as soon as it exists. Should the Registry be out of reach, the outbox tells it later; and
   * nothing that is urgent waits for it. */
  async #publishSummary({ command: { type } }: Envelope): Promise<void> {
    if (type !== "put" && type !== "push" && type !== "archive") return;
    await deliverKey(this.#store, this.#targets, REGISTRY_KEY, Date.now).catch((error: unknown) =>
      logFailure(REGISTRY_KEY, error),
    );
  }
}
