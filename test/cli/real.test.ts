// The command line against the shipped bundle in workerd: one prompt's whole life, so that the table of operations,
// the server and this program agree on more than paper.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATIONS, type OperationId } from "../../src/admin/operations.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { runProcess, type Result } from "./run.ts";

let cluster: Cluster;
let directory = "";

beforeAll(async () => {
  cluster = await startCluster({ edges: 1 });
  directory = await mkdtemp(join(tmpdir(), "switchback-real-"));
  const write = (name: string, system: string) =>
    writeFile(join(directory, name), JSON.stringify({ system }));
  await write("one.json", "You help users of {{product}}.");
  await write("two.json", "You help users of {{product}}. Be brief.");
});
afterAll(async () => {
  await cluster.stop();
  await rm(directory, { recursive: true });
});

async function run(argv: string[], token = ADMIN_TOKEN): Promise<Result> {
  const variables = { SWITCHBACK_URL: cluster.control.url, SWITCHBACK_TOKEN: token };
  const result = await runProcess(argv, { directory, variables });
  expect(result.out + result.error).not.toContain(ADMIN_TOKEN);
  return result;
}

async function succeed(argv: string[]): Promise<string> {
  const result = await run(argv);
  expect(result).toMatchObject({ code: 0, error: "" });
  return result.out;
}

describe("one prompt's life", () => {
  it("begins with a push", async () => {
    expect(await run(["push", "bot", "one.json"])).toMatchObject({ code: 1 });
    expect(await succeed(["push", "bot", "one.json", "--create", "-m", "first"])).toMatch(
      /v1 .*it is the baseline/,
    );
    expect(await succeed(["push", "bot", "one.json"])).toMatch(/v1 .*same content/);
    expect(await succeed(["push", "bot", "two.json", "-m", "shorter"])).toMatch(/v2 .*no traffic yet/);
    await until(async () => /bot +prompt +v2/.test(await succeed(["list"])));
    expect(await succeed(["versions", "bot"])).toMatch(/v2 [^]*shorter[^]*v1 +baseline 100 %/);
    expect(await succeed(["diff", "bot", "1", "2"])).toMatch(/^\+.*Be brief\./m);
    expect(await succeed(["show", "bot", "2"])).toContain("Be brief.");
    expect(await succeed(["render", "bot", "--version", "2", "--var", "product=Acme"])).toContain(
      "You help users of Acme. Be brief.",
    );
  });

  it("names the variables that are missing, as options", async () => {
    const result = await run(["render", "bot"]);
    expect(result.code).toBe(1);
    expect(result.error).toContain("--var product=");
  });

  it("goes on with a canary, sticky and explained", async () => {
    expect(await succeed(["canary", "bot", "2", "0.01%", "-m", "first look"])).toMatch(
      /canary v2 0 % → 0\.01 %/,
    );
    expect(await succeed(["canary", "bot", "2", "25%"])).toMatch(/canary v2 0\.01 % → 25 %/);
    expect(await succeed(["status"])).toMatch(
      /bot · production · revision 3[^]*v1 +baseline +75 %[^]*v2 +canary +25 %/,
    );
    expect(await succeed(["explain", "bot", "user-1"])).toMatch(/v[12] \((baseline|canary)\)[^]*split/);
  });

  it("is rolled back, once, however often that is asked for", async () => {
    const first = await succeed(["rollback", "bot", "-m", "wrong refunds", "--wait"]);
    expect(first).toMatch(/bot production {2}rolled back 2 → 1 {2}revision 4 {2}enforced everywhere/);
    expect(await succeed(["rollback", "bot"])).toMatch(/rolled back 2 → 1 {2}revision 4/);
    expect(await succeed(["log", "bot"])).toMatch(/4 +.*admin +rollback 2 → 1 +wrong refunds/);
  });

  it("is promoted, guarded by the revision", async () => {
    const stale = await run(["promote", "bot", "2", "--if-match", "3"]);
    expect(stale.code).toBe(1);
    expect(stale.error).toMatch(/revision_conflict[^]*revision 4 is a rollback by admin.*wrong refunds/);
    expect(await succeed(["promote", "bot", "2"])).toMatch(/promoted 1 → 2 {2}revision 5/);
  });

  it("loses a version for good, and its place is taken by the last good one", async () => {
    expect(await succeed(["revoke", "bot", "2", "--yes", "-m", "leaks"])).toContain("revoked v2");
    expect(await succeed(["status", "bot"])).toMatch(/v1 +baseline +100 %[^]*revoked: v2/);
    const again = await run(["canary", "bot", "2", "5%"]);
    expect(again).toMatchObject({ code: 1 });
    expect(again.error).toContain("version_revoked");
  });

  it("has another environment beside it", async () => {
    expect(await run(["status", "bot", "-e", "staging"])).toMatchObject({ code: 1 });
    await succeed(["promote", "bot", "1", "-e", "staging"]);
    expect(await succeed(["status", "bot"])).toContain("also released in: staging");
  });

  it("ends in the archive, and can come back", async () => {
    await succeed(["archive", "bot", "--yes", "-m", "done"]);
    await until(async () => !/^bot /m.test(await succeed(["list"])));
    await succeed(["create", "bot"]);
    expect(await succeed(["status", "bot"])).toContain("v1");
  });
});

