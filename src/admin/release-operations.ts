// Lines of the table of operations: releases, and what can be seen of them (contract §4).

import * as z from "zod";
import { weightSchema } from "../core/prompt-settings.ts";
import {
  BODY_PROBLEMS,
  WRITE_PROBLEMS,
  environment,
  environmentQuery,
  noQuery,
  numberInUrl,
  promptParams,
  reason,
  versionNumber,
  type Operation,
} from "./operation.ts";
import { STEP_PATTERN, WINDOW_PATTERN } from "./metrics.ts";
import { releaseSchema, revisionSchema, rollbackSchema } from "./schemas.ts";
import { metricsSchema } from "./schemas-metrics.ts";

const notFound = ["prompt_not_found", "version_not_found"] as const;
/** Reading never makes an environment; the first change that names one does. */
const notRead = [...notFound, "environment_not_found"] as const;
const prompt = "/admin/prompts/support-bot";

const explainSchema = z.object({
  prompt: z.string(),
  environment: z.string(),
  key: z.string(),
  version: z.int(),
  arm: z.enum(["baseline", "canary", "pinned"]),
  reason: z.enum(["static", "split", "pinned", "drain", "no_lease", "fallback"]),
  revision: z.int(),
  bucket: z.int().describe("0 to 9999, from the salt and the key."),
  salt: z.string(),
  slots: z.array(z.object({ version: z.int(), from: z.int(), to: z.int() })),
  algorithm: z.string().describe("Name of the hash; frozen under this name."),
});

export const releaseOperations = {
  getRelease: {
    id: "getRelease",
    group: "Releases",
    method: "GET",
    path: "/admin/prompts/:prompt/release",
    summary: "Read the release",
    description:
      "The routing table in force: baseline, canaries, weights, what still drains. `ETag` is the revision; `If-None-Match` answers 304.",
    role: "viewer",
    params: promptParams,
    query: environmentQuery,
    body: null,
    response: releaseSchema,
    statuses: { success: [200], problems: [...notRead] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/release` },
  },
  canary: {
    id: "canary",
    group: "Releases",
    method: "POST",
    path: "/admin/prompts/:prompt/canary",
    summary: "Give a version a share of the traffic",
    description:
      "Adds a canary or changes its weight; the baseline takes the rest. Raising a weight never moves a unit that is on the canary already. With `transition: drain` conversations keep the version that they began on.",
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: z.strictObject({
      version: versionNumber,
      weight: weightSchema.describe("Percent, in steps of 0.01; 0 is legal."),
      environment,
      reason,
      transition: z.enum(["drain", "now"]).default("drain"),
    }),
    response: releaseSchema,
    statuses: {
      success: [200],
      problems: [...notFound, "conflict", "version_revoked", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: "body",
    example: { path: `${prompt}/canary`, body: { version: 2, weight: 5, reason: "first look" } },
  },
  promote: {
    id: "promote",
    group: "Releases",
    method: "POST",
    path: "/admin/prompts/:prompt/promote",
    summary: "Make a version the baseline",
    description: "All weight goes to it. Without `version`: the only canary.",
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: z.strictObject({ version: versionNumber.exactOptional(), environment, reason }),
    response: releaseSchema,
    statuses: {
      success: [200],
      problems: [...notFound, "conflict", "version_revoked", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: "body",
    example: { path: `${prompt}/promote`, body: { version: 2 } },
  },
  rollback: {
    id: "rollback",
    group: "Releases",
    method: "POST",
    path: "/admin/prompts/:prompt/rollback",
    summary: "Put all weight back on a known-good version",
    description:
      "Without `to`: with a canary live, to its baseline; else to the last known-good baseline before the present one. After `enforcedBy` no request anywhere is assigned the version taken off; `wait: true` answers only then. Repeating it changes nothing and answers the same. Needs no `If-Match`.",
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: z.strictObject({
      environment,
      reason,
      to: versionNumber.exactOptional(),
      mode: z
        .enum(["now", "drain"])
        .default("now")
        .describe("`now` moves running conversations too; `drain` lets them finish."),
      wait: z.boolean().default(false).describe("Answer only once it is enforced everywhere."),
    }),
    response: rollbackSchema,
    statuses: {
      success: [200],
      problems: [...notFound, "conflict", "version_revoked", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: "body",
    example: { path: `${prompt}/rollback`, body: { reason: "wrong refunds", wait: true } },
  },
  listEnvironments: {
    id: "listEnvironments",
    group: "Releases",
    method: "GET",
    path: "/admin/prompts/:prompt/environments",
    summary: "List the environments that have a release",
    description:
      "An environment appears with the first canary, promote, rollback or start of a ramp that names it.",
    role: "viewer",
    params: promptParams,
    query: noQuery,
    body: null,
    response: z.object({ prompt: z.string(), environments: z.array(z.string()) }),
    statuses: { success: [200], problems: ["prompt_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: `${prompt}/environments` },
  },
  listRevisions: {
    id: "listRevisions",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/revisions",
    summary: "Read the audit log",
    description: "Who changed the release when, how and why, before and after; newest first.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      environment,
      limit: numberInUrl(1, 200).default(50).meta({ default: 50, description: "Most revisions to answer." }),
      before: numberInUrl(1)
        .optional()
        .describe("Only revisions below this one: the `nextBefore` of a page."),
    }),
    body: null,
    response: z.object({
      prompt: z.string(),
      environment: z.string(),
      revisions: z.array(revisionSchema),
      nextBefore: z.int().nullable().describe("`before` of the next page; null: this was the last."),
    }),
    statuses: { success: [200], problems: ["prompt_not_found", "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/revisions`, query: "limit=20" },
  },
  explain: {
    id: "explain",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/explain",
    summary: "Explain an assignment",
    description: "The version that this unit key gets now, and why.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      key: z.string().min(1).max(1024).describe("The unit key: conversation, user or request id."),
      environment,
    }),
    body: null,
    response: explainSchema,
    statuses: { success: [200], problems: [...notRead, "version_revoked"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/explain`, query: "key=conversation-42" },
  },
  getMetrics: {
    id: "getMetrics",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/metrics",
    summary: "Read the metrics",
    description:
      "Counts, times, tokens, cost, feedback and scores per arm and per version, with 95 % intervals, and each canary beside its baseline. Every request is counted exactly once. Reading them without a window costs least.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      environment,
      window: z
        .string()
        .regex(WINDOW_PATTERN, { error: "must be a number and s, m, h or d, like 15m" })
        .optional()
        .describe("How far back, at most 31d: 15m, 1h, 24h, 7d, 30d; since ever unless given."),
      step: z
        .string()
        .regex(STEP_PATTERN, { error: "must be seconds, or a number and s, m, h or d, like 5m" })
        .optional()
        .describe(
          "Adds `series`, at most 500 points of so long each, for charts: a divisor of 60 seconds, whole minutes up to an hour, or whole hours; no longer than the window.",
        ),
    }),
    body: null,
    response: metricsSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/metrics`, query: "window=1h&step=60" },
  },
} as const satisfies Record<string, Operation>;
