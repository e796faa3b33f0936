// A provider of Responses that keeps what it answered, as far as a chain is concerned: every answer has an id of its own,
// whole or streamed, and says which version it was asked with. What it was sent is remembered.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { send, type Answer } from "./rollback-rig.ts";

export type Asked = { body: { [member: string]: unknown }; headers: IncomingMessage["headers"] };

export type ResponsesProvider = {
  url: string;
  asked: Asked[];
  /** Pieces that streams and whole answers are cut into: 0 for none. */
  cutEvery: number;
  stop(): Promise<void>;
};

export async function startResponsesProvider(): Promise<ResponsesProvider> {
  let serial = 0;
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked["body"];
      provider.asked.push({ body, headers: request.headers });
      serial += 1;
      void reply(answer, body, `resp_${process.pid}_${serial}`, provider.cutEvery);
    });
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const provider: ResponsesProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    cutEvery: 0,
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
  return provider;
}

async function reply(
  answer: ServerResponse,
  body: Asked["body"],
  id: string,
  cutEvery: number,
): Promise<void> {
  const { instructions } = body;
  const response = { id, object: "response", status: "completed", instructions, output: [], note: "é 日 🦊" };
  const streams = body["stream"] === true;
  const text = streams
    ? `event: response.created\ndata: ${JSON.stringify({ type: "response.created", response })}\n\n` +
      `event: response.completed\ndata: ${JSON.stringify({ type: "response.completed", response })}\n\n`
    : JSON.stringify(response, null, 2);
  const bytes = Buffer.from(text);
  answer.writeHead(200, {
    "content-type": streams ? "text/event-stream" : "application/json",
    ...(!streams && { "content-length": bytes.length }),
  });
  const step = cutEvery === 0 ? bytes.length : cutEvery;
  for (let at = 0; at < bytes.length; at += step) {
    await new Promise((resolve) => answer.write(bytes.subarray(at, at + step), resolve));
  }
  answer.end();
}

export type Turned = { answer: Answer; version: string; reason: string; id: string };

/** One turn; `previous` null: the first of a chain. */
export async function takeTurn(
  edge: { url: string },
  prompt: string,
  previous: string | null,
  more: object = {},
): Promise<Turned> {
  const input = `${previous === null ? "Hello" : "And then?"} ${Math.random()}`;
  const body = { model: "m", input, ...(previous !== null && { previous_response_id: previous }), ...more };
  const url = `${edge.url}/p/${prompt}/openai/v1/responses`;
  const answer = await send(url, "POST", JSON.stringify(body), { "accept-encoding": "gzip" });
  const [, id = ""] = /"id":\s*"(resp_[^"]+)"/.exec(answer.body) ?? [];
  const { "prompt-version": version, "prompt-reason": reason } = answer.headers;
  return { answer, version: String(version), reason: String(reason), id };
}
