// One walk over the bytes of a JSON body: judges it exactly as JSON.parse would judge its text, and notes where the
// values stand that a wire format asks for. Nothing is decoded and nothing is built but a table of offsets, so that
// guarantee 4 (the caller's bytes are kept) costs little.
//
// UTF-8 is checked only where strings hold bytes ≥ 0x80; ASCII pays nothing.

import { problem, type Problem } from "../core/problem.ts";
import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import { FALSE, FAULT, Lexer, NULL, QUOTE, TRUE, type Fault } from "./json-lexer.ts";
import { FROM, isSame, KEY_FROM, KEY_TO, NEXT, STRIDE, TO, type Tree } from "./json-tree.ts";
import { isUtf8 } from "./utf8.ts";

/** Top-level members whose values are looked into, and how many levels below the value are noted. */
export type Field = { name: Uint8Array; depth: number };

/** Deepest nesting of objects and arrays. Deeper bodies are refused: every parser has a limit, few say which. */
export const MAX_DEPTH = 512;
/** Values noted per body, 20 bytes each. A million values are 100,000 messages and more. */
export const MAX_VALUES = 1 << 20;
/** Table space that is kept from one scan to the next. */
const KEPT_VALUES = 1 << 15;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const LETTER_T = 0x74;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;

/** Walks are synchronous, so one table is enough for all; each scan takes a copy of what it filled. */
let scratch = new Int32Array(KEPT_VALUES * STRIDE);

/** The table of what stands where, or why the body is refused (`invalid_request`, `body_too_large`). */
export function scanJson(body: Uint8Array, fields: Field[]): Tree | Problem {
  const walk = new Walk(body, fields);
  const end = walk.document();
  const nodes = end === FAULT ? null : scratch.slice(0, walk.used);
  if (scratch.length > KEPT_VALUES * STRIDE) scratch = new Int32Array(KEPT_VALUES * STRIDE);
  if (nodes === null && body.length === 0) return problem("invalid_request", "The request has no body.");
  if (nodes === null) return explain(walk.fault, walk.faultAt);
  return { body, nodes, hasEscapedKeys: walk.hasEscapedKeys };
}

function explain(fault: Fault, at: number): Problem {
  switch (fault) {
    case "malformed":
      return problem("invalid_request", `The body is not valid JSON (byte ${at}).`);
    case "not_object":
      return problem("invalid_request", "The body must be one JSON object.");
    case "too_deep":
      return problem("invalid_request", `The body nests deeper than ${MAX_DEPTH} levels.`);
    case "not_utf8":
      return problem("invalid_request", "The body is not valid UTF-8.");
    case "too_many":
      return problem("body_too_large", `The body lists more than ${MAX_VALUES} values.`);
  }
}

class Walk extends Lexer {
  used = 0;
  hasEscapedKeys = false;
  private readonly fields: Field[];
  /** Members and elements inside this many containers are noted. */
  private noteDepth = 1;

  constructor(body: Uint8Array, fields: Field[]) {
    super(body);
    this.fields = fields;
  }

  document(): number {
    const from = this.space(0);
    const isObject = this.body[from] === OPEN_BRACE;
    const node = this.note(from, -1, -1);
    const end = this.value(from, 0);
    if (end === FAULT) return FAULT;
    this.close(node, end);
    const rest = this.space(end);
    if (rest !== this.body.length) return this.fail("malformed", rest);
    if (!isObject) return this.fail("not_object", from);
    // Outside strings JSON is ASCII, and so are the ends of a string: the stretch between them is judged alone.
    const fits = this.highFrom < 0 || isUtf8(this.body, this.highFrom, this.highTo);
    return fits ? end : this.fail("not_utf8", this.highFrom);
  }

  /** `depth`: how many containers stand around the value. */
  private value(at: number, depth: number): number {
    switch (this.body[at]) {
      case QUOTE:
        return this.string(at + 1);
      case OPEN_BRACE:
        return this.object(at + 1, depth + 1);
      case OPEN_BRACKET:
        return this.array(at + 1, depth + 1);
      case LETTER_T:
        return this.literal(at, TRUE);
      case LETTER_F:
        return this.literal(at, FALSE);
      case LETTER_N:
        return this.literal(at, NULL);
      default:
        return this.number(at);
    }
  }

