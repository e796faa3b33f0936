// The real objects in the real runtime. Guarantee: what is committed is answered by every read at once, and reaches KV
// and the list without anybody's help.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PushAnswer } from "../../src/core/ports.ts";
import { isProblem } from "../../src/core/problem.ts";
import type { Release } from "../../src/core/types.ts";
import { until } from "../support/wait.ts";
import { startRuntime, type Runtime } from "./support/runtime.ts";
import { createSender, promote, push, put, rollback } from "./support/sender.ts";
import { createSync, createTally } from "./support/prompts.ts";

let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime();
});

afterAll(() => runtime?.stop());

const { send, act, createTwoVersions } = createSender(() => runtime);

describe("a prompt", () => {
  test("is listed as soon as its PUT has answered, with every later change", async () => {
    await act("listed", put({ description: "first" }));
    expect(await runtime.registry.list({ includeArchived: false })).toContainEqual(
      expect.objectContaining({ name: "listed", description: "first", latestVersion: 0 }),
    );
    await act("listed", push("One."));
    await act("listed", { type: "archive", reason: "" });
    expect(await runtime.registry.list({ includeArchived: false })).not.toContainEqual(
      expect.objectContaining({ name: "listed" }),
    );
    expect(await runtime.registry.list({ includeArchived: true })).toContainEqual(
      expect.objectContaining({ name: "listed", latestVersion: 1 }),
    );
  });

  test("answers every question about itself", async () => {
    await createTwoVersions("asked");
    await act("asked", promote);
    const asked = runtime.control("asked");
    expect(await asked.readPrompt()).toMatchObject({ name: "asked", latestVersion: 2 });
    expect(await asked.readVersions()).toMatchObject([{ version: 1 }, { version: 2 }]);
    expect(await asked.readVersion(2)).toMatchObject({
      prompt: "asked",
      version: 2,
      content: { messages: [{ content: "Two." }] },
    });
    expect(await asked.readVersion(3)).toMatchObject({ problem: "version_not_found" });
    expect(await asked.readCompiled(1)).toMatchObject({
      schema: 1,
      version: 1,
      compiled: { system: ["One."] },
    });
    expect(await asked.readCompiled(3)).toMatchObject({ problem: "version_not_found" });
    expect(await asked.readRelease("production")).toMatchObject({
      revision: 2,
      baseline: 2,
      changedBy: "ada",
    });
    expect(await asked.readRelease("staging")).toMatchObject({ problem: "environment_not_found" });
    expect(await asked.readRouting("production")).toMatchObject({ schema: 1, revision: 2, table: {} });
    expect(await asked.readRevisions("production", 10, null)).toMatchObject([
      { revision: 2 },
      { revision: 1 },
    ]);
    expect(await asked.readRevisions("production", 10, 2)).toMatchObject([{ revision: 1 }]);
    expect(await asked.readRevisions("production", 1, null)).toMatchObject([{ revision: 2 }]);
    expect(await asked.readRevisions("staging", 10, null)).toMatchObject({
      problem: "environment_not_found",
    });
    expect(await asked.readTallies("production")).toEqual([]);
    expect(await asked.readEnvironments()).toEqual(["production"]);
  });

  test("gives one number to a content that is pushed many times at once", async () => {
    await act("raced", put());
    const pushes = Array.from({ length: 8 }, () => act("raced", push("Same.")));
    const answers = await Promise.all(pushes);
    expect(answers.map(({ body }) => (body as PushAnswer).version)).toEqual(Array(8).fill(1));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  });

  test("takes partials from the objects of other prompts, and from its own", async () => {
    await act("tone", put({ kind: "partial" }));
    await act("tone", push("Be kind."));
    await act("with-tone", put());
    await act("with-tone", push("You help. {{> tone}}"));
    expect(await runtime.control("with-tone").readVersion(1)).toMatchObject({
      content: { messages: [{ content: "You help. Be kind." }] },
      partials: [{ name: "tone", version: 1 }],
    });
    await act("tone", push("More: {{> tone@1}}"));
    expect(await runtime.control("tone").readVersion(2)).toMatchObject({
      content: { messages: [{ content: "More: Be kind." }] },
    });
    expect(await send("with-tone", push("{{> nobody}}"))).toMatchObject({ problem: "invalid_request" });
  });

  test("refuses an envelope that was meant for another one", async () => {
    const envelope = {
      prompt: "other",
      command: put(),
      actor: { name: "ada", role: "admin" } as const,
      ifMatch: null,
      idempotency: null,
    };
    await expect(runtime.control("misled").execute(envelope)).rejects.toThrow("500");
    expect(await runtime.control("misled").readPrompt()).toMatchObject({ problem: "prompt_not_found" });
  });
});

