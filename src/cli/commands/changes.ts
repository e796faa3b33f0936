// What the commands that change a release share: look first, ask where it matters, write with the revision that was
// looked at, and when somebody was faster say who.

import { isRefusal, type Client, type Input, type Refusal } from "../client.ts";
import { numberOf, refused, type Context, type Invocation, type Option, type Outcome } from "../command.ts";
import type { ReleaseView } from "../../core/types.ts";
import { plain } from "../show/look.ts";
import { formatAge } from "../show/time.ts";

export const IF_MATCH: Option = {
  name: "if-match",
  kind: "revision",
  value: "REVISION",
  help: "only if the release is still at this revision",
};

/** The release before the change; null where there is none yet, or where nobody needs to see it. */
export async function readBefore(
  context: Context,
  prompt: string,
  needed: boolean,
): Promise<ReleaseView | null | Refusal> {
  if (!needed) return null;
  const { environment } = context;
  const reply = await context.client.call("getRelease", { params: { prompt }, query: { environment } });
  if (!isRefusal(reply)) return reply.body;
  const none = reply.problem.code === "environment_not_found" || reply.problem.code === "version_not_found";
  return none ? null : reply;
}

/** `If-Match` of the flag, else of what was looked at. */
export function ifMatchOf(invocation: Invocation, before: ReleaseView | null): Pick<Input, "ifMatch"> {
  return { ifMatch: numberOf(invocation, "if-match") ?? before?.revision };
}

/** A refusal of a write; after a 412, with the change that came in between. */
export async function refuseChange(context: Context, prompt: string, refusal: Refusal): Promise<Outcome> {
  if (refusal.problem.code !== "revision_conflict" || context.json) return refused(refusal);
  const hint = await describeLastChange(context.client, prompt, context);
  return hint === null ? refused(refusal) : refused(refusal, hint);
}

async function describeLastChange(client: Client, prompt: string, context: Context): Promise<string | null> {
  const { environment, nowMs } = context;
  const reply = await client.call("getRelease", { params: { prompt }, query: { environment } });
  if (isRefusal(reply)) return null;
  const { revision, action, changedBy, changedAt, reason } = reply.body;
  const why = reason === "" ? "" : `: ${plain(reason)}`;
  return `revision ${revision} is a ${action} by ${plain(changedBy)}, ${formatAge(changedAt, nowMs)}${why}`;
}

/** Asks only somebody who is there, and nobody who said --yes. */
export async function isConfirmed(context: Context, question: string): Promise<boolean> {
  if (context.yes || !context.machine.interactive) return true;
  return context.machine.ask(question);
}

/** For what cannot be taken back: without anybody to ask, --yes must have been said. */
export function lacksConsent(context: Context): boolean {
  return !context.yes && !context.machine.interactive;
}

export function quietly(context: Context): boolean {
  return context.json && (context.yes || !context.machine.interactive);
}
