// What a prompt's variables may be called, and which values fit which type. Read at push (defaults) and on every
// request (the caller's values), so that a default can never be what a caller would be refused for. No zod here: this
// lies on the request path.

import type { Json, VariableType } from "./types.ts";

export const VARIABLE_TYPES = [
  "string",
  "number",
  "boolean",
  "array",
  "object",
] as const satisfies VariableType[];

/** Names that are declared or sent. Dots are for paths into a variable, so a name has none. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;

/** A tag's name: a variable, then members or list positions of it (`order.items.0`). */
export const TAG_NAME = /^(?!(.*\.)?__proto__(\.|$))[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** Deepest nesting of any JSON that goes into a version or a variable; far more than needed, far less than a stack. */
export const MAX_DEPTH = 64;

/** Nothing is converted, but a number or a boolean is as good as a string: it prints in one way only. */
export function fitsType(value: Json, type: VariableType): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === "string") return ["string", "number", "boolean"].includes(typeof value);
  return typeof value === type;
}

export function nameType(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** Whether `value` nests deeper than `limit` levels; looks no further than that. */
export function isDeeperThan(value: Json, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}
