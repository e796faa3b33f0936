// `npm run bench`: CPU per request and added latency of the proxy against a bare pass-through Worker on the same
// workerd, in interleaved rounds, medians. CPU is the process's own accounting (/proc), so noise from neighbours moves
// latency but hardly CPU. Needs Linux (taskset, /proc); proxies on core 0, load and provider on core 1.

import { fork, spawnSync } from "node:child_process";
import { join } from "node:path";
import { startContenders, type Contender } from "./contenders.ts";
import { cpuMsOf, median, runLoad, type Load, type Timing } from "./load.ts";

type Case = { name: string; plan: string; body: Buffer; count: number; concurrency: number; chunks: number };
type Sample = { cpuMs: number; firstByteMs: number; totalMs: number };

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 7);
const only = process.env["BENCH_ONLY"];

const CASES: Case[] = [
  { name: "1 KB", plan: "json", body: chatBody(1_024), count: 1_500, concurrency: 8, chunks: 0 },
  { name: "32 KB", plan: "json", body: chatBody(32 * 1_024), count: 1_000, concurrency: 8, chunks: 0 },
  { name: "1 MB", plan: "json", body: chatBody(1_024 * 1_024), count: 120, concurrency: 4, chunks: 0 },
  { name: "stream 50", plan: "stream:50:5", body: chatBody(1_024), count: 160, concurrency: 16, chunks: 50 },
  {
    name: "stream 500",
    plan: "stream:500:2",
    body: chatBody(1_024),
    count: 32,
    concurrency: 16,
    chunks: 500,
  },
  { name: "1 KB, one at a time", plan: "json", body: chatBody(1_024), count: 300, concurrency: 1, chunks: 0 },
  {
    name: "stream, one at a time",
    plan: "stream:3:1",
    body: chatBody(1_024),
    count: 200,
    concurrency: 1,
    chunks: 3,
  },
].filter(({ name }) => only === undefined || name.startsWith(only));

/** A chat of about `bytes`, in turns of at most 2 KB, with escapes and text beyond ASCII in them. */
function chatBody(bytes: number): Buffer {
  const turn = 'The order came late and the box was "open"; what can you do?\n Ünïcode, ✓. '.repeat(26);
  const messages = [{ role: "user", content: "Where is my order 4711?" }];
  let left = bytes - 120;
  while (left > 60) {
    const content = turn.slice(0, Math.max(1, left - 40));
    const message = { role: messages.length % 2 === 1 ? "assistant" : "user", content };
    messages.push(message);
    left -= Buffer.byteLength(JSON.stringify(message)) + 1;
  }
  return Buffer.from(JSON.stringify({ model: "gpt-bench", messages, stream: false }));
}

async function measure(contender: Contender, test: Case): Promise<Sample> {
  const load: Load = {
    port: contender.port,
    path: contender.path,
    headers: {
      "content-type": "application/json",
      authorization: "Bearer sk-bench",
      "x-bench": test.plan,
      ...contender.headers,
    },
    body:
      test.plan === "json"
        ? test.body
        : Buffer.from(test.body.toString().replace(`"stream":false`, `"stream":true`)),
    count: test.count,
    concurrency: test.concurrency,
  };
  const pid = contender.process.pid ?? 0;
  const before = cpuMsOf(pid);
  const timings: Timing[] = await runLoad(load);
  const cpuMs = (cpuMsOf(pid) - before) / test.count;
  return {
    cpuMs,
    firstByteMs: median(timings.map((timing) => timing.firstByteMs)),
    totalMs: median(timings.map((timing) => timing.totalMs)),
  };
}

async function main(): Promise<void> {
  spawnSync("taskset", ["-pc", "1", String(process.pid)]);
  const upstream = fork(join(import.meta.dirname, "upstream.ts"));
  const upstreamPort = await new Promise<number>((resolve) =>
    upstream.once("message", (port) => resolve(Number(port))),
  );
  const contenders = await startContenders(upstreamPort);
  try {
    for (const test of CASES) printCase(test, await runCase(test, contenders));
  } finally {
    for (const { process: child } of contenders) child.kill("SIGKILL");
    upstream.kill();
  }
}

async function runCase(test: Case, contenders: Contender[]): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await measure(contender, { ...test, count: Math.ceil(test.count / 2) });
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders) samples.get(contender.name)?.push(await measure(contender, test));
  }
  return samples;
}

/** Ratios are taken round by round and then their median: the machine's speed drifts, a round's halves share it. */
function printCase(test: Case, samples: Map<string, Sample[]>): void {
  const bare = samples.get("bare") ?? [];
  console.log(
    `${test.name} (${test.body.length} bytes, ${test.count} requests × ${rounds} rounds, ${test.concurrency} at once)`,
  );
  for (const [name, own] of samples) {
    const ratio = median(own.map((sample, round) => sample.cpuMs / (bare[round]?.cpuMs ?? Number.NaN)));
    const addedFirstMs = median(
      own.map((sample, round) => sample.firstByteMs - (bare[round]?.firstByteMs ?? 0)),
    );
    const addedUs = median(own.map((sample, round) => sample.cpuMs - (bare[round]?.cpuMs ?? 0))) * 1_000;
    const perChunk = test.chunks > 0 ? `  ${(addedUs / test.chunks).toFixed(1)} µs a chunk more` : "";
    console.log(
      `  ${name.padEnd(15)} cpu ${(median(own.map((sample) => sample.cpuMs)) * 1_000).toFixed(0).padStart(6)} µs` +
        `  ${ratio.toFixed(2)} × bare  first byte p50 ${median(own.map((sample) => sample.firstByteMs)).toFixed(2)} ms` +
        ` (${addedFirstMs >= 0 ? "+" : ""}${addedFirstMs.toFixed(2)})${perChunk}`,
    );
  }
}

await main();
