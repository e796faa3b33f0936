// status, log, explain: what is served, since when, why, and to whom.

import type { Metrics } from "../../admin/schemas.ts";
import type { ReleaseEvent } from "../../core/health.ts";
import type { ReleaseView, Revision } from "../../core/types.ts";
import { isRefusal, type Refusal } from "../client.ts";
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
import { formatExplanation } from "../show/explanation.ts";
import { formatHealth } from "../show/health.ts";
import { formatHistory } from "../show/history.ts";
import { paint, plain } from "../show/look.ts";
import { formatRelease } from "../show/release.ts";

/** Prompts that are read at once: an instance has dozens, and each is an object of its own. */
const READ_AT_ONCE = 6;

export type Snapshot = { releaseText: string; release: ReleaseView; metrics: Metrics | null };

export const statusCommand: CommandSpec = {
  name: "status",
  summary: "who gets what, both arms side by side, the verdict",
  arguments: [{ name: "PROMPT", kind: "prompt", optional: true }],
  options: [],
  details:
    "Without PROMPT: every prompt. --json gives the release, or {releases: [release, …]} of all prompts.",
  examples: [
    "switchback status",
    "switchback status support-bot",
    "switchback status support-bot -e staging --json",
  ],
  run: runStatus,
};

async function runStatus(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = textOf(invocation, "PROMPT");
  if (prompt === undefined) return runStatusOfAll(context);
  const snapshot = await readSnapshot(context, prompt, !context.json);
  if (isRefusal(snapshot)) return refused(snapshot);
  if (context.json) return done(snapshot.releaseText, () => []);
  const [others, health] = await Promise.all([
    context.environmentGiven ? [] : readOtherEnvironments(context, prompt),
    readHealthLines(context, snapshot),
  ]);
  return done(snapshot.releaseText, () => [...formatSnapshot(context, snapshot), ...others, ...health]);
}

/** A bonus too: servers of an earlier release have none. */
async function readHealthLines(context: Context, { release, metrics }: Snapshot): Promise<string[]> {
  const { environment, look, nowMs } = context;
  const input = { params: { prompt: release.prompt }, query: { environment } };
  const reply = await context.client.call("getHealth", input);
  return isRefusal(reply) ? [] : formatHealth(look, reply.body, metrics, nowMs);
}

async function runStatusOfAll(context: Context): Promise<Outcome> {
  const names = await readServedPrompts(context);
  if (!Array.isArray(names)) return refused(names);
  const snapshots = await readSnapshots(context, names, !context.json);
  if (!Array.isArray(snapshots)) return refused(snapshots);
  const json = `{"releases":[${snapshots.map((snapshot) => snapshot.releaseText).join(",")}]}`;
  return done(json, () => {
    if (snapshots.length === 0) return [`No prompt has a release in ${context.environment} yet.`];
    return snapshots.flatMap((snapshot, place) => [
      ...(place === 0 ? [] : [""]),
      ...formatSnapshot(context, snapshot),
    ]);
  });
}

export function formatSnapshot(context: Context, { release, metrics }: Snapshot): string[] {
  return formatRelease(context.look, release, metrics?.versions ?? null, context.nowMs);
}

/** Names of the prompts that can have a release: partials and archived ones are served nowhere. */
export async function readServedPrompts(context: Context): Promise<string[] | Refusal> {
  const reply = await context.client.call("listPrompts");
  if (isRefusal(reply)) return reply;
  const served = reply.body.prompts.filter((prompt) => prompt.kind === "prompt" && prompt.latestVersion > 0);
  return served.map((prompt) => prompt.name);
}

/** The snapshots of those prompts that have a release in the environment. */
export async function readSnapshots(
  context: Context,
  names: string[],
  withMetrics: boolean,
): Promise<Snapshot[] | Refusal> {
  const snapshots: Snapshot[] = [];
  for (let start = 0; start < names.length; start += READ_AT_ONCE) {
    const part = names.slice(start, start + READ_AT_ONCE);
    for (const snapshot of await Promise.all(part.map((name) => readSnapshot(context, name, withMetrics)))) {
      if (!isRefusal(snapshot)) snapshots.push(snapshot);
      else if (!snapshot.problem.code.endsWith("_not_found")) return snapshot;
    }
  }
  return snapshots;
}

