// Bedrock with a proxy key, on the wire: what goes up is signed anew over the body that really goes up, valid by an
// implementation of the service's side that shares no line with ours. What cannot be valid is refused with its mend.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectAdmin } from "../support/admin.ts";
import { type Cluster, type Isolate, startCluster } from "../support/cluster.ts";
import { verifySignature } from "../support/sigv4.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { HELLO } from "./sdk-replies.ts";

const PROMPT = "support-bot";
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const MAX_BODY_BYTES = 64 * 1024;
const CONVERSE = "/model/anthropic.claude-v2%3A1/converse";

let upstream: Upstream;
let cluster: Cluster;
let signing: Isolate;
let bearer: Isolate;
let bare: Isolate;
let key: string;

beforeAll(async () => {
  upstream = await startUpstream();
  const pair = { AWS_ACCESS_KEY_ID: "AKIA-held", AWS_SECRET_ACCESS_KEY: SECRET };
  cluster = await startCluster({
    edges: 3,
    vars: { UPSTREAM_BEDROCK: upstream.url, MAX_BODY_BYTES: String(MAX_BODY_BYTES) },
    edgeVars: [
      { ...pair, AWS_SESSION_TOKEN: "session-held", AWS_REGION: "eu-central-1" },
      { ...pair, BEDROCK_API_KEY: "bedrock-api-key-held" },
      {},
    ],
  });
  [signing, bearer, bare] = cluster.edges as [Isolate, Isolate, Isolate];
  const admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: "Be kind." });
  key = (await admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" })).body.key;
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.play(json({ output: {} })));

/** As an AWS SDK signs: with our key for its access key id, and a secret that means nothing. */
function signedBy(accessKeyId: string): Record<string, string> {
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${"0".repeat(64)}`,
    "x-amz-date": "20260101T000000Z",
    "x-amz-security-token": "session-of-the-client",
    "x-amz-content-sha256": "0".repeat(64),
    "amz-sdk-request": "attempt=1; max=3",
  };
}

function send(edge: Isolate, path: string, headers: Record<string, string>, body: BodyInit = "{}") {
  return fetch(edge.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    ...(body instanceof ReadableStream && { duplex: "half" }),
  } as RequestInit);
}

function verdict() {
  const { request } = upstream.exchanges()[0]!;
  return { ...verifySignature(request, SECRET), request };
}

describe("a call with a key of ours for its access key id", () => {
  it("is signed anew with the Worker's credentials, and keeps nothing of the client's", async () => {
    const response = await send(signing, `/bedrock${CONVERSE}`, signedBy(key));
    expect(response.status).toBe(200);
    const { request, ...found } = verdict();
    expect(found).toMatchObject({
      valid: true,
      accessKeyId: "AKIA-held",
      region: "eu-central-1",
      service: "bedrock",
    });
    expect(request.url).toBe(CONVERSE);
    const headers = new Map(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(headers.get("x-amz-security-token")).toBe("session-held");
    expect(headers.get("amz-sdk-request")).toBe("attempt=1; max=3");
    expect(JSON.stringify(request.headers)).not.toMatch(/sb_|of-the-client/);
    const signedAtMs = Date.parse(
      (headers.get("x-amz-date") ?? "").replace(
        /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
        "$1-$2-$3T$4:$5:$6Z",
      ),
    );
    expect(Math.abs(Date.now() - signedAtMs)).toBeLessThan(60_000);
  });

  it("is signed over the body that a prompt was put into", async () => {
    const body = JSON.stringify({ model: "m", messages: HELLO });
    const path = `/p/${PROMPT}/bedrock/openai/v1/chat/completions`;
    expect((await send(signing, path, { authorization: `Bearer ${key}` }, body)).status).toBe(200);
    const { valid, request } = verdict();
    expect(valid).toBe(true);
    expect(request.body.toString()).toContain("Be kind.");
  });

  it("is signed over a body of unstated length too", async () => {
    const parts = ["{", '"a":', "1}"];
    const stream = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(part));
      },
    });
    expect((await send(signing, `/bedrock${CONVERSE}`, signedBy(key), stream)).status).toBe(200);
    const { valid, request } = verdict();
    expect(valid).toBe(true);
    expect(request.body.toString()).toBe('{"a":1}');
  });

  it("is refused when its body is too large to be held for that", async () => {
    const response = await send(
      signing,
      `/bedrock${CONVERSE}`,
      signedBy(key),
      "x".repeat(MAX_BODY_BYTES + 1),
    );
    expect(response.status).toBe(413);
    expect(response.headers.get("prompt-error")).toBe("body_too_large");
    expect(upstream.exchanges()).toEqual([]);
  });

  it("goes with the Bedrock API key where the Worker holds one, unsigned", async () => {
    expect((await send(bearer, `/bedrock${CONVERSE}`, signedBy(key))).status).toBe(200);
    const headers = upstream.exchanges()[0]!.request.headers;
    expect(headers).toContainEqual([
      expect.stringMatching(/^authorization$/i),
      "Bearer bedrock-api-key-held",
    ]);
    expect(JSON.stringify(headers)).not.toMatch(/x-amz-(date|security|content)/i);
  });

  it("is refused with its mend where the Worker holds nothing", async () => {
    const response = await send(bare, `/bedrock${CONVERSE}`, signedBy(key));
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("AWS_SECRET_ACCESS_KEY");
    expect(upstream.exchanges()).toEqual([]);
  });
});

describe("a call without a key of ours", () => {
  it.each([`/bedrock${CONVERSE}`, `/p/${PROMPT}/bedrock/openai/v1/chat/completions`])(
    "that the client has signed itself is refused with its mend: %s",
    async (path) => {
      const response = await send(signing, path, signedBy("AKIA-of-the-client"));
      expect(response.status).toBe(401);
      expect(response.headers.get("prompt-error")).toBe("unauthenticated");
      expect(await response.text()).toContain("AWS_BEARER_TOKEN_BEDROCK");
      expect(upstream.exchanges()).toEqual([]);
    },
  );

  it("keeps the client's own Bedrock API key", async () => {
    const own = { authorization: "Bearer bedrock-api-key-of-the-client" };
    expect((await send(signing, `/bedrock${CONVERSE}`, own)).status).toBe(200);
    const { headers } = upstream.exchanges()[0]!.request;
    expect(headers).toContainEqual([expect.stringMatching(/^authorization$/i), own.authorization]);
    expect(JSON.stringify(headers)).not.toContain("held");
  });
});
