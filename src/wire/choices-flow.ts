// One event of a chat stream, read byte by byte for a single question: may it still be the chunk without choices? Most
// chunks answer it before their first word, so an event need not be there whole to be let go. Only what says no for
// certain ends the question; JSON.parse has the last word (usage-filter.ts).

import { encodeUtf8 } from "../core/text.ts";

const CHOICES = encodeUtf8("choices");

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class ChoicesFlow {
  private depth = 0;
  private isInString = false;
  private isEscaped = false;
  /** The next string is the name of a member of the object itself. */
  private isNameNext = false;
  /** How much of `choices` the name has matched by now; −1: it is another one. */
  private matched = -1;
  /** `choices` has been named: its value has to be a list, and the list has to end at once. */
  private wants: "nothing" | "list" | "end" = "nothing";

  /** False: no. Nothing may be read after it. */
  read(byte: number): boolean {
    if (this.isInString) {
      this.readString(byte);
      return true;
    }
    if (byte <= SPACE) return true;
    if (this.wants !== "nothing") return this.readWanted(byte);
    switch (byte) {
      case QUOTE:
        this.isInString = true;
        this.matched = this.isNameNext ? 0 : -1;
        this.isNameNext = false;
        return this.depth > 0;
      case COMMA:
        this.isNameNext = this.depth === 1;
        return true;
      case OPEN_BRACE:
      case OPEN_LIST:
        this.depth += 1;
        this.isNameNext = this.depth === 1;
        return this.depth > 1 || byte === OPEN_BRACE;
      case CLOSE_BRACE:
      case CLOSE_LIST:
        this.depth -= 1;
        return this.depth >= 0;
      default:
        return this.depth > 0;
    }
  }

  private readString(byte: number): void {
    if (this.isEscaped) {
      this.isEscaped = false;
    } else if (byte === BACKSLASH) {
      this.isEscaped = true;
      this.matched = -1;
    } else if (byte === QUOTE) {
      this.isInString = false;
      if (this.matched === CHOICES.length) this.wants = "list";
      this.matched = -1;
    } else if (this.matched >= 0) {
      this.matched = byte === CHOICES[this.matched] ? this.matched + 1 : -1;
    }
  }

  private readWanted(byte: number): boolean {
    if (this.wants === "list") {
      if (byte === COLON) return true;
      this.wants = "end";
      return byte === OPEN_LIST;
    }
    this.wants = "nothing";
    return byte === CLOSE_LIST;
  }
}
