// diagnose: was it the prompt, the provider, the model or the callers? For whoever was woken up.

import { isRefusal } from "../client.ts";
import {
  done,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatDiagnosis } from "../show/diagnosis.ts";

export const diagnoseCommand: CommandSpec = {
  name: "diagnose",
  summary: "was it the prompt? since when, and what changed",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    { name: "window", kind: "text", value: "24h", help: "how far back: 30m, 2h, 24h, 7d; default: 24h" },
  ],
  details:
    "Suspects come with what speaks for them (+) and against them (-). Where both arms are alike the prompt is not blamed.\n" +
    "Up to 8h the series is looked at by the minute.",
  examples: ["switchback diagnose support-bot", "switchback diagnose support-bot --window 2h -e staging"],
  run: runDiagnose,
};

async function runDiagnose(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const reply = await context.client.call("diagnose", {
    params: { prompt },
    query: { environment: context.environment, window: textOf(invocation, "window") },
  });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatDiagnosis(context.look, reply.body, context.nowMs));
}
