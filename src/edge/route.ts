// URL → route. The upstream path and query are cut out of the URL as text and never decoded or rebuilt, so that
// `%2F`, `%3A` and `?alt=sse` reach the provider as the client wrote them.

import { problem, type Problem } from "../core/problem.ts";

export type Route = {
  /** From `/p/{prompt}/…`; null: the request itself may name one. */
  prompt: string | null;
  /** From `/p/{prompt}@{environment}/…`. */
  environment: string | null;
  provider: string;
  /** Upstream path with its leading slash (or empty), without the query. */
  path: string;
  /** Query with its `?`, or empty. */
  search: string;
};

/** `/p/support-bot@staging/openai/v1/chat/completions?x=1` → its parts (contract §2.1). */
export function parseRoute(url: string): Route | Problem {
  const pathStart = url.indexOf("/", url.indexOf("://") + 3);
  const searchStart = url.indexOf("?", pathStart);
  const path = url.slice(pathStart, searchStart < 0 ? undefined : searchStart);
  const search = searchStart < 0 ? "" : url.slice(searchStart);
  if (!path.startsWith("/p/")) {
    const { head, rest } = cutSegment(path, 1);
    return { prompt: null, environment: null, provider: head, path: rest, search };
  }
  const name = cutSegment(path, 3);
  const provider = cutSegment(name.rest, 1);
  const [prompt = "", environment] = decodeSegment(name.head).split("@");
  if (prompt === "") return problem("prompt_not_found", "The path names no prompt: /p/{prompt}/{provider}/…");
  if (provider.head === "") {
    return problem(
      "provider_not_found",
      `The path names no provider: /p/${prompt}/{provider}/…, as in /p/${prompt}/openai/v1.`,
    );
  }
  return { prompt, environment: environment ?? null, provider: provider.head, path: provider.rest, search };
}

/** A base URL with the version that the SDK adds by itself: no provider has such a path. */
const DOUBLED_VERSION = /^(\/v\d+[a-z0-9]*)\1(?=\/|$)/;

/** What is wrong with the upstream path of a request that names a prompt; without one it goes verbatim, whatever it is. */
export function checkPath({ path, provider }: Route): Problem | null {
  const [, version] = DOUBLED_VERSION.exec(path) ?? [];
  if (version === undefined) return null;
  return problem(
    "invalid_request",
    `The path has ${version} twice. Where the SDK adds ${version} by itself its base URL ends with /${provider}, elsewhere with /${provider}${version}.`,
    { field: "path" },
  );
}

function cutSegment(path: string, from: number): { head: string; rest: string } {
  const end = path.indexOf("/", from);
  return end < 0
    ? { head: path.slice(from), rest: "" }
    : { head: path.slice(from, end), rest: path.slice(end) };
}

/** Some clients escape the `@` of a path segment. Undecodable text stays as it is and names no prompt. */
function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
