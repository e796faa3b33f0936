// list, create, archive: the prompts themselves.

import { isRefusal } from "../client.ts";
import {
  done,
  isSet,
  listOf,
  misused,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { parseGuards } from "../guard-settings.ts";
import { formatPrompt, formatPrompts } from "../show/content.ts";
import { glyph, paint } from "../show/look.ts";
import { IF_MATCH, ifMatchOf, isConfirmed, lacksConsent, refuseChange } from "./changes.ts";

const CREATED = 201;

export const listCommand: CommandSpec = {
  name: "list",
  summary: "list the prompts",
  arguments: [],
  options: [{ name: "archived", kind: "flag", help: "the archived ones, too" }],
  examples: ["switchback list", "switchback list --archived --json"],
  run: runList,
};

async function runList(invocation: Invocation, context: Context): Promise<Outcome> {
  const archived = isSet(invocation, "archived") ? true : undefined;
  const reply = await context.client.call("listPrompts", { query: { archived } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatPrompts(context.look, reply.body.prompts, context.nowMs));
}

export const createCommand: CommandSpec = {
  name: "create",
  summary: "create a prompt, or change its settings",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    { name: "description", kind: "text", help: "what it is for" },
    { name: "owner", kind: "text", value: "NAME", help: "who answers for it" },
    { name: "tag", kind: "list", value: "TAG", help: "as often as needed; replaces the tags there were" },
    { name: "alias", kind: "list", value: "NAME", help: "another name, such as pmpt_68…; replaces likewise" },
    {
      name: "unit",
      kind: "text",
      value: "conversation|user|request",
      choices: ["conversation", "user", "request"],
      help: "what stickiness is keyed on",
    },
    {
      name: "shield",
      kind: "text",
      value: "on|off",
      choices: ["on", "off"],
      help: "on: the baseline answers where a canary fails",
    },
    {
      name: "agents",
      kind: "text",
      value: "append|off",
      choices: ["append", "off"],
      help: "what Claude Code and Codex get: the text behind their own, or none",
    },
    {
      name: "guard",
      kind: "list",
      value: "METRIC=ACTION[,TOLERANCE]",
      help: "what a guardrail does: rollback, notify or off; replaces those there were; `default`: the defaults",
    },
    {
      name: "kind",
      kind: "text",
      value: "prompt|partial",
      choices: ["prompt", "partial"],
      help: "a partial is inlined into other prompts",
    },
  ],
  details: "Creating a prompt that is archived brings it back. What is not given stays as it is.",
  examples: [
    'switchback create support-bot --description "Answers customers" --owner support',
    "switchback create support-bot --alias pmpt_68ab --tag live --unit user",
    "switchback create support-bot --guard truncations=rollback --guard latency=notify,0.2",
  ],
  run: runCreate,
};

async function runCreate(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const body: { [name: string]: unknown } = {};
  for (const name of ["description", "owner", "unit", "agents", "kind"]) {
    const value = textOf(invocation, name);
    if (value !== undefined) body[name] = value;
  }
  const shield = textOf(invocation, "shield");
  if (shield !== undefined) body["shield"] = shield === "on";
  const tags = listOf(invocation, "tag");
  const aliases = listOf(invocation, "alias");
  if (tags.length > 0) body["tags"] = tags;
  if (aliases.length > 0) body["aliases"] = aliases;
  const guards = listOf(invocation, "guard");
  if (guards.length > 0) {
    const guardrails = parseGuards(guards);
    if (typeof guardrails === "string") return misused(guardrails);
    body["guardrails"] = guardrails;
  }
  const reply = await context.client.call("putPrompt", { params: { prompt }, body });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => {
    const [, ...facts] = formatPrompt(context.look, reply.body, context.nowMs);
    const what = reply.status === CREATED ? "created" : "settings saved";
    const head = `${paint(context.look, "bold", reply.body.name)}  ${paint(context.look, "green", what)}`;
    const next = reply.body.latestVersion === 0 ? [`  next: switchback push ${reply.body.name} FILE`] : [];
    return [head, ...facts, ...next];
  });
}

export const archiveCommand: CommandSpec = {
  name: "archive",
  summary: "take a prompt out of service",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [IF_MATCH],
  details:
    "Asks on a terminal, needs --yes elsewhere. Nothing is deleted: `switchback create PROMPT` brings it back.",
  examples: ['switchback archive old-bot --yes -m "replaced by support-bot"'],
  run: runArchive,
};

async function runArchive(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  if (lacksConsent(context))
    return misused("--yes is missing: requests to the prompt will fail, and nobody can be asked.");
  const question = `Archive ${prompt}? Requests that name it will be refused.`;
  if (!(await isConfirmed(context, question))) return { outcome: "declined" };
  const reply = await context.client.call("archivePrompt", {
    params: { prompt },
    query: { reason: context.reason === "" ? undefined : context.reason },
    ...ifMatchOf(invocation, null),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  return done(reply.text, () => [
    `${paint(context.look, "bold", reply.body.name)}  archived  ${glyph(context.look, "dot")} switchback create ${reply.body.name} brings it back`,
  ]);
}