describe("an alias", () => {
  test("leads to one prompt, is refused to others, and is free once given up", async () => {
    await act("owner", put({ aliases: ["pmpt_1", "pmpt_2"] }));
    expect(await runtime.registry.resolve("pmpt_1")).toBe("owner");
    expect(await send("thief", put({ aliases: ["pmpt_1"] }))).toMatchObject({
      problem: "conflict",
      field: "aliases",
    });
    expect(await send("pmpt_2", put())).toMatchObject({ problem: "conflict", field: "prompt" });
    expect(await runtime.control("thief").readPrompt()).toMatchObject({ problem: "prompt_not_found" });
    await act("owner", put({ aliases: ["pmpt_2"] }));
    await act("heir", put({ aliases: ["pmpt_1"] }));
    expect(await runtime.registry.resolve("pmpt_1")).toBe("heir");
    await until(
      async () => ((await runtime.readStore("alias:pmpt_1")) as { prompt: string } | null)?.prompt === "heir",
    );
    expect(await runtime.readStore("alias:pmpt_2")).toEqual({ prompt: "owner" });
  });
});

describe("KV", () => {
  test("gets versions and releases by itself, the newest in the end", async () => {
    await createTwoVersions("mirrored");
    await act("mirrored", promote);
    await act("mirrored", rollback);
    const release = await until(async () => {
      const copy = (await runtime.readStore("release:mirrored:production")) as Release | null;
      return copy?.revision === 3 ? copy : null;
    });
    expect(release).toEqual(await runtime.control("mirrored").readRouting("production"));
    expect(await runtime.readStore("version:mirrored:2")).toEqual(
      await runtime.control("mirrored").readCompiled(2),
    );
    await act("mirrored", { type: "archive", reason: "" });
    await until(async () => (await runtime.readStore("release:mirrored:production")) === null);
  });
});

test("an object that starts anew does not put its alarm off", async () => {
  await createTwoVersions("restarted");
  await runtime.evict("restarted");
  // Something to forget, in an hour: not instead of what is to be told now.
  const report = { sequence: 1, tallies: [createTally()] };
  await runtime.control("restarted").sync(createSync({ prompt: "restarted", report }));
  await until(() => runtime.readStore("release:restarted:production"));
});

describe("a sync", () => {
  test("carries the release down and the report up, once", async () => {
    await createTwoVersions("synced");
    const synced = runtime.control("synced");
    const report = { sequence: 1, tallies: [createTally()] };
    const request = createSync({ prompt: "synced", report, began: [{ conversation: "c", revision: 1 }] });
    expect(await synced.sync(request)).toMatchObject({
      release: { revision: 1 },
      lease: { softMs: 1_000, leaseMs: 2_000 },
      acceptedSequence: 1,
    });
    expect(await synced.sync({ ...request, knownRevision: 1 })).toMatchObject({
      release: null,
      acceptedSequence: 1,
    });
    expect(await synced.readTallies("production")).toEqual([createTally()]);
    expect(await synced.began("production", "c")).toBe(1);
    expect(await synced.began("production", "d")).toBeNull();
  });

  test("survives that its object is thrown out of memory", async () => {
    await createTwoVersions("evicted");
    const evicted = runtime.control("evicted");
    const report = { sequence: 1, tallies: [createTally()] };
    await evicted.sync(createSync({ prompt: "evicted", report }));
    await runtime.evict("evicted");
    expect(await evicted.sync(createSync({ prompt: "evicted", report }))).toMatchObject({
      release: { revision: 1 },
    });
    expect(await evicted.readTallies("production")).toEqual([createTally()]);
  });
});

describe("a token", () => {
  const given = { name: "ci", role: "releaser", createdBy: "ada", expiresAt: null } as const;

  test("is known by its hash until it is revoked", async () => {
    const token = await runtime.registry.mint({ ...given, hash: "hash-1" });
    if (isProblem(token)) throw new Error(token.message);
    expect(token).toMatchObject({ name: "ci", role: "releaser", revokedAt: null });
    expect(await runtime.registry.authenticate("hash-1")).toEqual(token);
    expect(await runtime.registry.tokens()).toEqual([token]);
    expect(await runtime.registry.mint({ ...given, hash: "hash-1" })).toMatchObject({ problem: "conflict" });
    expect(await runtime.registry.revokeToken(token.id)).toMatchObject({ id: token.id });
    expect(await runtime.registry.authenticate("hash-1")).toBeNull();
    expect(await runtime.registry.authenticate("hash-2")).toBeNull();
    expect(await runtime.registry.revokeToken("nobody")).toMatchObject({ problem: "token_not_found" });
  });
});
