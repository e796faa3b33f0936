// The vars of the local Worker: real providers only with a key of their own, and values that arrive as they are.

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unstable_getVarsForDev } from "wrangler";
import { findToken, homeAt, readDevVars, writeLocal, writePrivately } from "../../scripts/start/home.ts";
import { formatEnvFile, realProviders, workerVars } from "../../scripts/start/worker-vars.ts";

const STAND_IN = "http://127.0.0.1:4010";

let directory: string;
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "switchback-vars-"))));
afterAll(() => rm(directory, { recursive: true }));

/** What wrangler makes of an env file. */
async function readBack(text: string): Promise<Record<string, unknown>> {
  const file = join(directory, ".switchback", "worker.env");
  await writePrivately(file, text);
  const bindings = unstable_getVarsForDev(undefined, [file], {}, undefined, true);
  return Object.fromEntries(Object.entries(bindings).map(([name, { value }]) => [name, value]));
}

describe("the vars of the local Worker", () => {
  it("send every provider without a key to the stand-in", () => {
    const vars = workerVars({}, "t", STAND_IN);
    expect(vars["UPSTREAM_OPENAI"]).toBe(STAND_IN);
    expect(vars["UPSTREAM_WORKERS_AI"]).toBe(STAND_IN);
    expect(vars["WORKERS_AI_API_KEY"]).toBe("stand-in");
    expect(realProviders({})).toEqual([]);
  });

  it("leave a provider alone that has a key or an upstream in .dev.vars", () => {
    const devVars = { OPENAI_API_KEY: "k", UPSTREAM_AZURE: "https://mine.example", WORKERS_AI_API_KEY: "k" };
    const vars = workerVars(devVars, "t", STAND_IN);
    expect(vars["UPSTREAM_OPENAI"]).toBeUndefined();
    expect(vars["UPSTREAM_WORKERS_AI"]).toBeUndefined();
    expect(vars["UPSTREAM_AZURE"]).toBe("https://mine.example");
    expect(vars["UPSTREAM_ANTHROPIC"]).toBe(STAND_IN);
    expect(vars["OPENAI_API_KEY"]).toBe("k");
    expect(vars["AZURE_API_KEY"]).toBeUndefined();
    expect(realProviders(devVars)).toEqual(["openai", "azure", "workers-ai"]);
    expect(realProviders({ AWS_ACCESS_KEY_ID: "a" })).toEqual(["bedrock"]);
  });

  it("reach the Worker exactly as they are", async () => {
    const tricky = fc.string({ unit: fc.constantFrom(..."\\$'\"{}:-AB \n#="), minLength: 1, maxLength: 12 });
    const ordinary = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 40 });
    const value = fc.oneof(tricky, ordinary).filter((text) => !/[\r\0`]/.test(text));
    await fc.assert(
      fc.asyncProperty(value, async (secret) => {
        expect(await readBack(formatEnvFile({ FIRST: "x", SECRET: secret, LAST: "y" }))).toEqual({
          FIRST: "x",
          SECRET: secret,
          LAST: "y",
        });
      }),
      { numRuns: 300 },
    );
  });

  it("are refused when they cannot be handed on, instead of arriving changed", () => {
    expect(() => formatEnvFile({ SECRET: "'\"`" })).toThrow(/SECRET/);
  });
});

describe("the home of a local Switchback", () => {
  it("keeps the token that it made, in files that nobody else can read", async () => {
    const home = homeAt(join(directory, "fresh"));
    const token = await findToken(home, await readDevVars(home));
    expect(token).toMatch(/^local_[\w-]{43}$/);
    await writeLocal(home, { url: "http://127.0.0.1:1", token });
    expect(await findToken(home, {})).toBe(token);
    expect((await stat(home.localFile)).mode & 0o777).toBe(0o600);
  });

  it("prefers the token of .dev.vars", async () => {
    const home = homeAt(join(directory, "own"));
    await writePrivately(home.devVars, 'ADMIN_TOKEN="mine"\nOPENAI_API_KEY=\n');
    const devVars = await readDevVars(home);
    expect(devVars).toEqual({ ADMIN_TOKEN: "mine" });
    expect(await findToken(home, devVars)).toBe("mine");
  });

  it("makes a new token when the file is damaged", async () => {
    const home = homeAt(join(directory, "damaged"));
    await writePrivately(home.localFile, '{"token": ""');
    expect(await findToken(home, {})).toMatch(/^local_/);
  });
});
