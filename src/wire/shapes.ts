// What of a request's body is its caller's code rather than its user's words: the tools that it brings, and the JSON that
// it wants for an answer. Both stand where the scan has noted them, so finding them costs a few comparisons; their bytes are
// fingerprinted now and then, so that on-call sees whether the caller changed, and not the prompt.

import { fingerprintBytes64 } from "../core/hash.ts";
import { nameIn } from "./gemini-names.ts";
import {
  findMember,
  kindOf,
  NONE,
  readString,
  valueFrom,
  valueTo,
  type Name,
  type Node,
  type Tree,
} from "./json-tree.ts";
import type { FormatId } from "./wire.ts";

/** Bytes `from` to `to` of the scan's body. */
export type Span = { from: number; to: number };

/** JSON is wanted for an answer: an object, or any value. `schema`: what it must be, a JSON Schema (Bedrock: as a text in a
 * string); null: nothing is said. */
export type JsonForm = { of: "object" | "any"; schema: Span | null };

/** `format`: whose names the body has, where one endpoint takes bodies of several formats. */
export type Shapes = { format: FormatId; tools: Span | null; json: JsonForm | null };

export function noShapes(format: FormatId): Shapes {
  return { format, tools: null, json: null };
}

/** 16 hex digits of the bytes as they are: another key order is another shape. 0.14 ms for 100 KB of tools. */
export function fingerprintShape(body: Uint8Array, { from, to }: Span): string {
  return fingerprintBytes64(body.subarray(from, to));
}

type Path = readonly Name[];

function pathIn(format: FormatId, path: string): Path {
  return path.split(".").map((name) => nameIn(format, name));
}

/** Where a typed form stands (`{"type": "json_schema", …}`), and the schema in it; the first that is there counts. */
type FormPlace = { form: Path; schemas: Path[] };
type Places = { tools: Path[]; forms: FormPlace[] };

function placesOf(format: FormatId, tools: string[], forms: { [form: string]: string[] }): Places {
  return {
    tools: tools.map((path) => pathIn(format, path)),
    forms: Object.entries(forms).map(([form, schemas]) => ({
      form: pathIn(format, form),
      schemas: schemas.map((path) => pathIn(format, path)),
    })),
  };
}

const REALTIME = placesOf("openai-realtime", ["tools"], {});

/** Together's and Fireworks' schema stands beside the type; Workers AI's need have no name around it. */
const PLACES: { readonly [format in FormatId]: Places } = {
  "openai-chat": placesOf("openai-chat", ["tools", "functions"], {
    response_format: ["json_schema.schema", "schema"],
  }),
  "workers-ai": placesOf("workers-ai", ["tools", "functions"], {
    response_format: ["json_schema.schema", "json_schema"],
  }),
  "openai-responses": placesOf("openai-responses", ["tools"], { "text.format": ["schema"] }),
  "anthropic-messages": placesOf("anthropic-messages", ["tools"], {
    "output_config.format": ["schema"],
    output_format: ["schema"],
  }),
  "bedrock-converse": placesOf("bedrock-converse", ["toolConfig.tools"], {
    "outputConfig.textFormat": ["structure.jsonSchema.schema"],
  }),
  gemini: placesOf("gemini", ["tools"], {}),
  "openai-realtime": REALTIME,
  "openai-realtime-beta": REALTIME,
};

const TYPE = nameIn("openai-chat", "type");
const CONFIG = nameIn("gemini", "generationConfig");
const MIME_TYPE = nameIn("gemini", "responseMimeType");
const GOOGLE_SCHEMAS = ["responseJsonSchema", "responseSchema"].map((name) => nameIn("gemini", name));

/** How deep each member has to be looked into, for `fieldsOf`. */
export const FORM_DEPTHS = {
  response_format: 2,
  text: 2,
  output_config: 2,
  output_format: 1,
  outputConfig: 4,
  generationConfig: 2,
  generation_config: 2,
};

/** `request`: the object that the request is, the body itself but for one that is packed into another. */
export function shapesIn(format: FormatId, tree: Tree, request: Node): Shapes {
  const { tools } = PLACES[format];
  const lists = tools.map((path) => nodeAt(tree, request, path));
  const list = lists.find((node) => node !== NONE && kindOf(tree, node) === "array");
  const span = list === undefined ? null : spanOf(tree, list);
  return { format, tools: span, json: jsonFormIn(format, tree, request) };
}

export function jsonFormIn(format: FormatId, tree: Tree, request: Node): JsonForm | null {
  if (format === "gemini") return googleForm(tree, findMember(tree, request, CONFIG));
  for (const { form, schemas } of PLACES[format].forms) {
    const node = nodeAt(tree, request, form);
    const type = node === NONE ? null : readString(tree, findMember(tree, node, TYPE));
    if (type !== "json_schema" && type !== "json_object") continue;
    const schema = schemas.map((path) => nodeAt(tree, node, path)).find((found) => found !== NONE) ?? NONE;
    return { of: type === "json_object" ? "object" : "any", schema: spanOf(tree, schema) };
  }
  return null;
}

/** A schema says nothing there without the type. */
function googleForm(tree: Tree, config: Node): JsonForm | null {
  if (config === NONE || readString(tree, findMember(tree, config, MIME_TYPE)) !== "application/json")
    return null;
  const schemas = GOOGLE_SCHEMAS.map((name) => findMember(tree, config, name));
  return { of: "any", schema: spanOf(tree, schemas.find((node) => node !== NONE) ?? NONE) };
}

function nodeAt(tree: Tree, from: Node, path: Path): Node {
  let node = from;
  for (const name of path) node = node === NONE ? NONE : findMember(tree, node, name);
  return node;
}

function spanOf(tree: Tree, node: Node): Span | null {
  return node === NONE ? null : { from: valueFrom(tree, node), to: valueTo(tree, node) };
}
