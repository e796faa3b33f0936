// What a version says once its variables are filled in: the input of every wire format's injection.

import type { JsonObject, Placement } from "./types.ts";

export type Rendered = {
  /** null: the version has no system text. */
  system: string | null;
  examples: { role: "user" | "assistant"; content: string }[];
  placement: Placement;
  model: string | null;
  params: JsonObject;
  defaults: JsonObject;
  tools: JsonObject[];
  responseFormat: JsonObject | null;
  providerParams: { [format: string]: JsonObject };
};
