// Bodies, paths and queries: the bytes that were sent are the bytes that arrive. Where the gateway puts text into the
// body by design, all but that one insertion.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, bodyDown, bodyUp, carries, differenceOf, neverAsked, statusDown } from "../compare.ts";
import {
  answered,
  ask,
  cross,
  EVERY_SHAPE,
  fail,
  judge,
  turnBody,
  type Ask,
  type Case,
  type Kit,
} from "../kit.ts";
import type { Reply } from "../upstream.ts";

const OK: Reply = { headers: [["Content-Type", "application/json"]], body: `{"ok": true}` };

type Body = { name: string; guards: string; why: string; body(kit: Kit): string };

/** A turn whose bytes must arrive as they were written. */
function written({ body, ...about }: Body): Case {
  return {
    ...about,
    group: "fidelity",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const sent = Buffer.from(body(kit));
      const crossing = await cross(kit, { body: sent }, OK);
      return judge(`${sent.length} bytes`, askedOnce(crossing), bodyUp(kit, sent, crossing));
    },
  };
}

const added = (more: string) => (kit: Kit) => turnBody(kit, false, more);

const TURNS: Body[] = [
  {
    name: "unknown-fields",
    guards: "request fields that nobody knows yet arrive",
    why: "a gateway with a list of known fields makes next month's feature fail in silence",
    body: added(`"future_field":{"deep":[1,{"a":null}],"":""},"x-vendor":[],"__proto__":1`),
  },
  {
    name: "key-order",
    guards: "the order of fields stays, number-like names included",
    why: "prompt caches are keyed on the prefix; a shuffled tool schema is a cache miss that is billed",
    body: added(`"z":1,"a":2,"10":3,"9":4,"metadata":{"b":"1","a":"2","2":"3","1":"4"}`),
  },
  {
    name: "big-integers",
    guards: "integers beyond 2^53 stay",
    why: "seeds and ids: JSON.parse makes …992 of 9007199254740993",
    body: added(`"seed":9007199254740993,"id":-123456789012345678901234567890`),
  },
  {
    name: "decimals",
    guards: "numbers keep their spelling: 1.0, 0.10, 1e2, -0",
    why: "strict servers tell integer from float; re-written numbers change cache keys and signatures",
    body: added(`"temperature":1.0,"top_p":0.10,"n":[1e2,1E+2,-0,0.1e-7,100000000000000000000.5]`),
  },
  {
    name: "duplicate-keys",
    guards: "duplicate keys stay both",
    why: "which one wins is the provider's decision; a gateway that decides reads another request than it serves",
    body: added(`"metadata":{"a":1,"a":2},"user":"one","user":"two"`),
  },
  {
    name: "escapes",
    guards: "escapes stay as they were spelled",
    why: "\\u00e9 and é are the same text but other bytes: signatures, caches and logs see a change",
    body: added(String.raw`"text":"\u00e9\u2028\/\u0000\b é <\u003e \uD83D\uDE00 \""`),
  },
  {
    name: "lone-surrogates",
    guards: "a lone surrogate escape survives",
    why: "half an emoji at the end of a truncated text must not become U+FFFD, nor an exception in the gateway",
    body: added(String.raw`"text":"cut \ud83d","\udc00":"key"`),
  },
  {
    name: "utf-8",
    guards: "text beyond ASCII stays, with no byte-order mark added and no normalisation",
    why: "é composed and decomposed differ for a tokenizer",
    body: added(`"text":"e\u0301 é 漢字 👩‍👩‍👧 \u200f\ufeff\u00a0\u007f"`),
  },
  {
    name: "whitespace",
    guards: "white space between tokens and at the ends stays",
    why: "nothing is lost without it; that it stays shows that the body was not written anew",
    body: (kit) => ` \r\n\t${turnBody(kit, false, ` "a" :\t[ 1 , 2 ]\n, "b":{ }\r\n`)}\n\n `,
  },
  {
    name: "deep-body",
    guards: "a value nested 200 deep arrives",
    why: "tool schemas and documents nest; recursive readers have limits of their own",
    body: added(`"deep":${"[".repeat(200)}${"]".repeat(200)}`),
  },
  {
    name: "long-body",
    guards: "a body of 2 MB arrives",
    why: "pictures and documents come as base64 in the body; default limits are 100 KB or 1 MB",
    body: added(`"text":"${"0123456789abcde ".repeat(131_072)}"`),
  },
];

