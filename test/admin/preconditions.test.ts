// If-Match, If-None-Match and Idempotency-Key: understood or refused, never ignored.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fingerprintRequest,
  formatEntityTag,
  matchesIfNoneMatch,
  parseIdempotencyKey,
  parseIfMatch,
} from "../../src/admin/preconditions.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("If-Match", () => {
  it("reads back every revision that an ETag can carry", () => {
    fc.assert(
      fc.property(fc.nat(), (revision) => {
        expect(parseIfMatch(formatEntityTag(revision))).toBe(revision);
        expect(parseIfMatch(`W/${formatEntityTag(revision)}`)).toBe(revision);
        expect(parseIfMatch(String(revision))).toBe(revision);
      }),
    );
  });

  it("tells any from none", () => {
    expect(parseIfMatch(null)).toBe(null);
    expect(parseIfMatch("*")).toBe("any");
    expect(parseIfMatch(' "7" ')).toBe(7);
  });

  it.each(["", "seven", '"7', '7"', '"7", "8"', "-1", "1.5", '"*"', "1e3", 'w/"7"', '"9999999999999999"'])(
    "refuses %j and names the header",
    (header) => {
      expect(parseIfMatch(header)).toMatchObject({ problem: "invalid_request", field: "If-Match" });
    },
  );
});

describe("If-None-Match", () => {
  it("matches the revision in a list, weak or strong, and nothing else", () => {
    expect(matchesIfNoneMatch('"6", W/"7"', 7)).toBe(true);
    expect(matchesIfNoneMatch("*", 7)).toBe(true);
    expect(matchesIfNoneMatch('"77"', 7)).toBe(false);
    expect(matchesIfNoneMatch('"abc"', 7)).toBe(false);
    expect(matchesIfNoneMatch(null, 7)).toBe(false);
  });
});

describe("Idempotency-Key", () => {
  it("takes 1 to 255 visible ASCII characters as they are", () => {
    for (const key of ["a", "~", '"8e03978e-40d5"', "k".repeat(255)])
      expect(parseIdempotencyKey(key)).toBe(key);
    expect(parseIdempotencyKey(null)).toBe(null);
  });

  it.each(["", " ", "a b", "k".repeat(256), "ключ", "a\tb"])("refuses %j and names the header", (key) => {
    expect(parseIdempotencyKey(key)).toMatchObject({ problem: "invalid_request", field: "Idempotency-Key" });
  });
});

describe("the fingerprint of a request", () => {
  it("differs with method, path and body, and with nothing else", async () => {
    const first = await fingerprintRequest("POST", "/admin/a", bytes("{}"));
    expect(await fingerprintRequest("POST", "/admin/a", bytes("{}"))).toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    const others = await Promise.all([
      fingerprintRequest("PUT", "/admin/a", bytes("{}")),
      fingerprintRequest("POST", "/admin/b", bytes("{}")),
      fingerprintRequest("POST", "/admin/a", bytes("{ }")),
    ]);
    expect(new Set([first, ...others]).size).toBe(4);
  });
});
