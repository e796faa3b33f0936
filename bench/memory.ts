// `npx node bench/memory.ts`: what many answers at once cost in memory. 200 streams to clients that read slowly, from a
// provider that writes as fast as it is let; then bodies of 25 MB, one after the other and four at once. Printed for a
// bare pass-through Worker and for Switchback: resident memory of the process, at rest, at its peak, and as it goes on.
// Linux only (/proc). Flat means: the peak does not grow with how much the provider has to say.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { startBare, startSwitchback, type Contender } from "./contenders.ts";

const STREAMS = 200;
/** What each client takes, every so often: some 60 KB a second. */
const SIP_BYTES = 3_000;
const SIP_EVERY_MS = 50;
const LOOK_AT_SECONDS = [2, 5, 10];
/** How many events of 32 KB each stream has: 12.5 and 50 MB, both more than all buffers on the way hold. */
const EVENTS = [400, 1_600];
const LARGE_BYTES = 25 * 1_024 * 1_024;
const MB = 1_024 * 1_024;

const poured = { bytes: 0 };

async function main(): Promise<void> {
  spawnSync("taskset", ["-pc", "1", String(process.pid)]);
  const provider = createServer((incoming, answer) => {
    incoming.resume();
    answer.on("error", () => undefined);
    incoming.on("end", () => {
      const events = Number(incoming.headers["x-bench"]) || 0;
      if (events > 0) void pour(answer, events);
      else answer.end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(provider, "listening");
  const upstream = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  // Memory that was freed is not given back to the system, so every measurement has a process of its own.
  const measure = async (what: (contender: Contender) => Promise<void>) => {
    for (const start of [startBare, startSwitchback]) {
      const contender = await start(upstream);
      await what(contender).finally(() => contender.process.kill("SIGKILL"));
    }
  };
  for (const events of EVENTS) await measure((contender) => measureStreams(contender, events));
  for (const key of [null, "caller-1"]) {
    for (const atOnce of [1, 4]) await measure((contender) => measureBodies(contender, atOnce, key));
  }
  provider.closeAllConnections();
  provider.close();
}

/** As fast as it is let. */
async function pour(answer: ServerResponse, events: number): Promise<void> {
  answer.writeHead(200, { "content-type": "text/event-stream" });
  const event = Buffer.from(`data: ${"x".repeat(32 * 1_024)}\n\n`);
  for (let count = 0; count < events && !answer.destroyed; count += 1) {
    await new Promise((resolve) => answer.write(event, resolve));
    poured.bytes += event.length;
  }
  answer.end();
}

async function measureStreams(contender: Contender, events: number): Promise<void> {
  poured.bytes = 0;
  const restMb = residentMb(contender);
  const sockets = Array.from({ length: STREAMS }, () => openSlowly(contender, events));
  const timer = setInterval(() => sockets.forEach((socket) => socket.read(SIP_BYTES)), SIP_EVERY_MS);
  const seen: string[] = [];
  const startedAtMs = performance.now();
  let peakMb = restMb;
  for (const second of LOOK_AT_SECONDS) {
    while (performance.now() - startedAtMs < second * 1_000) {
      peakMb = Math.max(peakMb, residentMb(contender));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    seen.push(`${second} s ${residentMb(contender).toFixed(0)}`);
  }
  clearInterval(timer);
  for (const socket of sockets) socket.destroy();
  console.log(
    `${contender.name}: ${STREAMS} slow streams of ${((events * 32) / 1_024).toFixed(1)} MB: at rest ${restMb.toFixed(0)} MB, peak ${peakMb.toFixed(0)} MB` +
      ` (${seen.join(", ")}), ${(((peakMb - restMb) * 1_024) / STREAMS).toFixed(0)} KB a stream;` +
      ` the provider got rid of ${(poured.bytes / MB).toFixed(0)} MB, most of it into socket buffers`,
  );
}

/** A socket that is read only by `read`, so that the kernel's window closes. */
function openSlowly({ port, path }: Contender, events: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" });
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "hello" }] });
  const lines = [
    `POST ${path} HTTP/1.1`,
    "Host: bench",
    `x-bench: ${events}`,
    "Content-Type: application/json",
  ];
  socket.write(`${lines.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  socket.on("readable", () => undefined);
  socket.on("error", () => undefined);
  return socket;
}

/** With a key in a header nothing in the body decides, and it goes up while it comes in. */
async function measureBodies(contender: Contender, atOnce: number, key: string | null): Promise<void> {
  const body = largeBody();
  const restMb = residentMb(contender);
  let peakMb = restMb;
  const timer = setInterval(() => (peakMb = Math.max(peakMb, residentMb(contender))), 20);
  const peaks: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: atOnce }, () => sendLarge(contender, body, key)));
    peaks.push(peakMb.toFixed(0));
  }
  clearInterval(timer);
  console.log(
    `${contender.name}: bodies of 25 MB${key === null ? "" : ", decided early"}, ${atOnce} at once: at rest ${restMb.toFixed(0)} MB, peak ${peakMb.toFixed(0)} MB` +
      ` (after each round ${peaks.join(", ")})`,
  );
}

function largeBody(): Buffer {
  const head =
    '{"model":"gpt-bench","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},';
  const image = '{"type":"image_url","image_url":{"url":"data:image/png;base64,';
  const tail = '"}}]}]}';
  const rest = LARGE_BYTES - head.length - image.length - tail.length;
  return Buffer.from(head + image + "A".repeat(rest) + tail);
}

function sendLarge({ port, path }: Contender, body: Buffer, key: string | null): Promise<void> {
  const named = key === null ? {} : { "prompt-key": key };
  const headers = { "content-type": "application/json", "content-length": body.length, ...named };
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, method: "POST", headers }, (answer) => {
      answer.resume();
      answer.on("end", () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`status ${answer.statusCode}`)),
      );
    });
    call.on("error", reject);
    call.end(body);
  });
}

function residentMb({ process: { pid = 0 } }: Contender): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

await main();
