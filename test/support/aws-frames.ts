// AWS's binary event stream, written apart from src/wire and with the platform's own checksum: what the stand-in for
// Bedrock sends, and what a client of it reads.

import { crc32 } from "node:zlib";

export type AwsFrame = { headers: Record<string, string>; payload: string };

export function frameOf({ headers, payload }: AwsFrame): Buffer {
  const head = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const length = Buffer.alloc(3);
      length[0] = 7;
      length.writeUInt16BE(Buffer.byteLength(value), 1);
      return Buffer.concat([Buffer.of(name.length), Buffer.from(name), length, Buffer.from(value)]);
    }),
  );
  const body = Buffer.from(payload);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const unsealed = Buffer.concat([prelude, head, body]);
  const seal = Buffer.alloc(4);
  seal.writeUInt32BE(crc32(unsealed));
  return Buffer.concat([unsealed, seal]);
}

/** An event of ConverseStream, or of InvokeModel's stream where `type` is "chunk". */
export function eventFrame(type: string, value: unknown): Buffer {
  const payload =
    type === "chunk" ? { bytes: Buffer.from(JSON.stringify(value)).toString("base64"), p: "abcd" } : value;
  return frameOf({
    headers: { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    payload: JSON.stringify(payload),
  });
}

export function exceptionFrame(type: string, message: string): Buffer {
  return frameOf({
    headers: { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    payload: JSON.stringify({ message }),
  });
}

/** All frames of an answer; throws where a checksum is wrong or the last one is cut. */
export function readFrames(bytes: Buffer): AwsFrame[] {
  const frames: AwsFrame[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = from + bytes.readUInt32BE(from);
    if (to > bytes.length) throw new Error("cut in the middle of a frame");
    if (crc32(bytes.subarray(from, from + 8)) !== bytes.readUInt32BE(from + 8)) throw new Error("prelude");
    if (crc32(bytes.subarray(from, to - 4)) !== bytes.readUInt32BE(to - 4)) throw new Error("checksum");
    const headersTo = from + 12 + bytes.readUInt32BE(from + 4);
    const headers: Record<string, string> = {};
    for (let at = from + 12; at < headersTo;) {
      const nameTo = at + 1 + bytes[at]!;
      const valueTo = nameTo + 3 + bytes.readUInt16BE(nameTo + 1);
      headers[bytes.toString("utf8", at + 1, nameTo)] = bytes.toString("utf8", nameTo + 3, valueTo);
      at = valueTo;
    }
    frames.push({ headers, payload: bytes.toString("utf8", headersTo, to - 4) });
    from = to;
  }
  return frames;
}
