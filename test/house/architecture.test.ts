// The rules of the house, checked by a program: who may import whom, what the pure rooms may touch, and how large a
// file may grow. Arrows never go up.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const SOURCE = join(ROOT, "src");

/** room → rooms it may import from (itself always). `index` and `env` are the two files of the top floor. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  wire: ["core"],
  edge: ["core", "wire", "env"],
  control: ["core", "env"],
  admin: ["core", "wire", "env"],
  dashboard: ["core", "admin"],
  cli: ["core", "admin"],
  env: ["core"],
  index: ["edge", "admin", "control", "dashboard", "env"],
};

/** Packages that a room may import: the hot path takes none but the runtime's own. */
const PACKAGES: Record<string, RegExp> = {
  core: /^(zod|mustache|diff)$/,
  wire: /^$/,
  edge: /^node:buffer$/,
  control: /^cloudflare:workers$/,
  admin: /^(hono(\/.*)?|zod)$/,
  dashboard: /^$/,
  cli: /^(node:.*|zod)$/,
  env: /^$/,
  index: /^$/,
};

/** Loaded with the first request that needs it, from this file alone. */
const LAZY: Record<string, RegExp> = {
  "src/edge/aws.ts": /^@smithy\/signature-v4$/,
  // Prices change weekly, so they are a maintained package's; nothing waits for them, the answer has gone down already.
  "src/edge/prices.ts": /^@pydantic\/genai-prices$/,
};

const MOST_LINES = 320;

type Import = { from: string; target: string };

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

function roomOf(file: string): string {
  const [first = ""] = relative(SOURCE, file).split("/");
  return first.replace(/\.ts$/, "");
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:from|import)\s+"([^"]+)"|import\("([^"]+)"\)/g);
  return [...found].map((match) => ({ from: file, target: match[1] ?? match[2] ?? "" }));
}

const files = sourceFiles(SOURCE);
const imports = files.flatMap(importsOf);

describe("the house", () => {
  it("has imports to look at", () => {
    expect(imports.length).toBeGreaterThan(50);
  });

  it("lets no room import from a room above it", () => {
    const wrong = imports
      .filter(({ target }) => target.startsWith("."))
      .map(({ from, target }) => ({ from, to: resolve(dirname(from), target) }))
      .filter(
        ({ from, to }) => roomOf(from) !== roomOf(to) && !MAY_IMPORT[roomOf(from)]?.includes(roomOf(to)),
      )
      .map(({ from, to }) => `${relative(ROOT, from)} → ${relative(ROOT, to)}`);
    expect(wrong).toEqual([]);
  });

  it("lets a room use only its own packages, and the hot path none", () => {
    const wrong = imports
      .filter(({ target }) => !target.startsWith("."))
      .filter(({ from, target }) => !PACKAGES[roomOf(from)]?.test(target))
      .filter(({ from, target }) => !LAZY[relative(ROOT, from)]?.test(target))
      .map(({ from, target }) => `${relative(ROOT, from)} → ${target}`);
    expect(wrong).toEqual([]);
  });

  it("names every room", () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => MAY_IMPORT[room] === undefined)).toEqual([]);
  });

  it("keeps files to a room's size, each with a word on what it is for", () => {
    const wrong = files.flatMap((file) => {
      const text = readFileSync(file, "utf8");
      const lines = text.split("\n").length;
      const name = relative(ROOT, file);
      return [
        ...(lines > MOST_LINES ? [`${name}: ${lines} lines`] : []),
        ...(/^(#!.*\n)?(\/\/|\/\*)/.test(text) ? [] : [`${name}: no word on what it is for`]),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("locks every platform's packages, so that a clean machine of any kind can install", () => {
    type Package = { optionalDependencies?: Record<string, string>; resolved?: string };
    for (const lock of ["package-lock.json", "bench/package-lock.json", "test/sdks/package-lock.json"]) {
      const { packages } = JSON.parse(readFileSync(join(ROOT, lock), "utf8")) as {
        packages: Record<string, Package>;
      };
      const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
        Object.keys(optionalDependencies ?? {}).map((name) => ({ path, name })),
      );
      const missing = wanted.filter(
        ({ path, name }) =>
          !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      );
      expect(missing, lock).toEqual([]);
      expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
    }
  });

  it("never loosens a type with any and leaves nothing unfinished", () => {
    const marks = /: any\b|\bas any\b|@ts-(ignore|nocheck|expect-error)|\bTODO\b|\bFIXME\b/;
    const wrong = files
      .filter((file) => marks.test(readFileSync(file, "utf8")))
      .map((file) => relative(ROOT, file));
    expect(wrong).toEqual([]);
  });
});
