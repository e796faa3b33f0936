// The list, the names and the tokens. Guarantees: one name never means two prompts, nothing overtaken wins, and a token
// opens nothing once it is revoked or expired.

import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { claimNames, resolveName } from "../../src/control/registry-names.ts";
import { isInForce } from "../../src/control/registry-keys.ts";
import {
  addToken,
  createRegistryTables,
  findToken,
  keepSummary,
  listPrompts,
  listTokens,
  markTokenRevoked,
} from "../../src/control/registry-store.ts";
import type { Token } from "../../src/core/ports.ts";
import type { Problem } from "../../src/core/problem.ts";
import type { Prompt } from "../../src/core/types.ts";
import { START_MS } from "./support/commands.ts";
import { createTestSql, type TestSql } from "./support/sqlite.ts";

let sql: TestSql;
let nowMs: number;
/** What the prompts' own objects have committed. */
let committed: Map<string, string[]>;

beforeEach(() => {
  sql = createTestSql();
  createRegistryTables(sql);
  nowMs = START_MS;
  committed = new Map();
});

function createSummary(name: string, aliases: string[], more: Partial<Prompt> = {}): Prompt {
  return {
    name,
    kind: "prompt",
    description: "",
    owner: "",
    tags: [],
    aliases,
    unit: "conversation",
    createdAt: "",
    updatedAt: "",
    updatedBy: "ada",
    archivedAt: null,
    latestVersion: 0,
    ...more,
  };
}

function claim(prompt: string, aliases: string[]): Promise<Problem | null> {
  return claimNames(
    sql,
    prompt,
    aliases,
    () => nowMs,
    async (other, name) => other === name || (committed.get(other)?.includes(name) ?? false),
  );
}

/** All of a put: claim, commit, summary. */
async function put(prompt: string, aliases: string[], order: number): Promise<void> {
  expect(await claim(prompt, aliases)).toBeNull();
  committed.set(prompt, aliases);
  keepSummary(sql, createSummary(prompt, aliases), order);
}

describe("a name", () => {
  test("belongs to one prompt, as a name or as an alias", async () => {
    await put("one", ["pmpt_1"], 1);
    expect(await claim("two", ["pmpt_2", "pmpt_1"])).toMatchObject({ problem: "conflict", field: "aliases" });
    expect(await claim("two", ["one"])).toMatchObject({ problem: "conflict", field: "aliases" });
    expect(await claim("pmpt_1", [])).toMatchObject({ problem: "conflict", field: "prompt" });
    // Nothing of the refused claim was kept.
    await put("three", ["pmpt_2"], 1);
    expect(resolveName(sql, "pmpt_1")).toBe("one");
    expect(resolveName(sql, "pmpt_2")).toBe("three");
    expect(resolveName(sql, "pmpt_3")).toBeNull();
  });

  test("may be claimed again and again by its own prompt", async () => {
    await put("one", ["pmpt_1"], 1);
    expect(await claim("one", ["pmpt_1", "pmpt_1"])).toBeNull();
    expect(resolveName(sql, "pmpt_1")).toBe("one");
  });

  test("is free for others as soon as the prompt has given it up", async () => {
    await put("one", ["pmpt_1"], 1);
    await put("one", [], 2);
    expect(resolveName(sql, "pmpt_1")).toBeNull();
    await put("two", ["pmpt_1"], 1);
    // A summary from before is late.
    keepSummary(sql, createSummary("one", ["pmpt_1"]), 1);
    expect(resolveName(sql, "pmpt_1")).toBe("two");
  });

  test("stays with the prompt that claims it anew, even when the summary that gave it up comes after", async () => {
    await put("one", ["pmpt_1"], 1);
    committed.set("one", []);
    expect(await claim("one", ["pmpt_1"])).toBeNull();
    keepSummary(sql, createSummary("one", []), 2);
    expect(await claim("two", ["pmpt_1"])).toMatchObject({ problem: "conflict" });
    committed.set("one", ["pmpt_1"]);
    keepSummary(sql, createSummary("one", ["pmpt_1"]), 3);
    expect(resolveName(sql, "pmpt_1")).toBe("one");
  });

  test("that was claimed and never committed is taken over after a minute, not before", async () => {
    expect(await claim("one", ["pmpt_1"])).toBeNull();
    expect(resolveName(sql, "pmpt_1")).toBeNull();
    nowMs += 60_000;
    expect(await claim("two", ["pmpt_1"])).toMatchObject({ problem: "conflict" });
    nowMs += 1;
    await put("two", ["pmpt_1"], 1);
    expect(resolveName(sql, "pmpt_1")).toBe("two");
  });

  test("that was claimed and committed is safe however late its summary is", async () => {
    expect(await claim("one", ["pmpt_1"])).toBeNull();
    committed.set("one", ["pmpt_1"]);
    nowMs += 3_600_000;
    expect(await claim("two", ["pmpt_1"])).toMatchObject({ problem: "conflict" });
    keepSummary(sql, createSummary("one", ["pmpt_1"]), 1);
    expect(resolveName(sql, "pmpt_1")).toBe("one");
  });

  test("never has two owners, whatever prompts claim, commit and give up (1,000 runs)", async () => {
    const name = fc.constantFrom("a", "b", "c");
    const act = fc.record({
      prompt: fc.constantFrom("one", "two", "b"),
      aliases: fc.uniqueArray(name, { maxLength: 3 }),
      fate: fc.constantFrom("told", "told later", "died before the commit"),
      gapMs: fc.constantFrom(1, 70_000),
    });
    const property = fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      sql = createTestSql();
      createRegistryTables(sql);
      committed = new Map();
      const late: (() => void)[] = [];
      for (const [index, { prompt, aliases, fate, gapMs }] of acts.entries()) {
        nowMs += gapMs;
        if ((await claim(prompt, aliases)) !== null || fate === "died before the commit") continue;
        committed.set(prompt, aliases);
        const tell = () => keepSummary(sql, createSummary(prompt, aliases), index);
        if (fate === "told") tell();
        else late.push(tell);
        const owned = [...committed].flatMap(([owner, names]) => [
          owner,
          ...names.filter((one) => one !== owner),
        ]);
        expect(new Set(owned).size).toBe(owned.length);
      }
      for (const tell of late) tell();
      for (const [owner, names] of committed) {
        for (const one of names) expect(resolveName(sql, one)).toBe(owner);
      }
    });
    await fc.assert(property, { numRuns: 1_000 });
  });
});

