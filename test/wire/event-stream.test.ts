import { describe, expect, it } from "vitest";
import { problem } from "../../src/core/problem.ts";
import type { JsonObject } from "../../src/core/types.ts";
import { converseAnswers, eventText, invokeAnswers } from "../../src/wire/answer-bedrock.ts";
import { decodeBase64, encodeBase64 } from "../../src/wire/base64.ts";
import { readFrame, writeFrame, type Frame } from "../../src/wire/event-stream.ts";
import { eventFrame, exceptionFrame, frameOf, readFrames } from "../support/aws-frames.ts";
import { seededRandom } from "./random.ts";

const encoder = new TextEncoder();

function read(bytes: Uint8Array, from = 0): { frame: Frame; to: number } {
  const found = readFrame(bytes, from);
  if (typeof found === "string") throw new Error(found);
  return found;
}

function textOf(bytes: Uint8Array): string {
  return eventText(read(bytes).frame);
}

function valueOf(bytes: Uint8Array): JsonObject {
  return JSON.parse(textOf(bytes)) as JsonObject;
}

describe("a frame", () => {
  it("is read and written as another implementation does it", () => {
    const random = seededRandom(7);
    for (let index = 0; index < 2_000; index += 1) {
      const headers = Object.fromEntries(
        Array.from({ length: random.int(4) }, (_, name) => [`:name-${name}`, "é".repeat(random.int(300))]),
      );
      const payload = "x🦊".repeat(random.int(500));
      const theirs = frameOf({ headers, payload });
      const ours = writeFrame({ headers, payload: encoder.encode(payload) });
      expect(Buffer.from(ours).equals(theirs)).toBe(true);
      const { frame, to } = read(Buffer.concat([Buffer.of(1, 2, 3), theirs, Buffer.of(9)]), 3);
      expect({ ...frame, payload: Buffer.from(frame.payload).toString(), to }).toEqual({
        headers,
        payload,
        to: theirs.length + 3,
      });
    }
  });

  it("that is not there whole is waited for, and one with any bit wrong is none", () => {
    const whole = eventFrame("messageStart", { role: "assistant" });
    for (let size = 0; size < whole.length; size += 1) {
      expect(readFrame(whole.subarray(0, size), 0)).toBe("short");
    }
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(readFrame(damaged, 0)).toBe("damaged");
    }
  });

  it("may have headers of every type, of which texts are kept", () => {
    const head = Buffer.concat([
      Buffer.from([1, 0x61, 0]),
      Buffer.from([1, 0x62, 3, 0, 7]),
      Buffer.from([1, 0x63, 6, 0, 2, 1, 2]),
      Buffer.from([1, 0x64, 8, 0, 0, 0, 0, 0, 0, 0, 1]),
      Buffer.from([1, 0x65, 7, 0, 1, 0x76]),
    ]);
    const plain = frameOf({ headers: {}, payload: head.toString("latin1") });
    // The same bytes as headers: only the second length and the checksums differ.
    const framed = writeFrame({ headers: {}, payload: head });
    expect(framed.length).toBe(plain.length);
    const { crc32 } = process.getBuiltinModule("node:zlib");
    const bytes = Buffer.from(framed);
    bytes.writeUInt32BE(head.length, 4);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
    expect(read(bytes).frame.headers).toEqual({ e: "v" });
  });
});

it("Base64 is the platform's, both ways", () => {
  const random = seededRandom(3);
  for (let index = 0; index < 2_000; index += 1) {
    const bytes = Buffer.from(Array.from({ length: random.int(40) }, () => random.int(256)));
    const text = bytes.toString("base64");
    expect(Buffer.from(encodeBase64(bytes)).toString()).toBe(text);
    expect(Buffer.from(decodeBase64(encoder.encode(text))!).equals(bytes)).toBe(true);
    expect(Buffer.from(decodeBase64(encoder.encode(text.replaceAll("=", "")))!).equals(bytes)).toBe(true);
  }
  for (const text of ["A", "AA=A", "AAA*", "A===", "AAAAA"])
    expect(decodeBase64(encoder.encode(text))).toBeNull();
});

describe("what Bedrock's stream says", () => {
  it("of Converse: errors, usage, its end", () => {
    const start = eventFrame("messageStart", { role: "assistant" });
    expect(converseAnswers.isError(valueOf(start))).toBe(false);
    expect(converseAnswers.isEnd(textOf(start))).toBe(false);
    const usage = { inputTokens: 12, outputTokens: 3, totalTokens: 15, cacheReadInputTokens: 0 };
    const metadata = eventFrame("metadata", { usage, metrics: { latencyMs: 1 } });
    expect(converseAnswers.isEnd(textOf(metadata))).toBe(true);
    expect(converseAnswers.readUsage(valueOf(metadata))).toEqual({
      freshInputTokens: 12,
      outputTokens: 3,
      cachedInputTokens: 0,
    });
    expect(converseAnswers.readUsage({ usage })).toMatchObject({ freshInputTokens: 12 });
    expect(converseAnswers.isError(valueOf(exceptionFrame("throttlingException", "slow")))).toBe(true);
    const bare = frameOf({ headers: { ":message-type": "error", ":error-code": "x" }, payload: "" });
    expect(converseAnswers.isError(valueOf(bare))).toBe(true);
    const quoting = eventFrame("contentBlockDelta", { delta: { text: '":event-type":"metadata"' } });
    expect(converseAnswers.isEnd(textOf(quoting))).toBe(false);
  });

  it("of an invoked model: its own events, and Bedrock's count", () => {
    const start = eventFrame("chunk", { type: "message_start", message: { usage: { input_tokens: 4 } } });
    expect(invokeAnswers.readUsage(valueOf(start))).toEqual({ freshInputTokens: 4 });
    const metrics = { inputTokenCount: 5, outputTokenCount: 6, cacheReadInputTokenCount: 0 };
    const stop = eventFrame("chunk", {
      type: "message_stop",
      "amazon-bedrock-invocationMetrics": metrics,
    });
    expect(invokeAnswers.isEnd(textOf(stop))).toBe(true);
    expect(invokeAnswers.isEnd(textOf(start))).toBe(false);
    expect(invokeAnswers.readUsage(valueOf(stop))).toEqual({
      freshInputTokens: 5,
      outputTokens: 6,
      cachedInputTokens: 0,
    });
    const overloaded = eventFrame("chunk", { type: "error", error: { type: "overloaded_error" } });
    expect(invokeAnswers.isError(valueOf(overloaded))).toBe(true);
    expect(invokeAnswers.isError(valueOf(exceptionFrame("modelTimeoutException", "m")))).toBe(true);
    const quoting = eventFrame("chunk", {
      type: "content_block_delta",
      delta: { text: '"type":"message_stop"' },
    });
    expect(invokeAnswers.isEnd(textOf(quoting))).toBe(false);
  });

  it("when it broke off: an exception of the stream, in a frame of its own", () => {
    for (const answers of [converseAnswers, invokeAnswers]) {
      const bytes = answers.breakOff(problem("upstream_unreachable", "It broke."), "r-1");
      expect(readFrames(Buffer.from(bytes!))).toEqual([
        {
          headers: {
            ":exception-type": "modelStreamErrorException",
            ":content-type": "application/json",
            ":message-type": "exception",
          },
          payload: '{"message":"It broke."}',
        },
      ]);
    }
  });
});
