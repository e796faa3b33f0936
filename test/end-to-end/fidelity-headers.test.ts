// Which headers cross the Worker, as an audit on the wire: what must never go up or come down does not, and everything
// else does, next month's headers included.

import { describe, expect, test } from "vitest";
import { comparable } from "../support/fidelity.ts";
import { headerOf, type Header } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import { json } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { completion, HELLO } from "./sdk-replies.ts";
import { PROMPT, useRig } from "./sdk-rig.ts";

const rig = useRig();

const MOUNTS = {
  "openai, prompted": `/p/${PROMPT}/openai/v1/chat/completions`,
  "openai, passed through": "/openai/v1/files",
  "anthropic, prompted": `/p/${PROMPT}/anthropic/v1/messages`,
  "anthropic, passed through": `/p/${PROMPT}/anthropic/v1/files`,
};

/** Sends a turn with these headers and answers it with those; returns what went up and what came down. */
async function cross(
  url: string,
  up: Header[],
  down: Header[] = [],
): Promise<{ up: Header[]; down: Header[] }> {
  for (const tap of Object.values(rig.clients)) tap.clear();
  rig.upstream.play(json(completion, { headers: down }));
  const body = JSON.stringify({ model: "m", max_tokens: 1, messages: HELLO });
  await sendRaw(rig.clients.upstream.port, {
    url,
    body,
    headers: [["Content-Type", "application/json"], ...up],
  });
  const [client] = await until(() => {
    const seen = rig.clients.upstream.exchanges();
    return seen[0]?.response?.complete && seen;
  });
  const [provider] = rig.upstream.exchanges();
  return { up: provider?.request.headers ?? [], down: client!.response!.headers };
}

function names(headers: Header[]): string[] {
  return headers.map(([name]) => name.toLowerCase());
}

describe.each(Object.entries(MOUNTS))("%s", (mount, url) => {
  test("ours, the network's, the connection's and the browser's headers never go up", async () => {
    const never: Header[] = [
      ["Prompt-Key", "user-1"],
      ["Prompt-Whatever", "x"],
      ["Cookie", "session=1"],
      ["X-Forwarded-For", "10.0.0.1"],
      ["X-Forwarded-Proto", "https"],
      ["X-Forwarded-Anything", "x"],
      ["Forwarded", "for=10.0.0.1"],
      ["X-Real-IP", "10.0.0.1"],
      ["CF-Connecting-IP", "10.0.0.1"],
      ["CF-Ray", "1"],
      ["CF-Access-Jwt-Assertion", "x"],
      ["CDN-Loop", "cloudflare"],
      ["Via", "1.1 x"],
      ["Proxy-Authorization", "Basic eDp5"],
      ["TE", "trailers"],
      ["Keep-Alive", "timeout=5"],
      ["Connection", "X-Only-Here"],
      ["X-Only-Here", "1"],
    ];
    const { up } = await cross(url, never);
    const wire = new Set(["host", "content-type", "content-length", "connection", "transfer-encoding"]);
    // Answers to prompted turns are read as they go by.
    if (mount.endsWith("prompted")) wire.add("accept-encoding");
    expect(names(up).filter((name) => !wire.has(name))).toEqual([]);
  });

  test("everything else goes up, with its value", async () => {
    const always: Header[] = [
      ["Authorization", "Bearer of-the-client"],
      ["User-Agent", "app/1.0"],
      ["Accept", "application/json, text/event-stream"],
      ["Idempotency-Key", "k-1"],
      ["OpenAI-Organization", "org"],
      ["OpenAI-Beta", "responses=v1"],
      ["anthropic-version", "2023-06-01"],
      ["anthropic-beta", "next-month-2027-01-01,other"],
      ["X-Stainless-Retry-Count", "1"],
      ["X-Next-Month", "a, b"],
      ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
      ["X-Claude-Code-Session-Id", "s"],
    ];
    const sent: Header[] = [...always, ["Accept-Encoding", "br;q=0.5, zstd"]];
    const encoding = mount.endsWith("prompted") ? "identity" : "br;q=0.5, zstd";
    const { up } = await cross(url, sent);
    const wanted: Header[] = [...always, ["Accept-Encoding", encoding]];
    expect(comparable(up)).toEqual(expect.arrayContaining(comparable(wanted)));
  });

  test("cookies, credentials and forged headers of ours never come down; limits, hints and ids do", async () => {
    const never: Header[] = [
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["Authorization", "Bearer secret"],
      ["X-Api-Key", "secret"],
      ["Api-Key", "secret"],
      ["X-Goog-Api-Key", "secret"],
      ["Prompt-Version", "forged"],
      ["Prompt-Error", "forged"],
      ["Proxy-Authenticate", "Basic"],
    ];
    const always: Header[] = [
      ["X-Request-Id", "req_1"],
      ["Request-Id", "req_1"],
      ["Retry-After", "7"],
      ["Retry-After-Ms", "7000"],
      ["X-Should-Retry", "true"],
      ["X-RateLimit-Remaining-Tokens", "1"],
      ["anthropic-ratelimit-unified-5h-remaining", "1"],
      ["OpenAI-Processing-Ms", "12"],
      ["Server-Timing", "provider;dur=1"],
      ["X-Next-Month", "yes"],
    ];
    const { down } = await cross(url, [], [...never, ...always]);
    const unwanted = new Set(names(never).filter((name) => name !== "prompt-version"));
    expect(names(down).filter((name) => unwanted.has(name))).toEqual([]);
    expect(down).not.toContainEqual([expect.anything(), "forged"]);
    expect(down).not.toContainEqual([expect.anything(), expect.stringContaining("secret")]);
    const others = always.filter(([name]) => name !== "Server-Timing");
    expect(comparable(down)).toEqual(expect.arrayContaining(comparable(others)));
    const timing = comparable(down).find(([name]) => name === "server-timing")?.[1];
    expect(timing).toMatch(/provider;dur=1.*proxy;dur=\d/);
  });
});

describe("credentials", () => {
  const theirs: Header[] = [
    ["X-Api-Key", "sk-ant-x"],
    ["X-Goog-Api-Key", "AIza-x"],
    ["Api-Key", "azure-x"],
  ];

  test("another provider's do not go up; one's own does", async () => {
    const openai = await cross(MOUNTS["openai, prompted"], [["Authorization", "Bearer sk-x"], ...theirs]);
    expect(headerOf({ headers: openai.up }, "authorization")).toBe("Bearer sk-x");
    expect(names(openai.up)).not.toContain("x-api-key");
    const anthropic = await cross(MOUNTS["anthropic, prompted"], theirs);
    expect(headerOf({ headers: anthropic.up }, "x-api-key")).toBe("sk-ant-x");
    for (const { up } of [openai, anthropic]) {
      expect(names(up)).not.toContain("x-goog-api-key");
      expect(names(up)).not.toContain("api-key");
    }
  });

  test("a key of ours never goes up, wherever it stands", async () => {
    for (const url of Object.values(MOUNTS)) {
      for (const header of [
        ["Authorization", "Bearer sb_live"],
        ["authorization", "bearer  sb_live"],
        ["X-Api-Key", "sb_live"],
      ] satisfies Header[]) {
        await cross(url, [header]);
        const sent = rig.upstream.exchanges().map(({ request }) => JSON.stringify(request.headers));
        expect(sent.join()).not.toContain("sb_live");
      }
    }
  });
});
