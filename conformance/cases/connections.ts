// Ends and speeds: who leaves, who dies, who is slow. Truncation must never look like success, and nobody works or
// buffers for a client that is gone or does not read.

import {
  answered,
  ask,
  EVERY_SHAPE,
  fail,
  firstCall,
  judge,
  pass,
  type Case,
  type Kit,
  type Verdict,
} from "../kit.ts";
import { bodyDown, neverAsked, statusDown } from "../compare.ts";
import { ordinaryEvents, type Stream, withStream } from "../stream.ts";
import { type Call, encodeHead } from "../upstream.ts";

/** Beyond what the buffers of four sockets on the way can hold. */
const BACKPRESSURE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const EVENT_EVERY_MS = 20;

/** The provider dies after a few events; what the client sees must not be a clean end. */
function dying(name: string, how: string, die: (stream: Stream) => void): Case {
  return {
    name,
    group: "streaming",
    guards: `a provider that ${how} mid-stream is no clean end for the client`,
    why: "a truncated answer that looks whole is shown, stored and billed as one; SDKs raise only on a broken stream or an error event",
    on: EVERY_SHAPE,
    injecting: "too",
    run: (kit) =>
      withStream(kit, async (stream) => {
        const { opening, delta } = kit.route.shape;
        for (const event of [...opening, delta("one"), delta("two")]) await stream.deliver(event);
        die(stream);
        return judgeDeath(kit, stream);
      }),
  };
}

async function judgeDeath(kit: Kit, { client, written }: Stream): Promise<Verdict> {
  const ended = await kit.bell.waitFor(() => client.response()?.complete || client.closed(), kit.deadlineMs);
  if (ended === null) return fail("the client was left waiting: neither an end nor an error");
  const body = client.body();
  const sent = written();
  const added = body.subarray(sent.length).toString();
  if (added.includes("[DONE]")) return fail("the gateway made up a [DONE]");
  if (client.response()?.complete !== true) return pass("the client's stream broke off too");
  if (!body.subarray(0, sent.length).equals(sent)) {
    return fail(
      `${client.response()?.status} and a clean end, with ${body.length} of the ${sent.length} bytes sent`,
    );
  }
  if (kit.route.shape.isErrorEvent(added)) return pass("an error event, in the shape's own way");
  return fail("200 and a clean end, without an error event");
}

/** Whether the gateway leaves the provider in time; `work` goes on until then. */
async function untilLeft(kit: Kit, call: Call, work: () => void): Promise<number | null> {
  const startedAtMs = performance.now();
  const timer = setInterval(work, EVENT_EVERY_MS);
  const left = await kit.bell.waitFor(() => call.closed(), kit.deadlineMs);
  clearInterval(timer);
  return left === null ? null : performance.now() - startedAtMs;
}

const pressure: Case = {
  name: "backpressure",
  group: "streaming",
  guards: "a client that does not read stops the provider; nothing is lost when it reads again",
  why: "else a slow client's answer grows in the gateway's memory, which all its clients share",
  on: ["chat", "messages"],
  injecting: "too",
  run: (kit) =>
    withStream(kit, async (stream) => {
      const { opening, delta } = kit.route.shape;
      for (const event of opening) await stream.deliver(event);
      stream.client.pause();
      const piece = delta("0123456789abcdef".repeat(PIECE_BYTES / 16));
      let stalled = false;
      while (!stalled && stream.call.takenBytes() < BACKPRESSURE_BYTES) {
        const before = stream.call.takenBytes();
        stream.write(piece);
        stalled = (await kit.bell.waitFor(() => stream.call.takenBytes() > before, kit.stallMs)) === null;
      }
      const megabytes = Math.round(stream.call.takenBytes() / 1024 / 1024);
      if (!stalled) return fail(`took ${megabytes} MB for a client that reads nothing`);
      stream.client.resume();
      return judge(`the provider was stopped after ${megabytes} MB`, await finishLarge(kit, stream));
    }),
};

