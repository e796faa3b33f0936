// Builds the trivial Worker that the harness is tried on.

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

/** The directory of the built Worker; the caller removes it. */
export async function buildTrivial(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "switchback-trivial-"));
  await build({
    entryPoints: [join(import.meta.dirname, "workers/trivial.ts")],
    outfile: join(directory, "index.js"),
    bundle: true,
    format: "esm",
    external: ["cloudflare:*"],
  });
  return directory;
}
