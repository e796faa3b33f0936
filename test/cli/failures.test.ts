// When things go wrong: what is tried again and under which key, which exit code ends it, and what is said.

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { problemBody, startFakeControl, TOKEN, type FakeControl } from "./fake-control.ts";
import { runProcess, type Result } from "./run.ts";
import { release } from "./samples.ts";

let control: FakeControl;
beforeAll(async () => {
  control = await startFakeControl();
});
afterAll(() => control.stop());
beforeEach(() => control.reset());

function run(argv: string[]): Promise<Result> {
  return runProcess(argv, { url: control.url });
}

const BUSY = problemBody("release_unavailable", 503, "Starting.");

describe("a write that may have been lost", () => {
  it("is sent again under the same Idempotency-Key until it is answered", async () => {
    control.script("rollback", "hang up", BUSY, "hang up");
    const result = await run(["rollback", "support-bot"]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.out).toContain("rolled back 3 → 2");
    const calls = control.calls("rollback");
    expect(calls).toHaveLength(4);
    expect(new Set(calls.map((call) => call.headers["idempotency-key"])).size).toBe(1);
    expect(new Set(calls.map((call) => JSON.stringify(call.body))).size).toBe(1);
  });

  it("waits as long as the server asks", async () => {
    control.script("rollback", {
      ...(BUSY as { status: number; body: unknown }),
      headers: { "retry-after": "1" },
    });
    const startedMs = performance.now();
    expect(await run(["rollback", "support-bot"])).toMatchObject({ code: 0 });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(1000);
  });

  it("ends with 1 and the last answer when it is refused every time", async () => {
    control.script("rollback", BUSY, BUSY, BUSY, BUSY, BUSY, BUSY);
    const result = await run(["rollback", "support-bot", "--json"]);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({ code: "release_unavailable", status: 503 });
    expect(control.calls("rollback")).toHaveLength(5);
  });

  it("that was refused for good is not sent again", async () => {
    control.script("rollback", problemBody("conflict", 409, "Nothing to roll back to."));
    expect(await run(["rollback", "support-bot"])).toMatchObject({ code: 1 });
    expect(control.calls("rollback")).toHaveLength(1);
  });

  it("and mints a token is never sent twice: no key makes that safe", async () => {
    control.script("mintToken", "hang up");
    expect(await run(["tokens", "create", "ci"])).toMatchObject({ code: 1 });
    expect(control.calls("mintToken")).toHaveLength(1);
  });
});

describe("a read", () => {
  it("is tried again, too, but not for long", async () => {
    control.script("getRelease", "hang up", BUSY);
    expect(await run(["status", "support-bot"])).toMatchObject({ code: 0 });
    control.reset();
    control.script("getRelease", BUSY, BUSY, BUSY, BUSY);
    expect(await run(["status", "support-bot"])).toMatchObject({ code: 1 });
    expect(control.calls("getRelease")).toHaveLength(3);
  });
});

describe("a server that cannot be reached", () => {
  it("ends with 1, names the address and the mend; a rollback says that repeating is safe", async () => {
    const url = await closedUrl();
    const status = await runProcess(["status"], { url });
    expect(status).toMatchObject({ code: 1, out: "" });
    expect(status.error).toContain(url);
    expect(status.error).toMatch(/nothing listens there[^]*npm start/);
    const rollback = await runProcess(["rollback", "support-bot"], { url });
    expect(rollback.code).toBe(1);
    expect(rollback.error).toContain("repeating it is safe");
  });

  it("is a problem document under --json", async () => {
    const result = await runProcess(["list", "--json"], { url: await closedUrl() });
    expect(result).toMatchObject({ code: 1, error: "" });
    expect(JSON.parse(result.out)).toMatchObject({ code: "unreachable" });
  });
});

