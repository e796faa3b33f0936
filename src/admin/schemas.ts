// The answers of the control plane as zod schemas, one per noun, tied to the types of core by `satisfies`: a type that
// changes breaks the build here. The command line checks replies with them, OpenAPI publishes them; the server itself
// does not run them, because what it answers comes from typed objects. Readers must bear unknown fields.

import * as z from "zod";
import { contentSchema as writtenContent } from "../core/content.ts";
import { KEY_USES } from "../core/key-scope.ts";
import { guardrailsSchema } from "../core/prompt-settings.ts";
import type {
  ProxyKey,
  PushAnswer,
  RevokeAnswer,
  RollbackAnswer,
  Token,
  VersionView,
} from "../core/ports.ts";
import type { RampMark, RampView } from "../core/ramps.ts";
import type {
  Arm,
  Prompt,
  Release,
  ReleaseView,
  Revision,
  SlotTable,
  VersionSummary,
} from "../core/types.ts";
import { judge } from "./schemas-judge.ts";

export const time = z.string().describe("ISO 8601, UTC, with milliseconds.");
const revisionNumber = z.int().min(0).describe("Number of a release; every change is the next one.");
export const version = z.int().min(1);
const weight = z.number().describe("Percent, in steps of 0.01.");
export const role = z.enum(["viewer", "releaser", "admin"]);
const action = z.enum([
  "push",
  "canary",
  "promote",
  "rollback",
  "ramp",
  "revoke",
  "settings",
  "archive",
  "restore",
]);
export const unit = z.enum(["conversation", "user", "request"]).describe("What stickiness is keyed on.");
export const kind = z
  .enum(["prompt", "partial"])
  .describe("A partial is inlined into other prompts at push and is not served itself.");

export const shield = z
  .boolean()
  .describe(
    "Whether the baseline answers where a canary fails before its first byte in a way that its version can be blamed for.",
  );
export const agents = z
  .enum(["append", "off"])
  .describe(
    "For coding agents (Claude Code, Codex): the system text goes behind their own, or no prompt is put in.",
  );

export const guardrails = guardrailsSchema.describe(
  "What differs from the defaults of the guardrails, by metric. `action`: roll back, notify only, or off. `tolerance`: what is no regression yet: of counts an odds ratio (1.5: up to half as many again), of times, cost and tokens a share (0.1: up to 10 % more), of the judge's score a difference.",
);

export const promptSchema = z
  .object({
    name: z.string(),
    kind,
    description: z.string(),
    owner: z.string(),
    tags: z.array(z.string()),
    aliases: z.array(z.string()),
    unit,
    shield: shield.exactOptional(),
    agents: agents.exactOptional(),
    judge: judge.exactOptional().describe("Absent: no answer is judged."),
    guardrails: guardrails.exactOptional(),
    createdAt: time,
    updatedAt: time,
    updatedBy: z.string(),
    archivedAt: time.nullable(),
    latestVersion: z.int().min(0).describe("0: nothing has been pushed yet."),
  })
  .meta({ id: "Prompt" }) satisfies z.ZodType<Prompt>;

/** What the fields of a content are for; their shapes come from core. */
const CONTENT_FIELDS: { [field: string]: string } = {
  messages: "Templates (Mustache). Or `system`.",
  system: "Short for one system message.",
  placement: "Where the system text goes against the caller's own.",
  model: "Forces the model.",
  params: "Forced parameters, in neutral names.",
  defaults: "Parameters for where the caller leaves them out.",
  provider_params: "Verbatim, for one provider or wire format only.",
  variables: "Rules for the variables of the templates.",
  note: "Why this version exists; no part of the digest.",
};

function describeContent(): z.core.JSONSchema.JSONSchema {
  const { $schema: _, ...described } = z.toJSONSchema(writtenContent, { io: "input" });
  for (const [field, description] of Object.entries(CONTENT_FIELDS)) {
    const schema = described.properties?.[field];
    if (typeof schema === "object") schema.description = description;
  }
  return described;
}

/** Described here, checked by core in the prompt's Control: one place knows what a content may say. */
export const contentSchema = z.record(z.string(), z.unknown()).meta({ id: "Content", ...describeContent() });

const versionSummary = {
  version,
  digest: z.string().describe("SHA-256 of the canonical content."),
  createdAt: time,
  createdBy: z.string(),
  note: z.string(),
  revoked: z.object({ at: time, by: z.string(), reason: z.string() }).nullable(),
};
export const versionSummarySchema = z
  .object(versionSummary)
  .meta({ id: "VersionSummary" }) satisfies z.ZodType<VersionSummary>;

export const versionSchema = z
  .object({
    ...versionSummary,
    prompt: z.string(),
    content: contentSchema as unknown as z.ZodType<VersionView["content"]>,
    partials: z.array(z.object({ name: z.string(), version, digest: z.string() })),
  })
  .meta({ id: "Version" }) satisfies z.ZodType<VersionView>;

export const pushSchema = z
  .object({ version, digest: z.string() })
  .meta({ id: "Push" }) satisfies z.ZodType<PushAnswer>;

export const revokeSchema = z
  .object({ version, revokedAt: time, enforcedBy: time })
  .meta({ id: "Revocation" }) satisfies z.ZodType<RevokeAnswer>;

