// The small shapes that control plane and command line share: names, numbers and percents as zod, and a prompt's
// settings. Guarantee: what these let through fits the types of core/types.ts exactly.

import * as z from "zod";
import { contentProblem, readShape } from "./content-problems.ts";
import type { PutPrompt } from "./ports.ts";
import type { Problem } from "./problem.ts";
import { PROVIDER_PATTERN } from "./providers.ts";
import { ALIAS_PATTERN, NAME_PATTERN } from "./types.ts";
import { JUDGE_DEFAULTS, type GuardrailSettings, type JudgeSettings } from "./watch-settings.ts";

export const NAME_MEND = "must be 1 to 63 lower-case letters, digits, _ or -, with a letter or digit first";

export const promptNameSchema = z.string().regex(NAME_PATTERN, NAME_MEND);
export const environmentSchema = z.string().regex(NAME_PATTERN, NAME_MEND);
export const versionNumberSchema = z.int().min(1).max(999_999_999);

/** Percent in steps of 0.01: one step is one bucket. */
export const weightSchema = z
  .number()
  .min(0)
  .max(100)
  .refine((weight) => Math.abs(weight * 100 - Math.round(weight * 100)) < 1e-9, "must be in steps of 0.01");

export const aliasSchema = z
  .string()
  .regex(ALIAS_PATTERN, "must be 1 to 128 letters, digits, _, . or -, with a letter or digit first");

export const judgeSchema = z.strictObject({
  prompt: aliasSchema,
  provider: z.string().regex(PROVIDER_PATTERN, "must be the name of a provider, such as openai"),
  sample: z.number().min(0).max(1).default(JUDGE_DEFAULTS.sample),
  maxBytes: z.int().min(256).max(65_536).default(JUDGE_DEFAULTS.maxBytes),
  maxUsdPerDay: z.number().min(0).max(100_000).default(JUDGE_DEFAULTS.maxUsdPerDay),
  concurrency: z.int().min(1).max(16).default(JUDGE_DEFAULTS.concurrency),
}) satisfies z.ZodType<JudgeSettings>;
const action = z.enum(["rollback", "notify", "off"]).exactOptional();
const guardOf = (least: number, most: number) =>
  z.strictObject({ action, tolerance: z.number().min(least).max(most).exactOptional() });
/** Odds ratios of counts, shares of times, cost and tokens, a difference of scores. */
const ofCounts = guardOf(1, 100).exactOptional();
const ofMeans = guardOf(0, 10).exactOptional();

export const guardrailsSchema = z.strictObject({
  errors: ofCounts,
  timeouts: ofCounts,
  refusals: ofCounts,
  truncations: ofCounts,
  schema_failures: ofCounts,
  latency_tail: ofCounts,
  thumbs_down: ofCounts,
  first_token: ofMeans,
  latency: ofMeans,
  cost: ofMeans,
  tokens: ofMeans,
  judge_score: guardOf(0, 1).exactOptional(),
}) satisfies z.ZodType<GuardrailSettings>;

export const putPromptSchema = z.strictObject({
  description: z.string().max(2_000).exactOptional(),
  owner: z.string().max(200).exactOptional(),
  tags: z.array(z.string().min(1).max(64)).max(32).exactOptional(),
  aliases: z.array(aliasSchema).max(32).exactOptional(),
  unit: z.enum(["conversation", "user", "request"]).exactOptional(),
  shield: z.boolean().exactOptional(),
  agents: z.enum(["append", "off"]).exactOptional(),
  kind: z.enum(["prompt", "partial"]).exactOptional(),
  judge: judgeSchema.nullable().exactOptional(),
  guardrails: guardrailsSchema.nullable().exactOptional(),
}) satisfies z.ZodType<PutPrompt>;

/** `invalid_request` with every error. */
export function parsePutPrompt(input: unknown): PutPrompt | Problem {
  const read = readShape(putPromptSchema, input, [], () => {
    return `; a prompt's settings are ${Object.keys(putPromptSchema.shape).join(", ")}`;
  });
  return "errors" in read ? contentProblem(read.errors) : read.value;
}
