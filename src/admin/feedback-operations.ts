// Lines of the table of operations: feedback on answers, which applications give and people read.

import * as z from "zod";
import { FEEDBACK_NAME, MOST_COMMENT_CHARACTERS, MOST_LABEL_CHARACTERS } from "../core/feedback.ts";
import { NAME_MEND } from "../core/prompt-settings.ts";
import {
  BODY_PROBLEMS,
  environment,
  FEEDBACK_PATH,
  noParams,
  noQuery,
  numberInUrl,
  promptParams,
  versionInUrl,
  type Operation,
} from "./operation.ts";
import { judgeViewSchema } from "./schemas-judge.ts";
import { feedbackPageSchema, feedbackReceiptSchema } from "./schemas-feedback.ts";

const name = z.string().regex(FEEDBACK_NAME, NAME_MEND);

export const feedbackOperations = {
  giveFeedback: {
    id: "giveFeedback",
    group: "Feedback",
    method: "POST",
    path: FEEDBACK_PATH,
    summary: "Say what an answer was worth",
    description:
      "Counts for the version that served the answer, whatever is released by now; within 7 days of it. The same feedback again (the same `request_id` and `name`) changes nothing, another value takes the place of the earlier one; guardrails have seen the first one only. Takes a token of any role, or a proxy key (`sb_…`) whose scope covers the prompt and the environment, as a bearer or in any header that an SDK puts a key in. Browsers of any origin may call it: nothing here goes by cookies, and the answer holds no secret.",
    role: "viewer",
    takesKeys: true,
    params: noParams,
    query: noQuery,
    body: z.strictObject({
      request_id: z
        .string()
        .min(1)
        .max(300)
        .describe("The answer's header `Prompt-Request-Id`, as it is. It is signed: no other will do."),
      name: name.describe(
        "`thumbs`, `score` or `label`, of which guardrails watch the first two; or any other name, at most 8 an answer and 32 a prompt.",
      ),
      value: z
        .union([z.boolean(), z.number(), z.string()], {
          error: "must be true or false, a number from 0 to 1, or a text",
        })
        .describe(
          `\`thumbs\`: true or false, "up" or "down", 1 or -1 (0 is down, too). \`score\`: 0 to 1. \`label\`: a text of at most ${MOST_LABEL_CHARACTERS} characters. Other names take true or false as a thumb, a number from 0 to 1 as a score, a text as a label.`,
        ),
      comment: z
        .string()
        .max(MOST_COMMENT_CHARACTERS, `must have at most ${MOST_COMMENT_CHARACTERS} characters`)
        .nullable()
        .default(null)
        .describe("In the user's own words; kept with the feedback."),
    }),
    response: feedbackReceiptSchema,
    statuses: {
      success: [202],
      problems: ["feedback_too_late", "conflict", "rate_limited", ...BODY_PROBLEMS],
    },
    writes: true,
    environmentIn: null,
    example: {
      path: FEEDBACK_PATH,
      body: {
        request_id:
          "support-bot.production.2v2csf.tp4yis.3f2504e0-4f89-41d3-9a0c-0305e82c3301.q83vEjRWeJCrze8S",
        name: "thumbs",
        value: "down",
        comment: "It promised a refund after 60 days.",
      },
    },
  },
  listFeedback: {
    id: "listFeedback",
    group: "Feedback",
    method: "GET",
    path: "/admin/prompts/:prompt/feedback",
    summary: "Read what was said of a prompt's answers",
    description:
      "Totals per version and name since the prompt's first feedback, and the feedback itself, newest first: of the last 7 days all, and of 30 days the newest 50,000. Comments are kept with these 50,000.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({
      environment,
      limit: numberInUrl(1, 500).default(50).meta({ default: 50, description: "Most feedback to answer." }),
      before: numberInUrl(1).optional().describe("Only ids below this one: the `nextBefore` of a page."),
      version: versionInUrl.optional().describe("Only of answers that this version served."),
      name: name.optional().describe("Only of this name."),
    }),
    body: null,
    response: feedbackPageSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "environment_not_found"] },
    writes: false,
    environmentIn: "query",
    example: { path: "/admin/prompts/support-bot/feedback", query: "limit=20" },
  },
  getJudge: {
    id: "getJudge",
    group: "Feedback",
    method: "GET",
    path: "/admin/prompts/:prompt/judge",
    summary: "Read what the judge has done, and cost",
    description:
      "How live answers are judged (set with `PUT` of the prompt), and by days how many were, how often the judge gave no score, and what it cost. The scores themselves are in the metrics, and guardrails compare them.",
    role: "viewer",
    params: promptParams,
    query: noQuery,
    body: null,
    response: judgeViewSchema,
    statuses: { success: [200], problems: ["prompt_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/prompts/support-bot/judge" },
  },
} as const satisfies Record<string, Operation>;
