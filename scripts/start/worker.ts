// Runs the Worker in real workerd through `wrangler dev`, offline and quiet: what wrangler says is kept and shown only
// when it fails, or once the Worker runs (then it is the Worker's own warnings and errors).
// Guarantee: `stop` leaves no process behind, and a Worker that dies by itself is reported, never waited for.

import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import type { Home } from "./home.ts";

export type WorkerProcess = {
  /** Resolves when the process has ended, by itself or by `stop`. */
  ended: Promise<void>;
  /** The last lines that wrangler wrote. */
  output(): string;
  /** From now on what wrangler writes goes to `write`. */
  forward(write: (text: string) => void): void;
  stop(): Promise<void>;
};

const KEPT_CHARACTERS = 8_000;
const STOP_GRACE_MS = 8_000;

/** Starts `wrangler dev` for the wrangler.toml in `checkout` on 127.0.0.1:port. */
export function startWorker(checkout: string, home: Home, port: number): WorkerProcess {
  const child = spawn(process.execPath, [wranglerBin(), ...wranglerArguments(checkout, home, port)], {
    cwd: checkout,
    env: { ...process.env, ...quietEnvironment(home) },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C in a terminal reaches this script alone, which then stops things in order.
    detached: process.platform !== "win32",
  });
  // Should this script itself come to a bad end.
  const killWithUs = () => killGroup(child);
  process.once("exit", killWithUs);
  let kept = "";
  let sink: ((text: string) => void) | null = null;
  const take = (chunk: Buffer) => {
    const text = chunk.toString("utf8");
    if (sink) sink(text);
    else kept = (kept + text).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  void ended.then(() => process.off("exit", killWithUs));
  return {
    ended,
    output: () => kept.trim(),
    forward: (write) => {
      sink = write;
    },
    stop: () => stopChild(child, ended),
  };
}

function wranglerBin(): string {
  const require = createRequire(import.meta.url);
  return path.join(path.dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");
}

function wranglerArguments(checkout: string, home: Home, port: number): string[] {
  const flags = {
    config: path.join(checkout, "wrangler.toml"),
    ip: "127.0.0.1",
    port,
    "inspector-port": 0,
    "env-file": home.workerVars,
    "persist-to": home.stateDir,
    "show-interactive-dev-session": false,
    local: true,
  };
  return ["dev", ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
}

/** Nothing of this start leaves the machine, and nothing is written outside the state directory. */
function quietEnvironment(home: Home): { [name: string]: string } {
  return {
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_LOG: "warn",
    WRANGLER_LOG_PATH: path.join(home.wranglerDir, "logs"),
    WRANGLER_REGISTRY_PATH: path.join(home.wranglerDir, "registry"),
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    DO_NOT_TRACK: "1",
  };
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => killGroup(child), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid === undefined || process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}
