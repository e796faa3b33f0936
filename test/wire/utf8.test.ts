// Our judgement of UTF-8 is the runtime's, byte for byte: every lead with every second byte, every border of RFC 3629,
// every alignment, and random bytes.

import { describe, expect, it } from "vitest";
import { isUtf8 } from "../../src/wire/utf8.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function reference(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** At every alignment, alone and between ASCII. */
function expectSame(sequence: number[]): void {
  const wanted = reference(Uint8Array.from(sequence));
  for (let before = 0; before < 4; before += 1) {
    for (const after of [0, 1, 5]) {
      const padded = [...Array<number>(before).fill(0x61), ...sequence, ...Array<number>(after).fill(0x62)];
      const judged = isUtf8(Uint8Array.from(padded), 0, padded.length);
      if (judged !== wanted)
        expect.fail(`${sequence.map((byte) => byte.toString(16))}: ${judged}, not ${wanted}`);
    }
  }
}

describe("isUtf8", () => {
  it("agrees with the decoder on every one and two bytes", () => {
    for (let lead = 0; lead < 256; lead += 1) {
      expectSame([lead]);
      for (let second = 0; second < 256; second += 1) expectSame([lead, second]);
    }
  });

  it("agrees on all borders of three and four bytes", () => {
    const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    for (let lead = 0xe0; lead < 256; lead += 1) {
      for (const second of borders) {
        for (const third of borders) {
          expectSame([lead, second, third]);
          for (const fourth of borders) expectSame([lead, second, third, fourth]);
        }
      }
    }
  });

  it("agrees on random bytes and on texts cut anywhere", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 0x1_0000_0000) * below);
    };
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Uint8Array.from({ length: random(12) }, () =>
        random(3) === 0 ? random(128) : 128 + random(128),
      );
      if (isUtf8(bytes, 0, bytes.length) !== reference(bytes)) expect.fail(String(bytes));
    }
    const text = new TextEncoder().encode("plain, ünïcode, 日本語, 🙂🙃, ࠀ퟿�𐀀􏿿 and plain again");
    for (let to = 0; to <= text.length; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const part = text.subarray(from, to);
        // The stretch inside a longer body, where the next bytes are there but not part of it.
        if (isUtf8(text, from, to) !== reference(part)) expect.fail(`${from}–${to}`);
      }
    }
  });
});
