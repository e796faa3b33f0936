// Commands as the admin API sends them, over the socket of a runtime.

import type { Accepted, Command, Envelope, PutPrompt } from "../../../src/core/ports.ts";
import type { Problem } from "../../../src/core/problem.ts";
import { expectAccepted } from "./commands.ts";
import type { Runtime } from "./runtime.ts";

export const promote: Command = { type: "promote", environment: "production", version: 2, reason: "" };
export const rollback: Command = { type: "rollback", environment: "production", mode: "now", reason: "bad" };

export function put(settings: PutPrompt = {}): Command {
  return { type: "put", settings };
}

export function push(system: string): Command {
  return { type: "push", content: { system } };
}

export type Sender = {
  send(prompt: string, command: Command, more?: Partial<Envelope>): Promise<Accepted | Problem>;
  /** Throws what was refused. */
  act(prompt: string, command: Command, more?: Partial<Envelope>): Promise<Accepted>;
  createTwoVersions(prompt: string): Promise<void>;
};

export function createSender(runtime: () => Runtime): Sender {
  const sender: Sender = {
    send(prompt, command, more = {}) {
      const actor = { name: "ada", role: "admin" } as const;
      const envelope = { prompt, command, actor, ifMatch: null, idempotency: null, ...more };
      return runtime().control(prompt).execute(envelope);
    },
    async act(prompt, command, more) {
      return expectAccepted(await sender.send(prompt, command, more));
    },
    async createTwoVersions(prompt) {
      for (const command of [put(), push("One."), push("Two.")]) await sender.act(prompt, command);
    },
  };
  return sender;
}
