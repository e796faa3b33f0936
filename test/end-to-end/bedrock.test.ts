// Bedrock's wire formats on the wire: where the prompt goes, the model in the path, binary streams byte for byte, errors
// that AWS's SDKs raise as their own exceptions. (With the SDK itself: test/sdks.)

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { eventFrame, exceptionFrame, readFrames } from "../support/aws-frames.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { seededRandom } from "../wire/random.ts";
import { json, startUpstream, type Chunk, type Reply, type Upstream } from "../support/upstream.ts";

const PROMPT = "support-bot";
const CLAUDE = "/model/us.anthropic.claude-sonnet-5-v1%3A0";
const NOVA = "/model/amazon.nova-pro-v1:0";
const USER = { role: "user", content: [{ text: "Hi" }] };

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let edge: string;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({ edges: 1, vars: { UPSTREAM_BEDROCK: upstream.url } });
  admin = connectAdmin(cluster.control.url);
  edge = cluster.edges[0]!.url;
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "Be kind.", params: { max_output_tokens: 9 } });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(json({ output: {} })));

function post(path: string, body: object, headers: Record<string, string> = {}, prompt = PROMPT) {
  const mount = prompt === "" ? "" : `/p/${prompt}`;
  return fetch(`${edge}${mount}/bedrock${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer bedrock-api-key", ...headers },
    body: JSON.stringify(body),
  });
}

/** What reached the provider last. */
function sent(): { url: string; body: unknown } {
  const { request } = upstream.exchanges().at(-1)!;
  return { url: request.url, body: JSON.parse(request.body.toString()) as unknown };
}

function framed(chunks: Chunk[], end: Reply["end"] = "clean"): Reply {
  return { headers: [["content-type", "application/vnd.amazon.eventstream"]], chunks, end };
}

describe("a turn", () => {
  it("of Converse gets its system block and its parameters, and keeps its path as it was", async () => {
    const answer = await post(`${CLAUDE}/converse?x=%2F`, { messages: [USER] });
    expect(answer.headers.get("prompt-version")).toBe("1");
    expect(sent()).toEqual({
      url: `${CLAUDE}/converse?x=%2F`,
      body: { inferenceConfig: { maxTokens: 9 }, system: [{ text: "Be kind." }], messages: [USER] },
    });
  });

  it("goes to the model that the version forces, escaped as AWS's SDKs do", async () => {
    await admin.put("forced");
    const model = "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.anthropic.claude-v1:0";
    await admin.push("forced", { system: "S", model });
    await post("/model/prompt%3Aforced/converse", { messages: [USER] }, {}, "");
    expect(sent().url).toBe(`/model/${encodeURIComponent(model)}/converse`);
    await post(`${CLAUDE}/invoke`, { anthropic_version: "b", messages: [] }, {}, "forced");
    expect(sent()).toEqual({
      url: `/model/${encodeURIComponent(model)}/invoke`,
      body: { anthropic_version: "b", system: "S", messages: [] },
    });
  });

  it("is counted with its prompt", async () => {
    await post(`${NOVA}/count-tokens`, { input: { converse: { messages: [USER] } } });
    expect(sent().body).toEqual({
      input: { converse: { system: [{ text: "Be kind." }], messages: [USER] } },
    });
  });

  it("of a model whose bodies nobody knows is refused, and passes where it names no prompt", async () => {
    const refused = await post(`${NOVA}/invoke`, { inputText: "Hi" });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("x-amzn-errortype")).toBe("ValidationException");
    expect(upstream.exchanges()).toEqual([]);
    const profile = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprofile%2Fx/invoke";
    expect((await post(profile, { inputText: "Hi" })).status).toBe(400);
    expect((await post(profile, { inputText: "Hi" }, {}, "")).status).toBe(200);
    expect(sent().body).toEqual({ inputText: "Hi" });
  });
});

describe("an error of ours", () => {
  it("has the name and the message that AWS's SDKs raise", async () => {
    const answer = await post(`${CLAUDE}/converse`, { messages: [USER] }, {}, "nobody");
    expect(answer.status).toBe(404);
    expect(answer.headers.get("x-amzn-errortype")).toBe("ResourceNotFoundException");
    expect(answer.headers.get("x-amzn-requestid")).toBe(answer.headers.get("prompt-request-id"));
    expect(answer.headers.get("prompt-error")).toBe("prompt_not_found");
    expect(Object.keys((await answer.json()) as object)).toEqual(["message"]);
  });
});

describe("a binary stream", () => {
  const frames = [
    eventFrame("messageStart", { role: "assistant" }),
    eventFrame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Grüße 🦊" } }),
    eventFrame("messageStop", { stopReason: "end_turn" }),
    eventFrame("metadata", { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }),
  ];

  it("passes byte for byte, whatever is in it and wherever it is cut", async () => {
    const seed = Math.floor(Math.random() * 0x1_0000_0000);
    const random = seededRandom(seed);
    for (let index = 0; index < 350; index += 1) {
      const isInvoked = random.chance(0.5);
      const whole = Buffer.concat(
        Array.from({ length: 1 + random.int(8) }, () =>
          eventFrame(isInvoked ? "chunk" : "contentBlockDelta", { text: "Grüße 🦊".repeat(random.int(60)) }),
        ),
      );
      const chunks: Chunk[] = [];
      for (let from = 0; from < whole.length;) {
        const to = Math.min(
          whole.length,
          from + 1 + random.int(random.pick([3, 60, 900])) + whole.length / 40,
        );
        chunks.push({ bytes: whole.subarray(from, Math.floor(to)) });
        from = Math.floor(to);
      }
      upstream.play(framed(chunks));
      const answer = isInvoked
        ? await post(`${CLAUDE}/invoke-with-response-stream`, { anthropic_version: "b", messages: [] })
        : await post(`${CLAUDE}/converse-stream`, { messages: [USER] });
      expect(answer.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
      const got = Buffer.from(await answer.arrayBuffer());
      expect(got.equals(whole), `seed ${seed}, stream ${index}`).toBe(true);
    }
  });

  it.each([
    ["converse-stream", { messages: [USER] }],
    ["invoke-with-response-stream", { anthropic_version: "b", messages: [] }],
  ])("of %s that breaks off ends in an exception, never cleanly", async (operation, body) => {
    upstream.play(framed([{ bytes: frames[0]! }, { bytes: frames[1]!, afterMs: 5 }], "cut"));
    const answer = await post(`${CLAUDE}/${operation}`, body);
    const got: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of answer.body!) got.push(Buffer.from(chunk as Uint8Array));
    })();
    await expect(reading).rejects.toThrow();
    const bytes = Buffer.concat(got);
    // The byte behind the words may be lost with the connection.
    const words = readFrames(bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes);
    expect(words.slice(0, -1).map(({ headers }) => headers[":event-type"])).toEqual([
      "messageStart",
      "contentBlockDelta",
    ]);
    expect(words.at(-1)?.headers).toMatchObject({
      ":message-type": "exception",
      ":exception-type": "modelStreamErrorException",
    });
  });

  it("of a canary whose first frame is an exception is answered by the baseline", async () => {
    await admin.put("shielded");
    await admin.push("shielded", { system: "Baseline." });
    const { version } = await admin.push("shielded", { system: "Canary." });
    await admin.canary("shielded", version, 100, { transition: "now" });
    const overloaded = exceptionFrame("validationException", "too long");
    upstream.play(({ body }) => {
      if (!body.includes("Canary.")) return framed(frames.map((bytes) => ({ bytes })));
      // In two pieces, so that the first one says nothing yet.
      return framed([{ bytes: overloaded.subarray(0, 20) }, { bytes: overloaded.subarray(20), afterMs: 5 }]);
    });
    const answer = await post(`${CLAUDE}/converse-stream`, { messages: [USER] }, {}, "shielded");
    expect(answer.headers.get("prompt-reason")).toBe("fallback");
    expect(Buffer.from(await answer.arrayBuffer()).equals(Buffer.concat(frames))).toBe(true);
  });
});