type Plain = {
  name: string;
  guards: string;
  why: string;
  asked(kit: Kit): Ask;
  reply?: Reply;
  /** Request headers that must arrive as they are. */
  headersUp?: Header[];
};

/** A request that is no turn: it goes up, and its answer down, as it is. */
function untouched({ asked, reply = OK, headersUp = [], ...about }: Plain): Case {
  return {
    ...about,
    group: "fidelity",
    on: ["chat"],
    injecting: "never",
    async run(kit) {
      const request = asked(kit);
      const crossing = await cross(kit, request, reply);
      const [got] = crossing.up;
      const path = request.path ?? kit.route.shape.path(false);
      const sent = Buffer.from(request.body ?? "");
      return judge(
        `${request.method ?? "POST"} ${path}, ${sent.length} bytes up, ${Buffer.byteLength(reply.body ?? "")} down`,
        askedOnce(crossing),
        got?.method === (request.method ?? "POST") ? null : `the method became ${got?.method}`,
        // A gateway may be told a prefix of the provider's.
        got?.url.endsWith(path) ? null : `${path} became ${got?.url}`,
        carries(got?.headers ?? [], headersUp, "arrive"),
        differenceOf(sent, got?.body ?? Buffer.alloc(0)),
        statusDown(reply.status ?? 200, crossing.down),
        bodyDown(Buffer.from(reply.body ?? ""), crossing),
      );
    },
  };
}

/** Every byte value, in no order a codec would like. */
const BINARY = Buffer.concat([
  Buffer.from(Array.from({ length: 1_024 }, (_, index) => (index * 167 + 13) % 256)),
  createHash("sha512").update("conformance").digest(),
]);

