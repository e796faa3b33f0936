// The answer of a diagnosis as a zod schema, tied to core/diagnosis.ts.

import * as z from "zod";
import type { Diagnosis } from "../core/diagnosis.ts";
import { ERROR_CLASSES } from "../core/metering/outcome.ts";
import { time } from "./schemas.ts";

const count = z.int().min(0);

export const diagnosisSchema = z
  .object({
    prompt: z.string(),
    environment: z.string(),
    since: time,
    until: time,
    summary: z.string().describe("One or two sentences to begin with."),
    onset: z
      .object({
        at: time,
        until: time.nullable().describe("null: it goes on."),
        metric: z.enum(["errors", "latency"]),
        before: z.number().describe("A rate, or the median in milliseconds."),
        after: z.number(),
      })
      .nullable()
      .describe(
        "Since when it is worse, and until when it was; what goes on comes before what is over. null: neither errors nor latency rose.",
      ),
    suspects: z
      .array(
        z.object({
          cause: z.enum(["prompt", "upstream", "model", "caller", "credentials"]),
          for: z.array(z.string()).describe("What speaks for it, with its numbers."),
          against: z.array(z.string()),
          weight: z
            .number()
            .describe("0 to 1, to rank by; no probability. Below 0.6 the summary says perhaps."),
        }),
      )
      .describe("The likeliest first. Without a symptom there are none, whatever changed."),
    timeline: z
      .array(
        z.object({
          at: time,
          kind: z.enum([
            "onset",
            "release",
            "model",
            "caller",
            "verdict",
            "notice",
            "model changed",
            "split",
            "ramp",
          ]),
          says: z.string(),
        }),
      )
      .describe(
        "Releases, verdicts, and what came and went in answers and in callers' bodies; newest first.",
      ),
    errorClasses: z.array(
      z.object({
        version: z.int().min(1),
        arm: z.enum(["baseline", "canary", "pinned"]),
        requests: count,
        errors: count,
        classes: z.partialRecord(z.enum(ERROR_CLASSES), count),
      }),
    ),
  })
  .meta({ id: "Diagnosis" }) satisfies z.ZodType<Diagnosis>;
