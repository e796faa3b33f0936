// The one text of a JSON value: members sorted by name, no spaces, numbers and strings as JSON.stringify writes them
// (RFC 8785's rules). Guarantee: contents that mean the same have the same text, so that the same push gets its old
// version number back and a digest can be recomputed by anybody.

import type { Content, Json } from "./types.ts";

/**
 * Canonical JSON of any JSON value. Works without recursion, so that no nesting is too deep for it. Members whose value
 * is `undefined` are left out, as JSON.stringify does.
 */
export function canonicalJson(value: Json): string {
  let text = "";
  // What is still to be written, last first: finished text, or a value in a box of its own.
  const pending: (string | { value: Json })[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "string") text += next;
    else if (typeof next.value !== "object" || next.value === null) text += JSON.stringify(next.value);
    else if (Array.isArray(next.value)) pushElements(next.value, pending);
    else pushMembers(next.value, pending);
  }
  return text;
}

function pushElements(elements: Json[], pending: (string | { value: Json })[]): void {
  pending.push("]");
  for (let index = elements.length - 1; index >= 0; index -= 1) {
    pending.push({ value: elements[index] ?? null });
    if (index > 0) pending.push(",");
  }
  pending.push("[");
}

function pushMembers(members: { [key: string]: Json }, pending: (string | { value: Json })[]): void {
  const written = Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  pending.push("}");
  for (let index = written.length - 1; index >= 0; index -= 1) {
    const [key, value] = written[index] as [string, Json];
    pending.push({ value }, `${index > 0 ? "," : ""}${JSON.stringify(key)}:`);
  }
  pending.push("{");
}

/** The text whose SHA-256 (hex, over UTF-8) is a version's digest: the closed content without its `note`. */
export function digestSource(content: Content): string {
  const { note: _note, ...rest } = content;
  return canonicalJson(rest as Json);
}
