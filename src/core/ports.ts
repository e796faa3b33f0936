// How the rooms call each other, as plain data. Edge and admin hold stubs of these; the Durable Objects implement
// them. A Worker and its objects are released seconds to minutes apart, so a shape here may grow optional fields
// but never change or lose one.

import type { Diagnosis } from "./diagnosis.ts";
import type { Feedback, FeedbackPage, FeedbackQuery, FeedbackReceipt } from "./feedback.ts";
import type { HealthView, ReleaseEvent } from "./health.ts";
import type { JudgeView } from "./judge-view.ts";
import type { MetricsQuery, MetricsView } from "./metrics-view.ts";
import type { Problem } from "./problem.ts";
import type { ChainRoot } from "./strangers.ts";
import type { RampPlan } from "./ramps.ts";
import type { GuardrailSettings, JudgeSettings } from "./watch-settings.ts";
import type {
  Action,
  Actor,
  Agents,
  Content,
  Lease,
  Prompt,
  PromptKind,
  PromptVersion,
  Release,
  ReleaseView,
  Report,
  Revision,
  Role,
  Tally,
  Transition,
  Unit,
  VersionSummary,
} from "./types.ts";

// ── edge → Control ──────────────────────────────────────────────────────────────────────────────────────────────

export type SyncRequest = {
  /** The prompt's own name: the object checks that it is the right one. */
  prompt: string;
  environment: string;
  /** Random id of the isolate. */
  isolate: string;
  /** The revision that the isolate holds, 0 for none. */
  knownRevision: number;
  report: Report | null;
  /** Conversations whose first turn was served under `revision` while a drain was on (design §3, README decisions). */
  began: { conversation: string; revision: number }[];
  /** Responses whose chains would be switched if nobody remembered how they began. */
  chains?: BegunChain[];
  /** What callers' own bodies were like since the last sync. */
  callers?: CallerShape[];
};

/** `value`: a name (of a model), or the fingerprint of what stood in the body. */
export type CallerShape = { kind: "model" | "tools" | "schema" | "client"; value: string; requests: number };

/** `response`: fingerprint of the response's id. */
export type BegunChain = ChainRoot & { response: string };

export type SyncReply = {
  /** null: `knownRevision` is still the newest. */
  release: Release | null;
  lease: Lease;
  /** Highest report sequence of this isolate that has been counted. */
  acceptedSequence: number;
  /** What request ids are signed with (base64url); they are what feedback is given by. */
  feedbackKey?: string;
  /** Many isolates report: the next report may wait for so long. */
  reportAfterMs?: number;
  /** How many more answers this isolate may have judged before it asks again. */
  judgeAllowance?: number;
};

// ── admin → Control ─────────────────────────────────────────────────────────────────────────────────────────────

export type PutPrompt = {
  description?: string;
  owner?: string;
  tags?: string[];
  aliases?: string[];
  unit?: Unit;
  shield?: boolean;
  agents?: Agents;
  kind?: PromptKind;
  /** Replaces all of them; null: the defaults. */
  guardrails?: GuardrailSettings | null;
  /** null: nothing is judged. */
  judge?: JudgeSettings | null;
};

export type Command =
  | { type: "put"; settings: PutPrompt }
  | { type: "archive"; reason: string }
  | { type: "push"; content: unknown }
  | {
      type: "canary";
      environment: string;
      version: number;
      weight: number;
      transition: Transition;
      reason: string;
    }
  | { type: "promote"; environment: string; version?: number; reason: string }
  | { type: "rollback"; environment: string; to?: number; mode: Transition; reason: string }
  | { type: "revoke"; version: number; reason: string }
  | { type: "ramp"; environment: string; version: number; plan: RampPlan; reason: string }
  | { type: "ramp_pause" | "ramp_resume" | "ramp_stop"; environment: string; reason: string }
  /** By the actor `ramp` alone; no call of the API sends it. `step`: where the ramp is believed to be. */
  | { type: "ramp_step"; environment: string; step: number; reason: string };

export type Envelope = {
  prompt: string;
  command: Command;
  actor: Actor;
  /** The revision that the caller believes the release of `environment` is at; null: no check. */
  ifMatch: { environment: string; revision: number } | null;
  /** `fingerprint` tells another request under the same key apart (422). */
  idempotency: { key: string; fingerprint: string } | null;
};

export type RollbackAnswer = {
  revision: number;
  from: number;
  to: number;
  committedAt: string;
  enforcedBy: string;
};

/** An accepted command: HTTP status, body, and the revision for the ETag (null where no release is concerned). */
export type Accepted = {
  status: 200 | 201;
  body: Prompt | ReleaseView | RollbackAnswer | PushAnswer | RevokeAnswer;
  revision: number | null;
  action: Action;
};
export type PushAnswer = { version: number; digest: string };
export type RevokeAnswer = { version: number; revokedAt: string; enforcedBy: string };

export type VersionView = VersionSummary & {
  prompt: string;
  content: Content;
  partials: PromptVersion["partials"];
};

