// A stand-in provider that does exactly as it is told, down to the chunk, the pause and the broken connection; a tap
// in front of it records what it was asked. For the cases that a well-behaved mock cannot play. A WebSocket is echoed.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { Header } from "./http-messages.ts";
import { type Exchange, startTap } from "./tap.ts";
import { acceptEcho } from "./websocket.ts";

export type Reply = {
  /** 200 unless given. */
  status?: number;
  headers?: Header[];
  /** A whole body, with its length stated. */
  body?: string | Buffer;
  /** A body in pieces, chunked on the wire unless its length is among the headers. */
  chunks?: Chunk[];
  /** After the last piece: a clean end (unless given), the socket cut, or nothing at all. */
  end?: "clean" | "cut" | "open";
  /** Pause before the status line. */
  headersAfterMs?: number;
};

/** Written after its pause and once `after` resolves, so that it can wait for what became of the pieces before it; if that
 * rejects, the socket is cut. */
export type Chunk = { bytes: string | Buffer; afterMs?: number; after?: () => Promise<unknown> };

/** `bytes`: the body as it came; `body`: the same as text. */
export type UpstreamRequest = {
  method: string;
  url: string;
  body: string;
  bytes: Buffer;
  headers: Header[];
};

/** `silent`: the request is taken and never answered. */
export type Script = Reply | "silent" | ((request: UpstreamRequest) => Reply | "silent");

export type Upstream = {
  url: string;
  port: number;
  exchanges(): Exchange[];
  /** What to answer from now on; forgets what was recorded. Several scripts are played in turn, the last for ever. */
  play(...scripts: [Script, ...Script[]]): void;
  stop(): Promise<void>;
};

export async function startUpstream(first: Script = { status: 404 }): Promise<Upstream> {
  let scripts: Script[] = [first];
  const server = createServer((request, response) => {
    const script = (scripts.length > 1 ? scripts.shift() : scripts[0]) ?? first;
    void answer(request, response, script);
  });
  server.on("upgrade", acceptEcho);
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const tap = await startTap((server.address() as AddressInfo).port);
  return {
    url: tap.url,
    port: tap.port,
    exchanges: tap.exchanges,
    play(...next) {
      scripts = next;
      tap.clear();
    },
    async stop() {
      await tap.stop();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, script: Script): Promise<void> {
  // The one who asked may leave at any time; the tap has seen it.
  response.on("error", () => undefined);
  const body = await readAll(request);
  if (body === null) return;
  const reply = typeof script === "function" ? script(describe(request, body)) : script;
  if (reply === "silent") return;
  await pause(reply.headersAfterMs);
  response.sendDate = false;
  const headers = [...(reply.headers ?? [])];
  if (reply.chunks === undefined)
    headers.push(["content-length", String(Buffer.byteLength(reply.body ?? ""))]);
  response.writeHead(reply.status ?? 200, headers.flat());
  if (reply.chunks === undefined) {
    response.end(reply.body);
    return;
  }
  response.flushHeaders();
  for (const chunk of reply.chunks) {
    await pause(chunk.afterMs);
    await chunk.after?.().catch(() => response.destroy());
    if (response.destroyed) return;
    await new Promise((resolve) => response.write(chunk.bytes, resolve));
  }
  if (reply.end === "cut") response.destroy();
  else if (reply.end !== "open") response.end();
}

/** null: it broke off. */
async function readAll(request: IncomingMessage): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
    return Buffer.concat(parts);
  } catch {
    return null;
  }
}

function describe(request: IncomingMessage, body: Buffer): UpstreamRequest {
  const { method = "", url = "", rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, index): Header[] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
  );
  return { method, url, headers, body: body.toString(), bytes: body };
}

async function pause(ms = 0): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

// ── replies ─────────────────────────────────────────────────────────────────────────────────────────────────────

export function json(value: unknown, more: Omit<Reply, "body"> = {}): Reply {
  const headers: Header[] = [["content-type", "application/json"], ...(more.headers ?? [])];
  return { ...more, headers, body: JSON.stringify(value) };
}

export function gzipped(reply: Reply): Reply {
  const headers: Header[] = [...(reply.headers ?? []), ["content-encoding", "gzip"]];
  return { ...reply, headers, body: gzipSync(reply.body ?? "") };
}

export type SseEvent = { event?: string; data: unknown };
export type SseOptions = {
  everyMs?: number;
  newline?: "\n" | "\r\n";
  end?: Reply["end"];
  headers?: Header[];
};

/** Server-sent events, a chunk each. `data` that is no string is sent as JSON. */
export function sse(events: SseEvent[], options: SseOptions = {}): Reply {
  const { everyMs = 0, newline = "\n", end = "clean", headers = [] } = options;
  const chunks = events.map(({ event, data }, index): Chunk => {
    const lines = event === undefined ? [] : [`event: ${event}`];
    lines.push(`data: ${typeof data === "string" ? data : JSON.stringify(data)}`);
    return { bytes: lines.join(newline) + newline + newline, afterMs: index === 0 ? 0 : everyMs };
  });
  return { headers: [["content-type", "text/event-stream"], ...headers], chunks, end };
}
