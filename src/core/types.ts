// The nouns of Switchback as plain data. Everything that crosses from one room to another is one of these shapes
// or one of core/ports.ts; all of them survive JSON. `Release` goes down to the edge, `Report` comes up.

import type { JudgeSettings, GuardrailSettings } from "./watch-settings.ts";
import type { Turn } from "./metering/outcome.ts";
import type { Sums } from "./metering/sums.ts";
import type { Ramp, RampMark, RampView } from "./ramps.ts";

export type Role = "viewer" | "releaser" | "admin";
export type Unit = "conversation" | "user" | "request";
export type PromptKind = "prompt" | "partial";
export type ArmName = "baseline" | "canary" | "pinned";
export type Reason = "static" | "split" | "pinned" | "drain" | "no_lease" | "fallback";
export type Transition = "drain" | "now";
/** What is done with a prompt where a coding agent (Claude Code, Codex) asks, whose own system text must stay first. */
export type Agents = "append" | "off";

/** Number of buckets that units hash into; a weight step of 0.01 % is one bucket. */
export const BUCKETS = 10_000;

/** Names of prompts and of environments (contract §1). */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** Aliases keep the names of other systems (`pmpt_68…`), so capitals and dots are welcome. */
export const ALIAS_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
export const DEFAULT_ENVIRONMENT = "production";

/** Who acts: a token's name and role, or one of Switchback's own (actors.ts). */
export type Actor = { name: string; role: Role };

export type Prompt = {
  name: string;
  kind: PromptKind;
  description: string;
  owner: string;
  tags: string[];
  aliases: string[];
  unit: Unit;
  /** false: a canary's failure goes down as it is, and no baseline answers instead. Prompts of old have none: true. */
  shield?: boolean;
  /** Prompts of old have none: `append`. */
  agents?: Agents;
  /** Only what differs from the defaults (core/guardrails/guards.ts). */
  guardrails?: GuardrailSettings;
  /** Answers of live traffic are scored by another prompt; absent: none is. */
  judge?: JudgeSettings;
  createdAt: string;
  updatedAt: string;
  updatedBy: string;
  archivedAt: string | null;
  latestVersion: number;
};

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export type VariableType = "string" | "number" | "boolean" | "array" | "object";
export type VariableRule = { type?: VariableType; required?: boolean; default?: Json; description?: string };
export type Placement = "prepend" | "append" | "replace" | "if_absent";

/** A version's content (contract §3) after validation: closed (partials inlined) and normalised. */
export type Content = {
  messages: { role: "system" | "user" | "assistant"; content: string }[];
  placement: Placement;
  model?: string;
  params?: JsonObject;
  defaults?: JsonObject;
  tools?: JsonObject[];
  response_format?: JsonObject;
  provider_params?: { [format: string]: JsonObject };
  variables?: { [name: string]: VariableRule };
  note?: string;
};

/** A compiled Mustache template: literal text, or a node. No set-delimiter tags and no partials are left in it. */
export type Segment =
  | string
  | { kind: "value"; path: string[] }
  | { kind: "section" | "inverted"; path: string[]; body: Segment[] };
export type Template = Segment[];

/** What the edge needs of a version, compiled once at push. `system` is null when the content has no system text. */
export type Compiled = {
  system: Template | null;
  examples: { role: "user" | "assistant"; content: Template }[];
  placement: Placement;
  model: string | null;
  params: JsonObject;
  defaults: JsonObject;
  tools: JsonObject[];
  responseFormat: JsonObject | null;
  providerParams: { [format: string]: JsonObject };
  /** Every variable that the templates name at their top level or that is declared. */
  variables: { [name: string]: { type: VariableType | null; required: boolean; default?: Json } };
};

/** One immutable version. `digest` is the SHA-256 (hex) of the canonical closed content without `note`. */
export type PromptVersion = {
  schema: 1;
  prompt: string;
  version: number;
  digest: string;
  createdAt: string;
  createdBy: string;
  content: Content;
  compiled: Compiled;
  /** Which versions of which partials were inlined. */
  partials: { name: string; version: number; digest: string }[];
};

/** Weight in percent, a multiple of 0.01. */
export type Arm = { version: number; weight: number };

/** Buckets `from` (included) to `to` (excluded) belong to `version`. */
export type Slot = { version: number; from: number; to: number };

