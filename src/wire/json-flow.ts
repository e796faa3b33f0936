// JSON as it goes by, in chunks cut anywhere: the judgement of json-scan.ts with nothing but a stack for its memory. It
// finds the one list that most of a large body is (`messages`, `input`, `contents`), says where the body may be cut while
// that list is still coming, and where the list ends.

import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import { MAX_DEPTH } from "./json-scan.ts";
import { FALSE, NULL, TRUE } from "./json-lexer.ts";
import { isSame } from "./json-tree.ts";
import { joinBytes } from "./json-write.ts";
import { NumberFlow } from "./number-flow.ts";
import { IN_STRING, StringFlow, type Skips } from "./string-flow.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** What may come next; string-flow.ts has the states of a string. */
const BODY = 0;
const VALUE = 1;
const FIRST_ITEM = 2;
const KEY = 3;
const FIRST_KEY = 4;
const AFTER_KEY = 5;
const AFTER_VALUE = 6;
const END = 7;
const IN_LITERAL = 11;
const IN_NUMBER = 12;

const NO_DEPTH = -1;

/** Where the body may be cut: inside the list, behind a value or at the list's beginning. */
export type Cut = { at: number; depth: number };

export class JsonFlow extends StringFlow {
  cut: Cut | null = null;
  /** Brackets that close what is open around the cut, up to the list. */
  closers: Uint8Array = new Uint8Array(0);
  /** What closes the list itself. */
  closer: Uint8Array = new Uint8Array(0);
  private depth = 0;
  private readonly isObject = new Uint8Array(MAX_DEPTH + 1);
  /** How many containers stand around an item of the list: none before it is found, one where it is a text. */
  private listDepth = 0;
  private listFrom = 0;
  private isList = false;
  private isKey = false;
  /** Keys of this depth are read: the body's own until the list is open, then those of its items up to the cut one. */
  private keyDepth = 1;
  private letters: readonly number[] = [];
  private readonly number = new NumberFlow();
  private isOpening = true;
  private isAtEnd = false;
  private leastBytes = 0;
  private readonly listName: Uint8Array;
  private readonly watched: Uint8Array | null;
  /** The item at hand has the member that is watched for. */
  private hasWatched = false;

  /** `watched`: a member that must not come a second time in the item that was cut. */
  constructor(listName: Uint8Array, watched: Uint8Array | null, skips: Skips | null) {
    super(skips);
    this.listName = listName;
    this.watched = watched;
  }

  /** Reads the beginning of a body up to a cut that is `leastBytes` into the list, or up to its end, and keeps the last
   * cut. Answers where it stopped; −1: the list is not open there, or `fault` says what is wrong. */
  open(head: Uint8Array, leastBytes: number): number {
    this.leastBytes = leastBytes;
    const at = this.read(head, 0);
    this.isOpening = false;
    if (at < 0 || this.isAtEnd || this.cut === null) return -1;
    const { depth } = this.cut;
    this.closers = Uint8Array.from({ length: depth - this.listDepth }, (_, index) =>
      this.isObject[depth - index] === 1 ? CLOSE_BRACE : CLOSE_BRACKET,
    );
    this.closer = Uint8Array.of(this.listDepth === 1 ? QUOTE : CLOSE_BRACKET);
    if (!this.hasWatched || depth === this.listDepth) this.keyDepth = NO_DEPTH;
    return at;
  }

  /** Reads on. Answers where the list ends (its last bracket or quote), or the chunk's end; −1: `fault` says why not. */
  read(chunk: Uint8Array, from: number): number {
    const to = this.walk(chunk, from);
    if (to < 0) return to;
    if (!this.hasHigh && this.text.isComplete()) return to;
    this.hasHigh = false;
    const fits = this.text.check(chunk.subarray(from, to), this.skips?.isUtf8);
    return fits && (to === chunk.length || this.text.isComplete()) ? to : this.fail("not_utf8");
  }

  private walk(chunk: Uint8Array, from: number): number {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = from;
    while (at >= 0 && at < chunk.length) {
      const { state } = this;
      if (state === IN_STRING) {
        at = this.string(chunk, view, at);
        if (at < 0 || at === chunk.length || chunk[at] !== QUOTE || this.state !== IN_STRING) continue;
        if (this.listDepth === 1) return this.end(at);
        at = this.endString(at + 1);
      } else if (state < IN_STRING) {
        const byte = chunk[at]!;
        if (byte === CLOSE_BRACKET && this.endsList()) return this.end(at);
        at = this.structure(byte, at) ? at + 1 : this.fail("malformed");
      } else {
        at = this.inside(chunk[at]!, at);
      }
      if (this.isOpening && this.cut !== null && this.cut.at - this.listFrom >= this.leastBytes) return at;
    }
    return at;
  }

