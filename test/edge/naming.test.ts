// What a request is keyed on (contract §2.2), field by field, in each wire format and for each unit: the first field that
// says something wins, in the order of the contract, and a request that says nothing is keyed on its first user message.

import { describe, expect, it } from "vitest";
import { fingerprint64 } from "../../src/core/hash.ts";
import type { Unit } from "../../src/core/types.ts";
import { unitKeyOf, type UnitKey } from "../../src/edge/naming.ts";
import type { FormatId } from "../../src/wire/wire.ts";
import { seededRandom } from "../wire/random.ts";
import { scanText } from "../wire/injecting.ts";

type Place = { path: string };

const at = (...paths: string[]): Place[] => paths.map((path) => ({ path }));
const SESSIONS = at("metadata.session_id", "metadata.conversation_id", "session_id", "conversation_id");
const USERS = at("user", "safety_identifier", "prompt_cache_key", "metadata.user_id");

/** Where each format says which conversation it is, and whose; the first one first. */
const PLACES: { format: FormatId; conversation: Place[]; user: Place[]; body(text: string): object }[] = [
  { format: "openai-chat", conversation: SESSIONS, user: USERS, body: messages },
  { format: "anthropic-messages", conversation: SESSIONS, user: USERS, body: messages },
  {
    format: "openai-responses",
    conversation: [...at("conversation"), ...SESSIONS],
    user: USERS,
    body: (input) => ({ input }),
  },
  {
    format: "gemini",
    conversation: [...SESSIONS, ...at("labels.session_id", "labels.conversation_id")],
    user: [...USERS, ...at("labels.user_id", "labels.user")],
    body: (text) => ({ contents: [{ role: "user", parts: [{ text }] }] }),
  },
  {
    format: "bedrock-converse",
    conversation: [...at("requestMetadata.session_id", "requestMetadata.conversation_id"), ...SESSIONS],
    user: [...at("requestMetadata.user_id", "requestMetadata.user"), ...USERS],
    body: (text) => ({ messages: [{ role: "user", content: [{ text }] }] }),
  },
];

function messages(content: string): object {
  return { messages: [{ role: "user", content }] };
}

function put(body: object, places: Place[], kind: string): object {
  const out = structuredClone(body) as { [member: string]: unknown };
  for (const { path } of places) {
    const [member = "", inner] = path.split(".");
    const value = `${kind} ${path}`;
    if (inner === undefined) out[member] = value;
    else out[member] = { ...(out[member] as object | undefined), [inner]: value };
  }
  return out;
}

function first(places: Place[], kind: string): string | null {
  return places[0] === undefined ? null : `${kind} ${places[0].path}`;
}

type Asked = { unit: Unit; body: object; header?: string; requestId?: string };

function keyOf(format: FormatId, { unit, body, header, requestId = "request-1" }: Asked): UnitKey {
  const headers = { get: (name: string) => (name === "prompt-key" ? header : undefined) };
  return unitKeyOf(unit, headers, scanText(format, JSON.stringify(body)), { requestId, agent: null });
}

describe.each(PLACES)("the key of a request in $format", ({ format, conversation, user, body }) => {
  it("is the first field of its unit that says something, whatever else is there", () => {
    const random = seededRandom(7);
    for (let run = 0; run < 500; run += 1) {
      const conversations = conversation.filter(() => random.chance(0.3));
      const users = user.filter(() => random.chance(0.3));
      const whole = put(put(body("hello"), conversations, "c"), users, "u");
      const message = `first-message:${fingerprint64("hello")}`;
      const of = (unit: Unit, header?: string) =>
        keyOf(format, { unit, body: whole, ...(header !== undefined && { header }) }).key;
      const c = first(conversations, "c");
      const u = first(users, "u");
      expect(of("conversation"), JSON.stringify(whole)).toBe(c ?? u ?? message);
      expect(of("user"), JSON.stringify(whole)).toBe(u ?? c ?? message);
      expect(of("request")).toBe("request-1");
      for (const unit of ["conversation", "user", "request"] as const) {
        expect(of(unit, "mine")).toBe("mine");
        expect(of(unit, "")).toBe(of(unit));
      }
    }
  });

  it("belongs to a conversation that later turns find again, and others do not", () => {
    for (const unit of ["conversation", "user"] as const) {
      for (const place of conversation) {
        const named = (text: string) =>
          keyOf(format, { unit, body: put(body(text), [place], "c") }).conversation;
        expect(named("hello"), place.path).toBe(named("and then?"));
        expect(named("hello")).not.toBe(keyOf(format, { unit, body: body("hello") }).conversation);
      }
      for (const place of user) {
        const named = (text: string) => keyOf(format, { unit, body: put(body(text), [place], "u") });
        expect(named("hello").key).toBe(named("bye").key);
        expect(named("hello").conversation).toBe(named("hello").conversation);
        expect(named("hello").conversation).not.toBe(named("bye").conversation);
      }
    }
  });

  it("holds no word of a message, and no conversation's id in what is kept", () => {
    const { key } = keyOf(format, { unit: "conversation", body: body("a secret") });
    expect(key).not.toContain("secret");
    for (const place of [...conversation, ...user]) {
      const found = keyOf(format, { unit: "conversation", body: put(body("x"), [place], "id") });
      expect(found.conversation).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it("is the request's own where nothing is said at all", () => {
    const { key, conversation: none } = keyOf(format, { unit: "conversation", body: {}, requestId: "r2" });
    expect({ key, none }).toEqual({ key: "r2", none: null });
  });
});

function chainOf(unit: Unit, more: object, header?: string): UnitKey["chain"] {
  const asked = { unit, body: { input: "x", ...more }, ...(header !== undefined && { header }) };
  return keyOf("openai-responses", asked).chain;
}

describe("a chain", () => {
  it("is one only where a turn does not say which conversation it belongs to", () => {
    expect(chainOf("conversation", {})).toBe("keyless");
    expect(chainOf("conversation", { user: "u" })).toBe("keyed");
    expect(chainOf("conversation", {}, "mine")).toBeNull();
    expect(chainOf("conversation", { conversation: "c" })).toBeNull();
    expect(chainOf("user", {})).toBe("keyless");
    expect(chainOf("user", {}, "mine")).toBe("keyed");
    expect(chainOf("user", { user: "u", conversation: "c" })).toBeNull();
    expect(chainOf("request", {})).toBeNull();
  });
});
