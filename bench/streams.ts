// `npx node bench/streams.ts`: what it costs to know how a streamed answer ended. The ways to watch a stream, each as a
// Worker of a few lines beside native pass-through: CPU a chunk, first byte, and when the provider's request ends
// after the client has hung up. src/edge/relay.ts uses the cheapest that gets all three right. Last Switchback itself, as it
// is and where it takes the chunk with the usage out (STREAM_USAGE). `BENCH_WAYS=native,switchback`: only these.

import { fork, spawnSync } from "node:child_process";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { startScript, startSwitchback, type Contender } from "./contenders.ts";
import { cpuMsOf, median, runLoad } from "./load.ts";

const CHUNKS = Number(process.env["BENCH_CHUNKS"] ?? 50);
const STREAMS = CHUNKS > 100 ? 48 : 200;
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 7);

const CHOSEN = process.env["BENCH_WAYS"]?.split(",");
const BODY = Buffer.from(
  JSON.stringify({ model: "gpt-bench", stream: true, messages: [{ role: "user", content: "hello" }] }),
);

const FETCH = "const upstream = await fetch(env.UPSTREAM + new URL(request.url).pathname, request);";
const worker = (body: string) => `export default { async fetch(request, env, ctx) { ${FETCH} ${body} } };`;

const WAYS: Record<string, string> = {
  native: worker("return new Response(upstream.body, upstream);"),
  "identity-pipe": worker(`const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(upstream.body.pipeTo(writable).then(() => {}, () => {}));
    return new Response(readable, upstream);`),
  "identity-pipe with signal": worker(`const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(upstream.body.pipeTo(writable, { signal: request.signal }).then(() => {}, () => {}));
    return new Response(readable, upstream);`),
  // As src/edge/pipe.ts does: something can still be said when the provider breaks off.
  "identity-pipe, kept open": worker(`const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(upstream.body.pipeTo(writable, { preventAbort: true, signal: request.signal }).then(() => {}, () => {}));
    return new Response(readable, upstream);`),
  // What a limit on silence takes.
  "loop with one timer": worker(`const { readable, writable } = new IdentityTransformStream();
    const pump = async () => {
      const reader = upstream.body.getReader();
      const writer = writable.getWriter();
      let quiet = 0;
      let reading = false;
      const timer = setInterval(() => { quiet = reading ? quiet + 1 : 0; if (quiet > 4) reader.cancel(); }, 15_000);
      try {
        for (;;) {
          reading = true;
          const { done, value } = await reader.read();
          reading = false;
          quiet = 0;
          if (done) return await writer.close();
          await writer.write(value);
        }
      } catch (error) { reader.cancel(error).catch(() => {}); writer.abort(error).catch(() => {}); }
      finally { clearInterval(timer); }
    };
    ctx.waitUntil(pump());
    return new Response(readable, upstream);`),
  // As src/edge/sight.ts does: the client's branch through the runtime's pipe, the other one looked at now and then.
  "tee, looked at now and then": worker(`const { readable, writable } = new IdentityTransformStream();
    const [down, seen] = upstream.body.tee();
    const piping = down.pipeTo(writable, { preventAbort: true, preventCancel: true, signal: request.signal }).then(() => null, (error) => ({ error }));
    const look = async () => {
      const reader = seen.getReader({ mode: "byob" });
      let room = new ArrayBuffer(65536), waitMs = 25, over = false;
      const end = piping.then((broken) => { over = true; if (broken) { reader.cancel().catch(() => {}); down.cancel().catch(() => {}); } });
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(room));
        if (value) room = value.buffer;
        if (done) return;
        if (!over && value.length < 16384) {
          await Promise.race([new Promise((resolve) => setTimeout(resolve, waitMs)), end]);
          waitMs = Math.min(200, waitMs * 2);
        }
      }
    };
    ctx.waitUntil(look().catch(() => {}));
    return new Response(readable, upstream);`),
  "tee, each chunk read": worker(`const { readable, writable } = new IdentityTransformStream();
    const [down, seen] = upstream.body.tee();
    const piping = down.pipeTo(writable, { preventAbort: true, preventCancel: true, signal: request.signal }).then(() => null, (error) => ({ error }));
    const look = async () => {
      const reader = seen.getReader();
      piping.then((broken) => { if (broken) { reader.cancel().catch(() => {}); down.cancel().catch(() => {}); } });
      for (;;) { const { done } = await reader.read(); if (done) return; }
    };
    ctx.waitUntil(look().catch(() => {}));
    return new Response(readable, upstream);`),
  "pull-cancel": worker(`const reader = upstream.body.getReader();
    return new Response(new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) { controller.close(); controller.byobRequest?.respond(0); } else controller.enqueue(value);
      },
      cancel(reason) { return reader.cancel(reason); },
    }), upstream);`),
  "transform-js": worker(`return new Response(upstream.body.pipeThrough(new TransformStream({
      transform(chunk, controller) { controller.enqueue(chunk); }, flush() {}, cancel() {},
    })), upstream);`),
};

