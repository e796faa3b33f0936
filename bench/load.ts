// The client of the benchmark: keeps `concurrency` requests going until `count` are answered, and notes for each when
// its first byte and its end came.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

const TICKS_PER_SECOND = 100;

export type Load = {
  port: number;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  count: number;
  concurrency: number;
};

export type Timing = { firstByteMs: number; totalMs: number };

/** Throws when an answer is not 200: a benchmark of errors measures nothing. */
export async function runLoad(load: Load): Promise<Timing[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.concurrency });
  const timings: Timing[] = [];
  let started = 0;
  const worker = async () => {
    while (started < load.count) {
      started += 1;
      timings.push(await sendOne(load, agent));
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, worker));
  agent.destroy();
  return timings;
}

function sendOne({ port, path, headers, body }: Load, agent: Agent): Promise<Timing> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const call = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: "POST",
        agent,
        headers: { ...headers, "content-length": body.length },
      },
      (answer) => {
        let firstByteMs = 0;
        let text = "";
        answer.on("data", (chunk: Buffer) => {
          if (firstByteMs === 0) firstByteMs = performance.now() - startedAt;
          if (answer.statusCode !== 200) text += chunk;
        });
        answer.on("end", () => {
          if (answer.statusCode !== 200)
            reject(new Error(`status ${answer.statusCode}: ${text.slice(0, 300)}`));
          else resolve({ firstByteMs, totalMs: performance.now() - startedAt });
        });
        answer.on("error", reject);
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

export function median(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** User and system time of a process so far, in ms (proc(5), fields 14 and 15). */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
}
