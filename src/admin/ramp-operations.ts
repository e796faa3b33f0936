// Lines of the table of operations: ramps. What a plan may say beyond the shape of each field (steps that ascend and end
// at 100, a holdback that takes nobody off the canary) is core's to check, once, for every caller.

import * as z from "zod";
import { weightSchema } from "../core/prompt-settings.ts";
import { LONGEST_MS, STEPS_MAX } from "../core/ramp-plan.ts";
import { RAMP_DEFAULTS } from "../core/ramps.ts";
import {
  BODY_PROBLEMS,
  WRITE_PROBLEMS,
  environment,
  environmentQuery,
  noQuery,
  promptParams,
  reason,
  versionNumber,
  type Operation,
} from "./operation.ts";
import { rampSchema, releaseSchema } from "./schemas.ts";

const prompt = "/admin/prompts/support-bot";
const notFound = ["prompt_not_found", "version_not_found"] as const;

const milliseconds = z
  .int({ error: `must be a whole number of milliseconds from 0 to ${LONGEST_MS} (90 days)` })
  .min(0)
  .max(LONGEST_MS);

const startBody = z.strictObject({
  version: versionNumber,
  steps: z
    .array(weightSchema)
    .max(STEPS_MAX)
    .default(RAMP_DEFAULTS.steps)
    .describe("Percents of the version, ascending; the last one is 100. At most 20."),
  bakeMs: milliseconds.default(RAMP_DEFAULTS.bakeMs).describe("Least time at a step."),
  holdback: weightSchema
    .default(RAMP_DEFAULTS.holdback)
    .describe("Percent that the old version keeps after the last step, to compare with; 0: none."),
  holdbackMs: milliseconds
    .default(RAMP_DEFAULTS.holdbackMs)
    .describe("How long it keeps it before the version is promoted."),
  askAfterMs: milliseconds
    .default(RAMP_DEFAULTS.askAfterMs)
    .describe("A step that is not proven safe for so long asks for a person; it never goes on without."),
  environment,
  reason,
});

function turn(id: "pauseRamp" | "resumeRamp" | "stopRamp", summary: string, description: string) {
  const verb = id.slice(0, -"Ramp".length) as "pause" | "resume" | "stop";
  return {
    id,
    group: "Ramps",
    method: "POST",
    path: `/admin/prompts/:prompt/ramp/${verb}`,
    summary,
    description,
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: z.strictObject({ environment, reason }),
    response: releaseSchema,
    statuses: { success: [200], problems: [...notFound, "conflict", ...BODY_PROBLEMS, ...WRITE_PROBLEMS] },
    writes: true,
    environmentIn: "body",
    example: { path: `${prompt}/ramp/${verb}`, body: { reason: "looking at the answers first" } },
  } as const satisfies Operation;
}

export const rampOperations = {
  getRamp: {
    id: "getRamp",
    group: "Ramps",
    method: "GET",
    path: "/admin/prompts/:prompt/ramp",
    summary: "Read the ramp",
    description:
      "Where it stands and what it waits for; `ramp` is null while none is on. `ETag` is the release's revision.",
    role: "viewer",
    params: promptParams,
    query: environmentQuery,
    body: null,
    response: z.object({
      prompt: z.string(),
      environment: z.string(),
      revision: z.int(),
      ramp: rampSchema.nullable(),
    }),
    statuses: { success: [200], problems: [...notFound, "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: `${prompt}/ramp` },
  },
  startRamp: {
    id: "startRamp",
    group: "Ramps",
    method: "POST",
    path: "/admin/prompts/:prompt/ramp",
    summary: "Raise a version's share step by step",
    description:
      "Each step lasts at least `bakeMs` and is left only once the version is proven not to be much worse than the baseline at the present weights: without traffic it waits. Trouble upstream freezes it. After the last step the old version keeps `holdback` percent for `holdbackMs`; then the version is promoted. A version that has a share already keeps it as the first step. Any rollback, promotion or canary ends the ramp.",
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: startBody,
    response: releaseSchema,
    statuses: {
      success: [200],
      problems: [...notFound, "conflict", "version_revoked", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: "body",
    example: { path: `${prompt}/ramp`, body: { version: 2, steps: [5, 25, 50, 100], bakeMs: 600_000 } },
  },
  pauseRamp: turn(
    "pauseRamp",
    "Pause the ramp",
    "The weights stay as they are. Pausing a paused ramp changes nothing.",
  ),
  resumeRamp: turn("resumeRamp", "Let a paused ramp go on", "The time of its step begins anew."),
  stopRamp: turn(
    "stopRamp",
    "Stop the ramp",
    "Ends the plan; the weights stay as they are. To take the version off as well, roll back.",
  ),
} as const satisfies Record<string, Operation>;
