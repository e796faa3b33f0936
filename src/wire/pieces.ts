// Bytes in pieces as they came, the old ones given back at the front: what the tail of a stream is kept in. Offsets count
// from the first byte that was ever pushed. Nothing is copied but what would hold a much larger buffer in memory.

import { joinBytes } from "./json-write.ts";

/** Pieces smaller than this are copied together: an object for each of them would take more than it holds. */
const SMALL_BYTES = 512;
const BLOCK_BYTES = 4096;

export class Pieces {
  from = 0;
  to = 0;
  private list: Uint8Array[] = [];
  private block = new Uint8Array(0);
  private blockUsed = 0;
  /** Where the last piece begins in the block; −1: it stands elsewhere. */
  private blockFrom = -1;

  get size(): number {
    return this.to - this.from;
  }

  /** What is held in memory for them, the unused rest of their buffers included. */
  get heldBytes(): number {
    const buffers = new Set(this.list.map((piece) => piece.buffer));
    return [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.to += bytes.length;
    if (bytes.length < SMALL_BYTES) return this.pack(bytes);
    this.blockFrom = -1;
    this.list.push(alone(bytes));
  }

  private pack(bytes: Uint8Array): void {
    if (this.blockUsed + bytes.length > this.block.length) {
      this.block = new Uint8Array(BLOCK_BYTES);
      this.blockUsed = 0;
      this.blockFrom = -1;
    }
    this.block.set(bytes, this.blockUsed);
    const isNew = this.blockFrom < 0;
    if (isNew) this.blockFrom = this.blockUsed;
    this.blockUsed += bytes.length;
    const packed = this.block.subarray(this.blockFrom, this.blockUsed);
    if (isNew) this.list.push(packed);
    else this.list[this.list.length - 1] = packed;
  }

  dropBefore(at: number): void {
    let count = 0;
    while (count < this.list.length && this.from + this.list[count]!.length <= at) {
      this.from += this.list[count]!.length;
      count += 1;
    }
    if (count > 0) this.list.splice(0, count);
    if (this.list.length === 0) this.blockFrom = -1;
    const [first] = this.list;
    if (first === undefined || at <= this.from) return;
    if (this.list.length === 1) this.blockFrom = -1;
    this.list[0] = alone(first.subarray(at - this.from));
    this.from = at;
  }

  /** From behind, for whoever asks is mostly there. */
  byteAt(at: number): number {
    let from = this.to;
    for (let index = this.list.length - 1; index >= 0; index -= 1) {
      const piece = this.list[index]!;
      from -= piece.length;
      if (at >= from) return piece[at - from] ?? 0;
    }
    return 0;
  }

  /** Where the last of these bytes stands from `from` on and before `to`; −1: nowhere there. */
  lastIndexOf(byte: number, from: number, to: number): number {
    let end = this.to;
    for (let index = this.list.length - 1; index >= 0 && end > from; index -= 1) {
      const piece = this.list[index]!;
      const start = end - piece.length;
      if (start < to) {
        const found = piece.lastIndexOf(byte, Math.min(to, end) - 1 - start);
        if (found >= 0) return start + found >= from ? start + found : -1;
      }
      end = start;
    }
    return -1;
  }

  bytes(): Uint8Array {
    return this.list.length === 1 ? this.list[0]! : joinBytes(this.list);
  }
}

/** Not a small part of a large buffer. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.length * 2 < bytes.buffer.byteLength && bytes.buffer.byteLength > BLOCK_BYTES
    ? bytes.slice()
    : bytes;
}
