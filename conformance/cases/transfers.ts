// Uploads, files, paths and queries: what no gateway has a reason to touch goes by as it is.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, bodyDown, carries, differenceOf, neverAsked, statusDown } from "../compare.ts";
import {
  answered,
  ask,
  cross,
  fail,
  judge,
  ordinaryReply,
  turnBody,
  type Ask,
  type Case,
  type Kit,
} from "../kit.ts";
import { encodeChunk, LAST_CHUNK } from "../upstream.ts";

type Plain = {
  name: string;
  guards: string;
  why: string;
  asked(kit: Kit): Ask;
  /** Request headers that must arrive as they are. */
  headersUp?: Header[];
};

/** A request that no gateway has a reason to touch. Its answer is other cases' concern. */
function untouched({ asked, headersUp = [], ...about }: Plain): Case {
  return {
    ...about,
    group: "fidelity",
    on: ["chat"],
    injecting: "never",
    async run(kit) {
      const request = asked(kit);
      const crossing = await cross(kit, request, ordinaryReply(kit));
      const [got] = crossing.up;
      const path = request.path ?? kit.route.shape.path(false);
      const sent = Buffer.from(request.body ?? "");
      return judge(
        `${request.method ?? "POST"} ${path}, ${sent.length} bytes`,
        askedOnce(crossing),
        got?.method === (request.method ?? "POST") ? null : `the method became ${got?.method}`,
        // A gateway may be told a prefix of the provider's.
        got?.url.endsWith(path) ? null : `${path} became ${got?.url}`,
        carries(got?.headers ?? [], headersUp, "arrive"),
        differenceOf(sent, got?.body ?? Buffer.alloc(0)),
        statusDown(200, crossing.down),
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

const binaryDown: Case = {
  name: "binary-down",
  group: "fidelity",
  guards: "a binary answer arrives",
  why: "speech and file contents",
  on: ["chat"],
  injecting: "never",
  async run(kit) {
    const body = `{"model":"tts-1","input":"Say it.","voice":"alloy"}`;
    const reply = { headers: [["Content-Type", "audio/mpeg"]] as Header[], body: BINARY };
    const crossing = await cross(kit, { path: "/v1/audio/speech", body }, reply);
    const wrong = statusDown(200, crossing.down) ?? bodyDown(BINARY, crossing);
    return judge(`${BINARY.length} bytes`, askedOnce(crossing), wrong);
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
    kit.upstream.answerWith(ordinaryReply(kit));
    const headers: Header[] = [...MULTIPARTED, ["Transfer-Encoding", "chunked"]];
    const [first, last] = [MULTIPART.subarray(0, 400), MULTIPART.subarray(400)];
    const client = ask(kit, { method: "POST", path: "/v1/files", headers, body: encodeChunk(first) });
    const had = await kit.bell.waitFor(
      () => kit.upstream.calls()[0]?.request().body.equals(first),
      kit.deadlineMs,
    );
    client.write(Buffer.concat([encodeChunk(last), Buffer.from(LAST_CHUNK)]));
    await answered(kit, client);
    const [call] = kit.upstream.calls();
    if (call === undefined) return fail(neverAsked(client.response()));
    const seen = "the provider had the first part before the last was sent";
    const held = had === null ? "the provider had nothing until the upload was whole" : null;
    return judge(seen, held, differenceOf(MULTIPART, call.request().body));
  },
};

const GZIPPED: Header[] = [
  ["Content-Encoding", "gzip"],
  ["Content-Type", "application/json"],
];
const MULTIPARTED: Header[] = [["Content-Type", MULTIPART_TYPE]];
const OCTETS: Header[] = [["Content-Type", "application/octet-stream"]];

export const TRANSFERS: Case[] = [
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
  binaryDown,
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
