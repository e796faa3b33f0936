// Handlers of proxy keys. What a key is scoped to is checked against what there is, so that a key that could never be
// used is not minted; the key itself passes through here once and is kept nowhere.

import type { ProxyKey, RegistryPort } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { feedbackScope, useOf } from "../core/key-scope.ts";
import { limitVar, REGISTRY_NAME, requestLimits, type Env } from "../env.ts";
import { createSecret } from "./auth.ts";
import { answerWith, type Call, type Handlers, type Reply } from "./call.ts";
import type { keyOperations } from "./key-operations.ts";
import { checkProviders, describeProviders } from "./providers.ts";
import type { KeyView } from "./schemas.ts";
import { callStub, promptNotFound, resolveAlias } from "./stubs.ts";
import { readExpiry } from "./token-handlers.ts";

type Mint = Call<(typeof keyOperations)["mintKey"]>;

export const keyHandlers: Handlers<typeof keyOperations> = {
  async listKeys({ env }) {
    const keys = await callRegistry(env, (registry) => registry.keys());
    return isProblem(keys) ? keys : answerWith({ keys: keys.map(viewKey) });
  },

  mintKey,

  async revokeKey({ env, params }) {
    const key = await callRegistry(env, (registry) => registry.revokeKey(params.id));
    return isProblem(key) ? key : answerWith(viewKey(key));
  },

  async listProviders({ env }) {
    return answerWith({ providers: describeProviders(env) });
  },
};

async function mintKey({ env, actor, body }: Mint): Promise<Reply | Problem> {
  const { name, environments, providers, requestsPerMinute } = body;
  const expiresAt = readExpiry(body.expiresAt);
  if (isProblem(expiresAt)) return expiresAt;
  const unusable =
    checkUse(body) ?? checkLimit(requestsPerMinute, env) ?? checkProviders(providers, env, "providers");
  if (unusable !== null) return unusable;
  const prompts = await readPrompts(body.prompts, env);
  if (isProblem(prompts)) return prompts;
  const passThrough = body.passThrough ?? prompts.length === 0;
  const narrow = { prompts, environments, requestsPerMinute };
  const scope = body.use === "feedback" ? feedbackScope(narrow) : { ...narrow, providers, passThrough };
  const { secret: key, hash } = await createSecret("sb_");
  const created = { ...scope, name, expiresAt: expiresAt.at, createdBy: actor.name, hash };
  // Once only: a second attempt could find the hash of the first one taken.
  const minted = await callRegistry(env, (registry) => registry.mintKey(created), 1);
  if (isProblem(minted)) return minted;
  return { status: 201, body: { ...viewKey(minted), key }, location: `/admin/keys/${minted.id}` };
}

function viewKey(key: ProxyKey): KeyView {
  const use = useOf(key);
  return { ...key, use, providers: use === "feedback" ? [] : key.providers };
}

function checkUse({ use, providers, passThrough }: Mint["body"]): Problem | null {
  if (use !== "feedback") return null;
  const field = providers.length > 0 ? "providers" : passThrough === true ? "passThrough" : null;
  if (field === null) return null;
  return problem("invalid_request", `${field}: a key for feedback alone opens no provider. Leave it out.`, {
    field,
  });
}

/** The platform's limits are fixed by the deployment: a key picks one of them. */
function checkLimit(requestsPerMinute: number | null, env: Env): Problem | null {
  const limits = requestLimits(env);
  if (requestsPerMinute === null || limits.includes(requestsPerMinute)) return null;
  const mend =
    limits.length === 0
      ? `This deployment has no limits; add a ratelimits binding ${limitVar(requestsPerMinute)} to wrangler.toml, or mint the key without one.`
      : `must be one of the limits that this deployment has: ${limits.join(", ")}. Another one needs a ratelimits binding ${limitVar(requestsPerMinute)} in wrangler.toml.`;
  return problem("invalid_request", `requestsPerMinute: ${mend}`, { field: "requestsPerMinute" });
}

/** The prompts' own names, each once. */
async function readPrompts(names: string[], env: Env): Promise<string[] | Problem> {
  const found = await Promise.all(names.map((name) => resolveAlias(env, name)));
  const prompts = new Set<string>();
  for (const [index, prompt] of found.entries()) {
    if (prompt === null) return { ...promptNotFound(names[index] ?? ""), field: "prompts" };
    if (isProblem(prompt)) return prompt;
    prompts.add(prompt);
  }
  return [...prompts];
}

function callRegistry<Answer>(
  env: Env,
  call: (registry: RegistryPort) => Promise<Answer>,
  attempts?: number,
): Promise<Answer | Problem> {
  return callStub(() => env.REGISTRY.getByName(REGISTRY_NAME), call, attempts);
}
