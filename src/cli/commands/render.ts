// render: what would be sent upstream for this version, these variables and this body, without sending it.

import { isRefusal } from "../client.ts";
import {
  done,
  listOf,
  misused,
  numberOf,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatRender } from "../show/content.ts";
import { isUnreadable, readJsonObject } from "./files.ts";

export const renderCommand: CommandSpec = {
  name: "render",
  summary: "show what would be sent upstream",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    { name: "version", kind: "version", value: "VERSION", help: "default: the baseline" },
    { name: "var", kind: "list", value: "NAME=TEXT", help: "a variable; NAME:=JSON for a number, a list, …" },
    {
      name: "body",
      kind: "text",
      value: "FILE",
      help: "the caller's request body (JSON; - for standard input)",
    },
    { name: "provider", kind: "text", value: "NAME", help: "as in the URL; default: openai" },
    {
      name: "path",
      kind: "text",
      value: "PATH",
      help: "upstream path, such as /v1/responses; default: the provider's usual one",
    },
  ],
  examples: [
    "switchback render support-bot --var product=Acme",
    "switchback render support-bot --version 3 --var product=Acme --var seats:=5 --provider anthropic",
    "switchback render support-bot --body request.json --json",
  ],
  run: runRender,
};

async function runRender(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const variables = readVariables(listOf(invocation, "var"));
  if ("wrong" in variables) return misused(variables.wrong);
  const file = textOf(invocation, "body");
  const body = file === undefined ? null : await readJsonObject(context.machine, file);
  if (body !== null && isUnreadable(body)) return misused(`--body: ${body.unreadable}`);
  const version = numberOf(invocation, "version");
  const provider = textOf(invocation, "provider");
  const path = textOf(invocation, "path");
  const reply = await context.client.call("renderPrompt", {
    params: { prompt },
    body: {
      environment: context.environment,
      variables: variables.values,
      ...(version === undefined ? {} : { version }),
      ...(provider === undefined ? {} : { provider }),
      ...(path === undefined ? {} : { path }),
      ...(body === null ? {} : { body }),
    },
  });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatRender(context.look, reply.body));
}

type Variables = { values: { [name: string]: unknown } } | { wrong: string };

/** `name=text` is a string, whatever it looks like; `name:=json` is what the JSON says. */
export function readVariables(assignments: string[]): Variables {
  const values: { [name: string]: unknown } = Object.create(null);
  for (const assignment of assignments) {
    const [, name, operator, text] = /^([^=]+?)(:?=)(.*)$/s.exec(assignment) ?? [];
    if (name === undefined || text === undefined) {
      return { wrong: `--var must be NAME=TEXT or NAME:=JSON (got "${assignment}").` };
    }
    if (operator === "=") {
      values[name] = text;
      continue;
    }
    try {
      values[name] = JSON.parse(text);
    } catch {
      return { wrong: `--var ${name}:= must be followed by JSON (got "${text}").` };
    }
  }
  return { values };
}
