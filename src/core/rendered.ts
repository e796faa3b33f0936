// What a version says once its variables are filled in: the input of every wire format's injection.

import type { RenderedPart } from "./content-parts.ts";
import type { JsonObject, Placement } from "./types.ts";

/** Parts stand only in a user's message into which a variable puts a picture or a file. */
export type RenderedExample = { role: "user" | "assistant"; content: string | RenderedPart[] };

export type Rendered = {
  /** null: the version has no system text. */
  system: string | null;
  examples: RenderedExample[];
  placement: Placement;
  model: string | null;
  params: JsonObject;
  defaults: JsonObject;
  tools: JsonObject[];
  responseFormat: JsonObject | null;
  providerParams: { [format: string]: JsonObject };
};
