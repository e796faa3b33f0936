// canary, promote: traffic moves towards a version. Both look at the release first, so that the answer can say from
// what to what, and so that a change which somebody else made meanwhile is refused (412) and not overwritten.

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
import type { ReleaseView } from "../../core/types.ts";
import { glyph, paint } from "../show/look.ts";
import { formatPercent, formatRelease } from "../show/release.ts";
import { IF_MATCH, ifMatchOf, isConfirmed, quietly, readBefore, refuseChange } from "./changes.ts";

/** From this weight on a canary is asked about: more users get it than not. */
const ASK_FROM_PERCENT = 50;

export const canaryCommand: CommandSpec = {
  name: "canary",
  summary: "give a version a share of the traffic",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "VERSION", kind: "version" },
    { name: "WEIGHT", kind: "weight" },
  ],
  options: [
    {
      name: "transition",
      kind: "text",
      value: "drain|now",
      choices: ["drain", "now"],
      help: "conversations under way keep their version (drain, the default) or move",
    },
    IF_MATCH,
  ],
  details:
    "The baseline takes what the canaries leave. Raising a weight never moves anybody off the canary.\n" +
    "On a terminal, 50 % and more are asked about.",
  examples: [
    'switchback canary support-bot 3 5% -m "shorter answers"',
    "switchback canary support-bot 3 0%        # keep the arm, send it nobody new",
    "switchback canary support-bot 3 25% -e staging --transition now",
  ],
  run: runCanary,
};

async function runCanary(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const version = required(numberOf(invocation, "VERSION"));
  const weight = required(numberOf(invocation, "WEIGHT"));
  const before = await readBefore(context, prompt, !quietly(context));
  if (before !== null && isRefusal(before)) return refused(before);
  const was = weightIn(before, version);
  const { environment, reason } = context;
  const question = `Give v${version} ${formatPercent(weight)} of ${prompt} in ${environment} (now ${formatPercent(was)})?`;
  if (weight >= ASK_FROM_PERCENT && !(await isConfirmed(context, question))) return { outcome: "declined" };
  const transition = textOf(invocation, "transition");
  const reply = await context.client.call("canary", {
    params: { prompt },
    body: { version, weight, environment, reason, ...(transition ? { transition } : {}) },
    ...ifMatchOf(invocation, before),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  const change = (arrow: string): string =>
    `canary v${version} ${formatPercent(was)} ${arrow} ${formatPercent(weight)}`;
  return done(reply.text, () => formatChange(context, reply.body, change));
}

export const promoteCommand: CommandSpec = {
  name: "promote",
  summary: "make a version the baseline",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "VERSION", kind: "version", optional: true },
  ],
  options: [IF_MATCH],
  details: "It gets all the traffic. Without VERSION: the only canary. On a terminal it asks first.",
  examples: ["switchback promote support-bot", 'switchback promote support-bot 3 --yes -m "5 % looked well"'],
  run: runPromote,
};

async function runPromote(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const version = numberOf(invocation, "VERSION");
  const before = await readBefore(context, prompt, !quietly(context));
  if (before !== null && isRefusal(before)) return refused(before);
  const candidate = version ?? onlyCanary(before);
  const { environment, reason } = context;
  const what = candidate === null ? "the canary" : `v${candidate}`;
  const now = before === null ? "" : ` (now v${before.baseline})`;
  const question = `Make ${what} the baseline of ${prompt} in ${environment}${now}?`;
  if (!(await isConfirmed(context, question))) return { outcome: "declined" };
  const reply = await context.client.call("promote", {
    params: { prompt },
    body: { environment, reason, ...(version === undefined ? {} : { version }) },
    ...ifMatchOf(invocation, before),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  const change = (arrow: string): string =>
    before === null
      ? `promoted v${reply.body.baseline}`
      : `promoted ${before.baseline} ${arrow} ${reply.body.baseline}`;
  return done(reply.text, () => formatChange(context, reply.body, change));
}

/** The headline, then the release as it stands now. */
export function formatChange(
  context: Context,
  release: ReleaseView,
  change: (arrow: string) => string,
): string[] {
  const { look } = context;
  const what = paint(look, "green", change(glyph(look, "arrow")));
  const name = paint(look, "bold", release.prompt);
  const [, ...picture] = formatRelease(look, release, null, context.machine.nowMs());
  return [`${name} ${release.environment}  ${what}  revision ${release.revision}`, ...picture];
}

function weightIn(release: ReleaseView | null, version: number): number {
  return release?.arms.find((arm) => arm.version === version)?.weight ?? 0;
}

function onlyCanary(release: ReleaseView | null): number | null {
  const canaries = release?.arms.filter((arm) => arm.arm === "canary") ?? [];
  return canaries.length === 1 ? canaries[0]!.version : null;
}
