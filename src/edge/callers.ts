// What callers' own bodies are like: the models that they ask for, their tools, the schema of the answer they want, their
// client. Told to Control in a few lines, so that on-call sees whether the app changed and not the prompt. No text of
// anybody's: names of models and clients, and fingerprints.

import type { CallerShape } from "../core/ports.ts";
import { fingerprintShape, type Span } from "../wire/shapes.ts";

export type Callers = {
  /** `kind value` → requests since the last report. */
  seen: Map<string, CallerShape>;
  /** `kind length` → fingerprint, so that a shape of a known length is fingerprinted only now and then. */
  known: Map<string, string>;
  requests: number;
};

/** More are not told apart. */
const MOST_SHAPES = 64;
const MOST_KNOWN = 256;
/** Another shape of the very same length is noticed within so many requests. */
const LOOK_EVERY = 16;
const LONGEST_NAME = 100;

export function createCallers(): Callers {
  return { seen: new Map(), known: new Map(), requests: 0 };
}

export type CallerTraits = {
  body: Uint8Array;
  askedModel: string | null;
  tools: Span | null;
  schema: Span | null;
  /** Of the header `user-agent`. */
  client: string | null;
};

export function addCaller(callers: Callers, traits: CallerTraits): void {
  const { body, askedModel, tools, schema, client } = traits;
  callers.requests += 1;
  if (askedModel !== null) add(callers, "model", askedModel);
  if (client !== null) add(callers, "client", client.split(/[\s(;]/, 1)[0] ?? "");
  add(callers, "tools", tools === null ? "none" : shapeOf(callers, "tools", body, tools));
  add(callers, "schema", schema === null ? "none" : shapeOf(callers, "schema", body, schema));
}

function add({ seen }: Callers, kind: CallerShape["kind"], name: string): void {
  const value = name.slice(0, LONGEST_NAME);
  if (value === "") return;
  const key = `${kind} ${value}`;
  const held = seen.get(key);
  if (held !== undefined) held.requests += 1;
  else if (seen.size < MOST_SHAPES) seen.set(key, { kind, value, requests: 1 });
}

function shapeOf({ known, requests }: Callers, kind: string, body: Uint8Array, span: Span): string {
  const key = `${kind} ${span.to - span.from}`;
  const held = known.get(key);
  if (held !== undefined && requests % LOOK_EVERY !== 0) return held;
  const found = fingerprintShape(body, span);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(key, found);
  return found;
}

/** What has gathered, which is forgotten here: where it is lost, nothing that counts is. */
export function takeCallers(callers: Callers): CallerShape[] {
  const taken = [...callers.seen.values()];
  callers.seen = new Map();
  return taken;
}
