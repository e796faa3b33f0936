// The control plane over HTTP (contract §4), routed by the table of operations. One request: who is it, may they,
// what do they ask, under which guards; then a handler; then the answer. Guarantee: nothing reaches a handler that its
// line of the table would not let through, and every failure is a problem document.

import { Hono, type Context } from "hono";
import type * as z from "zod";
import { isProblem, problem, type Problem } from "../core/problem.ts";
import { authenticate, challenge, checkRole } from "./auth.ts";
import { check, parseJsonObject, readBytes, readQuery, type Sent } from "./body.ts";
import type { Call, Guards, Reply } from "./call.ts";
import { SCRAPE_PATH } from "./data-plane.ts";
import { renderDocs } from "./docs.ts";
import { describeApi } from "./openapi.ts";
import { admitKeyOrToken, answerPreflight, openToPages, type Caller, type Lent } from "./feedback-access.ts";
import { feedbackHandlers } from "./feedback-handlers.ts";
import { keyHandlers } from "./key-handlers.ts";
import {
  FEEDBACK_PATH,
  isPromptWrite,
  operationList,
  type Operation,
  type OperationId,
} from "./operations.ts";
import { fingerprintRequest, formatEntityTag, parseIdempotencyKey, parseIfMatch } from "./preconditions.ts";
import { answerException, answerProblem } from "./problem.ts";
import { promptHandlers } from "./prompt-handlers.ts";
import { rampHandlers } from "./ramp-handlers.ts";
import { releaseHandlers } from "./release-handlers.ts";
import { answerScrape } from "./scrape.ts";
import { tokenHandlers } from "./token-handlers.ts";
import { watchHandlers } from "./watch-handlers.ts";

type Scope = { Bindings: Lent; Variables: Caller };
type Handler = (call: Call) => Promise<Reply | Problem>;

/** The page brings its own style and nothing else: no script of anybody's can run in it. */
const DOCS_HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

/** Each handler takes the call of its own line; `prepareCall` has checked that it is one. */
const HANDLERS = {
  ...promptHandlers,
  ...releaseHandlers,
  ...rampHandlers,
  ...watchHandlers,
  ...feedbackHandlers,
  ...keyHandlers,
  ...tokenHandlers,
} as unknown as {
  [Id in OperationId]: Handler;
};

/** Serves `/admin/…`, `/feedback`, `/metrics`, `/openapi.json` and `/docs`. */
export function createApp(): Hono<Scope> {
  const app = new Hono<Scope>({ strict: false });
  app.onError((error) => answerException(error, crypto.randomUUID()));
  app.notFound((context) => answerNotFound(context.req.path));
  app.get("/openapi.json", () => Response.json(describeApi(), { headers: { "cache-control": "no-cache" } }));
  app.get("/docs", (context) => context.html(renderDocs(), 200, DOCS_HEADERS));
  app.use("/admin/*", async function admit(context, next) {
    const actor = await authenticate(context.req.raw, context.env.env);
    if (isProblem(actor)) return answerRefused(context.req.raw, actor);
    context.set("actor", actor);
    context.set("key", null);
    return next();
  });
  app.get(SCRAPE_PATH, (context) => serveScrape(context.req.raw, context.env.env));
  app.all(SCRAPE_PATH, () => answerWrongMethod("GET, HEAD"));
  app.options(FEEDBACK_PATH, answerPreflight);
  app.post(FEEDBACK_PATH, async function admitPage(context, next) {
    const caller = await admitKeyOrToken(context.req.raw, context.env);
    if (isProblem(caller)) return openToPages(answerRefused(context.req.raw, caller));
    context.set("actor", caller.actor);
    context.set("key", caller.key);
    await next();
    return openToPages(context.res);
  });
  for (const operation of operationList) {
    app.on(operation.method, operation.path, (context) => serveOperation(operation, context));
  }
  for (const [path, allow] of listMethods()) app.all(path, () => answerWrongMethod(allow));
  return app;
}

