// The data plane: one request, as data. It reads like the drawing in the README: route → name → scan → decide (release,
// assign, render, splice) → dispatch → watch. A named prompt that cannot be injected is an error, never an
// un-prompted call; what names no prompt passes through untouched.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Env } from "../env.ts";
import { familyAt, familyOf, isUnwritableTurn, matchEndpoint } from "../wire/formats.ts";
import type { Endpoint, Family } from "../wire/wire.ts";
import { admit, admitOwn } from "./admit.ts";
import { discardBody, isEncoded, readBody } from "./body.ts";
import type { Call } from "./call.ts";
import { decideBody } from "./decide.ts";
import { dispatchTurn, lateForLease, passThrough } from "./dispatch.ts";
import { readHeaders } from "./headers.ts";
import { checkReference, environmentOf, nameInBody, nameOutsideBody } from "./naming.ts";
import { release } from "./pieces.ts";
import { resolveUpstream } from "./providers.ts";
import { isLarge, serveLarge } from "./large.ts";
import { questionOf } from "./question.ts";
import { nameOfSession, serveSession } from "./realtime.ts";
import type { Ctx, Scope } from "./releases.ts";
import { sealAccount } from "./seal.ts";
import { respondFailure, respondProblem, type Account } from "./respond.ts";
import { checkPath, parseRoute } from "./route.ts";

/** Serves `/p/{prompt}/{provider}/…` and `/{provider}/…`. */
export function serveData(request: Request, env: Env, ctx: Ctx): Promise<Response> {
  return serveAs(request, { env, ctx }, admit);
}

/** The same for a request that the Worker makes itself: with the secret that it holds, and only with a prompt. */
export function serveOwn(request: Request, scope: Scope): Promise<Response> {
  return serveAs(request, scope, admitOwn);
}

async function serveAs(request: Request, scope: Scope, admitted: Admit): Promise<Response> {
  const account: Account = {
    requestId: crypto.randomUUID(),
    signedId: null,
    sealedAs: null,
    startedAtMs: Date.now(),
    prompt: null,
    assignment: null,
    assignedVersion: null,
    skipped: null,
  };
  try {
    return await serve(request, scope, account, admitted);
  } catch (error) {
    return respondFailure(error, account);
  }
}

type Admit = (asked: Omit<Call, "admission">) => ReturnType<typeof admit> | ReturnType<typeof admitOwn>;

async function serve(request: Request, scope: Scope, account: Account, admitted: Admit): Promise<Response> {
  const route = parseRoute(request.url);
  if (isProblem(route)) return refuseUnread(request, route, "openai", account);
  const headers = readHeaders(request.headers);
  account.prompt = nameOutsideBody(route, headers);
  const endpoint = matchEndpoint(route.provider, route.path);
  const family = endpoint === null ? familyOf(route.provider, route.path) : familyAt(endpoint, route.search);
  const origin = resolveUpstream(route.provider, scope.env);
  if (isProblem(origin)) return refuseUnread(request, origin, family, account);
  const asked = { request, headers, scope, route, family, account, origin };
  const admission = await admitted(asked);
  if (isProblem(admission)) return refuseUnread(request, admission, family, account);
  const call: Call = { ...asked, admission };
  const refused = account.prompt === null ? null : (checkReference(account.prompt) ?? checkPath(route));
  if (refused !== null) return refuseUnread(request, refused, family, account);
  if (endpoint !== null && request.method === "POST") return serveTurn(call, endpoint);
  const session = nameOfSession(call);
  if (session !== null) return serveSession(call, session);
  const misnamed = checkNaming(call);
  if (misnamed !== null) return refuseUnread(request, misnamed, family, account);
  return passThrough(call, request.body);
}

/** The answer to a request whose body nobody has read. */
async function refuseUnread(
  request: Request,
  value: Problem,
  family: Family,
  account: Account,
): Promise<Response> {
  await discardBody(request.body);
  return respondProblem(value, family, account);
}

/** What URL and headers say must make sense even where nothing is injected. */
function checkNaming({ request, headers, route }: Call): Problem | null {
  if (nameOutsideBody(route, headers) === null) return null;
  const environment = environmentOf(route, headers);
  if (isProblem(environment)) return environment;
  if (request.method === "POST" && isUnwritableTurn(route.provider, route.path)) {
    const mend = route.path.includes("/invoke") ? " Converse takes one for any model." : "";
    return problem("invalid_request", `No prompt can be put into ${route.path.slice(0, 200)}.${mend}`);
  }
  return null;
}

/** A call that was fenced off is decided anew: an isolate that takes longer than a lease each time is beyond help. */
const MOST_ROUNDS = 3;

async function serveTurn(call: Call, endpoint: Endpoint): Promise<Response> {
  const { request, headers, scope, route, family, account } = call;
  const named = nameOutsideBody(route, headers);
  // What a compressed body names cannot be seen; where a prompt is named outside it, `readBody` refuses it.
  if (named === null && isEncoded(headers)) return passThrough(call, request.body);
  const large = named !== null && isLarge(call, endpoint) ? await serveLarge(call, endpoint, named) : null;
  if (large instanceof Response) return large;
  const body = large ?? (await readBody(request, headers, scope.env.MAX_BODY_BYTES));
  if (isProblem(body)) return respondProblem(body, family, account);
  const scan = endpoint.format.scan(body, endpoint.resource);
  if (isProblem(scan)) {
    // Without a prompt in sight the provider is the one to say what is wrong with the body.
    const concernsPrompt = named !== null || scan.field?.startsWith("prompt");
    return concernsPrompt ? respondProblem(scan, family, account) : passThrough(call, body);
  }
  const name = named ?? nameInBody(scan, route.path, endpoint);
  if (name === null || scan.passes === true) return passThrough(call, body);
  account.prompt = name;
  const question = questionOf(call, endpoint, scan, name);
  if (isProblem(question)) return respondProblem(question, family, account);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const decision = await decideBody(question, account, scope);
    if (isProblem(decision)) return refuseSealed(decision, family, account);
    if ("skipped" in decision) {
      account.skipped = decision.skipped;
      return passThrough(call, body);
    }
    const answer = await dispatchTurn(call, endpoint, decision);
    if (answer !== null) {
      release(body);
      return answer;
    }
  }
  return refuseSealed(lateForLease(), family, account);
}

/** The answer to a turn that had a version by the time that it failed, perhaps. */
async function refuseSealed(value: Problem, family: Family, account: Account): Promise<Response> {
  await sealAccount(account);
  return respondProblem(value, family, account);
}
