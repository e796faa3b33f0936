// Answers of the watch over a release as zod schemas, tied to core/health.ts.

import * as z from "zod";
import type { HealthView, ReleaseEvent } from "../core/health.ts";
import { time } from "./schemas.ts";

const version = z.int().min(1);
const count = z.int().min(0);
const nats = z.number().describe("In nats: 6.9 is one in a thousand.");

const verdict = z
  .enum(["waiting", "watching", "prompt", "upstream", "prompt+upstream", "model changed"])
  .describe(
    "`waiting`: nothing to compare, or nothing of late. `watching`: compared, and nothing found. `prompt`: the canary is worse than its baseline. `upstream`: the baseline itself has changed, the provider is at fault. `model changed`: the provider answers with another model or build, within the last hour.",
  );

const armValue = z.object({
  units: count.describe("What was counted: requests, answers, thumbs or judged answers."),
  bad: count.nullable().describe("null: a mean."),
  value: z
    .number()
    .nullable()
    .describe(
      "The rate of bad ones, or the mean of logarithms in the metric's unit: ms, dollars, tokens; a score as it is. Weighted as `effect` is.",
    ),
});

const guard = z.object({
  metric: z.enum([
    "errors",
    "timeouts",
    "refusals",
    "truncations",
    "schema_failures",
    "latency_tail",
    "thumbs_down",
    "first_token",
    "latency",
    "cost",
    "tokens",
    "judge_score",
  ]),
  kind: z.enum(["count", "mean"]),
  action: z.enum(["rollback", "notify", "off"]),
  says: z.string().describe("What counts, in words."),
  isCrossed: z.boolean(),
  evidence: nats,
  threshold: nats,
  effect: z
    .number()
    .nullable()
    .describe("Canary over baseline: a ratio; of scores the difference. null: nothing to compare yet."),
  low: z.number().nullable().describe("`low` and `high` hold at every moment at once, at 95 %."),
  high: z.number().nullable(),
  baseline: armValue,
  canary: armValue,
  designEffect: z.number().describe("Evidence counts as one over it, because a unit's requests are alike."),
});

const comparison = z.object({
  baseline: version,
  canary: version,
  since: time,
  verdict,
  says: z.string().describe("The verdict in a sentence, with its numbers."),
  guards: z.array(guard),
  split: z
    .object({
      expected: z.number().describe("Share of the canary among the requests of both, 0 to 1."),
      actual: z.number().nullable(),
      evidence: nats,
      threshold: nats,
      isMismatch: z.boolean(),
    })
    .nullable()
    .describe("Only where every request is a unit of its own."),
  gate: z
    .object({ isOpen: z.boolean(), errors: nats, time: nats, threshold: nats })
    .describe("May a ramp go on? Proof since the present weights that the canary is not much worse."),
});

export const healthSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    revision: z.int().min(0),
    verdict,
    says: z.string(),
    isFrozen: z.boolean().describe("A ramp does not go on."),
    comparisons: z.array(comparison).describe("One for every canary that has a share."),
    upstream: z.array(
      z.object({
        metric: z.enum(["errors", "latency_tail"]),
        usualRate: z.number(),
        rate: z.number().nullable(),
        since: time,
      }),
    ),
    modelChanges: z.array(
      z.object({ asked: z.string().nullable(), from: z.string(), to: z.string(), since: time }),
    ),
  })
  .meta({ id: "Health" }) satisfies z.ZodType<HealthView>;

export const eventSchema = z
  .object({
    id: z.int().min(1),
    environment: z.string(),
    at: time,
    revision: z.int().min(0),
    kind: z.enum(["verdict", "notice", "model changed", "split", "ramp"]),
    says: z.string().describe("One sentence with the numbers in it."),
    data: z.record(z.string(), z.unknown()).describe("The same numbers for programs."),
  })
  .meta({ id: "Event" }) satisfies z.ZodType<ReleaseEvent>;
