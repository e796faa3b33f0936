// The tables of the header audit: every provider with the place of its credential, and every header that may or may not
// cross. Values say what they are, so that one search of the bytes finds a leak.

import type { Header } from "../support/http-messages.ts";

// ── the providers ───────────────────────────────────────────────────────────────────────────────────────────────

/** What the client may have of its own, and what must not be seen of others; parts of values, never whole ones. */
export const OWN = "own-of-the-client";
export const ALIEN = "alien";
export const HELD = "held-by";
export const SYSTEM = "system-text-of-the-version";
export const SPOKEN = "words-of-the-user";
export const VARIABLE = "value-of-a-variable";

export type Row = {
  provider: string;
  /** A turn that takes a prompt, and the same as a stream where that is another path. */
  path: string;
  streamPath: string;
  shape: "messages" | "gemini" | "converse";
  /** Whose protocol this is, if it is neither the provider's own nor OpenAI's. */
  speaks?: string;
  /** Where this client puts its own credential. */
  own: Credential;
  /** Where the Worker's own secret goes for a proxy key. */
  held: Header;
};

type Credential = { name: string; value: string; isQuery?: boolean };

const CHAT = "/v1/chat/completions";
const BEARER: Credential = { name: "authorization", value: `Bearer ${OWN}` };

function row(provider: string, path: string, more: Partial<Row> = {}): Row {
  const held: Header = ["authorization", `Bearer ${heldBy(provider)}`];
  return { provider, path, streamPath: path, shape: "messages", own: BEARER, held, ...more };
}

export function secretName(provider: string): string {
  return provider.toUpperCase().replaceAll("-", "_");
}

export function heldBy(provider: string): string {
  return `${HELD}-${secretName(provider)}`;
}

const GENERATE = {
  shape: "gemini" as const,
  streamPath: "/v1beta/models/m:streamGenerateContent?alt=sse",
  own: { name: "x-goog-api-key", value: `AIza-${OWN}` },
};

export const ROWS: { [label: string]: Row } = {
  openai: row("openai", CHAT),
  anthropic: row("anthropic", "/v1/messages", {
    own: { name: "x-api-key", value: `sk-ant-${OWN}` },
    held: ["x-api-key", heldBy("anthropic")],
  }),
  "anthropic, by OAuth": row("anthropic", "/v1/messages", { held: ["x-api-key", heldBy("anthropic")] }),
  gemini: row("gemini", "/v1beta/models/m:generateContent", {
    ...GENERATE,
    held: ["x-goog-api-key", heldBy("gemini")],
  }),
  "gemini, by the query": row("gemini", "/v1beta/models/m:generateContent", {
    ...GENERATE,
    own: { name: "key", value: `AIza-${OWN}`, isQuery: true },
    held: ["x-goog-api-key", heldBy("gemini")],
  }),
  azure: row("azure", "/openai/deployments/d/chat/completions?api-version=1", {
    own: { name: "api-key", value: OWN },
    held: ["api-key", heldBy("azure")],
  }),
  bedrock: row("bedrock", "/model/m/converse", { shape: "converse", streamPath: "/model/m/converse-stream" }),
  "workers-ai": row("workers-ai", "/accounts/a/ai/v1/chat/completions"),
  "workers-ai, by the account's key": row("workers-ai", "/accounts/a/ai/v1/chat/completions", {
    own: { name: "x-auth-key", value: OWN },
  }),
  openrouter: row("openrouter", CHAT),
  groq: row("groq", CHAT),
  mistral: row("mistral", CHAT),
  deepseek: row("deepseek", "/chat/completions"),
  "deepseek, as Anthropic": row("deepseek", "/anthropic/v1/messages", {
    speaks: "anthropic",
    own: { name: "x-api-key", value: OWN },
  }),
  "deepseek, as Anthropic by token": row("deepseek", "/anthropic/v1/messages", { speaks: "anthropic" }),
  xai: row("xai", CHAT),
  together: row("together", CHAT),
  fireworks: row("fireworks", CHAT),
  "my-llm": row("my-llm", CHAT),
  "my-llm, as Gemini": row("my-llm", "/v1beta/models/m:generateContent", { ...GENERATE, speaks: "gemini" }),
};

export type BodyOptions = { streams?: boolean; isLarge?: boolean };

export function bodyOf({ shape }: Row, { streams, isLarge }: BodyOptions = {}): string {
  const text = isLarge === true ? SPOKEN + " and more".repeat(60_000) : SPOKEN;
  const common = { model: "m", max_tokens: 9, ...(streams === true && { stream: true }) };
  const byShape = {
    messages: { ...common, messages: [{ role: "user", content: text }] },
    gemini: { contents: [{ role: "user", parts: [{ text }] }] },
    converse: { messages: [{ role: "user", content: [{ text }] }] },
  };
  return JSON.stringify(byShape[shape]);
}

// ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────────

