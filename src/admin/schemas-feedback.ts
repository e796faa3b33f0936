// The answers about feedback as zod schemas (see schemas.ts for what they are for).

import * as z from "zod";
import type { FeedbackEntry, FeedbackPage, FeedbackReceipt, FeedbackTotal } from "../core/feedback.ts";
import { time } from "./schemas.ts";

const version = z.int().min(1);
const served = {
  revision: z.int().describe("Of the release that the answer was served by."),
  version: version.describe("What served the answer."),
  arm: z.enum(["baseline", "canary", "pinned"]),
  reason: z.enum(["static", "split", "pinned", "drain", "no_lease", "fallback"]),
};

export const feedbackReceiptSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    ...served,
    result: z
      .enum(["counted", "replaced", "repeated"])
      .describe("`repeated`: it was known already, and nothing has changed."),
  })
  .meta({ id: "FeedbackReceipt" }) satisfies z.ZodType<FeedbackReceipt>;

const entrySchema = z.object({
  id: z.int(),
  requestId: z.string().describe("The random id of the answer, as in the logs."),
  ...served,
  turn: z.enum(["first", "later"]).describe("First turn of its conversation, or a later one."),
  name: z.string(),
  value: z.union([z.boolean(), z.number(), z.string()]).describe("A thumb (true: up), a score or a label."),
  comment: z.string().nullable(),
  by: z.string().describe("Name of the proxy key or token that it came with."),
  servedAt: time,
  at: time,
}) satisfies z.ZodType<FeedbackEntry>;

const totalSchema = z.object({
  version,
  name: z.string(),
  up: z.int(),
  down: z.int(),
  scores: z.int().describe("How many scores."),
  meanScore: z.number().nullable().describe("null without a score: no data is not good data."),
  labels: z.int(),
}) satisfies z.ZodType<FeedbackTotal>;

export const feedbackPageSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    totals: z.array(totalSchema),
    feedback: z.array(entrySchema),
    nextBefore: z.int().nullable().describe("`before` of the next page; null: this was the last."),
  })
  .meta({ id: "Feedback" }) satisfies z.ZodType<FeedbackPage>;
