// A large body on its way up, when something happens to it: the client leaves, the provider answers early or dies, the
// release is rolled back. Guarantee 1 holds to the body's last byte, and nothing that is not whole is made to look so.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startTap, type Tap } from "../support/tap.ts";
import { until } from "../support/wait.ts";

const PROMPT = "uploads";
const PATH = `/p/${PROMPT}/openai/v1/chat/completions`;
const FIRST_BYTE_TIMEOUT_MS = 600;
const HEAD = `{"messages":[{"role":"user","content":"`;
const TAIL = `"}],"user":"u"}`;
const SIZE = 6 * 1024 * 1024;

type Seen = { bytes: number; whole: boolean; left: boolean };

let provider: Server;
/** What the provider does with a request, before it has read any of it. */
let behave: (request: IncomingMessage, response: ServerResponse) => void;
let seen: Seen;
let cluster: Cluster;
let admin: Admin;
let taps: Tap[];
const sockets: Socket[] = [];

beforeAll(async () => {
  provider = createServer((request, response) => {
    seen = { bytes: 0, whole: false, left: false };
    const mine = seen;
    request.on("data", (bytes: Buffer) => (mine.bytes += bytes.length));
    request.on("end", () => (mine.whole = true));
    request.on("error", () => undefined);
    request.on("close", () => (mine.left = !mine.whole));
    behave(request, response);
  }).listen(0, "127.0.0.1");
  await once(provider, "listening");
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const limit = { FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS) };
  const native = { LARGE_BODIES: "native" };
  cluster = await startCluster({
    edges: 4,
    vars: { UPSTREAM_OPENAI: url },
    edgeVars: [{}, limit, native, { ...limit, ...native }],
  });
  admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT, { shield: false });
  await admin.push(PROMPT, { system: "One." });
  await admin.push(PROMPT, { system: "Two." });
  taps = await Promise.all(cluster.edges.map(({ port }) => startTap(port, { resetOnLeave: true })));
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));
afterAll(async () => {
  await Promise.all((taps ?? []).map((tap) => tap.stop()));
  await cluster?.stop();
  provider?.closeAllConnections();
  provider?.close();
});

function answerAtEnd(request: IncomingMessage, response: ServerResponse): void {
  request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
}

type Upload = { socket: Socket; answer: () => string; write: (bytes: number) => void; finish: () => void };

/** A body of `SIZE` bytes that the test writes as it likes. */
function open(port: number, headers: string[] = [], path = PATH): Upload {
  seen = { bytes: 0, whole: false, left: false };
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket);
  let received = "";
  let left = SIZE - HEAD.length - TAIL.length;
  socket.on("data", (bytes) => (received += bytes.toString()));
  socket.on("error", () => undefined);
  const lines = [`POST ${path} HTTP/1.1`, "Host: x", "Content-Type: application/json", ...headers];
  socket.write(`${lines.join("\r\n")}\r\nContent-Length: ${SIZE}\r\n\r\n${HEAD}`);
  const write = (bytes: number) => {
    left -= bytes;
    socket.write("x".repeat(bytes));
  };
  return {
    socket,
    answer: () => received,
    write,
    finish() {
      write(left);
      socket.write(TAIL);
    },
  };
}

const HALF = 3 * 1024 * 1024;
/** So much is at the provider when all that has been written is on its way. */
const untilUnderWay = () => until(() => seen?.bytes > HALF / 2);

