// The stand-in provider that the kit controls: a bare socket server that keeps every byte it was sent and answers with
// exactly the bytes a case writes. Each call has a connection of its own, so that how it ended is never in doubt.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import {
  type Header,
  parseRequests,
  type RecordedRequest,
  type Segment,
} from "../test/support/http-messages.ts";
import { acceptEcho } from "../test/support/websocket.ts";
import type { Bell } from "./bell.ts";
import { type Closed, resetSocket } from "./client.ts";

export type Call = {
  /** The request as far as it has come; it is `complete` when all of it has. */
  request(): RecordedRequest;
  /** The socket has the bytes in its buffer, which says nothing of the gateway. */
  write(bytes: string | Buffer): void;
  /** Bytes that the system has taken from us: what the gateway, or a buffer on the way to it, has. */
  takenBytes(): number;
  end(): void;
  /** Resets the connection, as a provider that dies. */
  cut(): void;
  /** How the gateway left, when it did. */
  closed(): Closed | null;
  /** Answers the upgrade and echoes messages. */
  acceptWebSocket(): void;
};

export type Reply = { status?: number; headers?: Header[]; body?: string | Buffer };

export type Upstream = {
  port: number;
  /** Every request of the case so far, retries too. */
  calls(): Call[];
  /** What each request is answered with as soon as it is whole, `cut`: by a reset. null: the case answers by itself. */
  answerWith(reply: Reply | "cut" | null): void;
  /** Nothing listens on the port until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  /** Drops every connection, forgets everything. */
  clear(): void;
  stop(): Promise<void>;
};

const REASONS: { [status: number]: string } = { 200: "OK", 204: "No Content", 304: "Not Modified" };

export async function startUpstream(host: string, wantedPort: number, bell: Bell): Promise<Upstream> {
  let calls: Call[] = [];
  let reply: Reply | "cut" | null = null;
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    const call = recordCall(socket, bell, {
      begun: () => calls.push(call),
      whole: () => reply !== null && answer(call, reply),
    });
  };
  let server = await listenOn(host, wantedPort, accept);
  const { port } = server.address() as { port: number };
  const dropAll = () => {
    for (const socket of sockets) resetSocket(socket);
  };
  const close = async () => {
    if (!server.listening) return;
    server.close();
    dropAll();
    await once(server, "close");
  };
  return {
    port,
    calls: () => calls,
    answerWith: (next) => (reply = next),
    refuse: close,
    async listen() {
      if (!server.listening) server = await listenOn(host, port, accept);
    },
    clear() {
      dropAll();
      calls = [];
      reply = null;
    },
    stop: close,
  };
}

async function listenOn(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, accept);
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

type Moments = { begun(): void; whole(): void };

function recordCall(socket: Socket, bell: Bell, moments: Moments): Call {
  let segments: Segment[] = [];
  let request: RecordedRequest | null = null;
  let takenBytes = 0;
  let closed: Closed | null = null;
  const close = (how: Closed) => {
    closed ??= how;
    bell.ring();
  };
  const record = (bytes: Buffer) => {
    segments.push({ atMs: performance.now(), bytes });
    const wasBegun = request !== null;
    const wasWhole = request?.complete === true;
    request = parseRequests(segments)[0] ?? null;
    if (request !== null && !wasBegun) moments.begun();
    if (request?.complete === true && !wasWhole) moments.whole();
    bell.ring();
  };
  socket.on("data", record);
  socket.on("end", () => close("end"));
  socket.on("error", () => close("reset"));
  socket.on("close", () => close("reset"));
  return {
    request: () => request!,
    write(bytes) {
      const size = Buffer.byteLength(bytes);
      socket.write(bytes, () => {
        takenBytes += size;
        bell.ring();
      });
    },
    takenBytes: () => takenBytes,
    end: () => void socket.end(),
    cut: () => resetSocket(socket),
    closed: () => closed,
    acceptWebSocket() {
      socket.off("data", record);
      segments = [];
      const headers = Object.fromEntries(
        request!.headers.map(([name, value]) => [name.toLowerCase(), value]),
      );
      acceptEcho({ headers }, socket);
    },
  };
}

function answer(call: Call, reply: Reply | "cut"): void {
  if (reply === "cut") {
    call.cut();
    return;
  }
  call.write(encodeReply(reply, call.request().method));
  call.end();
}

export function encodeHead(status: number, headers: Header[]): string {
  const lines = [...headers, ["Connection", "close"]].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Said"}\r\n${lines.join("")}\r\n`;
}

/** A whole answer with its length stated; 204 and 304 have none, an answer to HEAD states that of the body it leaves
 * out. */
function encodeReply({ status = 200, headers = [], body = "" }: Reply, method: string): Buffer {
  const bytes = Buffer.from(body);
  const stated: Header[] = status === 204 || status === 304 ? [] : [["Content-Length", String(bytes.length)]];
  const head = Buffer.from(encodeHead(status, [...headers, ...stated]), "latin1");
  return method === "HEAD" ? head : Buffer.concat([head, bytes]);
}

export function encodeChunk(bytes: string | Buffer): Buffer {
  const size = Buffer.byteLength(bytes).toString(16);
  return Buffer.concat([Buffer.from(`${size}\r\n`), Buffer.from(bytes), Buffer.from("\r\n")]);
}

export const LAST_CHUNK = "0\r\n\r\n";
