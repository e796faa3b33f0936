// The key of request ids. Guarantees: it is made once and stays, each prompt has its own, and an id in which a single
// character is another one is no longer sealed.

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { feedbackKeyOf, isSealed } from "../../src/control/feedback-key.ts";
import { openStore, type ControlStore } from "../../src/control/store.ts";
import { readSignedId, writeClaim } from "../../src/core/request-id.ts";
import { importSealer, sealAccount } from "../../src/edge/seal.ts";
import { START_MS } from "./support/commands.ts";
import { createPrompt } from "./support/prompts.ts";
import { createTestSql } from "./support/sqlite.ts";

let store: ControlStore;

beforeEach(() => {
  store = openStore(createTestSql());
  createPrompt(store);
});

const TURN = {
  prompt: "support-bot",
  environment: "production",
  revision: 7,
  version: 2,
  arm: "canary",
  reason: "split",
  turn: "first",
  servedAtMs: START_MS,
  id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
} as const;

/** As anybody would who has the key. */
function sign(key: string, claim: string): string {
  const mac = createHmac("sha256", Buffer.from(key, "base64url")).update(claim).digest();
  return `${claim}.${mac.subarray(0, 12).toString("base64url")}`;
}

async function isGood(id: string): Promise<boolean> {
  const read = readSignedId(id);
  return read !== null && read !== "plain" && (await isSealed(store, read));
}

describe("the key", () => {
  it("is 256 random bits, the same for ever, and another one for another prompt", () => {
    const key = feedbackKeyOf(store);
    expect(Buffer.from(key, "base64url")).toHaveLength(32);
    expect(feedbackKeyOf(store)).toBe(key);
    expect(feedbackKeyOf(openStore(store.sql))).toBe(key);
    const another = openStore(createTestSql());
    createPrompt(another);
    expect(feedbackKeyOf(another)).not.toBe(key);
  });
});

describe("a sealed id", () => {
  it("is what the edge makes of a turn, by a plain HMAC-SHA256", async () => {
    const key = feedbackKeyOf(store);
    const sealer = await importSealer(key);
    const { prompt, environment, turn, id: requestId, servedAtMs, ...served } = TURN;
    const account = {
      requestId,
      signedId: null as string | null,
      sealedAs: { sealer: sealer!, environment, turn },
      startedAtMs: servedAtMs + 999,
      prompt,
      assignment: { ...served, bucket: null },
      assignedVersion: null,
      skipped: null,
    };
    await sealAccount(account);
    expect(account.signedId).toBe(sign(key, writeClaim(TURN)));
    expect(await isGood(account.signedId!)).toBe(true);
  });

  it("is refused when any character is another, or one is missing", async () => {
    const id = sign(feedbackKeyOf(store), writeClaim(TURN));
    expect(await isGood(id)).toBe(true);
    for (let at = 0; at < id.length; at += 1) {
      for (const other of ["", "a", "A", "0", "b", ".", "-", "1", "Z", "~"]) {
        const changed = id.slice(0, at) + other + id.slice(at + 1);
        if (changed !== id) expect(await isGood(changed), changed).toBe(false);
      }
    }
  });

  it("is refused with any other key, or none", async () => {
    const claim = writeClaim(TURN);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 32 }), async (bytes) => {
        expect(await isGood(sign(Buffer.from(bytes).toString("base64url"), claim))).toBe(false);
      }),
    );
  });
});

it("is no reason to fail a request where Control says what is no key", async () => {
  for (const text of ["", "!", "é"]) expect(await importSealer(text)).toBeNull();
});