  private object(start: number, depth: number): number {
    if (depth > MAX_DEPTH) return this.fail("too_deep", start);
    const { body } = this;
    let at = this.space(start);
    if (body[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      at = this.member(at, depth);
      if (at === FAULT) return FAULT;
      at = this.space(at);
      if (body[at] === CLOSE_BRACE) return at + 1;
      if (body[at] !== COMMA) return this.fail("malformed", at);
      at = this.space(at + 1);
    }
  }

  private member(keyFrom: number, depth: number): number {
    const { body, escapes } = this;
    if (body[keyFrom] !== QUOTE) return this.fail("malformed", keyFrom);
    const keyTo = this.string(keyFrom + 1);
    if (keyTo === FAULT) return FAULT;
    const colon = this.space(keyTo);
    if (body[colon] !== COLON) return this.fail("malformed", colon);
    const from = this.space(colon + 1);
    if (depth > this.noteDepth) return this.value(from, depth);
    const isEscaped = this.escapes !== escapes;
    if (isEscaped) this.hasEscapedKeys = true;
    if (depth > 1) return this.noted(from, depth, keyFrom, keyTo);
    const name = isEscaped ? unescape(body.subarray(keyFrom, keyTo)) : body.subarray(keyFrom + 1, keyTo - 1);
    return this.field(from, keyFrom, keyTo, name);
  }

  private array(start: number, depth: number): number {
    if (depth > MAX_DEPTH) return this.fail("too_deep", start);
    const { body } = this;
    let at = this.space(start);
    if (body[at] === CLOSE_BRACKET) return at + 1;
    for (;;) {
      at = depth > this.noteDepth ? this.value(at, depth) : this.noted(at, depth, -1, -1);
      if (at === FAULT) return FAULT;
      at = this.space(at);
      if (body[at] === CLOSE_BRACKET) return at + 1;
      if (body[at] !== COMMA) return this.fail("malformed", at);
      at = this.space(at + 1);
    }
  }

  /** A top-level member: its name decides how far below it is noted. */
  private field(from: number, keyFrom: number, keyTo: number, name: Uint8Array): number {
    this.noteDepth = 1 + this.depthBelow(name);
    const end = this.noted(from, 1, keyFrom, keyTo);
    this.noteDepth = 1;
    return end;
  }

  private noted(from: number, depth: number, keyFrom: number, keyTo: number): number {
    const node = this.note(from, keyFrom, keyTo);
    if (node === FAULT) return FAULT;
    const end = this.value(from, depth);
    if (end !== FAULT) this.close(node, end);
    return end;
  }

  private note(from: number, keyFrom: number, keyTo: number): number {
    const node = this.used;
    if (node + STRIDE > scratch.length && !grow()) return this.fail("too_many", from);
    this.used = node + STRIDE;
    scratch[node + FROM] = from;
    scratch[node + KEY_FROM] = keyFrom;
    scratch[node + KEY_TO] = keyTo;
    return node;
  }

  private close(node: number, end: number): void {
    scratch[node + TO] = end;
    scratch[node + NEXT] = this.used;
  }

  private depthBelow(name: Uint8Array): number {
    for (const field of this.fields) {
      if (isSame(field.name, name)) return field.depth;
    }
    return 0;
  }
}

/** A key spelled with escapes. Bytes that are no UTF-8 are nobody's name; the body is refused at its end. */
function unescape(quoted: Uint8Array): Uint8Array {
  const text = decodeUtf8(quoted);
  return encodeUtf8(text === null ? "" : (JSON.parse(text) as string));
}

function grow(): boolean {
  if (scratch.length >= MAX_VALUES * STRIDE) return false;
  const larger = new Int32Array(scratch.length * 2);
  larger.set(scratch);
  scratch = larger;
  return true;
}
