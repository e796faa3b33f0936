// The header audit: nothing of ours, of the network's or of another credential crosses the Worker, either way, for any
// provider, on either mount, with a key of ours or without, however a request ends; and whatever else is sent, crosses.
// Judged by the bytes on both sides of the shipped bundle in the real runtime.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROVIDERS } from "../../src/core/providers.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { json, type Reply, type UpstreamRequest } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import {
  answerHeaders,
  AWS,
  casesOf,
  cross,
  leaveWhen,
  requestOf,
  startAudit,
  sweep,
  withQuery,
  type Audit,
  type Case,
  type Crossing,
  type Mount,
} from "./header-audit-rig.ts";
import {
  expectCleanDown,
  expectCleanUp,
  expectExplained,
  expectNoSecret,
  expectReticent,
  lower,
} from "./header-audit-rules.ts";
import { PROMPT } from "./header-audit-outcomes.ts";
import {
  ALIEN,
  ALWAYS_UP,
  bodyOf,
  credentialsOf,
  NEVER,
  NEVER_UP,
  OWN,
  ROWS,
  SPOKEN,
  SYSTEM,
  VARIABLE,
  WIRE,
} from "./header-audit-table.ts";

const MOUNTS: Mount[] = ["passed through", "prompted"];
const KEYS = ["a credential of its own", "a key of ours"] as const;
const CELLS = Object.keys(ROWS).flatMap((row) =>
  MOUNTS.flatMap((mount) => KEYS.map((key) => ({ row, mount, key }))),
);

let audit: Audit;
const cases = new Map<string, Case[]>();
let crossings: Map<string, Crossing>;

const nameOf = (cell: (typeof CELLS)[number]) => `${cell.row}, ${cell.mount}, with ${cell.key}`;

beforeAll(async () => {
  audit = await startAudit();
  for (const cell of CELLS) {
    const key = cell.key === "a key of ours" ? audit.keys.good : null;
    cases.set(nameOf(cell), casesOf(ROWS[cell.row]!, cell.mount, key, audit.keys));
  }
  crossings = await sweep(audit, [...cases.values()].flat());
});
afterAll(() => audit?.stop());

const HANDSHAKE: Header[] = [
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
];

// ── the audit ───────────────────────────────────────────────────────────────────────────────────────────────────

it("covers every provider there is, and one that only the configuration knows", () => {
  const audited = new Set(Object.values(ROWS).map(({ provider }) => provider));
  expect([...audited].toSorted()).toEqual([...Object.keys(PROVIDERS), "my-llm"].toSorted());
});

describe.each(CELLS)("$row, $mount, with $key", (cell) => {
  const each = () => cases.get(nameOf(cell))!.map((one) => ({ ...one, crossing: crossings.get(one.id)! }));

  it("ends as each outcome ends, after as many requests as it takes", () => {
    const ends = each().map(({ label, crossing: { down, up } }) => {
      return [label, down.response?.status, down.response?.complete, up.length];
    });
    expect(ends).toEqual(
      each().map(({ label, outcome }) => [
        label,
        outcome.status,
        outcome.isBroken !== true,
        outcome.asks ?? 1,
      ]),
    );
  });

  it("sends up this provider's credential, and all else but what is ours or not for it", () => {
    for (const { crossing, sent, target } of each())
      expectCleanUp(audit, crossing, { kept: sent.kept, target });
  });

  it("puts the prompt in where one is named, and nowhere else", () => {
    for (const { crossing, mount, outcome } of each()) {
      for (const { request } of crossing.up) {
        if (outcome.isLarge === true) expect(headerOf(request, "transfer-encoding")).toBe("chunked");
        expect(request.body.includes(SYSTEM)).toBe(mount === "prompted");
        expect(request.body.includes(SPOKEN)).toBe(true);
      }
    }
  });

  it("sends down no cookie, no credential that was echoed and nothing forged, and all else", () => {
    for (const { crossing } of each()) expectCleanDown(audit, crossing);
  });

  it("explains every answer, an error too", () => {
    for (const one of each()) expectExplained(one.crossing, one);
  });

  it("says nothing in an error of its own but what is wrong", () => {
    for (const { crossing, outcome } of each())
      if (outcome.error !== undefined) expectReticent(audit, crossing);
  });
});

