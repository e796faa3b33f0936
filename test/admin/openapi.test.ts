// The OpenAPI document and the page at /docs: whole, self-contained, and about every operation.

import { describe, expect, it } from "vitest";
import { SCRAPE_PATH } from "../../src/admin/data-plane.ts";
import { renderDocs } from "../../src/admin/docs.ts";
import { describeApi } from "../../src/admin/openapi.ts";
import {
  buildPath,
  COMMON_PROBLEMS,
  FEEDBACK_PATH,
  isPromptWrite,
  operationList,
} from "../../src/admin/operations.ts";
import { PROBLEMS } from "../../src/core/problem.ts";

type Node = { [key: string]: unknown };
type Response = { headers?: Node; content?: { [type: string]: { schema: Node } } };
type Described = {
  operationId: string;
  parameters: ({ $ref: string } | { name: string; in: string; required: boolean; schema: Node })[];
  requestBody?: { required: boolean; content: Node };
  responses: { [status: string]: Response };
};

const api = JSON.parse(JSON.stringify(describeApi())) as {
  openapi: string;
  security: Node[];
  paths: { [path: string]: { [method: string]: Described } };
  components: { [kind: string]: { [name: string]: Node } };
};
const described = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
);

function collect(value: unknown, key: string, found: unknown[] = []): unknown[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [name, child] of Object.entries(value)) {
    if (name === key) found.push(child);
    collect(child, key, found);
  }
  return found;
}

function follow(reference: string): unknown {
  expect(reference).toMatch(/^#\//);
  const steps = reference.slice(2).split("/");
  return steps.reduce<unknown>((node, step) => (node as Node | undefined)?.[step], api);
}

describe("/openapi.json", () => {
  it("is 3.1 and refers only to what it contains", () => {
    expect(api.openapi).toMatch(/^3\.1\./);
    const references = collect(api, "$ref") as string[];
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) expect(follow(reference), reference).toBeTypeOf("object");
    expect(JSON.stringify(api)).not.toContain("$defs");
  });

  it("uses every component, and names none twice", () => {
    const used = new Set(collect(api, "$ref") as string[]);
    for (const kind of ["schemas", "parameters", "headers"]) {
      for (const name of Object.keys(api.components[kind] ?? {})) {
        if (name === "Location") continue;
        expect(used, `${kind} ${name}`).toContain(`#/components/${kind}/${name}`);
      }
    }
  });

  it("describes every operation of the table and no other call under /admin", () => {
    const ours = described.filter(({ path }) => path.startsWith("/admin") || path === FEEDBACK_PATH);
    expect(ours.map(({ operationId }) => operationId).toSorted()).toEqual(
      operationList.map(({ id }) => id).toSorted(),
    );
    const ids = described.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(described)("$operationId answers with something good and with problems", (operation) => {
    const statuses = Object.keys(operation.responses);
    expect(statuses.some((status) => status.startsWith("2"))).toBe(true);
    expect(statuses.some((status) => /^[45]|default/.test(status))).toBe(true);
    for (const name of operation.path.matchAll(/\{([a-z]+)\}/g)) {
      const known = operation.parameters.filter((one) => "name" in one && one.in === "path");
      expect(known).toContainEqual(expect.objectContaining({ name: name[1], required: true }));
    }
  });

  it.each(operationList)("$id has a response for each of its problems, as problem+json", (operation) => {
    const found = described.find(({ operationId }) => operationId === operation.id);
    for (const code of [...COMMON_PROBLEMS, ...operation.statuses.problems]) {
      const response = found?.responses[PROBLEMS[code].status];
      expect(response, code).toMatchObject({ description: expect.stringContaining(`\`${code}\``) });
      expect(Object.keys(response?.content ?? {})).toEqual(["application/problem+json"]);
    }
    expect(found?.responses["500"]).toBeDefined();
    for (const status of operation.statuses.success) expect(found?.responses[status]?.content).toBeDefined();
  });

  it.each(operationList.filter(isPromptWrite))("$id takes the headers of a guarded write", (operation) => {
    const found = described.find(({ operationId }) => operationId === operation.id);
    expect(found?.parameters).toContainEqual({ $ref: "#/components/parameters/IfMatch" });
    expect(found?.parameters).toContainEqual({ $ref: "#/components/parameters/IdempotencyKey" });
    expect(found?.responses["200"]?.headers ?? found?.responses["201"]?.headers).toHaveProperty("ETag");
  });

  it("asks for a token everywhere under /admin, and for a key or a token where feedback is given", () => {
    expect(api.security).toEqual([{ bearer: [] }]);
    expect(api.components["securitySchemes"]).toHaveProperty("bearer");
    for (const { path, ...rest } of described) {
      if (path.startsWith("/admin")) expect(rest).not.toHaveProperty("security");
      if (path === FEEDBACK_PATH)
        expect(rest).toMatchObject({ security: [{ bearer: [] }, { proxyKey: [] }] });
    }
  });
});

describe("GET /metrics", () => {
  it("is described by hand: text for a token of a viewer, narrowed by prompts", () => {
    const found = api.paths[SCRAPE_PATH]?.["get"];
    expect(found).toMatchObject({
      operationId: "scrapeMetrics",
      "x-role": "viewer",
      parameters: [{ name: "prompt", in: "query", required: false, schema: { type: "array" } }],
    });
    // The document's own security, a bearer token, is in force.
    expect(found).not.toHaveProperty("security");
    expect(Object.keys(found?.responses["200"]?.content ?? {})).toEqual(["text/plain"]);
    for (const status of ["400", "401", "403", "404", "503"]) {
      expect(Object.keys(found?.responses[status]?.content ?? {}), status).toEqual([
        "application/problem+json",
      ]);
    }
    expect(renderDocs()).toMatch(
      /href="#scrapeMetrics"[^]*<article id="scrapeMetrics">[^]*<code>\/metrics<\/code>/,
    );
  });
});

describe("/docs", () => {
  const html = renderDocs();

  it("loads nothing from anywhere", () => {
    expect(html).not.toMatch(/<(script|link|img|iframe)|@import|url\(/i);
    expect(html).not.toMatch(/\b(src|href)="(https?:)?\/\//);
  });

  it("has an anchor for every operation and every problem code, and no broken link", () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id } of operationList) expect(ids).toContain(id);
    for (const code of [...Object.keys(PROBLEMS), "internal"]) expect(ids).toContain(code);
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it("shows a curl line for every operation, and nothing that escaped its markup", () => {
    const text = html.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
    for (const { example } of operationList) expect(text).toContain(`"$SWITCHBACK_URL${example.path}`);
    const opened = [...html.matchAll(/<([a-z0-9]+)[\s>]/g)].map((match) => match[1] ?? "");
    for (const tag of new Set(opened)) {
      if (tag === "meta") continue;
      const closed = html.split(`</${tag}>`).length - 1;
      expect(closed, tag).toBe(opened.filter((one) => one === tag).length);
    }
  });

  it("is the same as long as the table is", () => {
    expect(renderDocs()).toBe(html);
    expect(buildPath({ path: "/admin/prompts/:prompt" }, { prompt: "a" })).toBe("/admin/prompts/a");
  });
});
