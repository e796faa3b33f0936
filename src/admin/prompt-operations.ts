// Lines of the table of operations: prompts (contract §4).

import * as z from "zod";
import { putPromptSchema } from "../core/prompt-settings.ts";
import { NAME_PATTERN } from "../core/types.ts";
import {
  BODY_PROBLEMS,
  WRITE_PROBLEMS,
  noParams,
  noQuery,
  promptParams,
  reason,
  type Operation,
} from "./operation.ts";
import { promptSchema } from "./schemas.ts";

const { aliases, unit, shield, agents, kind, judge, guardrails } = putPromptSchema.shape;
const settings = z.strictObject({
  ...putPromptSchema.shape,
  aliases: aliases.describe("Other names for requests, such as `pmpt_68…`; each belongs to one prompt."),
  unit: unit.describe("What stickiness is keyed on. Default: conversation."),
  shield: shield.describe(
    "Whether the baseline answers, once, where a canary fails before its first byte in a way that its version can be blamed for. Default: true.",
  ),
  agents: agents.describe(
    "What coding agents (Claude Code, Codex) get: the system text behind their own, whatever the version's placement, or (`off`) no prompt at all, which the answer says in `Prompt-Skipped`. Default: append.",
  ),
  guardrails: guardrails.describe(
    "What differs from the defaults of the guardrails, by metric; replaces what was set before, null: the defaults.",
  ),
  kind: kind.describe("A partial is inlined into other prompts at push. Default: prompt."),
  judge: judge.describe(
    "Has a sampled share of live answers scored by another prompt, which sends questions and answers to its model and spends the Worker's secret, so that setting it needs the role `admin`; null, which any releaser may set: none is, which is the default.",
  ),
});

const prompt = "/admin/prompts/support-bot";

export const promptOperations = {
  listPrompts: {
    id: "listPrompts",
    group: "Prompts",
    method: "GET",
    path: "/admin/prompts",
    summary: "List prompts",
    description: "Every prompt with its settings, by name. Archived ones only with `archived=true`.",
    role: "viewer",
    params: noParams,
    query: z.strictObject({ archived: z.enum(["true", "false"]).default("false") }),
    body: null,
    response: z.object({ prompts: z.array(promptSchema) }),
    statuses: { success: [200], problems: [] },
    writes: false,
    environmentIn: null,
    example: { path: "/admin/prompts" },
  },
  putPrompt: {
    id: "putPrompt",
    group: "Prompts",
    method: "PUT",
    path: "/admin/prompts/:prompt",
    summary: "Create a prompt, or change its settings",
    description: `Creates it (201) or changes the settings that are given (200). A new name must match \`${NAME_PATTERN.source}\`. Setting \`judge\` needs the role \`admin\` (403 \`forbidden\` otherwise, and nothing is changed); turning it off does not.`,
    role: "releaser",
    params: promptParams,
    query: noQuery,
    body: settings,
    response: promptSchema,
    statuses: { success: [200, 201], problems: ["conflict", ...BODY_PROBLEMS, ...WRITE_PROBLEMS] },
    writes: true,
    environmentIn: null,
    example: { path: prompt, body: { description: "Answers customers", owner: "support" } },
  },
  getPrompt: {
    id: "getPrompt",
    group: "Prompts",
    method: "GET",
    path: "/admin/prompts/:prompt",
    summary: "Read a prompt",
    description: "Its settings and the number of its latest version.",
    role: "viewer",
    params: promptParams,
    query: noQuery,
    body: null,
    response: promptSchema,
    statuses: { success: [200], problems: ["prompt_not_found"] },
    writes: false,
    environmentIn: null,
    example: { path: prompt },
  },
  archivePrompt: {
    id: "archivePrompt",
    group: "Prompts",
    method: "DELETE",
    path: "/admin/prompts/:prompt",
    summary: "Archive a prompt",
    description: "Takes it out of service; nothing is deleted, and a PUT brings it back.",
    role: "admin",
    params: promptParams,
    query: z.strictObject({ reason }),
    body: null,
    response: promptSchema,
    statuses: { success: [200], problems: ["prompt_not_found", "conflict", ...WRITE_PROBLEMS] },
    writes: true,
    environmentIn: null,
    example: { path: prompt },
  },
} as const satisfies Record<string, Operation>;
