// Before the first test: are the SDKs there? Then one build of the Worker for the whole run.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { setup as build } from "../support/build.ts";

export async function setup(project: TestProject): Promise<void> {
  if (!existsSync(join(import.meta.dirname, "node_modules/.package-lock.json"))) {
    throw new Error("The SDKs are not installed. Run: npm ci --prefix test/sdks");
  }
  await build(project);
}
