// The hash is a promise to everybody who recomputes an assignment: frozen vectors, a second implementation written
// from the definition alone, and the statistics that a split of traffic rests on.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { absorb, bucketOf, finalize, fingerprint64, HASH_ALGORITHM, hashUnit } from "../../src/core/hash.ts";
import { BUCKETS } from "../../src/core/types.ts";
import vectors from "../vectors/assignment.json" with { type: "json" };

/** The definition, slowly: bytes by TextEncoder, arithmetic without overflow tricks. */
function hashByDefinition(salt: string, key: string): number {
  const mask = 0xffffffffn;
  let hash = 0x811c9dc5n;
  for (const byte of new TextEncoder().encode(`${salt}\n${key}`)) {
    hash = ((hash ^ BigInt(byte)) * 0x01000193n) & mask;
  }
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}

/** Ids as apps make them. */
const ID_STYLES: { [style: string]: (index: number) => string } = {
  counters: (index) => String(index),
  prefixed: (index) => `user-${String(index).padStart(8, "0")}`,
  emails: (index) => `person.${index}@example.com`,
  uuids: (index) => {
    const hex = [1, 2, 3, 4].map((part) => finalize(Math.imul(index, 2654435761) + part));
    const text = hex.map((part) => part.toString(16).padStart(8, "0")).join("");
    return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  },
};

/** Any UTF-16: ASCII, lone surrogates, and characters of every plane. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x7f }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

describe("the hash of a unit", () => {
  it.each(vectors.hash)("is frozen: $name", ({ salt, key, hash, bucket }) => {
    expect(vectors.algorithm).toBe(HASH_ALGORITHM);
    expect([hashUnit(salt, key), bucketOf(salt, key)]).toEqual([hash, bucket]);
  });

  it("is built of the published functions", () => {
    expect(["", "a", "foobar"].map((text) => absorb(0x811c9dc5, text) >>> 0)).toEqual([
      0x811c9dc5, 0xe40c292c, 0xbf9cf968,
    ]);
    // MurmurHash3_x86_32 of nothing under seeds 0, 1 and 2^32 - 1.
    expect([0, 1, 0xffffffff].map(finalize)).toEqual([0, 0x514e28b7, 0x81f16f39]);
  });

  it("is what its definition says for any text, lone surrogates as U+FFFD", () => {
    fc.assert(
      fc.property(anyText, anyText, (salt, key) => {
        expect(hashUnit(salt, key)).toBe(hashByDefinition(salt, key));
      }),
      { numRuns: 5000 },
    );
  });

  it("counts lone and swapped surrogates as U+FFFD, one each", () => {
    const pairs = [
      ["a\ud83d", "a\ufffd"],
      ["\ude00a", "\ufffda"],
      ["\ude00\ud83d", "\ufffd\ufffd"],
      ["\ud83d\ud83d\ude00", "\ufffd😀"],
    ] as const;
    for (const [lone, replaced] of pairs) {
      expect(hashUnit(lone, lone)).toBe(hashUnit(replaced, replaced));
      expect(fingerprint64(lone)).toBe(fingerprint64(replaced));
    }
  });

  it("gives the bucket of exact integer arithmetic", () => {
    fc.assert(
      fc.property(anyText, (key) => {
        const exact = (BigInt(hashUnit("salt", key)) * BigInt(BUCKETS)) >> 32n;
        expect(bucketOf("salt", key)).toBe(Number(exact));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the spread of users", () => {
  it.each(Object.entries(ID_STYLES))("is even over the buckets (%s)", (_style, idOf) => {
    const draws = 200_000;
    const counts = new Float64Array(BUCKETS);
    for (let index = 0; index < draws; index++)
      counts[bucketOf("support-bot:production:1", idOf(index))]! += 1;
    const expected = draws / BUCKETS;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 9,999 degrees of freedom: mean 9,999, standard deviation 141; five of them either way.
    expect(chiSquare).toBeGreaterThan(9_999 - 5 * 141.4);
    expect(chiSquare).toBeLessThan(9_999 + 5 * 141.4);
  });

  it.each(Object.entries(ID_STYLES))(
    "is independent between prompts, environments and rotations (%s)",
    (_style, idOf) => {
      const salts = [
        "support-bot:production:1",
        "sales-bot:production:1",
        "support-bot:staging:1",
        "support-bot:production:2",
      ];
      const users = 60_000;
      const groups = salts.map((salt) => {
        const canary = new Set<number>();
        for (let index = 0; index < users; index++)
          if (bucketOf(salt, idOf(index)) >= 9_500) canary.add(index);
        return canary;
      });
      for (const [at, one] of groups.entries()) {
        for (const other of groups.slice(at + 1)) {
          const both = [...one].filter((user) => other.has(user)).length;
          expect(both / one.size).toBeGreaterThan(0.04);
          expect(both / one.size).toBeLessThan(0.06);
        }
      }
    },
  );
});

describe("the fingerprint of a conversation", () => {
  it.each(vectors.fingerprint)("is frozen: $name", ({ text, fingerprint }) => {
    expect(fingerprint64(text)).toBe(fingerprint);
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  it("tells 200,000 similar conversations apart, and its halves collide only as chance has it", () => {
    const total = 200_000;
    const whole = new Set<string>();
    const halves = [new Set<string>(), new Set<string>()] as const;
    for (let index = 0; index < total; index++) {
      const name = fingerprint64(`conversation-${index}`);
      whole.add(name);
      halves[0].add(name.slice(0, 8));
      halves[1].add(name.slice(8));
    }
    expect(whole.size).toBe(total);
    // Birthdays: n² / 2^33 ≈ 5 among 32-bit values.
    for (const half of halves) expect(total - half.size).toBeLessThan(25);
  });
});
