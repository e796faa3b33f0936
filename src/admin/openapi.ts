// The OpenAPI 3.1 document, printed from the table of operations: a call that the server takes is in it, and nothing
// else is. Schemas come from zod, by their ids; headers, problems and the security scheme are added here.

import type * as z from "zod";
import { PROBLEMS, type ProblemCode } from "../core/problem.ts";
import { DATA_PLANE_PROBLEMS, MOUNTS, REQUEST_HEADERS, RESPONSE_HEADERS, SCRAPE } from "./data-plane.ts";
import { COMMON_PROBLEMS, isPromptWrite, operationList, type Operation } from "./operations.ts";
import { describeSchema, type Node } from "./json-schema.ts";
import { INTERNAL } from "./problem.ts";

const PROBLEM_TYPE = "application/problem+json";
const text = { type: "string" };

const HEADERS = {
  ETag: { description: "The revision in quotes, for If-Match.", schema: { ...text, examples: ['"7"'] } },
  Location: { description: "Where the new thing is.", schema: { ...text, format: "uri-reference" } },
  "WWW-Authenticate": { description: "The challenge (RFC 6750).", schema: text },
  "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } },
};

const PARAMETERS = {
  IfMatch: {
    name: "If-Match",
    in: "header",
    description:
      "Write only if the release still is at this revision (412 `revision_conflict` otherwise): the one of the environment that the call names, else of `production`. `*` asks only that there be something.",
    schema: { ...text, pattern: '^(W/)?("\\d{1,15}"|\\d{1,15})$|^\\*$', examples: ['"7"'] },
  },
  IfNoneMatch: {
    name: "If-None-Match",
    in: "header",
    description: "Answer 304 while the release is at this revision.",
    schema: { ...text, examples: ['"7"'] },
  },
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "The same call under the same key happens once and is answered the same; another call under it is refused (422).",
    schema: { ...text, pattern: "^[\\x21-\\x7e]{1,255}$" },
  },
};

const PROBLEM_SCHEMA = {
  type: "object",
  description: "RFC 9457. `code` is stable; `detail` says how to mend it.",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { ...text, format: "uri-reference" },
    title: text,
    status: { type: "integer" },
    detail: text,
    code: { ...text, enum: [...Object.keys(PROBLEMS), INTERNAL.code] },
    field: { ...text, description: "JSON path or header name." },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: { field: text, message: text },
      },
    },
    current: { type: "integer", description: "The revision that the release is at now." },
    missing: { type: "array", items: text, description: "Every variable that is missing." },
  },
};

let document: Node | null = null;

/** The document as a plain object; built at the first call, the same object from then on. */
export function describeApi(): Node {
  document ??= buildDocument();
  return document;
}

function buildDocument(): Node {
  const schemas: Node = { Problem: PROBLEM_SCHEMA };
  const paths: { [path: string]: Node } = {};
  for (const operation of operationList) {
    const path = operation.path.replace(/:([a-z]+)/g, "{$1}");
    (paths[path] ??= {})[operation.method.toLowerCase()] = describeOperation(operation, schemas);
  }
  paths[SCRAPE.path] = { get: describeScrape() };
  for (const mount of MOUNTS) paths[mount.path] = { post: describeMount(mount) };
  return {
    openapi: "3.1.1",
    info: {
      title: "Switchback",
      version: "1",
      summary: "Releases of prompts: versions, canaries, rollbacks.",
      description: "Unknown fields may appear in answers; unknown fields in requests are refused.",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(operationList.map(({ group }) => group)), "Data plane"].map((name) => ({ name })),
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas,
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: {
        proxyKey: { type: "http", scheme: "bearer", description: "A proxy key of an application (`sb_…`)." },
        bearer: { type: "http", scheme: "bearer", description: "ADMIN_TOKEN, or a token minted with it." },
      },
    },
  };
}

