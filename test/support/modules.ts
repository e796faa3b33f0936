// Reads a built bundle as workerd's modules, with the harness in front of it. The bundle is never rewritten: the
// harness imports it by name, as index.ts would be imported.

import { readdir, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";

export type Modules = Record<string, Module>;
type Module = { type: "esm" | "text" | "data"; contents: string | Uint8Array<ArrayBuffer> };

const WORKERS = join(import.meta.dirname, "workers");
const HARNESS = ["harness", "faults", "remote", "store"];
const WRANGLER_TOML = join(import.meta.dirname, "../../wrangler.toml");

export async function readModules(bundle: string): Promise<Modules> {
  const modules: Modules = {};
  for (const name of HARNESS) {
    const { code } = await transform(await readFile(join(WORKERS, `${name}.ts`)), {
      loader: "ts",
      target: "esnext",
    });
    const contents = code
      .replace("../../../src/index.ts", "./index.js")
      .replaceAll(/from "\.\/(\w+)\.ts"/g, 'from "./$1.js"');
    modules[`${name}.js`] = { type: "esm", contents };
  }
  for (const name of await readdir(bundle)) {
    if (name.endsWith(".map") || name === "README.md") continue;
    modules[name] = await readModule(join(bundle, name));
  }
  return modules;
}

async function readModule(path: string): Promise<Module> {
  if (path.endsWith(".js")) return { type: "esm", contents: await readFile(path, "utf8") };
  if (/\.(html|txt|css|svg|sql)$/.test(path)) return { type: "text", contents: await readFile(path, "utf8") };
  return { type: "data", contents: new Uint8Array(await readFile(path)) };
}

/** Date and flags as deployed: read from wrangler.toml, so that they cannot drift apart. */
export function readCompatibility(): { compatibilityDate: string; compatibilityFlags: string[] } {
  const toml = readFileSync(WRANGLER_TOML, "utf8");
  const date = /^compatibility_date = "([^"]+)"/m.exec(toml)?.[1];
  const flags = /^compatibility_flags = (\[[^\]]*\])/m.exec(toml)?.[1];
  if (date === undefined || flags === undefined)
    throw new Error("wrangler.toml names no compatibility date and flags");
  return { compatibilityDate: date, compatibilityFlags: JSON.parse(flags) as string[] };
}
