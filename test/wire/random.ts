// A seeded source of chances, and JSON texts in every spelling that is legal: the cheap generator behind the suites that
// look at hundreds of thousands of bodies. A failing test prints the seed of its body, which makes it again.

export type Random = {
  /** A whole number from 0 to `below` − 1. */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
};

/** Mulberry32: small, fast, even enough for tests. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return {
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)]!,
  };
}

const WORDS = [
  "",
  "a",
  "hi",
  "order 12",
  "naïve",
  "日本語",
  "🦊",
  "line\nbreak",
  'say "x"',
  "back\\slash",
  "{{x}}",
  "\u2028",
  "a/b",
  "\ud800",
];
const SHORT_ESCAPES: { [character: string]: string } = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};
// oxlint-disable-next-line no-control-regex
const LONE_OR_CONTROL = /[\u0000-\u001f]|\p{Surrogate}/u;
// oxlint-disable-next-line no-control-regex
const NEEDS_ESCAPES = /["\\\u0000-\u001f]|\p{Surrogate}/u;
const NUMBERS = [
  "0",
  "-0",
  "1.0",
  "0.10",
  "1e3",
  "2.5E-7",
  "9007199254740993",
  "-12",
  "1e999",
  "123456789012345678901234567890",
];
const SPACES = ["", "", "", "", "", " ", "\n  ", "\t", "\r\n"];

export class JsonWriter {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  space(): string {
    return this.random.pick(SPACES);
  }

  words(): string {
    return this.random.pick(WORDS) + this.random.pick(WORDS);
  }

  /** `text` as a JSON string, some characters in longer spellings than they need. */
  text(text: string): string {
    const spelledOut = this.random.chance(0.1) ? 0.3 : 0;
    if (spelledOut === 0 && !NEEDS_ESCAPES.test(text)) return `"${text}"`;
    let written = "";
    for (const character of text) {
      if (spelledOut > 0 && this.random.chance(spelledOut)) written += this.spellOut(character);
      else if (LONE_OR_CONTROL.test(character))
        written += SHORT_ESCAPES[character] ?? this.spellOut(character);
      else written += SHORT_ESCAPES[character] ?? character;
    }
    return `"${written}"`;
  }

  /** Every UTF-16 unit as an escape. */
  private spellOut(character: string): string {
    return Array.from({ length: character.length }, (_, index) => {
      const hex = character.charCodeAt(index).toString(16).padStart(4, "0");
      return `\\u${this.random.chance(0.5) ? hex : hex.toUpperCase()}`;
    }).join("");
  }

  number(): string {
    return this.random.pick(NUMBERS);
  }

  object(members: [string, string][]): string {
    let written = "";
    for (const [name, value] of members) {
      if (written !== "") written += ",";
      written += `${this.space()}${this.text(name)}${this.space()}:${this.space()}${value}${this.space()}`;
    }
    return `{${written || this.space()}}`;
  }

  array(items: string[]): string {
    let written = "";
    for (const item of items) {
      if (written !== "") written += ",";
      written += this.space() + item + this.space();
    }
    return `[${written || this.space()}]`;
  }

  /** Any value that no format of ours knows. */
  junk(depth = 2): string {
    const kind = this.random.int(depth > 0 ? 7 : 5);
    if (kind === 0) return this.text(this.words());
    if (kind === 1) return this.number();
    if (kind < 5) return this.random.pick(["true", "false", "null"]);
    const items = Array.from({ length: this.random.int(4) }, () => this.junk(depth - 1));
    if (kind === 5) return this.array(items);
    return this.object(
      items.map((item, index) => [`${this.random.pick(["k", "role", "prompt", "é"])}${index}`, item]),
    );
  }

  shuffle<Item>(items: Item[]): Item[] {
    for (let index = items.length - 1; index > 0; index -= 1) {
      const other = this.random.int(index + 1);
      [items[index], items[other]] = [items[other]!, items[index]!];
    }
    return items;
  }
}
