// Which host a provider's name stands for. Only this table and `UPSTREAM_<PROVIDER>` vars (deployment config) can
// name an upstream host; nothing in a request can.

import { problem, type Problem } from "../core/problem.ts";
import type { Env } from "../env.ts";

/** Origin with path prefix, so that `/v1/…` follows it. null: needs `UPSTREAM_<PROVIDER>`, as the host is the
 * customer's own (Azure resource, Bedrock region). */
export const PROVIDERS: Readonly<Record<string, string | null>> = {
  openai: "https://api.openai.com",
  anthropic: "https://api.anthropic.com",
  gemini: "https://generativelanguage.googleapis.com",
  azure: null,
  bedrock: null,
  "workers-ai": "https://api.cloudflare.com/client/v4",
  openrouter: "https://openrouter.ai/api",
  groq: "https://api.groq.com/openai",
  mistral: "https://api.mistral.ai",
  deepseek: "https://api.deepseek.com",
  xai: "https://api.x.ai",
  together: "https://api.together.xyz",
  fireworks: "https://api.fireworks.ai/inference",
};

const PROVIDER_PATTERN = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** `workers-ai` → `UPSTREAM_WORKERS_AI`. */
export function upstreamVar(provider: string): `UPSTREAM_${string}` {
  return `UPSTREAM_${provider.toUpperCase().replaceAll("-", "_")}`;
}

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
  const mend = `Set the var ${upstreamVar(provider)} to its origin, or use one of: ${Object.keys(PROVIDERS).join(", ")}.`;
  return problem(
    "provider_not_found",
    known === null
      ? `The provider "${provider}" has no fixed host. Set the var ${upstreamVar(provider)} to its origin.`
      : `There is no provider "${provider.slice(0, 64)}". ${PROVIDER_PATTERN.test(provider) ? mend : "The first part of the path names the provider, as in /openai/v1/chat/completions."}`,
  );
}
