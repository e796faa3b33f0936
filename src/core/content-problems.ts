// What is wrong with a content, said so that its author can mend it: the JSON path, and a sentence that goes on from it
// ("params.temperature must be at most 2"). Also the first look at an input, before any schema: plain JSON, of bearable
// depth, with no key and no text that could play tricks later. Guarantee: after it, walking by recursion is safe.

import type * as z from "zod";
import { problem, type FieldError, type Problem } from "./problem.ts";
import { MAX_DEPTH, nameType } from "./variables.ts";

const MAX_ERRORS = 50;

export function contentProblem(errors: FieldError[]): Problem {
  const [first] = errors;
  if (first === undefined) throw new Error("a problem without an error");
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return problem("invalid_request", `${first.field} ${first.message}${more}.`, {
    field: first.field,
    errors: errors.slice(0, MAX_ERRORS),
  });
}

/** `messages[0].content`; a key that is no plain word is quoted in brackets; the content itself is `content`. */
export function writePath(path: readonly PropertyKey[]): string {
  const written = path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(String(key))) return `${text}[${JSON.stringify(String(key).slice(0, 60))}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
  return written || "content";
}

/** What to say about an unknown key at a path, beyond that it is unknown. */
export type Advice = (path: readonly PropertyKey[], key: string) => string;

/** Parses; what is wrong comes back as sentences about the fields below `at`. */
export function readShape<Output>(
  schema: z.ZodType<Output>,
  input: unknown,
  at: PropertyKey[],
  advise: Advice,
): { value: Output } | { errors: FieldError[] } {
  const parsed = schema.safeParse(input, { error: describeIssue });
  if (parsed.success) return { value: parsed.data };
  // Advice takes 35 µs a key, and only the first errors are shown: for all keys of 1 MiB it took 3 s.
  let advised = 0;
  const adviseFirst: Advice = (path, key) => (advised++ < MAX_ERRORS ? advise(path, key) : "");
  const errors = parsed.error.issues.flatMap((issue): FieldError[] => {
    const path = [...at, ...issue.path];
    if (issue.code !== "unrecognized_keys") return [{ field: writePath(path), message: issue.message }];
    return issue.keys.map((key) => ({
      field: writePath([...path, key]),
      message: `is not known here${adviseFirst(path, key)}`,
    }));
  });
  return { errors };
}

/** zod's issues as the end of a sentence that begins with the field, for `safeParse`. Schemas' own words go first. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" || issue.code === "invalid_union") {
    if (issue.input === undefined) return "is required";
    if (issue.expected === "int" && typeof issue.input === "number") return "must be a whole number";
    const expected = issue.code === "invalid_type" ? nameExpected(issue.expected) : "something else";
    return `must be ${expected}, not ${nameType(issue.input)}`;
  }
  if (issue.code === "invalid_value") {
    const values = issue.values.map((value) => JSON.stringify(value));
    return issue.input === undefined ? "is required" : `must be ${joinWithOr(values)}`;
  }
  if (issue.code === "too_small") {
    const isEmpty = issue.origin === "string" || issue.origin === "array";
    return isEmpty ? "must not be empty" : `must be at least ${issue.minimum}`;
  }
  if (issue.code === "too_big") {
    return `must ${issue.origin === "array" || issue.origin === "string" ? "have" : "be"} at most ${issue.maximum}${unitOf(issue.origin)}`;
  }
  return undefined;
}

function unitOf(origin: string): string {
  if (origin === "array") return " entries";
  return origin === "string" ? " characters" : "";
}

function nameExpected(expected: string): string {
  if (expected === "int") return "a whole number";
  if (expected === "record") return "an object";
  return /^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

function joinWithOr(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

type Step = { value: unknown; path: PropertyKey[] };

/** The first thing that keeps `input` from being harmless JSON, or null. */
export function findUnsafe(input: unknown): FieldError | null {
  const pending: Step[] = [{ value: input, path: [] }];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    const message = judgeValue(step.value, step.path.length);
    if (message !== null) return { field: writePath(step.path), message };
    if (typeof step.value !== "object" || step.value === null) continue;
    const isList = Array.isArray(step.value);
    for (const [key, value] of Object.entries(step.value).toReversed()) {
      const path = [...step.path, isList ? Number(key) : key];
      if (key === "__proto__" || LONE_SURROGATE.test(key)) {
        return { field: writePath(path), message: "is a key that cannot be used" };
      }
      pending.push({ value, path });
    }
  }
  return null;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function judgeValue(value: unknown, depth: number): string | null {
  if (depth > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : "must be a finite number";
  if (typeof value === "string") {
    return LONE_SURROGATE.test(value) ? "holds half of a surrogate pair, which is no text" : null;
  }
  if (typeof value !== "object") return "must be a JSON value";
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null;
  return isPlain ? null : "must be a JSON value";
}

/** The known word that `word` is most likely a slip of, or null. */
export function findNearMiss(word: string, known: readonly string[]): string | null {
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(flatten(word.slice(0, 40)), flatten(name)) }))
    .toSorted((one, other) => one.distance - other.distance);
  return nearest !== undefined && nearest.distance <= Math.min(2, nearest.name.length / 3)
    ? nearest.name
    : null;
}

/** `topP`, `top-p` and `top_p` are the same word. */
function flatten(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
