// From the zod schemas of the table to JSON Schema (for OpenAPI) and to plain rows (for people to read).

import * as z from "zod";
import type { Operation } from "./operations.ts";

export type Node = { [key: string]: unknown };

/** JSON Schema of what is sent. Schemas with an id are put into `components` and referred to. */
export function describeSchema(schema: z.ZodType, components: Node): Node {
  // A root is never a reference: hence the wrapper.
  const wrapped = z.toJSONSchema(z.object({ it: schema }), { io: "input" });
  const pointed = JSON.parse(JSON.stringify(wrapped).replaceAll('"#/$defs/', '"#/components/schemas/')) as {
    $defs?: { [id: string]: Node };
    properties: { it: Node };
  };
  for (const [id, { id: _, ...definition }] of Object.entries(pointed.$defs ?? {})) {
    components[id] = definition;
  }
  return pointed.properties.it;
}

export type Field = {
  name: string;
  place: "path" | "query" | "body";
  required: boolean;
  type: string;
  description: string;
};

/** Every field that a call takes, in the order path, query, body. */
export function listFields(operation: Operation): Field[] {
  const { params, query, body } = operation;
  const fields = [...fieldsOf(params, "path"), ...fieldsOf(query, "query")];
  return body === null ? fields : [...fields, ...fieldsOf(body, "body")];
}

function fieldsOf(schema: z.ZodType, place: Field["place"]): Field[] {
  const components: Node = {};
  const described = describeSchema(schema, components);
  const { properties = {}, required = [] } = follow(described, components) as {
    properties?: { [name: string]: Node };
    required?: string[];
  };
  return Object.entries(properties).map(([name, node]) => ({
    name,
    place,
    required: required.includes(name),
    type: nameType(follow(node, components)),
    description: describeField(node),
  }));
}

function follow(node: Node, components: Node): Node {
  const reference = node["$ref"];
  if (typeof reference !== "string") return node;
  return components[reference.slice(reference.lastIndexOf("/") + 1)] as Node;
}

function nameType(node: Node): string {
  if (Array.isArray(node["enum"])) return node["enum"].join(" | ");
  if (Array.isArray(node["anyOf"])) return node["anyOf"].map((one: Node) => nameType(one)).join(" | ");
  if (node["type"] === "array") return `${nameType((node["items"] ?? {}) as Node)}[]`;
  return typeof node["type"] === "string" ? node["type"] : "any";
}

function describeField(node: Node): string {
  const description = typeof node["description"] === "string" ? node["description"] : "";
  const value = node["default"];
  if (value === undefined || value === "" || typeof value === "object") return description;
  return `${description} Default: \`${String(value)}\`.`.trim();
}