describe("an answer from something else", () => {
  it.each([
    ["a web page", { status: 200, body: "<html>" }],
    ["an error page", { status: 404, body: "<html>" }],
    ["a redirect", { status: 302, body: "", headers: { location: "http://127.0.0.1:9/" } }],
    ["a release of another shape", { status: 200, body: { revision: "seven" } }],
  ])("%s is never taken for a release", async (_, script) => {
    control.script("getRelease", script);
    const result = await run(["status", "support-bot"]);
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.error).toContain("unexpected_answer");
  });

  it("that follows a write is not called a refusal of it", async () => {
    control.script("rollback", { status: 200, body: { revision: "eight" } });
    const result = await run(["rollback", "support-bot"]);
    expect(result.code).toBe(1);
    expect(result.error).toContain("has taken effect");
  });
});

describe("somebody was faster", () => {
  it("a 412 says who changed what meanwhile, and why", async () => {
    const theirs = { ...release, revision: 8, action: "rollback", changedBy: "bob", reason: "wrong refunds" };
    control.script("getRelease", { status: 200, body: release }, { status: 200, body: theirs });
    control.script("promote", problemBody("revision_conflict", 412, "It is at revision 8.", { current: 8 }));
    const result = await run(["promote", "support-bot", "3"]);
    expect(result.code).toBe(1);
    expect(control.calls("promote")[0]?.headers["if-match"]).toBe('"7"');
    expect(result.error).toMatch(/revision 8 is a rollback by bob.*wrong refunds/);
  });
});

describe("consent", () => {
  it("revoke and archive without a terminal need --yes, and do nothing without", async () => {
    for (const argv of [
      ["revoke", "support-bot", "3", "-m", "leaks"],
      ["archive", "support-bot"],
    ]) {
      const result = await run(argv);
      expect(result).toMatchObject({ code: 2, out: "" });
      expect(result.error).toMatch(/--yes is missing[^]*usage: switchback/);
    }
    expect(control.seen).toEqual([]);
  });

  it("revoke needs a reason", async () => {
    const result = await run(["revoke", "support-bot", "3", "--yes"]);
    expect(result.code).toBe(2);
    expect(result.error).toContain("--reason is missing");
  });

  it("promote and a large canary go ahead where nobody can be asked", async () => {
    expect(await run(["promote", "support-bot", "3"])).toMatchObject({ code: 0 });
    expect(await run(["canary", "support-bot", "3", "90%"])).toMatchObject({ code: 0 });
  });
});

describe("wrong usage", () => {
  it("ends with 2, names the word and shows the usage; nothing is sent", async () => {
    const result = await run(["canary", "support-bot", "3", "lots"]);
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toMatch(
      /WEIGHT must be .*got "lots"[^]*usage: switchback canary PROMPT VERSION WEIGHT%/,
    );
    expect((await run(["rollbak", "x"])).error).toContain('did you mean "rollback"');
    expect(await run([])).toMatchObject({ code: 2, out: "" });
    expect(control.seen).toEqual([]);
  });

  it("is a problem document under --json", async () => {
    const result = await run(["canary", "support-bot", "--json"]);
    expect(result).toMatchObject({ code: 2, error: "" });
    expect(JSON.parse(result.out)).toMatchObject({ code: "wrong_usage" });
  });

  it("without settings says what to set", async () => {
    const directory = await mkdtemp(join(tmpdir(), "switchback-none-"));
    const packageless = await runProcess(["list", "--url", "http://127.0.0.1:1"], { directory });
    expect(packageless.code).toBe(2);
    expect(packageless.error).toContain("SWITCHBACK_TOKEN");
    await rm(directory, { recursive: true });
  });
});

describe("the local file", () => {
  it("is found from a directory below it, with nothing set", async () => {
    const root = await mkdtemp(join(tmpdir(), "switchback-local-"));
    const below = join(root, "app", "prompts");
    await mkdir(below, { recursive: true });
    await mkdir(join(root, ".switchback"));
    await writeFile(
      join(root, ".switchback", "local.json"),
      JSON.stringify({ url: control.url, token: TOKEN }),
    );
    const result = await runProcess(["status", "support-bot"], { directory: below });
    expect(result.code).toBe(0);
    expect(result.out).toContain("revision 7");
    await rm(root, { recursive: true });
  });
});

/** An address where nothing listens any more. */
async function closedUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return `http://127.0.0.1:${port}`;
}
