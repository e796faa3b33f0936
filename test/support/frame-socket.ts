// WebSockets (RFC 6455) down to their frames, both ends: a stand-in for a provider that says what a test has it say, and
// a client that sees the handshake's headers and every close as it came.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  request as sendRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { until } from "./wait.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];

export type Closed = { code: number | null; reason: string };

export class FrameSocket {
  readonly received: (string | Buffer)[] = [];
  /** The other side's close frame; "cut": the connection ended without one. */
  closed: Closed | "cut" | null = null;
  private readonly socket: Duplex;
  private readonly masks: boolean;
  private held = Buffer.alloc(0);

  constructor(socket: Duplex, masks: boolean, head: Buffer = Buffer.alloc(0)) {
    this.socket = socket;
    this.masks = masks;
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => this.read(bytes));
    socket.on("close", () => (this.closed ??= "cut"));
    this.read(head);
  }

  send(message: string | Buffer): void {
    this.write(typeof message === "string" ? TEXT! : BINARY!, Buffer.from(message as string));
  }

  close(code?: number, reason = ""): void {
    const head = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) head.writeUInt16BE(code);
    this.write(CLOSE!, Buffer.concat([head, Buffer.from(reason)]));
  }

  cut(): void {
    this.socket.destroy();
  }

  /** The texts and bytes so far, once there are `count` of them. */
  async take(count: number): Promise<(string | Buffer)[]> {
    await until(async () => this.received.length >= count, 10_000, `${count} messages`);
    return this.received;
  }

  async untilClosed(): Promise<Closed | "cut"> {
    await until(async () => this.closed !== null, 10_000, "a close");
    return this.closed!;
  }

  private write(opcode: number, payload: Buffer): void {
    const length = payload.length;
    const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    head[0] = 0x80 | opcode;
    head[1] = (this.masks ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    const mask = this.masks ? randomBytes(4) : Buffer.alloc(0);
    const body = this.masks ? payload.map((byte, index) => byte ^ mask[index % 4]!) : payload;
    this.socket.write(Buffer.concat([head, mask, body]));
  }

  private read(bytes: Buffer): void {
    this.held = Buffer.concat([this.held, bytes]);
    for (let size = this.frameSize(); size > 0 && this.held.length >= size; size = this.frameSize()) {
      this.takeFrame(this.held.subarray(0, size));
      this.held = this.held.subarray(size);
    }
  }

  /** 0: not known yet. */
  private frameSize(): number {
    const [, second] = this.held;
    if (second === undefined) return 0;
    const [short, masked] = [second & 0x7f, second & 0x80 ? 4 : 0];
    if (short < 126) return 2 + masked + short;
    if (this.held.length < 10) return 0;
    return short === 126
      ? 4 + masked + this.held.readUInt16BE(2)
      : 10 + masked + Number(this.held.readBigUInt64BE(2));
  }

  private takeFrame(frame: Buffer): void {
    const short = frame[1]! & 0x7f;
    const from = short < 126 ? 2 : short === 126 ? 4 : 10;
    const mask = frame[1]! & 0x80 ? frame.subarray(from, from + 4) : null;
    const sent = frame.subarray(mask === null ? from : from + 4);
    const payload = mask === null ? sent : Buffer.from(sent.map((byte, index) => byte ^ mask[index % 4]!));
    const opcode = frame[0]! & 0x0f;
    if (opcode === TEXT) this.received.push(payload.toString());
    else if (opcode === BINARY) this.received.push(Buffer.from(payload));
    else if (opcode === PING) this.write(PONG!, payload);
    else if (opcode === CLOSE) {
      const code = payload.length < 2 ? null : payload.readUInt16BE(0);
      if (this.closed === null) {
        this.closed = { code, reason: payload.toString("utf8", 2) };
        this.write(CLOSE!, payload);
      }
      this.socket.end();
    }
  }
}

export type SocketServer = {
  url: string;
  /** Handshakes as they came, the last one last; and their sockets. */
  handshakes: { url: string; headers: IncomingHttpHeaders }[];
  sockets: FrameSocket[];
  /** The next handshake's socket. */
  next(): Promise<FrameSocket>;
  /** Refuses handshakes with this answer from now on; null: takes them. */
  refuse(answer: string | null): void;
  stop(): Promise<void>;
};

export async function startSocketServer(greeting: string): Promise<SocketServer> {
  const server = createServer();
  const handshakes: SocketServer["handshakes"] = [];
  const sockets: FrameSocket[] = [];
  let taken = 0;
  let refusal: string | null = null;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    handshakes.push({ url: request.url ?? "", headers: request.headers });
    if (refusal !== null) {
      socket.end(refusal);
      return;
    }
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}${GUID}`)
      .digest("base64");
    const [protocol] = (request.headers["sec-websocket-protocol"] ?? "").split(",");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    lines.push(`Sec-WebSocket-Accept: ${accept}`, "x-request-id: req_socket", "Set-Cookie: __cf_bm=1");
    if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol.trim()}`);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const framed = new FrameSocket(socket, false, head);
    sockets.push(framed);
    framed.send(greeting);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    handshakes,
    sockets,
    async next() {
      const index = taken++;
      await until(async () => sockets.length > index, 10_000, "a handshake");
      return sockets[index]!;
    },
    refuse(answer) {
      refusal = answer;
    },
    async stop() {
      for (const socket of sockets) socket.cut();
      server.close();
      await once(server, "close");
    },
  };
}

export type Opened = { headers: IncomingHttpHeaders; socket: FrameSocket };
export type Refused = { status: number; headers: IncomingHttpHeaders; body: string };

export async function openSocket(
  url: string,
  headers: Record<string, string> = {},
): Promise<Opened | Refused> {
  const request = sendRequest(url, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...headers,
    },
    agent: false,
  });
  request.end();
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("upgrade", (response: IncomingMessage, socket: Socket, head: Buffer) =>
      resolve({ headers: response.headers, socket: new FrameSocket(socket, true, head) }),
    );
    request.on("response", (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts).toString(),
        }),
      );
    });
  });
}
