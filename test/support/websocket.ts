// The least of a WebSocket server (RFC 6455): takes the first subprotocol on offer and sends every short frame
// back. Enough to see that a tunnel carries frames both ways. To a request with `x-echo` it says its headers back.

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;

type Handshake = Pick<IncomingMessage, "headers"> & { rawHeaders?: string[] };

/** Every header of the request, but for those of the handshake. */
function echoOf({ rawHeaders = [] }: Handshake): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 1 || /^(?:host|connection|upgrade|sec-websocket-.*)$/i.test(name)
      ? []
      : [`${name}: ${rawHeaders[index + 1]}`],
  );
}

export function acceptEcho(request: Handshake, socket: Duplex): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  const [protocol] = (request.headers["sec-websocket-protocol"] ?? "").split(",");
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  lines.push(`Sec-WebSocket-Accept: ${accept}`);
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol.trim()}`);
  // What OpenAI's own front sends along, and what nobody should.
  lines.push("Set-Cookie: __cf_bm=1", "X-Request-Id: req_1", "Prompt-Version: forged");
  if (request.headers["x-echo"] !== undefined) lines.push(...echoOf(request));
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  socket.on("error", () => undefined);
  socket.on("end", () => socket.end());
  socket.on("data", (frame: Buffer) => {
    const [opcode = 0, length = 0] = frame;
    const size = length & 0x7f;
    const mask = frame.subarray(2, 6);
    const payload = frame.subarray(6, 6 + size).map((byte, index) => byte ^ mask[index % 4]!);
    if (opcode === TEXT || opcode === BINARY || opcode === CLOSE)
      socket.write(Buffer.concat([Buffer.from([opcode, size]), payload]));
    if (opcode === CLOSE) socket.end();
  });
}