/** The body is parsed once all has come, not with each byte. */
async function finishLarge(kit: Kit, stream: Stream): Promise<string | null> {
  const wanted = stream.written().length;
  await kit.bell.waitFor(
    () => stream.client.receivedBytes() >= wanted || stream.client.closed(),
    10 * kit.deadlineMs,
  );
  return stream.finish();
}

export const CONNECTIONS: Case[] = [
  dying("provider-resets", "resets its connection", ({ call }) => call.cut()),
  dying("provider-stops", "closes without the last chunk", ({ call }) => call.end()),
  {
    name: "short-answer",
    group: "streaming",
    guards: "an answer shorter than its content-length is no whole answer",
    why: "the same, for answers that are not streamed: half a JSON text, or half a file",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const client = ask(kit);
      const call = await firstCall(kit);
      if (call === null) return fail(neverAsked(client.response()));
      const headers: [string, string][] = [
        ["Content-Type", "application/json"],
        ["Content-Length", "1000"],
      ];
      call.write(`${encodeHead(200, headers)}{"half":`);
      await kit.bell.waitFor(() => client.body().length > 0, EVENT_EVERY_MS);
      call.end();
      await answered(kit, client);
      const down = client.response();
      if (client.closed() === null && down?.complete !== true) return fail("the client was left waiting");
      if (down === null || !down.complete) return pass("the client's answer broke off too");
      return down.status >= 500
        ? pass(`became ${down.status}`)
        : fail(`a whole ${down.status} of ${down.body.length} bytes`);
    },
  },
  {
    name: "abort-mid-stream",
    group: "streaming",
    guards: "a client that leaves mid-stream ends the provider's work",
    why: "tokens nobody reads are billed until the answer's end",
    on: EVERY_SHAPE,
    injecting: "too",
    run: (kit) =>
      withStream(kit, async ({ client, call, deliver, write }) => {
        const { opening, delta } = kit.route.shape;
        for (const event of [...opening, delta("one")]) await deliver(event);
        client.close();
        let events = 0;
        const leftMs = await untilLeft(kit, call, () => write(delta(`unread ${(events += 1)}`)));
        if (leftMs === null)
          return fail(`the provider still wrote for nobody ${kit.deadlineMs / 1000} s later`);
        return pass(`left ${Math.round(leftMs)} ms later`);
      }),
  },
  {
    name: "abort-before-headers",
    group: "streaming",
    guards: "a client that leaves before the first byte ends the provider's work",
    why: "reasoning models think for minutes before it; all of it is billed",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const client = ask(kit, { streaming: true });
      const call = await firstCall(kit);
      if (call === null) return fail(neverAsked(client.response()));
      // In order, it could be a client that has merely said all it had to say.
      client.reset();
      const leftMs = await untilLeft(kit, call, () => undefined);
      const still = `the provider was still waited for ${kit.deadlineMs / 1000} s later`;
      return leftMs === null ? fail(still) : pass(`left ${Math.round(leftMs)} ms later`);
    },
  },
  pressure,
  {
    name: "slow-headers",
    group: "streaming",
    guards: "while the provider thinks, the gateway waits and says nothing of its own",
    why: "a status sent too early can no longer become the provider's 429 or 400",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const client = ask(kit, { streaming: true });
      const call = await firstCall(kit);
      if (call === null) return fail(neverAsked(client.response()));
      const early = await kit.bell.waitFor(() => client.response(), kit.slowMs);
      if (early !== null) return fail(`${early.status} was sent before the provider had said anything`);
      const body = ordinaryEvents(kit, 1).join("");
      const headers: [string, string][] = [
        ["Content-Type", "text/event-stream"],
        ["Content-Length", String(body.length)],
      ];
      call.write(encodeHead(200, headers) + body);
      call.end();
      await answered(kit, client);
      const down = client.response();
      const crossing = { up: [call.request()], down, client };
      return judge(
        `waited ${kit.slowMs / 1000} s`,
        statusDown(200, down),
        bodyDown(Buffer.from(body), crossing),
      );
    },
  },
];
