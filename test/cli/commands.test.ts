// Every command as a process against a control plane that records what it is asked: the right call with the right
// body, an answer that a person can use, and under --json the server's own bytes.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OperationId } from "../../src/admin/operations.ts";
import { problemBody, startFakeControl, type FakeControl } from "./fake-control.ts";
import { createPerson, runAs, runProcess, type Result } from "./run.ts";
import { MINTED, MINTED_KEY, release, SAMPLES } from "./samples.ts";

let control: FakeControl;
let directory = "";

beforeAll(async () => {
  control = await startFakeControl();
  directory = await mkdtemp(join(tmpdir(), "switchback-cli-"));
  const write = (name: string, text: string) => writeFile(join(directory, name), text);
  await write("support-bot.json", JSON.stringify({ system: "Be brief.", note: "from the file" }));
  await write("plain.md", "Be brief.\n");
  await write("broken.json", '{"system": ');
  await write("list.json", "[]");
  await write("request.json", JSON.stringify({ messages: [{ role: "user", content: "hi" }] }));
});
afterAll(async () => {
  await control.stop();
  await rm(directory, { recursive: true });
});
beforeEach(() => control.reset());

function run(argv: string[], input = ""): Promise<Result> {
  return runProcess(argv, { url: control.url, directory, input });
}

/** What the last call of an operation carried. */
function lastBody(id: OperationId): unknown {
  return control.calls(id).at(-1)?.body;
}

