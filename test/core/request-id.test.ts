// The id that feedback is given by. Guarantees: it says what was said into it, fits a header, contains the random id, and
// reads in one way only, so that a seal over its claim covers all that is read from it.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isSameSeal,
  readSignedId,
  SEAL_BYTES,
  writeClaim,
  writeSeal,
  type ServedTurn,
} from "../../src/core/request-id.ts";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const number = fc.integer({ min: 1, max: 999_999_999 });
const turn: fc.Arbitrary<ServedTurn> = fc.record({
  prompt: name,
  environment: name,
  revision: number,
  version: number,
  arm: fc.constantFrom("baseline", "canary", "pinned"),
  reason: fc.constantFrom("static", "split", "pinned", "drain", "no_lease", "fallback"),
  turn: fc.constantFrom("first", "later"),
  servedAtMs: fc.integer({ min: 1_700_000_000, max: 4_000_000_000 }).map((seconds) => seconds * 1_000),
  id: fc.uuid(),
});
const mac = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("a signed id", () => {
  it("says what was said into it", () => {
    fc.assert(
      fc.property(turn, mac, (said, bytes) => {
        const [claim, seal] = [writeClaim(said), writeSeal(bytes)];
        expect(readSignedId(`${claim}.${seal}`)).toEqual({ turn: said, claim, seal });
      }),
      { numRuns: 2_000 },
    );
  });

  it("is visible ASCII without a blank, of at most 255 characters, with the random id in it", () => {
    fc.assert(
      fc.property(turn, mac, (said, bytes) => {
        const text = `${writeClaim(said)}.${writeSeal(bytes)}`;
        expect(text).toMatch(/^[\x21-\x7e]{1,255}$/);
        expect(text).toContain(said.id);
      }),
    );
  });

  it("is spelled in one way: no other text reads as the same claim and seal", () => {
    fc.assert(
      fc.property(
        turn,
        mac,
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (said, bytes, at, other) => {
          const text = `${writeClaim(said)}.${writeSeal(bytes)}`;
          const place = at % text.length;
          const changed = text.slice(0, place) + other + text.slice(place + 1);
          const read = readSignedId(changed);
          if (changed === text || read === null || read === "plain") return;
          expect(`${read.claim}.${read.seal}`).toBe(changed);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is told apart from a plain one and from anything else", () => {
    expect(readSignedId("3f2504e0-4f89-41d3-9a0c-0305e82c3301")).toBe("plain");
    for (const text of ["", "x", "a.b.1v1bsf.tp4yis.nothing.AAAAAAAAAAAAAAAA", "3f2504e0-4f89"]) {
      expect(readSignedId(text)).toBeNull();
    }
  });
});

describe("a seal", () => {
  it("is the first 96 bits in base64url, as Node writes them", () => {
    fc.assert(
      fc.property(mac, (bytes) => {
        expect(writeSeal(bytes)).toBe(Buffer.from(bytes.subarray(0, SEAL_BYTES)).toString("base64url"));
      }),
    );
  });

  it("is the same as itself and as nothing else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        expect(isSameSeal(one, one)).toBe(true);
        expect(isSameSeal(one, other)).toBe(one === other);
      }),
    );
  });
});
