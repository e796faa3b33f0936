// Before the first test: one build of the Worker for the whole run. Suites of pure rooms run whether or not it
// builds; a suite that starts workerd fails with the bundler's own words.

import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import { type Build, buildWorker, describeBuild } from "../../scripts/build.ts";

declare module "vitest" {
  interface ProvidedContext {
    build: Build | { error: string };
  }
}

export async function setup(project: TestProject): Promise<void> {
  try {
    const build = await buildWorker();
    console.log(describeBuild(build));
    project.provide("build", build);
  } catch (error) {
    project.provide("build", { error: String(error) });
  }
}

/** The build that this run tests. Throws when the Worker does not build. */
export function readBuild(): Build {
  const build = inject("build");
  if ("error" in build) throw new Error(build.error);
  return build;
}
