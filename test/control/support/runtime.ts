// The objects in the real runtime, over storage that outlives it: killed at any moment, started again, as often as a
// test likes.

import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { build } from "esbuild";
import { Miniflare, type MiniflareOptions } from "miniflare";
import type { ControlPort, RegistryPort } from "../../../src/core/ports.ts";
import { readCompatibility } from "../../support/modules.ts";
import type { Load, ObjectCall } from "./calls.ts";

export type Runtime = {
  control(prompt: string): ControlPort;
  registry: RegistryPort;
  /** A value of the KV namespace, parsed; null: no such key. */
  readStore(key: string): Promise<unknown>;
  /** Milliseconds that a load took. */
  applyLoad(load: Load): Promise<number>;
  /** Throws a prompt's object out of memory; its storage stays. */
  evict(prompt: string): Promise<void>;
  /** Kills the runtime as it is and starts another one on the same storage. */
  restart(vars?: Record<string, string>): Promise<void>;
  /** Kills the runtime, lets somebody at the database of the one `Control` there is, and starts it again. */
  edit(change: (database: DatabaseSync) => void): Promise<void>;
  /** Kills the runtime and returns the names of the tables in the database of each `Control`. */
  stopAndListTables(): Promise<string[][]>;
  stop(): Promise<void>;
};

export async function startRuntime(vars: Record<string, string> = {}): Promise<Runtime> {
  const directory = await mkdtemp(join(tmpdir(), "switchback-control-"));
  const code = await bundleWorker();
  let miniflare = new Miniflare(describeRuntime(directory, code, vars));
  let url = await miniflare.ready;

  async function post(path: string, body: unknown): Promise<unknown> {
    const response = await fetch(new URL(path, url), { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return response.json();
  }

  async function call(objectCall: ObjectCall): Promise<unknown> {
    return ((await post("/call", objectCall)) as { answer: unknown }).answer;
  }

  return {
    control: (prompt) =>
      createPort<ControlPort>((method, args) => call({ object: "control", prompt, method, args })),
    registry: createPort<RegistryPort>((method, args) => call({ object: "registry", method, args })),
    async readStore(key) {
      return (await miniflare.getKVNamespace("STORE", "control")).get(key, "json");
    },
    applyLoad: (load) => post("/load", load) as Promise<number>,
    evict: (prompt) => miniflare.unsafeEvictDurableObject("control", "Control", { name: prompt }),
    async restart(newVars) {
      await miniflare.dispose();
      miniflare = new Miniflare(describeRuntime(directory, code, newVars ?? vars));
      url = await miniflare.ready;
    },
    async edit(change) {
      await miniflare.dispose();
      const [file, ...others] = listDatabases(join(directory, "do", "control-Control"));
      if (file === undefined || others.length > 0) throw new Error("there is not one Control");
      const database = new DatabaseSync(file);
      try {
        change(database);
      } finally {
        database.close();
      }
      miniflare = new Miniflare(describeRuntime(directory, code, vars));
      url = await miniflare.ready;
    },
    async stopAndListTables() {
      await miniflare.dispose();
      const tables = listTables(join(directory, "do", "control-Control"));
      await rm(directory, { recursive: true, force: true });
      return tables;
    },
    async stop() {
      await miniflare.dispose();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Every method of `Port` as a call over the socket. */
function createPort<Port extends object>(
  call: (method: keyof Port, args: unknown[]) => Promise<unknown>,
): Port {
  const answer = (_: object, method: string | symbol) =>
    method === "then" ? undefined : (...args: unknown[]) => call(method as keyof Port, args);
  return new Proxy({}, { get: answer }) as Port;
}

async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "../worker.ts")],
    bundle: true,
    format: "esm",
    target: "esnext",
    external: ["cloudflare:*"],
    write: false,
  });
  return outputFiles[0]!.text;
}

function describeRuntime(directory: string, code: string, vars: Record<string, string>): MiniflareOptions {
  const storage = { type: "durable-object", storage: "sqlite" } as const;
  const texts = Object.entries(vars).map(([key, value]) => [key, { type: "text" as const, value }] as const);
  return {
    host: "127.0.0.1",
    port: 0,
    cf: false,
    enableDevRegistry: false,
    logRequests: false,
    telemetry: { enabled: false },
    handleStructuredLogs: () => {},
    resourcePersistencePath: directory,
    workers: [
      {
        config: {
          name: "control",
          ...readCompatibility(),
          manifest: { mainModule: "worker.js", modules: { "worker.js": { type: "esm", contents: code } } },
          env: {
            STORE: { type: "kv", id: "store" },
            CONTROL: { type: "durable-object", worker: "control", exportName: "Control" },
            REGISTRY: { type: "durable-object", worker: "control", exportName: "Registry" },
            ...Object.fromEntries(texts),
          },
          exports: { Control: storage, Registry: storage },
        },
      },
    ],
  };
}

function listDatabases(directory: string): string[] {
  const files = readdirSync(directory).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return files.map((name) => join(directory, name));
}

function listTables(directory: string): string[][] {
  return listDatabases(directory).map((file) => {
    const database = new DatabaseSync(file);
    try {
      const rows = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all();
      return rows.map((row) => String(row["name"]));
    } finally {
      database.close();
    }
  });
}
