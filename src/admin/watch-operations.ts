// Lines of the table of operations: the watch over a release.

import * as z from "zod";
import { environment, environmentQuery, numberInUrl, promptParams, type Operation } from "./operation.ts";
import { WINDOW_PATTERN } from "./metrics.ts";
import { diagnosisSchema } from "./schemas-diagnosis.ts";
import { eventSchema, healthSchema } from "./schemas-health.ts";

const prompt = "/admin/prompts/support-bot";

export const watchOperations = {
  getHealth: {
    id: "getHealth",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/health",
    summary: "Read the verdict on a release",
    description:
      "What the guardrails say of every canary beside its baseline, and whether the baseline itself has changed; each with its numbers. A guardrail whose action is `rollback` has done so by itself.",
    role: "viewer",
    params: promptParams,
    query: environmentQuery,
    body: null,
    response: healthSchema,
    statuses: {
      success: [200],
      problems: ["prompt_not_found", "version_not_found", "environment_not_found"],
    },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/health` },
  },
  diagnose: {
    id: "diagnose",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/diagnose",
    summary: "Ask whether it was the prompt",
    description:
      "Since when errors or latency are up, and who is suspected: the prompt, the provider, another model behind the same name, or a change in what callers send; each with what speaks for and against it. Where both arms are alike the prompt is not blamed.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      environment,
      window: z
        .string()
        .regex(WINDOW_PATTERN, { error: "must be a number and s, m, h or d, like 24h" })
        .default("24h")
        .meta({ default: "24h", description: "How far back: 10m to 31d. A short one is looked at closer." }),
    }),
    body: null,
    response: diagnosisSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/diagnose`, query: "window=24h" },
  },
  listEvents: {
    id: "listEvents",
    group: "Observation",
    method: "GET",
    path: "/admin/prompts/:prompt/events",
    summary: "Read what happened without a change of the release",
    description:
      "Verdicts that came and went, notices of guardrails, changed models, ramps that wait; newest first. The latest 5,000 of a prompt are kept.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      environment,
      limit: numberInUrl(1, 200).default(50).meta({ default: 50, description: "Most events to answer." }),
      before: numberInUrl(1)
        .optional()
        .describe("Only events before the one with this id: the `nextBefore` of a page."),
    }),
    body: null,
    response: z.object({
      prompt: z.string(),
      environment: z.string(),
      events: z.array(eventSchema),
      nextBefore: z.int().nullable().describe("`before` of the next page; null: this was the last."),
    }),
    statuses: { success: [200], problems: ["prompt_not_found", "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/events`, query: "limit=20" },
  },
} as const satisfies Record<string, Operation>;
