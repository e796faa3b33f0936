// push, versions, show, diff: what a prompt says, one immutable version at a time.

import { isRefusal, type Refusal } from "../client.ts";
import {
  done,
  isSet,
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
import { formatDiff, formatPrompt, formatVersion, formatVersions } from "../show/content.ts";
import { paint } from "../show/look.ts";
import { isPromptName } from "../parse.ts";
import { isUnreadable, promptNameOf, readContent, type JsonRecord } from "./files.ts";

const PROMPT = { name: "PROMPT", kind: "prompt" } as const;
const PUSHED_AS_NEW = 201;

export const pushCommand: CommandSpec = {
  name: "push",
  summary: "store a new version; it gets no traffic yet",
  arguments: [
    { ...PROMPT, optional: true },
    { name: "FILE", kind: "text" },
  ],
  options: [
    {
      name: "prompt",
      kind: "text",
      value: "NAME",
      help: "the prompt, where the file's name does not give it",
    },
    { name: "create", kind: "flag", help: "create the prompt if it does not exist" },
  ],
  details:
    "FILE is JSON, or plain system text (.md, .txt), or - for JSON on standard input.\n" +
    "Without PROMPT the file's name gives it: prompts/support-bot.json is for support-bot.\n" +
    "--reason becomes the version's note. The same content again gives the old number.",
  examples: [
    "switchback push support-bot prompt.json",
    'switchback push prompts/support-bot.json --create -m "first one"',
    "jq '.temperature = 0' prompt.json | switchback push support-bot -",
  ],
  run: runPush,
};

async function runPush(invocation: Invocation, context: Context): Promise<Outcome> {
  const file = required(textOf(invocation, "FILE"));
  const named = textOf(invocation, "PROMPT");
  const flagged = textOf(invocation, "prompt");
  if (named !== undefined && flagged !== undefined)
    return misused("--prompt and PROMPT are both given: use one.");
  const prompt = named ?? flagged ?? promptNameOf(file);
  if (prompt === null) return misused("PROMPT is missing: standard input has no name that would give it.");
  if (!isPromptName(prompt)) return misused(`PROMPT is missing: "${prompt}" is no name of a prompt.`);
  const content = await readContent(context.machine, file);
  if (isUnreadable(content)) return misused(`FILE: ${content.unreadable}`);
  const body = context.reason === "" ? content : { ...content, note: context.reason };
  const reply = await pushOrCreate(context, prompt, body, isSet(invocation, "create"));
  if (isRefusal(reply)) {
    const isMissing = reply.problem.code === "prompt_not_found";
    return isMissing ? refused(reply, "add --create to create it with this push") : refused(reply);
  }
  const { version, digest } = reply.body;
  return done(reply.text, () => {
    const head = `${paint(context.look, "bold", prompt)} v${version}`;
    const tail = paint(context.look, "dim", `digest ${digest.slice(0, 12)}`);
    return [
      `${head}  ${describePush(reply.status, version)}  ${tail}`,
      ...nextStep(reply.status, prompt, version),
    ];
  });
}

async function pushOrCreate(context: Context, prompt: string, body: JsonRecord, create: boolean) {
  const push = () => context.client.call("pushVersion", { params: { prompt }, body });
  const first = await push();
  if (!create || !isRefusal(first) || first.problem.code !== "prompt_not_found") return first;
  const created = await context.client.call("putPrompt", { params: { prompt }, body: {} });
  return isRefusal(created) ? created : push();
}

function describePush(status: number, version: number): string {
  if (status !== PUSHED_AS_NEW) return "was there already with the same content; nothing has changed";
  return version === 1 ? "pushed; it is the baseline" : "pushed; no traffic yet";
}

function nextStep(status: number, prompt: string, version: number): string[] {
  if (status !== PUSHED_AS_NEW || version === 1) return [];
  return [`  next: switchback canary ${prompt} ${version} 5%`];
}

export const versionsCommand: CommandSpec = {
  name: "versions",
  summary: "list a prompt's versions",
  arguments: [PROMPT],
  options: [],
  examples: ["switchback versions support-bot", "switchback versions support-bot --json"],
  run: runVersions,
};

async function runVersions(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const reply = await context.client.call("listVersions", { params: { prompt } });
  if (isRefusal(reply)) return refused(reply);
  if (context.json) return done(reply.text, () => []);
  const release = await context.client.call("getRelease", {
    params: { prompt },
    query: { environment: context.environment },
  });
  const arms = isRefusal(release) ? [] : release.body.arms;
  return done(reply.text, () => formatVersions(context.look, reply.body.versions, arms, context.nowMs));
}

export const showCommand: CommandSpec = {
  name: "show",
  summary: "show settings, or one version's content",
  arguments: [PROMPT, { name: "VERSION", kind: "version", optional: true }],
  options: [],
  details: "Without VERSION: the settings, and on a terminal the latest version, too.",
  examples: ["switchback show support-bot", "switchback show support-bot 3"],
  run: runShow,
};

async function runShow(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const version = numberOf(invocation, "VERSION");
  if (version !== undefined) {
    const reply = await context.client.call("getVersion", { params: { prompt, version } });
    if (isRefusal(reply)) return refused(reply);
    return done(reply.text, () => formatVersion(context.look, reply.body, context.nowMs));
  }
  const settings = await context.client.call("getPrompt", { params: { prompt } });
  if (isRefusal(settings)) return refused(settings);
  if (context.json) return done(settings.text, () => []);
  const lines = formatPrompt(context.look, settings.body, context.nowMs);
  const latest = await readLatest(context, prompt, settings.body.latestVersion);
  return latest !== null && "ok" in latest
    ? refused(latest)
    : done(settings.text, () => [...lines, ...(latest ?? [])]);
}

async function readLatest(
  context: Context,
  prompt: string,
  version: number,
): Promise<string[] | Refusal | null> {
  if (version === 0) return null;
  const reply = await context.client.call("getVersion", { params: { prompt, version } });
  return isRefusal(reply) ? reply : ["", ...formatVersion(context.look, reply.body, context.nowMs)];
}

export const diffCommand: CommandSpec = {
  name: "diff",
  summary: "compare two versions",
  arguments: [PROMPT, { name: "FROM", kind: "version" }, { name: "TO", kind: "version" }],
  options: [],
  examples: ["switchback diff support-bot 2 3", "switchback diff support-bot 2 3 --json"],
  run: runDiff,
};

async function runDiff(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const from = required(numberOf(invocation, "FROM"));
  const to = required(numberOf(invocation, "TO"));
  const reply = await context.client.call("diffVersions", { params: { prompt }, query: { from, to } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatDiff(context.look, reply.body.unified));
}
