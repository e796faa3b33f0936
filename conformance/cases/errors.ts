// Errors: the provider's own words reach the client, the gateway's own speak the SDK's language, and nobody retries
// behind the client's back.

import { askedOnce, bodyDown, describeAnswer, statusDown } from "../compare.ts";
import { cross, EVERY_SHAPE, fail, judge, pass, type Case, type Kit, type Verdict } from "../kit.ts";
import type { Header, RecordedResponse } from "../../test/support/http-messages.ts";
import type { Reply } from "../upstream.ts";

type About = Pick<Case, "name" | "guards" | "why">;

const JSON_TYPE: Header[] = [["Content-Type", "application/json"]];
const HTML: Reply = {
  status: 502,
  headers: [["Content-Type", "text/html; charset=utf-8"]],
  body: "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>the provider's own edge</body></html>\r\n",
};

/** The client gets status and body as the provider said them. */
function said(about: About, replyOf: (kit: Kit) => Reply, streaming = false): Case {
  return {
    ...about,
    group: "errors",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const reply = replyOf(kit);
      const crossing = await cross(kit, { streaming }, reply);
      const body = Buffer.from(reply.body ?? "");
      if (crossing.up.length === 0) return fail(askedOnce(crossing) ?? "");
      return judge("as said", statusDown(reply.status ?? 200, crossing.down), bodyDown(body, crossing));
    },
  };
}

function ownWords(status: number): Case {
  const about = {
    name: `error-${status}`,
    guards: `a provider's ${status} comes down with its own words`,
    why: "SDKs and agents choose by status, type, code and wording what to do next",
  };
  const replyOf = (kit: Kit) => ({ status, headers: JSON_TYPE, body: kit.route.shape.error(status) });
  return said(about, replyOf);
}

/** What a gateway says where the provider said nothing. */
function judgeOwn(kit: Kit, down: RecordedResponse | null): Verdict {
  if (down === null || !down.complete) return fail(describeAnswer(down));
  if (![502, 503, 504].includes(down.status)) return fail(`not a 502, 503 or 504: ${describeAnswer(down)}`);
  const type = down.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "none";
  const body = parse(down.body);
  if (!kit.route.shape.isError(body)) {
    return fail(`not in the shape of this API's errors (${type}): ${describeAnswer(down)}`);
  }
  return pass(`${down.status} in the API's own shape`);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

const WHY_OWN =
  "SDKs look for the error where their provider puts it; a bare 500 or HTML becomes a parse error";

const unreachable: Case = {
  name: "unreachable",
  group: "errors",
  guards: "when nobody listens, the client gets a 502, 503 or 504 in its API's own shape",
  why: WHY_OWN,
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    await kit.upstream.refuse();
    const { down } = await cross(kit, {}, {});
    await kit.upstream.listen();
    return judgeOwn(kit, down);
  },
};

const dropped: Case = {
  name: "dropped",
  group: "errors",
  guards: "when the provider drops the connection unanswered, the same, and it is asked once",
  why: `${WHY_OWN}; the turn may have been billed, so that asking again is the client's decision`,
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const crossing = await cross(kit, {}, "cut");
    const wrong = askedOnce(crossing);
    return wrong === null ? judgeOwn(kit, crossing.down) : fail(wrong);
  },
};

function once(status: number): Case {
  return {
    name: `no-retry-${status}`,
    group: "errors",
    guards: `a ${status} is not retried by the gateway itself`,
    why: "retries on top of the SDK's multiply load and cost; `x-should-retry` is for the client",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const headers: Header[] = [...JSON_TYPE, ["Retry-After", "0"], ["x-should-retry", "true"]];
      const reply = { status, headers, body: kit.route.shape.error(status) };
      const crossing = await cross(kit, {}, reply);
      return judge("asked once", askedOnce(crossing));
    },
  };
}

export const ERRORS: Case[] = [
  ...[400, 401, 404, 422, 429, 500, 529].map(ownWords),
  said(
    {
      name: "error-to-stream",
      guards: "an error that answers a request for a stream stays plain JSON with its status",
      why: "wrapped into a 200 stream, no SDK raises it",
    },
    (kit) => ({ status: 429, headers: JSON_TYPE, body: kit.route.shape.error(429) }),
    true,
  ),
  said(
    {
      name: "html-error",
      guards: "an HTML page with a 502 comes down as it is",
      why: "the provider's edge answers so; gateways that parse it as JSON make a 500 of it and hide the cause",
    },
    () => HTML,
  ),
  unreachable,
  dropped,
  once(429),
  once(500),
  once(503),
];
