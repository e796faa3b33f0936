// keys list, create, revoke: what applications put in the place of a provider's API key; and providers, which says what
// they can be used with.

import { isRefusal } from "../client.ts";
import {
  done,
  isSet,
  listOf,
  misused,
  refused,
  required,
  textOf,
  type CommandSpec,
  type Context,
  type Invocation,
  type Outcome,
} from "../command.ts";
import { formatKeys, formatMintedKey, formatProviders } from "../show/keys.ts";
import { paint, plain } from "../show/look.ts";
import { readExpiry } from "./tokens.ts";

export const keysListCommand: CommandSpec = {
  name: "keys list",
  summary: "list the proxy keys",
  arguments: [],
  options: [],
  details: "Names, scopes, dates and when each was last used; never the keys themselves.",
  examples: ["switchback keys list"],
  run: runKeysList,
};

async function runKeysList(_: Invocation, context: Context): Promise<Outcome> {
  const reply = await context.client.call("listKeys");
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatKeys(context.look, reply.body.keys, context.nowMs));
}

export const keysCreateCommand: CommandSpec = {
  name: "keys create",
  summary: "mint a proxy key; it is shown once",
  arguments: [{ name: "NAME", kind: "text" }],
  options: [
    { name: "prompt", kind: "list", value: "PROMPT", help: "only for this prompt (repeatable)" },
    { name: "provider", kind: "list", value: "PROVIDER", help: "only with this provider (repeatable)" },
    { name: "feedback", kind: "flag", help: "for POST /feedback and nothing else: may stand in a web page" },
    {
      name: "pass-through",
      kind: "flag",
      help: "with --prompt: also for requests that no prompt is put into",
    },
    { name: "limit", kind: "text", value: "N", help: "requests per minute; one of the deployment's limits" },
    { name: "expires", kind: "text", value: "DATE", help: "ISO 8601, or 12h, 30d from now; default: never" },
  ],
  details:
    "An application uses it as its SDK's API key; the Worker puts the provider's own secret in its place. With --environment: only for that environment.",
  examples: [
    "switchback keys create checkout --prompt support-bot --provider openai --limit 600",
    "switchback keys create nightly --environment staging --expires 30d",
    "switchback keys create thumbs --feedback --prompt support-bot --limit 60",
  ],
  run: runKeysCreate,
};

async function runKeysCreate(invocation: Invocation, context: Context): Promise<Outcome> {
  const name = required(textOf(invocation, "NAME"));
  const expires = textOf(invocation, "expires");
  const expiresAt = expires === undefined ? null : readExpiry(expires, context.nowMs);
  if (expires !== undefined && expiresAt === null) {
    return misused(`--expires must be a date in the future or a span such as 30d (got "${expires}").`);
  }
  const limit = textOf(invocation, "limit");
  if (limit !== undefined && !/^[1-9]\d{0,8}$/.test(limit)) {
    return misused(`--limit must be a number of requests per minute (got "${limit}").`);
  }
  const body = {
    name,
    ...(isSet(invocation, "feedback") && { use: "feedback" }),
    prompts: listOf(invocation, "prompt"),
    environments: context.environmentGiven ? [context.environment] : [],
    providers: listOf(invocation, "provider"),
    passThrough: isSet(invocation, "pass-through") ? true : null,
    requestsPerMinute: limit === undefined ? null : Number(limit),
    expiresAt,
  };
  const reply = await context.client.call("mintKey", { body });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatMintedKey(context.look, reply.body));
}

export const keysRevokeCommand: CommandSpec = {
  name: "keys revoke",
  summary: "stop a proxy key, everywhere within the lease",
  arguments: [{ name: "ID", kind: "text" }],
  options: [],
  details: "ID as in `switchback keys list`. Repeating it changes nothing.",
  examples: ["switchback keys revoke key_1"],
  run: runKeysRevoke,
};

async function runKeysRevoke(invocation: Invocation, context: Context): Promise<Outcome> {
  const id = required(textOf(invocation, "ID"));
  const reply = await context.client.call("revokeKey", { params: { id } });
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => [
    `${paint(context.look, "bold", plain(reply.body.name))}  ${reply.body.id}  key revoked`,
  ]);
}

export const providersCommand: CommandSpec = {
  name: "providers",
  summary: "the providers, what works with each, and what is wrong",
  arguments: [],
  options: [],
  details: "Whether the Worker holds a secret for each, never the secret.",
  examples: ["switchback providers"],
  run: runProviders,
};

async function runProviders(_: Invocation, context: Context): Promise<Outcome> {
  const reply = await context.client.call("listProviders");
  if (isRefusal(reply)) return refused(reply);
  return done(reply.text, () => formatProviders(context.look, reply.body.providers));
}
