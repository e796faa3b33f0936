// A version's tools, tool choice and response format in each wire format's own shape. They come in the neutral shapes
// that core/content.ts brings every spelling into: a tool without `type` is a function, one with a `type` is a
// provider's own and goes as it is.

import { problem, type Problem } from "../core/problem.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { jsonText } from "./json-write.ts";
import type { FormatId } from "./wire.ts";

/** The tool as `format` wants it. */
export function toolFor(tool: JsonObject, format: FormatId): JsonObject | Problem {
  if (tool["type"] !== undefined) return format === "bedrock-converse" ? refuseTool(tool) : tool;
  const { parameters, ...about } = tool;
  const schema = parameters ?? { type: "object", properties: {} };
  switch (format) {
    case "openai-chat":
      return { type: "function", function: { ...about, parameters: schema } };
    case "openai-responses":
      // Responses takes a tool that does not say `strict` to be strict; the other formats do not.
      return { type: "function", ...about, parameters: schema, strict: tool["strict"] ?? false };
    case "anthropic-messages":
      return { ...about, input_schema: schema };
    case "bedrock-converse":
      return { toolSpec: { ...about, inputSchema: { json: schema } } };
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
      return name === undefined ? choice : { type: "function", function: { name } };
    case "openai-responses":
      return name === undefined ? choice : { type: "function", name };
    case "anthropic-messages":
      if (name !== undefined) return { type: "tool", name };
      return { type: choice === "required" ? "any" : choice };
    case "bedrock-converse":
      if (name !== undefined) return { tool: { name } };
      return choice === "none" ? undefined : { [choice === "required" ? "any" : "auto"]: {} };
  }
}

/** Where the response format goes and what stands there; null: the format says nothing; or why it cannot be said. */
export function responseFormatFor(
  given: JsonObject,
  format: FormatId,
): { place: string; value: JsonObject } | null | Problem {
  const { type = null, ...schema } = given;
  switch (format) {
    case "openai-chat":
      return {
        place: "response_format",
        value: type === "json_schema" ? { type, json_schema: schema } : given,
      };
    case "openai-responses":
      return { place: "text.format", value: given };
    case "anthropic-messages":
      if (type === "text") return null;
      if (type === "json_schema") {
        return { place: "output_config.format", value: { type, schema: schema["schema"] ?? {} } };
      }
      return refuseFormat("Anthropic", type);
    case "bedrock-converse":
      if (type === "text") return null;
      if (type !== "json_schema") return refuseFormat("Bedrock's Converse", type);
      return {
        place: "outputConfig.textFormat",
        value: { type, structure: { jsonSchema: withSchemaText(schema) } },
      };
  }
}

/** Bedrock takes the schema as a text, and every schema strictly. */
function withSchemaText({ strict: _strict, schema, ...about }: JsonObject): JsonObject {
  return { ...about, schema: jsonText(schema ?? {}) };
}

function refuseFormat(whose: string, type: Json): Problem {
  return problem(
    "invalid_request",
    `${whose} has no response format "${String(type)}"; the version needs a json_schema.`,
    { field: "response_format" },
  );
}
