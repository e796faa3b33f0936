// Builds the Worker exactly as `wrangler deploy` would upload it, so that the tests run what is shipped.
// A build lands whole under a name made from its inputs (dist/worker-<digest>/): a finished build never changes under
// a test run that uses it, runs side by side share it, and nothing is built twice.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";

const ROOT = join(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");

/** The smallest limit that Cloudflare has ever set is 3 MB gzipped, but start-up time grows with every byte. The maintained
 * prices of models are 77 KiB of it, the dashboard 32: 12 of them for health, figures and charts, which are one string that
 * no isolate looks into before it is asked for. */
export const BUNDLE_BUDGET_BYTES = 332 * 1024;

/** A build that nothing has asked for since is removed; every test run asks once, and ends long before. */
const STALE_BUILD_MS = 60 * 60 * 1000;

/** wrangler must neither phone home nor need the network. */
const OFFLINE = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  DO_NOT_TRACK: "1",
  WRANGLER_WRITE_LOGS: "false",
};

/** `directory` holds `index.js` and every module it imports; sizes are in bytes, `gzipBytes` of the minified code. */
export type Build = { directory: string; rebuilt: boolean; plainBytes: number; gzipBytes: number };

/** Builds src/index.ts, or finds the build of the same inputs. Throws what the bundler printed when it fails. */
export async function buildWorker(): Promise<Build> {
  const directory = join(DIST, `worker-${await digestInputs()}`);
  const rebuilt = !existsSync(directory);
  if (rebuilt) await bundleInto(directory);
  else await utimes(directory, new Date(), new Date());
  return { directory, rebuilt, ...(await measureBundle(directory)) };
}

/** One line for people, and whether the bundle is within its budget. */
export function describeBuild(build: Build): string {
  const { plainBytes, gzipBytes } = build;
  return `Worker ${kib(plainBytes)}, ${kib(gzipBytes)} minified and gzipped (budget ${kib(BUNDLE_BUDGET_BYTES)})`;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

async function bundleInto(directory: string): Promise<void> {
  const unfinished = `${directory}.${process.pid}`;
  await mkdir(DIST, { recursive: true });
  try {
    await runWrangler(["deploy", "--dry-run", "--outdir", unfinished]);
    await rename(unfinished, directory).catch((error: NodeJS.ErrnoException) => {
      // Another run finished the same build first.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeStaleBuilds();
}

async function runWrangler(args: string[]): Promise<void> {
  const bin = join(
    dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
    "bin/wrangler.js",
  );
  const child = spawn(process.execPath, [bin, ...args], { cwd: ROOT, env: { ...process.env, ...OFFLINE } });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`the Worker does not build:\n${output}`);
}

/** All sources, not only those bundled today: a build costs 1.5 s, a stale one costs an afternoon. */
async function digestInputs(): Promise<string> {
  const sources = await readdir(join(ROOT, "src"), { recursive: true, withFileTypes: true });
  const paths = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const name of ["wrangler.toml", "package-lock.json"]) paths.push(join(ROOT, name));
  const hash = createHash("sha256");
  for (const path of paths.toSorted()) {
    hash
      .update(`${relative(ROOT, path)}\0`)
      .update(await readFile(path))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

async function measureBundle(directory: string): Promise<{ plainBytes: number; gzipBytes: number }> {
  let plainBytes = 0;
  const minified: Buffer[] = [];
  for (const name of await readdir(directory)) {
    if (name.endsWith(".map") || name === "README.md") continue;
    const bytes = await readFile(join(directory, name));
    plainBytes += bytes.length;
    const code = name.endsWith(".js") && (await transform(bytes, { loader: "js", minify: true })).code;
    minified.push(code === false ? bytes : Buffer.from(code));
  }
  return { plainBytes, gzipBytes: gzipSync(Buffer.concat(minified)).length };
}

async function removeStaleBuilds(): Promise<void> {
  for (const name of await readdir(DIST)) {
    const path = join(DIST, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_BUILD_MS) await rm(path, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const build = await buildWorker();
  console.log(`${describeBuild(build)}\n${relative(process.cwd(), build.directory)}`);
  process.exitCode = build.gzipBytes > BUNDLE_BUDGET_BYTES ? 1 : 0;
}
