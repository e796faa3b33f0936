// The data plane: one request, as data. It reads like the drawing in the README: route → name → scan → decide (release,
// assign, render, splice) → dispatch → watch. A named prompt that cannot be injected is an error, never an
// un-prompted call; what names no prompt passes through untouched.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import type { Env } from "../env.ts";
import { familyOf, matchEndpoint } from "../wire/formats.ts";
import type { Endpoint, Family, Scan } from "../wire/wire.ts";
import { discardBody, readBody } from "./body.ts";
import { decideBody, type Decision } from "./decide.ts";
import { callUpstream, relayAnswer, respondAs } from "./forward.ts";
import { cleanRequestHeaders, cleanResponseHeaders, findProxyKey } from "./headers.ts";
import { checkReference, environmentOf, nameInBody, nameOutsideBody, pinOf, variablesOf } from "./naming.ts";
import { resolveUpstream } from "./providers.ts";
import { scheduleFlush, type Ctx, type Scope } from "./releases.ts";
import { respondProblem, stampHeaders, type Account } from "./respond.ts";
import { parseRoute, type Route } from "./route.ts";
import { addOutcome, type OutcomeKind } from "./tallies.ts";

type Call = {
  request: Request;
  scope: Scope;
  route: Route;
  family: Family;
  account: Account;
  upstreamUrl: string;
};

/** The provider's request headers may take long: reasoning models think before their first byte. */
const DEFAULT_FIRST_BYTE_MS = 600_000;
/** Turn-creating endpoints that no format of ours writes to yet; with a prompt named they are refused. */
const UNWRITABLE_TURN =
  /:(?:stream)?(?:[gG]enerateContent|countTokens)$|\/(?:converse|converse-stream|invoke|invoke-with-response-stream)$/;

/** Serves `/p/{prompt}/{provider}/…` and `/{provider}/…`. */
export async function serveData(request: Request, env: Env, ctx: Ctx): Promise<Response> {
  const answer = await serveCall(request, env, ctx);
  const { body } = request;
  if (body !== null && !body.locked && !request.bodyUsed) await discardBody(body);
  return answer;
}

async function serveCall(request: Request, env: Env, ctx: Ctx): Promise<Response> {
  const account: Account = {
    requestId: crypto.randomUUID(),
    startedAtMs: Date.now(),
    prompt: null,
    assignment: null,
    assignedVersion: null,
  };
  const route = parseRoute(request.url);
  if (isProblem(route)) return respondProblem(route, "openai", account);
  const family = familyOf(route.provider, route.path);
  const origin = resolveUpstream(route.provider, env);
  if (isProblem(origin)) return respondProblem(origin, family, account);
  const call: Call = {
    request,
    scope: { env, ctx },
    route,
    family,
    account,
    upstreamUrl: origin + route.path + route.search,
  };
  const refused = admit(call) ?? checkNaming(call);
  if (refused !== null) return respondProblem(refused, family, account);
  const endpoint = request.method === "POST" ? matchEndpoint(route.provider, route.path) : null;
  return endpoint === null ? passThrough(call, request.body) : serveTurn(call, endpoint);
}

/** A key of ours never goes up; keys are minted by a later release of the control plane, so none is known here yet. */
function admit({ request, scope, route }: Call): Problem | null {
  if (findProxyKey(request.headers, route.search) !== null) {
    return problem("unauthenticated", "This proxy key is not known here.");
  }
  if (scope.env.REQUIRE_KEY === "true") {
    return problem("unauthenticated", "This proxy asks for a key of its own (sb_…) in the SDK's API key.");
  }
  return null;
}

/** What URL and headers say must make sense even where nothing is injected. */
function checkNaming({ request, route }: Call): Problem | null {
  const name = nameOutsideBody(route, request.headers);
  if (name === null) return null;
  const wrong = checkReference(name);
  if (wrong !== null) return wrong;
  const environment = environmentOf(route, request.headers);
  if (isProblem(environment)) return environment;
  if (request.method === "POST" && UNWRITABLE_TURN.test(route.path)) {
    return problem(
      "invalid_request",
      `A prompt cannot be injected into ${route.path} by this version of the proxy.`,
    );
  }
  return null;
}

