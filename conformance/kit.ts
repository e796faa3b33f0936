// What a case is and what it has to work with. A case is a plain object; it acts on both sides of the gateway through
// `Kit` and returns a verdict as a value.

import type { Header, RecordedRequest, RecordedResponse } from "../test/support/http-messages.ts";
import type { Bell } from "./bell.ts";
import { type RawClient, sendRequest } from "./client.ts";
import type { Shape, ShapeName } from "./shapes.ts";
import type { Call, Reply, Upstream } from "./upstream.ts";

/** One way through the gateway: a wire shape under a mount. */
export type Route = {
  /** `chat`, or `chat+prompt` where the gateway puts text into the body. */
  name: string;
  shape: Shape;
  /** What stands before the provider's own path. */
  base: string;
  /** What this gateway must be told, credentials replaced by the user's own included. */
  headers: Header[];
  injects: boolean;
};

export type Kit = {
  target: URL;
  route: Route;
  upstream: Upstream;
  /** Another host, which nothing may call. */
  elsewhere: Upstream;
  bell: Bell;
  /** The kit gives up waiting after this. */
  deadlineMs: number;
  /** How long the provider thinks in the case of slow headers. */
  slowMs: number;
  /** Where nothing was taken for this long, it stalls. */
  stallMs: number;
  /** Headers that are meant for the gateway alone. */
  ownHeaders: Header[];
  /** Clients of the running case, closed when it ends. */
  clients: RawClient[];
};

export type Verdict = { result: "pass" | "fail" | "skipped"; seen: string };

export type Group = "streaming" | "fidelity" | "headers" | "errors" | "websocket";

export type Case = {
  name: string;
  group: Group;
  /** One line: what holds where it passes. */
  guards: string;
  /** One line: who is hurt where it fails, and where that is laid down or was seen. */
  why: string;
  /** Shapes that it is run on. */
  on: readonly ShapeName[];
  /** `never`: its request is none that a gateway would put text into. */
  injecting: "too" | "never";
  run(kit: Kit): Promise<Verdict>;
};

export const EVERY_SHAPE: readonly ShapeName[] = ["chat", "responses", "messages", "gemini"];

export const pass = (seen: string): Verdict => ({ result: "pass", seen });
export const fail = (seen: string): Verdict => ({ result: "fail", seen });
export const skip = (seen: string): Verdict => ({ result: "skipped", seen });

/** The first thing that is wrong, else a pass. */
export function judge(seen: string, ...wrongs: (string | null)[]): Verdict {
  const wrong = wrongs.find((each) => each !== null);
  return wrong === undefined || wrong === null ? pass(seen) : fail(wrong);
}

export type Ask = {
  method?: string;
  /** The provider's own path; the shape's turn unless given. */
  path?: string;
  /** Beside what the shape and the gateway need; one of the same name replaces theirs. */
  headers?: Header[];
  /** The shape's turn unless given; null: none. */
  body?: string | Buffer | null;
  streaming?: boolean;
};

/** A turn of the route's shape; `more` are fields as JSON text, without a comma. */
export function turnBody(kit: Kit, streaming = false, more = ""): string {
  const { turn, streamField } = kit.route.shape;
  const fields = [turn, streaming ? streamField : "", more].filter((part) => part !== "");
  return `${fields.join(",")}}`;
}

/** Sends a request to the gateway on a connection of its own. */
export function ask(kit: Kit, { method, path, headers = [], body, streaming = false }: Ask = {}): RawClient {
  const { route, target, bell } = kit;
  const sent = body === undefined ? turnBody(kit, streaming) : body;
  const typed: Header[] = sent === null ? [] : [["Content-Type", "application/json"]];
  const standing = [...typed, ["Accept", "*/*"] satisfies Header, ...route.shape.headers];
  const request = {
    method: method ?? (sent === null ? "GET" : "POST"),
    path: route.base + (path ?? route.shape.path(streaming)),
    headers: [standing, route.headers, headers].reduce(replaceByName),
    body: sent === null ? null : Buffer.from(sent),
  };
  const client = sendRequest(target, request, bell);
  kit.clients.push(client);
  return client;
}

/** What an ordinary provider says, so that a gateway that reads answers has nothing to object to. */
export function ordinaryReply(kit: Kit): Reply {
  return { headers: [["Content-Type", "application/json"]], body: kit.route.shape.answer("Here it is.") };
}

function replaceByName(before: Header[], after: Header[]): Header[] {
  const replaced = new Set(after.map(([name]) => name.toLowerCase()));
  return [...before.filter(([name]) => !replaced.has(name.toLowerCase())), ...after];
}

/** The first call that the gateway makes, whole; null when there is none in time. */
export function firstCall(kit: Kit): Promise<Call | null> {
  return kit.bell.waitFor(
    () => kit.upstream.calls().find((call) => call.request().complete) ?? null,
    kit.deadlineMs,
  );
}

export type Crossing = {
  /** Every request that the provider got, in order. */
  up: RecordedRequest[];
  down: RecordedResponse | null;
  client: RawClient;
};

/** One request, with every call that it leads to answered alike; returns when the client has its answer, or gave up. */
export async function cross(kit: Kit, asked: Ask, reply: Reply | "cut"): Promise<Crossing> {
  kit.upstream.answerWith(reply);
  const client = ask(kit, asked);
  await answered(kit, client);
  return { up: kit.upstream.calls().map((call) => call.request()), down: client.response(), client };
}

/** Waits until the client has a whole answer, or the gateway has closed on it. */
export async function answered(kit: Kit, client: RawClient): Promise<boolean> {
  await kit.bell.waitFor(() => client.response()?.complete === true || client.closed(), kit.deadlineMs);
  return client.response()?.complete === true;
}
