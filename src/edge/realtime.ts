// A WebSocket of OpenAI's Realtime that names a prompt. The handshake is decided like a turn, so that a refusal is an HTTP
// answer and the 101 says what the session gets; but the session is prompted by the client's first event, and it is
// then that the lease counts (guarantee 1): a rollback in between is obeyed. Nothing that begins its work goes up before
// the session has the version; what is no event of Realtime passes. From then on frames pass both ways as they come,
// and so do closes.

import { isProblem, problem, type Problem } from "../core/problem.ts";
import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import { errorBody } from "../wire/errors.ts";
import { FORMATS, isRealtime } from "../wire/formats.ts";
import {
  beginsWork,
  emptySession,
  readClientEvent,
  repeatInto,
  replaceObject,
  updateEvent,
  type ClientEvent,
  type PreparedSession,
} from "../wire/openai-realtime.ts";
import type { Endpoint, Scan } from "../wire/wire.ts";
import type { Call } from "./call.ts";
import { decideBody } from "./decide.ts";
import { callProvider } from "./dispatch.ts";
import { nameOutsideBody } from "./naming.ts";
import { questionOf } from "./question.ts";
import { modelInQuery, replaceModelInQuery } from "./realtime-query.ts";
import { copyAnswer } from "./relay.ts";
import type { Entry } from "./releases.ts";
import { respondProblem, stampHeaders } from "./respond.ts";
import { joinSockets, type Tunnel } from "./sockets.ts";
import type { OutcomeKind } from "../core/metering/outcome.ts";
import { beginCall, NO_ANSWER, settleCall } from "./settle.ts";
import { peekVersion, prepareVersion } from "./versions.ts";

type SessionId = "openai-realtime" | "openai-realtime-beta";

const MODEL_PREFIX = "prompt:";

/** The prompt that a WebSocket of Realtime names: in the URL, a header, or as its model; null: none, or it is none. */
export function nameOfSession({ headers, route }: Call): string | null {
  if (headers.get("upgrade")?.toLowerCase() !== "websocket" || !isRealtime(route.path, route.search))
    return null;
  const model = modelInQuery(route.search);
  const inModel = model?.startsWith(MODEL_PREFIX) ? model.slice(MODEL_PREFIX.length) : null;
  return nameOutsideBody(route, headers) ?? inModel;
}

export async function serveSession(call: Call, name: string): Promise<Response> {
  const { family, account } = call;
  account.prompt = name;
  const id = formOf(call);
  const blame = (entry: Entry): void => settle(call, entry, "error");
  const decided = await decideSession(call, id, name, emptySession(id), blame);
  if (isProblem(decided)) return respondProblem(decided, family, account);
  const { pathModel } = decided.prepared.settings;
  const refused = pathModel === null ? checkModel(call) : null;
  if (refused !== null) return respondProblem(refused, family, account);
  const search = pathModel === null ? call.route.search : replaceModelInQuery(call.route.search, pathModel);
  const dispatchedAtMs = Date.now();
  const upstream = await callProvider({ ...call, route: { ...call.route, search } }, "GET", {
    path: call.route.path,
    body: null,
  });
  if (upstream === "aborted") return new Response(null, { status: 499 });
  if (isProblem(upstream) || upstream.webSocket === null) settle(call, decided.entry, "error");
  if (isProblem(upstream)) return respondProblem(upstream, family, account);
  const answer = copyAnswer(upstream, upstream.body);
  stampHeaders(answer.headers, account, dispatchedAtMs);
  if (upstream.webSocket === null) return answer;
  const client = openTunnel(call, id, name, decided.entry, upstream.webSocket);
  return new Response(null, { status: 101, headers: answer.headers, webSocket: client });
}

function formOf({ headers }: Call): SessionId {
  const isBeta =
    headers.get("openai-beta")?.includes("realtime=v1") === true ||
    headers.get("sec-websocket-protocol")?.includes("openai-beta.realtime-v1") === true;
  return isBeta ? "openai-realtime-beta" : "openai-realtime";
}

/** A query that only names the prompt where the model belongs. */
function checkModel({ route }: Call): Problem | null {
  const model = modelInQuery(route.search);
  if (model === null || !model.startsWith(MODEL_PREFIX)) return null;
  return problem(
    "invalid_request",
    `The version served names no model, so the query has to: "${model.slice(0, 80)}" only names the prompt.`,
    { field: "model" },
  );
}

type Decided = { entry: Entry; prepared: PreparedSession; session: Uint8Array };

/** The version for this session object, and the object with it in. `blame` is told where it asks for variables that are not
 * there, which counts against it. */
