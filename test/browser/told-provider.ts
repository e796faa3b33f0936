// A provider that does what the prompt's own text tells it ("Behave: {…}"), so that a test decides by a version's content
// how that version does. Speaks Chat Completions, streamed, with its usage at the end.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Of one version. */
export type Behaviour = {
  /** Of the answers that fail, 0 to 1; which ones is a fixed sequence. */
  failing: number;
  /** As the answer names it: prices are looked up by it. */
  model: string;
  outputTokens: number;
  totalMs: number;
};

const USUAL: Behaviour = { failing: 0, model: "llama-3.3-70b-versatile", outputTokens: 100, totalMs: 8 };

/** The text of a version. */
export function behave(behaviour: Partial<Behaviour>): string {
  return `Behave: ${JSON.stringify(behaviour)}`;
}

export async function startToldProvider(): Promise<{ url: string; stop(): Promise<void> }> {
  let served = 0;
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      served += 1;
      // Evenly spread, and no two answers in a row alike.
      const chance = (served * 0.618_033_988_749_895) % 1;
      void play(answer, readBehaviour(Buffer.concat(chunks).toString()), chance);
    });
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

function readBehaviour(body: string): Behaviour {
  const { messages } = JSON.parse(body) as { messages: { content: string }[] };
  const told = messages.map(({ content }) => /Behave: (\{.*\})/.exec(content)?.[1]).find(Boolean);
  return { ...USUAL, ...(told === undefined ? {} : (JSON.parse(told) as Partial<Behaviour>)) };
}

async function play(answer: ServerResponse, behaviour: Behaviour, chance: number): Promise<void> {
  const { failing, model, outputTokens, totalMs } = behaviour;
  if (chance < failing) {
    answer.writeHead(500, { "content-type": "application/json" });
    return void answer.end(`{"error":{"message":"as told","type":"server_error"}}`);
  }
  const some = 0.8 + 0.4 * chance;
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model };
  const write = (rest: object) => answer.write(`data: ${JSON.stringify({ ...head, ...rest })}\n\n`);
  await pass((totalMs * some) / 2);
  write({ choices: [{ index: 0, delta: { role: "assistant", content: "Hello" }, finish_reason: null }] });
  await pass((totalMs * some) / 2);
  write({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  const tokens = Math.round(outputTokens * some);
  write({
    choices: [],
    usage: { prompt_tokens: 200, completion_tokens: tokens, total_tokens: 200 + tokens },
  });
  answer.end("data: [DONE]\n\n");
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
