// What a gateway can do wrong, one thing each, as parts to exchange in the right one, with the cases that must find it:
// those and no others.

import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Transform } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Header } from "../support/http-messages.ts";
import { cleanDown, cleanUp, dial, pairs, RIGHT, type Parts } from "./gateway.ts";

export type Defect = { name: string; parts: Partial<Parts>; found: string[] };

// ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────

const lets = (raw: Header[], pattern: RegExp) => raw.filter(([name]) => pattern.test(name));
const alsoUp = (pattern: RegExp): Partial<Parts> => ({
  headersUp: (raw, url) => [...cleanUp(raw, url), ...lets(raw, pattern)],
});
const notUp = (pattern: RegExp): Partial<Parts> => ({
  headersUp: (raw, url) => cleanUp(raw, url).filter(([name]) => !pattern.test(name)),
});
const setsUp = (name: string, value: string): Partial<Parts> => ({
  headersUp: (raw, url) => [
    ...cleanUp(raw, url).filter(([each]) => each.toLowerCase() !== name),
    [name, value],
  ],
});
const alsoDown = (pattern: RegExp): Partial<Parts> => ({
  headersDown: (raw) => [...cleanDown(raw), ...lets(raw, pattern)],
});
const notDown = (pattern: RegExp): Partial<Parts> => ({
  headersDown: (raw) => cleanDown(raw).filter(([name]) => !pattern.test(name)),
});

const HEADERS: Defect[] = [
  { name: "knows no betas", parts: notUp(/-beta$|^x-goog-api-client$/i), found: ["beta-header"] },
  { name: "drops what SDKs say", parts: notUp(/^(idempotency|x-stainless|trace)/i), found: ["sdk-headers"] },
  { name: "knows its headers", parts: notUp(/^x-(future|empty)/i), found: ["unknown-header-up"] },
  { name: "names itself", parts: setsUp("user-agent", "gateway"), found: ["user-agent"] },
  { name: "forgets the key", parts: notUp(/^(authorization|x-(goog-)?api-key)$/i), found: ["credential"] },
  { name: "keeps its own Host", parts: setsUp("host", "gateway.test"), found: ["host"] },
  {
    name: "passes the connection's headers up",
    parts: alsoUp(/^(x-only-here|proxy-authorization)$/i),
    found: ["hop-by-hop-up"],
  },
  { name: "passes cookies up", parts: alsoUp(/^cookie$/i), found: ["cookies-up"] },
  { name: "tells where the user is", parts: alsoUp(/^x-forwarded-for$/i), found: ["client-address"] },
  { name: "passes every key up", parts: alsoUp(/^(x-goog-)?api-key$/i), found: ["foreign-credential"] },
  { name: "passes its own headers up", parts: alsoUp(/^x-gateway$/i), found: ["own-headers"] },
  { name: "follows redirects", parts: { followsRedirects: true }, found: ["redirect", "streamed-upload"] },
  { name: "drops retry hints", parts: notDown(/^(retry-after|x-should)/i), found: ["retry-hints"] },
  { name: "drops request ids", parts: notDown(/request-id$/i), found: ["request-ids"] },
  { name: "drops limits", parts: notDown(/ratelimit/i), found: ["rate-limits"] },
  {
    name: "knows the provider's headers",
    parts: notDown(/^(x-next|openai-|anthropic-org)/i),
    found: ["unknown-header-down"],
  },
  {
    name: "calls everything JSON",
    parts: {
      headersDown: (raw) =>
        cleanDown(raw).map(([name, value]) => [name, /json/.test(value) ? "application/json" : value]),
    },
    found: ["content-type"],
  },
  { name: "passes cookies down", parts: alsoDown(/^set-cookie$/i), found: ["cookies-down"] },
  {
    name: "passes the connection's headers down",
    parts: alsoDown(/^(x-only-there|proxy-authenticate)$/i),
    found: ["hop-by-hop-down"],
  },
];

// ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bodies are changed only where they are JSON; as they are collected for it, no upload streams. */
function ofJson(change: (text: string) => string | "refuse"): Partial<Parts> {
  return {
    bodyUp(body, type) {
      if (!type.includes("json") || body[0] === 0x1f) return body;
      const changed = change(body.toString());
      return changed === "refuse" ? "refuse" : Buffer.from(changed);
    },
  };
}