export const rampSchema = z
  .object({
    version,
    state: z.enum(["running", "paused", "holdback"]),
    steps: z.array(z.number()).describe("Percents of the canary."),
    step: z.int().describe("Index into `steps`."),
    weight,
    stepSince: time,
    notBefore: time.nullable().describe("The next step is not taken before; null: paused or frozen."),
    bakeMs: z.number().describe("Least time at a step."),
    holdback: z.number().describe("Percent that the old version keeps after the last step."),
    holdbackMs: z.number().describe("How long it keeps it before the ramp promotes its version."),
    askAfterMs: z.number().describe("A step that is not proven safe for so long asks for a person."),
    startedAt: time,
    startedBy: z.string(),
    isFrozen: z
      .boolean()
      .describe("Trouble that is not the version's: it does not go on until that is over."),
    asks: z.boolean().describe("Somebody has to decide: it cannot be proven safe."),
    says: z.string().describe("What it waits for, in words, with numbers."),
  })
  .meta({ id: "Ramp" }) satisfies z.ZodType<RampView>;

const armShape = { version, weight };
export const releaseSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    revision: revisionNumber,
    unit,
    baseline: version,
    arms: z.array(
      z.object({
        ...armShape,
        arm: z.enum(["baseline", "canary"]),
        digest: z.string(),
        versionCreatedAt: time,
        note: z.string(),
      }),
    ),
    draining: z
      .array(z.object({ version, until: time }))
      .describe("Versions that conversations begun before a change may still be kept on."),
    revoked: z.array(version),
    changedAt: time,
    changedBy: z.string(),
    action,
    reason: z.string(),
    ramp: rampSchema.exactOptional().describe("Absent: no ramp is on."),
  })
  .meta({ id: "Release" }) satisfies z.ZodType<ReleaseView>;

export const rollbackSchema = z
  .object({
    revision: revisionNumber,
    from: version.describe("The version taken off."),
    to: version,
    committedAt: time,
    enforcedBy: time.describe("After it no request anywhere is assigned the version taken off."),
  })
  .meta({ id: "Rollback" }) satisfies z.ZodType<RollbackAnswer>;

const slotTable = {
  revision: revisionNumber,
  salt: z.string(),
  slots: z.array(z.object({ version, from: z.int(), to: z.int() })),
};
/** The release as the edge gets it: with it and a key, anybody can recompute an assignment. */
export const routingSchema = z
  .object({
    schema: z.literal(1),
    prompt: z.string(),
    environment: z.string(),
    revision: revisionNumber,
    unit,
    shield: shield.exactOptional(),
    agents: agents.exactOptional(),
    judge: judge.exactOptional(),
    baseline: version,
    arms: z.array(z.object(armShape) satisfies z.ZodType<Arm>),
    table: z.object(slotTable) satisfies z.ZodType<SlotTable>,
    drains: z.array(z.object({ ...slotTable, until: z.number(), strangers: version.exactOptional() })),
    revoked: z.array(version),
    changedAt: time,
  })
  .meta({ id: "Routing" }) satisfies z.ZodType<Release>;

const rampMark = z.object({
  event: z.enum(["start", "step", "holdback", "complete", "pause", "resume", "stop", "end"]),
  version,
  step: z.int(),
  steps: z.array(z.number()),
}) satisfies z.ZodType<RampMark>;

export const revisionSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    revision: revisionNumber,
    at: time,
    actor: z.string(),
    action,
    reason: z.string(),
    before: routingSchema.nullable(),
    after: routingSchema,
    ramp: rampMark.exactOptional().describe("What the change did to a ramp; absent: nothing."),
  })
  .meta({ id: "Revision" }) satisfies z.ZodType<Revision>;

export type { Metrics } from "./schemas-metrics.ts";

export const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: "Token" }) satisfies z.ZodType<Token>;

export const mintedTokenSchema = z
  .object({ ...tokenSchema.shape, token: z.string().describe("The token itself; shown this once.") })
  .meta({ id: "MintedToken" });

export const actorSchema = z.object({ name: z.string(), role }).meta({ id: "Actor" });

export const keyUse = z
  .enum(KEY_USES)
  .describe("`all`: whatever its scope covers. `feedback`: `POST /feedback` and nothing else.");

export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prompts: z.array(z.string()).describe("Empty: all."),
    environments: z.array(z.string()).describe("Empty: all."),
    use: keyUse.default("all"),
    providers: z.array(z.string()).describe("Empty: all; none of them with `use: feedback`."),
    passThrough: z.boolean().describe("May be used for requests that no prompt is put into."),
    requestsPerMinute: z.int().nullable(),
    createdAt: time,
    createdBy: z.string(),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    lastUsedAt: time.nullable().describe("Within a minute or so; null: not used yet."),
  })
  .meta({ id: "ProxyKey" }) satisfies z.ZodType<ProxyKey>;
export type KeyView = z.infer<typeof keySchema>;

export const mintedKeySchema = z
  .object({ ...keySchema.shape, key: z.string().describe("The key itself; shown this once.") })
  .meta({ id: "MintedProxyKey" });

export const providerSchema = z
  .object({
    name: z.string(),
    origin: z.string().nullable().describe("Where requests go; null: nowhere yet."),
    secret: z
      .string()
      .nullable()
      .describe("Name of the secret that is put in the place of a proxy key; null: the Worker holds none."),
    can: z
      .array(z.enum(["pass-through", "prompts", "proxy-keys", "signing", "stream-usage"]))
      .describe(
        "What works with this provider as it is configured. `stream-usage`: chat streams are asked to report usage where the caller does not say whether they should (`STREAM_USAGE`).",
      ),
    problems: z.array(z.object({ message: z.string(), mend: z.string() })),
  })
  .meta({ id: "Provider" });
export type ProviderView = z.infer<typeof providerSchema>;
