// Workers under a plain `workerd serve`, with nothing of a development server in front of them: the benchmark and the
// conformance kit see the bytes that workerd itself sends. Durable Objects live on a disk in memory where there is one, and the KV binding
// leads to a small service.

import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "./build.ts";

export type Served = { process: ChildProcess; port: number; stop(): void };
/** `core`: the processor that it has for itself (Linux); any unless given. */
export type Place = { core?: string };

/** workerd offers SQL to objects on disk only, so the disk is one in memory. */
const MEMORY_DISK = "/dev/shm";
const COMPATIBILITY = `compatibilityDate = "2026-10-06",
      compatibilityFlags = ["enable_request_signal", "request_signal_passthrough"],`;
const require = createRequire(import.meta.url);

/** A Worker that does nothing but call the provider: what a proxy on this platform cannot be better than. */
export const BARE_WORKER = `export default {
  fetch(request, env) {
    const url = new URL(request.url);
    return fetch(env.UPSTREAM + url.pathname + url.search, request);
  },
};`;

/** KV's HTTP face as workerd's binding speaks it: GET and PUT of /{key}. */
const KV = `const values = new Map();
export default {
  async fetch(request) {
    const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (request.method === "PUT") {
      values.set(key, await request.text());
      return new Response(null);
    }
    const value = values.get(key);
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};`;

/** A Worker of one module, with these texts in its `env`. */
export async function serveScript(
  script: string,
  vars: Record<string, string>,
  place: Place = {},
): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "switchback-workerd-"));
  writeFileSync(join(folder, "main.js"), script);
  const worker = `modules = [(name = "main.js", esModule = embed "main.js")],
      ${COMPATIBILITY}
      bindings = [${describeVars(vars)}],`;
  return serve([folder], worker, "", place);
}

/** The built bundle, with its objects and its store, and these vars. */
export async function serveSwitchback(vars: Record<string, string>, place: Place = {}): Promise<Served> {
  const { directory } = await buildWorker();
  const folder = mkdtempSync(join(tmpdir(), "switchback-workerd-"));
  const objects = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : folder, "switchback-objects-"));
  writeFileSync(join(folder, "kv.js"), KV);
  writeFileSync(join(folder, "index.js"), readFileSync(join(directory, "index.js")));
  const worker = `modules = [(name = "index.js", esModule = embed "index.js")],
      ${COMPATIBILITY}
      durableObjectNamespaces = [
        (className = "Control", uniqueKey = "control", enableSql = true),
        (className = "Registry", uniqueKey = "registry", enableSql = true),
      ],
      durableObjectStorage = (localDisk = "objects"),
      bindings = [
        (name = "STORE", kvNamespace = "kv"),
        (name = "CONTROL", durableObjectNamespace = "Control"),
        (name = "REGISTRY", durableObjectNamespace = "Registry"),
        ${describeVars(vars)}
      ],`;
  const services = `(name = "objects", disk = (path = "${objects}", writable = true)),
    (name = "kv", worker = (
      modules = [(name = "kv.js", esModule = embed "kv.js")],
      compatibilityDate = "2026-10-06",
    )),`;
  return serve([folder, objects], worker, services, place);
}

function describeVars(vars: Record<string, string>): string {
  return Object.entries(vars)
    .map(([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)}),`)
    .join("\n        ");
}

/** The first of `folders` holds the modules; all go when the process is stopped. */
async function serve(folders: string[], worker: string, services: string, place: Place): Promise<Served> {
  const port = await findFreePort();
  const config = join(folders[0]!, "config.capnp");
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      ${worker}
    )),
    ${services}
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`,
  );
  const { default: workerd } = require("workerd") as { default: string };
  const child = spawnOn(place, [workerd, "serve", "--experimental", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return watch(child, port, () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

export function spawnOn({ core }: Place, argv: string[], options: SpawnOptions): ChildProcess {
  const [command = "", ...rest] = core === undefined ? argv : ["taskset", "-c", core, ...argv];
  return spawn(command, rest, options);
}

/** How each process is stopped, with what it left on the disk. */
const running = new Set<() => void>();
process.on("exit", () => {
  for (const stop of running) stop();
});

/** Waits until the process listens; from then on it is stopped with us. */
export async function watch(
  child: ChildProcess,
  port: number,
  clean = (): void => undefined,
): Promise<Served> {
  const stop = () => {
    running.delete(stop);
    child.kill("SIGKILL");
    clean();
  };
  running.add(stop);
  await untilOpen(port).catch((error: unknown) => {
    stop();
    throw error;
  });
  return { process: child, port, stop };
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function untilOpen(port: number): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  while (Date.now() < deadlineMs) {
    if (await isOpen(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** By a connection alone: a request would go on to the provider. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
