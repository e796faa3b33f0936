// Bodies of turns and of answers: the bytes that were sent are the bytes that arrive. Where the gateway puts text into
// the body by design, all but that one insertion.

import type { Header } from "../../test/support/http-messages.ts";
import { askedOnce, bodyDown, bodyUp, differenceOf, statusDown } from "../compare.ts";
import { cross, EVERY_SHAPE, judge, ordinaryReply, turnBody, type Case, type Kit } from "../kit.ts";

const JSON_TYPE: Header[] = [["Content-Type", "application/json"]];

/** Where a piece of JSON stands in a turn: places that every gateway knows, but for `field`. */
type Place = "content" | "schema" | "field";

type Piece = { name: string; guards: string; why: string; place: Place; json: string };

/** What a body must keep. Each is looked for by itself, so that one fault of a gateway fails one case. */
const PIECES: Piece[] = [
  {
    name: "unknown-fields",
    guards: "request fields that nobody knows yet arrive",
    why: "a gateway with a list of known fields makes next month's feature fail in silence",
    place: "field",
    json: `"future_field":{"deep":[1,{"a":null}],"":""}`,
  },
  {
    name: "key-order",
    guards: "the order of fields stays, number-like names included",
    why: "prompt caches are keyed on the prefix; a shuffled tool schema is a cache miss that is billed",
    place: "schema",
    json: `{"type":"object","properties":{"z":{},"a":{},"10":{},"9":{}},"required":["z"]}`,
  },
  {
    name: "big-integers",
    guards: "integers beyond 2^53 stay",
    why: "seeds and ids: JSON.parse makes …992 of 9007199254740993",
    place: "schema",
    json: `{"type":"integer","minimum":-123456789012345678901234567890,"default":9007199254740993}`,
  },
  {
    name: "decimals",
    guards: "numbers keep their spelling: 1.0, 0.10, 1e2, -0",
    why: "strict servers tell integer from float; re-written numbers change cache keys and signatures",
    place: "schema",
    json: `{"type":"number","default":1.0,"multipleOf":0.10,"enum":[1e2,1E+2,-0,0.1e-7,100000000000000000000.5]}`,
  },
  {
    name: "duplicate-keys",
    guards: "duplicate keys stay both",
    why: "which one wins is the provider's decision; a gateway that decides reads another request than it serves",
    place: "schema",
    json: `{"type":"object","description":"one","description":"two"}`,
  },
  {
    name: "escapes",
    guards: "escapes stay as they were spelled",
    why: "\\u00e9 and é are the same text but other bytes: signatures, caches and logs see a change",
    place: "content",
    json: String.raw`"\u00e9\u2028\/\u0000\b é <\u003e \uD83D\uDE00 \""`,
  },
  {
    name: "lone-surrogates",
    guards: "a lone surrogate escape survives",
    why: "half an emoji at the end of a truncated text must not become U+FFFD, nor an exception in the gateway",
    place: "content",
    json: String.raw`"\udc00 cut \ud83d"`,
  },
  {
    name: "utf-8",
    guards: "text beyond ASCII stays, with no byte-order mark lost and no normalisation",
    why: "é composed and decomposed differ for a tokenizer",
    place: "content",
    json: `"e\u0301 é 漢字 👩‍👩‍👧 \u200f\ufeff\u00a0\u007f"`,
  },
  {
    name: "whitespace",
    guards: "white space between tokens stays",
    why: "nothing is lost without it; that it stays shows that the body was not written anew",
    place: "schema",
    json: ` {\r\n\t"type" :\t"object" , "properties":{ }\n}  `,
  },
  {
    name: "deep-body",
    guards: "a value nested 200 deep arrives",
    why: "tool schemas and documents nest; recursive readers have limits of their own",
    place: "schema",
    json: `{"default":${"[".repeat(200)}${"]".repeat(200)}}`,
  },
  {
    name: "long-body",
    guards: "a text of 2 MB arrives",
    why: "pictures and documents come as base64 in the body; default limits are 100 KB or 1 MB",
    place: "content",
    json: `"${"0123456789abcde ".repeat(131_072)}"`,
  },
];