async function decideSession(
  call: Call,
  id: SessionId,
  name: string,
  session: Uint8Array,
  blame: (entry: Entry) => void,
): Promise<Decided | Problem> {
  const endpoint: Endpoint = {
    format: FORMATS[id],
    count: false,
    streams: null,
    modelAt: null,
    resource: null,
  };
  const scanned = endpoint.format.scan(session);
  if (isProblem(scanned)) return scanned;
  const scan: Scan = { ...scanned, userKey: call.headers.get("openai-safety-identifier") ?? scanned.userKey };
  const question = questionOf(call, endpoint, scan, name);
  if (isProblem(question)) return question;
  const decision = await decideBody({ ...question, agent: null }, call.account, call.scope);
  if (isProblem(decision)) return decision;
  if ("skipped" in decision) throw new Error("no agent was said to open this session");
  const { entry, injected } = decision;
  if (isProblem(injected)) {
    if (injected.problem.startsWith("variable_")) blame(entry);
    return injected;
  }
  const loaded = peekVersion(entry.prompt, call.account.assignment?.version ?? 0);
  if (loaded === undefined) throw new Error("a version that was put into a session is in memory");
  const options = { provider: question.provider, count: false, modelInPath: true };
  const piece = prepareVersion(loaded, endpoint.format, question.variables, options);
  if (isProblem(piece)) return piece;
  // As decided, but for the model: that stands in the query.
  const body = endpoint.format.inject(scan, piece.prepared);
  return isProblem(body) ? body : { entry, prepared: piece.prepared as PreparedSession, session: body };
}

/** A session counts once, when it is over: what it used and how long it took is its own matter. */
function settle({ account, scope, route }: Call, entry: Entry, kind: OutcomeKind): void {
  const { assignment, requestId } = account;
  if (assignment === null) return;
  const stamp = { ...assignment, turn: "first", unitBucket: null } as const;
  const traits = {
    stamp,
    provider: route.provider,
    askedModel: null,
    streams: true,
    demand: null,
    sample: null,
  };
  const open = beginCall(entry, requestId, traits, scope);
  settleCall(open, { ...NO_ANSWER, kind, isSilent: false, isSession: true }, scope);
}

/** What the session has: nothing yet, its version, or no place for one. */
type State = "waiting" | "open" | PreparedSession;

const SPEAKS_OF_MODEL = /session\.update|response\.create|\\u/;
/** What the provider says to a session that was prompted: it took it, or it did not. */
const VERDICT = /^.{0,200}?"type"\s*:\s*"(session\.updated|error)"/s;

function openTunnel(
  call: Call,
  id: SessionId,
  name: string,
  handshake: Entry,
  upstream: WebSocket,
): WebSocket {
  let state: State = "waiting";
  let entry = handshake;
  let verdict: string | null = null;
  // A session is counted once, when it is over.
  const blame = (asked: Entry): void => {
    entry = asked;
    verdict = "error";
  };

  const prompt = async (text: string): Promise<string[] | Problem> => {
    const event = encodeUtf8(text);
    if (!beginsWork(event)) return [text];
    const found = readClientEvent(event);
    if (isProblem(found)) return found;
    if (found?.isTranscription === true) {
      state = "open";
      return [text];
    }
    const update = found?.type === "session.update" ? found : null;
    const session = update === null ? emptySession(id) : event.slice(update.at.from, update.at.to);
    const decided = await decideSession(call, id, name, session, blame);
    if (isProblem(decided)) return decided;
    const { prepared } = decided;
    verdict = null;
    entry = decided.entry;
    state = prepared;
    const own =
      update === null ? updateEvent(decided.session) : replaceObject(event, update, decided.session);
    const rest = update === null ? repeat(text, found, prepared) : [];
    if (isProblem(rest)) return rest;
    return [...[own, ...prepared.examples].map(textOf), ...rest];
  };

  const tunnel: Tunnel = {
    rewrite(text) {
      if (state === "waiting") return prompt(text);
      if (state === "open" || !SPEAKS_OF_MODEL.test(text)) return [text];
      return repeat(text, readClientEvent(encodeUtf8(text)), state);
    },
    say: (refused) => errorEvent(refused),
    hear(text) {
      if (typeof state === "object") verdict ??= VERDICT.exec(text)?.[1] ?? null;
    },
    end: (ending) => settle(call, entry, verdict === "error" && ending === "ok" ? "error" : ending),
  };
  return joinSockets(upstream, tunnel);
}

/** An event that comes after the session got its version. */
function repeat(
  text: string,
  found: ClientEvent | Problem | null,
  prepared: PreparedSession,
): string[] | Problem {
  if (found === null || isProblem(found)) return found ?? [text];
  if (found.isTranscription) return [text];
  const event = repeatInto(encodeUtf8(text), found, prepared);
  return isProblem(event) ? event : [textOf(event)];
}

function textOf(event: Uint8Array): string {
  return decodeUtf8(event) ?? "";
}

function errorEvent(refused: Problem): string {
  const { error } = JSON.parse(errorBody("openai", refused)) as { error: object };
  return JSON.stringify({ type: "error", event_id: `event_${crypto.randomUUID()}`, error });
}
