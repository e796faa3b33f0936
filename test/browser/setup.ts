// One real Switchback for all browser tests: what `npm start` runs, on free ports, with its state in a fresh directory.
// In Groq's place is a provider that does what a version's text tells it.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { findFreePort } from "../start/free-port.ts";
import { startSwitchback } from "../../scripts/start/run.ts";
import { findChromium } from "./chromium.ts";
import { startToldProvider } from "./told-provider.ts";

declare module "vitest" {
  interface ProvidedContext {
    url: string;
    token: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  findChromium();
  const homeDir = await mkdtemp(join(tmpdir(), "switchback-browser-"));
  const told = await startToldProvider();
  await writeFile(join(homeDir, ".dev.vars"), `UPSTREAM_GROQ=${told.url}\n`);
  const started = await startSwitchback({
    checkout: resolve(import.meta.dirname, "../.."),
    homeDir,
    port: await findFreePort(),
    standInPort: await findFreePort(),
  });
  if ("failure" in started) await told.stop();
  if ("failure" in started) throw new Error([started.failure, started.detail].join("\n"));
  project.provide("url", started.url);
  project.provide("token", started.token);
  return async () => {
    await started.stop();
    await told.stop();
    await rm(homeDir, { recursive: true, force: true });
  };
}
