// How text may look on the reader's terminal, as one plain value that every formatter takes. All text that comes
// from the server goes through `plain` first: a version's note must not be able to move the cursor or recolour the
// screen of the person who decides about a rollback.

export type Look = {
  /** Columns. */
  width: number;
  /** Lines; Infinity where nothing is a screen. */
  height: number;
  /** Text that does not fit the width is cut. Only on screens: in a pipe or a file nobody could ever see the rest. */
  cut: boolean;
  colour: boolean;
  /** Block characters and arrows may be used; else ASCII stands in. */
  unicode: boolean;
};

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

export const DEFAULT_WIDTH = 80;

const CODES: { [style in Style]: [open: number, close: number] } = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

const GLYPHS = {
  arrow: ["→", "->"],
  cross: ["✗", "x"],
  tick: ["✓", "ok"],
  dot: ["·", "-"],
  ellipsis: ["…", "..."],
  rule: ["─", "-"],
  here: ["▶", ">"],
} as const;

export type Glyph = keyof typeof GLYPHS;

export function glyph(look: Look, name: Glyph): string {
  return GLYPHS[name][look.unicode ? 0 : 1];
}

export function paint(look: Look, style: Style, text: string): string {
  if (!look.colour || text === "") return text;
  const [open, close] = CODES[style];
  return `\u001b[${open}m${text}\u001b[${close}m`;
}

type Terminal = { isTTY?: boolean; columns?: number; rows?: number };
type Variables = { [name: string]: string | undefined };

/** What the stream and the environment allow. Some pseudo-terminals say that they have 0 columns and 0 rows. `NO_COLOR` and `--no-color` win over everything. */
export function detectLook(stream: Terminal, variables: Variables, noColour: boolean): Look {
  const dumb = variables["TERM"] === "dumb";
  const wanted = stream.isTTY === true || Boolean(variables["FORCE_COLOR"]);
  return {
    width: stream.columns || Number(variables["COLUMNS"]) || DEFAULT_WIDTH,
    height: stream.rows || Number.POSITIVE_INFINITY,
    cut: stream.isTTY === true,
    colour: wanted && !dumb && !noColour && !variables["NO_COLOR"],
    unicode: !dumb && speaksUtf8(variables),
  };
}

/** On Windows and macOS the locale variables are often unset and the terminals speak UTF-8; a Unix without a UTF-8
 * locale does not promise it. */
function speaksUtf8(variables: Variables): boolean {
  const locale = variables["LC_ALL"] || variables["LC_CTYPE"] || variables["LANG"];
  if (!locale) return process.platform === "win32" || process.platform === "darwin";
  return /utf-?8/i.test(locale);
}

/** One line of foreign text: no control characters, no escape sequences, no line breaks. */
export function plain(text: string): string {
  return plainBlock(text).replace(/\s+/g, " ").trim();
}

/** Foreign text of many lines: no control characters but line breaks and tabs. */
export function plainBlock(text: string): string {
  return text.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/gu, "");
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Columns that unpainted text takes. */
export function measure(text: string): number {
  let columns = 0;
  for (const character of text) columns += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

/** Cut to at most `columns`, with an ellipsis where something is missing. */
export function truncate(look: Look, text: string, columns: number): string {
  if (measure(text) <= columns) return text;
  const mark = glyph(look, "ellipsis");
  let kept = "";
  let used = mark.length;
  for (const character of text) {
    used += measure(character);
    if (used > columns) break;
    kept += character;
  }
  return kept.trimEnd() + mark.slice(0, Math.max(0, columns));
}
