// A gateway with one defect: a small Node proxy that is right but for what it is told to do wrong. The kit has to find
// every defect, and to find nothing where there is none.

import { once } from "node:events";
import {
  createServer,
  request as call,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

export type Defect =
  | "none"
  | "buffers"
  | "ends cleanly"
  | "lets go of nobody"
  | "rewrites bodies"
  | "rewrites answers"
  | "drops unknown headers"
  | "drops hints"
  | "sends cookies up"
  | "sends cookies down"
  | "sends its own headers up"
  | "retries"
  | "wraps errors"
  | "decodes paths"
  | "follows redirects"
  | "invents DONE"
  | "takes no WebSockets";

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const CLIENT_ONLY = ["cookie", "x-forwarded-for", "forwarded", "x-real-ip", "via", "x-gateway"];
const FOREIGN = ["x-api-key", "x-goog-api-key", "api-key"];

export type Gateway = { url: URL; stop(): Promise<void> };

export async function startBrokenGateway(upstreamPort: number, defect: Defect): Promise<Gateway> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => undefined);
    void forward(incoming, outgoing, upstreamPort, defect);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  if (defect !== "takes no WebSockets") {
    server.on("upgrade", (incoming, socket: Socket, head) => tunnel(incoming, socket, head, upstreamPort));
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

async function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  defect: Defect,
): Promise<void> {
  const body = await readAll(incoming).catch(() => null);
  if (body === null) return;
  const sent = defect === "rewrites bodies" ? rewrite(body) : body;
  const attempts = defect === "retries" ? 2 : 1;
  let answer: IncomingMessage | null = null;
  for (let attempt = 0; attempt < attempts && (answer === null || answer.statusCode! >= 429); attempt += 1) {
    answer = await ask(incoming, outgoing, sent, port, defect).catch(() => null);
  }
  if (outgoing.destroyed) return;
  if (answer === null) {
    outgoing.writeHead(502, { "content-type": "application/json" });
    outgoing.end(
      '{"type":"error","error":{"message":"The provider is out of reach.","type":"x","status":"X","code":502}}',
    );
    return;
  }
  await respond(answer, outgoing, defect);
}

function ask(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
  port: number,
  defect: Defect,
): Promise<IncomingMessage> {
  const path = defect === "decodes paths" ? decodeURI(decodeURIComponent(incoming.url!)) : incoming.url!;
  const headers = headersUp(incoming, defect);
  if (body.length > 0) headers.push("Content-Length", String(body.length));
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      port,
      host: "127.0.0.1",
      method: incoming.method!,
      path,
      headers,
      agent: false,
    };
    const upstream = call(options, (answer) => {
      const location = answer.headers.location;
      if (defect !== "follows redirects" || location === undefined) return resolve(answer);
      answer.resume();
      const again = call(location, { method: incoming.method!, headers, agent: false }, resolve);
      again.on("error", reject).end(body);
      return undefined;
    });
    upstream.on("error", reject);
    if (defect !== "lets go of nobody") outgoing.on("close", () => upstream.destroy());
    upstream.end(body);
  });
}

function headersUp({ rawHeaders, headers, socket }: IncomingMessage, defect: Defect): string[] {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const own = headers["x-api-key"] !== undefined && headers["authorization"] === undefined ? "x-api-key" : "";
  const gemini =
    headers["x-goog-api-key"] !== undefined && headers["authorization"] === undefined && own === "";
  const out: string[] = ["Host", `127.0.0.1:${socket.localPort}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index]!, rawHeaders[index + 1]!];
    const lower = name.toLowerCase();
    if (["host", "content-length", ...HOP_BY_HOP, ...named].includes(lower)) continue;
    if (CLIENT_ONLY.includes(lower) && !(defect === "sends cookies up" && lower === "cookie")) {
      if (!(defect === "sends its own headers up" && lower === "x-gateway")) continue;
    }
    if (FOREIGN.includes(lower) && lower !== own && !(gemini && lower === "x-goog-api-key")) continue;
    if (defect === "drops unknown headers" && !/^(content-|accept|authorization|x-|anthropic-v)/.test(lower))
      continue;
    out.push(name, value);
  }
  return out;
}

async function respond(answer: IncomingMessage, outgoing: ServerResponse, defect: Defect): Promise<void> {
  const status = answer.statusCode!;
  if (defect === "wraps errors" && status >= 400) {
    answer.resume();
    outgoing
      .writeHead(502, { "content-type": "application/json" })
      .end('{"error":{"message":"bad gateway"}}');
    return;
  }
  outgoing.sendDate = false;
  outgoing.writeHead(status, headersDown(answer, defect));
  outgoing.flushHeaders();
  const rewrites = defect === "rewrites answers" && /json/.test(answer.headers["content-type"] ?? "");
  if (defect === "buffers" || rewrites) {
    const body = await readAll(answer).catch(() => Buffer.alloc(0));
    outgoing.end(rewrites ? rewrite(body) : body);
    return;
  }
  answer.on("error", () => {
    if (defect === "ends cleanly") outgoing.end();
    else outgoing.destroy();
  });
  answer.on("data", (bytes) => {
    if (!outgoing.write(bytes)) answer.pause();
  });
  outgoing.on("drain", () => answer.resume());
  outgoing.on("close", () => defect !== "lets go of nobody" && answer.destroy());
  answer.on("end", () => {
    const streams = /event-stream/.test(answer.headers["content-type"] ?? "");
    outgoing.end(defect === "invents DONE" && streams ? "data: [DONE]\n\n" : undefined);
  });
}

function headersDown({ rawHeaders, headers }: IncomingMessage, defect: Defect): string[] {
  const named = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const changed = ["rewrites answers", "invents DONE", "ends cleanly"].includes(defect);
  const out: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const lower = rawHeaders[index]!.toLowerCase();
    if ([...HOP_BY_HOP, ...named].includes(lower) || (changed && lower === "content-length")) continue;
    if (lower === "set-cookie" && defect !== "sends cookies down") continue;
    if (defect === "drops hints" && /^(retry-after|x-should|x-request|request-id|.*ratelimit)/.test(lower))
      continue;
    out.push(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  return out;
}

function tunnel(incoming: IncomingMessage, client: Socket, head: Buffer, port: number): void {
  const upstream = connect(port, "127.0.0.1");
  const lines = incoming.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name}: ${incoming.rawHeaders[index + 1]}\r\n`] : [],
  );
  upstream.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join("")}\r\n`);
  upstream.write(head);
  upstream.pipe(client).on("error", () => upstream.destroy());
  client.pipe(upstream).on("error", () => client.destroy());
}

function rewrite(body: Buffer): Buffer {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(body.toString())));
  } catch {
    return body;
  }
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
