// Where the caller's own tools and the form of its answer stand, in every format's body; and what is wanted of the answer
// once the version has said its part.

import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import type { Rendered } from "../../src/core/rendered.ts";
import type { Json, JsonObject } from "../../src/core/types.ts";
import { matchEndpoint } from "../../src/wire/formats.ts";
import { isWanted, jsonDemandOf, type JsonDemand } from "../../src/wire/json-demand.ts";
import { fingerprintShape, type Span } from "../../src/wire/shapes.ts";
import type { Endpoint, Scan } from "../../src/wire/wire.ts";
import { renderedWith } from "./versions.ts";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const OTHER = { type: "array" };
const TOOLS = [{ name: "find", parameters: { type: "object" } }];

/** [path, a turn, members of the form that the caller wants, members of its tools] */
type Row = [string, string, JsonObject, JsonObject, JsonObject];

const chatForm = (schema: Json): JsonObject => ({
  response_format: { type: "json_schema", json_schema: { name: "n", schema } },
});
const MESSAGES = { messages: [{ role: "user", content: "Hi" }] };

const ROWS: Row[] = [
  ["openai", "/v1/chat/completions", MESSAGES, chatForm(SCHEMA), { tools: TOOLS }],
  [
    "together",
    "/v1/chat/completions",
    MESSAGES,
    { response_format: { type: "json_object", schema: SCHEMA } },
    { functions: TOOLS },
  ],
  [
    "openai",
    "/v1/responses",
    { input: "Hi" },
    { text: { format: { type: "json_schema", name: "n", schema: SCHEMA } } },
    { tools: TOOLS },
  ],
  [
    "anthropic",
    "/v1/messages",
    { ...MESSAGES, max_tokens: 9 },
    { output_config: { effort: "low", format: { type: "json_schema", schema: SCHEMA } } },
    { tools: TOOLS },
  ],
  [
    "anthropic",
    "/v1/messages",
    { ...MESSAGES, max_tokens: 9 },
    { output_format: { type: "json_schema", schema: SCHEMA } },
    { tools: TOOLS },
  ],
  [
    "gemini",
    "/v1beta/models/gemini-3:generateContent",
    { contents: [{ parts: [{ text: "Hi" }] }] },
    { generationConfig: { responseMimeType: "application/json", responseJsonSchema: SCHEMA } },
    { tools: [{ functionDeclarations: TOOLS }] },
  ],
  [
    "gemini",
    "/v1beta/models/gemini-3:generateContent",
    { contents: [{ parts: [{ text: "Hi" }] }] },
    { generation_config: { response_mime_type: "application/json", response_schema: SCHEMA } },
    { tools: [{ functionDeclarations: TOOLS }] },
  ],
  [
    "bedrock",
    "/model/anthropic.claude/converse",
    { messages: [{ role: "user", content: [{ text: "Hi" }] }] },
    {
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { name: "n", schema: JSON.stringify(SCHEMA) } },
        },
      },
    },
    { toolConfig: { toolChoice: { auto: {} }, tools: TOOLS } },
  ],
  [
    "bedrock",
    "/model/anthropic.claude/invoke",
    { ...MESSAGES, max_tokens: 9, anthropic_version: "bedrock-2023-05-31" },
    { output_config: { format: { type: "json_schema", schema: SCHEMA } } },
    { tools: TOOLS },
  ],
  [
    "workers-ai",
    "/ai/run/@cf/meta/llama",
    MESSAGES,
    { response_format: { type: "json_schema", json_schema: SCHEMA } },
    { tools: TOOLS },
  ],
  [
    "workers-ai",
    "/ai/run/@cf/openai/gpt-oss",
    { input: "Hi" },
    { text: { format: { type: "json_schema", name: "n", schema: SCHEMA } } },
    { tools: TOOLS },
  ],
];

function endpointAt(provider: string, path: string): Endpoint {
  const endpoint = matchEndpoint(provider, path);
  if (endpoint === null) throw new Error(path);
  return endpoint;
}

function scanAs({ format, resource }: Endpoint, body: JsonObject): Scan {
  const scan = format.scan(Buffer.from(JSON.stringify(body)), resource);
  if (isProblem(scan)) throw new Error(scan.message);
  return scan;
}

function at({ body }: Scan, span: Span | null): string | null {
  return span === null ? null : Buffer.from(body.subarray(span.from, span.to)).toString();
}

/** A demand whose schema is read, to be compared. */
function plain(demand: JsonDemand | null): unknown {
  if (demand === null) return null;
  const { of, schema } = demand;
  if (!(schema instanceof Uint8Array)) return { of, schema };
  const value = JSON.parse(Buffer.from(schema).toString()) as Json;
  return { of, schema: typeof value === "string" ? (JSON.parse(value) as Json) : value };
}

