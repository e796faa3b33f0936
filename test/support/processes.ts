// A cluster whose control Worker lives in an operating-system process of its own, so that a test can kill it without
// a word, as a crash would. The edges and the KV namespace stay alive in this process; the two sides talk over TCP.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { readBuild } from "./build.ts";
import { DEFAULT_VARS } from "./cluster.ts";
import type { ControlProcessOptions } from "./control-process.ts";
import { describeWorker, type Isolate, openIsolate, QUIET } from "./isolates.ts";
import { readModules } from "./modules.ts";

export type Processes = {
  edges: Isolate[];
  /** Kills the control process and its runtime with SIGKILL, and waits until it is gone. */
  killControl(): Promise<void>;
  /** Starts the control process again over the same storage. */
  startControl(): Promise<void>;
  stop(): Promise<void>;
};

export type ProcessesOptions = { edges: number; vars?: Record<string, string>; bundle?: string };

export async function startProcesses(options: ProcessesOptions): Promise<Processes> {
  const directory = await mkdtemp(join(tmpdir(), "switchback-"));
  const bundle = options.bundle ?? readBuild().directory;
  const harnessPort = await findFreePort();
  const vars = { ...DEFAULT_VARS, ...options.vars };
  const edgeVars = { ...vars, OBJECTS_URL: `http://127.0.0.1:${harnessPort}` };
  const modules = await readModules(bundle);
  const names = Array.from({ length: options.edges }, (_, index) => `edge-${index}`);
  const miniflare = new Miniflare({
    ...QUIET,
    resourcePersistencePath: join(directory, "edges"),
    // That Control is out of reach is what these edges are for.
    handleStructuredLogs: () => undefined,
    // The objects that these Workers hold themselves are never asked: `OBJECTS_URL` leads to the other process.
    workers: names.map((name) => describeWorker({ name, modules, vars: edgeVars, objects: "own" })),
  });
  const edges = await Promise.all(names.map((name) => openIsolate(miniflare, name)));
  const control: ControlProcessOptions = {
    persist: join(directory, "control"),
    bundle,
    harnessPort,
    vars: { ...vars, STORE_URL: edges[0]!.harnessUrl },
  };
  let child: ChildProcess | null = await spawnControl(control);

  const killControl = async (): Promise<void> => {
    if (child?.pid === undefined) return;
    const gone = once(child, "exit");
    // The whole group: workerd is a child of the child.
    process.kill(-child.pid, "SIGKILL");
    await gone;
    child = null;
  };
  return {
    edges,
    killControl,
    async startControl() {
      child ??= await spawnControl(control);
    },
    async stop() {
      await killControl();
      await miniflare.dispose();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function spawnControl(options: ControlProcessOptions): Promise<ChildProcess> {
  const script = join(import.meta.dirname, "control-process.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const failed = once(child, "exit").then(() =>
    Promise.reject(new Error("the control process did not start")),
  );
  // The exit that ends every control process must not count as an unhandled failure once it has started.
  failed.catch(() => undefined);
  await Promise.race([once(child.stdout, "data"), failed]);
  return child;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
