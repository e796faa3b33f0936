// Runs the tables of the header audit: all requests at once, each told by its `X-Case`, with taps on both sides of the
// Worker. What is handed out is what went over the wire.

import { connect } from "node:net";
import { connectAdmin } from "../support/admin.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { sendRaw, type RawRequest } from "../support/raw.ts";
import { type Exchange, startTap, type Tap } from "../support/tap.ts";
import { startUpstream, type Script, type Upstream, type UpstreamRequest } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { OUTCOMES, PLAIN, PROMPT, SHIELDED, type Edge, type Outcome } from "./header-audit-outcomes.ts";
import {
  ALWAYS_DOWN,
  ALWAYS_UP,
  bodyOf,
  credentialsOf,
  heldBy,
  NEVER_DOWN,
  NEVER_UP,
  ROWS,
  secretName,
  SYSTEM,
  WIRE,
  type Row,
  type Sent,
} from "./header-audit-table.ts";

/** `own`: signs for Bedrock, has an AI binding and takes nobody without a key. */
const EDGES = ["reaching", "stranded", "impatient", "own"] as const;
const FIRST_BYTE_TIMEOUT_MS = 300;
const AT_ONCE = 24;
/** What the key for another provider is for. */
const OTHER = "mistral";

export const AWS = { id: "AKIA-held-by-AWS", secret: "secret-held-by-AWS", session: "session-held-by-AWS" };

export type Audit = {
  cluster: Cluster;
  upstream: Upstream;
  taps: { [edge in Edge | "own"]: Tap };
  keys: { good: string; elsewhere: string; unknown: string; token: string };
  stop(): Promise<void>;
};

export async function startAudit(): Promise<Audit> {
  const upstream = await startUpstream();
  const names = [...new Set(Object.values(ROWS).map(({ provider }) => provider))];
  const behind = (url: string) =>
    Object.fromEntries(names.map((name) => [`UPSTREAM_${secretName(name)}`, url]));
  const held = Object.fromEntries(names.map((name) => [`${secretName(name)}_API_KEY`, heldBy(name)]));
  const cluster = await startCluster({
    edges: EDGES.length,
    edgeVars: [
      { ...held, ...behind(upstream.url) },
      { ...held, ...behind("http://127.0.0.1:1") },
      { ...held, ...behind(upstream.url), FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS) },
      {
        REQUIRE_KEY: "true",
        UPSTREAM_BEDROCK: upstream.url,
        AWS_ACCESS_KEY_ID: AWS.id,
        AWS_SECRET_ACCESS_KEY: AWS.secret,
        AWS_SESSION_TOKEN: AWS.session,
        AWS_REGION: "us-east-1",
      },
    ],
    edgeAi: [undefined as never, undefined as never, undefined as never, upstream.url],
  });
  const taps = await Promise.all(
    cluster.edges.map(async ({ port }, index) => {
      return [EDGES[index]!, await startTap(port, { resetOnLeave: true })] as const;
    }),
  );
  const stop = async () => {
    await Promise.all(taps.map(([, tap]) => tap.stop()));
    await cluster.stop();
    await upstream.stop();
  };
  const byEdge = Object.fromEntries(taps) as Audit["taps"];
  return { cluster, upstream, taps: byEdge, keys: await prepare(cluster), stop };
}

async function prepare({ control }: Cluster): Promise<Audit["keys"]> {
  const admin = connectAdmin(control.url);
  const variables = { name: { type: "string", default: "" } };
  for (const prompt of [PROMPT, SHIELDED]) {
    await admin.put(prompt);
    await admin.push(prompt, { system: `${SYSTEM} {{name}}`, variables });
  }
  await admin.put(PLAIN);
  await admin.push(PLAIN, { system: SYSTEM });
  await admin.push(SHIELDED, { system: `${SYSTEM}, the second`, variables });
  await admin.canary(SHIELDED, 2, 100, { transition: "now" });
  const mint = async (path: string, body: object) =>
    (await admin.call<{ key: string; token: string }>("POST", `/admin/${path}`, body)).body;
  const { key: good } = await mint("keys", { name: "app" });
  const { key: elsewhere } = await mint("keys", { name: "other", providers: [OTHER] });
  const { token } = await mint("tokens", { name: "pipeline", role: "viewer" });
  return { good, elsewhere, unknown: `sb_${"x".repeat(43)}`, token };
}

// ── the sweep ───────────────────────────────────────────────────────────────────────────────────────────────────

export type Mount = "passed through" | "prompted";

export type Case = {
  id: string;
  label: string;
  row: Row;
  mount: Mount;
  outcome: Outcome;
  sent: Sent;
  url: string;
  /** What the provider is to be asked. */
  target: string;
};

