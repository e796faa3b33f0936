// A request of the control plane as plain data, between the parser (server.ts) and the handlers, and what handlers
// answer. The types come from the table: a handler sees exactly what the schemas of its line let through.

import type * as z from "zod";
import type { Command, Envelope, KeyGrant } from "../core/ports.ts";
import { isProblem, type Problem } from "../core/problem.ts";
import { DEFAULT_ENVIRONMENT, type Actor } from "../core/types.ts";
import type { Env } from "../env.ts";
import type { Operation } from "./operation.ts";
import { callControl } from "./stubs.ts";

/** From If-Match and Idempotency-Key; on operations that take neither, both are null. */
export type Guards = {
  ifMatch: number | "any" | null;
  idempotency: Envelope["idempotency"];
};

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : null;

export type Call<Line extends Operation = Operation> = {
  env: Env;
  actor: Actor;
  /** The proxy key that it came with, of which `actor` has the name; null: a token. */
  key: KeyGrant | null;
  guards: Guards;
  /** If-None-Match as sent. */
  ifNoneMatch: string | null;
  params: Output<Line["params"]>;
  query: Output<Line["query"]>;
  body: Output<Line["body"]>;
};

export type Reply = {
  status: 200 | 201 | 202 | 304;
  body: unknown;
  /** Becomes the ETag. */
  revision?: number | null;
  location?: string;
};

export type Handlers<Table extends Record<string, Operation>> = {
  [Id in keyof Table]: (call: Call<Table[Id]>) => Promise<Reply | Problem>;
};

export function answerWith(body: unknown): Reply {
  return { status: 200, body };
}

/** Hands a command to the single writer of the prompt, under the caller's guards. */
export function executeCommand(
  call: Pick<Call, "env" | "actor" | "guards">,
  name: string,
  command: Command,
): Promise<(Reply & { prompt: string }) | Problem> {
  const { env, actor, guards } = call;
  const environment = "environment" in command ? command.environment : DEFAULT_ENVIRONMENT;
  // `*` asks only that something be there, which every command but `put` demands anyway.
  const ifMatch = typeof guards.ifMatch === "number" ? { environment, revision: guards.ifMatch } : null;
  return callControl(env, name, async (control, prompt) => {
    const { idempotency } = guards;
    const accepted = await control.execute({ prompt, command, actor, ifMatch, idempotency });
    if (isProblem(accepted)) return accepted;
    return { status: accepted.status, body: accepted.body, revision: accepted.revision, prompt };
  });
}