/** A turn that holds the pieces. */
function turnWith(kit: Kit, pieces: Pick<Piece, "place" | "json">[]): Buffer {
  const of = (place: Place) => pieces.filter((piece) => piece.place === place).map(({ json }) => json);
  const schemas = of("schema");
  const schema = schemas.length > 1 ? `{"anyOf":[${schemas.join(",")}]}` : schemas[0];
  const more = schema === undefined ? [] : [kit.route.shape.tools(schema)];
  const body = turnBody(kit, false, [...more, ...of("field")].join(","));
  const texts = of("content").map((json) => json.slice(1, -1));
  return Buffer.from(texts.length === 0 ? body : body.replace(`"Say it."`, () => `"${texts.join("")}"`));
}

/** The piece, in the provider's hands as it was written; the rest of the body is other cases' concern. */
function keeps({ place, json, ...about }: Piece): Case {
  return {
    ...about,
    group: "fidelity",
    on: EVERY_SHAPE,
    injecting: "too",
    async run(kit) {
      const crossing = await cross(kit, { body: turnWith(kit, [{ place, json }]) }, ordinaryReply(kit));
      const got = crossing.up[0]?.body ?? Buffer.alloc(0);
      return judge("as it was written", askedOnce(crossing), got.includes(json) ? null : lostIn(json, got));
    },
  };
}

/** What became of a piece, as far as it can be found again. */
function lostIn(json: string, got: Buffer): string {
  let kept = json.length;
  while (kept > 4 && !got.includes(json.slice(0, kept))) kept >>= 1;
  const at = got.indexOf(json.slice(0, kept));
  if (at < 0 || kept <= 4) return `${JSON.stringify(json.slice(0, 24))}… did not arrive`;
  return differenceOf(Buffer.from(json), got.subarray(at, at + Buffer.byteLength(json))) ?? "did not arrive";
}

const wholeBody: Case = {
  name: "whole-body",
  group: "fidelity",
  guards: "a body with all of that in it, white space around it included, arrives byte for byte",
  why: "signatures and caches go by the bytes; a body that is written anew loses what its writer does not know",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const pieces = PIECES.filter(({ name }) => name !== "long-body");
    const sent = Buffer.concat([Buffer.from(" \r\n\t"), turnWith(kit, pieces), Buffer.from("\n\n ")]);
    const crossing = await cross(kit, { body: sent }, ordinaryReply(kit));
    return judge(`${sent.length} bytes`, askedOnce(crossing), bodyUp(kit, sent, crossing));
  },
};

const MORE = ` ,"future":{"b":1.0,"a":0.10,"10":9007199254740993,"9":null},\r\n\t"dup":1,"dup":2,"x":"\\u00e9 é \\ud83d \\/ 👩‍👩‍👧"\n`;

const answers: Case = {
  name: "answer",
  group: "fidelity",
  guards: "an answer arrives byte for byte: numbers, order, escapes, white space, unknown fields",
  why: "what is re-written loses digits and fields, and no longer is what the provider said",
  on: EVERY_SHAPE,
  injecting: "too",
  async run(kit) {
    const body = `${kit.route.shape.answer("Here it is.", MORE)}\n\n`;
    const crossing = await cross(kit, {}, { headers: JSON_TYPE, body });
    const { down } = crossing;
    return judge("equal", askedOnce(crossing), statusDown(200, down), bodyDown(Buffer.from(body), crossing));
  },
};

const longAnswer: Case = {
  ...answers,
  name: "long-answer",
  guards: "an answer of 2 MB arrives whole",
  why: "pictures, audio and embeddings come as base64 in one answer",
  async run(kit) {
    const text = "QUJDREVGR0hJSktM".repeat(131_072);
    const { down } = await cross(kit, {}, { headers: JSON_TYPE, body: kit.route.shape.answer(text) });
    const whole = down?.complete === true && down.body.includes(text);
    const got = `${down?.body.length ?? 0} bytes arrived${down?.complete === true ? "" : ", unfinished"}`;
    return judge(`${text.length} bytes`, statusDown(200, down), whole ? null : `not all of it: ${got}`);
  },
};

export const BODIES: Case[] = [...PIECES.map(keeps), wholeBody, answers, longAnswer];
