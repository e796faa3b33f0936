// The rig behind the guardrail tests: a provider that does to each version's requests as it is told, load on two edges,
// and what became of the release. Every request is a unit of its own, so that a rollback needs few of them.

import { createServer, type ServerResponse } from "node:http";
import type { HealthView, ReleaseEvent } from "../../src/core/health.ts";
import type { Revision } from "../../src/core/types.ts";
import { until } from "../support/wait.ts";
import { BASELINE_TEXT, callAdmin, CANARY_TEXT, send } from "./rollback-rig.ts";

export type Version = "baseline" | "canary";

/** Of one version's answers. Times are real: keep them short. */
export type Behaviour = {
  status: number;
  /** The share of its answers that `status` is for, if that is an error; all others are good. */
  failing: number;
  /** The times are the least ones: one answer in twenty takes 4.5 times as long or longer, at most twelve times. */
  isLongTailed: boolean;
  /** Until the first event, and until the end. */
  firstTokenMs: number;
  totalMs: number;
  outputTokens: number;
};

const GOOD: Behaviour = {
  status: 200,
  failing: 1,
  isLongTailed: false,
  firstTokenMs: 12,
  totalMs: 24,
  outputTokens: 100,
};

/** `sentAtMs`: when its chat set out, so before it was assigned a version; `atMs`: when it was here, which may be much later
 * where the machine is busy. */
export type Dispatch = {
  sentAtMs: number;
  atMs: number;
  prompt: string;
  version: Version;
  status: number;
};

export type Provider = {
  url: string;
  dispatches: Dispatch[];
  /** For the prompt of that name, until told otherwise. */
  behave(prompt: string, of: { [version in Version]?: Partial<Behaviour> }): void;
  stop(): Promise<void>;
};

export async function startProvider(): Promise<Provider> {
  const dispatches: Dispatch[] = [];
  const told = new Map<string, { [version in Version]?: Partial<Behaviour> }>();
  const asked = new Map<string, number>();
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const [, prompt = "", sentAt] = /from:([^:\s]+):(\d+):/.exec(text) ?? [];
      const version = text.includes(CANARY_TEXT)
        ? "canary"
        : text.includes(BASELINE_TEXT)
          ? "baseline"
          : null;
      if (version === null) return void answer.writeHead(400).end("no prompt in it");
      const turn = (asked.get(`${prompt} ${version}`) ?? 0) + 1;
      asked.set(`${prompt} ${version}`, turn);
      const behaviour = vary({ ...GOOD, ...told.get(prompt)?.[version] }, turn);
      const { status } = behaviour;
      dispatches.push({ sentAtMs: Number(sentAt), atMs: Date.now(), prompt, version, status });
      void play(answer, behaviour);
    });
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    dispatches,
    behave: (prompt, of) => void told.set(prompt, of),
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

/** No two answers are alike; the shares of those that fail and of those that are slow are the same in every stretch. */
function vary(behaviour: Behaviour, turn: number): Behaviour {
  const { failing, isLongTailed, firstTokenMs, totalMs, outputTokens } = behaviour;
  const slower = isLongTailed ? Math.min(12, (1 - spread(turn, Math.SQRT2)) ** -0.5) : 1;
  return {
    ...behaviour,
    status: spread(turn, Math.sqrt(3)) < failing ? behaviour.status : 200,
    firstTokenMs: firstTokenMs * slower,
    totalMs: totalMs * slower,
    outputTokens: Math.round(outputTokens * (0.8 + 0.4 * spread(turn, GOLDEN))),
  };
}

const GOLDEN = 0.618_033_988_749_895;

/** From 0 to 1, evenly spread over the turns whatever stretch of them is looked at. */
function spread(turn: number, step: number): number {
  return (turn * step) % 1;
}

