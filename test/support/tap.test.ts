// The recorder itself: a suite that trusts it must be able to.

import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRequests, type Segment } from "./http-messages.ts";
import { gzipped, json, sse, startUpstream, type Upstream } from "./upstream.ts";
import { until } from "./wait.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.stop());

test("a tap records names as spelled, repeated headers, order and the exact body", async () => {
  upstream.play(
    json(
      { ok: true },
      {
        status: 201,
        headers: [
          ["X-Odd-CASE", "1"],
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
        ],
      },
    ),
  );
  const socket = connect(upstream.port, "127.0.0.1");
  socket.write(
    "POST /a%2Fb?c&d= HTTP/1.1\r\nHost: x\r\nZed: 1\r\naLpha: 2\r\nZed: 3\r\nContent-Length: 3\r\n\r\n\u0000ab",
  );
  const { request, response } = await until(() =>
    upstream.exchanges().find((each) => each.response?.complete),
  );
  socket.destroy();
  expect(request).toMatchObject({ method: "POST", url: "/a%2Fb?c&d=", complete: true });
  expect(request.headers).toEqual([
    ["Host", "x"],
    ["Zed", "1"],
    ["aLpha", "2"],
    ["Zed", "3"],
    ["Content-Length", "3"],
  ]);
  expect(request.body).toEqual(Buffer.from("\u0000ab"));
  expect(response).toMatchObject({ status: 201, complete: true });
  expect(response?.headers.slice(0, 4)).toEqual([
    ["content-type", "application/json"],
    ["X-Odd-CASE", "1"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
  ]);
});

test("however its bytes are split, a message is read the same", () => {
  const message = Buffer.from(
    "POST /x HTTP/1.1\r\nHost: y\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel\r\n\r\n3\r\nlo!\r\n0\r\n\r\nGET /z HTTP/1.1\r\nHost: y\r\n\r\n",
  );
  fc.assert(
    fc.property(fc.array(fc.nat(message.length)), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), message.length];
      const segments = at
        .slice(1)
        .map((end, index): Segment => ({ atMs: index, bytes: message.subarray(at[index], end) }));
      const found = parseRequests(segments).map(({ method, url, body }) => [method, url, body.toString()]);
      expect(found).toEqual([
        ["POST", "/x", "hel\r\nlo!"],
        ["GET", "/z", ""],
      ]);
    }),
  );
});

test("a script's pauses, framing, cut and silence reach the client as told", async () => {
  upstream.play(sse([{ data: "one" }, { event: "x", data: { two: 2 } }], { newline: "\r\n", everyMs: 50 }));
  const whole = await fetch(upstream.url);
  expect(await whole.text()).toBe('data: one\r\n\r\nevent: x\r\ndata: {"two":2}\r\n\r\n');
  const [exchange] = upstream.exchanges();
  expect(exchange!.response!.lastByteAtMs - exchange!.response!.firstByteAtMs).toBeGreaterThan(45);

  upstream.play(sse([{ data: "one" }], { end: "cut" }));
  const cut = await fetch(upstream.url);
  await expect(cut.text()).rejects.toThrow("terminated");
  expect(upstream.exchanges()[0]?.response?.complete).toBe(false);

  upstream.play(gzipped(json({ zip: true })), "silent");
  expect(await (await fetch(upstream.url)).json()).toEqual({ zip: true });
  await expect(fetch(upstream.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow("timeout");
  const silent = await until(() => upstream.exchanges()[1]);
  expect(silent.response).toBeNull();
  await until(() => upstream.exchanges()[1]?.clientClosed);
});

test("a client that resets is told from one that closes", async () => {
  for (const how of ["reset", "end"] as const) {
    upstream.play("silent");
    const socket = connect(upstream.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => upstream.exchanges()[0]);
    if (how === "reset") socket.resetAndDestroy();
    else socket.destroy();
    await once(socket, "close");
    expect((await until(() => upstream.exchanges()[0]?.clientClosed)).how).toBe(how);
  }
});
