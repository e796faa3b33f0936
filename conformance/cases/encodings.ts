// Compressed answers, and answers without a body: what the headers say of the bytes must be true of them.

import { brotliCompressSync, constants, createGzip, gzipSync } from "node:zlib";
import { headerOf, type RecordedRequest, type RecordedResponse } from "../../test/support/http-messages.ts";
import { answered, ask, cross, EVERY_SHAPE, fail, firstCall, judge, type Case, type Kit } from "../kit.ts";
import { askedOnce, decodeBody, describeAnswer, neverAsked, statusDown } from "../compare.ts";
import { EVENT_STREAM } from "../stream.ts";
import { type Call, encodeChunk, encodeHead, LAST_CHUNK, type Reply } from "../upstream.ts";

type Encoding = "gzip" | "br";

const COMPRESS = { gzip: gzipSync, br: brotliCompressSync } as const;
const WHY_ENCODED =
  "runtimes decode by themselves and leave `content-encoding` or `content-length` behind; seen on error paths above all";

/** A provider compresses what it was asked to; a gateway may ask that away. */
function isAsked(request: RecordedRequest | undefined, encoding: Encoding): boolean {
  return request !== undefined && (headerOf(request, "accept-encoding") ?? "").includes(encoding);
}

function compressed(encoding: Encoding, status: number): Case {
  const what = status === 200 ? "answer" : "error";
  return {
    name: `${encoding}-${what}`,
    group: "streaming",
    guards: `an ${what} in ${encoding} can be read by what its headers say`,
    why: WHY_ENCODED,
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const client = ask(kit, { headers: [["Accept-Encoding", "gzip, br"]] });
      const call = await firstCall(kit);
      if (call === null) return fail(neverAsked(client.response()));
      const said = Buffer.from(status === 200 ? longAnswer(kit) : kit.route.shape.error(status));
      const words = status === 200 ? WORDS : `own words for ${status}`;
      const encodes = isAsked(call.request(), encoding);
      const body = encodes ? COMPRESS[encoding](said) : said;
      call.write(
        encodeHead(status, [
          ["Content-Type", "application/json"],
          ...(encodes ? ([["Content-Encoding", encoding]] satisfies [string, string][]) : []),
          ["Content-Length", String(body.length)],
        ]),
      );
      call.write(body);
      call.end();
      await answered(kit, client);
      const down = client.response();
      const seen = down === null ? "" : `arrived as ${headerOf(down, "content-encoding") ?? "plain text"}`;
      return judge(seen, statusDown(status, down), readable([words], down));
    },
  };
}

/** The client finds these words in the answer as it is labelled. That its bytes are the provider's is another case. */
function readable(words: string[], down: RecordedResponse | null): string | null {
  if (down === null) return "the client got no answer";
  const encoding = headerOf(down, "content-encoding") ?? "no encoding";
  const length = headerOf(down, "content-length");
  const states = `content-encoding: ${encoding}${length === null ? "" : `, content-length: ${length}`}`;
  if (!down.complete) return `unfinished: ${down.body.length} bytes came (${states})`;
  const text = decodeBody(down);
  if (text === null) return `cannot be decoded (${states})`;
  const missing = words.find((word) => !text.includes(word));
  return missing === undefined
    ? null
    : `“${missing.slice(0, 24)}” cannot be read (${states}): ${describeAnswer(down)}`;
}

const WORDS = "some text é ".repeat(400).trim();

function longAnswer(kit: Kit): string {
  return kit.route.shape.answer(WORDS);
}

type Writer = { write(text: string): Promise<void>; end(text: string): Promise<void> };

/** Writes text as one gzip stream, flushed at each piece. */
function gzipInto(call: Call): Writer {
  const gzip = createGzip();
  gzip.on("data", (bytes: Buffer) => call.write(encodeChunk(bytes)));
  return {
    write: (text) =>
      new Promise((resolve) => {
        gzip.write(text);
        gzip.flush(constants.Z_SYNC_FLUSH, () => resolve());
      }),
    end: (text) => new Promise((resolve) => gzip.once("end", () => resolve()).end(text)),
  };
}

function plainInto(call: Call): Writer {
  const write = async (text: string) => call.write(encodeChunk(text));
  return { write, end: write };
}