async function play(answer: ServerResponse, behaviour: Behaviour): Promise<void> {
  const { status, firstTokenMs, totalMs, outputTokens } = behaviour;
  if (status !== 200) {
    await pass(firstTokenMs);
    answer.writeHead(status, { "content-type": "application/json" });
    return void answer.end(`{"error":{"message":"as told","type":"server_error"}}`);
  }
  answer.writeHead(200, { "content-type": "text/event-stream" });
  await pass(firstTokenMs);
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "gpt-5.4-mini" };
  const write = (rest: object) => answer.write(`data: ${JSON.stringify({ ...head, ...rest })}\n\n`);
  write({ choices: [{ index: 0, delta: { role: "assistant", content: "Hello" }, finish_reason: null }] });
  await pass(totalMs - firstTokenMs);
  write({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  const usage = { prompt_tokens: 200, completion_tokens: outputTokens, total_tokens: 200 + outputTokens };
  write({ choices: [], usage });
  answer.end("data: [DONE]\n\n");
}

function pass(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}

let serial = 0;

/** A stream, as chats are, with its usage at the end. */
function chat(edge: { name: string; url: string }, prompt: string) {
  serial += 1;
  const messages = [{ role: "user", content: `from:${prompt}:${Date.now()}:${edge.name}:${serial}` }];
  const body = { model: "gpt-5.4-mini", stream: true, stream_options: { include_usage: true }, messages };
  return send(`${edge.url}/p/${prompt}/openai/v1/chat/completions`, "POST", JSON.stringify(body), {});
}

/** Version 1 as the baseline, version 2 with `weight` percent, every request a unit of its own. */
export async function createRollout(adminUrl: string, prompt: string, weight: number): Promise<void> {
  const path = `/admin/prompts/${prompt}`;
  await callAdmin(adminUrl, "PUT", path, { unit: "request" });
  for (const system of [BASELINE_TEXT, CANARY_TEXT]) {
    await callAdmin(adminUrl, "POST", `${path}/versions`, { system });
  }
  await callAdmin(adminUrl, "POST", `${path}/canary`, { version: 2, weight, transition: "now" });
}

/** Keeps chats going on every edge until it is stopped. One without an answer ends them all: whatever waits for what they
 * bring about throws its error, and so does `stop`. */
export function startChats(edges: { name: string; url: string }[], prompt: string, loops = 3) {
  const state = { running: true, answered: 0, failure: null as Error | null };
  const loop = async (edge: { name: string; url: string }) => {
    while (state.running) {
      try {
        await chat(edge, prompt);
        state.answered += 1;
      } catch (error) {
        state.running = false;
        state.failure ??= new Error(`a chat of ${prompt} by ${edge.name} failed: ${String(error)}`);
      }
    }
  };
  const all = edges.flatMap((edge) => Array.from({ length: loops }, () => loop(edge)));
  return {
    answered: () => state.answered,
    /** As `until` elsewhere; throws at once when the chats have ended. */
    until: async <Value>(look: () => Value | Promise<Value>, deadlineMs: number, what: string) => {
      const seen = await until(async () => state.failure ?? (await look()), deadlineMs, what);
      if (state.failure !== null) throw state.failure;
      return seen as Exclude<Value, false | null | undefined>;
    },
    stop: async () => {
      state.running = false;
      await Promise.all(all);
      if (state.failure !== null) throw state.failure;
    },
  };
}

export type Chats = ReturnType<typeof startChats>;

/** The prompt over the API, while `chats` go on. */
export function connect(adminUrl: string, prompt: string, chats: Chats) {
  const read = <Body>(rest: string) => callAdmin<Body>(adminUrl, "GET", `/admin/prompts/${prompt}/${rest}`);
  return {
    health: () => read<HealthView>("health"),
    events: async () => (await read<{ events: ReleaseEvent[] }>("events")).events,
    revisions: async () => (await read<{ revisions: Revision[] }>("revisions")).revisions,
    untilRolledBack: (deadlineMs = 30_000) =>
      chats.until(
        async () => {
          const { revisions } = await read<{ revisions: Revision[] }>("revisions");
          return revisions.find(({ action }) => action === "rollback");
        },
        deadlineMs,
        `${prompt} is rolled back`,
      ),
  };
}
