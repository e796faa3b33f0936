// A version's tools, tool choice and response format in each wire format's own shape. They come in the neutral shapes
// that core/content.ts brings every spelling into: a tool without `type` is a function, one with a `type` is a
// provider's own and goes as it is.

import { problem, type Problem } from "../core/problem.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { jsonText } from "./json-write.ts";
import type { FormatId } from "./wire.ts";

/** The tool as `format` wants it. */
export function toolFor(tool: JsonObject, format: FormatId): JsonObject | Problem {
  if (tool["type"] !== undefined) {
    if (format === "bedrock-converse") return refuseTool(tool);
    return format === "gemini" ? googleTool(tool) : tool;
  }
  const { parameters, ...about } = tool;
  const schema = parameters ?? { type: "object", properties: {} };
  switch (format) {
    case "openai-chat":
    case "workers-ai":
      return { type: "function", function: { ...about, parameters: schema } };
    case "openai-responses":
      // Responses takes a tool that does not say `strict` to be strict; the other formats do not.
      return { type: "function", ...about, parameters: schema, strict: tool["strict"] ?? false };
    case "openai-realtime":
    case "openai-realtime-beta": {
      // Refuses what it does not know, and `strict` is not known to it.
      const { strict: _strict, ...known } = about;
      return { type: "function", ...known, parameters: schema };
    }
    case "anthropic-messages":
      return { ...about, input_schema: schema };
    case "bedrock-converse":
      return { toolSpec: { ...about, inputSchema: { json: schema } } };
    case "gemini": {
      // `parameters` takes a part of JSON Schema only; nothing there is called strict.
      const { strict: _strict, ...declaration } = about;
      return { ...declaration, parametersJsonSchema: schema };
    }
  }
}

/** The list of tools in a body; a dot leads into an object. */
export function toolsPlace(format: FormatId): string {
  return format === "bedrock-converse" ? "toolConfig.tools" : "tools";
}

function refuseTool({ type }: JsonObject): Problem {
  return problem(
    "invalid_request",
    `Bedrock's Converse has no tool of type "${String(type)}"; the version may describe a function of its own.`,
    { field: "tools" },
  );
}

/** Google's own tools have no type but one member: `{type: "googleSearch", …}` is `{googleSearch: {…}}`. */
function googleTool({ type, ...about }: JsonObject): JsonObject {
  return { [String(type)]: about };
}

/** What tells one tool from another: its name, or the type of a provider's own one without a name. */
export function toolKey(tool: JsonObject): string | null {
  const holder = [tool["function"], tool["custom"]].find(isObject) ?? tool;
  const key = holder["name"] ?? tool["name"] ?? tool["type"];
  return typeof key === "string" ? key : null;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `auto`, `none`, `required` or `{name}`, as `format` wants it; undefined: it cannot say so. */
export function toolChoiceFor(choice: Json, format: FormatId): Json | undefined {
  const name = isObject(choice) ? choice["name"] : undefined;
  switch (format) {
    case "openai-chat":
    case "workers-ai":
      return name === undefined ? choice : { type: "function", function: { name } };
    case "openai-responses":
    case "openai-realtime":
    case "openai-realtime-beta":
      return name === undefined ? choice : { type: "function", name };
    case "anthropic-messages":
      if (name !== undefined) return { type: "tool", name };
      return { type: choice === "required" ? "any" : choice };
    case "bedrock-converse":
      if (name !== undefined) return { tool: { name } };
      return choice === "none" ? undefined : { [choice === "required" ? "any" : "auto"]: {} };
    case "gemini":
      if (name !== undefined) return { mode: "ANY", allowedFunctionNames: [name] };
      return { mode: choice === "required" ? "ANY" : String(choice).toUpperCase() };
  }
}

/** What stands where; undefined: nothing may. Only the first of several places is written. */
type PlacedFormat = { places: string[]; value: Json | undefined; mode: "forced" | "exact" };

/** Where the response format goes; nowhere where the format says nothing; or why it cannot be said. */
export function responseFormatFor(given: JsonObject, format: FormatId): PlacedFormat[] | Problem {
  const { type = null, ...schema } = given;
  switch (format) {
    case "openai-chat":
      return placeFormat("response_format", type === "json_schema" ? { type, json_schema: schema } : given);
    case "workers-ai":
      // The schema itself, not what it is called.
      return placeFormat(
        "response_format",
        type === "json_schema" ? { type, json_schema: schema["schema"] ?? {} } : given,
      );
    case "openai-responses":
      return placeFormat("text.format", given);
    case "gemini":
      return googleFormat(type, schema["schema"] ?? {});
    case "anthropic-messages":
      if (type === "text") return [];
      if (type === "json_schema") {
        // The second is what it was called while it was a beta; a request with both is refused.
        return placeFormat(["output_config.format", "output_format"], {
          type,
          schema: schema["schema"] ?? {},
        });
      }
      return refuseFormat("Anthropic", type);
    case "openai-realtime":
    case "openai-realtime-beta":
      return type === "text" ? [] : refuseFormat("OpenAI's Realtime", type, "leave it out there");
    case "bedrock-converse":
      if (type === "text") return [];
      if (type !== "json_schema") return refuseFormat("Bedrock's Converse", type);
      return placeFormat("outputConfig.textFormat", {
        type,
        structure: { jsonSchema: withSchemaText(schema) },
      });
  }
}

/** Bedrock takes the schema as a text, and every schema strictly. */
function withSchemaText({ strict: _strict, schema, ...about }: JsonObject): JsonObject {
  return { ...about, schema: jsonText(schema ?? {}) };
}

function refuseFormat(whose: string, type: Json, mend = "the version needs a json_schema"): Problem {
  return problem("invalid_request", `${whose} has no response format "${String(type)}"; ${mend}.`, {
    field: "response_format",
  });
}

function placeFormat(places: string | string[], value: JsonObject): PlacedFormat[] {
  return [{ places: [places].flat(), value, mode: "forced" }];
}

/** A schema without a JSON type is refused by Google, and so is one of each kind. */
function googleFormat(type: Json, schema: Json): PlacedFormat[] {
  const [mime, json, open] = ["responseMimeType", "responseJsonSchema", "responseSchema"].map(
    (name) => `generationConfig.${name}`,
  ) as [string, string, string];
  const value = type === "text" ? "text/plain" : "application/json";
  return [
    { places: [mime], value, mode: "forced" },
    { places: [json, open], value: type === "json_schema" ? schema : undefined, mode: "exact" },
  ];
}
