// Streams: every event at once, every byte as it was.

import { fail, type Case, type Kit, type Verdict, EVERY_SHAPE, judge } from "../kit.ts";
import { ordinaryEvents, type Stream, withStream } from "../stream.ts";

type Streamed = Omit<Case, "group" | "injecting" | "on" | "run"> & Partial<Pick<Case, "on">>;

/** The provider sends each event only when the client has all those before it. */
function inLockstep(about: Streamed, eventsOf: (kit: Kit) => string[]): Case {
  return streamed(about, async (kit, stream) => {
    const events = eventsOf(kit);
    const startedAtMs = performance.now();
    let firstMs = 0;
    for (const [index, event] of events.entries()) {
      const had = await stream.deliver(event);
      if (index === 0) firstMs = performance.now() - startedAtMs;
      if (had) continue;
      const which = `event ${index + 1} of ${events.length}`;
      const bytes = `${stream.client.body().length} of ${stream.written().length} bytes`;
      const later = await stream.finish();
      const end = later === null ? "it came only as the stream ended" : later;
      return fail(`${which} was held back: the client had ${bytes} while the provider waited; ${end}`);
    }
    const seen = `${events.length} events, each before the next was sent; the first took ${firstMs.toFixed(1)} ms`;
    return judge(seen, await stream.finish());
  });
}

/** The provider writes as it likes; only the bytes are compared. */
function inPieces(about: Streamed, piecesOf: (kit: Kit) => (string | Buffer)[]): Case {
  return streamed(about, async (kit, stream) => {
    const pieces = piecesOf(kit);
    for (const piece of pieces) {
      stream.write(piece);
      await apart(kit, stream);
    }
    const seen = `${pieces.length} pieces, ${stream.written().length} bytes, all equal`;
    return judge(seen, await stream.finish());
  });
}

/** Lets a piece go over the wire by itself: until the client has it, or for so long that the gateway has read it. */
const APART_MS = 15;
async function apart(kit: Kit, stream: Stream): Promise<void> {
  const size = stream.written().length;
  await kit.bell.waitFor(() => stream.client.body().length >= size, APART_MS);
}

function streamed(about: Streamed, act: (kit: Kit, stream: Stream) => Promise<Verdict>): Case {
  return {
    group: "streaming",
    injecting: "too",
    on: EVERY_SHAPE,
    ...about,
    run: (kit) => withStream(kit, (stream) => act(kit, stream)),
  };
}

const crlf = (event: string) => event.replaceAll("\n", "\r\n");

