// The text of the first user message: what stickiness is keyed on where the client names no conversation. Only text
// counts, so that a cache_control mark that moves from turn to turn does not change the key; and only its first 16 KiB
// are decoded, so that a pasted book costs no more than a question.

import { finalize } from "../core/hash.ts";
import {
  findMember,
  firstChild,
  isNamed,
  isText,
  itemFrom,
  kindOf,
  nameOf,
  nextSibling,
  NONE,
  readText,
  valueFrom,
  valueTo,
  type Node,
  type Tree,
} from "./json-tree.ts";

export const LONGEST_TEXT_BYTES = 16 * 1024;
/** How much of a part that is no text goes into its fingerprint. */
const FINGERPRINT_BYTES = 1024;

const TYPE = nameOf("type");
const TEXT = nameOf("text");
const INPUT_TEXT = nameOf("input_text");
const CACHE_CONTROL = nameOf("cache_control");

/** `content`: a string, or a list of parts. Longer texts end in a NUL and the number of their bytes. */
export function textOf(tree: Tree, content: Node): string {
  const strings = kindOf(tree, content) === "array" ? textParts(tree, content) : stringOnly(tree, content);
  return textIn(tree, content, strings);
}

/** The same of a text that stands in `strings`, parts of `content`. */
export function textIn(tree: Tree, content: Node, strings: readonly Node[]): string {
  let text = "";
  let bytes = 0;
  for (const node of strings) {
    const size = valueTo(tree, node) - valueFrom(tree, node) - 2;
    const room = LONGEST_TEXT_BYTES - bytes;
    if (room > 0) text += headOf(tree.body, valueFrom(tree, node) + 1, size, room);
    bytes += size;
  }
  if (bytes > LONGEST_TEXT_BYTES) return `${text}\u0000${bytes}`;
  return text === "" ? fingerprint(tree, content) : text;
}

function stringOnly(tree: Tree, content: Node): Node[] {
  return kindOf(tree, content) === "string" ? [content] : [];
}

function textParts(tree: Tree, content: Node): Node[] {
  const found: Node[] = [];
  for (let part = firstChild(tree, content); part !== NONE; part = nextSibling(tree, content, part)) {
    const type = findMember(tree, part, TYPE);
    const text = findMember(tree, part, TEXT);
    if (text === NONE || kindOf(tree, text) !== "string") continue;
    // Bedrock's parts have no type.
    if (type === NONE || isText(tree, type, TEXT) || isText(tree, type, INPUT_TEXT)) found.push(text);
  }
  return found;
}

/** The beginning of a string of `size` bytes, decoded; never half a character or half an escape. */
function headOf(body: Uint8Array, from: number, size: number, room: number): string {
  const to = size <= room ? from + size : cutBefore(body, from, from + room);
  return readText(body, from - 1, to + 1);
}

function cutBefore(body: Uint8Array, from: number, to: number): number {
  let cut = to;
  while (cut > from && (body[cut]! & 0xc0) === 0x80) cut -= 1;
  for (let at = cut - 1; at >= from && at > cut - 6; at -= 1) {
    if (body[at] !== 0x5c) continue;
    let run = 1;
    while (at - run >= from && body[at - run] === 0x5c) run += 1;
    const end = at + (body[at + 1] === 0x75 ? 6 : 2);
    return run % 2 === 1 && end > cut ? at : cut;
  }
  return cut;
}

/** Stands for a message without text, an image alone for one: a hash of the parts' members, marks for caching aside. */
function fingerprint(tree: Tree, content: Node): string {
  const { body } = tree;
  let hash = 0x811c9dc5;
  const absorb = (from: number, to: number) => {
    const end = Math.min(to, from + FINGERPRINT_BYTES);
    for (let at = from; at < end; at += 1) hash = Math.imul(hash ^ body[at]!, 0x01000193);
    hash = Math.imul(hash ^ (to - from), 0x01000193);
  };
  if (firstChild(tree, content) === NONE) absorb(valueFrom(tree, content), valueTo(tree, content));
  for (let part = firstChild(tree, content); part !== NONE; part = nextSibling(tree, content, part)) {
    for (let member = firstChild(tree, part); member !== NONE; member = nextSibling(tree, part, member)) {
      if (!isNamed(tree, member, CACHE_CONTROL)) absorb(itemFrom(tree, member), valueTo(tree, member));
    }
  }
  return `\u0000${finalize(hash).toString(16).padStart(8, "0")}`;
}
