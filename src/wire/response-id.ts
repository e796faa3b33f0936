// The id of a Responses answer, read off its first bytes: providers write it near the top, at `id` of a whole answer and
// at `response.id` of the first events of a stream. Nothing is parsed to its end, and what was not there yet is said to
// be so.

/** An id longer than this is none that anybody will send back. */
const LONGEST_ID = 512;

const KEY = /\s*,?\s*"([^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*/y;
const STRING = /"([^"\\]*(?:\\.[^"\\]*)*)"/y;
const SCALAR = /[^\s,{}[\]"]+(?=[\s,}\]])/y;
const NESTED = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/g;
const DATA_LINE = /(?:^|[\r\n])data:[ ]?(?=\{)/g;

/** "more": it may follow; null: it does not stand where it should. */
export type FoundId = { id: string } | "more" | null;

/** `head`: the answer's text from its first byte on, of which more may follow. */
export function findResponseId(head: string): FoundId {
  const start = /^[\uFEFF\s]*(?=\{)/.exec(head);
  if (start !== null) return readPath(head, start[0].length, ["id"]);
  for (const { index, 0: line } of head.matchAll(DATA_LINE)) {
    const found = readPath(head, index + line.length, ["response", "id"]);
    if (found !== null) return found;
  }
  return "more";
}

/** The string at `path` in the object that opens at `at`. */
function readPath(text: string, at: number, path: readonly string[]): FoundId {
  const [name, ...inner] = path;
  let next = at + 1;
  for (;;) {
    const key = matchAt(KEY, text, next);
    if (key === null) return /^\s*\}/.test(text.slice(next)) ? null : "more";
    const value = next + key[0].length;
    if (key[1] === name) {
      if (inner.length > 0) return text[value] === "{" ? readPath(text, value, inner) : moreAt(text, value);
      const found = matchAt(STRING, text, value)?.[1];
      if (found === undefined) return text[value] === '"' ? "more" : moreAt(text, value);
      return found !== "" && found.length <= LONGEST_ID && !found.includes("\\") ? { id: found } : null;
    }
    const end = skipValue(text, value);
    if (end < 0) return "more";
    next = end;
  }
}

function moreAt(text: string, at: number): "more" | null {
  return at >= text.length ? "more" : null;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Where the value that begins at `at` ends; -1: not within this text. */
function skipValue(text: string, at: number): number {
  const flat = matchAt(STRING, text, at) ?? matchAt(SCALAR, text, at);
  if (flat !== null) return at + flat[0].length;
  if (text[at] !== "{" && text[at] !== "[") return -1;
  NESTED.lastIndex = at;
  let depth = 0;
  for (let token = NESTED.exec(text); token !== null; token = NESTED.exec(text)) {
    if (token[0] === "{" || token[0] === "[") depth += 1;
    else if (token[0] === "}" || token[0] === "]") depth -= 1;
    if (depth === 0) return NESTED.lastIndex;
  }
  return -1;
}
