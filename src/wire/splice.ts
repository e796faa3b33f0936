// Splices bytes into bytes: one allocation, everything outside the patches copied as it stands (guarantee 4). Above
// that, the edits of one JSON object or array that keep its commas right: what is taken out, what is put in where.

import {
  firstChild,
  itemFrom,
  nextSibling,
  NONE,
  valueFrom,
  valueTo,
  type Node,
  type Tree,
} from "./json-tree.ts";

/** Bytes `from` (included) to `to` (excluded) of the body give way to `bytes`. */
export type Patch = { from: number; to: number; bytes: Uint8Array };

const COMMA = Uint8Array.of(0x2c);
const NOTHING = new Uint8Array(0);

/** `patches` are sorted and do not overlap; several may stand at one place and keep their order. */
export function splice(body: Uint8Array, patches: readonly Patch[]): Uint8Array {
  let size = body.length;
  for (const { from, to, bytes } of patches) size += bytes.length - (to - from);
  const out = new Uint8Array(size);
  let read = 0;
  let written = 0;
  for (const { from, to, bytes } of patches) {
    if (from > read) out.set(body.subarray(read, from), written);
    written += from - read;
    out.set(bytes, written);
    written += bytes.length;
    read = to;
  }
  out.set(body.subarray(read), written);
  return out;
}

/** By place; at one place insertions go before a removal, and otherwise stay in the order they came in. */
export function sortPatches(patches: Patch[]): Patch[] {
  return patches.toSorted((one, other) => one.from - other.from || one.to - other.to);
}

export function insertAt(patches: Patch[], at: number, bytes: Uint8Array): void {
  patches.push({ from: at, to: at, bytes });
}

export function replaceValue(patches: Patch[], tree: Tree, node: Node, bytes: Uint8Array): void {
  patches.push({ from: valueFrom(tree, node), to: valueTo(tree, node), bytes });
}

/** Members (`"name":value`) or elements that go in before the item `before`; NONE: behind the last one. */
export type Insertion = { before: Node; items: Uint8Array[] };

/** Edits the items of one object or array. `removed` are children of `list`, in the order they stand there. */
export function editList(
  patches: Patch[],
  tree: Tree,
  list: Node,
  removed: Node[],
  insertions: Insertion[],
): void {
  const gone = removed.length === 0 ? null : new Set(removed);
  if (gone !== null) removeItems(patches, tree, list, gone);
  for (const { before, items } of insertions) {
    if (items.length > 0) insertItems(patches, tree, list, gone, before, items);
  }
}

function insertItems(
  patches: Patch[],
  tree: Tree,
  list: Node,
  gone: Set<Node> | null,
  before: Node,
  items: Uint8Array[],
): void {
  const next = firstKept(tree, list, gone, before);
  if (next !== NONE) {
    const at = itemFrom(tree, next);
    for (const item of items) {
      insertAt(patches, at, item);
      insertAt(patches, at, COMMA);
    }
    return;
  }
  const last = lastKept(tree, list, gone);
  const at = last === NONE ? valueFrom(tree, list) + 1 : valueTo(tree, last);
  // A later insertion at the same end finds items there already, though none of them is the caller's.
  let needsComma = last !== NONE || patches.some((patch) => patch.from === at && patch.to === at);
  for (const item of items) {
    if (needsComma) insertAt(patches, at, COMMA);
    insertAt(patches, at, item);
    needsComma = true;
  }
}

function firstKept(tree: Tree, list: Node, gone: Set<Node> | null, from: Node): Node {
  if (gone === null) return from;
  let node = from;
  while (node !== NONE && gone.has(node)) node = nextSibling(tree, list, node);
  return node;
}

function lastKept(tree: Tree, list: Node, gone: Set<Node> | null): Node {
  let last = NONE;
  for (let node = firstChild(tree, list); node !== NONE; node = nextSibling(tree, list, node)) {
    if (gone === null || !gone.has(node)) last = node;
  }
  return last;
}

/** A run of items goes with the comma behind it; at the end of the list, with the one before it. */
function removeItems(patches: Patch[], tree: Tree, list: Node, gone: Set<Node>): void {
  let runFrom = NONE;
  let lastKeptTo = NONE;
  let lastTo = NONE;
  for (let node = firstChild(tree, list); node !== NONE; node = nextSibling(tree, list, node)) {
    const from = itemFrom(tree, node);
    lastTo = valueTo(tree, node);
    if (gone.has(node)) {
      if (runFrom === NONE) runFrom = from;
      continue;
    }
    if (runFrom !== NONE) patches.push({ from: runFrom, to: from, bytes: NOTHING });
    runFrom = NONE;
    lastKeptTo = lastTo;
  }
  if (runFrom === NONE) return;
  patches.push({ from: lastKeptTo === NONE ? runFrom : lastKeptTo, to: lastTo, bytes: NOTHING });
}
