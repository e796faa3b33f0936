// `npm start` as a user meets it: the script itself as a process, on free ports, with its state in a fresh directory.
// What it prints is pasted into a shell and must work as printed.

import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isPortFree } from "../../scripts/start/ports.ts";
import { findFreePort } from "./free-port.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const READY = "Ctrl-C stops it";
const READY_MS = 120_000;
const HAS_CURL = spawnSync("bash", ["-c", "curl --version"]).status === 0;
const run = promisify(execFile);

type Started = {
  child: ChildProcess;
  url: string;
  standInPort: number;
  /** All that it has written. */
  output(): string;
  token(): Promise<string>;
};

let homeDir: string;
const running = new Set<ChildProcess>();

beforeEach(async () => void (homeDir = await mkdtemp(join(tmpdir(), "switchback-start-"))));
afterEach(async () => {
  for (const child of running) await stop(child);
  await rm(homeDir, { recursive: true, force: true });
});

/** Starts the script; resolves when it is ready or has ended. */
async function start(options: { port?: number } = {}): Promise<Started> {
  const port = options.port ?? (await findFreePort());
  const standInPort = await findFreePort();
  const child = spawn(process.execPath, [join(CHECKOUT, "scripts", "start.ts")], {
    env: { ...process.env, PORT: `${port}`, STAND_IN_PORT: `${standInPort}`, SWITCHBACK_HOME: homeDir },
  });
  running.add(child);
  let output = "";
  const ready = new Promise<void>((done) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      if (output.includes(READY)) done();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
  });
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready:\n${output}`)), READY_MS);
    void ready.then(() => clearTimeout(timer));
    child.once("close", () => clearTimeout(timer));
  });
  await Promise.race([ready, once(child, "close"), late]);
  const readToken = async () => {
    const local = JSON.parse(await readFile(join(homeDir, ".switchback", "local.json"), "utf8")) as {
      token: string;
    };
    return local.token;
  };
  return { child, url: `http://127.0.0.1:${port}`, standInPort, output: () => output, token: readToken };
}

/** Ctrl-C; resolves to the exit code. */
async function stop(child: ChildProcess): Promise<number | null> {
  running.delete(child);
  if (child.exitCode === null) {
    const closed = once(child, "close");
    child.kill("SIGINT");
    await closed;
  }
  return child.exitCode;
}

/** A line that the start has printed, run by a shell in the home of this Switchback. */
async function paste(started: Started, beginning: string): Promise<string> {
  const lines = started
    .output()
    .split("\n")
    .map((line) => line.trim());
  const line = lines.find((candidate) => candidate.startsWith(beginning));
  if (line === undefined) throw new Error(`no line begins with ${beginning}:\n${started.output()}`);
  const command = line.replace(/^npx switchback/, `"${process.execPath}" "${CHECKOUT}/src/cli/bin.js"`);
  const { stdout } = await run("bash", ["-c", command], { cwd: homeDir, timeout: 60_000 });
  return stdout;
}

/** Command lines of this machine's processes that contain `text`. */
async function listCommands(text: string): Promise<string[]> {
  const lines = process.platform === "linux" ? await readProc() : await readPs();
  return lines.filter((line) => line.includes(text));
}

async function readProc(): Promise<string[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  return await Promise.all(processes.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
}

async function readPs(): Promise<string[]> {
  const { stdout } = await run("ps", ["-axww", "-o", "command="], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split("\n");
}

async function readAdmin<Body>(started: Started, path: string): Promise<Body> {
  const headers = { authorization: `Bearer ${await started.token()}` };
  const response = await fetch(`${started.url}/admin${path}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Body;
}

/** What the demo answers to one caller, through the data plane, with no key at all. */
async function ask(started: Started, key: string): Promise<string> {
  const response = await fetch(`${started.url}/p/support-bot/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "prompt-key": key },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Money back?" }] }),
  });
  expect(response.status).toBe(200);
  return await response.text();
}

