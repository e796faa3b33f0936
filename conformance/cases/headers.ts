// Headers, both ways: next month's pass, the connection's and the gateway's own do not, and no credential reaches a
// host that it was not meant for.

import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, carries, describeAnswer, joined, lacks, neverAsked, statusDown } from "../compare.ts";
import { cross, EVERY_SHAPE, fail, judge, pass, skip, type Case, type Kit, type Verdict } from "../kit.ts";
import { CREDENTIAL } from "../shapes.ts";
import type { Reply } from "../upstream.ts";

type About = Pick<Case, "name" | "guards" | "why">;
type Judged = { up: Header[]; down: Header[] };

const JSON_TYPE: Header = ["Content-Type", "application/json"];
const CONTENT_TYPE = "application/vnd.future+json; charset=UTF-8; v=2";

/** A turn with these headers, answered with those. */
function crossing(
  about: About,
  of: (kit: Kit) => { up?: Header[]; reply?: Reply },
  check: (headers: Judged, kit: Kit) => Verdict,
): Case {
  return {
    ...about,
    group: "headers",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const { up = [], reply = {} } = of(kit);
      const said = reply.headers ?? [];
      const headers = joined(said, "content-type") === null ? [JSON_TYPE, ...said] : said;
      const whole = { body: `{"ok":true}`, ...reply, headers };
      const crossed = await cross(kit, { headers: up }, whole);
      const wrong = askedOnce(crossed) ?? statusDown(reply.status ?? 200, crossed.down);
      if (wrong !== null) return fail(wrong);
      return check({ up: crossed.up[0]!.headers, down: crossed.down!.headers }, kit);
    },
  };
}

function goesUp(about: About, headersOf: (kit: Kit) => Header[]): Case {
  return crossing(
    about,
    (kit) => ({ up: headersOf(kit) }),
    ({ up }, kit) => judge("arrived as sent", carries(up, headersOf(kit), "arrive")),
  );
}

function staysHere(about: About, sent: Header[], unwanted: string[]): Case {
  return crossing(
    about,
    () => ({ up: sent }),
    ({ up }) => judge("none went up", lacks(up, unwanted, "went up")),
  );
}

function comesDown(about: About, headers: Header[], status = 200): Case {
  return crossing(
    about,
    () => ({ reply: { status, headers } }),
    ({ down }) => judge("came down as said", carries(down, headers, "come down")),
  );
}

