// The shape of one line of the table of operations, and the building blocks that its lines share. Everything here is
// plain data and zod: the server, the OpenAPI document, the command line (in Node) and the tests read the same lines,
// so none of them can drift from the others.

import * as z from "zod";
import type { ProblemCode } from "../core/problem.ts";
import { aliasSchema, environmentSchema, versionNumberSchema } from "../core/prompt-settings.ts";
import { DEFAULT_ENVIRONMENT, type Role } from "../core/types.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** The one call outside `/admin`, because it is the applications' own. */
export const FEEDBACK_PATH = "/feedback";

export type Operation = {
  id: string;
  /** Heading that the documentation puts it under. */
  group: "Prompts" | "Versions" | "Releases" | "Ramps" | "Observation" | "Feedback" | "Access" | "Proxy keys";
  method: Method;
  /** Hono's form: `/admin/prompts/:prompt/canary`. */
  path: `/admin/${string}` | typeof FEEDBACK_PATH;
  summary: string;
  description: string;
  /** The least role that may call it. */
  role: Role;
  /** Applications may call it too, with a proxy key whose scope covers what it concerns, and browsers of any origin. */
  takesKeys?: true;
  params: z.ZodType;
  query: z.ZodType;
  /** null: takes no body. A body that is not sent counts as `{}`. */
  body: z.ZodType | null;
  response: z.ZodType;
  statuses: {
    /** First one first: the usual answer. */
    success: readonly (200 | 201 | 202)[];
    /** Every code that it can answer with, those of `COMMON_PROBLEMS` apart. */
    problems: readonly ProblemCode[];
  };
  /** Changes something. A write under `/admin/prompts` takes `If-Match` and `Idempotency-Key`. */
  writes: boolean;
  /** Where the environment is named; null: the operation concerns the prompt, and If-Match means production. */
  environmentIn: "body" | "query" | null;
  /** A request that works in the demo, for the documentation. */
  example: { path: string; query?: string; body?: unknown };
};

/** What every operation can answer with, whatever it does. */
export const COMMON_PROBLEMS = [
  "invalid_request",
  "unauthenticated",
  "forbidden",
  "release_unavailable",
] as const satisfies readonly ProblemCode[];

/** What every operation that reads a body can answer with. */
export const BODY_PROBLEMS = ["body_too_large"] as const satisfies readonly ProblemCode[];

/** What every write to a prompt can answer with. */
export const WRITE_PROBLEMS = [
  "revision_conflict",
  "idempotency_key_reused",
] as const satisfies readonly ProblemCode[];

/** Decimal digits of a URL as a number; anything else is left to the schema behind it to refuse. */
function readDigits(value: unknown): unknown {
  return typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

const wholeNumber = (least: number, greatest = 999_999_999) =>
  z
    .int({ error: `must be a whole number from ${least} to ${greatest}` })
    .min(least)
    .max(greatest);

/** An alias may hold more than a name, and stands wherever a name does. */
export const promptName = aliasSchema.describe("Name of a prompt, or one of its aliases.");

export const environment = environmentSchema
  .default(DEFAULT_ENVIRONMENT)
  .describe("Environment; each has a release of its own.");

export const reason = z.string().max(1000).default("").describe("Why; kept in the audit log.");
export const versionNumber = versionNumberSchema.describe("Number of a version.");
export const versionInUrl = z.preprocess(readDigits, wholeNumber(1).describe("Number of a version."));
export const numberInUrl = (least: number, greatest?: number) =>
  z.preprocess(readDigits, wholeNumber(least, greatest));

export const noParams = z.strictObject({});
export const noQuery = z.strictObject({});
export const promptParams = z.strictObject({ prompt: promptName });
export const versionParams = z.strictObject({ prompt: promptName, version: versionInUrl });
export const environmentQuery = z.strictObject({ environment });
