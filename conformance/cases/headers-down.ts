// Headers of answers.

import type { Header } from "../../test/support/http-messages.ts";
import { carries, joined, lacks } from "../compare.ts";
import { judge, type Case } from "../kit.ts";
import { crossing, type About } from "./headers.ts";

const CONTENT_TYPE = "application/vnd.future+json; charset=UTF-8; v=2";

function comesDown(about: About, headers: Header[], status = 200): Case {
  return crossing(
    about,
    () => ({ reply: { status, headers } }),
    ({ down }) => judge("came down as said", carries(down, headers, "come down")),
  );
}

export const HEADERS_DOWN: Case[] = [
  comesDown(
    {
      name: "retry-hints",
      guards: "`retry-after`, `retry-after-ms` and `x-should-retry` come down",
      why: "SDKs obey them; without, they retry too early, or what must not be retried",
    },
    [
      ["retry-after", "7"],
      ["retry-after-ms", "7001"],
      ["x-should-retry", "false"],
    ],
    429,
  ),
  comesDown(
    {
      name: "request-ids",
      guards: "the provider's request id comes down",
      why: "SDKs show it in errors, and support asks for it",
    },
    [
      ["x-request-id", "req_1"],
      ["request-id", "req_1"],
    ],
  ),
  comesDown(
    {
      name: "rate-limits",
      guards: "rate-limit headers come down",
      why: "clients pace themselves by them",
    },
    [
      ["x-ratelimit-remaining-tokens", "149984"],
      ["x-ratelimit-reset-requests", "1s"],
      ["anthropic-ratelimit-tokens-remaining", "1000"],
      ["anthropic-ratelimit-unified-5h-utilization", "0.10"],
    ],
  ),
  comesDown(
    {
      name: "unknown-header-down",
      guards: "a response header that nobody knows yet comes down",
      why: "the same open list, the other way",
    },
    [
      ["x-next-month", "yes, no"],
      ["openai-processing-ms", "12"],
      ["anthropic-organization-id", "org"],
    ],
  ),
  crossing(
    {
      name: "content-type",
      guards: "the content type comes down as it is, parameters included",
      why: "clients choose by it whether they read a stream, JSON or a file",
    },
    () => ({ reply: { headers: [["content-type", CONTENT_TYPE]] } }),
    ({ down }) => {
      const got = joined(down, "content-type");
      return judge("as said", got === CONTENT_TYPE ? null : `became ${got}`);
    },
  ),
  crossing(
    {
      name: "cookies-down",
      guards: "the provider's cookies do not come down",
      why: "set on the gateway's own host they track, and mix, all its users (`__cf_bm` is one)",
    },
    () => ({
      reply: {
        headers: [
          ["Set-Cookie", "__cf_bm=1; Path=/"],
          ["Set-Cookie", "b=2"],
        ],
      },
    }),
    ({ down }) => judge("none came down", lacks(down, ["set-cookie"], "came down")),
  ),
  crossing(
    {
      name: "hop-by-hop-down",
      guards: "headers of the provider's connection stay on it",
      why: "RFC 9110 §7.6.1",
    },
    () => ({
      reply: {
        headers: [
          ["Connection", "X-Only-There"],
          ["X-Only-There", "1"],
          ["Keep-Alive", "timeout=77"],
          ["Proxy-Authenticate", "Basic"],
        ],
      },
    }),
    ({ down }) => {
      const keepAlive = joined(down, "keep-alive") === "timeout=77" ? "came down: keep-alive" : null;
      return judge(
        "none came down",
        lacks(down, ["x-only-there", "proxy-authenticate"], "came down"),
        keepAlive,
      );
    },
  ),
];
