// Which host a provider's name stands for. Only this table and `UPSTREAM_<PROVIDER>` vars (deployment config) can
// name an upstream host; nothing in a request can.

import { findNearMiss } from "../core/content-problems.ts";
import { problem, type Problem } from "../core/problem.ts";
import { PROVIDER_PATTERN, PROVIDERS, upstreamVar } from "../core/providers.ts";
import type { Env } from "../env.ts";

/** Origins found before, per environment object: a Worker has one for its whole life. */
const resolved = new WeakMap<Env, Map<string, string>>();

/** The origin (with optional path prefix, without trailing slash) behind a provider's name. */
export function resolveUpstream(provider: string, env: Env): string | Problem {
  const known = resolved.get(env)?.get(provider);
  if (known !== undefined) return known;
  const origin = findUpstream(provider, env);
  if (typeof origin === "string") {
    const origins = resolved.get(env) ?? new Map<string, string>();
    resolved.set(env, origins.set(provider, origin));
  }
  return origin;
}

function findUpstream(provider: string, env: Env): string | Problem {
  const configured = PROVIDER_PATTERN.test(provider) ? env[upstreamVar(provider)] : undefined;
  if (configured) return configured.endsWith("/") ? configured.slice(0, -1) : configured;
  const known = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
  if (known) return known;
  return problem(
    "provider_not_found",
    known === null
      ? `The provider "${provider}" has no fixed host. Set the var ${upstreamVar(provider)} to its origin.`
      : `There is no provider "${provider.slice(0, 64)}". ${mendFor(provider)}`,
  );
}

/** A version in the provider's place is a base URL that names none. */
function mendFor(provider: string): string {
  if (!PROVIDER_PATTERN.test(provider) || /^v\d+[a-z0-9]*$/.test(provider)) {
    return "The provider stands before the provider's own path, as in /openai/v1/chat/completions or /p/{prompt}/openai/v1/chat/completions.";
  }
  const names = Object.keys(PROVIDERS);
  const nearest = findNearMiss(provider, names);
  const guess = nearest === null ? "" : `Did you mean ${nearest}? `;
  return `${guess}Set the var ${upstreamVar(provider)} to its origin, or use one of: ${names.join(", ")}.`;
}
