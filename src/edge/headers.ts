// Header hygiene, both ways, by deny-list: an allow-list breaks next month's beta header. Upstream never sees our
// headers, hop-by-hop headers, the client's network data or a credential meant for another provider; the client never
// sees a provider's cookies, credentials or a forged `Prompt-*` header.

import { makerOf } from "../core/providers.ts";

/** Hop-by-hop (RFC 9110 §7.6.1) and what belongs to the connection between client and proxy. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const NEVER_UP = new Set([
  ...HOP_BY_HOP,
  "host",
  "content-length",
  "expect",
  "cookie",
  "forwarded",
  "x-real-ip",
  "true-client-ip",
  "cdn-loop",
  "via",
]);

const NEVER_DOWN = new Set([
  ...HOP_BY_HOP,
  "set-cookie",
  "authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
]);

/** Credential headers that one provider alone takes; to any other they do not go. `authorization` is taken by all
 * (Anthropic's and Gemini's OAuth and OpenAI-compatible paths included). */
const CREDENTIAL_OWNERS: Readonly<Record<string, readonly string[]>> = {
  "x-api-key": ["anthropic"],
  "x-goog-api-key": ["gemini", "vertex"],
  "api-key": ["azure"],
};

/** Request headers, read once: every look at a `Headers` object leaves JavaScript, so one pass is cheaper than a dozen. */
export type HeaderValues = ReadonlyMap<string, string>;

export function readHeaders(incoming: Headers): HeaderValues {
  return new Map(incoming);
}

/** The client's headers as the provider gets them: a native copy without what must not go up. */
export function cleanRequestHeaders(incoming: Headers, values: HeaderValues, provider: string): Headers {
  const outgoing = new Headers(incoming);
  const named = values.get("connection");
  const dropped = named === undefined ? null : new Set(named.toLowerCase().split(/\s*,\s*/));
  for (const name of values.keys()) {
    if (isDeniedUp(name, provider) || dropped?.has(name)) outgoing.delete(name);
  }
  return outgoing;
}

function isDeniedUp(name: string, provider: string): boolean {
  if (
    NEVER_UP.has(name) ||
    name.startsWith("prompt-") ||
    name.startsWith("cf-") ||
    name.startsWith("x-forwarded-")
  ) {
    return true;
  }
  const owners = CREDENTIAL_OWNERS[name];
  return owners !== undefined && !owners.includes(makerOf(provider));
}

/** Takes out of the provider's headers what the client must not get; ours are set on the result. */
export function cleanResponseHeaders(headers: Headers): void {
  let denied: string[] | null = null;
  for (const name of headers.keys()) {
    // Collected first: a live iterator must not see its list change.
    if (NEVER_DOWN.has(name) || name.startsWith("prompt-")) (denied ??= []).push(name);
  }
  if (denied !== null) for (const name of denied) headers.delete(name);
}