const UP: Case[] = [
  goesUp(
    {
      name: "beta-header",
      guards: "the provider's beta header reaches it, with values nobody knows yet",
      why: "a list of known betas turns new features off; several gateways had to be fixed for each",
    },
    (kit) => [kit.route.shape.beta],
  ),
  goesUp(
    {
      name: "sdk-headers",
      guards: "what SDKs send about a request reaches the provider",
      why: "`idempotency-key` keeps a retry from being billed twice; `x-stainless-*` and trace ids serve support",
    },
    () => [
      ["idempotency-key", "key-1"],
      ["x-stainless-retry-count", "1"],
      ["x-stainless-lang", "js"],
      ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    ],
  ),
  goesUp(
    {
      name: "unknown-header-up",
      guards: "a header that nobody knows yet reaches the provider",
      why: "headers are an open list in the providers' own rules for gateways",
    },
    () => [
      ["x-future", `a, b;q="1"`],
      ["x-empty-value", ""],
    ],
  ),
  goesUp(
    {
      name: "user-agent",
      guards: "the client's user agent stays",
      why: "providers tell first-party clients by it, and support looks for it",
    },
    () => [["user-agent", "conformance/1.0 (test)"]],
  ),
  crossing(
    {
      name: "credential",
      guards: "the client's own credential reaches the provider, or one of the gateway's does",
      why: "without, every call is a 401",
    },
    () => ({}),
    ({ up }, kit) => {
      const [[name, value]] = kit.route.shape.headers as [Header];
      const got = joined(up, name);
      if (got === null) return fail(`no ${name} went up`);
      return pass(got === value ? "the client's own" : "one of the gateway's");
    },
  ),
  crossing(
    {
      name: "host",
      guards: "`Host` names the provider",
      why: "virtual hosts and signatures (SigV4) go by it",
    },
    () => ({}),
    ({ up }, kit) => {
      const host = joined(up, "host") ?? "";
      const wrong = host.endsWith(`:${kit.upstream.port}`) ? null : `Host: ${host} went up`;
      return judge(`Host: ${host}`, wrong);
    },
  ),
  staysHere(
    {
      name: "hop-by-hop-up",
      guards: "headers of the connection, and those that `Connection` names, stay on it",
      why: "RFC 9110 §7.6.1; passed on they desynchronise connections or leak a proxy's credential",
    },
    [
      ["Connection", "keep-alive, X-Only-Here"],
      ["X-Only-Here", "1"],
      ["Keep-Alive", "timeout=5"],
      ["TE", "trailers"],
      ["Proxy-Authorization", "Basic eDp5"],
    ],
    ["x-only-here", "keep-alive", "te", "proxy-authorization"],
  ),
  staysHere(
    {
      name: "cookies-up",
      guards: "the browser's cookies do not go to the provider",
      why: "they are the application's sessions",
    },
    [["Cookie", "session=secret"]],
    ["cookie"],
  ),
  staysHere(
    {
      name: "client-address",
      guards: "where the end user is does not go to the provider",
      why: "addresses are personal data, and providers limit and block by them",
    },
    [
      ["X-Forwarded-For", "203.0.113.7"],
      ["X-Real-IP", "203.0.113.7"],
      ["Forwarded", "for=203.0.113.7"],
      ["CF-Connecting-IP", "203.0.113.7"],
    ],
    ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip"],
  ),
  crossing(
    {
      name: "foreign-credential",
      guards: "a credential of another provider does not go to this one",
      why: "clients configured for several send all; forwarded, one provider reads another's key",
    },
    (kit) => ({ up: kit.route.shape.foreign }),
    ({ up }, kit) => {
      const names = kit.route.shape.foreign.map(([name]) => name);
      return judge("none went up", lacks(up, names, "went up"));
    },
  ),
];

const own: Case = {
  name: "own-headers",
  group: "headers",
  guards: "headers that are meant for the gateway do not go to the provider",
  why: "they hold routing, user keys and secrets of the gateway",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const credentials = new Set(kit.route.shape.headers.map(([name]) => name.toLowerCase()));
    const told = kit.route.headers.filter(([name]) => !credentials.has(name.toLowerCase()));
    const names = [...told, ...kit.ownHeaders].map(([name]) => name);
    if (names.length === 0) return skip("the gateway has no headers of its own (--own-header, --header)");
    const crossed = await cross(kit, { headers: kit.ownHeaders }, { headers: [JSON_TYPE], body: "{}" });
    const up = crossed.up[0]?.headers ?? [];
    return judge(`${names.join(", ")}: none went up`, askedOnce(crossed), lacks(up, names, "went up"));
  },
};

const redirect: Case = {
  name: "redirect",
  group: "headers",
  guards: "a redirect is not followed to another host",
  why: "the credential and the conversation would go to whoever the answer names",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const location = `http://127.0.0.1:${kit.elsewhere.port}/elsewhere`;
    kit.elsewhere.answerWith({ headers: [JSON_TYPE], body: `{"who":"elsewhere"}` });
    const { up, down } = await cross(kit, {}, { status: 307, headers: [["Location", location]] });
    const [followed] = kit.elsewhere.calls();
    if (followed !== undefined) {
      const { headers, body } = followed.request();
      const secrets = headers.filter(([, value]) => value.includes(CREDENTIAL)).map(([name]) => name);
      const took = [...secrets, ...(body.length > 0 ? ["the body"] : [])];
      return fail(`followed to another host${took.length === 0 ? "" : ` with ${took.join(" and ")}`}`);
    }
    if (up.length === 0) return fail(neverAsked(down));
    const got = down === null ? null : joined(down.headers, "location");
    if (down?.status === 307 && got === location) return pass("the client was told, and decides");
    if (down !== null && down.status >= 500) return pass(`refused with ${down.status}`);
    return fail(`not followed, but ${describeAnswer(down)}`);
  },
};

const DOWN: Case[] = [
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

export const HEADERS: Case[] = [...UP, own, redirect, ...DOWN];