async function serveOperation(operation: Operation, context: Context<Scope>): Promise<Response> {
  const refused = checkRole(context.get("actor"), operation.role);
  if (refused !== null) return answerProblem(refused);
  const call = await prepareCall(operation, context);
  if (isProblem(call)) return answerProblem(call);
  const reply = await HANDLERS[operation.id as OperationId](call);
  return isProblem(reply) ? answerProblem(reply) : answerReply(reply);
}

/** For scrapers, who speak no JSON: it is no line of the table, and takes the same tokens. */
async function serveScrape(request: Request, env: Lent["env"]): Promise<Response> {
  const actor = await authenticate(request, env);
  if (isProblem(actor)) return answerRefused(request, actor);
  const refused = checkRole(actor, "viewer");
  const answer = refused ?? (await answerScrape(request, env));
  return isProblem(answer) ? answerProblem(answer) : answer;
}

/** Path, query, guards and body as the handler gets them, or what is wrong with the first of these that is wrong. */
async function prepareCall(operation: Operation, context: Context<Scope>): Promise<Call | Problem> {
  const request = context.req.raw;
  const url = new URL(request.url);
  const params = check(operation.params, context.req.param());
  if (isProblem(params)) return params;
  const asked = readQuery(url);
  const query = isProblem(asked) ? asked : check(operation.query, asked.sent);
  if (isProblem(query)) return query;
  const bytes = operation.body === null ? new Uint8Array() : await readBytes(request);
  if (isProblem(bytes)) return bytes;
  const guards = isPromptWrite(operation) ? await readGuards(request, url, bytes) : UNGUARDED;
  if (isProblem(guards)) return guards;
  const body = operation.body === null ? { sent: null } : parseBody(operation.body, bytes);
  if (isProblem(body)) return body;
  return {
    env: context.env.env,
    actor: context.get("actor"),
    key: context.get("key"),
    guards,
    ifNoneMatch: request.headers.get("if-none-match"),
    params: params.sent,
    query: query.sent,
    body: body.sent,
  } as Call;
}

function parseBody(schema: z.ZodType, bytes: Uint8Array): Sent<unknown> | Problem {
  const parsed = parseJsonObject(bytes);
  return isProblem(parsed) ? parsed : check(schema, parsed.sent);
}

const UNGUARDED: Guards = { ifMatch: null, idempotency: null };

/** Without a key of the caller's the write gets one of ours, so that our own retry cannot do it twice. */
async function readGuards(request: Request, url: URL, bytes: Uint8Array): Promise<Guards | Problem> {
  const ifMatch = parseIfMatch(request.headers.get("if-match"));
  if (isProblem(ifMatch)) return ifMatch;
  const key = parseIdempotencyKey(request.headers.get("idempotency-key"));
  if (isProblem(key)) return key;
  const fingerprint = await fingerprintRequest(request.method, url.pathname + url.search, bytes);
  return { ifMatch, idempotency: { key: key ?? `retry-${crypto.randomUUID()}`, fingerprint } };
}

function answerReply({ status, body, revision, location }: Reply): Response {
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (typeof revision === "number") {
    headers["etag"] = formatEntityTag(revision);
    headers["cache-control"] = "private, no-cache";
  }
  if (location !== undefined) headers["location"] = location;
  return status === 304 ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
}

/** 401 with a challenge; anything else (closed, out of reach) without. */
function answerRefused(request: Request, refused: Problem): Response {
  const headers: Record<string, string> =
    refused.problem === "unauthenticated" ? { "www-authenticate": challenge(request) } : {};
  return answerProblem(refused, headers);
}

function answerNotFound(path: string): Response {
  return answerProblem(
    problem("route_not_found", `There is no call at ${path}. GET /docs lists all of them.`),
  );
}

function answerWrongMethod(allow: string): Response {
  return answerProblem(problem("method_not_allowed", `This path takes ${allow}.`), { allow });
}

/** path → value of Allow. */
function listMethods(): Map<string, string> {
  const methods = new Map<string, string>();
  for (const { path, method } of operationList) {
    const before = methods.get(path);
    const allowed = method === "GET" ? "GET, HEAD" : method;
    methods.set(path, before === undefined ? allowed : `${before}, ${allowed}`);
  }
  return methods;
}
