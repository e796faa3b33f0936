// Coding agents, whose own system text has rules: Claude Code's first block is an attribution that Anthropic takes off by
// its place, and whatever stands before it, or in one block with it, goes to the model instead (its gateway protocol).
// They say which session they are in, too. How each is recognized, and nothing about what is done then.

import type { Scan } from "../wire/wire.ts";
import type { Reader } from "./naming.ts";

export type Agent = "claude-code" | "codex";

/** Codex calls itself codex_cli_rs, codex-tui, codex_vscode, "Codex Desktop", …, and puts its version behind a slash. */
const CODEX = /^codex[_\- ]/i;
const SESSION_HEADERS: { [agent in Agent]: string[] } = {
  "claude-code": ["x-claude-code-session-id"],
  codex: ["session_id", "session-id", "conversation_id", "thread-id"],
};

/** null: another client. */
export function recognizeAgent(headers: Reader, scan: Scan): Agent | null {
  const client = headers.get("user-agent") ?? "";
  const isClaude = client.startsWith("claude-cli/") || headers.get("x-app") === "cli";
  if (isClaude || scan.isAttributed === true) return "claude-code";
  return CODEX.test(headers.get("originator") ?? client) || CODEX.test(client) ? "codex" : null;
}

/** The agent's session, which keeps its version; null: it names none. */
export function sessionOf(agent: Agent, headers: Reader, scan: Scan): string | null {
  for (const name of SESSION_HEADERS[agent]) {
    const session = headers.get(name);
    if (session) return session;
  }
  // Codex caches by session, and names no user.
  return scan.conversationKey ?? (agent === "codex" ? scan.userKey : null);
}
