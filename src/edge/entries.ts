// The isolate's memory of prompts: an entry per prompt and environment, and which alias stands for which prompt.
// Bounded, so that requests for made-up names cannot fill an isolate.

import { createEntry, resolveAlias, type Entry, type Scope } from "./releases.ts";

const MOST_ENTRIES = 5_000;
const ALIAS_MS = 30_000;

const entries = new Map<string, Entry>();
const aliases = new Map<string, { prompt: string; atMs: number }>();

export function findEntry(prompt: string, environment: string): Entry {
  const key = `${prompt}@${environment}`;
  const known = entries.get(key);
  if (known !== undefined) return known;
  const entry = createEntry(prompt, environment);
  put(entries, key, entry);
  return entry;
}

export function forgetEntry(entry: Entry): void {
  entries.delete(`${entry.prompt}@${entry.environment}`);
}

/** After a command that this very isolate took: its next request asks Control, instead of when the lease is due. */
export function expireLeases(name: string): void {
  const prompt = knownPrompt(name);
  for (const entry of entries.values()) {
    if (entry.prompt === prompt && entry.grant !== null) entry.grant = { ...entry.grant, askedAtMs: null };
  }
}

/** The prompt behind an alias that this isolate has resolved before; otherwise the name itself. */
export function knownPrompt(name: string): string {
  const known = aliases.get(name);
  return known !== undefined && Date.now() - known.atMs < ALIAS_MS ? known.prompt : name;
}

/** Asks who holds the alias; null: nobody does. */
export async function lookUpAlias(name: string, scope: Scope): Promise<string | null> {
  const prompt = await resolveAlias(name, scope);
  if (prompt !== null && prompt !== name) put(aliases, name, { prompt, atMs: Date.now() });
  return prompt;
}

function put<Value>(memory: Map<string, Value>, key: string, value: Value): void {
  memory.set(key, value);
  if (memory.size <= MOST_ENTRIES) return;
  const oldest = memory.keys().next().value;
  if (oldest !== undefined) memory.delete(oldest);
}
