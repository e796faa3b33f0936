// The answers of the control plane as zod schemas, one per noun, tied to the types of core by `satisfies`: a type that
// changes breaks the build here. The command line checks replies with them, OpenAPI publishes them; the server itself
// does not run them, because what it answers comes from typed objects. Readers must bear unknown fields.

import * as z from "zod";
import type { PushAnswer, RevokeAnswer, RollbackAnswer, Token, VersionView } from "../core/ports.ts";
import type {
  Arm,
  Json,
  JsonObject,
  Prompt,
  Release,
  ReleaseView,
  Revision,
  SlotTable,
  VersionSummary,
} from "../core/types.ts";

const json = z.unknown() as z.ZodType<Json>;
const jsonObject = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

export const time = z.string().describe("ISO 8601, UTC, with milliseconds.");
const revisionNumber = z.int().min(0).describe("Number of a release; every change is the next one.");
const version = z.int().min(1);
const weight = z.number().describe("Percent, in steps of 0.01.");
export const role = z.enum(["viewer", "releaser", "admin"]);
const action = z.enum(["push", "canary", "promote", "rollback", "revoke", "settings", "archive", "restore"]);
export const unit = z.enum(["conversation", "user", "request"]).describe("What stickiness is keyed on.");
export const kind = z
  .enum(["prompt", "partial"])
  .describe("A partial is inlined into other prompts at push and is not served itself.");

export const promptSchema = z
  .object({
    name: z.string(),
    kind,
    description: z.string(),
    owner: z.string(),
    tags: z.array(z.string()),
    aliases: z.array(z.string()),
    unit,
    createdAt: time,
    updatedAt: time,
    updatedBy: z.string(),
    archivedAt: time.nullable(),
    latestVersion: z.int().min(0).describe("0: nothing has been pushed yet."),
  })
  .meta({ id: "Prompt" }) satisfies z.ZodType<Prompt>;

const message = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
const variableRule = z.object({
  type: z.enum(["string", "number", "boolean", "array", "object"]).optional(),
  required: z.boolean().optional(),
  default: json.optional(),
  description: z.string().optional(),
});

/** What users push. The single writer checks it in depth; here stands what it looks like. */
export const contentSchema = z
  .looseObject({
    messages: z.array(message).optional().describe("Templates, system text first. Or use `system`."),
    system: z.string().optional().describe("Short for one system message."),
    placement: z
      .enum(["prepend", "append", "replace", "if_absent"])
      .optional()
      .describe("Where the system text goes against the caller's own. Default: prepend."),
    model: z.string().optional().describe("Forces the model."),
    params: jsonObject.optional().describe("Forced parameters, in neutral names."),
    defaults: jsonObject.optional().describe("Parameters for where the caller leaves them out."),
    tools: z.array(jsonObject).optional(),
    response_format: jsonObject.optional(),
    provider_params: z.record(z.string(), jsonObject).optional().describe("Verbatim, for one wire format."),
    variables: z.record(z.string(), variableRule).optional(),
    note: z.string().optional().describe("Why this version exists; not part of the digest."),
  })
  .meta({ id: "Content" });

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
    baseline: version,
    arms: z.array(z.object(armShape) satisfies z.ZodType<Arm>),
    table: z.object(slotTable) satisfies z.ZodType<SlotTable>,
    drains: z.array(z.object({ ...slotTable, until: z.number() })),
    revoked: z.array(version),
    changedAt: time,
  })
  .meta({ id: "Routing" }) satisfies z.ZodType<Release>;

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
  })
  .meta({ id: "Revision" }) satisfies z.ZodType<Revision>;

const rate = z.number().nullable().describe("0 to 1; null without a request: no data is not good data.");
const counters = { requests: z.int(), errors: z.int(), aborted: z.int(), errorRate: rate, abortedRate: rate };
export const metricsSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    arms: z.array(z.object({ version, arm: z.enum(["baseline", "canary", "pinned"]), ...counters })),
    versions: z.array(z.object({ version, ...counters })).describe("Without pinned requests."),
  })
  .meta({ id: "Metrics" });
export type Metrics = z.infer<typeof metricsSchema>;

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
