// The text work of inlining: indenting a partial, putting it in the place of its tag, and, where the plain way would
// read differently, writing the template anew from its segments. Whoever calls this compares the outcome with what
// Mustache would have made of it; nothing here is trusted on its word.

import type { PartialToken } from "./tokens.ts";
import type { Template } from "./types.ts";

/** Characters that indenting adds, so that it can be refused before it is done. */
export function countIndentation(partial: string, tag: PartialToken): number {
  return tag.tagIndex === 0 ? tag.indentation.length * partial.split("\n").length : 0;
}

/** As the `mustache` package does: blanks before the tag stand before every line of the partial that is not empty. */
export function indentPartial(partial: string, tag: PartialToken): string {
  if (tag.tagIndex !== 0 || tag.indentation === "") return partial;
  const blanks = tag.indentation.replace(/[^ \t]/g, "");
  const lines = partial.split("\n");
  const indented = lines.map((line, index) =>
    line !== "" && (index > 0 || !tag.lineHasText) ? blanks + line : line,
  );
  return indented.join("\n");
}

/** Puts each text in the place of its tag; a tag alone on its line takes the blanks and the line's end with it. */
export function spliceTexts(template: string, replacements: { tag: PartialToken; text: string }[]): string {
  let spliced = "";
  let position = 0;
  for (const { tag, text } of replacements) {
    const lineStart = template.lastIndexOf("\n", tag.start - 1) + 1;
    const newline = template.indexOf("\n", tag.end);
    const lineEnd = newline === -1 ? template.length : newline + 1;
    const isAlone =
      template.slice(lineStart, tag.start).trim() === "" && template.slice(tag.end, lineEnd).trim() === "";
    spliced += template.slice(position, isAlone ? Math.max(position, lineStart) : tag.start) + text;
    position = isAlone ? lineEnd : tag.end;
  }
  return spliced + template.slice(position);
}

type Piece = { text: string; kind: "text" | "value" | "section" };

/**
 * Text that parses into these segments, but for rare cases: blanks before a section tag on a line that holds nothing
 * else, or a brace next to a tag, cannot be written in Mustache.
 */
export function writeTemplate(template: Template): string {
  const lines: Piece[][] = [[]];
  for (const piece of template.flatMap(toPieces)) {
    lines.at(-1)!.push(piece);
    if (piece.text.endsWith("\n")) lines.push([]);
  }
  return lines.map(writeLine).join("");
}

function toPieces(segment: Template[number]): Piece[] {
  if (typeof segment === "string") {
    return segment.split(/(?<=\n)/).map((text) => ({ text, kind: "text" }));
  }
  const name = segment.path.join(".") || ".";
  if (segment.kind === "value") return [{ text: `{{${name}}}`, kind: "value" }];
  return [
    { text: `{{${segment.kind === "section" ? "#" : "^"}${name}}}`, kind: "section" },
    ...segment.body.flatMap(toPieces),
    { text: `{{/${name}}}`, kind: "section" },
  ];
}

/** A line of section tags and blanks loses its blanks; a newline behind the tags lets those after them stay. */
function writeLine(pieces: Piece[]): string {
  const lastTag = pieces.findLastIndex(({ kind }) => kind === "section");
  const isBlank = pieces.every(
    ({ kind, text }) => kind === "section" || (kind === "text" && text.trim() === ""),
  );
  const needsNewline = lastTag !== -1 && isBlank && lastTag < pieces.length - 1;
  return pieces.map(({ text }, index) => (needsNewline && index === lastTag ? `${text}\n` : text)).join("");
}
