// Headers of requests, and where requests go.

import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, carries, describeAnswer, joined, lacks, neverAsked } from "../compare.ts";
import { cross, EVERY_SHAPE, fail, judge, ordinaryReply, pass, skip, type Case, type Kit } from "../kit.ts";
import { CREDENTIAL } from "../shapes.ts";
import { crossing, JSON_TYPE, type About } from "./headers.ts";

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
    const crossed = await cross(kit, { headers: kit.ownHeaders }, ordinaryReply(kit));
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

export const HEADERS_UP: Case[] = [...UP, own, redirect];
