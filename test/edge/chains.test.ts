// Which answers an isolate notes for the next turn of their chain, which it tells Control of, and what it asks.

import { beforeEach, describe, expect, it } from "vitest";
import { fingerprint64 } from "../../src/core/hash.ts";
import type { Assignment, Release } from "../../src/core/types.ts";
import {
  createChains,
  linkOf,
  noteOf,
  noteResponse,
  rememberChain,
  type Chains,
} from "../../src/edge/chains.ts";
import { createConversations } from "../../src/edge/conversations.ts";
import { unitKeyOf } from "../../src/edge/naming.ts";
import { matchEndpoint } from "../../src/wire/formats.ts";
import { command, lifeWith, type Life } from "../core/decide-support.ts";
import { scanText } from "../wire/injecting.ts";

const RESPONSES = matchEndpoint("openai", "/v1/responses")!;
const ROOT = { key: "first-message:x", revision: 3 };

let chains: Chains;
let life: Life;

beforeEach(() => {
  chains = createChains();
  life = lifeWith(2);
  life.do(command.canary(2, 50, { transition: "now" }));
});

type Question = { body?: object; header?: string; version?: number; more?: object; release?: Release };

function ask({ body = {}, header, version = 2, more = {}, release = life.release() }: Question = {}) {
  const scan = scanText("openai-responses", JSON.stringify({ input: "hi", ...body }));
  const unit = unitKeyOf(
    release.unit,
    { get: (name) => (name === "prompt-key" ? header : undefined) },
    scan,
    { requestId: "request-1", agent: null },
  );
  const link = linkOf(chains, unit, scan, release, life.nowMs);
  const { revision } = release;
  const assignment: Assignment = { version, arm: "canary", reason: "split", revision, bucket: 1, ...more };
  const conversations = createConversations();
  const question = { endpoint: RESPONSES, pin: null, ...more };
  const note = noteOf({ ...question, scan, unit, link, release, assignment, conversations }, life.nowMs);
  return { unit, link, note };
}

const LATER = { previous_response_id: "resp_1" };

describe("a first turn", () => {
  it("is noted and told where a stranger would get another version", () => {
    const { unit, link, note } = ask();
    expect(link).toBeNull();
    expect(note).toEqual({ root: { key: unit.key, revision: life.release().revision }, isTold: true });
    expect(unit.key).toMatch(/^first-message:[0-9a-f]{16}$/);
    expect(ask({ version: 1 }).note).toBeNull();
  });

  it("is not noted where no later turn can need it", () => {
    expect(ask({ body: { store: false } }).note).toBeNull();
    expect(ask({ more: { pin: 2 } }).note).toBeNull();
    expect(ask({ more: { reason: "no_lease" } }).note).toBeNull();
    expect(ask({ header: "caller-1" }).note).toBeNull();
    expect(ask({ body: { conversation: "conv_1" } }).note).toBeNull();
    expect(ask({ body: { user: "u" } }).note).toBeNull();
    expect(ask({ more: { endpoint: matchEndpoint("openai", "/v1/chat/completions") } }).note).toBeNull();
    expect(
      ask({ more: { endpoint: matchEndpoint("openai", "/v1/responses/input_tokens") } }).note,
    ).toBeNull();
    life.do(command.rollback());
    expect(ask({ version: 1 }).note).toBeNull();
  });

  it("with a history is as old as that is, as far as anybody knows", () => {
    const input = [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
      { role: "user", content: "c" },
    ];
    expect(ask({ body: { input } }).note?.root).toMatchObject({ revision: 0 });
  });

  it("with a key of its own is noted while tables disagree about that, without the key", () => {
    life.do(command.promote(2));
    const { note } = ask({ body: { user: "somebody" } });
    const users = Array.from({ length: 50 }, (_, index) => ask({ body: { user: `u${index}` } }).note);
    expect(users.filter((one) => one !== null).length).toBeGreaterThan(10);
    for (const one of [note, ...users]) if (one !== null) expect(one.root?.key).toBeNull();
  });
});

describe("a later turn", () => {
  it("asks while its chain is not known here, and only while versions are contested", () => {
    expect(ask({ body: LATER }).link).toMatchObject({ kind: "keyless", root: undefined });
    expect(ask({ body: { ...LATER, conversation: "c" } }).link).toBeNull();
    expect(ask({ body: LATER, header: "caller-1" }).link).toBeNull();
    life.do(command.rollback());
    expect(ask({ body: LATER }).link).toBeNull();
  });

  it("goes by what is known, and hands it on", () => {
    rememberChain(chains, fingerprint64("resp_1"), ROOT);
    const { link, note } = ask({ body: LATER });
    expect(link?.root).toEqual(ROOT);
    expect(note).toEqual({ root: ROOT, isTold: true });
    expect(ask({ body: LATER, more: { reason: "no_lease" }, version: 1 }).note).toEqual({
      root: ROOT,
      isTold: true,
    });
  });

  it("of a stranger's chain is noted here alone, so that its next one does not ask again", () => {
    rememberChain(chains, fingerprint64("resp_1"), null);
    const { link, note } = ask({ body: LATER, version: 1 });
    expect(link?.root).toBeNull();
    expect(note).toEqual({ root: null, isTold: false });
    expect(noteResponse(chains, note!, "resp_2")).toBe(false);
    expect(chains.unreported).toEqual([]);
    expect(ask({ body: { previous_response_id: "resp_2" } }).link?.root).toBeNull();
  });

  it("without the key that its chain began with is a stranger's", () => {
    rememberChain(chains, fingerprint64("resp_1"), { key: null, revision: 3 });
    expect(ask({ body: LATER }).link).toMatchObject({ kind: "keyless", root: null });
  });
});

describe("what is kept", () => {
  it("are fingerprints, bounded, the oldest going first", () => {
    for (let index = 0; index < 6_000; index += 1)
      noteResponse(chains, { root: ROOT, isTold: true }, `resp_${index}`);
    expect(chains.known.size).toBe(5_000);
    expect(chains.unreported).toHaveLength(1_000);
    expect(JSON.stringify([...chains.known.keys(), ...chains.unreported])).not.toContain("resp_");
  });
});
