// Lines of the table of operations: versions of a prompt, and what they would send (contract §4).

import * as z from "zod";
import { promptNameSchema } from "../core/prompt-settings.ts";
import {
  BODY_PROBLEMS,
  WRITE_PROBLEMS,
  environment,
  noQuery,
  promptParams,
  versionInUrl,
  versionNumber,
  versionParams,
  type Operation,
} from "./operation.ts";
import { contentSchema, pushSchema, revokeSchema, versionSchema, versionSummarySchema } from "./schemas.ts";

const change = z.object({
  path: z.string().describe("`params.temperature`, `messages[0].content`."),
  before: z.unknown().describe("null: was not there."),
  after: z.unknown().describe("null: is not there any more."),
});
const changes = z.array(change);
const diffSchema = z.object({
  prompt: z.string(),
  from: z.int(),
  to: z.int(),
  unified: z.string().describe("Unified diff; empty when nothing but the note differs."),
  changes: z.looseObject({ messages: changes, model: changes, params: changes, variables: changes }),
});

const renderSchema = z.object({
  prompt: z.string(),
  version: z.int(),
  provider: z.string(),
  path: z.string().describe("Upstream path that decides the wire format."),
  body: z.unknown().describe("What would be sent, parsed."),
  text: z.string().describe("What would be sent, byte for byte."),
});

const prompt = "/admin/prompts/support-bot";

export const versionOperations = {
  pushVersion: {
    id: "pushVersion",
    group: "Versions",
    method: "POST",
    path: "/admin/prompts/:prompt/versions",
    summary: "Push a version",
    description:
      "Stores an immutable version (201). The first one becomes the baseline; a later one gets no traffic until it is made a canary or promoted. The same content again answers 200 with the old number. The prompt must exist: PUT it first.",
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: contentSchema,
    response: pushSchema,
    statuses: {
      success: [201, 200],
      problems: ["prompt_not_found", "conflict", "version_revoked", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: null,
    example: {
      path: `${prompt}/versions`,
      body: { system: "You help users of {{product}}.", note: "shorter" },
    },
  },
  listVersions: {
    id: "listVersions",
    group: "Versions",
    method: "GET",
    path: "/admin/prompts/:prompt/versions",
    summary: "List versions",
    description: "Number, digest, author, note and revocation of every version, newest first.",
    role: "viewer",
    params: promptParams,
    query: noQuery,
    body: null,
    response: z.object({ prompt: z.string(), versions: z.array(versionSummarySchema) }),
    statuses: { success: [200], problems: ["prompt_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: `${prompt}/versions` },
  },
  getVersion: {
    id: "getVersion",
    group: "Versions",
    method: "GET",
    path: "/admin/prompts/:prompt/versions/:version",
    summary: "Read a version",
    description: "Its closed content (partials inlined) and which versions of which partials went in.",
    role: "viewer",
    params: versionParams,
    query: noQuery,
    body: null,
    response: versionSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "version_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: `${prompt}/versions/2` },
  },
  diffVersions: {
    id: "diffVersions",
    group: "Versions",
    method: "GET",
    path: "/admin/prompts/:prompt/diff",
    summary: "Compare two versions",
    description: "As unified text, and as a structured diff of messages, model, params and variables.",
    role: "viewer",
    params: promptParams,
    query: z.strictObject({ from: versionInUrl, to: versionInUrl }),
    body: null,
    response: diffSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "version_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: `${prompt}/diff`, query: "from=1&to=2" },
  },
  renderPrompt: {
    id: "renderPrompt",
    group: "Versions",
    method: "POST",
    path: "/admin/prompts/:prompt/render",
    summary: "Show what would be sent upstream",
    description:
      "Renders a version (default: the baseline of the environment) with the variables, puts it into the body as the data plane would, and answers the result. Nothing is sent.",
    role: "viewer",
    params: promptParams,
    query: noQuery,
    body: z.strictObject({
      version: versionNumber.optional(),
      variables: z.record(z.string(), z.unknown()).default({}),
      provider: promptNameSchema.default("openai").describe("Provider as in the data plane's URL."),
      path: z
        .string()
        .regex(/^\//, "must start with /")
        .max(2000)
        .optional()
        .describe("Upstream path; default: the provider's usual one for the body."),
      body: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("The caller's request body; default: a minimal one."),
      environment,
    }),
    response: renderSchema,
    statuses: {
      success: [200],
      problems: [
        "prompt_not_found",
        "version_not_found",
        "environment_not_found",
        "provider_not_found",
        "variable_missing",
        "variable_invalid",
        "version_revoked",
        ...BODY_PROBLEMS,
      ],
    },
    writes: false,
    environmentIn: "body",
    example: { path: `${prompt}/render`, body: { version: 2, variables: { product: "Acme" } } },
  },
  revokeVersion: {
    id: "revokeVersion",
    group: "Versions",
    method: "POST",
    path: "/admin/prompts/:prompt/versions/:version/revoke",
    summary: "Revoke a version",
    description:
      "Takes it out of every environment for good; pinned requests are refused too. A baseline is rolled back to the last known-good one. Irreversible.",
    role: "admin",
    params: versionParams,
    query: noQuery,
    body: z.strictObject({ reason: z.string().min(1).max(1000).describe("Why; kept in the audit log.") }),
    response: revokeSchema,
    statuses: {
      success: [200],
      problems: ["prompt_not_found", "version_not_found", "conflict", ...BODY_PROBLEMS, ...WRITE_PROBLEMS],
    },
    writes: true,
    environmentIn: null,
    example: { path: `${prompt}/versions/2/revoke`, body: { reason: "leaks the system text" } },
  },
} as const satisfies Record<string, Operation>;
