// Reads what a caller sent (path, query, body) and checks it against the schemas of the table. Guarantee: handlers
// get complete, typed values or are not called; a refusal names every wrong field and what was expected there.

import type * as z from "zod";
import { describeIssue } from "../core/content-problems.ts";
import { problem, type FieldError, type Problem } from "../core/problem.ts";
import { decodeUtf8 } from "../core/text.ts";
import { locateJsonError } from "./json-error.ts";

/** Largest body of a control plane request: a version of a prompt is text, and Control keeps it in one row. */
export const BODY_LIMIT_BYTES = 1024 * 1024;

const tooLarge = () =>
  problem("body_too_large", `A body of the control plane has at most ${BODY_LIMIT_BYTES} bytes (1 MiB).`);

/** What is over the limit is read on for so long, and not kept: a client that is still writing would get a reset connection
 * instead of the answer. */
const DISCARD_LIMIT_BYTES = 16 * BODY_LIMIT_BYTES;

/** The body's bytes, within the limit, whatever Content-Length says. */
export async function readBytes(request: Request): Promise<Uint8Array | Problem> {
  if (request.body === null) return new Uint8Array();
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > DISCARD_LIMIT_BYTES) break;
    if (size > BODY_LIMIT_BYTES) chunks = [];
    else chunks.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES) return tooLarge();
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function refuseJson(detail: string): Problem {
  return problem("invalid_request", `The body must be a JSON object: ${detail}.`);
}

/** What a caller sent, in a box: it may have fields called `problem` and `message`, and still is none of ours. */
export type Sent<Value> = { sent: Value };

/** A JSON object; nothing at all counts as `{}`. */
export function parseJsonObject(bytes: Uint8Array): Sent<Record<string, unknown>> | Problem {
  const text = decodeUtf8(bytes);
  if (text === null) return problem("invalid_request", "The body is not UTF-8.");
  if (text.trim() === "") return { sent: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { sent: value as Record<string, unknown> };
    }
    return refuseJson(
      `this is ${value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`}`,
    );
  } catch {
    const place = locateJsonError(text);
    if (place === null) return refuseJson("it could not be parsed");
    return refuseJson(`unexpected ${place.found} at line ${place.line}, column ${place.column}`);
  }
}

/** The query as an object. A parameter given twice has no meaning here. */
export function readQuery(url: URL): Sent<Record<string, string>> | Problem {
  const found: Record<string, string> = Object.create(null);
  for (const [name, value] of url.searchParams) {
    if (name in found) {
      return problem("invalid_request", `The query names ${name.slice(0, 64)} twice.`, { field: name });
    }
    found[name] = value;
  }
  return { sent: { ...found } };
}

/** What the schema makes of a value, or a problem that names every wrong field by its JSON path. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): Sent<z.output<Schema>> | Problem {
  const result = schema.safeParse(value, { error: describeIssue, reportInput: true });
  if (result.success) return { sent: result.data };
  const errors = result.error.issues.flatMap(nameFields);
  const [first] = errors;
  if (first === undefined) return problem("invalid_request", "The request is not understood.");
  const detail = errors.map((error) => `${error.field || "the body"} ${error.message}`).join("; ");
  return problem("invalid_request", `${detail}.`, { field: first.field, errors });
}

function nameFields(issue: z.core.$ZodIssue): FieldError[] {
  const field = issue.path.map((part, at) =>
    typeof part === "number" ? `[${part}]` : `${at ? "." : ""}${String(part)}`,
  );
  if (issue.code === "unrecognized_keys") {
    const under = field.length > 0 ? `${field.join("")}.` : "";
    return issue.keys.map((key) => ({ field: `${under}${key}`, message: "is not known here" }));
  }
  const missing = issue.code === "invalid_type" && issue.input === undefined;
  return [{ field: field.join(""), message: missing ? "is missing" : lowerFirst(issue.message) }];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
