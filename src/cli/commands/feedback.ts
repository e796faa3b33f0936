// feedback, rate: what was said of a prompt's answers, and saying it.

import { isRefusal } from "../client.ts";
import {
  done,
  numberOf,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatFeedback, formatReceipt } from "../show/feedback.ts";

export const feedbackCommand: CommandSpec = {
  name: "feedback",
  summary: "what was said of a prompt's answers: thumbs, scores, comments",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    { name: "version", kind: "version", value: "N", help: "only of answers that this version served" },
    { name: "name", kind: "text", value: "NAME", help: "only of this name, such as thumbs" },
    { name: "limit", kind: "revision", value: "N", help: "lines, at most 500; default: 50" },
    { name: "before", kind: "revision", value: "ID", help: "only what came before this one" },
  ],
  examples: [
    "switchback feedback support-bot",
    "switchback feedback support-bot --version 2 --name thumbs --json",
  ],
  run: runFeedback,
};

async function runFeedback(invocation: Invocation, context: Context): Promise<Outcome> {
  const reply = await context.client.call("listFeedback", {
    params: { prompt: required(textOf(invocation, "PROMPT")) },
    query: {
      environment: context.environment,
      version: numberOf(invocation, "version"),
      name: textOf(invocation, "name"),
      limit: numberOf(invocation, "limit"),
      before: numberOf(invocation, "before"),
    },
  });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatFeedback(context.look, reply.body, context.nowMs));
}

export const rateCommand: CommandSpec = {
  name: "rate",
  summary: "give feedback on one answer",
  arguments: [
    { name: "REQUEST_ID", kind: "text" },
    { name: "NAME", kind: "text" },
    { name: "VALUE", kind: "text" },
  ],
  options: [{ name: "comment", kind: "text", help: "why, at most 2,000 characters" }],
  details:
    "REQUEST_ID is the answer's header Prompt-Request-Id. NAME: thumbs (up, down, 1, -1), score (0 to 1), label (a text), or one of your own. Counts for the version that served the answer; another value takes the place of an earlier one.",
  examples: [
    'switchback rate "$REQUEST_ID" thumbs down --comment "It promised a refund."',
    'switchback rate "$REQUEST_ID" score 0.8',
  ],
  run: runRate,
};

async function runRate(invocation: Invocation, context: Context): Promise<Outcome> {
  const comment = textOf(invocation, "comment");
  const name = required(textOf(invocation, "NAME"));
  const reply = await context.client.call("giveFeedback", {
    body: {
      request_id: required(textOf(invocation, "REQUEST_ID")),
      name,
      value: readValue(name, required(textOf(invocation, "VALUE"))),
      ...(comment === undefined ? {} : { comment }),
    },
  });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => [formatReceipt(context.look, reply.body)]);
}

/** A label may look like anything else. */
function readValue(name: string, text: string): boolean | number | string {
  if (name === "label") return text;
  if (text === "true" || text === "false") return text === "true";
  return /^-?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : text;
}
