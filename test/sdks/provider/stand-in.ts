// What the four stand-in providers share: routes as data, strict about paths (an unknown one is 404, so that a mount
// that was not stripped is seen), about credentials, and about bodies; deterministic, so that two runs can be compared
// to the byte. Each provider's file holds nothing but its own shapes.

import { createHash } from "node:crypto";
import type { Header } from "../../support/http-messages.ts";
import type { Reply, UpstreamRequest } from "../../support/upstream.ts";

/** A request, taken apart once. */
export type Asked = {
  method: string;
  path: string;
  query: URLSearchParams;
  header: (name: string) => string | null;
  /** Parsed when it is JSON, else {}. */
  json: Json;
  bytes: Buffer;
};

export type Json = { [field: string]: unknown };

export type Route = {
  method: "GET" | "POST" | "DELETE";
  path: RegExp;
  answer: (asked: Asked) => Reply;
};

export type StandIn = {
  answer: (request: UpstreamRequest) => Reply;
  /** An error as this provider words it. */
  fail: (status: number, headers?: Header[]) => Reply;
  /** The answer to a streamed turn whose first event is an error. */
  failInStream: () => Reply;
  /** A streamed answer that never ends by itself: the SDK has something to read, then silence. */
  stall: () => Reply;
  /** A streamed answer whose connection breaks. */
  cut: () => Reply;
};

export function standIn(
  routes: Route[],
  parts: Omit<StandIn, "answer"> & { authorised: (asked: Asked) => boolean },
): StandIn {
  const { authorised, ...rest } = parts;
  return {
    ...rest,
    answer(request) {
      const asked = takeApart(request);
      if (!authorised(asked)) return parts.fail(401);
      const route = routes.find(({ method, path }) => method === asked.method && path.test(asked.path));
      return route?.answer(asked) ?? parts.fail(404);
    },
  };
}

function takeApart({ method, url, headers, body, bytes }: UpstreamRequest): Asked {
  const { pathname, searchParams } = new URL(url, "http://provider");
  const header = (name: string) => headers.find(([spelled]) => spelled.toLowerCase() === name)?.[1] ?? null;
  return { method, path: pathname, query: searchParams, header, json: parse(body), bytes };
}

/** The content type is no judge: Google's SDK uploads files as `application/json`. */
function parse(body: string): Json {
  if (!body.startsWith("{")) return {};
  try {
    return JSON.parse(body) as Json;
  } catch {
    return {};
  }
}

/** What an upload was, so that the SDK's own return value tells whether it arrived whole. The boundary is chosen at
 * random by each SDK, so it is taken out first. */
export function fingerprintUpload({ header, bytes }: Asked): { bytes: number; filename: string } | null {
  const boundary = /^multipart\/[\w-]+; *boundary="?([^";]+)/.exec(header("content-type") ?? "")?.[1];
  if (boundary === undefined) return null;
  const plain = Buffer.from(bytes.toString("latin1").replaceAll(boundary, ""), "latin1");
  const digest = createHash("sha256").update(plain).digest("hex").slice(0, 16);
  return { bytes: plain.length, filename: `sha256-${digest}` };
}

/** A PNG of one pixel. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Text in which a proxy that decodes, re-encodes or splits at the wrong place shows. */
export const WORDS = ["Hëllo ", "from — ", "Øslo 🌍 ", "\\n\u2028", "end."];
export const TEXT = WORDS.join("");
export const ARGUMENTS = { city: "Oslo", big: 1, note: "a/b\u00e9" };
