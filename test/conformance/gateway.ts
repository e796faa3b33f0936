// A small gateway on Node that does everything right, made of parts that can be exchanged one by one: what the kit is
// tried on. With no part exchanged it passes every case.

import { once } from "node:events";
import {
  createServer,
  request as callProvider,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { pipeline, type Transform } from "node:stream";
import type { Header } from "../support/http-messages.ts";

export type Parts = {
  urlUp(url: string): string;
  methodUp(method: string): string;
  headersUp(headers: Header[], url: string): Header[];
  /** null: the body goes by as it comes. Else it is collected; `refuse`: the client is told 400. */
  bodyUp: null | ((body: Buffer, contentType: string) => Buffer | "refuse");
  /** Whether to ask again; `status` null: the connection was dropped. */
  asksAgain(status: number | null, attempt: number): boolean;
  followsRedirects: boolean;
  /** 200 is said before the provider has said anything, where a stream is asked for. */
  answersEarly: boolean;
  statusDown(status: number): number;
  headersDown(headers: Header[], answer: IncomingMessage): Header[];
  /** What the answer's body goes through. */
  through(answer: IncomingMessage): Transform | null;
  relay(answer: IncomingMessage, through: Transform | null, outgoing: ServerResponse): void;
  /** The head of a stream waits for its first byte. */
  holdsHead: boolean;
  leavesWithClient: boolean;
  unreachable: { status: number; body: string };
  upgrade: ((incoming: IncomingMessage, client: Socket, port: number) => void) | null;
};

const HOP_BY_HOP =
  /^(connection|keep-alive|proxy-authenticate|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;
const CLIENT_ONLY = /^(cookie|x-forwarded-.*|forwarded|x-real-ip|cf-.*|x-gateway)$/i;
const CREDENTIALS = /^(x-api-key|x-goog-api-key|api-key)$/i;

function namedByConnection(headers: Header[]): Set<string> {
  const values = headers.filter(([name]) => name.toLowerCase() === "connection").map(([, value]) => value);
  return new Set(
    values
      .join(",")
      .toLowerCase()
      .split(/\s*,\s*/),
  );
}

export function cleanUp(headers: Header[], url: string): Header[] {
  const named = namedByConnection(headers);
  const own = url.startsWith("/v1/messages") ? "x-api-key" : "x-goog-api-key";
  const ofOpenai = headers.some(([name]) => name.toLowerCase() === "authorization");
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.test(name) || named.has(lower) || CLIENT_ONLY.test(name) || lower === "host") return false;
    return !CREDENTIALS.test(name) || (lower === own && !ofOpenai);
  });
}

export function cleanDown(headers: Header[]): Header[] {
  const named = namedByConnection(headers);
  return headers.filter(
    ([name]) => !HOP_BY_HOP.test(name) && !named.has(name.toLowerCase()) && !/^set-cookie$/i.test(name),
  );
}

const done = (): void => undefined;

export const RIGHT: Parts = {
  urlUp: (url) => url,
  methodUp: (method) => method,
  headersUp: cleanUp,
  bodyUp: null,
  asksAgain: () => false,
  followsRedirects: false,
  answersEarly: false,
  statusDown: (status) => status,
  headersDown: cleanDown,
  through: () => null,
  relay(answer, through, outgoing) {
    if (through === null) pipeline(answer, outgoing, done);
    else pipeline(answer, through, outgoing, done);
  },
  holdsHead: false,
  leavesWithClient: true,
  // One body that every family reads as its own.
  unreachable: {
    status: 502,
    body: `{"type":"error","error":{"message":"Out of reach.","status":"UNAVAILABLE"}}`,
  },
  upgrade: tunnel,
};

export type Gateway = { url: URL; stop(): Promise<void> };

export async function startGateway(upstreamPort: number, parts: Parts): Promise<Gateway> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => undefined);
    incoming.on("error", () => undefined);
    void serve(incoming, outgoing, upstreamPort, parts);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  const { upgrade } = parts;
  if (upgrade !== null) {
    server.on("upgrade", (incoming, socket: Socket) => upgrade(incoming, socket, upstreamPort));
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  parts: Parts,
): Promise<void> {
  outgoing.sendDate = false;
  const collects = parts.bodyUp !== null || parts.answersEarly || parts.followsRedirects;
  const body = collects ? await collect(incoming) : null;
  const type = incoming.headers["content-type"] ?? "";
  const sent = body === null ? incoming : (parts.bodyUp?.(body, type) ?? body);
  if (sent === "refuse") {
    outgoing.writeHead(400).end();
    return;
  }
  if (parts.answersEarly && body?.includes(`"stream":true`)) {
    outgoing.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  }
  let answer: IncomingMessage | null = null;
  for (let attempt = 1; ; attempt += 1) {
    answer = await ask(incoming, outgoing, sent, port, parts).catch(() => null);
    if (outgoing.destroyed || !parts.asksAgain(answer?.statusCode ?? null, attempt)) break;
  }
  if (outgoing.destroyed) return;
  if (answer === null) {
    const { status, body: words } = parts.unreachable;
    if (!outgoing.headersSent) outgoing.writeHead(status, { "content-type": "application/json" });
    outgoing.end(words);
    return;
  }
  if (!outgoing.headersSent) await sendHead(answer, outgoing, parts);
  parts.relay(answer, parts.through(answer), outgoing);
}

async function sendHead(answer: IncomingMessage, outgoing: ServerResponse, parts: Parts): Promise<void> {
  const headers = parts.headersDown(pairs(answer.rawHeaders), answer);
  const streams = /event-stream/.test(answer.headers["content-type"] ?? "");
  if (parts.holdsHead && streams) await once(answer, "readable");
  outgoing.writeHead(parts.statusDown(answer.statusCode!), headers.flat());
  outgoing.flushHeaders();
}

function ask(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer | IncomingMessage,
  port: number,
  parts: Parts,
): Promise<IncomingMessage> {
  const url = incoming.url!;
  const method = parts.methodUp(incoming.method!);
  const headers: Header[] = [
    ["Host", `127.0.0.1:${port}`],
    ...parts.headersUp(pairs(incoming.rawHeaders), url),
  ];
  const named = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  if (Buffer.isBuffer(body)) {
    named.delete("content-length");
    if (body.length > 0) named.set("content-length", String(body.length));
  }
  const send = (call: ClientRequest) => {
    if (Buffer.isBuffer(body)) call.end(body);
    else body.pipe(call);
    if (parts.leavesWithClient) outgoing.on("close", () => call.destroy());
  };
  return new Promise((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(named), agent: false } as const;
    const call = callProvider({ ...options, port, host: "127.0.0.1", path: parts.urlUp(url) }, (answer) => {
      const { location } = answer.headers;
      if (!parts.followsRedirects || location === undefined) {
        resolve(answer);
        return;
      }
      send(callProvider(location, options, resolve).on("error", reject));
    });
    send(call.on("error", reject));
  });
}

/** The upgrade, and then every byte, both ways. */
function tunnel(incoming: IncomingMessage, client: Socket, port: number): void {
  const provider = dial(incoming, port);
  provider.pipe(client).on("error", () => provider.destroy());
  client.pipe(provider).on("error", () => client.destroy());
}

export function dial(incoming: IncomingMessage, port: number, headers = pairs(incoming.rawHeaders)): Socket {
  const provider = connect(port, "127.0.0.1");
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  provider.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines}\r\n`);
  return provider;
}

export function pairs(raw: string[]): Header[] {
  return raw.flatMap((name, index): Header[] => (index % 2 === 0 ? [[name, raw[index + 1] ?? ""]] : []));
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