const EVERY_COMMAND: { argv: string[]; calls: OperationId; path: string; says: RegExp; json?: string }[] = [
  { argv: ["list"], calls: "listPrompts", path: "/admin/prompts", says: /support-bot/ },
  {
    argv: ["show", "support-bot"],
    calls: "getPrompt",
    path: "/admin/prompts/support-bot",
    says: /owner +support/,
  },
  {
    argv: ["show", "support-bot", "3"],
    calls: "getVersion",
    path: "/admin/prompts/support-bot/versions/3",
    says: /You help users of/,
  },
  {
    argv: ["versions", "support-bot"],
    calls: "listVersions",
    path: "/admin/prompts/support-bot/versions",
    says: /v3 +canary 5 %/,
  },
  {
    argv: ["diff", "support-bot", "2", "3"],
    calls: "diffVersions",
    path: "/admin/prompts/support-bot/diff",
    says: /\+Be brief\./,
  },
  {
    argv: ["canary", "support-bot", "3", "5%"],
    calls: "canary",
    path: "/admin/prompts/support-bot/canary",
    says: /canary v3 5 % → 5 %  revision 8/,
  },
  {
    argv: ["promote", "support-bot", "3"],
    calls: "promote",
    path: "/admin/prompts/support-bot/promote",
    says: /promoted 2 → 3  revision 8/,
  },
  {
    argv: ["ramp", "start", "support-bot", "3"],
    calls: "startRamp",
    path: "/admin/prompts/support-bot/ramp",
    says: /ramp of v3 started at 5 %  revision 8[^]*▶ 5 % → 25 % → 50 % → 95 % for 24 h → 100 %/,
  },
  {
    argv: ["ramp", "pause", "support-bot"],
    calls: "pauseRamp",
    path: "/admin/prompts/support-bot/ramp/pause",
    says: /ramp paused  revision 8[^]*paused at 5 %; resume it to go on/,
  },
  {
    argv: ["ramp", "resume", "support-bot"],
    calls: "resumeRamp",
    path: "/admin/prompts/support-bot/ramp/resume",
    says: /ramp resumed  revision 8/,
  },
  {
    argv: ["ramp", "stop", "support-bot"],
    calls: "stopRamp",
    path: "/admin/prompts/support-bot/ramp/stop",
    says: /ramp stopped  revision 9/,
  },
  {
    argv: ["ramp", "show", "support-bot"],
    calls: "getRamp",
    path: "/admin/prompts/support-bot/ramp",
    says: /revision 8[^]*ramp of v3  running, step 1 of 4[^]*10 m at 5 %, 7 m 30 s to go/,
  },
  {
    argv: ["rollback", "support-bot"],
    calls: "rollback",
    path: "/admin/prompts/support-bot/rollback",
    says: /support-bot production  rolled back 3 → 2  revision 8  enforced everywhere .*12:00:05\.123Z/,
  },
  {
    argv: ["revoke", "support-bot", "3", "--reason", "leaks", "--yes"],
    calls: "revokeVersion",
    path: "/admin/prompts/support-bot/versions/3/revoke",
    says: /revoked v3/,
  },
  {
    argv: ["status", "support-bot"],
    calls: "getRelease",
    path: "/admin/prompts/support-bot/release",
    says: /12,304/,
  },
  {
    argv: ["log", "support-bot"],
    calls: "listRevisions",
    path: "/admin/prompts/support-bot/revisions",
    says: /rollback 3 → 2/,
  },
  {
    argv: ["explain", "support-bot", "conversation-42"],
    calls: "explain",
    path: "/admin/prompts/support-bot/explain",
    says: /v3 \(canary\)/,
  },
  {
    argv: ["diagnose", "support-bot"],
    calls: "diagnose",
    path: "/admin/prompts/support-bot/diagnose",
    says: /Likeliest: the prompt[^]*\+ answers that failed: 10 % of v3/,
  },
  {
    argv: ["feedback", "support-bot"],
    calls: "listFeedback",
    path: "/admin/prompts/support-bot/feedback",
    says: /v3 +thumbs +12 up, 9 down +57 %[^]*v2 +score +0\.813 of 41[^]*v3 +thumbs +down +It promised a refund\.[^]*--before 62/,
  },
  {
    argv: ["judge", "support-bot"],
    calls: "getJudge",
    path: "/admin/prompts/support-bot/judge",
    says: /answer-judge at openai, 100 % of the smaller arm, at most \$5 a day[^]*2026-03-01 +120 +3 +\$0\.2105/,
  },
  {
    argv: ["rate", "an-id", "thumbs", "down"],
    calls: "giveFeedback",
    path: "/feedback",
    says: /support-bot production  v3 \(canary\)  . counted/,
  },
  {
    argv: ["render", "support-bot"],
    calls: "renderPrompt",
    path: "/admin/prompts/support-bot/render",
    says: /You help users of Acme/,
  },
  {
    argv: ["push", "support-bot", "support-bot.json"],
    calls: "pushVersion",
    path: "/admin/prompts/support-bot/versions",
    says: /v4  pushed; no traffic yet[^]*switchback canary support-bot 4/,
  },
  {
    argv: ["create", "support-bot"],
    calls: "putPrompt",
    path: "/admin/prompts/support-bot",
    says: /settings saved/,
  },
  {
    argv: ["archive", "support-bot", "-y"],
    calls: "archivePrompt",
    path: "/admin/prompts/support-bot",
    says: /archived/,
  },
  { argv: ["keys", "list"], calls: "listKeys", path: "/admin/keys", says: /key_1 +checkout +support-bot/ },
  { argv: ["keys", "create", "x"], calls: "mintKey", path: "/admin/keys", says: new RegExp(MINTED_KEY) },
  {
    argv: ["keys", "revoke", "key_1"],
    calls: "revokeKey",
    path: "/admin/keys/key_1",
    says: /checkout .*key revoked/,
  },
  {
    argv: ["providers"],
    calls: "listProviders",
    path: "/admin/providers",
    says: /azure: It has no host\. Set the var UPSTREAM_AZURE/,
  },
  { argv: ["tokens", "list"], calls: "listTokens", path: "/admin/tokens", says: /tok_1 +ci +releaser/ },
  { argv: ["tokens", "create", "ci"], calls: "mintToken", path: "/admin/tokens", says: new RegExp(MINTED) },
  {
    argv: ["tokens", "revoke", "tok_1"],
    calls: "revokeToken",
    path: "/admin/tokens/tok_1",
    says: /ci .*token revoked/,
  },
];

