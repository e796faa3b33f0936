// `npm run bench`: CPU per request and added latency of the proxy against a bare pass-through Worker on the same
// workerd, in interleaved rounds, medians. CPU is the process's own accounting (/proc), so noise from neighbours moves
// latency but hardly CPU. Needs Linux (taskset, /proc); proxies on core 0, load and provider on core 1.

import { fork, spawnSync } from "node:child_process";
import { join } from "node:path";
import { startContenders, type Contender } from "./contenders.ts";
import { cpuMsOf, median, runLoad, type Load, type Timing } from "./load.ts";

type Case = {
  name: string;
  plan: string;
  body: () => Buffer;
  /** `Prompt-Key`, so that nothing in the body decides. */
  key: string | null;
  count: number;
  concurrency: number;
  chunks: number;
};
type Sample = { cpuMs: number; firstByteMs: number; totalMs: number };

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 7);
const only = process.env["BENCH_ONLY"];

const MB = 1_024 * 1_024;
const json = { plan: "json", chunks: 0, key: null };
/** The key is of the baseline's; a canary's body is kept up to 4 MB, for its shield. */
const keyed = { ...json, key: "caller-1" };

const CASES: Case[] = [
  { ...json, name: "1 KB", body: () => chatBody(1_024), count: 1_500, concurrency: 8 },
  {
    ...json,
    plan: "chunked",
    name: "1 KB, chunked answer",
    body: () => chatBody(1_024),
    count: 1_500,
    concurrency: 8,
  },
  { ...json, name: "32 KB", body: () => chatBody(32 * 1_024), count: 1_000, concurrency: 8 },
  { ...json, name: "256 KB", body: () => chatBody(256 * 1_024), count: 300, concurrency: 4 },
  { ...keyed, name: "256 KB, decided early", body: () => chatBody(256 * 1_024), count: 300, concurrency: 4 },
  { ...json, name: "1 MB", body: () => chatBody(MB), count: 400, concurrency: 4 },
  { ...keyed, name: "1 MB, decided early", body: () => chatBody(MB), count: 400, concurrency: 4 },
  { ...keyed, name: "1 MB image, decided early", body: () => imageBody(MB), count: 400, concurrency: 4 },
  { ...json, name: "10 MB image", body: () => imageBody(10 * MB), count: 48, concurrency: 2 },
  { ...keyed, name: "10 MB image, decided early", body: () => imageBody(10 * MB), count: 48, concurrency: 2 },
  { ...json, name: "10 MB messages", body: () => chatBody(10 * MB), count: 48, concurrency: 2 },
  {
    ...keyed,
    name: "10 MB messages, decided early",
    body: () => chatBody(10 * MB),
    count: 48,
    concurrency: 2,
  },
  { ...json, name: "25 MB image", body: () => imageBody(25 * MB), count: 6, concurrency: 1 },
  { ...keyed, name: "25 MB image, decided early", body: () => imageBody(25 * MB), count: 6, concurrency: 1 },
  {
    ...json,
    name: "stream 50",
    plan: "stream:50:5",
    chunks: 50,
    body: () => chatBody(1_024),
    count: 160,
    concurrency: 16,
  },
  {
    ...json,
    name: "stream 500",
    plan: "stream:500:2",
    chunks: 500,
    body: () => chatBody(1_024),
    count: 32,
    concurrency: 16,
  },
  { ...json, name: "1 KB, one at a time", body: () => chatBody(1_024), count: 300, concurrency: 1 },
  {
    ...json,
    name: "stream, one at a time",
    plan: "stream:3:1",
    chunks: 3,
    body: () => chatBody(1_024),
    count: 200,
    concurrency: 1,
  },
].filter(({ name }) => only === undefined || name.startsWith(only));