describe.each([
  ["checked", 0],
  ["native", 2],
])("a large body on its way up, %s", (_name, edge) => {
  const portOf = (index = edge) => cluster.edges[index]!.port;

  it("is at the provider before it is all there", async () => {
    behave = answerAtEnd;
    const upload = open(portOf());
    upload.write(HALF);
    await untilUnderWay();
    expect(seen.whole).toBe(false);
    upload.finish();
    await until(() => upload.answer().includes("200 OK"));
    expect(seen.whole).toBe(true);
  });

  it("never becomes a canary's turn after its rollback", async () => {
    behave = answerAtEnd;
    await admin.canary(PROMPT, 2, 100, { transition: "now" });
    // Until the isolate has heard of it.
    await until(async () => {
      const answer = await fetch(`${cluster.edges[edge]!.url}${PATH}`, {
        method: "POST",
        body: `{"messages":[{"role":"user","content":"x"}]}`,
      });
      return answer.headers.get("prompt-version") === "2";
    });
    const upload = open(portOf(), ["Prompt-Key: caller"]);
    upload.write(HALF);
    await untilUnderWay();
    const { enforcedBy } = await admin.rollback(PROMPT);
    await until(() => Date.now() > Date.parse(enforcedBy), 5_000);
    upload.finish();
    await until(() => upload.answer().includes("\r\n\r\n"), 10_000);
    expect(upload.answer()).toContain("503 Service Unavailable");
    expect(upload.answer().toLowerCase()).toContain("prompt-error: release_unavailable");
    expect(upload.answer().toLowerCase()).not.toContain("x-should-retry: false");
    await until(() => seen.left);
    expect(seen.whole).toBe(false);
  });

  it("ends at the provider when the client leaves", async () => {
    behave = answerAtEnd;
    const upload = open(taps[edge]!.port);
    upload.write(HALF);
    await untilUnderWay();
    upload.socket.destroy();
    await until(() => seen.left, 3_000);
    expect(seen.whole).toBe(false);
  });

  it("has its answer when the provider does not want the rest", async () => {
    behave = (_, response) =>
      response
        .writeHead(413, { "content-type": "application/json" })
        .end('{"error":{"message":"too large"}}');
    const upload = open(portOf());
    upload.finish();
    await until(() => upload.answer().includes("too large"), 15_000);
    expect(upload.answer()).toContain("HTTP/1.1 413");
    expect(upload.answer().toLowerCase()).toContain("prompt-version: 1");
  });

  it("is a 502 when the provider dies under it", async () => {
    behave = (request) => request.once("data", () => request.socket.resetAndDestroy());
    const upload = open(portOf());
    upload.finish();
    await until(() => upload.answer().includes("\r\n\r\n"), 15_000);
    expect(upload.answer()).toContain("502 Bad Gateway");
    expect(upload.answer().toLowerCase()).toContain("prompt-error: upstream_unreachable");
  });

  it("gives the provider its time from the last byte on", async () => {
    behave = answerAtEnd;
    const slow = open(portOf(edge + 1));
    slow.write(HALF);
    await untilUnderWay();
    const startedAtMs = performance.now();
    await until(() => performance.now() - startedAtMs > FIRST_BYTE_TIMEOUT_MS + 300);
    slow.finish();
    await until(() => slow.answer().includes("200 OK"));
    behave = () => undefined;
    const silent = open(portOf(edge + 1));
    silent.finish();
    await until(() => silent.answer().includes("504 Gateway Timeout"));
    expect(seen.whole).toBe(true);
  });

  it("gives a canary's stream the same time to begin", async () => {
    const prompt = "shielded-uploads";
    await admin.put(prompt);
    await admin.push(prompt, { system: "One." });
    await admin.push(prompt, { system: "Two." });
    await admin.canary(prompt, 2, 100, { transition: "now" });
    behave = (request, response) => {
      request.on("end", () => {
        response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        setTimeout(() => response.end('data: {"choices":[]}\n\n'), FIRST_BYTE_TIMEOUT_MS / 4);
      });
    };
    const slow = open(portOf(edge + 1), [], PATH.replace(PROMPT, prompt));
    slow.write(HALF);
    await untilUnderWay();
    const startedAtMs = performance.now();
    await until(() => performance.now() - startedAtMs > FIRST_BYTE_TIMEOUT_MS + 300);
    slow.finish();
    await until(() => slow.answer().includes("200 OK"));
    await until(() => slow.answer().includes('"choices"'));
    expect(slow.answer().toLowerCase()).toContain("prompt-arm: canary");
  });
});

describe("a large body that was read whole", () => {
  it("goes up to its last byte, though the provider has answered before it has read on", async () => {
    const prompt = "read-whole";
    await admin.put(prompt);
    await admin.push(prompt, { system: "You are {{who}}." });
    let incoming: IncomingMessage | null = null;
    behave = (request, response) => {
      request.pause();
      incoming = request;
      response.writeHead(200, { "content-type": "application/json" }).write("{");
      request.on("end", () => response.end("}"));
    };
    const upload = open(
      cluster.edges[0]!.port,
      ['Prompt-Variables: {"who":"Ada"}'],
      PATH.replace(PROMPT, prompt),
    );
    upload.finish();
    await until(() => upload.answer().includes("200 OK"));
    expect(seen.whole).toBe(false);
    incoming!.resume();
    await until(() => seen.whole);
    expect(seen.bytes).toBeGreaterThan(SIZE);
    await until(() => upload.answer().endsWith("0\r\n\r\n"));
  });
});