async function main(): Promise<void> {
  spawnSync("taskset", ["-pc", "1", String(process.pid)]);
  const upstream = fork(join(import.meta.dirname, "upstream.ts"));
  const upstreamPort = await new Promise<number>((resolve) =>
    upstream.once("message", (port) => resolve(Number(port))),
  );
  const contenders: Contender[] = [];
  const ways = Object.entries(WAYS).filter(([name]) => isChosen(name));
  const provider = `http://127.0.0.1:${upstreamPort}`;
  try {
    for (const [name, script] of ways) {
      contenders.push(await startScript(name.replaceAll(" ", "-"), script, provider));
    }
    if (isChosen("switchback")) {
      contenders.push(await startSwitchback(provider));
      const hiding = await startSwitchback(provider, { STREAM_USAGE: "openai" });
      contenders.push({ ...hiding, name: "switchback, STREAM_USAGE" });
    }
    await compareCost(contenders);
    for (const [name, script] of ways) await reportAbort(name, script);
  } finally {
    for (const { process: child } of contenders) child.kill("SIGKILL");
    upstream.kill();
  }
}

function isChosen(name: string): boolean {
  return CHOSEN === undefined || CHOSEN.includes(name);
}

async function compareCost(contenders: Contender[]): Promise<void> {
  const cpu = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  const first = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const { name, port, path, process: child } of contenders) {
      const headers = { "x-bench": `stream:${CHUNKS}:5`, "content-type": "application/json" };
      const before = cpuMsOf(child.pid ?? 0);
      const timings = await runLoad({
        port,
        path,
        headers,
        body: BODY,
        count: STREAMS,
        concurrency: 16,
      });
      if (round < 0) continue;
      cpu.get(name)?.push(((cpuMsOf(child.pid ?? 0) - before) * 1_000) / STREAMS);
      first.get(name)?.push(median(timings.map(({ firstByteMs }) => firstByteMs)));
    }
  }
  const native = cpu.get("native") ?? [];
  for (const [name, values] of cpu) {
    const added = median(values.map((value, round) => (value - (native[round] ?? 0)) / CHUNKS));
    const firstMs = median(first.get(name) ?? []);
    console.log(
      `${name.padEnd(26)} ${median(values).toFixed(0)} µs a stream of ${CHUNKS} chunks,` +
        ` ${added.toFixed(1)} µs a chunk over native, first byte p50 ${firstMs.toFixed(2)} ms`,
    );
  }
}

/** Hangs up after three chunks and reports when the provider saw the end of its request. */
async function reportAbort(name: string, script: string): Promise<void> {
  const seen = { closedAtMs: 0 };
  const server = createServer((incoming, answer) => {
    incoming.resume();
    answer.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => answer.write("data: {}\n\n"), 20);
    answer.on("close", () => {
      clearInterval(timer);
      // Not the probe that asked whether the proxy is up.
      if (incoming.method === "POST") seen.closedAtMs = performance.now();
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const contender = await startScript(
    `abort-${name.replaceAll(" ", "-")}`,
    script,
    `http://127.0.0.1:${port}`,
  );
  seen.closedAtMs = 0;
  const leftAtMs = await hangUpAfter(contender.port, 3);
  const deadline = performance.now() + 6_000;
  while (seen.closedAtMs === 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 2));
  console.log(
    `${name.padEnd(26)} ${seen.closedAtMs === 0 ? "provider still running after 6 s" : `provider's request ended ${(seen.closedAtMs - leftAtMs).toFixed(0)} ms after the client left`}`,
  );
  contender.process.kill("SIGKILL");
  server.closeAllConnections();
  server.close();
}

function hangUpAfter(port: number, chunks: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", port, path: "/v1/chat/completions", method: "POST" },
      (answer) => {
        let seen = 0;
        answer.on("error", () => {});
        answer.on("data", () => {
          seen += 1;
          if (seen !== chunks) return;
          call.destroy();
          resolve(performance.now());
        });
      },
    );
    call.on("error", reject);
    call.end("{}");
  });
}

await main();
