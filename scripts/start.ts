// `npm start`: a whole Switchback on this machine, with a stand-in provider, a demo prompt and the lines to try.
// PORT (8787), STAND_IN_PORT (4010) and SWITCHBACK_HOME (the checkout: where .dev.vars and the state are) change it.
// Ctrl-C stops everything; the state stays.

import { once } from "node:events";
import path from "node:path";
import { formatBanner } from "./start/banner.ts";
import { startSwitchback, type Running } from "./start/run.ts";

const PARENT_LOOK_MS = 500;
const checkout = path.resolve(import.meta.dirname, "..");

async function main(): Promise<void> {
  const stopping = new AbortController();
  // Not `once`: an impatient second Ctrl-C must not end this script before it has ended the Worker.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => stopping.abort());
  }
  // npm does not hand on every signal that ends it; nothing may be left behind that holds the port.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stopping.abort(), PARENT_LOOK_MS).unref();
  const starting = startSwitchback({
    checkout,
    homeDir: process.env["SWITCHBACK_HOME"] ?? checkout,
    port: readPort("PORT", 8787),
    standInPort: readPort("STAND_IN_PORT", 4010),
    signal: stopping.signal,
  });
  process.stderr.write("Starting Switchback …\n");
  const started = await starting;
  if ("failure" in started) {
    process.stderr.write(`\n${[started.failure, started.detail].filter(Boolean).join("\n")}\n`);
    process.exit(1);
  }
  const color = process.stdout.isTTY && !process.env["NO_COLOR"];
  process.stdout.write(formatBanner({ ...started, color }));
  await serveUntil(stopping.signal, started);
}

async function serveUntil(stopping: AbortSignal, running: Running): Promise<never> {
  running.worker.forward((text) => process.stderr.write(text));
  const cause = await Promise.race([
    untilAborted(stopping).then(() => "asked" as const),
    running.worker.ended.then(() => "died" as const),
  ]);
  process.stderr.write(cause === "asked" ? "\nStopping …\n" : "\nThe Worker ended by itself.\n");
  running.worker.forward(() => {});
  await running.stop();
  process.exit(cause === "asked" ? 0 : 1);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function readPort(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  process.stderr.write(`${name} must be a number from 1 to 65535, not "${text}".\n`);
  process.exit(1);
}

await main();
