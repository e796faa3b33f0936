// The client of every case: a bare socket that sends exactly the bytes it is given and keeps all that comes back, so
// that nothing is judged by what an HTTP library made of it.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  type Header,
  parseResponses,
  type RecordedResponse,
  type Segment,
} from "../test/support/http-messages.ts";
import type { Bell } from "./bell.ts";

/** `end`: the gateway closed in order; `reset`: it did not. */
export type Closed = "end" | "reset";

export type RawClient = {
  write(bytes: string | Buffer): void;
  /** The answer so far; null before its head is whole. */
  response(): RecordedResponse | null;
  /** Its body so far, without transfer framing. */
  body(): Buffer;
  /** All bytes behind the head, transfer framing included. */
  afterHead(): Buffer;
  receivedBytes(): number;
  closed(): Closed | null;
  /** Reads nothing any more, as a client that cannot keep up. */
  pause(): void;
  resume(): void;
  /** Leaves in order; the other way may stay open for all the gateway knows. */
  close(): void;
  /** Leaves for good, which no gateway can take for a half-closed connection. */
  reset(): void;
};

export type RawRequest = { method: string; path: string; headers: Header[]; body: Buffer | null };

/** Opens a connection and sends the request; `content-length` is added where a body has no framing of its own. */
export function sendRequest(target: URL, request: RawRequest, bell: Bell): RawClient {
  const socket = openSocket(target);
  socket.setNoDelay(true);
  socket.write(encodeRequest(target, request));
  return recordAnswer(socket, request.method, bell);
}

/** A reset, or a mere close where the other side has gone already: Node 24 spins on a reset after an end. */
export function resetSocket(socket: Socket): void {
  if (socket.readableEnded || socket.writableEnded || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}

function openSocket(target: URL): Socket {
  const host = target.hostname.replace(/^\[|\]$/g, "");
  if (target.protocol === "http:") return connect(Number(target.port || 80), host);
  const port = Number(target.port || 443);
  return connectTls({ port, host, servername: host, ALPNProtocols: ["http/1.1"] });
}

function encodeRequest(target: URL, { method, path, headers, body }: RawRequest): Buffer {
  const all: Header[] = [["Host", target.host], ...headers];
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  if (body !== null && !framed) all.push(["Content-Length", String(body.length)]);
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, "latin1");
  return body === null ? head : Buffer.concat([head, body]);
}

function recordAnswer(socket: Socket, method: string, bell: Bell): RawClient {
  const segments: Segment[] = [];
  let receivedBytes = 0;
  let closed: Closed | null = null;
  const close = (how: Closed) => {
    closed ??= how;
    bell.ring();
  };
  socket.on("data", (bytes) => {
    segments.push({ atMs: performance.now(), bytes });
    receivedBytes += bytes.length;
    bell.ring();
  });
  socket.on("end", () => close("end"));
  socket.on("error", () => close("reset"));
  socket.on("close", () => close("reset"));
  const response = () => parseResponses(segments, [method], closed === "end")[0] ?? null;
  return {
    write: (bytes) => void socket.write(bytes),
    response,
    body: () => response()?.body ?? Buffer.alloc(0),
    afterHead() {
      const bytes = Buffer.concat(segments.map((segment) => segment.bytes));
      const end = bytes.indexOf("\r\n\r\n");
      return end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4);
    },
    receivedBytes: () => receivedBytes,
    closed: () => closed,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.destroy(),
    reset: () => resetSocket(socket),
  };
}
