// Who is measured: a bare pass-through Worker, Switchback's built bundle (both under `workerd serve`, Durable Objects on
// a disk in memory and a small service behind the KV binding) and, when installed, Portkey's gateway from npm on Node.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildWorker } from "../scripts/build.ts";

export type Contender = {
  name: string;
  process: ChildProcess;
  port: number;
  path: string;
  headers: Record<string, string>;
};

const PROXY_CORE = "0";
/** workerd offers SQL to objects on disk only, so the disk is one in memory. */
const MEMORY_DISK = "/dev/shm";
const ADMIN_TOKEN = "bench-token";
const require = createRequire(import.meta.url);

const children: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

const BARE = `export default {
  fetch(request, env) {
    const url = env.UPSTREAM + new URL(request.url).pathname;
    return fetch(url, request);
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

export async function startContenders(upstreamPort: number): Promise<Contender[]> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const folder = mkdtempSync(join(tmpdir(), "switchback-bench-"));
  const contenders = [
    await startBare(folder, upstream),
    await startSwitchback(folder, upstream),
    await startSwitchback(folder, upstream, { LARGE_BODIES: "native" }),
  ];
  const peer = join(import.meta.dirname, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(peer)) contenders.push(await startPortkey(peer, upstream));
  else console.log("Portkey's gateway is not installed: `npm ci --prefix bench` adds it to the table.\n");
  return contenders;
}

export function startBare(folder: string, upstream: string): Promise<Contender> {
  return startScript(folder, "bare", BARE, upstream);
}

/** A Worker of one module under `workerd serve`, with the provider's origin in `env.UPSTREAM`. */
export async function startScript(
  folder: string,
  name: string,
  script: string,
  upstream: string,
): Promise<Contender> {
  const port = await freePort();
  writeFileSync(join(folder, `${name}.js`), script);
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "${name}.js", esModule = embed "${name}.js")],
      compatibilityDate = "2026-10-06",
      compatibilityFlags = ["enable_request_signal"],
      bindings = [(name = "UPSTREAM", text = "${upstream}")],
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`;
  const process = await serve(folder, `${name}.capnp`, config, port);
  return { name, process, port, path: "/v1/chat/completions", headers: {} };
}

export async function startSwitchback(
  folder: string,
  upstream: string,
  vars: Record<string, string> = {},
): Promise<Contender> {
  const name = ["switchback", ...Object.values(vars)].join(" ");
  const port = await freePort();
  const { directory } = await buildWorker();
  const objects = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : folder, "switchback-objects-"));
  writeFileSync(join(folder, "kv.js"), KV);
  writeFileSync(join(folder, "index.js"), readFileSync(join(directory, "index.js")));
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = "2026-10-06",
      compatibilityFlags = ["enable_request_signal"],
      durableObjectNamespaces = [
        (className = "Control", uniqueKey = "control", enableSql = true),
        (className = "Registry", uniqueKey = "registry", enableSql = true),
      ],
      durableObjectStorage = (localDisk = "objects"),
      bindings = [
        (name = "STORE", kvNamespace = "kv"),
        (name = "CONTROL", durableObjectNamespace = "Control"),
        (name = "REGISTRY", durableObjectNamespace = "Registry"),
        (name = "ADMIN_TOKEN", text = "${ADMIN_TOKEN}"),
        (name = "UPSTREAM_OPENAI", text = "${upstream}"),
        ${Object.entries(vars).map(([key, text]) => `(name = "${key}", text = "${text}"),`)}
      ],
    )),
    (name = "objects", disk = (path = "${objects}", writable = true)),
    (name = "kv", worker = (
      modules = [(name = "kv.js", esModule = embed "kv.js")],
      compatibilityDate = "2026-10-06",
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`;
  const process = await serve(folder, `${name.replaceAll(" ", "-")}.capnp`, config, port);
  await seedPrompt(port);
  return { name, process, port, path: "/p/bench/openai/v1/chat/completions", headers: {} };
}

/** Two versions with a 2 KB system text, a live canary at 25 %; those of `plain` say nothing else. */
async function seedPrompt(port: number): Promise<void> {
  const text =
    "You answer the customers of an online shop. Be brief, be kind, never invent an order. ".repeat(24);
  const version = (name: string) => ({ system: `${name} ${text}`, params: { temperature: 0.2 } });
  await callAdmin(port, "PUT", "/admin/prompts/plain", {});
  for (const name of ["one", "two"]) {
    await callAdmin(port, "POST", "/admin/prompts/plain/versions", { system: `${name} ${text}` });
  }
  await callAdmin(port, "POST", "/admin/prompts/plain/canary", { version: 2, weight: 25, transition: "now" });
  await callAdmin(port, "PUT", "/admin/prompts/bench", {});
  await callAdmin(port, "POST", "/admin/prompts/bench/versions", version("one"));
  await callAdmin(port, "POST", "/admin/prompts/bench/versions", version("two"));
  await callAdmin(port, "POST", "/admin/prompts/bench/canary", { version: 2, weight: 25, transition: "now" });
}

export async function callAdmin(port: number, method: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

async function startPortkey(script: string, upstream: string): Promise<Contender> {
  const port = await freePort();
  const child = spawn(
    "taskset",
    ["-c", PROXY_CORE, process.execPath, script, `--port=${port}`, "--headless"],
    {
      stdio: "ignore",
      // Without this it refuses to call a private address.
      env: { ...process.env, TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
    },
  );
  children.push(child);
  await untilOpen(port);
  const target = {
    provider: "openai",
    api_key: "x",
    custom_host: `${upstream}/v1`,
    forward_headers: ["x-bench"],
  };
  const strategy = { mode: "loadbalance" };
  const config = {
    strategy,
    targets: [
      { ...target, weight: 0.75 },
      { ...target, weight: 0.25 },
    ],
  };
  const headers = { "x-portkey-config": JSON.stringify(config) };
  return { name: "portkey (Node)", process: child, port, path: "/v1/chat/completions", headers };
}

async function serve(folder: string, name: string, config: string, port: number): Promise<ChildProcess> {
  writeFileSync(join(folder, name), config);
  const { default: workerd } = require("workerd") as { default: string };
  const argv = ["-c", PROXY_CORE, workerd, "serve", "--experimental", join(folder, name)];
  const child = spawn("taskset", argv, { stdio: ["ignore", "ignore", "inherit"] });
  children.push(child);
  await untilOpen(port);
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function untilOpen(port: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const open = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(1_000) }).then(
      async (answer) => (await answer.body?.cancel(), true),
      () => false,
    );
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answers on port ${port}`);
}
