// What was seen in requests and answers, and when: the memory that a diagnosis looks for changes in. Names of models, and
// fingerprints of what stood in callers' bodies; never the contents.

import type { CallerShape } from "./ports.ts";

/** `response`: the model and fingerprint that an answer names. The others: what callers' own bodies bring. */
export const SEEN_KINDS = ["response", "model", "tools", "schema", "client"] as const;
export type SeenKind = "response" | CallerShape["kind"];

/** `version` 0: of callers, whichever version they got. `requests` may miss the last minute before a crash. */
export type SeenValue = {
  kind: SeenKind;
  version: number;
  value: string;
  firstMs: number;
  lastMs: number;
  requests: number;
};