/** A chat of about `bytes`, in turns of at most 2 KB, with escapes and text beyond ASCII in them. */
function chatBody(bytes: number): Buffer {
  const turn = 'The order came late and the box was "open"; what can you do?\n Ünïcode, ✓. '.repeat(26);
  const turnBytes = Buffer.byteLength(JSON.stringify({ role: "assistant", content: turn })) + 1;
  const messages = [{ role: "user", content: "Where is my order 4711?" }];
  let left = bytes - 120;
  while (left > 60) {
    const content = left > turnBytes ? turn : turn.slice(0, Math.max(1, left - 40));
    const message = { role: messages.length % 2 === 1 ? "assistant" : "user", content };
    messages.push(message);
    left -= left > turnBytes ? turnBytes : Buffer.byteLength(JSON.stringify(message)) + 1;
  }
  return Buffer.from(JSON.stringify({ model: "gpt-bench", messages, stream: false }));
}

/** A question about an image of about `bytes`. */
function imageBody(bytes: number): Buffer {
  const url = `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUgAAAAE/+x".repeat(Math.round((bytes - 260) / 30))}`;
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
  ];
  return Buffer.from(
    JSON.stringify({ model: "gpt-bench", messages: [{ role: "user", content }], stream: false }),
  );
}

async function measure(contender: Contender, test: Case, body: Buffer): Promise<Sample> {
  const load: Load = {
    port: contender.port,
    path: test.key === null ? contender.path : contender.path.replace("/p/bench/", "/p/plain/"),
    headers: {
      "content-type": "application/json",
      authorization: "Bearer sk-bench",
      "x-bench": test.plan,
      ...(test.key !== null && { "prompt-key": test.key }),
      ...contender.headers,
    },
    body: !test.plan.startsWith("stream")
      ? body
      : Buffer.from(body.toString().replace(`"stream":false`, `"stream":true`)),
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
    for (const test of CASES) {
      const body = test.body();
      printCase(test, body.length, await runCase(test, body, contenders));
    }
  } finally {
    for (const { process: child } of contenders) child.kill("SIGKILL");
    upstream.kill();
  }
}

async function runCase(test: Case, body: Buffer, all: Contender[]): Promise<Map<string, Sample[]>> {
  // What goes up unseen has to be decided early.
  const contenders = all.filter(({ name }) => test.key !== null || !name.endsWith("native"));
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders)
    await measure(contender, { ...test, count: Math.ceil(test.count / 2) }, body);
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of contenders)
      samples.get(contender.name)?.push(await measure(contender, test, body));
  }
  return samples;
}

/** Ratios are taken round by round and then their median: the machine's speed drifts, a round's halves share it. */
function printCase(test: Case, bytes: number, samples: Map<string, Sample[]>): void {
  const bare = samples.get("bare") ?? [];
  console.log(
    `${test.name} (${bytes} bytes, ${test.count} requests × ${rounds} rounds, ${test.concurrency} at once)`,
  );
  for (const [name, own] of samples) {
    const ratio = median(own.map((sample, round) => sample.cpuMs / (bare[round]?.cpuMs ?? Number.NaN)));
    const addedFirstMs = median(
      own.map((sample, round) => sample.firstByteMs - (bare[round]?.firstByteMs ?? 0)),
    );
    const addedUs = median(own.map((sample, round) => sample.cpuMs - (bare[round]?.cpuMs ?? 0))) * 1_000;
    const perChunk = test.chunks > 0 ? `  ${(addedUs / test.chunks).toFixed(1)} µs a chunk more` : "";
    console.log(
      `  ${name.padEnd(18)} cpu ${(median(own.map((sample) => sample.cpuMs)) * 1_000).toFixed(0).padStart(6)} µs` +
        `  ${ratio.toFixed(2)} × bare  first byte p50 ${median(own.map((sample) => sample.firstByteMs)).toFixed(2)} ms` +
        ` (${addedFirstMs >= 0 ? "+" : ""}${addedFirstMs.toFixed(2)})${perChunk}`,
    );
  }
}

await main();
