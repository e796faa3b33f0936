// tokens list, create, revoke: who may use the control plane.

import { isRefusal } from "../client.ts";
import {
  done,
  misused,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { paint, plain } from "../show/look.ts";
import { formatMinted, formatTokens } from "../show/tokens.ts";

export const tokensListCommand: CommandSpec = {
  name: "tokens list",
  summary: "list the tokens of the control plane",
  arguments: [],
  options: [],
  details: "Names, roles and dates; never the tokens themselves.",
  examples: ["switchback tokens list"],
  run: runTokensList,
};

async function runTokensList(_: Invocation, context: Context): Promise<Outcome> {
  const reply = await context.client.call("listTokens");
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatTokens(context.look, reply.body.tokens, context.nowMs));
}

export const tokensCreateCommand: CommandSpec = {
  name: "tokens create",
  summary: "mint a token; it is shown once",
  arguments: [{ name: "NAME", kind: "text" }],
  options: [
    {
      name: "role",
      kind: "text",
      value: "viewer|releaser|admin",
      choices: ["viewer", "releaser", "admin"],
      help: "what it may do; default: viewer",
    },
    { name: "expires", kind: "text", value: "DATE", help: "ISO 8601, or 12h, 30d from now; default: never" },
  ],
  examples: ["switchback tokens create ci --role releaser --expires 90d"],
  run: runTokensCreate,
};

async function runTokensCreate(invocation: Invocation, context: Context): Promise<Outcome> {
  const name = required(textOf(invocation, "NAME"));
  const role = textOf(invocation, "role") ?? "viewer";
  const expires = textOf(invocation, "expires");
  const expiresAt = expires === undefined ? null : readExpiry(expires, context.nowMs);
  if (expires !== undefined && expiresAt === null) {
    return misused(`--expires must be a date in the future or a span such as 30d (got "${expires}").`);
  }
  const reply = await context.client.call("mintToken", { body: { name, role, expiresAt } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatMinted(context.look, reply.body));
}

const SPAN_MS: { [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "30d", "12h", "15m" from now, or a date; null when it is neither or not in the future. */
export function readExpiry(text: string, nowMs: number): string | null {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const isDate = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text);
  const atMs =
    amount !== undefined && unit !== undefined
      ? nowMs + Number(amount) * SPAN_MS[unit]!
      : isDate
        ? Date.parse(text)
        : Number.NaN;
  return atMs > nowMs ? new Date(atMs).toISOString() : null;
}

export const tokensRevokeCommand: CommandSpec = {
  name: "tokens revoke",
  summary: "stop a token, with the next request",
  arguments: [{ name: "ID", kind: "text" }],
  options: [],
  details: "ID as in `switchback tokens list`. Repeating it changes nothing.",
  examples: ["switchback tokens revoke tok_1"],
  run: runTokensRevoke,
};

async function runTokensRevoke(invocation: Invocation, context: Context): Promise<Outcome> {
  const id = required(textOf(invocation, "ID"));
  const reply = await context.client.call("revokeToken", { params: { id } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => [
    `${paint(context.look, "bold", plain(reply.body.name))}  ${reply.body.id}  token revoked`,
  ]);
}