describe.each(ROWS)("%s %s", (provider, path, turn, form, tools) => {
  const endpoint = endpointAt(provider, path);
  const { format } = endpoint;

  it("shows where the caller's tools and schema stand", () => {
    const scan = scanAs(endpoint, { ...turn, ...form, ...tools });
    const found = format.shapes(scan);
    const list = (tools["tools"] ??
      tools["functions"] ??
      (tools["toolConfig"] as JsonObject)?.["tools"]) as Json;
    expect(at(scan, found.tools)).toBe(JSON.stringify(list));
    const schema = at(scan, found.json?.schema ?? null)!;
    expect([JSON.stringify(SCHEMA), JSON.stringify(JSON.stringify(SCHEMA))]).toContain(schema);
    expect(plain(jsonDemandOf(format, scan, null, provider))).toEqual({ of: found.json!.of, schema: SCHEMA });
  });

  it("shows nothing where there is nothing", () => {
    const scan = scanAs(endpoint, turn);
    expect(format.shapes(scan)).toMatchObject({ tools: null, json: null });
    expect(jsonDemandOf(format, scan, renderedWith({ system: "Be kind." }), provider)).toBeNull();
  });

  it("a version's word counts in the demand as it does in the request that is sent", () => {
    const forms: Partial<Rendered>[] = [
      {},
      { responseFormat: { type: "json_schema", name: "n", schema: OTHER } },
      { responseFormat: { type: "json_object" } },
      { responseFormat: { type: "text" } },
    ];
    const params: Rendered["providerParams"][] = [
      {},
      { [provider]: withSchema(form, OTHER) },
      { [format.id]: withSchema(form, OTHER), [provider]: { x: 1 } },
      { [provider]: Object.fromEntries(Object.keys(form).map((name) => [name, {}])) },
    ];
    let compared = 0;
    for (const said of forms) {
      for (const providerParams of params) {
        for (const body of [turn, { ...turn, ...form }]) {
          const rendered = renderedWith({ ...said, providerParams });
          const options = { provider, count: false, modelInPath: endpoint.modelAt !== null };
          const scan = scanAs(endpoint, body);
          const sent = format.inject(scan, format.prepare(rendered, options));
          if (isProblem(sent)) continue;
          compared += 1;
          const after = format.scan(sent, endpoint.resource) as Scan;
          const demand = plain(jsonDemandOf(format, scan, rendered, provider));
          expect({ rendered, body, demand }).toEqual({
            rendered,
            body,
            demand: plain(jsonDemandOf(format, after, null, provider)),
          });
        }
      }
    }
    expect(compared).toBeGreaterThan(12);
  });
});

/** The same form with another schema. */
function withSchema(form: JsonObject, schema: Json): JsonObject {
  const text = JSON.stringify(form);
  const inText = JSON.stringify(JSON.stringify(SCHEMA));
  const replaced = text.includes(inText)
    ? text.replace(inText, JSON.stringify(JSON.stringify(schema)))
    : text.replace(JSON.stringify(SCHEMA), JSON.stringify(schema));
  return JSON.parse(replaced) as JsonObject;
}

it("a session of Realtime has tools, and a count of tokens asks for no answer", () => {
  const count = endpointAt("bedrock", "/model/anthropic.claude/count-tokens");
  const scan = scanAs(count, { input: { converse: { messages: [], toolConfig: { tools: TOOLS } } } });
  expect(count.format.shapes(scan)).toMatchObject({ tools: null, json: null });
});

it("a shape's fingerprint is that of its bytes", () => {
  const body = Buffer.from('[{"a":1}] [{"a":1}] [{"a": 1}]');
  const [one, two, three] = [
    [0, 9],
    [10, 19],
    [20, 30],
  ].map(([from, to]) => fingerprintShape(body, { from: from!, to: to! }));
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(two).toBe(one);
  expect(three).not.toBe(one);
});

function bySchema(schema: JsonObject): JsonDemand {
  return { of: "any", schema };
}

describe("an answer is what was wanted", () => {
  const any: JsonDemand = { of: "any", schema: null };

  it.each<[boolean, string, JsonDemand]>([
    [true, ' {"a":1}\n', any],
    [true, "[1]", any],
    [false, "", any],
    [false, "Sure! Here is your JSON.", any],
    [false, '```json\n{"a":1}\n```', any],
    [false, '{"a":1} and more', any],
    [false, "[1]", { of: "object", schema: null }],
    [true, '{"city":"Oslo"}', bySchema(SCHEMA)],
    [false, '{"town":"Oslo"}', bySchema(SCHEMA)],
    [false, '"Oslo"', bySchema(SCHEMA)],
    [true, '{"city":"Oslo"}', bySchema({ $ref: "#/$defs/City", $defs: { City: SCHEMA } })],
    [false, "{}", bySchema({ $ref: "#/definitions/a~1b", definitions: { "a/b": SCHEMA } })],
    [true, "{}", bySchema({ $ref: "#/$defs/Nobody" })],
    [true, "{}", bySchema({ $ref: "#" })],
    [true, "null", bySchema({ type: ["object", "null"] })],
    [true, "null", bySchema({ type: "OBJECT", nullable: true })],
    [false, "[]", bySchema({ type: "OBJECT" })],
    [true, "3", bySchema({ type: "integer" })],
    [false, "3.5", bySchema({ type: "integer" })],
    [true, '"x"', bySchema({ anyOf: [{ type: "object" }] })],
    [true, '{"city":1}', { of: "any", schema: Buffer.from(JSON.stringify(SCHEMA)) }],
    [false, "{}", { of: "any", schema: Buffer.from(JSON.stringify(JSON.stringify(SCHEMA))) }],
    [true, "{}", { of: "any", schema: Buffer.from("nonsense") }],
  ])("%s: %s", (expected, text, demand) => {
    expect(isWanted(text, demand)).toBe(expected);
  });
});
