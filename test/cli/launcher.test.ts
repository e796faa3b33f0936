// bin.js: any Node that a machine may have starts the command line, or says what is missing; Ctrl-C ends a watch.

import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startFakeControl, TOKEN, type FakeControl } from "./fake-control.ts";
import { BIN, runProcess } from "./run.ts";

const ROOT = resolve(import.meta.dirname, "../..");
let directory = "";
let control: FakeControl;

beforeAll(async () => {
  control = await startFakeControl();
});
afterAll(() => control.stop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "switchback-bin-"));
  await mkdir(join(directory, "src", "cli"), { recursive: true });
  await copyFile(BIN, join(directory, "src", "cli", "bin.js"));
  await writeFile(join(directory, "package.json"), '{"type": "module"}');
  await writeFile(
    join(directory, "src", "cli", "main.ts"),
    'export async function main(argv: string[]): Promise<number> { console.log("ran", argv.join(" ")); return 7; }',
  );
});
afterEach(() => rm(directory, { recursive: true }));

/** A checkout whose launcher believes that this Node runs no TypeScript, as Node 20 does. */
async function runOnOldNode(argv: string[]) {
  const before = join(directory, "before.mjs");
  await writeFile(
    before,
    'if (!process.env.SWITCHBACK_RELAUNCHED) Object.defineProperty(process.features, "typescript", { value: false });',
  );
  const bin = join(directory, "src", "cli", "bin.js");
  return runProcess(argv, { bin, variables: { NODE_OPTIONS: `--import=${before}` } });
}

describe("the launcher", () => {
  it("is what npx starts: the package's bin, executable", async () => {
    const { bin } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      bin: Record<string, string>;
    };
    expect(resolve(ROOT, bin["switchback"] ?? "")).toBe(BIN);
    expect((await stat(BIN)).mode & 0o111).toBe(0o111);
    expect(await readFile(BIN, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  it("hands over to the checkout's own Node where this one is too old, words and exit code included", async () => {
    await mkdir(join(directory, "node_modules", "node", "bin"), { recursive: true });
    await symlink(process.execPath, join(directory, "node_modules", "node", "bin", "node"));
    const result = await runOnOldNode(["a", "b c"]);
    expect(result).toMatchObject({ code: 7, out: "ran a b c\n" });
  });

  it("says what to do where there is no other Node", async () => {
    const result = await runOnOldNode(["status"]);
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.error).toMatch(/npm ci.*|Node 22\.18/);
  });
});

describe("Ctrl-C", () => {
  it("ends a watch at once, with 0", async () => {
    const child = spawn(process.execPath, [BIN, "watch", "support-bot"], {
      env: { PATH: process.env["PATH"], SWITCHBACK_URL: control.url, SWITCHBACK_TOKEN: TOKEN },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<number | null>((done) => child.on("exit", (code) => done(code)));
    await new Promise<void>((done) => child.stdout.once("data", () => done()));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });
});
