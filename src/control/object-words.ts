// What the object says and reads the same everywhere: a setting of the deployment, a refusal, a line of the log. Pure but for
// the console, so that the object is wiring alone.

import { nameOfError, problem, type Problem } from "../core/problem.ts";
import type { PromptState } from "../core/types.ts";
import type { Env } from "../env.ts";

const DEFAULT_DRAIN_MS = 24 * 3_600_000;

export function drainMs(env: Env): number {
  return env.DRAIN_MS !== undefined && /^\d{1,12}$/.test(env.DRAIN_MS)
    ? Number(env.DRAIN_MS)
    : DEFAULT_DRAIN_MS;
}

export function versionNotFound({ prompt }: PromptState, version: number): Problem {
  return problem(
    "version_not_found",
    `There is no version ${version} of "${prompt.name}"; the latest is ${prompt.latestVersion}.`,
    { field: "version" },
  );
}

export function logFailure(key: string, error: unknown): void {
  console.warn(JSON.stringify({ event: "outbox_failed", key, error: nameOfError(error) }));
}
