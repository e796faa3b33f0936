// What "the caller's bytes are kept" means on the wire: one exchange, as seen between client and Worker, against the
// same one as seen between Worker and provider. Whatever may differ is named here; all else must be equal.

import { expect } from "vitest";
import { headerOf, type Header } from "./http-messages.ts";
import { insertionOf } from "./insertion.ts";
import type { Exchange } from "./tap.ts";

export { insertionOf } from "./insertion.ts";

/** Belongs to one connection, or states how its bytes are framed there. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "content-length"];
const DIFFERENT_UP = new Set(["host", ...HOP_BY_HOP]);
const WATCHED_UP = new Set(["accept-encoding", ...DIFFERENT_UP]);
/** Ours (contract §2.3), and the one URL of an answer that must lead through the proxy again. */
const DIFFERENT_DOWN = new Set(["server-timing", "x-goog-upload-url", ...HOP_BY_HOP]);

/** Request line, headers, body, status and answer are the same on both sides, but for the mount, the prompt that was
 * inserted, and what belongs to a connection or to us. */
export function expectFaithful(client: Exchange, provider: Exchange): void {
  expect(provider.request.method).toBe(client.request.method);
  expect(provider.request.url).toBe(withoutMount(client.request.url));
  const different = isWatched(client, provider) ? WATCHED_UP : DIFFERENT_UP;
  expect(comparable(provider.request.headers, different)).toEqual(
    comparable(client.request.headers, different),
  );
  expect(insertionOf(client.request.body, provider.request.body)).not.toBeNull();
  expect(client.response?.status).toBe(provider.response?.status);
  expect(comparable(client.response?.headers ?? [], DIFFERENT_DOWN)).toEqual(
    comparable(provider.response?.headers ?? [], DIFFERENT_DOWN),
  );
  expect(client.response?.complete).toBe(provider.response?.complete);
  const [got = Buffer.alloc(0), said = Buffer.alloc(0)] = [client.response?.body, provider.response?.body];
  const told = brokeOff(client, provider) ? got.subarray(0, said.length) : got;
  expect(told.equals(said), `the answer is not what the provider said:\n${got}\n${said}`).toBe(true);
  expect(got.subarray(told.length).toString("latin1")).toMatch(SAID_OF_A_BREAK);
}

/** A stream that a prompt is put into is asked for uncompressed, so that it can be watched. */
function isWatched(client: Exchange, provider: Exchange): boolean {
  return client.request.url.startsWith("/p/") && headerOf(provider.request, "accept-encoding") === "identity";
}

/** Nothing, or an event behind a blank line, or a frame of an event stream: its lengths, its CRC, its headers. */
const SAID_OF_A_BREAK = /^(?:$|\n\n|[^]{12}.:exception-type)/;

/** Then the client is told so in words of the format, and the connection broken. */
function brokeOff(client: Exchange, provider: Exchange): boolean {
  return isWatched(client, provider) && provider.response?.complete === false;
}

/** `/p/{prompt}/{provider}/v1/x?y` → `/v1/x?y`; HTTP has no empty request target, so that one is `/`. */
function withoutMount(url: string): string {
  return url.replace(/^(?:\/p\/[^/]+)?\/[^/]+/, "") || "/";
}

/** Names in lower case, repeated ones joined as RFC 9110 §5.3 allows, in one order; without `except` and `prompt-*`. */
export function comparable(headers: Header[], except: ReadonlySet<string> = new Set()): Header[] {
  const joined = new Map<string, string>();
  for (const [spelled, value] of headers) {
    const name = spelled.toLowerCase();
    if (except.has(name) || name.startsWith("prompt-")) continue;
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return [...joined].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
