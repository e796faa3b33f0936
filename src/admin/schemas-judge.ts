// A prompt's judge as a zod schema (see schemas.ts for what they are for).

import * as z from "zod";
import type { JudgeDay, JudgeView } from "../core/judge-view.ts";
import type { JudgeSettings } from "../core/watch-settings.ts";

export const judge = z
  .object({
    prompt: z
      .string()
      .describe('Another prompt, with the variables `question` and `answer`, that answers `{"score": 0…1}`.'),
    provider: z.string().describe("Where it is asked, with the secret that the Worker holds."),
    sample: z.number().describe("Of the smaller arm's answers, 0 to 1; as many of the other's are judged."),
    maxBytes: z.int().describe("Of a question, and of an answer; what is longer is cut."),
    maxUsdPerDay: z.number().describe("By UTC days, over all isolates."),
    concurrency: z.int().describe("Answers of one isolate that are judged at the same time."),
  })
  .meta({ id: "Judge" }) satisfies z.ZodType<JudgeSettings>;

const daySchema = z.object({
  day: z.string().describe("By UTC."),
  answers: z.int().describe("Answers that the judge was asked about."),
  failures: z.int().describe("Of these, those that it gave no score from 0 to 1."),
  nanoUsd: z
    .int()
    .describe("What asking it cost, in billionths of a dollar; unknown costs count 2 cents each."),
}) satisfies z.ZodType<JudgeDay>;

export const judgeViewSchema = z
  .object({
    prompt: z.string(),
    judge: judge.nullable().describe("null: no answer is judged."),
    days: z.array(daySchema).describe("Newest first, at most 31; only days on which something was judged."),
  })
  .meta({ id: "Judging" }) satisfies z.ZodType<JudgeView>;
