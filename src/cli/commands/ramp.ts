// ramp start, pause, resume, stop, show: a version's share grows by a plan. Starting is asked about on a terminal, since it
// leads to all the traffic without another question; pausing and stopping leave everything as it is and ask nothing.

import type { OperationId } from "../../admin/operations.ts";
import type { ReleaseView } from "../../core/types.ts";
import { RAMP_DEFAULTS } from "../../core/ramps.ts";
import { isRefusal } from "../client.ts";
import {
  done,
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
import { readWeight } from "../parse.ts";
import { paint } from "../show/look.ts";
import { formatRamp } from "../show/ramp.ts";
import { formatPercent, formatReleaseTitle } from "../show/release.ts";
import { IF_MATCH, ifMatchOf, isConfirmed, quietly, readBefore, refuseChange } from "./changes.ts";
import { formatChange } from "./releases.ts";

export const rampStartCommand: CommandSpec = {
  name: "ramp start",
  isUsual: true,
  summary: "raise a version's share step by step, each one proven",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "VERSION", kind: "version" },
  ],
  options: [
    { name: "steps", kind: "text", value: "5,25,50,100", help: "percents, ascending, the last one 100" },
    { name: "bake", kind: "duration", value: "10m", help: "least time at a step" },
    {
      name: "holdback",
      kind: "percent",
      value: "5%",
      help: "what the old version keeps after the last step; 0: none",
    },
    { name: "holdback-time", kind: "duration", value: "24h", help: "how long, before VERSION is promoted" },
    {
      name: "ask-after",
      kind: "duration",
      value: "24h",
      help: "a step that is not proven safe by then asks for a person",
    },
    IF_MATCH,
  ],
  details:
    "The values above are the defaults. A step is left only when its time is over and VERSION is proven not to be much\n" +
    "worse than the baseline; without traffic it waits. Trouble upstream freezes it. Any rollback, promotion or canary\n" +
    "ends it. A version that has a share already keeps it as the first step. `switchback ramp PROMPT VERSION` is the same.",
  examples: [
    'switchback ramp start support-bot 3 -m "shorter answers"',
    "switchback ramp support-bot 3 --steps 1,10,100 --bake 1h --holdback 0",
    "switchback ramp start support-bot 3 -e staging --bake 30s --holdback 10% --holdback-time 12h",
  ],
  run: runStart,
};

async function runStart(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const version = required(numberOf(invocation, "VERSION"));
  const steps = readSteps(textOf(invocation, "steps"));
  if (!Array.isArray(steps)) return misused(steps);
  const plan = {
    steps,
    bakeMs: numberOf(invocation, "bake") ?? RAMP_DEFAULTS.bakeMs,
    holdback: numberOf(invocation, "holdback") ?? RAMP_DEFAULTS.holdback,
    holdbackMs: numberOf(invocation, "holdback-time") ?? RAMP_DEFAULTS.holdbackMs,
    askAfterMs: numberOf(invocation, "ask-after") ?? RAMP_DEFAULTS.askAfterMs,
  };
  const before = await readBefore(context, prompt, !quietly(context));
  if (before !== null && isRefusal(before)) return refused(before);
  const { environment, reason } = context;
  const percents = steps.map(formatPercent).join(", ");
  const question = `Ramp v${version} of ${prompt} in ${environment} up by itself, ${percents}, where it is proven safe?`;
  if (!(await isConfirmed(context, question))) return { outcome: "declined" };
  const reply = await context.client.call("startRamp", {
    params: { prompt },
    body: { version, ...plan, environment, reason },
    ...ifMatchOf(invocation, before),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  return done(reply.text, () =>
    formatChange(context, reply.body, () => `ramp of v${version} started at ${weightOf(reply.body)}`),
  );
}

/** "5,25,50,100", "5% 25% 100%"; else what is wrong. */
function readSteps(text: string | undefined): number[] | string {
  if (text === undefined) return RAMP_DEFAULTS.steps;
  const steps: number[] = [];
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const weight = readWeight(word);
    if (typeof weight !== "number") return `--steps: each ${weight.wrong} (got "${word}").`;
    steps.push(weight);
  }
  return steps.length > 0 ? steps : "--steps must be percentages, such as 5,25,50,100.";
}

function weightOf({ ramp }: ReleaseView): string {
  return formatPercent(ramp?.weight ?? 0);
}

type Turn = {
  name: "pause" | "resume" | "stop";
  operation: Extract<OperationId, "pauseRamp" | "resumeRamp" | "stopRamp">;
  summary: string;
  details: string;
  says: string;
};

const TURNS: Turn[] = [
  {
    name: "pause",
    operation: "pauseRamp",
    summary: "hold a ramp where it is",
    details: "The weights stay. Pausing a paused ramp changes nothing.",
    says: "ramp paused",
  },
  {
    name: "resume",
    operation: "resumeRamp",
    summary: "let a paused ramp go on",
    details: "The time of its step begins anew.",
    says: "ramp resumed",
  },
  {
    name: "stop",
    operation: "stopRamp",
    summary: "end a ramp and leave the weights",
    details: "To take the version off as well: `switchback rollback`, which ends the ramp, too.",
    says: "ramp stopped",
  },
];

export const rampTurnCommands: CommandSpec[] = TURNS.map((turn): CommandSpec => ({
  name: `ramp ${turn.name}`,
  summary: turn.summary,
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [IF_MATCH],
  details: turn.details,
  examples: [`switchback ramp ${turn.name} support-bot -m "looking at the answers first"`],
  run: (invocation, context) => runTurn(turn, invocation, context),
}));

async function runTurn(turn: Turn, invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const { environment, reason } = context;
  const reply = await context.client.call(turn.operation, {
    params: { prompt },
    body: { environment, reason },
    ...ifMatchOf(invocation, null),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  return done(reply.text, () => formatChange(context, reply.body, () => turn.says));
}

export const rampShowCommand: CommandSpec = {
  name: "ramp show",
  isUsualAlone: true,
  summary: "where a ramp stands, and what it waits for",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [],
  details: "`switchback ramp PROMPT` is the same.",
  examples: ["switchback ramp show support-bot", "switchback ramp show support-bot -e staging --json"],
  run: runShow,
};

async function runShow(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const { environment, look, machine } = context;
  const reply = await context.client.call("getRamp", { params: { prompt }, query: { environment } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => {
    const { ramp } = reply.body;
    const title = formatReleaseTitle(look, reply.body);
    if (ramp === null) return [title, paint(look, "dim", "  no ramp is on")];
    return [title, ...formatRamp(look, ramp, machine.nowMs())];
  });
}
