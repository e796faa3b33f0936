// What a gateway can do wrong with answers and streams.

import { Transform } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { cleanDown } from "../gateway.ts";
import {
  COLLECTS,
  isJson,
  isStream,
  ofEvents,
  ofWhole,
  requestOf,
  setsUp,
  unframed,
  type Defect,
} from "./parts.ts";

function unpack(body: Buffer): Buffer {
  return body[0] === 0x1f ? gunzipSync(body) : brotliDecompressSync(body);
}

let seenEvents = 0;

export const ANSWERS: Defect[] = [
  { name: "holds the head", parts: { holdsHead: true }, found: ["headers-before-body"] },
  {
    name: "collects streams",
    parts: ofWhole(isStream, (body) => body),
    found: ["first-event", "crlf", "comments", "unknown-events", "error-first", "backpressure"],
  },
  { name: "looks for LF LF", parts: ofEvents((event) => event, /(\n\n)/), found: ["crlf"] },
  {
    name: "drops comments",
    parts: ofEvents((event) => (event.startsWith(":") ? "" : event)),
    found: ["comments"],
  },
  {
    name: "knows the events",
    parts: ofEvents((event) => (event.includes("future") ? "" : event)),
    found: ["unknown-events"],
  },
  {
    name: "decodes each chunk by itself",
    parts: {
      headersDown: unframed,
      through: (answer) =>
        isStream(answer)
          ? new Transform({ transform: (bytes: Buffer, _, done) => done(null, bytes.toString("utf8")) })
          : null,
    },
    found: ["split-utf8"],
  },
  {
    name: "loses pieces of a byte or two",
    parts: {
      headersDown: unframed,
      through: (answer) =>
        isStream(answer)
          ? new Transform({
              transform: (bytes: Buffer, _, done) => done(null, bytes.length < 3 ? "" : bytes),
            })
          : null,
    },
    found: ["split-utf8", "cut-anywhere"],
  },
  {
    name: "has a limit for events",
    parts: ofEvents((event) => (event.length > 100_000 ? "" : event)),
    found: ["long-event", "backpressure"],
  },
  {
    name: "loses an event now and then",
    parts: ofEvents((event) => (/word [1-9]\d\d /.test(event) && (seenEvents += 1) % 100 === 0 ? "" : event)),
    found: ["many-chunks"],
  },
  {
    name: "makes up a [DONE]",
    parts: {
      headersDown: unframed,
      through(answer) {
        if (!isStream(answer) || requestOf(answer).path !== "/v1/chat/completions") return null;
        let text = "";
        return new Transform({
          transform(bytes: Buffer, _, done) {
            text = (text + bytes.toString()).slice(-100);
            done(null, bytes);
          },
          flush: (done) => done(null, text.includes("[DONE]") ? "" : "data: [DONE]\n\n"),
        });
      },
    },
    found: ["no-done", "error-first", "backpressure"],
  },
  {
    name: "drops chunks without choices",
    parts: ofEvents((event) => (event.includes(`"choices":[]`) ? "" : event)),
    found: ["usage-chunk"],
  },
  {
    name: "drops errors in streams",
    parts: ofEvents((event) => (event.includes(`"error":`) ? "" : event)),
    found: ["error-first"],
  },
  {
    name: "ends in order what broke off",
    parts: {
      headersDown: unframed,
      relay(answer, _, outgoing) {
        outgoing.on("close", () => answer.destroy());
        outgoing.on("drain", () => answer.resume());
        answer.on("data", (bytes) => outgoing.write(bytes) || answer.pause());
        answer.on("end", () => outgoing.end()).on("error", () => outgoing.end());
      },
    },
    found: ["provider-resets", "provider-stops", "short-answer"],
  },
  {
    name: "works on when the client has left",
    parts: {
      leavesWithClient: false,
      relay(answer, _, outgoing) {
        outgoing.on("drain", () => answer.resume()).on("close", () => answer.resume());
        answer.on("data", (bytes) => outgoing.destroyed || outgoing.write(bytes) || answer.pause());
        answer.on("end", () => outgoing.end()).on("error", () => outgoing.destroy());
      },
    },
    found: ["abort-mid-stream", "abort-before-headers"],
  },
  {
    name: "reads ahead without end",
    parts: {
      relay(answer, _, outgoing) {
        outgoing.on("close", () => answer.destroy());
        answer.on("data", (bytes) => outgoing.write(bytes));
        answer.on("end", () => outgoing.end()).on("error", () => outgoing.destroy());
      },
    },
    found: ["backpressure"],
  },
  {
    name: "says 200 before it knows",
    parts: { answersEarly: true },
    found: ["slow-headers", "gzip-stream", "error-to-stream", COLLECTS],
  },
  {
    name: "unpacks under the old label",
    parts: ofWhole((answer) => answer.headers["content-encoding"] !== undefined, unpack),
    found: ["gzip-stream", "gzip-answer", "br-answer", "gzip-error", "br-error"],
  },
  { name: "asks for br by itself", parts: setsUp("accept-encoding", "br"), found: ["encoding-unasked"] },
  {
    name: "gives HEAD a length of its own",
    parts: {
      headersDown: (raw, answer) =>
        requestOf(answer).method === "HEAD" ? [...unframed(raw), ["content-length", "0"]] : cleanDown(raw),
    },
    found: ["head"],
  },
  {
    name: "knows no status without a body",
    parts: { statusDown: (status) => (status === 204 || status === 304 ? 200 : status) },
    found: ["no-content", "not-modified"],
  },
  {
    name: "writes answers anew",
    parts: ofWhole(
      (answer) => isJson(answer) && answer.statusCode === 200,
      (body) => Buffer.from(JSON.stringify(JSON.parse(body.toString() || "null"))),
    ),
    found: ["answer"],
  },
  {
    name: "cuts long answers",
    parts: ofWhole(isJson, (body) => body.subarray(0, 1_000_000)),
    found: ["long-answer"],
  },
  {
    name: "reads answers as text",
    parts: ofWhole(
      (answer) => answer.headers["content-type"] === "audio/mpeg",
      (body) => Buffer.from(body.toString()),
    ),
    found: ["binary-down"],
  },
];
