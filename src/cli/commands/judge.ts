// judge: has live answers scored by another prompt, or no longer; what that has done, and cost.

import type { JudgeSettings } from "../../core/watch-settings.ts";
import { isRefusal } from "../client.ts";
import {
  done,
  misused,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatPrompt } from "../show/content.ts";
import { formatJudge } from "../show/judge.ts";

/** Option → setting; all of them are numbers. */
const NUMBERS = {
  sample: "sample",
  "usd-per-day": "maxUsdPerDay",
  "max-bytes": "maxBytes",
  concurrency: "concurrency",
} as const;

export const judgeCommand: CommandSpec = {
  name: "judge",
  summary: "have a share of live answers scored by another prompt, or stop that",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "JUDGE|off", kind: "prompt", optional: true },
  ],
  options: [
    { name: "provider", kind: "text", value: "NAME", help: "where the judge is asked, such as openai" },
    { name: "sample", kind: "text", value: "0…1", help: "of the smaller arm's answers; at first 1" },
    { name: "usd-per-day", kind: "text", value: "USD", help: "at most; at first 5" },
    { name: "max-bytes", kind: "text", value: "N", help: "of question and answer each; at first 16384" },
    { name: "concurrency", kind: "text", value: "N", help: "at a time and isolate; at first 2" },
  ],
  details:
    "Without JUDGE: what it has done and cost, by days. Questions and answers of live traffic go to the judge's model, with the Worker's own key. JUDGE is a prompt with the variables question and answer, whose version names a model and answers {\"score\": 0…1}. Only while there is a canary: as many of the baseline's answers as of the canary's. What is not named stays as it is set. Takes a token of the role admin; off takes that of a releaser.",
  examples: [
    "switchback judge support-bot",
    "switchback judge support-bot answer-judge --provider openai --usd-per-day 2",
    "switchback judge support-bot answer-judge --usd-per-day 10",
    "switchback judge support-bot off",
  ],
  run: runJudge,
};

async function runJudge(invocation: Invocation, context: Context): Promise<Outcome> {
  if (textOf(invocation, "JUDGE|off") === undefined) return showJudge(invocation, context);
  const named = readNamed(invocation);
  if (typeof named === "string") return misused(named);
  const params = { prompt: required(textOf(invocation, "PROMPT")) };
  const before = await context.client.call("getJudge", { params });
  if (isRefusal(before)) return refused(before);
  // The setting is replaced as a whole: a budget that is not named stays what it was.
  const judge = named === null ? null : { ...before.body.judge, ...named };
  if (judge !== null && judge.provider === undefined) {
    return misused("--provider is missing: where is the judge asked?");
  }
  const reply = await context.client.call("putPrompt", { params, body: { judge } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatPrompt(context.look, reply.body, context.nowMs));
}

async function showJudge(invocation: Invocation, context: Context): Promise<Outcome> {
  const params = { prompt: required(textOf(invocation, "PROMPT")) };
  const reply = await context.client.call("getJudge", { params });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatJudge(context.look, reply.body));
}

type Named = Partial<JudgeSettings> & Pick<JudgeSettings, "prompt">;

/** null: off. A sentence: what is wrong. */
function readNamed(invocation: Invocation): Named | null | string {
  const prompt = required(textOf(invocation, "JUDGE|off"));
  const provider = textOf(invocation, "provider");
  if (prompt === "off") return null;
  const judge: Named = { prompt, ...(provider !== undefined && { provider }) };
  for (const [option, setting] of Object.entries(NUMBERS)) {
    const text = textOf(invocation, option);
    if (text === undefined) continue;
    if (!/^\d*\.?\d+$/.test(text)) return `--${option} must be a number (got "${text}").`;
    judge[setting] = Number(text);
  }
  return judge;
}
