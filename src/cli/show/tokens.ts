// Tokens: who may change releases, until when. Never the tokens themselves, but for the one just minted.

import type { Token } from "../../core/ports.ts";
import { paint, plain, type Look } from "./look.ts";
import { formatTable, type Cell, type Row } from "./table.ts";
import { formatAge, formatMoment } from "./time.ts";

export function formatTokens(look: Look, tokens: Token[], nowMs: number): string[] {
  if (tokens.length === 0) return ["No token has been minted yet; ADMIN_TOKEN is the only one."];
  const rows = tokens.map((token): Row => [
    { text: token.id, style: "bold" },
    plain(token.name),
    token.role,
    { text: formatAge(token.createdAt, nowMs), style: "dim" },
    plain(token.createdBy),
    describeState(token, nowMs),
  ]);
  return formatTable(look, rows, { header: ["ID", "NAME", "ROLE", "MINTED", "BY", "STATE"], flexible: 1 });
}

export function formatMinted(look: Look, token: Token & { token: string }): string[] {
  return [
    `${paint(look, "bold", plain(token.name))}  ${token.role}  ${token.id}`,
    paint(look, "yellow", "The token, shown this once:"),
    plain(token.token),
  ];
}

export function describeState(token: Pick<Token, "revokedAt" | "expiresAt">, nowMs: number): Cell {
  if (token.revokedAt !== null) return { text: `revoked ${formatAge(token.revokedAt, nowMs)}`, style: "red" };
  if (token.expiresAt === null) return { text: "never expires" };
  const expired = Date.parse(token.expiresAt) <= nowMs;
  return expired ? { text: "expired", style: "red" } : { text: `until ${formatMoment(token.expiresAt)}` };
}
