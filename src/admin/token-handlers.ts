// Handlers of tokens. The registry stores digests; the token itself passes through here once and is kept nowhere.

import type { RegistryPort } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { REGISTRY_NAME, type Env } from "../env.ts";
import { createSecret } from "./auth.ts";
import { answerWith, type Call, type Handlers, type Reply } from "./call.ts";
import { callStub } from "./stubs.ts";
import type { tokenOperations } from "./token-operations.ts";

type Mint = Call<(typeof tokenOperations)["mintToken"]>;

export const tokenHandlers: Handlers<typeof tokenOperations> = {
  async whoami({ actor }) {
    return answerWith(actor);
  },

  async listTokens({ env }) {
    const tokens = await callRegistry(env, (registry) => registry.tokens());
    return isProblem(tokens) ? tokens : answerWith({ tokens });
  },

  mintToken,

  async revokeToken({ env, params }) {
    const token = await callRegistry(env, (registry) => registry.revokeToken(params.id));
    return isProblem(token) ? token : answerWith(token);
  },
};

async function mintToken({ env, actor, body }: Mint): Promise<Reply | Problem> {
  const expiry = readExpiry(body.expiresAt);
  if (isProblem(expiry)) return expiry;
  const { at: expiresAt } = expiry;
  const { secret: token, hash } = await createSecret("sbt_");
  const { name, role } = body;
  // Once only: a second attempt could find the hash of the first one taken.
  const minted = await callStub(
    () => env.REGISTRY.getByName(REGISTRY_NAME),
    (registry) => registry.mint({ name, role, expiresAt, createdBy: actor.name, hash }),
    1,
  );
  if (isProblem(minted)) return minted;
  return { status: 201, body: { ...minted, token }, location: `/admin/tokens/${minted.id}` };
}

/** In UTC with milliseconds, as all our times are. */
export function readExpiry(expiresAt: string | null): { at: string | null } | Problem {
  if (expiresAt === null) return { at: null };
  const at = new Date(expiresAt).toISOString();
  if (Date.parse(at) > Date.now()) return { at };
  return problem("invalid_request", "expiresAt lies in the past.", { field: "expiresAt" });
}

function callRegistry<Answer>(env: Env, call: (registry: RegistryPort) => Promise<Answer>) {
  return callStub(() => env.REGISTRY.getByName(REGISTRY_NAME), call);
}
