// Where a text stops being JSON. JSON.parse knows but tells in words of its engine, often without the place and
// quoting the body; this scanner runs only on texts that JSON.parse has refused, so speed does not matter.

/** 1-based line and column, and what stands there: a character, or "the end". */
export type JsonErrorPlace = { line: number; column: number; found: string };

const TOKENS = {
  space: /[ \t\n\r]*/y,
  string: /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy,
  stringStart: /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy,
  scalar: /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y,
};

/** The place of the first thing that cannot stand where it stands, or null where the text is JSON. */
export function locateJsonError(text: string): JsonErrorPlace | null {
  const offset = findErrorOffset(text);
  if (offset === null) return null;
  const lines = text.slice(0, offset).split("\n");
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  return {
    line: lines.length,
    column: (lines.at(-1) ?? "").length + 1,
    found: offset >= text.length ? "the end" : JSON.stringify(character),
  };
}

type Expectation = "value" | "value or ]" | "key" | "key or }" | "colon" | "more" | "end";

function findErrorOffset(text: string): number | null {
  const open: ("{" | "[")[] = [];
  let expected: Expectation = "value";
  let offset = skip(TOKENS.space, text, 0);
  while (expected !== "end" || offset < text.length) {
    const step = advance(text, offset, expected, open);
    // The usual slip is a raw line break inside a long string: point at that, not at the string's beginning.
    if (step === null) return mayStartString(expected) ? skip(TOKENS.stringStart, text, offset) : offset;
    expected = step.next;
    offset = skip(TOKENS.space, text, step.offset);
  }
  return null;
}

function mayStartString(expected: Expectation): boolean {
  return expected !== "colon" && expected !== "more" && expected !== "end";
}

/** One token: what may follow it and where it ends; null where it cannot stand here. */
function advance(
  text: string,
  offset: number,
  expected: Expectation,
  open: ("{" | "[")[],
): { next: Expectation; offset: number } | null {
  const character = text[offset];
  const afterValue = (): Expectation => (open.length === 0 ? "end" : "more");
  if (character === undefined || expected === "end") return null;
  if (expected === "colon") return character === ":" ? { next: "value", offset: offset + 1 } : null;
  if (expected === "more" && character === ",") {
    return { next: open.at(-1) === "{" ? "key" : "value", offset: offset + 1 };
  }
  if (mayClose(character, expected, open)) {
    open.pop();
    return { next: afterValue(), offset: offset + 1 };
  }
  if (expected === "more") return null;
  if (expected === "key" || expected === "key or }") return matchToken(TOKENS.string, text, offset, "colon");
  if (character === "{" || character === "[") {
    open.push(character);
    return { next: character === "{" ? "key or }" : "value or ]", offset: offset + 1 };
  }
  return matchToken(character === '"' ? TOKENS.string : TOKENS.scalar, text, offset, afterValue());
}

function mayClose(character: string, expected: Expectation, open: ("{" | "[")[]): boolean {
  const container = open.at(-1);
  if (character === "}") return container === "{" && (expected === "more" || expected === "key or }");
  return character === "]" && container === "[" && (expected === "more" || expected === "value or ]");
}

function matchToken(pattern: RegExp, text: string, offset: number, next: Expectation) {
  const end = skip(pattern, text, offset);
  return end === offset ? null : { next, offset: end };
}

/** Offset behind what the sticky pattern matches at `offset`; `offset` itself where it does not match. */
function skip(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : offset;
}