/** Counters are a bonus: a release whose counters cannot be read is shown without. */
export async function readSnapshot(
  context: Context,
  prompt: string,
  withMetrics: boolean,
): Promise<Snapshot | Refusal> {
  const input = { params: { prompt }, query: { environment: context.environment } };
  const [release, metrics] = await Promise.all([
    context.client.call("getRelease", input),
    withMetrics ? context.client.call("getMetrics", input) : null,
  ]);
  if (isRefusal(release)) return release;
  const counted = metrics === null || isRefusal(metrics) ? null : metrics.body;
  return { releaseText: release.text, release: release.body, metrics: counted };
}

async function readOtherEnvironments(context: Context, prompt: string): Promise<string[]> {
  const reply = await context.client.call("listEnvironments", { params: { prompt } });
  if (isRefusal(reply)) return [];
  const others = reply.body.environments.filter((name) => name !== context.environment);
  if (others.length === 0) return [];
  return [paint(context.look, "dim", `  also released in: ${others.map(plain).join(", ")} (-e NAME)`)];
}

export const logCommand: CommandSpec = {
  name: "log",
  summary: "who changed the release, when, how and why",
  arguments: [{ name: "PROMPT", kind: "prompt" }],
  options: [
    { name: "limit", kind: "revision", value: "N", help: "lines, at most 200; default: 50" },
    { name: "before", kind: "revision", value: "REVISION", help: "only what is older than this revision" },
  ],
  details:
    "Verdicts of guardrails and other events stand between the revisions that they came between. --json has the revisions\n" +
    "alone.",
  examples: ["switchback log support-bot", "switchback log support-bot -e staging --limit 10"],
  run: runLog,
};

async function runLog(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const reply = await context.client.call("listRevisions", {
    params: { prompt },
    query: {
      environment: context.environment,
      limit: numberOf(invocation, "limit"),
      before: numberOf(invocation, "before"),
    },
  });
  if (isRefusal(reply)) return refused(reply);
  const { revisions, nextBefore } = reply.body;
  const events = context.json
    ? []
    : await readEventsOf(context, prompt, revisions, numberOf(invocation, "before"));
  return done(reply.text, () => {
    if (revisions.length === 0) return ["Nothing has been released yet."];
    const more =
      nextBefore === null ? [] : [paint(context.look, "dim", `older ones: --before ${nextBefore}`)];
    return [...formatHistory(context.look, revisions, events), ...more];
  });
}

/** As many as the server answers at once. */
const MOST_EVENTS = 200;

/** Of this page: those that came while one of its revisions was in force, among the latest. A bonus: servers of an earlier
 * release have none. */
async function readEventsOf(
  context: Context,
  prompt: string,
  revisions: readonly Revision[],
  before: number | undefined,
): Promise<ReleaseEvent[]> {
  const query = { environment: context.environment, limit: MOST_EVENTS };
  const reply = await context.client.call("listEvents", { params: { prompt }, query });
  const oldest = revisions.at(-1);
  if (isRefusal(reply) || oldest === undefined) return [];
  return reply.body.events.filter(
    ({ revision }) => revision >= oldest.revision && (before === undefined || revision < before),
  );
}

export const explainCommand: CommandSpec = {
  name: "explain",
  summary: "which version a key gets, and why",
  arguments: [
    { name: "PROMPT", kind: "prompt" },
    { name: "KEY", kind: "text" },
  ],
  options: [],
  details: "KEY is the conversation, user or request id that the app sends (`Prompt-Key`).",
  examples: ["switchback explain support-bot conversation-42"],
  run: runExplain,
};

async function runExplain(invocation: Invocation, context: Context): Promise<Outcome> {
  const prompt = required(textOf(invocation, "PROMPT"));
  const key = required(textOf(invocation, "KEY"));
  const reply = await context.client.call("explain", {
    params: { prompt },
    query: { key, environment: context.environment },
  });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatExplanation(context.look, reply.body));
}
