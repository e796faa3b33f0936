// Streams made up from a seed: events of known and unknown kinds, comments, every line end, characters of one to four
// bytes, now and then bytes that are no text at all; then cut into pieces anywhere, within characters too.

export type Pieces = { chunks: Buffer[]; end: "clean" | "cut" };

/** Mulberry32: small, seeded, the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TEXTS = ["hi", "é", "✓", "🙂", "\\n", '\\"', " ", "\u2028", "漢字", "data: "];
const NAMES = ["message", "response.created", "next.month", "ping", ""];

export function randomStream(seed: number): Pieces {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)]!;
  const newline = pick(["\n", "\r\n", "\r"]);
  const words = (): string => Array.from({ length: below(12) }, () => pick(TEXTS)).join("");
  const lines = (): string[] => {
    switch (below(7)) {
      case 0:
        return [`: ${words()}`];
      case 1:
        return [`id: ${below(99)}`, `retry:${below(99)}`, `x-${words()}: ${words()}`];
      case 2:
        return [`data: {"choices":[{"index":0,`, `data:"delta":{"content":"${words()}"}}]}`];
      case 3:
        return ["data", "data:", `data:  ${words()}`];
      case 4:
        return [
          `event: ${pick(NAMES)}`,
          `data: {"n":9007199254740993,"type":"${pick(NAMES)}","x":"${words()}"}`,
        ];
      case 5:
        return [`data: {"choices":[{"delta":{"content":"${words().repeat(1 + below(300))}"}}]}`];
      default:
        return ["data: [DONE]"];
    }
  };
  const parts: Buffer[] = [];
  for (let count = below(14); count >= 0; count -= 1) {
    parts.push(Buffer.from(lines().join(newline) + newline + (random() < 0.9 ? newline : "")));
    if (random() < 0.04) parts.push(Buffer.from(Array.from({ length: below(400) }, () => below(256))));
  }
  // The first event of a canary must be no error, or another answer would come.
  const bytes = Buffer.concat([Buffer.from(`data: {"choices":[]}${newline}${newline}`), ...parts]);
  return { chunks: cut(bytes, below), end: random() < 0.15 ? "cut" : "clean" };
}

function cut(bytes: Buffer, below: (limit: number) => number): Buffer[] {
  const places = new Set(Array.from({ length: below(9) }, () => below(bytes.length)));
  const sorted = [0, ...[...places].filter((place) => place > 0).toSorted((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((to, index) => bytes.subarray(sorted[index], to));
}
