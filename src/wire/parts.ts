// Examples whose variables put a picture or a file between their texts, in the words of each wire format. What a format
// cannot say is refused by the variable's name: a prompt must never go up without a part that its caller sent.

import type { MediaPart, RenderedPart } from "../core/content-parts.ts";
import { problem, type Problem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { Json, JsonObject } from "../core/types.ts";
import type { Settings } from "./settings.ts";

export type PartWriter = {
  text(text: string): JsonObject;
  /** The format's own part; a string: what it takes instead, such as "a file_id". */
  media(part: MediaPart): JsonObject | string;
};

export type WrittenExamples = {
  items: { role: "user" | "assistant"; content: Json }[];
  refusal: Problem | null;
};

export function writeExamples({ examples }: Rendered, writer: PartWriter): WrittenExamples {
  let refusal: Problem | null = null;
  const items = examples.map(({ role, content }) => {
    if (typeof content === "string") return { role, content };
    const parts = content.map((part): JsonObject => {
      const written = part.kind === "text" ? writer.text(part.text) : writer.media(part);
      if (typeof written !== "string") return written;
      refusal ??= refusePart(part, written);
      return {};
    });
    return { role, content: parts };
  });
  return { items, refusal };
}

const SOURCES = { url: "URL", id: "file_id", data: "data of this type" } as const;

function refusePart(part: RenderedPart, instead: string): Problem {
  if (part.kind === "text") throw new Error("every format takes text");
  const field = `prompt.variables.${part.variable}`;
  const given = `the ${SOURCES[part.source.from]} of an input_${part.kind} part`;
  return problem("variable_invalid", `${field} is ${given}, which this API does not take: send ${instead}.`, {
    field,
  });
}

/** Settings are shared by all requests of a version; what one request's variables spoil is its own. */
export function spoil(settings: Settings, refusal: Problem | null): Settings {
  return refusal === null ? settings : { ...settings, refusal: settings.refusal ?? refusal };
}