describe("a ramp", () => {
  it("is started, seen in status, held, let go on and ended by a rollback, and the log says so", async () => {
    await succeed(["push", "ramped", "one.json", "--create"]);
    await succeed(["push", "ramped", "two.json"]);
    expect(await succeed(["ramp", "show", "ramped"])).toContain("no ramp is on");
    const plan = ["--steps", "10,50,100", "--bake", "1h", "--holdback-time", "2d"];
    expect(await succeed(["ramp", "ramped", "2", ...plan, "-m", "shorter"])).toMatch(
      /ramp of v2 started at 10 % {2}revision 2[^]*▶ 10 % → 50 % → 95 % for 2 d → 100 %[^]*1 h at 10 %, /,
    );
    expect(await succeed(["status", "ramped"])).toMatch(
      /v2 +canary +10 %[^]*ramp of v2 {2}running, step 1 of 3/,
    );
    expect(await succeed(["ramp", "pause", "ramped", "-m", "lunch"])).toMatch(/paused at 10 %; resume it/);
    expect(await succeed(["ramp", "resume", "ramped"])).toMatch(/ramp resumed {2}revision 4/);
    const shown: unknown = JSON.parse(await succeed(["ramp", "show", "ramped", "--json"]));
    expect(OPERATIONS.getRamp.response.safeParse(shown)).toMatchObject({ success: true });
    const again = await run(["ramp", "ramped", "2", "-y"]);
    expect(again.code).toBe(1);
    expect(again.error).toContain("A ramp of version 2 is on in production: stop it first.");
    await succeed(["rollback", "ramped", "-m", "wrong refunds"]);
    expect(await succeed(["log", "ramped"])).toMatch(
      /rollback 2 → 1, ends the ramp +wrong refunds[^]*ramp v2 resumed at 10 %[^]*ramp v2 paused at 10 % +lunch/,
    );
    const none = await run(["ramp", "stop", "ramped"]);
    expect(none).toMatchObject({ code: 1 });
    expect(none.error).toContain("No ramp is on in production.");
  });
});

describe("--json", () => {
  const READS: [string[], OperationId][] = [
    [["list"], "listPrompts"],
    [["show", "bot"], "getPrompt"],
    [["show", "bot", "1"], "getVersion"],
    [["versions", "bot"], "listVersions"],
    [["diff", "bot", "1", "2"], "diffVersions"],
    [["status", "bot"], "getRelease"],
    [["log", "bot"], "listRevisions"],
    [["explain", "bot", "k"], "explain"],
    [["render", "bot", "--var", "product=Acme"], "renderPrompt"],
    [["tokens", "list"], "listTokens"],
  ];

  it.each(READS)("%j is what the table of operations promises", async (argv, id) => {
    const value: unknown = JSON.parse(await succeed([...argv, "--json"]));
    expect(OPERATIONS[id].response.safeParse(value)).toMatchObject({ success: true });
  });
});

describe("a minted token", () => {
  it("may do what its role allows, until it is revoked", async () => {
    const minted = JSON.parse(await succeed(["tokens", "create", "reader", "--json"])) as {
      id: string;
      token: string;
    };
    expect(await run(["status", "bot"], minted.token)).toMatchObject({ code: 0 });
    const refused = await run(["rollback", "bot"], minted.token);
    expect(refused.code).toBe(1);
    expect(refused.error).toContain("forbidden");
    expect(refused.error).not.toContain(minted.token);
    await succeed(["tokens", "revoke", minted.id]);
    expect((await run(["status", "bot"], minted.token)).error).toContain("unauthenticated");
  });
});
