// Clients that leave while they send: no bug of ours, so nobody is paged for it, and nothing of it reaches the provider. One
// that only stopped sending is told.

import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

let upstream: Upstream;
let cluster: Cluster;

beforeAll(async () => {
  upstream = await startUpstream();
  const held = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "held", AWS_REGION: "us-east-1" };
  const vars = { UPSTREAM_OPENAI: upstream.url, UPSTREAM_BEDROCK: upstream.url, ...held };
  cluster = await startCluster({ edges: 1, vars });
  const admin = connectAdmin(cluster.control.url);
  await admin.put("bot");
  await admin.push("bot", { system: "Be kind." });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(json({})));

const PATHS = {
  "with a prompt": "/p/bot/openai/v1/chat/completions",
  "without one": "/openai/v1/chat/completions",
};
const FRAMINGS = {
  "of known length": ["content-length: 9000", '{"model":"'],
  "large, in its first bytes": ["content-length: 9000000", '{"model":"'],
  // No object, so that it would be read whole.
  "large, in the middle": ["content-length: 9000000", `[${'{"model":"'.repeat(60_000)}`],
  "in pieces": ["transfer-encoding: chunked", '9\r\n{"model":\r\n'],
} as const;
const cases = Object.entries(PATHS).flatMap(([what, path]) =>
  Object.entries(FRAMINGS).map(([how, framing]) => [`${what}, ${how}`, path, ...framing] as const),
);

/** A connection on which half a body was sent. */
async function sendHalf(
  path: string,
  framing: string,
  half: string,
  header = "accept: */*",
): Promise<Socket> {
  const socket = connect(cluster.edges[0]!.port, "127.0.0.1");
  socket.on("error", () => undefined);
  const head = `POST ${path} HTTP/1.1\r\nhost: proxy.test\r\ncontent-type: application/json\r\n${header}\r\n`;
  await new Promise<void>((resolve) => socket.write(`${head}${framing}\r\n\r\n${half}`, () => resolve()));
  return socket;
}

const LOST = "invalid_request";
const answerOf = (reply: string) => [
  /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1],
  /^prompt-error: (\w+)/im.exec(reply)?.[1],
];

describe("a body that breaks off", () => {
  it.each(cases)("is refused: %s", async (_, path, framing, half) => {
    const socket = await sendHalf(path, framing, half);
    // The write side alone is closed: this client still listens.
    socket.end();
    expect(answerOf(await text(socket))).toEqual(["400", LOST]);
    expect(upstream.exchanges()).toEqual([]);
  });

  it("is refused where it would have been signed", async () => {
    const admin = connectAdmin(cluster.control.url);
    const { key } = (await admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" })).body;
    const bearer = `authorization: Bearer ${key}`;
    const socket = await sendHalf("/bedrock/model/m/invoke", "content-length: 9000", "{", bearer);
    socket.end();
    expect(answerOf(await text(socket))).toEqual(["400", LOST]);
    expect(upstream.exchanges()).toEqual([]);
  });

  it.each(cases)("pages nobody: %s", async (_, path, framing, half) => {
    cluster.logs.length = 0;
    for (const leave of ["destroy", "resetAndDestroy"] as const) {
      const socket = await sendHalf(path, framing, half);
      socket[leave]();
    }
    // One that comes after them is served, and by then they are over.
    const response = await until(() => fetch(`${cluster.edges[0]!.url}/openai/v1/models`));
    expect([response.status, cluster.logs]).toEqual([200, []]);
  });
});