describe("every command", () => {
  it.each(EVERY_COMMAND)(
    "$argv: calls $calls and says what came of it",
    async ({ argv, calls, path, says }) => {
      const result = await run(argv);
      expect(result).toMatchObject({ code: 0, error: "" });
      expect(result.out).toMatch(says);
      expect(control.calls(calls)[0]?.path).toBe(path);
    },
  );

  it.each(EVERY_COMMAND)("$argv --json: prints exactly what the server said", async ({ argv, calls }) => {
    // Odd spacing and an unknown field: bytes that no re-serialisation would give back.
    const said = `{ "future": 1e2,${JSON.stringify(SAMPLES[calls]).slice(1)} `;
    control.script(calls, { status: 200, body: said });
    const result = await run([...argv, "--json"]);
    expect(result).toEqual({ code: 0, out: `${said}\n`, error: "" });
    expect(control.seen.every((one) => one.id === calls)).toBe(true);
  });

  it.each(EVERY_COMMAND)(
    "$argv: a refusal ends with 1, and is the problem itself under --json",
    async ({ argv, calls }) => {
      const refusal = problemBody("conflict", 409, "It stands in the way.", { field: "version" });
      control.script(calls, refusal, refusal);
      // In this process: it is the same program, and a process for each would take a minute.
      const human = createPerson({ url: control.url, directory, interactive: false });
      expect(await runAs(human, argv)).toBe(1);
      expect(human.out()).toBe("");
      expect(human.error()).toMatch(/✗ Title of conflict[^]*It stands in the way\.[^]*field: version/);
      const json = createPerson({ url: control.url, directory, interactive: false });
      expect(await runAs(json, [...argv, "--json"])).toBe(1);
      expect(json.error()).toBe("");
      expect(JSON.parse(json.out())).toEqual((refusal as { body: unknown }).body);
    },
  );
});