async function serveTurn(call: Call, endpoint: Endpoint): Promise<Response> {
  const { request, scope, route, family, account } = call;
  const named = nameOutsideBody(route, request.headers);
  const body = await readBody(request, scope.env.MAX_BODY_BYTES);
  if (isProblem(body)) return respondProblem(body, family, account);
  const scan = endpoint.format.scan(body);
  if (isProblem(scan)) {
    // Without a prompt in sight the provider is the one to say what is wrong with the body.
    const concernsPrompt = named !== null || scan.field?.startsWith("prompt");
    return concernsPrompt ? respondProblem(scan, family, account) : passThrough(call, body);
  }
  const name = named ?? nameInBody(scan);
  if (name === null) return passThrough(call, body);
  const decision = await decideTurn(call, endpoint, scan, name);
  if (isProblem(decision)) return respondProblem(decision, family, account);
  return dispatchTurn(call, endpoint, decision);
}

async function decideTurn(
  call: Call,
  endpoint: Endpoint,
  scan: Scan,
  name: string,
): Promise<Decision | Problem> {
  const { request, scope, route, account } = call;
  const { headers } = request;
  const environment = environmentOf(route, headers);
  const pin = pinOf(headers, scan);
  const variables = variablesOf(headers, scan);
  const wrongName = checkReference(name);
  if (wrongName !== null) return wrongName;
  if (isProblem(environment)) return environment;
  if (isProblem(pin)) return pin;
  if (isProblem(variables)) return variables;
  const question = { name, environment, pin, variables, headers, scan, endpoint, provider: route.provider };
  return decideBody(question, account, scope);
}

async function dispatchTurn(call: Call, endpoint: Endpoint, decision: Decision): Promise<Response> {
  const { request, scope, family, account } = call;
  const dispatchedAtMs = Date.now();
  const settle = (outcome: OutcomeKind) => {
    if (account.assignment === null || endpoint.count) return;
    addOutcome(decision.entry.tallies, account.assignment, outcome);
    scheduleFlush(decision.entry, scope);
  };
  if (isProblem(decision.body)) {
    settle("error");
    return respondProblem(decision.body, family, account);
  }
  const upstream = await callProvider(call, "POST", decision.body);
  if (upstream === "aborted") {
    settle("aborted");
    return new Response(null, { status: 499 });
  }
  if (isProblem(upstream)) {
    settle("error");
    return respondProblem(upstream, family, account);
  }
  const answer = relayAnswer(upstream, request, scope.ctx, settle);
  stampHeaders(answer.headers, account, dispatchedAtMs);
  return respondAs(upstream, answer);
}

/** No prompt: bodies, streams, multipart and WebSockets go by as they are. */
async function passThrough(call: Call, body: ReadableStream | Uint8Array | null): Promise<Response> {
  const { request, family, account } = call;
  const dispatchedAtMs = Date.now();
  const upstream = await callProvider(call, request.method, body);
  if (upstream === "aborted") return new Response(null, { status: 499 });
  if (isProblem(upstream)) return respondProblem(upstream, family, account);
  if (upstream.webSocket) return upstream;
  const headers = cleanResponseHeaders(upstream.headers);
  stampHeaders(headers, account, dispatchedAtMs);
  return respondAs(upstream, { body: upstream.body, headers });
}

function callProvider(call: Call, method: string, body: ReadableStream | Uint8Array | null) {
  const { request, scope, route, upstreamUrl } = call;
  const headers = cleanRequestHeaders(request.headers, route.provider);
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket") headers.set("upgrade", "websocket");
  const timeoutMs = Number(scope.env.FIRST_BYTE_TIMEOUT_MS) || DEFAULT_FIRST_BYTE_MS;
  return callUpstream({ url: upstreamUrl, method, headers, body }, request.signal, timeoutMs);
}
