// Sentences on a screen: whole, in as many lines as it takes.

import { measure, type Look } from "./look.ts";

/** At blanks; lines after the first are indented by `hanging` more. In a pipe nothing is wrapped. */
export function wrap(look: Look, text: string, indent: number, hanging = 0): string[] {
  if (!look.cut) return [" ".repeat(indent) + text];
  const lines: string[] = [];
  let line = " ".repeat(indent);
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && measure(line) + 1 + measure(word) > look.width) {
      lines.push(line);
      line = " ".repeat(indent + hanging);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
