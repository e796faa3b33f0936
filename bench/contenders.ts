// Who is measured: a bare pass-through Worker, Switchback's built bundle (both under `workerd serve`, Durable Objects on
// a disk in memory and a small service behind the KV binding) and, when installed, Portkey's gateway from npm on Node.

import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  BARE_WORKER,
  findFreePort,
  serveScript,
  serveSwitchback,
  spawnOn,
  watch,
  type Served,
} from "../scripts/workerd.ts";

export type Contender = {
  name: string;
  process: ChildProcess;
  port: number;
  path: string;
  headers: Record<string, string>;
};

/** Proxies have a processor for themselves; load and provider are on the other one. */
const PLACE = { core: "0" };
const ADMIN_TOKEN = "bench-token";

export async function startContenders(upstreamPort: number): Promise<Contender[]> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  const contenders = [
    await startBare(upstream),
    await startSwitchback(upstream),
    await startSwitchback(upstream, { LARGE_BODIES: "native" }),
    await startSwitchback(upstream, { METERING: "off" }),
  ];
  const peer = join(import.meta.dirname, "node_modules/@portkey-ai/gateway/build/start-server.js");
  if (existsSync(peer)) contenders.push(await startPortkey(peer, upstream));
  else console.log("Portkey's gateway is not installed: `npm ci --prefix bench` adds it to the table.\n");
  return contenders;
}

export function startBare(upstream: string): Promise<Contender> {
  return startScript("bare", BARE_WORKER, upstream);
}

/** A Worker of one module under `workerd serve`, with the provider's origin in `env.UPSTREAM`. */
export async function startScript(name: string, script: string, upstream: string): Promise<Contender> {
  const served = await serveScript(script, { UPSTREAM: upstream }, PLACE);
  return describe(name, served, "/v1/chat/completions");
}

export async function startSwitchback(
  upstream: string,
  more: Record<string, string> = {},
): Promise<Contender> {
  const served = await serveSwitchback({ ADMIN_TOKEN, UPSTREAM_OPENAI: upstream, ...more }, PLACE);
  await seedPrompt(served.port);
  const name = ["switchback", ...Object.values(more)].join(" ");
  return describe(name, served, "/p/bench/openai/v1/chat/completions");
}

function describe(name: string, { process, port }: Served, path: string): Contender {
  return { name, process, port, path, headers: {} };
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
  const port = await findFreePort();
  const child = spawnOn(PLACE, [process.execPath, script, `--port=${port}`, "--headless"], {
    stdio: "ignore",
    // Without this it refuses to call a private address.
    env: { ...process.env, TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
  });
  const served = await watch(child, port);
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
  return { ...describe("portkey (Node)", served, "/v1/chat/completions"), headers };
}
