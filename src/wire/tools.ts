// Tools, tool choice and response format: a version writes them in whichever of the three shapes its author knows, and
// each wire format gets its own. What is no function tool (a provider's built-in one) goes as it is.

import { problem, type Problem } from "../core/problem.ts";
import type { Json, JsonObject } from "../core/types.ts";
import type { FormatId } from "./wire.ts";

const EMPTY_SCHEMA: JsonObject = { type: "object", properties: {} };

type FunctionTool = { name: string; description?: Json; schema: Json; strict?: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The tool as `format` wants it. */
export function toolFor(tool: JsonObject, format: FormatId): JsonObject {
  const shape = shapeOf(tool);
  if (shape === null || shape === format) return tool;
  const { name, description, schema, strict } = readFunction(tool, shape);
  const about = { name, ...(description === undefined ? {} : { description }) };
  const strictly = strict === undefined ? {} : { strict };
  switch (format) {
    case "openai-chat":
      return { type: "function", function: { ...about, parameters: schema, ...strictly } };
    case "openai-responses":
      // Responses takes a tool without `strict` to be strict; in the other formats it is not.
      return { type: "function", ...about, parameters: schema, strict: strict ?? false };
    case "anthropic-messages":
      return { ...about, input_schema: schema, ...strictly };
  }
}

/** Whose shape a function tool is written in; null: it is no function tool. */
function shapeOf(tool: JsonObject): FormatId | null {
  if (isObject(tool["function"])) return "openai-chat";
  if (typeof tool["name"] !== "string") return null;
  if (isObject(tool["input_schema"])) return "anthropic-messages";
  return tool["type"] === "function" || (tool["type"] === undefined && tool["parameters"] !== undefined)
    ? "openai-responses"
    : null;
}

function readFunction(tool: JsonObject, shape: FormatId): FunctionTool {
  const inner = shape === "openai-chat" ? (tool["function"] as JsonObject) : tool;
  const schema = shape === "anthropic-messages" ? inner["input_schema"] : inner["parameters"];
  return {
    name: String(inner["name"] ?? ""),
    schema: schema ?? EMPTY_SCHEMA,
    ...(inner["description"] === undefined ? {} : { description: inner["description"] }),
    ...(typeof inner["strict"] === "boolean" ? { strict: inner["strict"] } : {}),
  };
}

/** What tells one tool from another: its name, or the type of a built-in one without a name. */
export function toolKey(tool: JsonObject): string | null {
  const inner = isObject(tool["function"])
    ? tool["function"]
    : isObject(tool["custom"])
      ? tool["custom"]
      : tool;
  const name = inner["name"] ?? tool["name"] ?? tool["type"];
  return typeof name === "string" ? name : null;
}

/** `auto`, `none`, `required`, or one function by name, as `format` wants it; other choices go as they are. */
export function toolChoiceFor(choice: Json, format: FormatId): Json {
  const mode = choiceMode(choice);
  const name = mode === null && isObject(choice) ? choiceName(choice) : null;
  if (mode === null && name === null) return choice;
  switch (format) {
    case "openai-chat":
      return mode ?? { type: "function", function: { name } };
    case "openai-responses":
      return mode ?? { type: "function", name };
    case "anthropic-messages":
      return mode === null ? { type: "tool", name } : { type: mode === "required" ? "any" : mode };
  }
}

function choiceMode(choice: Json): "auto" | "none" | "required" | null {
  const mode = isObject(choice) && Object.keys(choice).length === 1 ? choice["type"] : choice;
  if (mode === "auto" || mode === "none" || mode === "required") return mode;
  return mode === "any" ? "required" : null;
}

function choiceName(choice: JsonObject): string | null {
  const { type, name } = choice;
  const inner = choice["function"];
  if (isObject(inner) && typeof inner["name"] === "string") return inner["name"];
  const isFunction = type === undefined || type === "function" || type === "tool";
  return isFunction && typeof name === "string" ? name : null;
}

/** Where the response format goes and what stands there; null: the format says nothing; or why it cannot be said. */
export function responseFormatFor(
  given: JsonObject,
  format: FormatId,
): { place: string; value: JsonObject } | null | Problem {
  const schema = readSchema(given);
  switch (format) {
    case "openai-chat":
      return {
        place: "response_format",
        value: schema ? { type: "json_schema", json_schema: schema } : given,
      };
    case "openai-responses":
      return { place: "text.format", value: schema ? { type: "json_schema", ...schema } : given };
    case "anthropic-messages":
      if (given["type"] === "text") return null;
      if (schema?.["schema"] === undefined) {
        return problem(
          "invalid_request",
          `Anthropic has no response format "${String(given["type"])}"; give the version a json_schema.`,
          { field: "response_format" },
        );
      }
      return { place: "output_config.format", value: { type: "json_schema", schema: schema["schema"] } };
  }
}

/** `{name, schema, strict?, description?}` from the nested or the flat spelling; null: no json_schema. */
function readSchema(given: JsonObject): JsonObject | null {
  const nested = given["json_schema"];
  if (isObject(nested)) return { name: "response", ...nested };
  if (!isObject(given["schema"])) return null;
  const { type: _type, ...flat } = given;
  return { name: "response", ...flat };
}