describe("what a command sends", () => {
  it("canary: weight, environment, reason, transition, and the revision it has just read", async () => {
    await run(["canary", "support-bot", "v3", "12.5%", "-e", "staging", "-m", "more", "--transition", "now"]);
    expect(lastBody("canary")).toEqual({
      version: 3,
      weight: 12.5,
      environment: "staging",
      reason: "more",
      transition: "now",
    });
    expect(control.calls("getRelease")[0]?.query).toEqual({ environment: "staging" });
    expect(control.calls("canary")[0]?.headers["if-match"]).toBe('"7"');
  });

  it("canary in an environment without a release yet: no If-Match", async () => {
    control.script("getRelease", problemBody("environment_not_found", 404, "None."));
    expect(await run(["canary", "support-bot", "3", "5%", "-e", "staging"])).toMatchObject({ code: 0 });
    expect(control.calls("canary")[0]?.headers).not.toHaveProperty("if-match");
  });

  it("promote without a version: none, so that the server picks the only canary", async () => {
    await run(["promote", "support-bot", "--if-match", "5"]);
    expect(lastBody("promote")).toEqual({ environment: "production", reason: "" });
    expect(control.calls("promote")[0]?.headers["if-match"]).toBe('"5"');
  });

  it("ramp: the usual plan in full, or what was asked for, and the revision it has just read", async () => {
    await run(["ramp", "support-bot", "v3", "-m", "shorter"]);
    expect(lastBody("startRamp")).toEqual({
      version: 3,
      steps: [5, 25, 50, 100],
      bakeMs: 600_000,
      holdback: 5,
      holdbackMs: 86_400_000,
      askAfterMs: 86_400_000,
      environment: "production",
      reason: "shorter",
    });
    expect(control.calls("startRamp")[0]?.headers["if-match"]).toBe('"7"');
    const times = ["--bake", "1h30m", "--holdback-time", "2d", "--ask-after", "90s"];
    await run(["ramp", "start", "support-bot", "3", "--steps", "1%, 12.5,100", "--holdback", "0", ...times]);
    expect(lastBody("startRamp")).toMatchObject({
      steps: [1, 12.5, 100],
      bakeMs: 5_400_000,
      holdback: 0,
      holdbackMs: 172_800_000,
      askAfterMs: 90_000,
    });
    const asked = control.seen.length;
    for (const wrong of [
      ["--steps", "5,x,100"],
      ["--steps", ","],
      ["--bake", "soon"],
      ["--holdback", "500%"],
    ]) {
      const result = await run(["ramp", "start", "support-bot", "3", ...wrong]);
      expect(result.code).toBe(2);
      expect(result.error).toContain(wrong[0]);
    }
    expect(control.seen).toHaveLength(asked);
  });

  it("ramp pause, resume, stop: the reason, and nothing read before", async () => {
    for (const [word, id] of [
      ["pause", "pauseRamp"],
      ["resume", "resumeRamp"],
      ["stop", "stopRamp"],
    ] as const) {
      control.reset();
      await run(["ramp", word, "support-bot", "-e", "staging", "-m", "lunch"]);
      expect(control.seen.map((one) => one.id)).toEqual([id]);
      expect(lastBody(id)).toEqual({ environment: "staging", reason: "lunch" });
    }
    control.script("getRamp", { status: 200, body: { ...SAMPLES.getRamp, ramp: null } });
    expect((await run(["ramp", "show", "support-bot"])).out).toContain("no ramp is on");
  });

  it("rollback: one request and nothing before it", async () => {
    await run(["rollback", "support-bot", "--to", "1", "--mode", "drain", "-m", "wrong refunds"]);
    expect(control.seen.map((one) => one.id)).toEqual(["rollback"]);
    expect(lastBody("rollback")).toEqual({
      environment: "production",
      reason: "wrong refunds",
      to: 1,
      mode: "drain",
    });
    expect(control.seen[0]?.headers).not.toHaveProperty("if-match");
  });

  it("rollback --drain: as --mode drain, and not both ways", async () => {
    await run(["rollback", "support-bot", "--drain"]);
    expect(lastBody("rollback")).toMatchObject({ mode: "drain" });
    await run(["rollback", "support-bot", "--drain", "--mode", "drain"]);
    expect(lastBody("rollback")).toMatchObject({ mode: "drain" });
    const asked = control.seen.length;
    expect(await run(["rollback", "support-bot", "--drain", "--mode", "now"])).toMatchObject({ code: 2 });
    expect(control.seen).toHaveLength(asked);
  });

  it("every write to a prompt: an Idempotency-Key, another one each time; a read: none", async () => {
    await run(["rollback", "support-bot"]);
    await run(["canary", "support-bot", "3", "5%"]);
    const keys = control.seen
      .filter((one) => one.method !== "GET")
      .map((one) => one.headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(keys.every((key) => typeof key === "string" && key.length >= 16)).toBe(true);
    expect(new Set(keys).size).toBe(2);
    expect(control.calls("getRelease")[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  it("log and explain: what was asked for", async () => {
    await run(["log", "support-bot", "--limit", "5", "--before", "9", "-e", "staging"]);
    expect(control.calls("listRevisions")[0]?.query).toEqual({
      environment: "staging",
      limit: "5",
      before: "9",
    });
    await run(["explain", "support-bot", "a key & more"]);
    expect(control.calls("explain")[0]?.query).toEqual({ key: "a key & more", environment: "production" });
  });

  it("log: events stand between the revisions that they came between, and only those of the page", async () => {
    const [later, earlier] = SAMPLES.listRevisions.revisions;
    const [event] = SAMPLES.listEvents.events;
    const events = [
      { ...event!, id: 3, revision: 8, at: "2026-03-01T12:00:30.000Z", says: "after both" },
      { ...event!, id: 2, revision: 7, at: "2026-03-01T11:58:00.000Z", says: "between the two" },
      { ...event!, id: 1, revision: 6, at: "2026-03-01T11:50:00.000Z", says: "before the page" },
    ];
    const page = {
      ...SAMPLES.listRevisions,
      revisions: [later!, { ...earlier!, at: "2026-03-01T11:57:30.000Z" }],
    };
    const tell = () => {
      control.script("listRevisions", { status: 200, body: page });
      control.script("listEvents", { status: 200, body: { ...SAMPLES.listEvents, events } });
    };
    tell();
    const newest = await run(["log", "support-bot"]);
    expect(newest.out).toMatch(/after both\n.*rollback.*\n.*verdict +between the two\n.*canary/);
    expect(newest.out).not.toContain("before the page");
    page.revisions.shift();
    tell();
    const older = await run(["log", "support-bot", "--before", "8"]);
    expect(older.out).toContain("between the two");
    expect(older.out).not.toContain("after both");
    control.script("listEvents", problemBody("route_not_found", 404, "No such call."));
    expect(await run(["log", "support-bot"])).toMatchObject({ code: 0 });
  });

  it("diagnose: the window that was asked for, else the server's own", async () => {
    await run(["diagnose", "support-bot", "--window", "2h", "-e", "staging"]);
    await run(["diagnose", "support-bot"]);
    const queries = control.calls("diagnose").map(({ query }) => query);
    expect(queries).toEqual([{ environment: "staging", window: "2h" }, { environment: "production" }]);
  });

  it("render: variables as text or as JSON, a body from a file, a provider", async () => {
    const variables = ["--var", "product=Acme = best", "--var", "seats:=5", "--var", "tags:=[1]"];
    await run([
      "render",
      "support-bot",
      "--version",
      "2",
      ...variables,
      "--body",
      "request.json",
      "--provider",
      "anthropic",
    ]);
    expect(lastBody("renderPrompt")).toEqual({
      environment: "production",
      version: 2,
      variables: { product: "Acme = best", seats: 5, tags: [1] },
      provider: "anthropic",
      body: { messages: [{ role: "user", content: "hi" }] },
    });
  });

  it("create: only the settings that are given", async () => {
    await run(["create", "support-bot", "--owner", "support", "--tag", "a", "--tag", "b", "--unit", "user"]);
    expect(lastBody("putPrompt")).toEqual({ owner: "support", tags: ["a", "b"], unit: "user" });
    await run(["create", "support-bot", "--shield", "off", "--agents", "off"]);
    expect(lastBody("putPrompt")).toEqual({ shield: false, agents: "off" });
    await run(["create", "support-bot", "--shield", "on"]);
    expect(lastBody("putPrompt")).toEqual({ shield: true });
  });

  it.each([
    ["thumbs", "-1", -1],
    ["thumbs", "up", "up"],
    ["score", ".5", 0.5],
    ["score", "-.5", -0.5],
    ["score", "1.", 1],
    ["label", "-1.5", "-1.5"],
  ])("rate: %s %s", async (name, text, value) => {
    await run(["rate", "an-id", name, text, "--comment", "-1"]);
    expect(lastBody("giveFeedback")).toEqual({ request_id: "an-id", name, value, comment: "-1" });
  });

  it("judge: another prompt's settings, or none", async () => {
    const none = { status: 200, body: { ...SAMPLES.getJudge, judge: null } };
    control.script("getJudge", none, none, none);
    await run([
      "judge",
      "support-bot",
      "answer-judge",
      "--provider",
      "openai",
      "--sample",
      "0.5",
      "--usd-per-day",
      "2",
    ]);
    const judge = { prompt: "answer-judge", provider: "openai", sample: 0.5, maxUsdPerDay: 2 };
    expect(lastBody("putPrompt")).toEqual({ judge });
    await run(["judge", "support-bot", "off"]);
    expect(lastBody("putPrompt")).toEqual({ judge: null });
    const missing = await run(["judge", "support-bot", "answer-judge"]);
    expect([missing.code, missing.error]).toEqual([2, expect.stringMatching(/--provider is missing/)]);
    const wrong = await run([
      "judge",
      "support-bot",
      "answer-judge",
      "--provider",
      "openai",
      "--sample",
      "half",
    ]);
    expect([wrong.code, wrong.error]).toEqual([2, expect.stringMatching(/--sample must be a number/)]);
  });

  it("judge: what is not named stays as it was set", async () => {
    const judge = {
      prompt: "answer-judge",
      provider: "groq",
      sample: 0.5,
      maxBytes: 1_024,
      maxUsdPerDay: 2,
      concurrency: 1,
    };
    const set = { status: 200, body: { ...SAMPLES.getJudge, judge } };
    control.script("getJudge", set);
    await run(["judge", "support-bot", "stricter-judge"]);
    expect(lastBody("putPrompt")).toEqual({ judge: { ...judge, prompt: "stricter-judge" } });
    control.script("getJudge", set);
    await run(["judge", "support-bot", "answer-judge", "--sample", ".25", "--provider", "openai"]);
    expect(lastBody("putPrompt")).toEqual({ judge: { ...judge, provider: "openai", sample: 0.25 } });
  });

  it("judge: makes no prompt of a misspelt name", async () => {
    const before = control.calls("putPrompt").length;
    for (const word of ["off", "answer-judge"]) {
      control.script("getJudge", problemBody("prompt_not_found", 404, "None."));
      const refused = await run(["judge", "suport-bot", word, "--provider", "openai"]);
      expect([refused.code, refused.error]).toEqual([1, expect.stringContaining("prompt_not_found")]);
    }
    expect(control.calls("putPrompt").length).toBe(before);
  });

  it("archive: the reason", async () => {
    await run(["archive", "support-bot", "-y", "-m", "replaced"]);
    expect(control.calls("archivePrompt")[0]?.query).toEqual({ reason: "replaced" });
  });

  it("tokens create: the least role unless told, and an expiry in the future", async () => {
    await run(["tokens", "create", "ci", "--expires", "1d"]);
    const body = lastBody("mintToken") as { expiresAt: string };
    expect(body).toMatchObject({ name: "ci", role: "viewer" });
    const leftMs = Date.parse(body.expiresAt) - Date.now();
    expect(leftMs).toBeGreaterThan(23.9 * 3_600_000);
    expect(leftMs).toBeLessThanOrEqual(24 * 3_600_000);
    const past = await run(["tokens", "create", "ci", "--expires", "2001-01-01"]);
    expect(past).toMatchObject({ code: 2 });
    expect(past.error).toContain("--expires");
  });

  it("keys create --feedback: for feedback and nothing else", async () => {
    await run(["keys", "create", "thumbs", "--feedback", "--prompt", "support-bot"]);
    expect(lastBody("mintKey")).toMatchObject({ use: "feedback", prompts: ["support-bot"] });
  });

  it("keys create: no scope unless told, and the scope that was told", async () => {
    await run(["keys", "create", "ci"]);
    const scope = { prompts: [], environments: [], providers: [], passThrough: null };
    expect(lastBody("mintKey")).toEqual({ name: "ci", ...scope, requestsPerMinute: null, expiresAt: null });
    const narrow = ["--prompt", "a", "--prompt", "b", "--provider", "openai", "-e", "staging"];
    await run(["keys", "create", "ci", ...narrow, "--pass-through", "--limit", "60"]);
    expect(lastBody("mintKey")).toMatchObject({
      prompts: ["a", "b"],
      environments: ["staging"],
      providers: ["openai"],
      passThrough: true,
      requestsPerMinute: 60,
    });
    expect(await run(["keys", "create", "ci", "--limit", "many"])).toMatchObject({ code: 2 });
    expect(await run(["keys", "create", "ci", "--expires", "2001-01-01"])).toMatchObject({ code: 2 });
  });
});

describe("push", () => {
  it("takes the prompt from the word, from --prompt or from the file's name", async () => {
    for (const argv of [
      ["support-bot", "plain.md"],
      ["plain.md", "--prompt", "support-bot"],
      ["./support-bot.json"],
    ]) {
      control.reset();
      expect(await run(["push", ...argv])).toMatchObject({ code: 0 });
      expect(control.calls("pushVersion")[0]?.path).toBe("/admin/prompts/support-bot/versions");
    }
  });

  it("sends JSON as it is, plain text as the system text, and --reason as the note", async () => {
    await run(["push", "support-bot", "support-bot.json"]);
    expect(lastBody("pushVersion")).toEqual({ system: "Be brief.", note: "from the file" });
    await run(["push", "support-bot", "plain.md", "-m", "why"]);
    expect(lastBody("pushVersion")).toEqual({ system: "Be brief.\n", note: "why" });
    await run(["push", "support-bot", "-"], '{"system": "from a pipe"}');
    expect(lastBody("pushVersion")).toEqual({ system: "from a pipe" });
  });

  it("says when the content was there already, and when it is the baseline now", async () => {
    control.script("pushVersion", { status: 200, body: SAMPLES.pushVersion });
    expect((await run(["push", "support-bot", "plain.md"])).out).toContain("same content");
    control.script("pushVersion", { status: 201, body: { ...SAMPLES.pushVersion, version: 1 } });
    expect((await run(["push", "support-bot", "plain.md"])).out).toContain("it is the baseline");
  });

  it("creates a missing prompt only with --create, and then pushes", async () => {
    const missing = problemBody("prompt_not_found", 404, "No prompt support-bot.");
    control.script("pushVersion", missing);
    const refused = await run(["push", "support-bot", "plain.md"]);
    expect(refused.code).toBe(1);
    expect(refused.error).toContain("--create");
    expect(control.calls("putPrompt")).toHaveLength(0);
    control.reset();
    control.script("pushVersion", missing);
    expect(await run(["push", "support-bot", "plain.md", "--create"])).toMatchObject({ code: 0 });
    expect(control.seen.map((one) => one.id)).toEqual(["pushVersion", "putPrompt", "pushVersion"]);
  });

  it.each([
    [["push", "support-bot", "missing.json"], /FILE: missing\.json: there is no such file/],
    [["push", "support-bot", "broken.json"], /FILE: broken\.json is not JSON/],
    [["push", "support-bot", "list.json"], /FILE: list\.json holds JSON, but not an object/],
    [["push", "-"], /PROMPT is missing/],
    [["push", "My Bot.json"], /PROMPT is missing: "My Bot"/],
    [["push", "support-bot", "plain.md", "--prompt", "other"], /--prompt and PROMPT/],
    [["render", "support-bot", "--var", "novalue"], /--var must be NAME=TEXT/],
    [["render", "support-bot", "--var", "n:=five"], /--var n:= must be followed by JSON/],
    [["render", "support-bot", "--body", "broken.json"], /--body: broken\.json is not JSON/],
  ])("%j is wrong usage, told before anything is sent", async (argv, says) => {
    const result = await run(argv);
    expect(result).toMatchObject({ code: 2, out: "" });
    expect(result.error).toMatch(says);
    expect(result.error).toMatch(/usage: switchback (push|render)/);
    expect(control.seen).toEqual([]);
  });
});

describe("status", () => {
  it("of everything shows every served prompt, and leaves out what has no release here", async () => {
    const { prompts } = SAMPLES.listPrompts;
    const one = prompts[0]!;
    const partial = { ...one, name: "tone", kind: "partial" as const };
    control.script("listPrompts", {
      status: 200,
      body: { prompts: [one, { ...one, name: "other" }, partial] },
    });
    control.script(
      "getRelease",
      { status: 200, body: release },
      problemBody("environment_not_found", 404, "No release."),
    );
    const result = await run(["status", "-e", "staging"]);
    expect(result.code).toBe(0);
    expect(result.out.match(/revision 7/g)).toHaveLength(1);
    expect(control.calls("getRelease").map((call) => call.path)).not.toContain("/admin/prompts/tone/release");
  });

  it("of everything under --json is a list of the server's own releases", async () => {
    const result = await run(["status", "--json"]);
    expect(JSON.parse(result.out)).toEqual({ releases: [release] });
  });

  it("of one prompt names its other environments, and shows the release even where counters fail", async () => {
    control.script("getMetrics", problemBody("internal", 500, "Broken."));
    const result = await run(["status", "support-bot"]);
    expect(result.code).toBe(0);
    expect(result.out).toMatch(/revision 7/);
    expect(result.out).toMatch(/also released in: staging/);
    expect(result.out).not.toContain("REQUESTS");
  });
});

describe("what needs no server", () => {
  it("help: all commands, or one with usage, options and examples", async () => {
    const all = await runProcess(["help"]);
    expect(all.code).toBe(0);
    for (const name of ["rollback", "canary", "tokens create"]) expect(all.out).toContain(name);
    for (const argv of [
      ["rollback", "--help"],
      ["help", "rollback"],
      ["rollback", "bot", "-h", "--to", "3"],
    ]) {
      const one = await runProcess(argv);
      expect(one.code).toBe(0);
      expect(one.out).toMatch(
        /usage: switchback rollback PROMPT[^]*--wait[^]*Examples:[^]*switchback rollback/,
      );
    }
    expect((await runProcess(["--help"])).out).toBe(all.out);
    expect((await runProcess(["help", "rolback"])).error).toContain('"rollback"');
  });

  it("version: the package's", async () => {
    const result = await runProcess(["version"]);
    expect(result.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await runProcess(["--version"])).out).toBe(result.out);
  });

  it("open: the dashboard's address, without asking anybody", async () => {
    expect(await run(["open"])).toMatchObject({ code: 0, out: `${control.url}/dashboard\n` });
    expect(control.seen).toEqual([]);
  });
});