  private end(at: number): number {
    this.isAtEnd = true;
    return at;
  }

  private endsList(): boolean {
    const isListed = this.listDepth > 1 && this.depth === this.listDepth;
    return isListed && (this.state === AFTER_VALUE || this.state === FIRST_ITEM);
  }

  /** Within an escape, a literal or a number. */
  private inside(byte: number, at: number): number {
    if (this.state === IN_NUMBER) {
      if (this.number.take(byte)) return at + 1;
      if (!this.number.isWhole()) return this.fail("malformed");
      this.endValue(at);
      return at;
    }
    if (this.state !== IN_LITERAL) return this.escape(byte) ? at + 1 : this.fail("malformed");
    if (byte !== this.letters[0]) return this.fail("malformed");
    this.letters = this.letters.slice(1);
    if (this.letters.length === 0) this.endValue(at + 1);
    return at + 1;
  }

  private endString(at: number): number {
    if (!this.isKey) this.endValue(at);
    else if (this.isKept && !this.endKey()) return this.fail("repeated");
    else this.state = AFTER_KEY;
    return at;
  }

  private endKey(): boolean {
    const name = readName(joinBytes(this.kept));
    if (this.listDepth === 0) {
      this.isList = isSame(name, this.listName);
      return true;
    }
    const isWatched = this.watched !== null && isSame(name, this.watched);
    if (isWatched && !this.isOpening) return false;
    this.hasWatched ||= isWatched;
    return true;
  }

  /** Between values; false: this byte cannot stand here. */
  private structure(byte: number, at: number): boolean {
    if (byte <= 0x20) return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
    switch (this.state) {
      case BODY:
        return byte === OPEN_BRACE && this.push(1);
      case FIRST_KEY:
      case KEY:
        if (byte === CLOSE_BRACE && this.state === FIRST_KEY) return this.pop(at + 1);
        this.isKey = true;
        this.beginString(this.depth === this.keyDepth);
        return byte === QUOTE;
      case AFTER_KEY:
        this.state = VALUE;
        return byte === COLON;
      case AFTER_VALUE:
        if (byte === COMMA) this.state = this.isObject[this.depth] === 1 ? KEY : VALUE;
        else
          return byte === (this.isObject[this.depth] === 1 ? CLOSE_BRACE : CLOSE_BRACKET) && this.pop(at + 1);
        return true;
      case FIRST_ITEM:
        return byte === CLOSE_BRACKET ? this.pop(at + 1) : this.begin(byte, at);
      case VALUE:
        return this.begin(byte, at);
      default:
        return false;
    }
  }

  private begin(byte: number, at: number): boolean {
    const opensList = this.isList && this.depth === 1;
    this.isList = false;
    if (byte === OPEN_BRACE) return this.push(1);
    if (byte === OPEN_BRACKET) return this.push(0) && (!opensList || this.openList(at));
    if (byte === QUOTE) {
      this.isKey = false;
      this.beginString(false);
      return !opensList || this.openList(at);
    }
    for (const letters of [TRUE, FALSE, NULL]) {
      if (letters[0] !== byte) continue;
      this.letters = letters.slice(1);
      this.state = IN_LITERAL;
      return true;
    }
    this.number.begin();
    this.state = IN_NUMBER;
    return this.number.take(byte);
  }

  private openList(at: number): true {
    this.listDepth = this.depth;
    this.listFrom = at;
    this.keyDepth = this.depth + 1;
    this.cut = { at: at + 1, depth: this.depth };
    return true;
  }

  private push(isObject: 0 | 1): boolean {
    if (this.depth === MAX_DEPTH) return this.fail("too_deep") > 0;
    this.depth += 1;
    this.isObject[this.depth] = isObject;
    this.state = isObject === 1 ? FIRST_KEY : FIRST_ITEM;
    return true;
  }

  private pop(at: number): true {
    this.depth -= 1;
    if (this.depth === this.listDepth) {
      this.hasWatched = false;
      if (!this.isOpening) this.keyDepth = NO_DEPTH;
    }
    this.endValue(at);
    return true;
  }

  private endValue(at: number): void {
    this.state = this.depth === 0 ? END : AFTER_VALUE;
    if (this.isOpening && this.listDepth > 1) this.cut = { at, depth: this.depth };
  }
}

/** A key spelled with escapes; bytes that are no UTF-8 are nobody's name. */
function readName(spelled: Uint8Array): Uint8Array {
  if (!spelled.includes(BACKSLASH)) return spelled;
  const text = decodeUtf8(spelled);
  return encodeUtf8(text === null ? "" : (JSON.parse(`"${text}"`) as string));
}