const COLLECTS = "streamed-upload";
const changesUrl = (change: (path: string, query: string) => string): Partial<Parts> => ({
  urlUp(url) {
    const [path = "", ...query] = url.split("?");
    return change(path, query.join("?"));
  },
});

const REQUESTS: Defect[] = [
  {
    name: "writes bodies anew",
    parts: ofJson((text) => JSON.stringify(JSON.parse(text))),
    found: [
      "key-order",
      "big-integers",
      "decimals",
      "duplicate-keys",
      "escapes",
      "whitespace",
      "whole-body",
      COLLECTS,
    ],
  },
  {
    name: "knows the fields",
    parts: ofJson((text) => text.replace(/,"future_field":\{[^}]*\}[^}]*\}/, "")),
    found: ["unknown-fields", "whole-body", COLLECTS],
  },
  {
    name: "mends surrogates",
    parts: ofJson((text) => text.replace(/\\udc00|\\ud83d(?!\\ude00)/g, "\ufffd")),
    found: ["lone-surrogates", "whole-body", COLLECTS],
  },
  {
    name: "normalises text",
    parts: ofJson((text) => text.normalize("NFC")),
    found: ["utf-8", "whole-body", COLLECTS],
  },
  {
    name: "refuses deep bodies",
    parts: ofJson((text) => (text.includes("[".repeat(100)) ? "refuse" : text)),
    found: ["deep-body", "whole-body", COLLECTS],
  },
  {
    name: "refuses long bodies",
    parts: ofJson((text) => (text.length > 1_000_000 ? "refuse" : text)),
    found: ["long-body", COLLECTS],
  },
  { name: "collects uploads", parts: { bodyUp: (body) => body }, found: [COLLECTS] },
  {
    name: "gives forms a boundary of its own",
    parts: {
      headersUp: (raw, url) =>
        cleanUp(raw, url).map(([name, value]) => [name, value.replace("----Conf", "----Gateway")]),
    },
    found: ["multipart"],
  },
  {
    name: "reads bodies as text",
    parts: { bodyUp: (body, type) => (type.includes("octet") ? Buffer.from(body.toString()) : body) },
    found: ["binary-up", COLLECTS],
  },
  { name: "hides that a body is compressed", parts: notUp(/^content-encoding$/i), found: ["gzip-up"] },
  {
    name: "decodes paths",
    parts: changesUrl((path, query) => path.replaceAll("%2F", "/") + (query && `?${query}`)),
    found: ["path"],
  },
  {
    name: "reads queries",
    parts: changesUrl((path, query) => path + (query && `?${new URLSearchParams(query).toString()}`)),
    found: ["query"],
  },
  {
    name: "knows GET and POST",
    parts: { methodUp: (method) => (method === "DELETE" ? "POST" : method) },
    found: ["method", "no-content"],
  },
];

// ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────

const isStream = (answer: IncomingMessage) =>
  /event-stream/.test(answer.headers["content-type"] ?? "") &&
  answer.headers["content-encoding"] === undefined;
const isJson = (answer: IncomingMessage) =>
  /json/.test(answer.headers["content-type"] ?? "") && answer.headers["content-encoding"] === undefined;
const unframed = (raw: Header[]) => cleanDown(raw).filter(([name]) => !/^content-length$/i.test(name));

/** Node knows it; its types do not say so. */
function requestOf(answer: IncomingMessage): { method: string; path: string } {
  return (answer as unknown as { req: { method: string; path: string } }).req;
}

/** Each event of a stream, once it is whole, as `change` has it. Bytes are kept by reading them as latin1. */
function ofEvents(change: (event: string) => string, separator = /(\r?\n\r?\n)/): Partial<Parts> {
  return {
    headersDown: unframed,
    through(answer) {
      if (!isStream(answer)) return null;
      let rest = "";
      return new Transform({
        transform(bytes: Buffer, _, done) {
          const pieces = (rest + bytes.toString("latin1")).split(separator);
          rest = pieces.pop() ?? "";
          let out = "";
          for (let at = 0; at < pieces.length; at += 2) out += change(pieces[at]! + pieces[at + 1]!);
          done(null, Buffer.from(out, "latin1"));
        },
        flush(done) {
          done(null, Buffer.from(rest, "latin1"));
        },
      });
    },
  };
}

