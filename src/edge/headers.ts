// Header hygiene, both ways, by deny-list: an allow-list breaks next month's beta header. Upstream never sees our
// headers, hop-by-hop headers, the client's network data or a credential meant for another provider; the client never
// sees a provider's cookies, credentials or a forged `Prompt-*` header.

import { isForeign, type Target } from "./foreign.ts";

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
  "x-amz-security-token",
  "x-auth-key",
]);

/** Request headers, read once: every look at a `Headers` object leaves JavaScript, so one pass is cheaper than a dozen. */
export type HeaderValues = ReadonlyMap<string, string>;

export function readHeaders(incoming: Headers): HeaderValues {
  return new Map(incoming);
}

/** The client's headers as the provider gets them: a native copy without what must not go up. */
export function cleanRequestHeaders(incoming: Headers, values: HeaderValues, target: Target): Headers {
  const outgoing = new Headers(incoming);
  const dropped = namesIn(values.get("connection"));
  for (const [name, value] of values) {
    if (isDeniedUp(name) || dropped?.has(name) || isForeign(name, value, target)) outgoing.delete(name);
  }
  return outgoing;
}

/** The headers that a `Connection` header calls its own; null: none. */
function namesIn(connection: string | null | undefined): ReadonlySet<string> | null {
  return connection == null ? null : new Set(connection.toLowerCase().split(/\s*,\s*/));
}

function isDeniedUp(name: string): boolean {
  return (
    NEVER_UP.has(name) ||
    name.startsWith("prompt-") ||
    name.startsWith("cf-") ||
    name.startsWith("x-forwarded-")
  );
}

/** Takes out of the provider's headers what the client must not get; ours are set on the result. */
export function cleanResponseHeaders(headers: Headers): void {
  const dropped = namesIn(headers.get("connection"));
  let denied: string[] | null = null;
  for (const name of headers.keys()) {
    // Collected first: a live iterator must not see its list change.
    const isDenied = NEVER_DOWN.has(name) || name.startsWith("prompt-") || dropped?.has(name) === true;
    if (isDenied) (denied ??= []).push(name);
  }
  if (denied !== null) for (const name of denied) headers.delete(name);
}
