// The rig behind the rollback tests: a provider that notes when a request of which version reached it, load on every
// edge, and one rollback measured from its answer to the last canary that was dispatched anywhere.

import { Agent, createServer, request, type Server } from "node:http";
import { ADMIN_TOKEN } from "../support/cluster.ts";
import { until } from "../support/wait.ts";

export const BASELINE_TEXT = "You are the baseline.";
export const CANARY_TEXT = "You are the canary.";

/** `prompt` by the marker that the load puts into its user messages. */
export type Dispatch = {
  atMs: number;
  prompt: string;
  edge: string;
  version: "baseline" | "canary" | "none";
};

export type Provider = { url: string; dispatches: Dispatch[]; stop(): Promise<void> };

/** Notes each request as soon as its body is whole. */
export async function startProvider(): Promise<Provider> {
  const dispatches: Dispatch[] = [];
  const server: Server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const [, prompt = "", edge = ""] = /from:(\S+):(\S+):/.exec(text) ?? [];
      const version = text.includes(CANARY_TEXT)
        ? "canary"
        : text.includes(BASELINE_TEXT)
          ? "baseline"
          : "none";
      dispatches.push({ atMs: Date.now(), prompt, edge, version });
      answer.writeHead(200, { "content-type": "application/json" });
      answer.end(`{"id":"x","object":"chat.completion","choices":[]}`);
    });
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    dispatches,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };
export type Turn = { role: string; content: string };

const agent = new Agent({ keepAlive: true, maxSockets: 512 });
let serial = 0;
/** Chats sent per prompt, for tests that count. */
export const chatsSent = new Map<string, number>();

/** One chat through an edge; a first message that nobody has sent before, unless `messages` are given. */
export function chat(
  edge: { name: string; url: string },
  prompt: string,
  messages?: Turn[],
): Promise<Answer> {
  serial += 1;
  chatsSent.set(prompt, (chatsSent.get(prompt) ?? 0) + 1);
  const content = `from:${prompt}:${edge.name}:${serial}`;
  const body = JSON.stringify({ model: "m", messages: messages ?? [{ role: "user", content }] });
  return send(`${edge.url}/p/${prompt}/openai/v1/chat/completions`, "POST", body, {});
}

export function send(
  url: string,
  method: string,
  body: string,
  headers: Record<string, string>,
  through: Agent = agent,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method,
        agent: through,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...headers,
        },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => (text += chunk));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
        answer.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

export async function callAdmin<Body>(
  url: string,
  method: string,
  path: string,
  body: object = {},
): Promise<Body> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const answer = await send(`${url}${path}`, method, method === "GET" ? "" : JSON.stringify(body), headers);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as Body;
}

export async function createPrompt(adminUrl: string, prompt: string): Promise<void> {
  await callAdmin(adminUrl, "PUT", `/admin/prompts/${prompt}`);
  for (const system of [BASELINE_TEXT, CANARY_TEXT]) {
    await callAdmin(adminUrl, "POST", `/admin/prompts/${prompt}/versions`, { system });
  }
}

type Edge = { name: string; url: string };

export type Load = { stop(): Promise<void>; failures: string[] };

/** Keeps one request going per edge and prompt until stopped. */
export function startLoad(edges: Edge[], prompts: string[], loops = 2): Load {
  const state = { running: true };
  const failures: string[] = [];
  const loop = async (edge: Edge, offset: number) => {
    for (let turn = offset; state.running; turn += 1) {
      const prompt = prompts[turn % prompts.length] ?? "";
      await chat(edge, prompt).then(
        ({ status, body }) => void (status === 200 || failures.push(`${status} ${body.slice(0, 200)}`)),
        (error: unknown) => void failures.push(String(error)),
      );
    }
  };
  const all = edges.flatMap((edge, index) =>
    Array.from({ length: loops }, (_, extra) => loop(edge, index + extra * 3)),
  );
  return {
    failures,
    stop: async () => {
      state.running = false;
      await Promise.all(all);
    },
  };
}

export type RollbackBody = {
  revision: number;
  from: number;
  to: number;
  committedAt: string;
  enforcedBy: string;
};
/** Times in ms after the rollback's answer; `lastMs` 0 when no canary was dispatched after it. */
export type Measured = { lastMs: number; late: Dispatch[]; boundMs: number; answer: RollbackBody };

/** Sets a canary, waits until every edge serves it, rolls back, and looks until well after `enforcedBy`. */
export async function measureRollback(
  rig: { adminUrl: string; edges: Edge[]; provider: Provider; prompt: string },
  acts: { beforeRollback?: () => Promise<void>; afterAnswer?: () => Promise<void> } = {},
): Promise<Measured> {
  const { adminUrl, edges, provider, prompt } = rig;
  const base = `/admin/prompts/${prompt}`;
  const sinceMs = Date.now();
  await callAdmin(adminUrl, "POST", `${base}/canary`, { version: 2, weight: 50, transition: "now" });
  const everywhere = () => {
    const served = provider.dispatches.filter(({ atMs, version }) => atMs >= sinceMs && version === "canary");
    const own = new Set(served.filter((dispatch) => dispatch.prompt === prompt).map(({ edge }) => edge));
    return edges.every(({ name }) => own.has(name));
  };
  await until(everywhere, 15_000, `every edge serves the canary of ${prompt}`);
  await acts.beforeRollback?.();
  const answer = await callAdmin<RollbackBody>(adminUrl, "POST", `${base}/rollback`, { reason: "test" });
  const answeredAtMs = Date.now();
  await acts.afterAnswer?.();
  const enforcedByMs = Date.parse(answer.enforcedBy);
  await until(() => Date.now() > enforcedByMs + 1_000, 20_000, "a second past the bound");
  const canaries = provider.dispatches.filter((one) => one.prompt === prompt && one.version === "canary");
  const after = canaries.filter(({ atMs }) => atMs > answeredAtMs);
  return {
    lastMs: Math.max(0, ...after.map(({ atMs }) => atMs - answeredAtMs)),
    late: canaries.filter(({ atMs }) => atMs > enforcedByMs),
    boundMs: enforcedByMs - answeredAtMs,
    answer,
  };
}

export function describeTimes(name: string, values: number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return `${name}: ${sorted.length} rollbacks, last canary after the answer p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
