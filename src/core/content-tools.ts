// Tools and the response format, in whichever of the usual shapes they were written, as one neutral shape each. A tool
// without `type` is a function ({name, description?, parameters, strict?}); one with a `type` is a provider's own and
// stays as it is. Guarantee: nothing that an author wrote about a function is dropped on the way.

import * as z from "zod";
import { readShape, type Advice } from "./content-problems.ts";
import type { FieldError } from "./problem.ts";
import type { JsonObject } from "./types.ts";

const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, "must have 1 to 128 letters, digits, _ or -");
const jsonObject = z.record(z.string(), z.unknown());

/** Providers write `strict: null` for "not said". */
const strict = z.boolean().nullable().exactOptional();
const description = z.string().max(20_000).exactOptional();
const functionShape = { name: functionName, description, parameters: jsonObject.exactOptional(), strict };

const neutralTool = z.strictObject(functionShape);
const responsesTool = z.strictObject({ type: z.literal("function"), ...functionShape });
const chatTool = z.strictObject({ type: z.literal("function"), function: neutralTool });
const anthropicTool = z.strictObject({
  type: z.literal("custom").exactOptional(),
  name: functionName,
  description,
  input_schema: jsonObject,
  strict,
});

type FunctionParts = { name: string; description?: string; parameters?: object; strict?: boolean | null };

function writeFunction(parts: FunctionParts): JsonObject {
  const written: JsonObject = { name: parts.name };
  if (parts.description !== undefined) written["description"] = parts.description;
  written["parameters"] = (parts.parameters ?? { type: "object", properties: {} }) as JsonObject;
  if (typeof parts.strict === "boolean") written["strict"] = parts.strict;
  return written;
}

/** The schema of the shape that a tool is written in. */
function schemaOf(tool: { [key: string]: unknown }): z.ZodType<JsonObject> {
  const { type } = tool;
  if (type === "function") {
    if (!Object.hasOwn(tool, "function")) return responsesTool.transform(writeFunction);
    return chatTool.transform((read) => writeFunction(read.function));
  }
  const isAnthropic = Object.hasOwn(tool, "input_schema") && (type === undefined || type === "custom");
  const isPlain = Object.keys(tool).every((key) => Object.hasOwn(anthropicTool.shape, key));
  if (isAnthropic && (type === undefined || isPlain)) {
    return anthropicTool.transform(({ input_schema: parameters, ...rest }) =>
      writeFunction({ ...rest, parameters }),
    );
  }
  if (type === undefined) return neutralTool.transform(writeFunction);
  return z.looseObject({ type: z.string().min(1) }) as unknown as z.ZodType<JsonObject>;
}

/** Unknown fields of an untyped tool have meaning to one provider only: dropping them would change the tool. */
const adviseOnTool: Advice = (_path, key) =>
  `; a tool is {name, description, parameters, strict}. With a "type" it is a provider's own and kept as it is, ${key} included`;

export function readTools(tools: JsonObject[]): { value: JsonObject[] } | { errors: FieldError[] } {
  const errors: FieldError[] = [];
  const read: JsonObject[] = [];
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    const result = readShape(schemaOf(tool), tool, ["tools", index], adviseOnTool);
    if ("errors" in result) {
      errors.push(...result.errors);
      continue;
    }
    const { type, name } = result.value;
    if (type === undefined && typeof name === "string") {
      if (names.has(name))
        errors.push({ field: `tools[${index}].name`, message: `is taken by another tool (${name})` });
      names.add(name);
    }
    read.push(result.value);
  }
  return errors.length > 0 ? { errors } : { value: read };
}

const formatName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must have 1 to 64 letters, digits, _ or -");
const formatBody = z.strictObject({ name: formatName, schema: jsonObject, strict, description });
const formats = new Map<unknown, z.ZodType<JsonObject>>([
  ["text", z.strictObject({ type: z.literal("text") })],
  ["json_object", z.strictObject({ type: z.literal("json_object") })],
]);
const nestedFormat = z
  .strictObject({ type: z.literal("json_schema"), json_schema: formatBody })
  .transform((format) => writeFormat(format.json_schema));
const flatFormat = z
  .strictObject({ type: z.literal("json_schema"), ...formatBody.shape })
  .transform(writeFormat);

function writeFormat(body: z.infer<typeof formatBody>): JsonObject {
  const { strict: isStrict, description: text } = body;
  return {
    type: "json_schema",
    name: body.name,
    schema: body.schema as JsonObject,
    ...(typeof isStrict === "boolean" ? { strict: isStrict } : {}),
    ...(text === undefined ? {} : { description: text }),
  };
}

/** To `{type: "text" | "json_object"}` or the flat `{type: "json_schema", name, schema, strict?, description?}`. */
export function readResponseFormat(format: JsonObject): { value: JsonObject } | { errors: FieldError[] } {
  const { type } = format;
  const schema =
    type === "json_schema"
      ? Object.hasOwn(format, "json_schema")
        ? nestedFormat
        : flatFormat
      : formats.get(type);
  if (schema !== undefined) return readShape(schema, format, ["response_format"], () => "");
  return {
    errors: [{ field: "response_format.type", message: 'must be "text", "json_object" or "json_schema"' }],
  };
}