describe("npm start", () => {
  it("answers without a key, keeps everything over a restart, and leaves nothing behind", async () => {
    const first = await start();
    expect(await ask(first, "one")).toContain("Acme Cloud support (v1)");
    await paste(first, "npx switchback canary");
    const token = await first.token();
    expect(await stop(first.child)).toBe(0);
    expect(await isPortFree(Number(new URL(first.url).port))).toBe(true);
    expect(await isPortFree(first.standInPort)).toBe(true);

    const second = await start();
    const release = await readAdmin<{ revision: number }>(second, "/prompts/support-bot/release");
    expect(release).toMatchObject({ revision: 2, baseline: 1, arms: [{ weight: 75 }, { weight: 25 }] });
    const { versions } = await readAdmin<{ versions: unknown[] }>(second, "/prompts/support-bot/versions");
    expect(versions).toHaveLength(2);
    expect(await second.token()).toBe(token);
    await paste(second, "npx switchback rollback");
    expect(await ask(second, "one")).toContain("Acme Cloud support (v1)");
    expect(await stop(second.child)).toBe(0);
  });

  it.runIf(HAS_CURL)("prints lines that work as printed", async () => {
    const started = await start();
    expect(await paste(started, "curl")).toContain("Acme Cloud support (v1)");
    expect(await paste(started, "npx switchback status")).toContain("support-bot");
    await paste(started, "npx switchback canary");
    await expect.poll(() => paste(started, "for i in"), { timeout: 30_000 }).toContain("(v2)");
    const answers = (await paste(started, "for i in")).trim().split("\n");
    expect(answers).toHaveLength(20);
    expect(answers.filter((answer) => answer.includes("(v1)")).length).toBeGreaterThan(8);
    await paste(started, "npx switchback rollback");
    expect(await paste(started, "for i in")).not.toContain("(v2)");
  });

  it("takes a key minted on the command line for an API key, and says what is wrong with a provider", async () => {
    await writeFile(join(homeDir, ".dev.vars"), "AWS_ACCESS_KEY_ID=AKIA\nREQUIRE_KEY=true\n");
    const started = await start();
    expect(started.output()).toMatch(/bedrock: It has no host.*UPSTREAM_BEDROCK/);
    const launcher = join(CHECKOUT, "src/cli/bin.js");
    const { stdout } = await run(process.execPath, [launcher, "keys", "create", "app", "--limit", "600"], {
      cwd: homeDir,
    });
    const [key] = /sb_[\w-]{43}/.exec(stdout) ?? [""];
    const call = (apiKey: string) =>
      fetch(`${started.url}/p/support-bot/openai/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Money back?" }] }),
      });
    const answer = await call(key);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("Acme Cloud support (v1)");
    expect((await call("sk-own")).status).toBe(401);
  });

  it("says what to do when its port is taken, and touches nothing", async () => {
    const other = createServer((_, response) => response.end("mine")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const started = await start({ port });
    expect(started.child.exitCode).toBe(1);
    expect(started.output()).toContain(`Port ${port} is taken`);
    expect(started.output()).toContain(`PORT=${port + 1} npm start`);
    expect(await (await fetch(started.url)).text()).toBe("mine");
    other.close();
  });

  it("keeps the admin token out of the process list", async () => {
    const started = await start();
    const token = await started.token();
    expect(await listCommands("worker.env")).not.toEqual([]);
    expect(await listCommands(token)).toEqual([]);
  });

  it("leaves nothing behind when it is stopped, twice, before it is ready", async () => {
    const port = await findFreePort();
    const child = spawn(process.execPath, [join(CHECKOUT, "scripts", "start.ts")], {
      env: {
        ...process.env,
        PORT: `${port}`,
        STAND_IN_PORT: `${await findFreePort()}`,
        SWITCHBACK_HOME: homeDir,
      },
    });
    running.add(child);
    await expect.poll(() => listCommands(`--port=${port}`), { timeout: 30_000 }).not.toEqual([]);
    child.kill("SIGINT");
    child.kill("SIGINT");
    await once(child, "close");
    expect(await listCommands(`--port=${port}`)).toEqual([]);
    expect(await isPortFree(port)).toBe(true);
  });

  it("asks for a port that is one", async () => {
    const child = spawn(process.execPath, [join(CHECKOUT, "scripts", "start.ts")], {
      env: { ...process.env, PORT: "eighty", SWITCHBACK_HOME: homeDir },
    });
    let output = "";
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    await once(child, "close");
    expect(child.exitCode).toBe(1);
    expect(output).toContain('PORT must be a number from 1 to 65535, not "eighty"');
  });
});
