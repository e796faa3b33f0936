// Header hygiene, both ways, by deny-list: an allow-list breaks next month's beta header. Upstream never sees our
// headers, hop-by-hop headers, the client's network data or a credential meant for another provider; the client never
// sees a provider's cookies, credentials or a forged `Prompt-*` header.

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
const CREDENTIAL_OWNER: Readonly<Record<string, string>> = {
  "x-api-key": "anthropic",
  "x-goog-api-key": "gemini",
  "api-key": "azure",
};

const KEY_PREFIX = "sb_";

/** The client's headers as the provider gets them. */
export function cleanRequestHeaders(incoming: Headers, provider: string): Headers {
  const outgoing = new Headers();
  const named = incoming.get("connection");
  const dropped = named === null ? null : new Set(named.toLowerCase().split(/\s*,\s*/));
  for (const [name, value] of incoming) {
    if (isDeniedUp(name, provider) || dropped?.has(name)) continue;
    outgoing.append(name, value);
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
  const owner = CREDENTIAL_OWNER[name];
  return owner !== undefined && owner !== provider;
}

/** The provider's headers as the client gets them; ours are set on the result. */
export function cleanResponseHeaders(incoming: Headers): Headers {
  const outgoing = new Headers(incoming);
  for (const name of incoming.keys()) {
    if (NEVER_DOWN.has(name) || name.startsWith("prompt-")) outgoing.delete(name);
  }
  return outgoing;
}

/** A key of ours in whatever credential header (or Gemini's `?key=`) the SDK uses, or null. */
export function findProxyKey(headers: Headers, search: string): string | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const token = authorization.replace(/^bearer\s+/i, "");
    if (token.startsWith(KEY_PREFIX)) return token;
  }
  for (const name of ["x-api-key", "x-goog-api-key", "api-key"]) {
    const value = headers.get(name);
    if (value?.startsWith(KEY_PREFIX)) return value;
  }
  const query = /[?&]key=(sb_[^&]*)/.exec(search);
  return query?.[1] ?? null;
}