describe.each(MOUNTS)("a client that leaves, %s", (mount) => {
  const chunks = [{ bytes: "data: {}\n\n" }];
  const streams: Header[] = [["content-type", "text/event-stream"]];
  it.each([
    ["before the first byte", "silent" as const, ({ up }: { up: unknown[] }) => up.length > 0],
    [
      "in the middle of a stream",
      (request: UpstreamRequest) => ({
        headers: [...streams, ...answerHeaders(request)],
        chunks,
        end: "open" as const,
      }),
      ({ down }: { down: Crossing["down"] | null }) => down?.response?.bodyAtMs != null,
    ],
  ])("has sent up nothing more, %s", async (_, script, isTime) => {
    for (const row of Object.values(ROWS)) {
      for (const key of [null, audit.keys.good]) {
        const [one] = casesOf(row, mount, key, audit.keys);
        const crossing = await leaveWhen(audit, requestOf(one!), script, isTime);
        expect(crossing.up.length).toBe(1);
        expectCleanUp(audit, crossing, { kept: one!.sent.kept, target: one!.target });
        if (crossing.down.response !== null) expectCleanDown(audit, crossing);
        await until(() => audit.upstream.exchanges()[0]?.clientClosed);
      }
    }
  });
});

/** Of rows whose credential does not hang on their path: sessions are at one path for all. */
const SESSIONS = Object.entries(ROWS).filter(([label]) => !label.includes(", as "));

describe.each(MOUNTS)("a WebSocket, %s", (mount) => {
  it.each(SESSIONS)("carries what any request does, and no more: %s", async (_, provided) => {
    const row = { ...provided, path: "/v1/realtime?model=m" };
    for (const key of [null, audit.keys.good]) {
      const sent = credentialsOf(row, key);
      const never = NEVER_UP.map(([name, value]): Header => {
        return [name, name === "Connection" ? `Upgrade, ${value}` : value];
      });
      const headers: Header[] = [...HANDSHAKE, ...never, ...ALWAYS_UP, ...sent.headers];
      const prefix = mount === "prompted" ? `/p/${PROMPT}` : "";
      const url = `${prefix}/${row.provider}${withQuery(row.path, sent.query)}`;
      const request = { method: "GET", url, headers };
      const crossing = await leaveWhen(audit, request, "silent", ({ down }) => down?.response != null);
      expect(crossing.down.response?.status).toBe(101);
      expectCleanUp(audit, crossing, { kept: sent.kept, target: withQuery(row.path, sent.keptQuery) });
      expectNoSecret(audit, JSON.stringify(crossing.down.response!.headers));
      expect(lower(crossing.down.response!.headers)).toEqual(expect.arrayContaining(lower(ALWAYS_UP)));
      expectExplained(crossing, { outcome: { answer: null, status: 101 }, mount });
    }
  });
});

type Put = (key: string) => { headers?: Header[]; query?: string };

function bearer(credential: string): Header {
  return ["Authorization", `Bearer ${credential}`];
}

describe("a key of ours where no SDK puts one", () => {
  const places: { [place: string]: Put } = {
    "another scheme": (key) => ({ headers: [["Authorization", `Token ${key}`]] }),
    "a header of its own": (key) => ({ headers: [["Ocp-Apim-Subscription-Key", key]] }),
    "a list in a header": (key) => ({ headers: [["X-Api-Key", `${OWN}, ${key}`]] }),
    "a second Authorization": (key) => ({ headers: [bearer(OWN), bearer(key)] }),
    "JSON in a header": (key) => ({ headers: [["X-Config", JSON.stringify({ key })]] }),
    "a parameter of any name": (key) => ({ query: `access_token=${key}` }),
    "the query, beside others": (key) => ({ query: `a=%20&key=${key}&b` }),
    "a subprotocol beside another credential": (key) => ({
      headers: [bearer(OWN), ["Sec-WebSocket-Protocol", `realtime, openai-insecure-api-key.${key}`]],
    }),
  };
  it.each(Object.entries(places))("does not go up, nor does a token: %s", async (_, put) => {
    for (const label of ["openai", "anthropic", "my-llm"]) {
      const row = ROWS[label]!;
      for (const key of [audit.keys.good, audit.keys.token]) {
        const { headers = [], query = null } = put(key);
        const url = `/${row.provider}${withQuery(row.path, query)}`;
        const request = { url, headers: [...ALWAYS_UP, ...headers], body: bodyOf(row) };
        const { down, up } = await cross(audit, "reaching", request, json({ ok: true }));
        const isRefused = key === audit.keys.token && up.length === 0;
        expect(down.response?.status).toBe(isRefused ? 401 : 200);
        if (isRefused) continue;
        const sent = up[0]!.request;
        expect(sent.url + JSON.stringify(sent.headers)).not.toMatch(/sbt?_/);
        expect(lower(sent.headers)).toEqual(expect.arrayContaining(lower(ALWAYS_UP)));
      }
    }
  });
});

function echo(status: number): (request: UpstreamRequest) => Reply {
  return (request) => json({ ok: true }, { status, headers: answerHeaders(request) });
}

