// A KV namespace that can be dead, silent, slow, or frozen at what it held when the fault began: the staleness that
// production has and a local KV, which is strongly consistent, never shows.

import { callUnderFault, faults } from "./faults.ts";

type GetOptions = "json" | "text" | { type?: string; cacheTtl?: number };
type Page = { keys: { name: string }[]; list_complete: boolean; cursor?: string };

export type RawStore = {
  get(key: string, options?: GetOptions): Promise<unknown>;
  put(key: string, value: string, options?: object): Promise<void>;
  delete(key: string): Promise<void>;
  list(options?: { prefix?: string; cursor?: string }): Promise<Page>;
};

let snapshot: Map<string, string> | null = null;

/** Takes the snapshot that a frozen store answers from. */
export async function freeze(store: RawStore): Promise<void> {
  const copy = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page: Page = await store.list(cursor === undefined ? {} : { cursor });
    for (const { name } of page.keys) copy.set(name, (await store.get(name, "text")) as string);
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
  snapshot = copy;
}

export function thaw(): void {
  snapshot = null;
}

export function storeUnderFaults(store: RawStore): RawStore {
  return {
    get: (key, options) => callUnderFault("store", "get", () => read(store, key, options)),
    put: (key, value, options) => callUnderFault("store", "put", () => store.put(key, value, options)),
    delete: (key) => callUnderFault("store", "delete", () => store.delete(key)),
    list: (options) => callUnderFault("store", "list", () => store.list(options)),
  };
}

async function read(store: RawStore, key: string, options?: GetOptions): Promise<unknown> {
  if (faults.store !== "frozen" || snapshot === null) return store.get(key, options);
  const text = snapshot.get(key) ?? null;
  const type = typeof options === "string" ? options : options?.type;
  return text !== null && type === "json" ? JSON.parse(text) : text;
}
