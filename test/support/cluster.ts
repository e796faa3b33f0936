// Starts what a test runs against: the shipped bundle in real workerd, one `control` Worker that holds the Durable
// Objects and any number of `edge` Workers, each an isolate of its own on a socket of its own, sharing one KV
// namespace. Bytes go test → socket → workerd → socket → test server; Node stands in nobody's way.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { readBuild } from "./build.ts";
import { describeWorker, type Isolate, openIsolate, QUIET } from "./isolates.ts";
import { readModules } from "./modules.ts";
import type { Faults } from "./workers/faults.ts";

export type { Isolate } from "./isolates.ts";

export type ClusterOptions = {
  edges: number;
  /** Vars and secrets of every Worker, over `DEFAULT_VARS`. */
  vars?: Record<string, string>;
  /** More for single edges, by index: another provider behind one of them, a shorter timeout. */
  edgeVars?: Record<string, string>[];
  /** Where storage lives; a directory that goes with the cluster unless given. */
  persist?: string;
  /** Faults in force before the first request. */
  faults?: { control?: Partial<Faults>; edges?: Partial<Faults> };
  /** Limits that proxy keys can be minted with, in requests a minute; none unless given. */
  limits?: number[];
  /** Where calls of an edge's AI binding go, by index; no binding unless given. */
  edgeAi?: string[];
  /** Directory of built modules (`index.js` first); the build under test unless given. */
  bundle?: string;
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

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const persist = options.persist ?? (await mkdtemp(join(tmpdir(), "switchback-")));
  const logs: LogLine[] = [];
  const names = Array.from({ length: options.edges }, (_, index) => `edge-${index}`);
  const modules = await readModules(options.bundle ?? readBuild().directory);
  const varsOf = (index: number): Record<string, string> => ({
    ...DEFAULT_VARS,
    ...options.vars,
    ...options.edgeVars?.[index],
  });
  const limits = options.limits ?? [];
  const settings: MiniflareOptions = {
    ...QUIET,
    resourcePersistencePath: persist,
    handleStructuredLogs: (line) => logs.push({ level: line.level, message: line.message }),
    workers: [
      describeWorker({ name: "control", modules, vars: varsOf(-1), objects: "own", limits }),
      ...names.map((name, index) =>
        describeWorker({
          name,
          modules,
          vars: varsOf(index),
          objects: "control",
          limits,
          ...(options.edgeAi?.[index] !== undefined && { ai: options.edgeAi[index] }),
        }),
      ),
    ],
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

function openStore(miniflare: Miniflare): Store {
  const open = () => miniflare.getKVNamespace("STORE", "control");
  return {
    get: async (key) => (await open()).get(key, "text"),
    put: async (key, value) => (await open()).put(key, value),
    delete: async (key) => (await open()).delete(key),
    list: async () => (await (await open()).list()).keys.map((key) => key.name),
  };
}