describe("the list", () => {
  test("is by name, newest summary of each, archived ones only on request", async () => {
    for (const name of ["c", "a", "b"]) keepSummary(sql, createSummary(name, []), 1);
    keepSummary(sql, createSummary("a", [], { description: "newer" }), 5);
    keepSummary(sql, createSummary("a", [], { description: "older" }), 4);
    keepSummary(sql, createSummary("b", [], { archivedAt: "2026-11-23T00:00:00.000Z" }), 2);
    expect(listPrompts(sql, false).map(({ name, description }) => [name, description])).toEqual([
      ["a", "newer"],
      ["c", ""],
    ]);
    expect(listPrompts(sql, true).map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });
});

function createToken(id: string, more: Partial<Token> = {}): Token {
  const createdAt = new Date(START_MS).toISOString();
  return {
    id,
    name: "ci",
    role: "releaser",
    createdAt,
    createdBy: "ada",
    expiresAt: null,
    revokedAt: null,
    ...more,
  };
}

describe("a token", () => {
  test("is found by its hash alone, once, and the token itself is nowhere", () => {
    expect(addToken(sql, "hash-1", createToken("1"))).toBe(true);
    expect(addToken(sql, "hash-1", createToken("2"))).toBe(false);
    expect(findToken(sql, "hash-1")).toEqual(createToken("1"));
    expect(findToken(sql, "1")).toBeNull();
    expect(JSON.stringify(listTokens(sql))).not.toContain("hash-1");
  });

  test("is in force until it expires or is revoked, and a revocation keeps its time", () => {
    addToken(sql, "hash-1", createToken("1"));
    expect(isInForce(createToken("1"), START_MS)).toBe(true);
    const expiresAt = new Date(START_MS + 1_000).toISOString();
    expect(isInForce(createToken("1", { expiresAt }), START_MS + 999)).toBe(true);
    expect(isInForce(createToken("1", { expiresAt }), START_MS + 1_000)).toBe(false);
    expect(isInForce(createToken("1", { expiresAt: "some day" }), START_MS)).toBe(false);
    const revoked = markTokenRevoked(sql, "1", START_MS);
    expect(revoked?.revokedAt).toBe(new Date(START_MS).toISOString());
    expect(markTokenRevoked(sql, "1", START_MS + 5_000)).toEqual(revoked);
    expect(isInForce(findToken(sql, "hash-1")!, START_MS)).toBe(false);
    expect(markTokenRevoked(sql, "2", START_MS)).toBeNull();
  });

  test("stands in the list by age", () => {
    for (const [id, atMs] of [
      ["1", 30],
      ["2", 10],
      ["3", 20],
    ] as const) {
      addToken(sql, `hash-${id}`, createToken(id, { createdAt: new Date(START_MS + atMs).toISOString() }));
    }
    expect(listTokens(sql).map(({ id }) => id)).toEqual(["2", "3", "1"]);
  });
});
