// May this request come in at all? Asked before its body is read, so that a refusal costs nothing. What only the body can
// name, the prompt, is asked about again once it is known (core/key-scope.ts). Anonymous requests take one look here.

import type { KeyGrant } from "../core/ports.ts";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { makerOf } from "../core/providers.ts";
import { limitVar, type Env } from "../env.ts";
import { checkBinding, isBindingPath } from "./ai-binding.ts";
import type { Call } from "./call.ts";
import { findProxyKey, findSecret, isAdminToken, isSigned, type Secret } from "./credentials.ts";
import { knownPrompt, lookUpAlias } from "./entries.ts";
import { hashKey, obtainKey, peekKey, recallKey, unknownKey } from "./keys.ts";
import { checkPassThrough, checkPrompt, checkProvider } from "../core/key-scope.ts";
import { environmentOf, nameOutsideBody } from "./naming.ts";
import type { Scope } from "./releases.ts";
import { within } from "./time.ts";

/** A request that came with a valid key of ours, or that the Worker makes itself (`hash` null). Without one it has no part in
 * any secret of the Worker. */
export type Admission = { hash: string | null; key: KeyGrant; secret: Secret };

/** What the Worker's own requests may do: ask any prompt, and nothing without one. */
const OWN_KEY: KeyGrant = {
  id: "own",
  name: "own",
  prompts: [],
  environments: [],
  providers: [],
  passThrough: false,
  requestsPerMinute: null,
  expiresAt: null,
};

const WAIT_LIMIT_MS = 500;

type Asked = Omit<Call, "admission">;

/** null: it came without a key of ours, and may. */
export async function admit(asked: Asked): Promise<Admission | null | Problem> {
  const { headers, scope, route, origin } = asked;
  const unbound = checkBinding(route.provider, route.path, scope.env);
  if (unbound !== null) return unbound;
  const sent = findProxyKey(headers, route.search, scope.env.ADMIN_TOKEN);
  if (sent === null) return checkAnonymous(asked);
  if (sent.startsWith("sbt_") || isAdminToken(sent, scope.env.ADMIN_TOKEN)) return tokenOfOurs();
  const hash = await hashKey(sent);
  if (hash === null) return unknownKey();
  // A key that was good lately is checked beside what else has to be waited for, and is certain before anything is sent.
  const key = recallKey(hash, scope) ?? (await obtainKey(hash, scope));
  if (isProblem(key)) return key;
  const outside = checkProvider(key, route.provider);
  if (outside !== null) return outside;
  const secret = findSecret(route.provider, route.path, origin, scope.env);
  if (isProblem(secret)) return secret;
  return (await checkRate(key, scope.env)) ?? { hash, key, secret };
}

/** For a request that the Worker makes itself. Nothing that comes from outside is admitted by it. */
export function admitOwn({ scope, route, origin }: Asked): Admission | Problem {
  const unbound = checkBinding(route.provider, route.path, scope.env);
  if (unbound !== null) return unbound;
  const secret = findSecret(route.provider, route.path, origin, scope.env);
  return isProblem(secret) ? secret : { hash: null, key: OWN_KEY, secret };
}

function tokenOfOurs(): Problem {
  return problem(
    "unauthenticated",
    "That is a token of the control plane (ADMIN_TOKEN, or sbt_…). Requests to providers take a proxy key (sb_…): POST /admin/keys.",
  );
}

function checkAnonymous({ headers, scope, route }: Asked): null | Problem {
  if (asksForKey(scope.env)) {
    return problem("unauthenticated", "This proxy asks for a key of its own (sb_…) in the SDK's API key.");
  }
  if (isBindingPath(route.provider, route.path, scope.env)) {
    return problem(
      "unauthenticated",
      "The AI binding is the Worker's own, so it takes a proxy key (sb_…), in the SDK's API key.",
    );
  }
  if (makerOf(route.provider) !== "bedrock" || !isSigned(headers, route.search)) return null;
  return problem(
    "unauthenticated",
    "A signature of your own cannot be valid behind the proxy: it covers another host, and the body before the prompt went in. Use a proxy key (sb_…) as the access key id, with any secret, or a Bedrock API key (AWS_BEARER_TOKEN_BEDROCK).",
  );
}

/** Whatever is no plain no: a misspelt yes must not leave the door open. */
export function asksForKey({ REQUIRE_KEY: value }: Pick<Env, "REQUIRE_KEY">): boolean {
  return value !== undefined && !/^(?:|false|0|no|off)$/i.test(value.trim());
}

/** Counted by the platform, per Cloudflare location. A limiter that fails, keeps silent or is not there limits nobody. */
export async function checkRate(
  { id, requestsPerMinute }: Pick<KeyGrant, "id" | "requestsPerMinute">,
  env: Pick<Env, `RATE_LIMIT_${number}`>,
): Promise<Problem | null> {
  const limiter = requestsPerMinute === null ? undefined : env[limitVar(requestsPerMinute)];
  if (limiter === undefined) return null;
  const counted = await within(WAIT_LIMIT_MS, limiter.limit({ key: id })).catch(() => undefined);
  if (counted === undefined || counted.success) return null;
  return problem("rate_limited", `This proxy key is limited to ${requestsPerMinute} requests a minute.`);
}

/** May the request ask for this prompt, by the prompt's own name? A promise: the key has to be made sure of first. */
export function checkPrompted(
  admission: Admission | null,
  prompt: string,
  environment: string,
  scope: Scope,
): Problem | null | Promise<Problem | null> {
  if (admission === null) return null;
  const { hash } = admission;
  const outside = checkPrompt(admission.key, prompt, environment);
  if (outside !== null || hash === null) return outside;
  const known = peekKey(hash, scope);
  if (isProblem(known)) return known;
  if (known !== null) return null;
  return obtainKey(hash, scope).then((key) => (isProblem(key) ? key : null));
}

/** For a request that is about to pass without a prompt in it: the key is still good, and whatever prompt it names must be
 * one of the key's. */
export async function checkUnprompted({ admission, route, headers, scope }: Call): Promise<Problem | null> {
  if (admission === null) return null;
  const { hash } = admission;
  const key = hash === null ? admission.key : (peekKey(hash, scope) ?? (await obtainKey(hash, scope)));
  if (isProblem(key)) return key;
  const outside = checkPassThrough(key);
  const name = nameOutsideBody(route, headers);
  if (outside !== null || name === null) return outside;
  const environment = environmentOf(route, headers);
  if (isProblem(environment)) return environment;
  const isOwnName = key.prompts.length === 0 || key.prompts.includes(name);
  if (isOwnName) return checkPrompt(key, name, environment);
  const known = knownPrompt(name);
  const prompt = known === name ? ((await lookUpAlias(name, scope)) ?? name) : known;
  return checkPrompt(key, prompt, environment);
}