/** Deterministic, so that a failure can be looked at again. */
function cutAtRandom(bytes: Buffer, longest: number): Buffer[] {
  const pieces: Buffer[] = [];
  let state = 42;
  for (let at = 0; at < bytes.length;) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const size = 1 + (state % longest);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

export const STREAMING: Case[] = [
  streamed(
    {
      name: "headers-before-body",
      guards: "status and headers come before the first event exists",
      why: "SDKs hand the stream to the application, and stop their timeout, when the headers are there",
    },
    async (kit, stream) => {
      const had = await kit.bell.waitFor(() => stream.client.response(), kit.deadlineMs);
      const wrong = had === null ? "no headers while the provider had sent its own and waited" : null;
      for (const event of ordinaryEvents(kit, 1)) stream.write(event);
      return judge("the head came before any event", wrong, await stream.finish());
    },
  ),
  inLockstep(
    {
      name: "first-event",
      guards: "each event arrives before the provider sends the next",
      why: "time to first token; gateways that wait for more data, or sleep, delay every answer",
    },
    (kit) => ordinaryEvents(kit, 12),
  ),
  inLockstep(
    {
      name: "crlf",
      guards: "events framed with CRLF arrive at once and unchanged",
      why: "the SSE standard allows CRLF and Gemini sends it; a splitter that looks for LF LF buffers it to the end",
    },
    (kit) => ordinaryEvents(kit, 6).map(crlf),
  ),
  inLockstep(
    {
      name: "comments",
      guards: "comment lines arrive at once, even before the first event",
      why: "OpenRouter and others keep connections alive with them; idle timeouts on the way end streams without",
    },
    (kit) => [": PROCESSING\n\n", ":\n\n", ...ordinaryEvents(kit, 2), ": bye\n\n"],
  ),
  inLockstep(
    {
      name: "unknown-events",
      guards: "events, fields and types that do not exist yet arrive unchanged",
      why: "providers add event types without notice (pings, annotations, tool results)",
    },
    (kit) => [
      `event: future.thing\nid: 7\nretry: 1000\ndata: {"type":"future.thing","n":1.0,"big":9007199254740993}\n\n`,
      `data\n\n`,
      `data: {"type":"future",\ndata:  "lines":2}\n\n`,
      ...ordinaryEvents(kit, 1),
    ],
  ),
  inPieces(
    {
      name: "split-utf8",
      guards: "a character cut between two network chunks survives",
      why: "a decoder per chunk turns it into U+FFFD; seen in several gateways and SDKs",
    },
    (kit) => {
      const { opening, delta, closing } = kit.route.shape;
      const text = Buffer.from(delta("é ✓ 漢字 👩‍👩‍👧 ñ"));
      const bytes = Array.from({ length: text.length }, (_, at) => text.subarray(at, at + 1));
      const from = text.findIndex((byte) => byte > 0x7f);
      return [
        ...opening,
        text.subarray(0, from),
        ...bytes.slice(from, from + 24),
        text.subarray(from + 24),
        ...closing,
      ];
    },
  ),
  inPieces(
    {
      name: "cut-anywhere",
      guards: "events cut at any byte arrive unchanged",
      why: "TCP and TLS know no events; small first flushes are the rule on some platforms",
    },
    (kit) => cutAtRandom(Buffer.from(ordinaryEvents(kit, 12).join("")), 90),
  ),
  inPieces(
    {
      name: "long-event",
      guards: "an event of 300 KB arrives unchanged",
      why: "images and whole responses come as one event (`response.completed`); line buffers have limits",
    },
    (kit) => {
      const { opening, delta, closing } = kit.route.shape;
      return [...opening, delta("0123456789abc".repeat(25_000)), ...closing];
    },
  ),
  inPieces(
    {
      name: "many-chunks",
      guards: "a stream of 600 events arrives whole and in order",
      why: "what is dropped or doubled now and then is seen only in long answers",
    },
    (kit) => cutAtRandom(Buffer.from(ordinaryEvents(kit, 600).join("")), 3_000),
  ),
  inPieces(
    {
      name: "no-done",
      guards: "a stream without `[DONE]` gets none from the gateway",
      why: "it says that an answer is whole; only the provider can know (Azure, Gemini and some others never send it)",
      on: ["chat", "gemini"],
    },
    (kit) => ordinaryEvents(kit, 3).filter((event) => !event.includes("[DONE]")),
  ),
  inPieces(
    {
      name: "usage-chunk",
      guards:
        "a usage chunk with `choices: []`, and chunks with `usage: null`, are neither dropped nor changed",
      why: "billing reads it; strict clients break on one that they did not ask for",
      on: ["chat"],
    },
    (kit) => {
      const usage = `{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":0}}`;
      const last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":${usage}}\n\n`;
      const first = `data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[],"usage":null}\n\n`;
      return [first, ...ordinaryEvents(kit, 2).slice(0, -1), last, "data: [DONE]\n\n"];
    },
  ),
  inLockstep(
    {
      name: "error-first",
      guards: "an error as the first event of a 200 arrives as it is",
      why: "Anthropic's `overloaded_error` and OpenRouter's error chunk come so; SDKs raise the right exception from it",
    },
    (kit) => [kit.route.shape.errorEvent],
  ),
];