/** Methods of the `Control` object, one instance per prompt, named by the prompt. */
export type ControlPort = {
  sync(request: SyncRequest): Promise<SyncReply | Problem>;
  /** The revision that this conversation's first turn was served under, or null when it began before all drains. */
  began(environment: string, conversation: string): Promise<number | null>;
  /** How the chain of this response began; null: nobody was told. */
  recallChain(environment: string, response: string): Promise<ChainRoot | null>;
  readCompiled(version: number): Promise<PromptVersion | Problem>;
  execute(envelope: Envelope): Promise<Accepted | Problem>;
  readPrompt(): Promise<Prompt | Problem>;
  readVersions(): Promise<VersionSummary[] | Problem>;
  readVersion(version: number): Promise<VersionView | Problem>;
  readRelease(environment: string): Promise<ReleaseView | Problem>;
  /** The release as the edge gets it: for `explain` and `render`. */
  readRouting(environment: string): Promise<Release | Problem>;
  readRevisions(environment: string, limit: number, before: number | null): Promise<Revision[] | Problem>;
  readMetrics(environment: string, query: MetricsQuery): Promise<MetricsView | Problem>;
  /** All that was counted since ever, but for buckets of units and models: for scrapers. */
  readTotals(environment: string): Promise<Tally[] | Problem>;
  /** Counters since ever, for Workers of an earlier deployment. */
  readTallies(environment: string): Promise<Tally[] | Problem>;
  giveFeedback(feedback: Feedback): Promise<FeedbackReceipt | Problem>;
  readFeedback(query: FeedbackQuery): Promise<FeedbackPage | Problem>;
  readJudge(): Promise<JudgeView | Problem>;
  readEnvironments(): Promise<string[] | Problem>;
  /** The watch over the release: verdicts and their numbers. */
  readHealth(environment: string): Promise<HealthView | Problem>;
  /** Newest first; `before` (an id, excluded) continues an earlier page. */
  readEvents(environment: string, limit: number, before: number | null): Promise<ReleaseEvent[] | Problem>;
  readDiagnosis(environment: string, windowS: number): Promise<Diagnosis | Problem>;
};

// ── admin, edge → Registry ──────────────────────────────────────────────────────────────────────────────────────

/** One call of `checkKeys` names no more. */
export const MOST_KEYS_A_CHECK = 500;

export type Token = {
  id: string;
  name: string;
  role: Role;
  createdAt: string;
  createdBy: string;
  expiresAt: string | null;
  revokedAt: string | null;
};

/** What a proxy key may be used for. An empty list does not narrow anything. */
export type KeyScope = {
  /** Prompts by their own names, never by aliases. */
  prompts: string[];
  environments: string[];
  providers: string[];
  /** May it be used for requests that no prompt is put into? */
  passThrough: boolean;
  /** Per minute and Cloudflare location; null: no limit of ours. */
  requestsPerMinute: number | null;
};

export type ProxyKey = KeyScope & {
  id: string;
  name: string;
  createdAt: string;
  createdBy: string;
  expiresAt: string | null;
  revokedAt: string | null;
  /** Within a minute or so; null: not used yet. */
  lastUsedAt: string | null;
};

/** What an isolate needs to know of a key that is in force. */
export type KeyGrant = KeyScope & Pick<ProxyKey, "id" | "name" | "expiresAt">;

/** Methods of the one `Registry` object: the list of prompts, who owns which alias, admin tokens, proxy keys. */
export type RegistryPort = {
  list(options: { includeArchived: boolean }): Promise<Prompt[]>;
  /** Called by a Control right after a commit and through its outbox. `order` only grows within a prompt: a summary
   * that was overtaken changes nothing. Confirms the prompt's name and aliases, and frees those that it gave up. */
  upsert(prompt: Prompt, order: number): Promise<void>;
  /** Takes aliases for a prompt; refuses with `conflict` when another prompt holds one (or is called like one). */
  claim(prompt: string, aliases: string[]): Promise<Problem | null>;
  resolve(alias: string): Promise<string | null>;
  mint(input: {
    name: string;
    role: Role;
    expiresAt: string | null;
    createdBy: string;
    hash: string;
  }): Promise<Token | Problem>;
  tokens(): Promise<Token[]>;
  revokeToken(id: string): Promise<Token | Problem>;
  /** By SHA-256 (hex) of the token; null when unknown, expired or revoked. */
  authenticate(hash: string): Promise<Token | null>;
  mintKey(
    input: KeyScope & { name: string; expiresAt: string | null; createdBy: string; hash: string },
  ): Promise<ProxyKey | Problem>;
  keys(): Promise<ProxyKey[]>;
  revokeKey(id: string): Promise<ProxyKey | Problem>;
  /** Keys that are in use, by SHA-256 (hex), at most `MOST_KEYS_A_CHECK`; an answer each, in order. Null when unknown,
   * expired or revoked, all of which last. */
  checkKeys(hashes: string[]): Promise<(KeyGrant | null)[]>;
};