function describeOperation(operation: Operation, schemas: Node): Node {
  const { id, group, summary, description, role, query, params, body, writes, takesKeys } = operation;
  const references = headerParameters(operation).map((name) => ({ $ref: `#/components/parameters/${name}` }));
  return {
    operationId: id,
    tags: [group],
    summary,
    description: `${description}\n\nRole: ${role}${takesKeys ? ", or a proxy key" : ""}.`,
    ...(takesKeys ? { security: [{ bearer: [] }, { proxyKey: [] }] } : {}),
    "x-role": role,
    "x-writes": writes,
    parameters: [
      ...describeParameters(params, "path", schemas),
      ...describeParameters(query, "query", schemas),
      ...references,
    ],
    ...(body === null ? {} : { requestBody: describeBody(operation, body, schemas) }),
    responses: {
      ...describeSuccesses(operation, schemas),
      ...describeProblems([...COMMON_PROBLEMS, ...operation.statuses.problems]),
    },
  };
}

function headerParameters(operation: Operation): (keyof typeof PARAMETERS)[] {
  if (operation.id === "getRelease") return ["IfNoneMatch"];
  return isPromptWrite(operation) ? ["IfMatch", "IdempotencyKey"] : [];
}

function describeBody(operation: Operation, body: z.ZodType, schemas: Node): Node {
  const example = operation.example.body === undefined ? {} : { example: operation.example.body };
  const schema = describeSchema(body, schemas);
  // What is not sent counts as `{}`, so that a body is needed where `{}` would be refused.
  return { required: !body.safeParse({}).success, content: { "application/json": { schema, ...example } } };
}

function describeParameters(schema: z.ZodType, place: "path" | "query", schemas: Node): Node[] {
  const { properties = {}, required = [] } = describeSchema(schema, schemas) as {
    properties?: { [name: string]: Node };
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function describeSuccesses(operation: Operation, schemas: Node): Node {
  const guarded = isPromptWrite(operation) || operation.id === "getRelease";
  const etag = guarded ? { ETag: { $ref: "#/components/headers/ETag" } } : {};
  const answers: Node = {};
  for (const status of operation.statuses.success) {
    const location = status === 201 ? { Location: { $ref: "#/components/headers/Location" } } : {};
    answers[status] = {
      description: status === 201 ? "Made" : status === 202 ? "Taken" : "Done",
      headers: { ...etag, ...location },
      content: { "application/json": { schema: describeSchema(operation.response, schemas) } },
    };
  }
  if (operation.id === "getRelease") answers[304] = { description: "Not modified", headers: etag };
  return answers;
}

function describeProblems(codes: readonly ProblemCode[]): Node {
  const byStatus = new Map<number, string[]>();
  for (const code of new Set(codes)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  byStatus.set(INTERNAL.status, [INTERNAL.code]);
  return Object.fromEntries([...byStatus].map(([status, list]) => [status, describeProblem(status, list)]));
}

function describeProblem(status: number, codes: string[]): Node {
  const name = status === 401 ? "WWW-Authenticate" : status === 503 ? "Retry-After" : null;
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    ...(name === null ? {} : { headers: { [name]: { $ref: `#/components/headers/${name}` } } }),
    content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}

function describeScrape(): Node {
  const { id, group, role, summary, description, parameter, contentType, problems } = SCRAPE;
  const schema = { type: "array", items: text };
  return {
    operationId: id,
    tags: [group],
    summary,
    description: `${description}\n\nRole: ${role}.`,
    "x-role": role,
    "x-writes": false,
    parameters: [{ ...parameter, in: "query", required: false, explode: true, schema }],
    responses: {
      200: { description: "Done", content: { [contentType]: { schema: text } } },
      ...describeProblems(problems),
    },
  };
}

function describeMount(mount: (typeof MOUNTS)[number]): Node {
  const names = [...mount.path.matchAll(/\{([a-z]+)\}/g)].map((match) => match[1]);
  const headers = REQUEST_HEADERS.map((header) => ({ ...header, in: "header", schema: text }));
  const described = RESPONSE_HEADERS.map(({ name, description }) => [name, { description, schema: text }]);
  return {
    operationId: mount.id,
    tags: ["Data plane"],
    summary: mount.summary,
    description: mount.description,
    security: [],
    parameters: [...names.map((name) => ({ name, in: "path", required: true, schema: text })), ...headers],
    responses: {
      200: { description: "The provider's answer, byte for byte.", headers: Object.fromEntries(described) },
      default: {
        description: `The provider's error, or one of ours in the caller's wire format: ${DATA_PLANE_PROBLEMS.join(", ")}.`,
        headers: Object.fromEntries(described),
      },
    },
  };
}