const ALIEN_SIGNATURE = `AWS4-HMAC-SHA256 Credential=${ALIEN}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
/** Everybody's credentials, and in whose protocol each header is one. A bearer token may be anybody's, a signature is AWS's. */
const ALIENS: { [name: string]: { value: string; owner: string } } = {
  authorization: { value: ALIEN_SIGNATURE, owner: "bedrock" },
  "x-api-key": { value: `sk-ant-${ALIEN}`, owner: "anthropic" },
  "x-goog-api-key": { value: `AIza-${ALIEN}`, owner: "gemini" },
  "api-key": { value: ALIEN, owner: "azure" },
  "x-amz-security-token": { value: ALIEN, owner: "bedrock" },
  "x-auth-key": { value: ALIEN, owner: "workers-ai" },
};

/** Headers that SDKs put an API key into. */
const KEY_PLACES = new Set(["authorization", "x-api-key", "x-goog-api-key", "api-key"]);

/** All credentials that a header can carry to a provider, by name. */
export const CREDENTIAL =
  /^(?:authorization|x-api-key|x-goog-api-key|api-key|x-amz-security-token|x-auth-key|x-auth-email)$/;

export type Sent = { headers: Header[]; query: string | null; kept: Header[]; keptQuery: string | null };

/** What a client sends that has a credential of its own (`key` null) or a key of ours, and everybody else's along with it;
 * and what of it goes up. */
export function credentialsOf({ provider, speaks, own, held }: Row, key: string | null): Sent {
  if (key !== null) {
    const place = KEY_PLACES.has(own.name) ? own.name : "authorization";
    const others = { ...ALIENS, authorization: { value: `Bearer ${ALIEN}` } };
    const aliens = Object.entries(others).filter(([name]) => name !== place);
    const headers = aliens.map(([name, { value }]): Header => [name, value]);
    const prefix = place === "authorization" ? "Bearer " : "";
    const query = `key=AIza-${ALIEN}`;
    return { headers: [...headers, [place, prefix + key]], query, kept: [held], keptQuery: null };
  }
  const owners = [provider, speaks];
  const aliens = Object.entries(ALIENS)
    .filter(([name, { owner }]) => name !== own.name && !owners.includes(owner))
    .map(([name, { value }]): Header => [name, value]);
  const mine: Header = [own.name, own.value];
  if (own.isQuery === true) {
    const query = `${own.name}=${own.value}`;
    return { headers: aliens, query, kept: [], keptQuery: query };
  }
  const takesGoogle = owners.includes("gemini");
  const query = takesGoogle ? null : `key=AIza-${ALIEN}`;
  return { headers: [...aliens, mine], query, kept: [mine], keptQuery: null };
}

// ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────

export const NEVER = "never";
export const FORGED = "forged";

export const NEVER_UP: Header[] = [
  ["Prompt-Key", `${NEVER}-1`],
  ["Prompt-Variables", JSON.stringify({ name: VARIABLE })],
  ["Prompt-Next-Month", NEVER],
  ["Cookie", `session=${NEVER}`],
  ["Forwarded", `for=${NEVER}`],
  ["X-Forwarded-For", NEVER],
  ["X-Forwarded-Host", NEVER],
  ["X-Forwarded-Next-Month", NEVER],
  ["X-Real-IP", NEVER],
  ["True-Client-IP", NEVER],
  ["CF-Connecting-IP", NEVER],
  ["CF-Ray", NEVER],
  ["CF-Access-Jwt-Assertion", NEVER],
  ["CDN-Loop", NEVER],
  ["Via", `1.1 ${NEVER}`],
  ["Proxy-Authorization", `Basic ${NEVER}`],
  ["Proxy-Connection", NEVER],
  ["Keep-Alive", `timeout=5, ${NEVER}`],
  ["TE", `trailers;${NEVER}`],
  ["Connection", "X-Only-Here, X-Nor-There"],
  ["X-Only-Here", NEVER],
  ["x-nor-there", NEVER],
];

export const ALWAYS_UP: Header[] = [
  ["User-Agent", "app/1.0"],
  ["Accept", "application/json"],
  ["anthropic-version", "2023-06-01"],
  ["anthropic-beta", "next-month-2027-01-01"],
  ["OpenAI-Organization", "org"],
  ["OpenAI-Safety-Identifier", "user-7"],
  ["HTTP-Referer", "https://app.example"],
  ["X-Stainless-Lang", "js"],
  ["X-Amzn-Bedrock-Trace", "ENABLED"],
  ["X-Goog-Api-Client", "gl-node"],
  ["X-Next-Month", "a, b"],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["X-Echo", "all"],
];

export const NEVER_DOWN: Header[] = [
  ["Set-Cookie", `a=${NEVER}`],
  ["Set-Cookie", `b=${NEVER}`],
  ["Proxy-Authenticate", `Basic realm=${NEVER}`],
  ["Keep-Alive", `timeout=${NEVER}`],
  ["Connection", "X-Down-Hop"],
  ["X-Down-Hop", NEVER],
  ["Prompt-Name", FORGED],
  ["Prompt-Version", FORGED],
  ["Prompt-Assigned-Version", FORGED],
  ["Prompt-Request-Id", FORGED],
  ["Prompt-Skipped", FORGED],
  ["Prompt-Error", FORGED],
  ["Prompt-Next-Month", FORGED],
];

export const ALWAYS_DOWN: Header[] = [
  ["X-Request-Id", "req_1"],
  ["Retry-After-Ms", "1"],
  ["X-Should-Retry", "true"],
  ["anthropic-ratelimit-unified-status", "allowed"],
  ["X-Ratelimit-Remaining-Tokens", "1"],
  ["WWW-Authenticate", "Bearer"],
  ["X-Next-Month-Too", "a, b"],
];

/** What belongs to the connection with the provider, or says how the body is framed on it. */
export const WIRE = new Set([
  "host",
  "connection",
  "content-type",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-version",
]);