/** A full division of the 10,000 buckets, in force since `revision`. */
export type SlotTable = { revision: number; salt: string; slots: Slot[] };

/** A table that conversations begun before a change are still assigned by, until `until` (epoch ms). `strangers`: what
 * response chains of which nothing is known were on while it was in force; absent where there are none such. */
export type Drain = SlotTable & { until: number; strangers?: number };

/** The routing table of one prompt in one environment at one revision: all that the edge needs to decide. */
export type Release = {
  schema: 1;
  prompt: string;
  environment: string;
  revision: number;
  unit: Unit;
  /** Here only where it is not `true`. */
  shield?: boolean;
  /** Here only where it is not `append`. */
  agents?: Agents;
  judge?: JudgeSettings;
  baseline: number;
  /** Baseline first, then canaries in the order they were added. Weights add up to 100. */
  arms: Arm[];
  table: SlotTable;
  /** Oldest first. Empty after a rollback in mode `now`. */
  drains: Drain[];
  /** Versions that nobody may be served, pins included. */
  revoked: number[];
  changedAt: string;
};

/** The release as users see it (contract §4 `GET …/release`). */
export type ReleaseView = {
  prompt: string;
  environment: string;
  revision: number;
  unit: Unit;
  baseline: number;
  arms: (Arm & { arm: "baseline" | "canary"; digest: string; versionCreatedAt: string; note: string })[];
  draining: { version: number; until: string }[];
  revoked: number[];
  changedAt: string;
  changedBy: string;
  action: Action;
  reason: string;
  /** Absent: no ramp is on. */
  ramp?: RampView;
};

export type Assignment = {
  version: number;
  arm: ArmName;
  reason: Reason;
  revision: number;
  /** null where no bucket was looked at (pinned, no_lease). */
  bucket: number | null;
};

export type Action =
  | "push"
  | "canary"
  | "promote"
  | "rollback"
  | "ramp"
  | "revoke"
  | "settings"
  | "archive"
  | "restore";

/** One line of the audit log: a release went from `before` to `after`. Rows are only ever appended. */
export type Revision = {
  prompt: string;
  environment: string;
  revision: number;
  at: string;
  actor: string;
  action: Action;
  reason: string;
  before: Release | null;
  after: Release;
  /** Absent: it did nothing to a ramp. */
  ramp?: RampMark;
};

export type VersionSummary = {
  version: number;
  digest: string;
  createdAt: string;
  createdBy: string;
  note: string;
  revoked: { at: string; by: string; reason: string } | null;
};

/** All that `decide` looks at: one prompt, its versions, its releases. */
export type PromptState = {
  prompt: Prompt;
  versions: VersionSummary[];
  releases: { [environment: string]: ReleaseState };
};

export type ReleaseState = {
  release: Release;
  /** Known-good baselines, oldest first; the last is the present one. A rollback pops, a promote pushes. */
  goodBaselines: number[];
  lastAction: Action;
  lastActor: string;
  lastReason: string;
  /** The answer of the last rollback, kept while nothing has happened since: a repeated rollback answers the same. */
  lastRollback: { from: number; to: number; committedAtMs: number } | null;
  /** Absent: no ramp is on. */
  ramp?: Ramp;
};

/** Counters of one (revision, version, arm, reason, turn) over some time. Merging is adding. */
export type Tally = {
  /** The epoch: what was in force when the requests were routed. */
  revision: number;
  version: number;
  arm: ArmName;
  reason: Reason;
  /** Isolates of an earlier deployment report neither turns nor sums. */
  turn?: Turn;
  /** Calls that began; less `requests`: those that are under way, or were lost with their isolate. */
  started?: number;
  /** Calls that are over. */
  requests: number;
  /** Answers with status ≥ 400 or a broken stream, and requests that never reached the provider. */
  errors: number;
  /** The client left before the end. */
  aborted: number;
  /** Of `requests` and `errors`: calls whose isolate fell silent before they were over. Control's alone. */
  lost?: number;
  sums?: Sums;
};

/** What an isolate hands over with a sync. (isolate, sequence) is unique, so a repeated report counts once. */
export type Report = { sequence: number; tallies: Tally[] };

/** How long a grant may be used, from when the reader asked for it. */
export type Lease = { softMs: number; leaseMs: number };
