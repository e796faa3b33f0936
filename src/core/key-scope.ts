// What a proxy key may be used for, as pure questions. A key that is scoped to prompts opens these prompts and, unless it
// was minted for pass-through too, nothing that no prompt is put into: else a key for one bot would pay for anything. A key for
// feedback alone, which may stand in a web page, opens no provider at all.

import type { KeyGrant, KeyScope } from "./ports.ts";
import { problem, type Problem } from "./problem.ts";

/** What a key of ours is for: whatever its scope covers, or `POST /feedback` and nothing else. */
export const KEY_USES = ["all", "feedback"] as const;
export type KeyUse = (typeof KEY_USES)[number];

/** No provider can be called so. Keys for feedback alone are scoped to it, so that a deployment that knows no such keys, to
 * which somebody may go back, does not open its providers to them either. */
const NO_PROVIDER = "-";

/** The scope of a key for feedback on these prompts and environments. */
export function feedbackScope(
  of: Pick<KeyScope, "prompts" | "environments" | "requestsPerMinute">,
): KeyScope {
  return { ...of, providers: [NO_PROVIDER], passThrough: false };
}

export function useOf({ providers }: Pick<KeyScope, "providers">): KeyUse {
  return providers.includes(NO_PROVIDER) ? "feedback" : "all";
}

/** null: the key may. `prompt` is the prompt's own name, never an alias. */
export function checkPrompt(key: KeyGrant | null, prompt: string, environment: string): Problem | null {
  if (key === null) return null;
  if (key.prompts.length > 0 && !key.prompts.includes(prompt)) return outside(key, `the prompt ${prompt}`);
  if (key.environments.length > 0 && !key.environments.includes(environment)) {
    return outside(key, `the environment ${environment}`);
  }
  return null;
}

export function checkProvider(key: KeyGrant, provider: string): Problem | null {
  if (useOf(key) === "feedback") {
    return problem("forbidden", `The proxy key "${key.name}" is for POST /feedback and nothing else.`);
  }
  if (key.providers.length === 0 || key.providers.includes(provider)) return null;
  return outside(key, `the provider ${provider}`);
}

/** For a request that no prompt is put into. */
export function checkPassThrough(key: KeyGrant | null): Problem | null {
  if (key === null || key.passThrough) return null;
  return outside(key, "requests that no prompt is put into");
}

function outside(key: KeyGrant, asked: string): Problem {
  const { name, prompts, environments } = key;
  const providers = useOf(key) === "feedback" ? [] : key.providers;
  const limits = [
    ["prompts", prompts],
    ["environments", environments],
    ["providers", providers],
  ] as const;
  const scope = limits.flatMap(([noun, names]) => (names.length > 0 ? [`${noun} ${names.join(", ")}`] : []));
  const allowed =
    scope.length === 0 ? "requests that a prompt is put into" : `the ${scope.join(" and the ")}`;
  return problem("forbidden", `The proxy key "${name}" is for ${allowed}, not for ${asked}.`);
}
