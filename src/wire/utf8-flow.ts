// UTF-8 in chunks cut anywhere, also in the middle of a character. utf8.ts judges what lies whole in a chunk.

import { isUtf8 } from "./utf8.ts";

const NOTHING = new Uint8Array(0);

export class Utf8Flow {
  /** The beginning of a character whose rest is still to come. */
  private begun: Uint8Array = NOTHING;

  /** False: these bytes, behind those before, are no UTF-8. `isWhole`: judges bytes that no character crosses. */
  check(bytes: Uint8Array, isWhole = (whole: Uint8Array) => isUtf8(whole, 0, whole.length)): boolean {
    if (bytes.length === 0) return true;
    const rest = this.complete(bytes);
    if (rest === null) return false;
    const to = endOfWhole(rest);
    this.begun = rest.slice(to);
    return isWhole(rest.subarray(0, to));
  }

  /** Does no character lack its rest? */
  isComplete(): boolean {
    return this.begun.length === 0;
  }

  /** What is left behind the character that was begun; null: it is none. */
  private complete(bytes: Uint8Array): Uint8Array | null {
    if (this.isComplete()) return bytes;
    const missing = sizeOf(this.begun[0]!) - this.begun.length;
    const joined = new Uint8Array(this.begun.length + Math.min(missing, bytes.length));
    joined.set(this.begun);
    joined.set(bytes.subarray(0, missing), this.begun.length);
    if (bytes.length < missing) {
      this.begun = joined;
      return NOTHING;
    }
    this.begun = NOTHING;
    return isUtf8(joined, 0, joined.length) ? bytes.subarray(missing) : null;
  }
}

/** Where a character begins that the end cuts off; the end itself where none does. */
function endOfWhole(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= 0 && at >= bytes.length - 3; at -= 1) {
    const byte = bytes[at]!;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return at + sizeOf(byte) > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}

/** By its first byte. */
function sizeOf(lead: number): number {
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
