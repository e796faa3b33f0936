// The one table of operations of the control plane (contract §4). The server routes by it, OpenAPI and /docs are
// printed from it, the command line and the tests walk it. Only zod and core are imported, so that Node reads it too.

import { feedbackOperations } from "./feedback-operations.ts";
import { keyOperations } from "./key-operations.ts";
import { promptOperations } from "./prompt-operations.ts";
import { rampOperations } from "./ramp-operations.ts";
import { releaseOperations } from "./release-operations.ts";
import { tokenOperations } from "./token-operations.ts";
import { versionOperations } from "./version-operations.ts";
import { watchOperations } from "./watch-operations.ts";
import type { Operation } from "./operation.ts";

export type { Method, Operation } from "./operation.ts";
export { BODY_PROBLEMS, COMMON_PROBLEMS, FEEDBACK_PATH, WRITE_PROBLEMS } from "./operation.ts";

export const OPERATIONS = {
  ...promptOperations,
  ...versionOperations,
  ...releaseOperations,
  ...rampOperations,
  ...watchOperations,
  ...feedbackOperations,
  ...keyOperations,
  ...tokenOperations,
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof OPERATIONS;

/** The same table as a list, in the order of the documentation. */
export const operationList: readonly Operation[] = Object.values(OPERATIONS);

/**
 * The path of an operation with its parameters filled in and encoded: `buildPath(OPERATIONS.canary, {prompt: "bot"})`.
 * Throws a TypeError when a parameter of the path is not given.
 */
export function buildPath(
  operation: Pick<Operation, "path">,
  params: Record<string, string | number>,
): string {
  return operation.path.replace(/:([a-z]+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new TypeError(`${operation.path} needs ${name}`);
    return encodeURIComponent(value);
  });
}

/** Does the operation take `If-Match` and `Idempotency-Key`? Every write to a prompt does. */
export function isPromptWrite(operation: Pick<Operation, "writes" | "path">): boolean {
  return operation.writes && operation.path.startsWith("/admin/prompts/");
}
