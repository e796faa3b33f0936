// What changed from one version to another, for people (unified text) and for programs (a list of paths). Guarantees: an
// order of keys is never a change, both forms agree on whether anything changed, and two texts without a common line
// cost no more than writing them out.

import { createTwoFilesPatch, FILE_HEADERS_ONLY, formatPatch } from "diff";
import { canonicalJson } from "./canonical.ts";
import { writePath } from "./content-problems.ts";
import type { Content, Json, JsonObject } from "./types.ts";

/** What is not there on one side is null. */
export type Change = { path: string; before: Json; after: Json };

const COMPARED = [
  "messages",
  "model",
  "placement",
  "params",
  "defaults",
  "variables",
  "tools",
  "response_format",
  "provider_params",
] as const satisfies (keyof Content)[];

export type ContentDiff = {
  from: number;
  to: number;
  /** Unified diff; empty when nothing but the note differs. */
  text: string;
  changes: { [field in (typeof COMPARED)[number]]: Change[] };
};

/** A content without `params` differs from one with them in each of these, not in the whole. */
const EMPTY: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["params", {}],
  ["defaults", {}],
  ["variables", {}],
  ["tools", []],
  ["provider_params", {}],
]);

type Side = { version: number; content: Content };

/** Changed lines that are searched for the shortest diff. The cost grows with their square: 0.15 s for 1,000, 0.5 s for 2,000. */
const MAX_EDITS = 1_000;

export function diffContents(from: Side, to: Side): ContentDiff {
  const entries = COMPARED.map((field) => {
    const [before, after] = [from, to].map(
      (side) => (side.content[field] ?? EMPTY.get(field)) as Json | undefined,
    );
    return [field, compare([field], before, after)] as const;
  });
  return {
    from: from.version,
    to: to.version,
    text: diffTexts(from, to),
    changes: Object.fromEntries(entries) as ContentDiff["changes"],
  };
}

/** Down to the smallest parts that differ; lists by position. */
function compare(path: PropertyKey[], before: Json | undefined, after: Json | undefined): Change[] {
  const keys = listKeys(before, after);
  if (keys !== null) {
    return keys.flatMap((key) => compare([...path, key], readMember(before, key), readMember(after, key)));
  }
  const isSame = before === undefined || after === undefined ? before === after : isEqual(before, after);
  return isSame ? [] : [{ path: writePath(path), before: before ?? null, after: after ?? null }];
}

function isEqual(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** Keys of both, where both are objects or both are lists. */
function listKeys(before: Json | undefined, after: Json | undefined): (string | number)[] | null {
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
  }
  return isObject(before) && isObject(after)
    ? [...new Set([...Object.keys(before), ...Object.keys(after)])]
    : null;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Of an object or a list; undefined where it has none. */
function readMember(value: Json | undefined, key: string | number): Json | undefined {
  return Object.hasOwn(value as JsonObject, key) ? (value as JsonObject)[key] : undefined;
}

function diffTexts(from: Side, to: Side): string {
  const before = writeReadably(from.content);
  const after = writeReadably(to.content);
  if (before === after) return "";
  const oldFileName = `version ${from.version}`;
  const newFileName = `version ${to.version}`;
  const shortest = createTwoFilesPatch(oldFileName, newFileName, before, after, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  if (shortest !== undefined) return shortest;
  const [oldLines, newLines] = [before, after].map((text) => text.split("\n").slice(0, -1)) as [
    string[],
    string[],
  ];
  const lines = [...oldLines.map((line) => `-${line}`), ...newLines.map((line) => `+${line}`)];
  const hunk = { oldStart: 1, oldLines: oldLines.length, newStart: 1, newLines: newLines.length, lines };
  return formatPatch(
    { oldFileName, newFileName, oldHeader: undefined, newHeader: undefined, hunks: [hunk] },
    FILE_HEADERS_ONLY,
  );
}

/** Messages as they read, the rest as `path: JSON` with sorted keys. Without the note, which is no part of the digest. */
function writeReadably(content: Content): string {
  const rest = COMPARED.filter((field) => field !== "messages").flatMap((field) => {
    const value = content[field] as Json | undefined;
    if (value === undefined) return [];
    if (!isObject(value)) return [`${field}: ${writeJson(value)}`];
    const keys = Object.keys(value).toSorted();
    return keys.map((key) => `${writePath([field, key])}: ${writeJson(value[key]!)}`);
  });
  const messages = content.messages.map(
    ({ role, content: text }, index) => `\n== messages[${index}] ${role} ==\n${text}`,
  );
  return `${[...rest, ...messages].join("\n")}\n`;
}

function writeJson(value: Json): string {
  return JSON.stringify(JSON.parse(canonicalJson(value)), null, 2);
}