/** One request, as the client had it, and what went up for it. */
export type Crossing = { down: Exchange; up: Exchange[] };

export function casesOf(row: Row, mount: Mount, key: string | null, keys: Audit["keys"]): Case[] {
  return Object.entries(OUTCOMES).flatMap(([label, outcome]) => {
    if (outcome.needsPrompt === true && mount !== "prompted") return [];
    if (outcome.key !== undefined && (key === null || row.provider === OTHER)) return [];
    const sent = credentialsOf(row, outcome.key === undefined ? key : keys[outcome.key]);
    const path = outcome.streams === true ? row.streamPath : row.path;
    const id = String(++made);
    const name = encodeURIComponent(outcome.prompt ?? PROMPT);
    const url = `${mount === "prompted" ? `/p/${name}` : ""}/${row.provider}${withQuery(path, sent.query)}`;
    return [{ id, label, row, mount, outcome, sent, url, target: withQuery(path, sent.keptQuery) }];
  });
}

let made = 0;

export function withQuery(path: string, query: string | null): string {
  if (query === null) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${query}`;
}

/** Sends all of them, some at a time; resolves when every client has been answered. */
export async function sweep({ upstream, taps }: Audit, cases: Case[]): Promise<Map<string, Crossing>> {
  const byId = new Map(cases.map((each) => [each.id, each]));
  const attempts = new Map<string, number>();
  upstream.play((request) => {
    const id = headerOf(request, "x-case") ?? "";
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    return byId.get(id)?.outcome.answer?.(attempt, answerHeaders(request)) ?? { status: 599 };
  });
  const waiting = [...cases];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await sendRaw(taps[next.outcome.edge ?? "reaching"].port, requestOf(next));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const down = byCase(Object.values(taps).flatMap((tap) => tap.exchanges()));
  const up = byCase(upstream.exchanges());
  return new Map(
    cases.map(({ id }) => [id, { down: down.get(id)![0]!, up: up.get(id) ?? [] }] as [string, Crossing]),
  );
}

export function requestOf({ id, row, mount, outcome, sent, url }: Case): RawRequest {
  const named: Header[] =
    mount === "passed through" && outcome.prompt !== undefined ? [["Prompt-Name", outcome.prompt]] : [];
  const headers: Header[] = [
    ["Content-Type", "application/json"],
    ["X-Case", id],
    ...NEVER_UP,
    ...ALWAYS_UP,
    ...named,
    ...(outcome.headers ?? []),
    ...sent.headers,
  ];
  return { url, headers, body: bodyOf(row, outcome) };
}

/** Every header of the request, under its own name, and those that a provider may or should not send. */
export function answerHeaders({ headers }: UpstreamRequest): Header[] {
  const echoed = headers.filter(([name]) => !WIRE.has(name.toLowerCase()) && !/^accept-enc/i.test(name));
  return [...echoed, ...NEVER_DOWN, ...ALWAYS_DOWN];
}

function byCase(exchanges: Exchange[]): Map<string, Exchange[]> {
  const found = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    const id = headerOf(exchange.request, "x-case") ?? "";
    found.set(id, [...(found.get(id) ?? []), exchange]);
  }
  return found;
}

// ── single requests ─────────────────────────────────────────────────────────────────────────────────────────────

/** One request through one edge, and its answer. */
export async function cross(
  { upstream, taps }: Audit,
  edge: Edge | "own",
  request: RawRequest,
  script: Script,
): Promise<Crossing> {
  taps[edge].clear();
  upstream.play(script);
  await sendRaw(taps[edge].port, request);
  const down = await until(() => taps[edge].exchanges().find(({ response }) => response !== null));
  return { down, up: upstream.exchanges() };
}

/** Sends one request and leaves once it `isTime`: what both sides saw by then. */
export async function leaveWhen(
  { upstream, taps }: Audit,
  { url, method = "POST", headers = [], body = "" }: RawRequest,
  script: Script,
  isTime: (crossing: { down: Exchange | null; up: Exchange[] }) => boolean,
): Promise<Crossing> {
  taps.reaching.clear();
  upstream.play(script);
  const socket = connect(taps.reaching.port, "127.0.0.1");
  socket.on("error", () => undefined);
  const all: Header[] = [["Host", "proxy.test"], ...headers];
  if (method === "POST") all.push(["Content-Length", String(Buffer.byteLength(body))]);
  const lines = [`${method} ${url} HTTP/1.1`, ...all.map(([name, value]) => `${name}: ${value}`)];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.write(body);
  socket.resume();
  const seen = await until(() => {
    const look = { down: taps.reaching.exchanges()[0] ?? null, up: upstream.exchanges() };
    return isTime(look) && look;
  });
  socket.resetAndDestroy();
  return { down: seen.down!, up: seen.up };
}
