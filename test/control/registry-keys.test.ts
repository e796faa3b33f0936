// Proxy keys in the Registry. Guarantees: the key itself is nowhere, what is revoked or expired opens nothing and never
// will again, and a key in use costs a write a minute and no more.

import { beforeEach, describe, expect, test } from "vitest";
import { addKey, checkKey, listKeys, markKeyRevoked } from "../../src/control/registry-keys.ts";
import { createRegistryTables } from "../../src/control/registry-store.ts";
import type { ProxyKey } from "../../src/core/ports.ts";
import { START_MS } from "./support/commands.ts";
import { createTestSql, type TestSql } from "./support/sqlite.ts";

let sql: TestSql;

beforeEach(() => {
  sql = createTestSql();
  createRegistryTables(sql);
});

const at = (ms: number) => new Date(START_MS + ms).toISOString();

function createKey(id: string, more: Partial<ProxyKey> = {}): Omit<ProxyKey, "lastUsedAt"> {
  const scope = { prompts: ["a"], environments: [], providers: [], passThrough: false };
  const dates = { createdAt: at(0), createdBy: "ada", expiresAt: null, revokedAt: null };
  return { id, name: "checkout", ...scope, requestsPerMinute: null, ...dates, ...more };
}

describe("a proxy key", () => {
  test("is found by its hash alone, once, and the hash is in no list", () => {
    expect(addKey(sql, "hash-1", createKey("1"))).toBe(true);
    expect(addKey(sql, "hash-1", createKey("2"))).toBe(false);
    expect(checkKey(sql, "1", START_MS)).toBeNull();
    expect(listKeys(sql)).toEqual([{ ...createKey("1"), lastUsedAt: null }]);
    expect(JSON.stringify(listKeys(sql))).not.toContain("hash-1");
  });

  test("tells the edge what it may do, and nothing of who made it", () => {
    addKey(sql, "hash-1", createKey("1", { environments: ["staging"], requestsPerMinute: 60 }));
    expect(checkKey(sql, "hash-1", START_MS)).toEqual({
      id: "1",
      name: "checkout",
      prompts: ["a"],
      environments: ["staging"],
      providers: [],
      passThrough: false,
      requestsPerMinute: 60,
      expiresAt: null,
    });
  });

  test("is refused from its expiry on, and from its revocation on for good", () => {
    addKey(sql, "hash-1", createKey("1", { expiresAt: at(1_000) }));
    addKey(sql, "hash-2", createKey("2"));
    addKey(sql, "hash-3", createKey("3", { expiresAt: "some day" }));
    expect(checkKey(sql, "hash-1", START_MS + 999)).not.toBeNull();
    expect(checkKey(sql, "hash-1", START_MS + 1_000)).toBeNull();
    expect(checkKey(sql, "hash-3", START_MS)).toBeNull();
    const revoked = markKeyRevoked(sql, "2", START_MS);
    expect(revoked).toMatchObject({ id: "2", revokedAt: at(0) });
    expect(markKeyRevoked(sql, "2", START_MS + 5_000)).toEqual(revoked);
    expect(checkKey(sql, "hash-2", START_MS + 1)).toBeNull();
    expect(markKeyRevoked(sql, "nobody", START_MS)).toBeNull();
  });

  test("keeps when it was last used to the minute, over a revocation too", () => {
    addKey(sql, "hash-1", createKey("1"));
    const used = (): string | null => listKeys(sql)[0]?.lastUsedAt ?? null;
    for (const [ms, expected] of [
      [10, 10],
      [30_000, 10],
      [60_009, 10],
      [60_010, 60_010],
    ] as const) {
      checkKey(sql, "hash-1", START_MS + ms);
      expect(used()).toBe(at(expected));
    }
    markKeyRevoked(sql, "1", START_MS + 70_000);
    checkKey(sql, "hash-1", START_MS + 200_000);
    expect(used()).toBe(at(60_010));
  });

  test("stands in the list by age", () => {
    for (const [id, ms] of [
      ["1", 30],
      ["2", 10],
      ["3", 20],
    ] as const) {
      addKey(sql, `hash-${id}`, createKey(id, { createdAt: at(ms) }));
    }
    expect(listKeys(sql).map(({ id }) => id)).toEqual(["2", "3", "1"]);
  });
});