const BOUNDARY = "----Conformance'()+_,-./:=?Boundary";
const MULTIPART_TYPE = `multipart/form-data; charset=utf-8; boundary="${BOUNDARY}"`;
const MULTIPART = Buffer.concat([
  Buffer.from(
    `preamble\r\n--${BOUNDARY}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="naïve \\"a\\".bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  ),
  BINARY,
  Buffer.from(`\r\n--${BOUNDARY}--\r\nepilogue`),
]);

const ANSWER = `{ "id":"x" ,"future":{"b":1.0,"a":0.10,"10":9007199254740993,"9":null},\r\n\t"dup":1,"dup":2,"text":"\\u00e9 é \\ud83d \\/ 👩‍👩‍👧","usage":{"cached_tokens":0}}\n\n`;

const answers: Case = {
  name: "answer",
  group: "fidelity",
  guards: "an answer arrives byte for byte: numbers, order, escapes, white space, unknown fields",
  why: "what is re-written loses digits and fields, and no longer is what the provider said",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const reply = { headers: [["Content-Type", "application/json"]] as Header[], body: ANSWER };
    const crossing = await cross(kit, {}, reply);
    const { down } = crossing;
    return judge(
      "equal",
      askedOnce(crossing),
      statusDown(200, down),
      bodyDown(Buffer.from(ANSWER), crossing),
    );
  },
};

const longAnswer: Case = {
  ...answers,
  name: "long-answer",
  guards: "an answer of 2 MB arrives byte for byte",
  why: "pictures, audio and embeddings come as base64 in one answer",
  async run(kit) {
    const body = Buffer.from(`{"b64":"${"QUJDREVGR0hJSktM".repeat(131_072)}"}`);
    const crossing = await cross(kit, {}, { headers: [["Content-Type", "application/json"]], body });
    return judge(`${body.length} bytes`, statusDown(200, crossing.down), bodyDown(body, crossing));
  },
};

const streamedUpload: Case = {
  name: "streamed-upload",
  group: "fidelity",
  guards: "an upload is passed on while the client still writes",
  why: "a gateway that collects uploads holds each in memory, and the provider waits for the last byte",
  on: ["chat"],
  injecting: "never",
  async run(kit) {
    kit.upstream.answerWith(OK);
    const headers: Header[] = [
      ["Transfer-Encoding", "chunked"],
      ["Content-Type", "application/octet-stream"],
    ];
    const client = ask(kit, { method: "POST", path: "/v1/files", headers, body: "5\r\nfirst\r\n" });
    const had = await kit.bell.waitFor(
      () => kit.upstream.calls()[0]?.request().body.toString() === "first",
      kit.deadlineMs,
    );
    client.write("4\r\nlast\r\n0\r\n\r\n");
    await answered(kit, client);
    const [call] = kit.upstream.calls();
    if (call === undefined) return fail(neverAsked(client.response()));
    const seen = "the provider had the first part before the last was sent";
    const held = had === null ? "the provider had nothing until the upload was whole" : null;
    return judge(seen, held, differenceOf(Buffer.from("firstlast"), call.request().body));
  },
};

const GZIPPED: Header[] = [
  ["Content-Encoding", "gzip"],
  ["Content-Type", "application/json"],
];
const MULTIPARTED: Header[] = [["Content-Type", MULTIPART_TYPE]];
const OCTETS: Header[] = [["Content-Type", "application/octet-stream"]];

export const BODIES: Case[] = [
  ...TURNS.map(written),
  answers,
  longAnswer,
  untouched({
    name: "multipart",
    guards: "an upload arrives byte for byte, under its own boundary",
    why: "a form that is parsed and written anew gets another boundary than its header says, or loses a part's headers",
    asked: () => ({ path: "/v1/files", headers: MULTIPARTED, body: MULTIPART }),
    headersUp: MULTIPARTED,
  }),
  untouched({
    name: "binary-up",
    guards: "a binary body arrives",
    why: "read as text, every byte beyond ASCII is lost",
    asked: () => ({ path: "/v1/uploads/upload_1/parts", headers: OCTETS, body: BINARY }),
    headersUp: OCTETS,
  }),
  untouched({
    name: "binary-down",
    guards: "a binary answer arrives",
    why: "speech and file contents",
    asked: (kit) => ({ path: "/v1/audio/speech", body: turnBody(kit) }),
    reply: { headers: [["Content-Type", "audio/mpeg"]], body: BINARY },
  }),
  untouched({
    name: "gzip-up",
    guards: "a compressed request arrives as it is, with its header",
    why: "Codex and others compress requests; a gateway that only strips the header sends noise",
    asked: (kit) => ({ headers: GZIPPED, body: gzipSync(turnBody(kit, false, `"n":1.0`)) }),
    headersUp: GZIPPED,
  }),
  streamedUpload,
  untouched({
    name: "path",
    guards: "escapes in a path stay as they are: %2F, %3A, %20",
    why: "decoded, they are another path: ids with `/` and `:` (fine-tuned models, Bedrock ARNs) miss or hit something else",
    asked: () => ({ method: "GET", path: "/v1/files/a%2Fb%3Ac%20d%C3%A9~(1)*/content", body: null }),
  }),
  untouched({
    name: "query",
    guards: "a query stays as it is",
    why: "cursors and signatures are in it; `+`, empty values, repeated names and order do not survive URLSearchParams",
    asked: () => ({
      method: "GET",
      path: "/v1/files?after=a%2Bb+c%20d&limit=&x[]=1&x[]=2&x=%E2%9C%93&flag&z=1&a=/?:@",
      body: null,
    }),
  }),
  untouched({
    name: "method",
    guards: "a method stays what it is, without a body where there was none",
    why: "DELETE and PATCH exist in these APIs; an invented body is refused",
    asked: () => ({ method: "DELETE", path: "/v1/files/file-1", body: null }),
  }),
];
