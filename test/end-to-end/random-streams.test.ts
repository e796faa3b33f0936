// Streams of every kind, cut at random places, through the real Worker: what comes out is, byte for byte, what went in,
// on each way that an answer can take. And a client that does not read stops the provider, instead of filling memory.

import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { randomStream, type Pieces } from "./stream-pieces.ts";

const STREAMS = 1_200;
const AT_ONCE = 24;
const SEED = 20_261_126;

let server: Server;
let cluster: Cluster;
/** What the provider streams under which number. */
const scripted = new Map<string, Pieces>();
/** Bytes that the provider could get rid of towards a client that does not read. */
let poured = 0;

beforeAll(async () => {
  server = createServer((incoming, answer) => {
    incoming.resume();
    answer.on("error", () => undefined);
    const id = String(incoming.headers["x-stream"] ?? "");
    void (id === "flood" ? pour(answer) : play(scripted.get(id)!, answer));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  cluster = await startCluster({
    edges: 3,
    vars: { UPSTREAM_OPENAI: url },
    edgeVars: [{}, { STREAM_IDLE_TIMEOUT_MS: "60000" }, { STREAM_USAGE: "openai" }],
  });
  const admin = connectAdmin(cluster.control.url);
  for (const prompt of ["baseline", "canary"]) {
    await admin.put(prompt);
    await admin.push(prompt, { system: "Be brief." });
    await admin.push(prompt, { system: "Be briefer." });
  }
  await admin.canary("canary", 2, 100, { transition: "now" });
});
afterAll(async () => {
  await cluster?.stop();
  server?.closeAllConnections();
  server?.close();
});

type Answer = import("node:http").ServerResponse;

async function play({ chunks, end }: Pieces, answer: Answer): Promise<void> {
  answer.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  answer.flushHeaders();
  for (const chunk of chunks) {
    if (answer.destroyed) return;
    await new Promise((resolve) => answer.write(chunk, resolve));
    // Else the pieces would meet again in one packet.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (end === "cut") answer.destroy();
  else answer.end();
}

async function pour(answer: Answer): Promise<void> {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = Buffer.from(`data: ${"x".repeat(64 * 1024)}\n\n`);
  while (!answer.destroyed && poured < 512 * 1024 * 1024) {
    await new Promise((resolve) => answer.write(chunk, resolve));
    poured += chunk.length;
  }
}

type Received = { bytes: Buffer; isWhole: boolean };

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

function receive(id: string, path: string, edge: number): Promise<Received> {
  const body = JSON.stringify({
    model: "gpt-5.4-mini",
    stream: true,
    messages: [{ role: "user", content: id }],
  });
  const port = cluster.edges[edge]!.port;
  const headers = { "content-type": "application/json", "x-stream": id };
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, method: "POST", agent, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("close", () => resolve({ bytes: Buffer.concat(parts), isWhole: answer.complete }));
    });
    call.on("error", reject);
    call.end(body);
  });
}

const WAYS: [path: string, edge: number][] = [
  ["/p/baseline/openai/v1/chat/completions", 0],
  ["/p/canary/openai/v1/chat/completions", 0],
  ["/p/canary/openai/v1/responses", 0],
  ["/p/baseline/openai/v1/chat/completions", 1],
  ["/p/baseline/openai/v1/chat/completions", 2],
  ["/p/canary/openai/v1/chat/completions", 2],
  ["/openai/v1/chat/completions", 0],
];

it(
  `${STREAMS} generated streams arrive as they were sent, or as far as they were`,
  { timeout: 120_000 },
  async () => {
    const wrong: string[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < STREAMS) {
        const number = next++;
        const pieces = randomStream(SEED + number);
        scripted.set(String(number), pieces);
        const [path, edge] = WAYS[number % WAYS.length]!;
        const { bytes, isWhole } = await receive(String(number), path, edge);
        const sent = Buffer.concat(pieces.chunks);
        const isSame = bytes.subarray(0, sent.length).equals(sent);
        const tail = bytes.subarray(sent.length).toString();
        const tells = path.startsWith("/p/") && pieces.end === "cut" ? /^\n\n(event|data): / : /^$/;
        if (!isSame || !tells.test(tail) || isWhole !== (pieces.end === "clean")) {
          wrong.push(
            `seed ${SEED + number} by ${path}: same ${isSame}, whole ${isWhole}, behind it ${JSON.stringify(tail)}`,
          );
        }
        scripted.delete(String(number));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(wrong).toEqual([]);
  },
);

it.each(WAYS.slice(0, -1))(
  "a client that does not read stops the provider: %s, edge %i",
  async (path, edge) => {
    poured = 0;
    const socket = connect(cluster.edges[edge]!.port, "127.0.0.1");
    const body = JSON.stringify({
      stream: true,
      input: "flood",
      messages: [{ role: "user", content: "flood" }],
    });
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nx-stream: flood\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    socket.pause();
    let before = -1;
    // Nothing moves any more: what was poured lies in the buffers of the sockets, and in nobody's memory.
    await until(
      async () => {
        const stands = poured > 0 && poured === before;
        before = poured;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return stands && poured === before;
      },
      20_000,
      "the provider stands still",
    );
    expect(poured).toBeLessThan(64 * 1024 * 1024);
    socket.resetAndDestroy();
  },
);
