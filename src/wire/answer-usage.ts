// Tokens as providers count them, brought into one way of counting: `inputTokens` is all of the input, and what came out of
// the provider's cache or went into it is a part of it; `outputTokens` is all of the output, thinking included. That is what
// prices are said in. OpenAI and Gemini count so; Anthropic and Bedrock count what was cached beside the input
// (`freshInputTokens` until the sum is made, for the parts may come in two events).

import type { Usage } from "../core/metering/outcome.ts";
import type { Json, JsonObject } from "../core/types.ts";

/** Counts of one event; what it does not say is left out. `freshInputTokens`: input that neither came out of a cache nor
 * went into one. */
export type Counts = { [name in keyof Usage | "freshInputTokens"]?: number };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: JsonObject, ...path: string[]): JsonObject | null {
  let found: Json | undefined = value;
  for (const name of path) found = isObject(found) ? found[name] : undefined;
  return isObject(found) ? found : null;
}

export function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A string that says something, or null. */
export function textAt(value: JsonObject, name: string): string | null {
  const found = value[name];
  return typeof found === "string" && found !== "" ? found : null;
}

/** No answer has more tokens: what says so is no count, and would spoil every sum that it goes into. */
const MOST = 10_000_000_000;

/** A count at `path`, or null. */
export function countAt(value: JsonObject, ...path: string[]): number | null {
  const name = path.at(-1)!;
  const found = objectAt(value, ...path.slice(0, -1))?.[name];
  return typeof found === "number" && found >= 0 && found <= MOST ? Math.round(found) : null;
}

/** Those that are counts. Zero is one. */
export function countsOf(counts: { [name in keyof Counts]?: number | null }): Counts {
  const found: Counts = {};
  for (const [name, count] of Object.entries(counts)) {
    if (count !== null && count !== undefined) found[name as keyof Counts] = count;
  }
  return found;
}

/** The sum of those that are said; null: none is. */
export function sumOf(...counts: (number | null | undefined)[]): number | null {
  const said = counts.filter((count) => count !== null && count !== undefined);
  return said.length === 0 ? null : said.reduce((sum, count) => sum + count, 0);
}

/** Of all events' counts together, later ones over earlier ones; null: no event had any. */
export function usageOf(counts: Counts | null): Usage | null {
  if (counts === null || Object.keys(counts).length === 0) return null;
  const { freshInputTokens, cachedInputTokens, cacheWriteTokens } = counts;
  const parts = sumOf(freshInputTokens, cachedInputTokens, cacheWriteTokens);
  return {
    inputTokens: freshInputTokens === undefined ? (counts.inputTokens ?? null) : parts,
    outputTokens: counts.outputTokens ?? null,
    cachedInputTokens: cachedInputTokens ?? null,
    cacheWriteTokens: cacheWriteTokens ?? null,
    reasoningTokens: counts.reasoningTokens ?? null,
  };
}
