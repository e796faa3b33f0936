// A stream whose provider dies in the middle says so in the words of its own format, and then breaks: to no reader does
// it look like a whole one.

import { afterAll, beforeAll, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { eventFrame, readFrames } from "../support/aws-frames.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

let upstream: Upstream;
let cluster: Cluster;

beforeAll(async () => {
  upstream = await startUpstream();
  const names = ["OPENAI", "ANTHROPIC", "GEMINI", "BEDROCK"];
  const vars = Object.fromEntries(names.map((name) => [`UPSTREAM_${name}`, upstream.url]));
  cluster = await startCluster({ edges: 1, vars });
  const admin = connectAdmin(cluster.control.url);
  await admin.put("bot");
  await admin.push("bot", { system: "Be kind." });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

const SSE = "text/event-stream";
const messages = [{ role: "user", content: "Hi" }];
const contents = [{ role: "user", parts: [{ text: "Hi" }] }];
const STREAM = "/v1beta/models/gemini-3:streamGenerateContent";
const MESSAGE = "The provider broke off its answer.";

/** Path, body, content type, what came before the break, and what the client reads behind it. */
const CASES: [string, object, string, string | Buffer, RegExp][] = [
  [
    "openai/v1/chat/completions",
    { messages, stream: true },
    SSE,
    'data: {"a":',
    /^data: \{"a":\n\ndata: \{"error":\{/,
  ],
  [
    "openai/v1/responses",
    { input: "Hi", stream: true },
    SSE,
    "event: x\ndata: {}\n\n",
    /\n\nevent: response\.failed\ndata: \{"type":"response\.failed"/,
  ],
  [
    "anthropic/v1/messages",
    { messages, stream: true },
    SSE,
    "event: message_start\ndata: {}\n\n",
    /\n\nevent: error\ndata: \{"type":"error"/,
  ],
  [
    `gemini${STREAM}?alt=sse`,
    { contents },
    SSE,
    'data: {"candidates":[]}\r\n\r\n',
    /\ndata: \{"error":\{"code":502/,
  ],
  [
    `gemini${STREAM}`,
    { contents },
    "application/json; charset=UTF-8",
    '[{"candidates":[]}',
    /^\[\{"candidates":\[\]\}\n,\n\{"error"/,
  ],
];

async function readBroken(path: string, body: object, type: string, sent: string | Buffer): Promise<Buffer> {
  const headers: [string, string][] = [["content-type", type]];
  upstream.play({ headers, chunks: [{ bytes: sent }], end: "cut" });
  const answer = await fetch(`${cluster.edges[0]!.url}/p/bot/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const got: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of answer.body!) got.push(Buffer.from(chunk as Uint8Array));
  })();
  await expect(reading).rejects.toThrow();
  return Buffer.concat(got);
}

it.each(CASES)("%s", async (path, body, type, sent, expected) => {
  const text = (await readBroken(path, body, type, sent)).toString();
  expect(text).toMatch(expected);
  expect(text).toContain(MESSAGE);
  if (type.startsWith("application/json")) expect(JSON.parse(text)).toHaveLength(2);
});

it("bedrock/model/m/converse-stream", async () => {
  const body = { messages: [{ role: "user", content: [{ text: "Hi" }] }] };
  const type = "application/vnd.amazon.eventstream";
  const first = eventFrame("messageStart", { role: "assistant" });
  const got = await readBroken("bedrock/model/m/converse-stream", body, type, first);
  const [, words] = readFrames(got.at(-1) === 0x0a ? got.subarray(0, -1) : got);
  expect(words?.headers[":message-type"]).toBe("exception");
  expect(words?.payload).toContain(MESSAGE);
});