/** The whole body, once it has all come, as `change` has it. */
function ofWhole(
  when: (answer: IncomingMessage) => boolean,
  change: (body: Buffer) => Buffer,
): Partial<Parts> {
  return {
    headersDown: (raw, answer) => (when(answer) ? unframed(raw) : cleanDown(raw)),
    through(answer) {
      if (!when(answer)) return null;
      const parts: Buffer[] = [];
      return new Transform({
        transform(bytes: Buffer, _, done) {
          parts.push(bytes);
          done();
        },
        flush(done) {
          done(null, change(Buffer.concat(parts)));
        },
      });
    },
  };
}

function unpack(body: Buffer): Buffer {
  return body[0] === 0x1f ? gunzipSync(body) : brotliDecompressSync(body);
}

let seenEvents = 0;

const ANSWERS: Defect[] = [
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

// ── errors and WebSockets ───────────────────────────────────────────────────────────────────────────────────────

const STATUSES = [400, 401, 404, 422, 429, 500, 529].map((status) => `error-${status}`);
const RETRIED = [429, 500, 503];

const ERRORS: Defect[] = [
  {
    name: "words errors by itself",
    parts: ofWhole(
      (answer) => isJson(answer) && answer.statusCode! >= 400,
      () => Buffer.from(`{"error":{"message":"openai error"}}`),
    ),
    found: [...STATUSES, "error-to-stream"],
  },
  {
    name: "takes every error for JSON",
    parts: ofWhole(
      (answer) => /html/.test(answer.headers["content-type"] ?? ""),
      () => Buffer.from(`{"error":{"message":"Unexpected token <"}}`),
    ),
    found: ["html-error"],
  },
  {
    name: "says 500 for what it cannot reach",
    parts: { unreachable: { status: 500, body: RIGHT.unreachable.body } },
    found: ["unreachable", "dropped"],
  },
  {
    name: "says in HTML what it cannot reach",
    parts: { unreachable: { status: 502, body: "<h1>Bad gateway</h1>" } },
    found: ["unreachable", "dropped"],
  },
  {
    name: "asks again",
    parts: {
      bodyUp: (body) => body,
      asksAgain: (status, attempt) => attempt === 1 && RETRIED.includes(status ?? 0),
    },
    found: [...RETRIED.map((status) => `no-retry-${status}`), "retry-hints", COLLECTS],
  },
  {
    name: "asks again where the connection was dropped",
    parts: { bodyUp: (body) => body, asksAgain: (status, attempt) => attempt === 1 && status === null },
    found: ["dropped", COLLECTS],
  },
];

const WEBSOCKETS: Defect[] = [
  {
    name: "takes no upgrades",
    parts: {
      upgrade: (_, client) => client.end("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"),
    },
    found: ["ws-upgrade", "ws-messages", "ws-close"],
  },
  {
    name: "drops the subprotocol",
    parts: {
      upgrade(incoming, client, port) {
        const headers = pairs(incoming.rawHeaders).filter(([name]) => !/protocol$/i.test(name));
        const provider = dial(incoming, port, headers);
        provider.pipe(client).on("error", () => provider.destroy());
        client.pipe(provider).on("error", () => client.destroy());
      },
    },
    found: ["ws-upgrade"],
  },
  {
    name: "passes nothing on after the upgrade",
    parts: {
      upgrade(incoming, client, port) {
        const provider = dial(incoming, port);
        void once(provider, "data").then(([head]) => client.write(head as Buffer));
        provider.on("error", () => undefined);
        client.resume();
      },
    },
    found: ["ws-messages", "ws-close"],
  },
];

export const DEFECTS: Defect[] = [...HEADERS, ...REQUESTS, ...ANSWERS, ...ERRORS, ...WEBSOCKETS];
