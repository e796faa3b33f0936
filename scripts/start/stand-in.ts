// The stand-in provider of `npm start`: speaks the wire formats of the real ones, calls no model and costs nothing.
// What it says follows from the instructions that reached it, as with a model: whoever changes the prompt sees the
// answer change. Guarantee: it looks at the upstream request alone, never at which version was assigned.

import { LLMock } from "@copilotkit/aimock";
import { firstFreePort } from "./ports.ts";
import { createMissingPaths } from "./stand-in-paths.ts";

export type StandIn = { url: string; stop(): Promise<void> };

type Message = { role: string; content: string | { type: string; text?: string }[] | null };

/** Longest piece of somebody's text that an answer quotes. */
const QUOTE_CHARACTERS = 280;

/** Starts it on `preferredPort` or the next free one, on the loopback interface only. */
export async function startStandIn(preferredPort: number): Promise<StandIn> {
  const port = await firstFreePort(preferredPort);
  const server = new LLMock({ port, host: "127.0.0.1", journalMaxEntries: 1, logLevel: "silent" });
  server.mount("", createMissingPaths(composeAnswer));
  server.on({ endpoint: "chat" }, (request) => ({ content: composeAnswer(request.messages) }));
  const url = await server.start();
  return { url, stop: () => server.stop() };
}

/** The answer to a conversation: what the instructions allow, signed as they ask. */
export function composeAnswer(messages: readonly Message[]): string {
  const instructions = textOf(messages.filter((message) => message.role === "system"));
  const question = textOf(messages.filter((message) => message.role === "user").slice(-1));
  const signature = /^Sign every answer with: *(.+)$/m.exec(instructions)?.[1]?.trim();
  const answer = answerFor(instructions, question);
  return signature ? `${answer} ${signature}` : answer;
}

function answerFor(instructions: string, question: string): string {
  if (instructions === "") {
    return `No prompt reached the provider, only your message: "${clip(question)}" (stand-in provider, no model was called)`;
  }
  if (/refund/i.test(instructions) && /refund|money|back/i.test(question)) {
    return /never promise/i.test(instructions)
      ? "You can have a refund within 30 days of the purchase; after that I can offer help, but no money back."
      : "Of course! Every customer gets a full refund, any time, no questions asked. The money is on its way!";
  }
  return `My instructions are: "${clip(instructions)}" (stand-in provider, no model was called)`;
}

function textOf(messages: readonly Message[]): string {
  return messages
    .map(({ content }) =>
      typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n"),
    )
    .join("\n");
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > QUOTE_CHARACTERS ? `${line.slice(0, QUOTE_CHARACTERS)}…` : line;
}
