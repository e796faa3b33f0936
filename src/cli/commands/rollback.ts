// rollback: the emergency exit. It asks nothing, reads nothing first and needs no If-Match: one request, tried again
// under the same key until it is known to have happened. revoke is its irreversible sister, and does ask.

import type { RollbackAnswer } from "../../core/ports.ts";
import { isRefusal } from "../client.ts";
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
import { paint } from "../show/look.ts";
import { enforcementMs, formatRollback } from "../show/rollback.ts";
import { formatClock, formatSeconds } from "../show/time.ts";
import { IF_MATCH, ifMatchOf, isConfirmed, lacksConsent, refuseChange } from "./changes.ts";

/** How often the countdown is redrawn, in ms. */
const COUNTDOWN_STEP_MS = 100;

export const rollbackCommand: CommandSpec = {
  name: "rollback",
  summary: "all traffic back on a known-good version, now",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    {
      name: "to",
      kind: "version",
      value: "VERSION",
      help: "this version instead of the last known-good one",
    },
    {
      name: "mode",
      kind: "text",
      value: "now|drain",
      choices: ["now", "drain"],
      help: "move conversations under way too (now, the default) or let them finish",
    },
    { name: "drain", kind: "flag", help: "short for --mode drain" },
    { name: "wait", kind: "flag", help: "end only when it is enforced everywhere" },
    IF_MATCH,
  ],
  details:
    "It never asks. With a canary live: to its baseline. Else: to the last known-good baseline before the present one.\n" +
    "Doing it twice is safe: the second time changes nothing and answers the same.",
  examples: [
    'switchback rollback support-bot -m "wrong refunds"',
    "switchback rollback support-bot --to 4 --wait",
    "switchback rollback support-bot -e staging --drain",
  ],
  run: runRollback,
};

async function runRollback(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const to = numberOf(invocation, "to");
  const isDraining = isSet(invocation, "drain");
  const mode = isDraining ? "drain" : textOf(invocation, "mode");
  if (isDraining && textOf(invocation, "mode") === "now")
    return misused("--drain and --mode now cannot both be.");
  const { environment, reason, look, machine } = context;
  const reply = await context.client.call("rollback", {
    params: { prompt },
    body: {
      environment,
      reason,
      ...(to === undefined ? {} : { to }),
      ...(mode === undefined ? {} : { mode }),
    },
    ...ifMatchOf(invocation, null),
  });
  if (isRefusal(reply)) {
    if (reply.problem.code === "unreachable") return refused(reply, UNKNOWN_WHETHER_DONE);
    return refuseChange(context, prompt, reply);
  }
  const waited = isSet(invocation, "wait");
  if (waited) await waitUntilEnforced(context, reply.body);
  const about = { prompt, environment, waited, nowMs: machine.nowMs() };
  return done(reply.text, () => [formatRollback(look, about, reply.body)]);
}

const UNKNOWN_WHETHER_DONE = "it is not known whether the rollback has happened; repeating it is safe";

/** The answer is at hand before the wait, so that a connection that breaks cannot lose it. The wait is counted from
 * when the answer arrived, which is after the commit, in the server's own duration: no clock is compared. */
async function waitUntilEnforced(context: Context, answer: RollbackAnswer): Promise<void> {
  const { machine } = context;
  const endMs = machine.nowMs() + enforcementMs(answer);
  for (let leftMs = endMs - machine.nowMs(); leftMs > 0; leftMs = endMs - machine.nowMs()) {
    machine.showProgress(
      `revision ${answer.revision} committed, enforced everywhere in ${formatSeconds(leftMs)}`,
    );
    await machine.sleep(Math.min(leftMs, COUNTDOWN_STEP_MS));
  }
  machine.showProgress("");
}

export const revokeCommand: CommandSpec = {
  name: "revoke",
  summary: "stop a version everywhere and for good",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "VERSION", kind: "version" },
  ],
  options: [IF_MATCH],
  details:
    "Irreversible; pinned requests are refused, too. Needs --reason; asks on a terminal, needs --yes elsewhere. Where the version is the baseline,\n" +
    "the last known-good one takes over.",
  examples: ['switchback revoke support-bot 4 --reason "leaks the system text"'],
  run: runRevoke,
};

async function runRevoke(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const version = required(numberOf(invocation, "VERSION"));
  const { reason, look } = context;
  if (reason === "") return misused("--reason is missing: a revocation is final and must say why.");
  if (lacksConsent(context))
    return misused("--yes is missing: a revocation is final, and nobody can be asked.");
  const question = `Revoke v${version} of ${prompt} in every environment? This cannot be undone.`;
  if (!(await isConfirmed(context, question))) return { outcome: "declined" };
  const reply = await context.client.call("revokeVersion", {
    params: { prompt, version },
    body: { reason },
    ...ifMatchOf(invocation, null),
  });
  if (isRefusal(reply)) return refuseChange(context, prompt, reply);
  return done(reply.text, () => {
    const what = paint(look, "red", `revoked v${reply.body.version}`);
    return [
      `${paint(look, "bold", prompt)}  ${what}  served nowhere after ${formatClock(reply.body.enforcedBy)}`,
    ];
  });
}