const gzipStream: Case = {
  name: "gzip-stream",
  group: "streaming",
  guards: "a stream in gzip is not held back, and can be read by what its headers say",
  why: "compressed streams meet both faults at once: decoded bytes under an old header, and buffering to fill a block",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const client = ask(kit, { streaming: true, headers: [["Accept-Encoding", "gzip, br"]] });
    const call = await firstCall(kit);
    if (call === null) return fail(neverAsked(client.response()));
    const encodes = isAsked(call.request(), "gzip");
    call.write(
      encodeHead(200, [
        ...EVENT_STREAM,
        ...(encodes ? ([["Content-Encoding", "gzip"]] satisfies [string, string][]) : []),
        ["Transfer-Encoding", "chunked"],
      ]),
    );
    const writer = encodes ? gzipInto(call) : plainInto(call);
    const { opening, delta, closing } = kit.route.shape;
    const words = ["one word", "another word", "the last word"];
    await writer.write(opening.join(""));
    let held: string | null = null;
    for (const word of words) {
      await writer.write(delta(word));
      const look = () => client.response() !== null && decodeBody(client.response()!, true)?.includes(word);
      if ((await kit.bell.waitFor(look, kit.deadlineMs)) !== null) continue;
      held = `held back, or not readable by its headers: ${describeAnswer(client.response()).slice(0, 60)}`;
      break;
    }
    await writer.end(closing.join(""));
    call.write(LAST_CHUNK);
    call.end();
    await answered(kit, client);
    return judge(`${words.length} events one by one`, held, readable(words, client.response()));
  },
};

const unasked: Case = {
  name: "encoding-unasked",
  group: "streaming",
  guards: "a client that asks for no compression gets none",
  why: "a gateway's own `accept-encoding: br` gives curl and simple clients bytes that they cannot read",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const client = ask(kit);
    const call = await firstCall(kit);
    if (call === null) return fail(neverAsked(client.response()));
    const encoding = (["br", "gzip"] as const).find((each) => isAsked(call.request(), each));
    const said = Buffer.from(longAnswer(kit));
    const body = encoding === undefined ? said : COMPRESS[encoding](said);
    call.write(
      encodeHead(200, [
        ["Content-Type", "application/json"],
        ...(encoding === undefined ? [] : ([["Content-Encoding", encoding]] satisfies [string, string][])),
        ["Content-Length", String(body.length)],
      ]),
    );
    call.write(body);
    call.end();
    await answered(kit, client);
    const down = client.response();
    const got = down === null ? null : headerOf(down, "content-encoding");
    const wrong = got === null ? null : `the gateway asked for ${encoding} by itself and sent ${got} on`;
    return judge(`the gateway asked for ${encoding ?? "none either"}`, wrong, readable([WORDS], down));
  },
};

type Bodiless = { name: string; method: string; reply: Reply; guards: string; why: string };

function bodiless({ name, method, reply, guards, why }: Bodiless): Case {
  return {
    name,
    group: "streaming",
    guards,
    why,
    on: EVERY_SHAPE,
    injecting: "never",
    async run(kit) {
      const crossing = await cross(kit, { method, path: kit.route.shape.models, body: null }, reply);
      const { up, down, client } = crossing;
      const status = reply.status ?? 200;
      const stray = client.afterHead().length;
      const etag = down === null ? null : headerOf(down, "etag");
      return judge(
        "no body, no bytes after the head",
        askedOnce(crossing),
        up[0]?.method === method ? null : `${method} became ${up[0]?.method}`,
        statusDown(status, down),
        etag === `"v1"` ? null : "the ETag did not come down",
        stray === 0 ? null : `${stray} bytes follow a head that allows none`,
        falseLength(down === null ? null : headerOf(down, "content-length"), reply),
      );
    },
  };
}

function falseLength(stated: string | null, { body, status }: Reply): string | null {
  if (stated === null) return null;
  const wanted = status === undefined ? String(Buffer.byteLength(body ?? "")) : "none";
  return stated === wanted || (wanted === "none" && stated === "0")
    ? null
    : `content-length ${wanted} became ${stated}`;
}

const ETAG: [string, string][] = [["ETag", `"v1"`]];

export const ENCODINGS: Case[] = [
  gzipStream,
  ...(["gzip", "br"] as const).flatMap((encoding) => [compressed(encoding, 200), compressed(encoding, 400)]),
  unasked,
  bodiless({
    name: "head",
    method: "HEAD",
    reply: { headers: ETAG, body: "x".repeat(1_234) },
    guards: "an answer to HEAD keeps its length and has no body",
    why: "health checks and file sizes; `content-length: 0` is a false answer, a body breaks the connection",
  }),
  bodiless({
    name: "no-content",
    method: "DELETE",
    reply: { status: 204, headers: ETAG },
    guards: "204 has no body and no framing of one",
    why: "`transfer-encoding: chunked` on a 204 desynchronises kept-alive connections (RFC 9112 §6.1)",
  }),
  bodiless({
    name: "not-modified",
    method: "GET",
    reply: { status: 304, headers: ETAG },
    guards: "304 comes down as such",
    why: "caches in front of model lists and files; runtimes like to make a 200 or an error of it",
  }),
];
