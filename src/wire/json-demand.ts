// Does somebody want JSON for an answer, and did they get it? The caller's body says so or the version does, whose word
// counts as it does in the request (settings.ts). Judged are the answer's being JSON and what the top level of the schema
// asks for: its type and the members that it requires. That is what breaks a caller first; a full validation of JSON Schema
// is not ours, and providers that promise a schema do it themselves.

import type { AnswerFacts } from "../core/metering/outcome.ts";
import { isProblem } from "../core/problem.ts";
import type { Rendered } from "../core/rendered.ts";
import type { Json, JsonObject } from "../core/types.ts";
import { decodeUtf8 } from "../core/text.ts";
import type { AnswerReading } from "./answer-reading.ts";
import { isObject } from "./answer-usage.ts";
import { fieldsOf } from "./facts.ts";
import { scanJson } from "./json-scan.ts";
import { findMember, NONE, nameOf, ROOT } from "./json-tree.ts";
import { jsonBytes } from "./json-write.ts";
import { sourcesOf } from "./provider-params.ts";
import { FORM_DEPTHS, jsonFormIn, type JsonForm } from "./shapes.ts";
import type { FormatId, Scan, WireFormat } from "./wire.ts";

/** `schema`: as the version has it, or the caller's bytes of it; read only when an answer is judged. */
export type JsonDemand = { of: "object" | "any"; schema: JsonObject | Uint8Array | null };

/** Longer schemas of callers are not kept: then an answer only has to be JSON. */
const LONGEST_SCHEMA_BYTES = 64 * 1024;
const FIELDS = fieldsOf(FORM_DEPTHS);
/** What a version's own parameters replace as a whole. */
const FORM_MEMBERS = ["response_format", "text", "output_config", "output_format", "outputConfig"].map(
  nameOf,
);

/** Of a version, what may ask for JSON. */
type Asking = Pick<Rendered, "providerParams" | "responseFormat">;

/** What is wanted of the answer to this request; null: no JSON, as far as can be told. A call of a tool is no answer. */
export function jsonDemandOf(
  format: WireFormat,
  scan: Scan,
  rendered: Asking | null,
  provider: string,
): JsonDemand | null {
  const { json, format: id } = format.shapes(scan);
  const own = rendered === null ? undefined : versionsDemand(rendered, id, provider);
  if (own !== undefined) return own;
  return json === null ? null : demandIn(scan.body, json);
}

function demandIn(body: Uint8Array, { of, schema }: JsonForm): JsonDemand {
  if (schema === null || schema.to - schema.from > LONGEST_SCHEMA_BYTES) return { of, schema: null };
  // A copy: the body is not held until its answer is over.
  return { of, schema: body.slice(schema.from, schema.to) };
}

/** undefined: the version leaves it to the caller. */
type Ruling = JsonDemand | null | undefined;

const cache = new WeakMap<Rendered["providerParams"], Map<string, Ruling>>();

function versionsDemand(
  { providerParams, responseFormat }: Asking,
  format: FormatId,
  provider: string,
): Ruling {
  const ruling = paramsRuling(providerParams, format, provider);
  return ruling === undefined ? formatsRuling(responseFormat, format) : ruling;
}

/** A version's parameters are the same object on every request. */
function paramsRuling(params: Rendered["providerParams"], format: FormatId, provider: string): Ruling {
  let known = cache.get(params);
  if (known === undefined) {
    known = new Map();
    cache.set(params, known);
  }
  const key = `${format}/${provider}`;
  if (!known.has(key)) known.set(key, readParams(params, format, provider));
  return known.get(key);
}

function readParams(params: Rendered["providerParams"], format: FormatId, provider: string): Ruling {
  let found: Ruling;
  for (const source of sourcesOf(format, provider)) {
    const own = Object.hasOwn(params, source) ? params[source]! : {};
    const tree = scanJson(jsonBytes(own), FIELDS);
    if (isProblem(tree)) continue;
    const form = jsonFormIn(format, tree, ROOT);
    if (form !== null) found = demandIn(tree.body, form);
    else if (FORM_MEMBERS.some((name) => findMember(tree, ROOT, name) !== NONE)) found = null;
  }
  return found;
}

/** Anthropic and Bedrock have no word for "a text", so a version that wants one leaves the caller's own there. */
const SAYS_TEXT: ReadonlySet<FormatId> = new Set(["openai-chat", "workers-ai", "openai-responses", "gemini"]);

function formatsRuling(responseFormat: JsonObject | null, format: FormatId): Ruling {
  if (responseFormat === null) return undefined;
  const { type, schema } = responseFormat;
  if (type === "text") return SAYS_TEXT.has(format) ? null : undefined;
  // Google is only told that it be JSON.
  const of = type === "json_object" && format !== "gemini" ? "object" : "any";
  return { of, schema: isObject(schema) ? schema : null };
}

/**
 * Was JSON wanted and not given? null: it was not wanted, or this answer tells nothing: an error, an answer cut short or
 * refused, the call of a tool, a text that was not collected or is too long to be.
 */
export function isSchemaFailure(reading: AnswerReading, demand: JsonDemand | null): boolean | null {
  const { facts, isEnd, isError, text, isTextCut } = reading;
  if (demand === null || text === null || isTextCut || isError || !isEnd || !isAnswer(facts)) return null;
  return !isWanted(text, demand);
}

function isAnswer({ finish }: AnswerFacts): boolean {
  return finish === null || finish === "stop" || finish === "other";
}

/** Is the text JSON, and has it what is asked for at its top? JSON in a fence of Markdown is none: callers parse it. */
export function isWanted(text: string, { of, schema }: JsonDemand): boolean {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return false;
  }
  if (of === "object" && !isObject(value)) return false;
  const read = schema instanceof Uint8Array ? parseSchema(schema) : schema;
  return read === null || hasTop(value, resolve(read));
}

/** Bedrock's is a text in a string. What cannot be read asks for nothing. */
function parseSchema(bytes: Uint8Array): JsonObject | null {
  try {
    const value = JSON.parse(decodeUtf8(bytes) ?? "null") as Json;
    const schema = typeof value === "string" ? (JSON.parse(value) as Json) : value;
    return isObject(schema) ? schema : null;
  } catch {
    return null;
  }
}

const MOST_REFERENCES = 4;

/** Generators put the schema itself among the definitions. */
function resolve(root: JsonObject): JsonObject {
  let schema = root;
  for (let count = 0; count < MOST_REFERENCES; count += 1) {
    const reference = schema["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
    let found: Json | undefined = root;
    for (const part of reference.slice(2).split("/")) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    if (!isObject(found)) return {};
    schema = found;
  }
  return {};
}

function hasTop(value: Json, { type, nullable, required }: JsonObject): boolean {
  if (value === null && nullable === true) return true;
  // Google's types may be written large.
  const types = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === "string");
  if (types.length > 0 && !types.some((name) => isOfType(value, name.toLowerCase()))) return false;
  if (!isObject(value) || !Array.isArray(required)) return true;
  return required.every((name) => typeof name !== "string" || Object.hasOwn(value, name));
}

/** A type that nobody knows refuses nothing. */
function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "string":
    case "boolean":
      return typeof value === type;
    case "number":
      return typeof value === "number";
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    default:
      return true;
  }
}
