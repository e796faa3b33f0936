// Google's APIs take every name in two spellings, `maxOutputTokens` and `max_output_tokens`, and refuse a body that has
// both. A member of the caller's is found in either; what the caller has not is written in the first.

import { nameOf, type Name } from "./json-tree.ts";
import type { FormatId } from "./wire.ts";

export function toCamel(text: string): string {
  return text.replace(
    /([a-z0-9])_([a-z0-9])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

export function toSnake(text: string): string {
  return text.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before: string, letter: string) => `${before}_${letter.toLowerCase()}`,
  );
}

/** Written as it is given, found in both spellings. */
export function googleName(text: string): Name {
  const other = toCamel(text) === text ? toSnake(text) : toCamel(text);
  return other === text ? nameOf(text) : { ...nameOf(text), other: nameOf(other) };
}

/** The name of a member, as a format knows it. */
export function nameIn(format: FormatId, text: string): Name {
  return format === "gemini" ? googleName(toCamel(text)) : nameOf(text);
}
