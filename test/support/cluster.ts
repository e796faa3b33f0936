// Starts what a test runs against: the shipped bundle in real workerd, one `control` Worker that holds the Durable
// Objects and any number of `edge` Workers, each an isolate of its own on a socket of its own, sharing one KV
// namespace. Bytes go test → socket → workerd → socket → test server; Node stands in nobody's way.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { readBuild } from "./build.ts";
import { readCompatibility, readModules } from "./modules.ts";
import type { Calls, Faults } from "./workers/faults.ts";

export type ClusterOptions = {
  edges: number;
  /** Vars and secrets of every Worker, over `DEFAULT_VARS`. */
  vars?: Record<string, string>;
  /** Where storage lives; a directory that goes with the cluster unless given. */
  persist?: string;
  /** Faults in force before the first request. */
  faults?: { control?: Partial<Faults>; edges?: Partial<Faults> };
  /** Directory of built modules (`index.js` first); the build under test unless given. */
  bundle?: string;
};

/** One isolate. `url` has no trailing slash. */
export type Isolate = {
  name: string;
  url: string;
  port: number;
  setFaults(change: Partial<Faults>): Promise<void>;
  /** How often this isolate called (edge) or served (control) `control.sync`, `store.get`, … since it started. */
  readCalls(): Promise<Calls>;
};

export type LogLine = { level: string; message: string };

export type Cluster = {
  control: Isolate;
  edges: Isolate[];
  /** All that the Workers have written to their console. */
  logs: LogLine[];
  /** The KV namespace as it really is, whatever the isolates are made to see. */
  store: Store;
  /** Throws a prompt's object out of memory; its storage stays. */
  evict(prompt: string): Promise<void>;
  /** Starts a fresh runtime over the same storage: every isolate is cold, every fault is gone. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export type Store = {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  list(): Promise<string[]>;
};

export const ADMIN_TOKEN = "admin-token-of-the-tests";
export const DEFAULT_VARS: Record<string, string> = { ADMIN_TOKEN };

export type Worker = MiniflareOptions["workers"][number];
type Binding = NonNullable<Worker["config"]["env"]>[string];

/** Options of a Miniflare that stays on this machine and writes nothing but storage. */
export const QUIET = {
  host: "127.0.0.1",
  port: 0,
  cf: false,
  logRequests: false,
  telemetry: { enabled: false },
} satisfies Partial<MiniflareOptions>;

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const persist = options.persist ?? (await mkdtemp(join(tmpdir(), "switchback-")));
  const logs: LogLine[] = [];
  const names = Array.from({ length: options.edges }, (_, index) => `edge-${index}`);
  const modules = await readModules(options.bundle ?? readBuild().directory);
  const vars = { ...DEFAULT_VARS, ...options.vars };
  const settings: MiniflareOptions = {
    ...QUIET,
    enableDevRegistry: false,
    resourcePersistencePath: persist,
    handleStructuredLogs: (line) => logs.push({ level: line.level, message: line.message }),
    workers: ["control", ...names].map((name) => describeWorker(name, modules, vars)),
  };
  const miniflare = new Miniflare(settings);
  const [control, ...edges] = await Promise.all(
    ["control", ...names].map((name) => openIsolate(miniflare, name)),
  );
  if (control === undefined) throw new Error("no control Worker");

  const setInitialFaults = async (): Promise<void> => {
    await control.setFaults(options.faults?.control ?? {});
    for (const edge of edges) await edge.setFaults(options.faults?.edges ?? {});
  };
  await setInitialFaults();

  return {
    control,
    edges,
    logs,
    store: openStore(miniflare),
    evict: (prompt) => miniflare.unsafeEvictDurableObject("control", "Control", { name: prompt }),
    async restart() {
      await miniflare.setOptions(settings);
      for (const isolate of [control, ...edges])
        Object.assign(isolate, await openIsolate(miniflare, isolate.name));
    },
    async stop() {
      await miniflare.dispose();
      if (options.persist === undefined) await rm(persist, { recursive: true, force: true });
    },
  };
}

/** A Worker of a cluster; the one called `control` owns the objects, the others reach them by its name. */
export function describeWorker(
  name: string,
  modules: Awaited<ReturnType<typeof readModules>>,
  vars: Record<string, string>,
  more: Record<string, Binding> = { STORE: { type: "kv", id: "store" } },
): Worker {
  const env: Record<string, Binding> = {
    ...more,
    CONTROL: { type: "durable-object", worker: "control", exportName: "Control" },
    REGISTRY: { type: "durable-object", worker: "control", exportName: "Registry" },
  };
  for (const [key, value] of Object.entries(vars)) env[key] = { type: "text", value };
  const objects = { type: "durable-object", storage: "sqlite" } as const;
  return {
    config: {
      name,
      ...readCompatibility(),
      manifest: { mainModule: "harness.js", modules },
      env,
      ...(name === "control" && { exports: { Control: objects, Registry: objects } }),
    },
    dev: {
      // Else every outbound header list is rebuilt, and `CF-Worker` added, on its way out.
      stripCfConnectingIp: false,
      unsafeDirectSockets: [{ host: "127.0.0.1" }, { host: "127.0.0.1", entrypoint: "Harness" }],
    },
  };
}

export async function openIsolate(miniflare: Miniflare, name: string): Promise<Isolate> {
  const url = await miniflare.unsafeGetDirectURL(name);
  const harness = await miniflare.unsafeGetDirectURL(name, "Harness");
  return {
    name,
    url: url.origin,
    port: Number(url.port),
    async setFaults(change) {
      const response = await fetch(new URL("/faults", harness), {
        method: "POST",
        body: JSON.stringify(change),
      });
      if (!response.ok) throw new Error(`${name} did not take its faults: ${await response.text()}`);
    },
    readCalls: async () => (await fetch(new URL("/calls", harness))).json() as Promise<Calls>,
  };
}

function openStore(miniflare: Miniflare): Store {
  const open = () => miniflare.getKVNamespace("STORE", "control");
  return {
    get: async (key) => (await open()).get(key, "text"),
    put: async (key, value) => (await open()).put(key, value),
    delete: async (key) => (await open()).delete(key),
    list: async () => (await (await open()).list()).keys.map((key) => key.name),
  };
}
