// One isolate of a cluster, as options for Miniflare and as a handle for tests. Nothing here knows of vitest: a process
// of its own starts Workers from the same description.

import type { Miniflare, MiniflareOptions } from "miniflare";
import { readCompatibility, type Modules } from "./modules.ts";
import type { Calls, Faults } from "./workers/faults.ts";
import { remote } from "./workers/remote.ts";

/** One isolate. `url` has no trailing slash. */
export type Isolate = {
  name: string;
  url: string;
  port: number;
  /** Where this isolate takes faults and calls of other processes. */
  harnessUrl: string;
  setFaults(change: Partial<Faults>): Promise<void>;
  /** How often this isolate called (edge) or served (control) `control.sync`, `store.get`, … since it started. */
  readCalls(): Promise<Calls>;
  /** Calls a method of one object past everything that usually stands before it, with arguments that are JSON. */
  callObject(
    binding: "CONTROL" | "REGISTRY",
    object: string,
    method: string,
    args: unknown[],
  ): Promise<unknown>;
};

type Worker = MiniflareOptions["workers"][number];
type Binding = NonNullable<Worker["config"]["env"]>[string];

/** Options of a Miniflare that stays on this machine and writes nothing but storage. */
export const QUIET = {
  host: "127.0.0.1",
  port: 0,
  cf: false,
  enableDevRegistry: false,
  logRequests: false,
  telemetry: { enabled: false },
} satisfies Partial<MiniflareOptions>;

export type WorkerOptions = {
  name: string;
  modules: Modules;
  vars: Record<string, string>;
  /** Whether this Worker holds the objects itself, or reaches them in the Worker called `control`. */
  objects: "own" | "control";
  /** Port of the `Harness` socket; any free one unless given. */
  harnessPort?: number;
  /** Limits in requests a minute, each a binding `RATE_LIMIT_<n>`; none unless given. */
  limits?: number[];
  /** Where calls of the AI binding go; no binding unless given. The runtime's own code of the binding makes them. */
  ai?: string;
};

export function describeWorker({
  name,
  modules,
  vars,
  objects,
  harnessPort,
  limits = [],
  ai,
}: WorkerOptions): Worker {
  const worker = objects === "own" ? name : "control";
  const env: Record<string, Binding> = {
    STORE: { type: "kv", id: "store" },
    CONTROL: { type: "durable-object", worker, exportName: "Control" },
    REGISTRY: { type: "durable-object", worker, exportName: "Registry" },
  };
  for (const limit of limits) {
    const simple = { limit, period: 60 } as const;
    env[`RATE_LIMIT_${limit}`] = { type: "rate-limit", namespace: String(limit), simple };
  }
  for (const [key, value] of Object.entries(vars)) env[key] = { type: "text", value };
  if (ai !== undefined) env["AI"] = { type: "ai", dev: { remote: true } };
  const storage = { type: "durable-object", storage: "sqlite" } as const;
  return {
    config: {
      name,
      ...readCompatibility(),
      manifest: { mainModule: "harness.js", modules },
      env,
      ...(objects === "own" && { exports: { Control: storage, Registry: storage } }),
    },
    dev: {
      ...(ai !== undefined && { remoteProxyConnectionString: new URL(ai) as never }),
      // Else every outbound header list is rebuilt, and `CF-Worker` added, on its way out.
      stripCfConnectingIp: false,
      unsafeDirectSockets: [
        { host: "127.0.0.1" },
        { host: "127.0.0.1", port: harnessPort ?? 0, entrypoint: "Harness" },
      ],
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
    harnessUrl: harness.origin,
    async setFaults(change) {
      const response = await fetch(new URL("/faults", harness), {
        method: "POST",
        body: JSON.stringify(change),
      });
      if (!response.ok) throw new Error(`${name} did not take its faults: ${await response.text()}`);
    },
    readCalls: async () => (await fetch(new URL("/calls", harness))).json() as Promise<Calls>,
    callObject: (binding, object, method, args) =>
      Reflect.apply(Reflect.get(remote(harness.origin, binding, object), method), null, args),
  };
}
