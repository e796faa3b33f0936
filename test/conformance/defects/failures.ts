// What a gateway can do wrong when something fails, and with WebSockets.

import { once } from "node:events";
import { dial, pairs, RIGHT } from "../gateway.ts";
import { COLLECTS, isJson, ofWhole, type Defect } from "./parts.ts";

const STATUSES = [400, 401, 404, 422, 429, 500, 529].map((status) => `error-${status}`);
const RETRIED = [429, 500, 503];

export const ERRORS: Defect[] = [
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

export const WEBSOCKETS: Defect[] = [
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