/** What the Worker answers with its own credentials of AWS, or by its binding. */
describe.each(MOUNTS)("without a secret to put into a header, %s", (mount) => {
  const prefix = mount === "prompted" ? `/p/${PROMPT}` : "";
  const statuses = [200, 400, 500];

  it.each(statuses)("bedrock is signed for, and no part of the pair comes down: %i", async (status) => {
    const row = ROWS["bedrock"]!;
    const { headers } = credentialsOf(row, audit.keys.good);
    const request = {
      url: `${prefix}/bedrock${row.path}`,
      headers: [...NEVER_UP, ...ALWAYS_UP, ...headers] as Header[],
      body: bodyOf(row),
    };
    const crossing = await cross(audit, "own", request, echo(status));
    const { headers: sent } = crossing.up[0]!.request;
    const names = ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];
    // Answers to prompted turns are read, so they are to come as they are.
    const own = new Set([...names, "accept-encoding", ...lower(ALWAYS_UP).map(([name]) => name), ...WIRE]);
    expect(lower(sent).filter(([name]) => !own.has(name))).toEqual([]);
    expect(lower(sent).map(([name]) => name)).toEqual(expect.arrayContaining(names));
    expect(headerOf(crossing.up[0]!.request, "authorization")).toContain(`Credential=${AWS.id}/`);
    expect(headerOf(crossing.up[0]!.request, "x-amz-security-token")).toBe(AWS.session);
    expect(JSON.stringify(crossing.up)).not.toContain(AWS.secret);
    expect(crossing.down.response?.status).toBe(status);
    expectCleanDown(audit, crossing);
    expectExplained(crossing, { outcome: { answer: null, status }, mount });
  });

  it.each(statuses)("the binding carries no header of the client's: %i", async (status) => {
    const row = ROWS["workers-ai"]!;
    const { headers } = credentialsOf(row, audit.keys.good);
    const request = {
      url: `${prefix}/workers-ai/run/@cf/m`,
      headers: [...NEVER_UP, ...ALWAYS_UP, ...headers] as Header[],
      body: bodyOf(row),
    };
    const crossing = await cross(audit, "own", request, echo(status));
    expect(crossing.down.response?.status).toBe(status);
    const sent = JSON.stringify(crossing.up[0]!.request.headers);
    for (const secret of [NEVER, ALIEN, "sb_", "app/1.0", "gl-node"]) expect(sent).not.toContain(secret);
    expectNoSecret(audit, JSON.stringify(crossing.down.response?.headers));
    expectExplained(crossing, { outcome: { answer: null, status }, mount });
  });

  it("nobody gets in without a key", async () => {
    const row = ROWS["bedrock"]!;
    const headers: Header[] = [...NEVER_UP, ...ALWAYS_UP, ["Authorization", `Bearer ${OWN}`]];
    const request = { url: `${prefix}/bedrock${row.path}`, headers, body: bodyOf(row) };
    const crossing = await cross(audit, "own", request, json({ ok: true }));
    expect(crossing.up).toEqual([]);
    expectCleanDown(audit, crossing);
    const outcome = { answer: null, status: 401, error: "unauthenticated", decision: null };
    expectExplained(crossing, { outcome, mount });
    expectReticent(audit, crossing);
  });
});

describe("while nobody can say what is to be done", () => {
  it("the answer explains itself, and the log says what failed and nothing else", async () => {
    await audit.cluster.edges[2]!.setFaults({ control: "dead", registry: "dead", store: "dead" });
    for (const label of ["openai", "anthropic", "gemini", "bedrock"]) {
      const row = ROWS[label]!;
      for (const key of [null, audit.keys.unknown]) {
        const { headers, query } = credentialsOf(row, key);
        const url = `/p/cold/${row.provider}${withQuery(row.path, query)}`;
        const all: Header[] = [...NEVER_UP, ...ALWAYS_UP, ...headers];
        const request = { url, headers: all, body: bodyOf(row) };
        const crossing = await cross(audit, "impatient", request, json({ ok: true }));
        expect(crossing.up).toEqual([]);
        expect(crossing.down.response?.status).toBe(503);
        expectCleanDown(audit, crossing);
        const outcome = {
          answer: null,
          status: 503,
          error: "release_unavailable",
          decision: null,
          prompt: "cold",
        };
        expectExplained(crossing, { outcome, mount: "prompted" });
        expectReticent(audit, crossing);
      }
    }
    const { logs } = audit.cluster;
    await until(() => logs.some(({ message }) => message.includes("sync_failed")));
  });

  it("no log of all this has a secret in it, or a word of a prompt", () => {
    const text = audit.cluster.logs.map(({ message }) => message).join("\n");
    expectNoSecret(audit, text);
    for (const secret of [SYSTEM, SPOKEN, VARIABLE, AWS.id, AWS.secret, AWS.session, "sb_", "key="]) {
      expect(text).not.toContain(secret);
    }
  });
});
