// The swap: a key of ours is taken out wherever the SDK put it, and the provider's own secret goes where that provider
// looks for it. Guarantees: neither a key nor a token of ours goes up, nor ADMIN_TOKEN in the place of the API key, and no secret
// of the Worker is used without a valid key of ours.

import { problem, type Problem } from "../core/problem.ts";
import { awsRegionOf, makerOf, secretVar } from "../core/providers.ts";
import type { AiBinding, Env } from "../env.ts";
import { isBindingPath } from "./ai-binding.ts";
import { decodePercents, isSignature } from "./foreign.ts";
import type { HeaderValues } from "./headers.ts";

/** What a request is authorized with upstream, instead of the key that it came with. */
export type Secret =
  | { kind: "header"; name: string; value: string }
  | ({ kind: "aws" } & AwsCredentials)
  | { kind: "binding"; ai: AiBinding };

export type AwsCredentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string | null;
  region: string;
};

const KEY_HEADERS = ["x-api-key", "x-goog-api-key", "api-key"] as const;

/** Credentials of any provider, the signature headers of an AWS SDK, and Cloudflare's pair. */
const CREDENTIAL_HEADERS = [
  ...KEY_HEADERS,
  "authorization",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-security-token",
  "x-auth-key",
  "x-auth-email",
];

/** How browsers hand a key to OpenAI's WebSockets, which take no headers from them. */
const SUBPROTOCOL = "openai-insecure-api-key.";
/** A token of the control plane (`sbt_…`) too: it opens nothing here, and is refused instead of going up. */
const OURS = /^sbt?_/;
const KEY_IN_QUERY = /^(?:api-)?key=(.*)$/;

/** A key or token of ours in whatever credential header, query parameter or subprotocol the SDK uses, or null. With
 * `adminToken` that one too, by mistake in the place of a key: it has no form of its own. */
export function findProxyKey(headers: HeaderValues, search: string, adminToken?: string): string | null {
  const isOurs = (text: string) => OURS.test(text) || isAdminToken(text, adminToken);
  return findInHeaders(headers, isOurs) ?? (search.includes("key=") ? findInQuery(search, isOurs) : null);
}

/** In constant time, but for the length: a digest of every request's key would cost more than routing does. */
export function isAdminToken(text: string, adminToken: string | undefined): boolean {
  if (!adminToken || text.length !== adminToken.length) return false;
  let difference = 0;
  for (let at = 0; at < text.length; at += 1) difference |= text.charCodeAt(at) ^ adminToken.charCodeAt(at);
  return difference === 0;
}

type IsOurs = (text: string) => boolean;

function findInHeaders(headers: HeaderValues, isOurs: IsOurs): string | null {
  const authorization = headers.get("authorization");
  if (authorization !== undefined) {
    // The key stands in the place of the access key id, which an AWS SDK sends; the secret it never does.
    const key = isSignature(authorization)
      ? /\bCredential=([^/,\s]*)/.exec(authorization)?.[1]
      : authorization.replace(/^[a-z-]+\s+/i, "");
    if (key !== undefined && isOurs(key)) return key;
  }
  for (const name of KEY_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined && isOurs(value)) return value;
  }
  const protocols = headers.get("sec-websocket-protocol") ?? "";
  for (const [, key = ""] of protocols.matchAll(/openai-insecure-api-key\.([^,\s]*)/g)) {
    if (isOurs(key)) return key;
  }
  return null;
}

function findInQuery(search: string, isOurs: IsOurs): string | null {
  for (const part of search.slice(1).split("&")) {
    const key = KEY_IN_QUERY.exec(decodePercents(part))?.[1];
    if (key !== undefined && isOurs(key)) return key;
  }
  return null;
}

/** Has the client signed the request itself? */
export function isSigned(headers: HeaderValues, search: string): boolean {
  return isSignature(headers.get("authorization") ?? "") || /[?&]X-Amz-Signature=/i.test(search);
}

/** Takes every credential out of the headers that go up. */
export function dropCredentials(headers: Headers): void {
  for (const name of CREDENTIAL_HEADERS) headers.delete(name);
  const protocols = headers.get("sec-websocket-protocol");
  if (protocols === null) return;
  const kept = protocols.split(",").filter((protocol) => !protocol.trim().startsWith(SUBPROTOCOL));
  if (kept.length === 0) headers.delete("sec-websocket-protocol");
  else headers.set("sec-websocket-protocol", kept.join(",").trim());
}

/** The Worker's own secret for a provider, and where it goes; `forbidden` when it holds none. */
export function findSecret(provider: string, path: string, origin: string, env: Env): Secret | Problem {
  if (env.AI !== undefined && isBindingPath(provider, path, env)) return { kind: "binding", ai: env.AI };
  const held = env[secretVar(provider)];
  if (held) return placeSecret(provider, path, held);
  if (makerOf(provider) === "bedrock") return findAwsCredentials(origin, env);
  const name = secretVar(provider);
  return problem(
    "forbidden",
    `The Worker holds no secret for ${provider}. Set it: npx wrangler secret put ${name} (locally: a line ${name}=… in .dev.vars).`,
  );
}

/** Anthropic and Gemini take a bearer too where they speak OpenAI's protocol, and there alone. */
function placeSecret(provider: string, path: string, value: string): Secret {
  const isCompatible = /\/chat\/completions\/*$/.test(path) || path.includes("/openai/");
  const maker = makerOf(provider);
  if (maker === "azure") return { kind: "header", name: "api-key", value };
  if (maker === "anthropic" && !isCompatible) return { kind: "header", name: "x-api-key", value };
  if (maker === "gemini" && !isCompatible) return { kind: "header", name: "x-goog-api-key", value };
  return { kind: "header", name: "authorization", value: `Bearer ${value}` };
}

function findAwsCredentials(origin: string, env: Env): Secret | Problem {
  const accessKeyId = env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey) {
    return problem(
      "forbidden",
      "The Worker holds no credentials for bedrock. Set them with npx wrangler secret put: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or BEDROCK_API_KEY.",
    );
  }
  const region = awsRegionOf(origin, env.AWS_REGION);
  if (region === null) {
    return problem(
      "forbidden",
      "The host of bedrock names no AWS region to sign for. Set the var AWS_REGION, as in us-east-1.",
    );
  }
  return { kind: "aws", accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN || null, region };
}
