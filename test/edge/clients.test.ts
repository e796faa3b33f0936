// Coding agents are recognized by what they really send, and nobody else is taken for one.

import { describe, expect, it } from "vitest";
import { recognizeAgent, sessionOf } from "../../src/edge/clients.ts";
import { unitKeyOf } from "../../src/edge/naming.ts";
import { isProblem } from "../../src/core/problem.ts";
import { encodeUtf8 } from "../../src/core/text.ts";
import { FORMATS } from "../../src/wire/formats.ts";
import type { FormatId, Scan } from "../../src/wire/wire.ts";

function scan(body: object, format: FormatId = "anthropic-messages"): Scan {
  const found = FORMATS[format].scan(encodeUtf8(JSON.stringify(body)));
  if (isProblem(found)) throw new Error(found.message);
  return found;
}

const reader = (headers: Record<string, string>) => new Map(Object.entries(headers));
const messages = [{ role: "user", content: "hello" }];
const PLAIN = scan({ messages });
const ATTRIBUTION = {
  type: "text",
  text: "x-anthropic-billing-header: cc_version=2.1.250; cc_entrypoint=cli;",
};

describe("a coding agent", () => {
  it.each([
    ["claude-code", { "user-agent": "claude-cli/2.1.250 (external, cli)" }],
    ["claude-code", { "x-app": "cli", "user-agent": "anything" }],
    ["codex", { originator: "codex_cli_rs" }],
    ["codex", { originator: "codex-tui", "user-agent": "codex-tui/0.99 (Linux)" }],
    ["codex", { originator: "codex_vscode" }],
    ["codex", { originator: "Codex Desktop" }],
    ["codex", { "user-agent": "codex_exec/0.98.0 (Ubuntu 24.4.0; x86_64) unknown" }],
    [null, {}],
    [null, { "user-agent": "OpenAI/JS 7.57.0" }],
    [null, { "user-agent": "Anthropic/JS 1.12.0", "x-app": "server" }],
    [null, { "user-agent": "my-claude-cli/1.0", originator: "mycodex" }],
    [null, { "user-agent": "codexample/1.0" }],
  ])("is %s by %o", (agent, headers) => {
    expect(recognizeAgent(reader(headers as Record<string, string>), PLAIN)).toBe(agent);
  });

  it("is Claude Code by its attribution block, which has to be the first one and begin so", () => {
    const none = reader({});
    const other = { type: "text", text: "You are helpful." };
    for (const [system, agent] of [
      [[ATTRIBUTION, other], "claude-code"],
      [[{ cache_control: { type: "ephemeral" }, ...ATTRIBUTION }], "claude-code"],
      [[other, ATTRIBUTION], null],
      [[{ type: "text", text: `Note: ${ATTRIBUTION.text}` }], null],
      [ATTRIBUTION.text, null],
      [[], null],
      [[null, 7], null],
    ] as const) {
      expect(recognizeAgent(none, scan({ system, messages }))).toBe(agent);
    }
  });
});

describe("an agent's session", () => {
  it("is what it says in its headers, else in its body", () => {
    const packed = { user_id: "user_1_account_2_session_3f" };
    const inBody = scan({ metadata: packed, messages });
    expect(sessionOf("claude-code", reader({ "x-claude-code-session-id": "s" }), inBody)).toBe("s");
    expect(sessionOf("claude-code", reader({ "x-claude-code-session-id": "" }), inBody)).toBe("3f");
    const cached = scan({ input: "hi", prompt_cache_key: "c" }, "openai-responses");
    expect(sessionOf("codex", reader({ conversation_id: "d", session_id: "s" }), cached)).toBe("s");
    expect(sessionOf("codex", reader({ conversation_id: "d" }), cached)).toBe("d");
    expect(sessionOf("codex", reader({}), cached)).toBe("c");
    expect(sessionOf("claude-code", reader({}), PLAIN)).toBeNull();
  });

  it("keeps one arm for all that is said in it, and tells its conversations apart for drains", () => {
    const headers = reader({ "x-claude-code-session-id": "s" });
    const who = { requestId: "r", agent: "claude-code" } as const;
    const turn = unitKeyOf("conversation", headers, PLAIN, who);
    const later = [...messages, { role: "assistant", content: "hi" }, { role: "user", content: "more" }];
    expect(unitKeyOf("conversation", headers, scan({ messages: later }), who)).toEqual(turn);
    const title = scan({ messages: [{ role: "user", content: "Name this session" }] });
    const subagent = unitKeyOf("conversation", headers, title, who);
    expect(subagent.key).toBe(turn.key);
    expect(subagent.conversation).not.toBe(turn.conversation);
    expect(unitKeyOf("conversation", reader({ "prompt-key": "k" }), PLAIN, who).key).toBe("k");
  });

  it("is nobody's whose client is no agent: such a header may be anything", () => {
    const keys = [{ session_id: "s" }, {}].map(
      (headers) => unitKeyOf("conversation", reader(headers), PLAIN, { requestId: "r", agent: null }).key,
    );
    expect(keys[0]).toBe(keys[1]);
  });
});

function key(headers: Record<string, string>, body: Scan = PLAIN, requestId = "r1"): string {
  return unitKeyOf("request", reader(headers), body, { requestId, agent: null }).key;
}

/** The key of one attempt as an SDK counts them. */
function attempt(count: string, length = "99", body = PLAIN): string {
  return key({ "x-stainless-retry-count": count, "content-length": length }, body, `r${count}`);
}

describe("the key of a single request", () => {
  it("is the client's own before the SDK's", () => {
    const all = { "prompt-key": "a", "idempotency-key": "b", "amz-sdk-invocation-id": "c" };
    expect(key(all)).toBe("a");
    expect(key({ ...all, "prompt-key": "" })).toBe("b");
    expect(key({ "amz-sdk-invocation-id": "c" })).toBe("c");
  });

  it("is shared by the attempts that an SDK counts, and by nothing else that they would not share", () => {
    expect(attempt("1")).toBe(attempt("0"));
    expect(attempt("2")).toBe(attempt("0"));
    expect(attempt("0", "98")).not.toBe(attempt("0"));
    const other = scan({ messages: [{ role: "user", content: "bye" }] });
    expect(attempt("0", "99", other)).not.toBe(attempt("0"));
  });

  it("is the request's own where nobody counts", () => {
    expect([key({}, PLAIN, "r1"), key({}, PLAIN, "r2")]).toEqual(["r1", "r2"]);
  });
});
