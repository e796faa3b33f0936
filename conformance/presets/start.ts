// Starts a preset against the kit's upstream, and says how it is to be spoken to.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  BARE_WORKER,
  findFreePort,
  type Served,
  serveScript,
  serveSwitchback,
  watch,
} from "../../scripts/workerd.ts";
import type { Target } from "../target.ts";
import type { PresetName } from "./names.ts";

export type Started = { target: Target; stop(): void };

const ADMIN_TOKEN = "conformance-token";
const PROMPT = "conformance";
/** Installed by `npm ci --prefix bench`; the project itself does not depend on it. */
const PORTKEY = join(
  import.meta.dirname,
  "../../bench/node_modules/@portkey-ai/gateway/build/start-server.js",
);
/** Seen in its log: the custom host is not looked at there. */
const NO_REALTIME = "its Realtime route calls api.openai.com, whatever host it is told";

/** null: it is not installed. */
export async function startPreset(name: PresetName, upstreamPort: number): Promise<Started | null> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  if (name === "bare") return startBare(upstream);
  if (name === "switchback") return startSwitchback(upstream);
  return existsSync(PORTKEY) ? startPortkey(upstream) : null;
}

function describe(name: string, served: Served, more: Partial<Target>): Started {
  const target: Target = {
    name,
    url: new URL(`http://127.0.0.1:${served.port}`),
    bases: { openai: "", anthropic: "", gemini: "" },
    injectingMount: null,
    headers: [],
    familyHeaders: { openai: [], anthropic: [], gemini: [] },
    ownHeaders: [],
    skips: new Map(),
    ...more,
  };
  return { target, stop: served.stop };
}

async function startBare(upstream: string): Promise<Started> {
  const served = await serveScript(BARE_WORKER, { UPSTREAM: upstream });
  return describe("bare Worker", served, {});
}

async function startSwitchback(upstream: string): Promise<Started> {
  const vars = {
    ADMIN_TOKEN,
    UPSTREAM_OPENAI: upstream,
    UPSTREAM_ANTHROPIC: upstream,
    UPSTREAM_GEMINI: upstream,
  };
  const served = await serveSwitchback(vars);
  await callAdmin(served.port, "PUT", `/admin/prompts/${PROMPT}`, {});
  const version = { system: "You speak for the “conformance kit”.\nBe brief." };
  await callAdmin(served.port, "POST", `/admin/prompts/${PROMPT}/versions`, version);
  return describe("Switchback", served, {
    bases: { openai: "/openai", anthropic: "/anthropic", gemini: "/gemini" },
    injectingMount: `/p/${PROMPT}`,
    ownHeaders: [
      ["Prompt-Key", "user-1"],
      ["Prompt-Future", "1"],
    ],
  });
}

async function callAdmin(port: number, method: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

async function startPortkey(upstream: string): Promise<Started> {
  const port = await findFreePort();
  const child = spawn(process.execPath, [PORTKEY, `--port=${port}`, "--headless"], {
    stdio: "ignore",
    // Without this it refuses to call a private address.
    env: { ...process.env, TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
  });
  const served = await watch(child, port);
  return describe("Portkey 1.15.2", served, {
    bases: { openai: "", anthropic: "", gemini: null },
    familyHeaders: {
      openai: [
        ["x-portkey-provider", "openai"],
        ["x-portkey-custom-host", `${upstream}/v1`],
      ],
      anthropic: [
        ["x-portkey-provider", "anthropic"],
        ["x-portkey-custom-host", `${upstream}/v1`],
      ],
      gemini: [],
    },
    skips: new Map(["ws-upgrade", "ws-messages", "ws-close"].map((name) => [name, NO_REALTIME])),
  });
}
