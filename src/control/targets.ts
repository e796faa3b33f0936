// The other side of the outbox: KV and the Registry, as calls that end within a bound, whatever becomes of the other
// end. A stub that has thrown is broken for good, so each call takes a new one.

import { problem, type Problem } from "../core/problem.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import type { Targets } from "./outbox.ts";

const WAIT_MS = 10_000;

export function createTargets(env: Env): Targets {
  const registry = () => env.REGISTRY.getByName(REGISTRY_NAME);
  return {
    putStore: (key, value) => within(env.STORE.put(key, value)),
    upsertPrompt: (prompt, order) => within(registry().upsert(prompt, order)),
    resolveAlias: (alias) => within(registry().resolve(alias)),
  };
}

/**
 * Claims a prompt's name and aliases before they are committed; null: they are its own. `conflict`, or
 * `release_unavailable` while the Registry cannot be asked. The bound also keeps a late answer from being acted on:
 * an unconfirmed claim may be taken over after a minute.
 */
export async function claimNames(env: Env, prompt: string, aliases: string[]): Promise<Problem | null> {
  try {
    return await within(env.REGISTRY.getByName(REGISTRY_NAME).claim(prompt, aliases));
  } catch {
    return problem("release_unavailable", "Whose the name is cannot be settled just now. Send it again.");
  }
}

function within<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException("no answer in time", "TimeoutError")), WAIT_MS);
    void answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
