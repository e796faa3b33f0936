// What a scan found, as a table of offsets: five numbers a value, a value's children right behind it. Reads names and
// short values out of the caller's bytes; decodes only what is asked for. As in JSON.parse, the last of several
// members of one name is the one that is read.

import { decodeUtf8, encodeUtf8 } from "../core/text.ts";
import type { Json } from "../core/types.ts";

/** A value: the offset of its row. The body itself is ROOT. */
export type Node = number;

export type Tree = {
  body: Uint8Array;
  /** Rows of STRIDE numbers; see the slots below. */
  nodes: Int32Array;
  /** Some key on record is spelled with escapes, so comparing bytes is not enough. */
  hasEscapedKeys: boolean;
};

export const ROOT: Node = 0;
export const NONE: Node = -1;

/** Slots of a row: the value's bytes, its key's bytes with the quotes (−1 in an array), the row behind its children. */
export const FROM = 0;
export const TO = 1;
export const KEY_FROM = 2;
export const KEY_TO = 3;
export const NEXT = 4;
export const STRIDE = 5;

/** The name of a member, in the forms that reading and writing want. */
export type Name = {
  text: string;
  bytes: Uint8Array;
  prefix: Uint8Array;
  /** Another spelling that the provider takes for the same name. It is found like the first, and never written. */
  other: Name | null;
};

export function nameOf(text: string): Name {
  return { text, bytes: encodeUtf8(text), prefix: encodeUtf8(`${JSON.stringify(text)}:`), other: null };
}

export function valueFrom(tree: Tree, node: Node): number {
  return tree.nodes[node + FROM]!;
}

export function valueTo(tree: Tree, node: Node): number {
  return tree.nodes[node + TO]!;
}

/** Where a member (its key) or an element begins. */
export function itemFrom(tree: Tree, node: Node): number {
  const keyFrom = tree.nodes[node + KEY_FROM]!;
  return keyFrom < 0 ? tree.nodes[node + FROM]! : keyFrom;
}

/** Only values inside the depth that the scan was asked for have children on record. */
export function firstChild(tree: Tree, node: Node): Node {
  return node + STRIDE < tree.nodes[node + NEXT]! ? node + STRIDE : NONE;
}

export function nextSibling(tree: Tree, parent: Node, node: Node): Node {
  const next = tree.nodes[node + NEXT]!;
  return next < tree.nodes[parent + NEXT]! ? next : NONE;
}

export type Kind = "object" | "array" | "string" | "true" | "false" | "null" | "number";

export function kindOf(tree: Tree, node: Node): Kind {
  switch (tree.body[valueFrom(tree, node)]) {
    case 0x7b:
      return "object";
    case 0x5b:
      return "array";
    case 0x22:
      return "string";
    case 0x74:
      return "true";
    case 0x66:
      return "false";
    case 0x6e:
      return "null";
    default:
      return "number";
  }
}

export function isNamed(tree: Tree, node: Node, name: Name): boolean {
  const { body, nodes } = tree;
  const { bytes } = name;
  const from = nodes[node + KEY_FROM]! + 1;
  const length = nodes[node + KEY_TO]! - 1 - from;
  if (length === bytes.length) {
    let same = 0;
    while (same < length && bytes[same] === body[from + same]) same += 1;
    if (same === length) return true;
  } else if (tree.hasEscapedKeys && length > bytes.length && readKey(tree, node) === name.text) {
    return true;
  }
  return name.other !== null && isNamed(tree, node, name.other);
}

export function readKey(tree: Tree, node: Node): string {
  return readText(tree.body, tree.nodes[node + KEY_FROM]!, tree.nodes[node + KEY_TO]!);
}

/** The last member of this name, or NONE. */
export function findMember(tree: Tree, parent: Node, name: Name): Node {
  let found = NONE;
  for (let node = firstChild(tree, parent); node !== NONE; node = nextSibling(tree, parent, node)) {
    if (isNamed(tree, node, name)) found = node;
  }
  return found;
}

/** Every member of this name: a parser may take the first, the last, or none. */
export function findMembers(tree: Tree, parent: Node, name: Name): Node[] {
  const found: Node[] = [];
  for (let node = firstChild(tree, parent); node !== NONE; node = nextSibling(tree, parent, node)) {
    if (isNamed(tree, node, name)) found.push(node);
  }
  return found;
}

/** Whether a string value is `name`, however it is spelled. */
export function isText(tree: Tree, node: Node, name: Name): boolean {
  const { body } = tree;
  const from = valueFrom(tree, node) + 1;
  const length = valueTo(tree, node) - 1 - from;
  if (body[from - 1] !== 0x22) return false;
  if (length === name.bytes.length) {
    let same = 0;
    while (same < length && name.bytes[same] === body[from + same]) same += 1;
    return same === length;
  }
  const longest = name.bytes.length * 6;
  return (
    length > name.bytes.length &&
    length <= longest &&
    readText(body, from - 1, from + length + 1) === name.text
  );
}

/** The text of a string value; null where it is none. */
export function readString(tree: Tree, node: Node): string | null {
  if (node === NONE || kindOf(tree, node) !== "string") return null;
  return readText(tree.body, valueFrom(tree, node), valueTo(tree, node));
}

/** Decodes a value whole: for the small ones. */
export function readJson(tree: Tree, node: Node): Json {
  return JSON.parse(decodeUtf8(tree.body.subarray(valueFrom(tree, node), valueTo(tree, node)))!) as Json;
}

/** `from` and `to` include the quotes; the bytes have been judged before. */
export function readText(body: Uint8Array, from: number, to: number): string {
  const text = decodeUtf8(body.subarray(from + 1, to - 1))!;
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index += 1) {
    if (one[index] !== other[index]) return false;
  }
  return true;
}
