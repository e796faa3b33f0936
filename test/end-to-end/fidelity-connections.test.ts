// Connections, not messages: uploads that are streamed, refusals while a client still uploads, departures on a bare
// socket, and WebSockets.

import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { headerOf } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import type { Exchange } from "../support/tap.ts";
import { json, sse } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { chatChunks, HELLO, MODEL } from "./sdk-replies.ts";
import {
  ABORT_DEADLINE_MS,
  MAX_BODY_BYTES,
  openai,
  PROMPT,
  readOne,
  untilProviderIsLeft,
  useRig,
} from "./sdk-rig.ts";

const rig = useRig();
const FILES = `/p/${PROMPT}/openai/v1/files`;

function openUpload(port: number, headers: string): ReturnType<typeof connect> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`POST ${FILES} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
  return socket;
}

describe("uploads", () => {
  test("are streamed: the provider has the first bytes while the client still writes", async () => {
    rig.upstream.play(json({ id: "file-1" }));
    const socket = openUpload(rig.clients.upstream.port, "Transfer-Encoding: chunked");
    socket.write("5\r\nfirst\r\n");
    await until(() => rig.upstream.exchanges()[0]?.request.body.toString() === "first");
    socket.write("4\r\nlast\r\n0\r\n\r\n");
    const { request } = await until(() => rig.upstream.exchanges().find((each) => each.response?.complete));
    socket.destroy();
    expect(request.body.toString()).toBe("firstlast");
  });

  test("that the client gives up are given up at the provider", async () => {
    rig.upstream.play(json({ id: "file-1" }));
    const socket = openUpload(rig.clients.upstream.port, "Content-Length: 1000000");
    socket.write("x".repeat(1_000));
    await until(() => rig.upstream.exchanges()[0]?.request.body.length);
    socket.destroy();
    expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
    expect(rig.upstream.exchanges()[0]?.request.complete).toBe(false);
  });

  test("that wait to be told to go on are told so", async () => {
    rig.upstream.play(json({ id: "file-1" }));
    const socket = openUpload(rig.clients.upstream.port, "Content-Length: 5\r\nExpect: 100-continue");
    const [interim] = (await once(socket, "data")) as [Buffer];
    expect(interim.toString()).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write("later");
    const { response } = await until(() =>
      rig.clients.upstream.exchanges().find((each) => each.response?.complete),
    );
    socket.destroy();
    expect(response?.status).toBe(200);
    expect(rig.upstream.exchanges()[0]?.request.body.toString()).toBe("later");
  });

  const refusals: [string, number, string, string][] = [
    ["body_too_large", 413, `/p/${PROMPT}/openai/v1/chat/completions`, "Bearer x"],
    ["unauthenticated", 401, `/p/${PROMPT}/openai/v1/chat/completions`, "Bearer sb_unknown"],
    ["provider_not_found", 404, `/p/${PROMPT}/nobody/v1/chat/completions`, "Bearer x"],
    ["prompt_not_found", 404, "/p/No!/openai/v1/chat/completions", "Bearer x"],
  ];
  test.each(refusals)(
    "a large one that is refused still hears why: %s",
    async (code, status, url, authorization) => {
      const body = JSON.stringify({
        model: MODEL,
        messages: [{ role: "user", content: "x".repeat(20 * MAX_BODY_BYTES) }],
      });
      // Whether the answer outruns the reset is a race when the rest of the body is left unread.
      for (let attempt = 0; attempt < 5; attempt++) {
        rig.clients.upstream.clear();
        await sendRaw(rig.clients.upstream.port, { url, body, headers: [["Authorization", authorization]] });
        const response = rig.clients.upstream.exchanges()[0]?.response;
        expect(response).toMatchObject({ status, complete: true });
        expect(headerOf(response!, "prompt-error")).toBe(code);
      }
    },
  );
});

test("a client that closes a bare connection mid-stream ends the provider's work too", async () => {
  rig.upstream.play(sse(chatChunks(500), { everyMs: 50 }));
  const client = openai(rig.cluster.edges[1]!);
  await readOne(await client.chat.completions.create({ model: MODEL, messages: HELLO, stream: true }));
  expect(await untilProviderIsLeft(rig.upstream)).toBeLessThan(ABORT_DEADLINE_MS);
});

test("a WebSocket passes through in both directions, with its path and subprotocol", async () => {
  const url = `ws://127.0.0.1:${rig.clients.upstream.port}/p/${PROMPT}/openai/v1/realtime?model=x`;
  const socket = new WebSocket(url, ["realtime", "openai-beta.realtime-v1"]);
  await once(socket, "open");
  expect(socket.protocol).toBe("realtime");
  socket.send("hello é");
  const [message] = (await once(socket, "message")) as [MessageEvent<string>];
  expect(message.data).toBe("hello é");
  const [{ request }] = rig.upstream.exchanges() as [Exchange];
  expect(request.url).toBe("/v1/realtime?model=x");
  expect(headerOf(request, "sec-websocket-protocol")).toBe("realtime, openai-beta.realtime-v1");
  socket.close();
  await once(socket, "close");
});
