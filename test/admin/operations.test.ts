// The table of operations must be true to itself before anybody reads it.

import { describe, expect, it } from "vitest";
import { PROBLEMS } from "../../src/core/problem.ts";
import { listFields } from "../../src/admin/json-schema.ts";
import { buildPath, isPromptWrite, operationList, OPERATIONS } from "../../src/admin/operations.ts";

const readLimit = (limit: string) => OPERATIONS.listRevisions.query.safeParse({ limit });
const takesWeight = (weight: number) => OPERATIONS.canary.body.safeParse({ version: 1, weight }).success;

describe("the table of operations", () => {
  it("lists each operation under its own id, and each method and path once", () => {
    for (const [id, operation] of Object.entries(OPERATIONS)) expect(operation.id).toBe(id);
    const calls = operationList.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(calls).size).toBe(calls.length);
  });

  it.each(operationList)("$id checks every parameter of its path and no other", (operation) => {
    const inPath = [...operation.path.matchAll(/:([a-z]+)/g)].map((match) => match[1]);
    const checked = listFields(operation).filter(({ place }) => place === "path");
    expect(checked.map(({ name }) => name)).toEqual(inPath);
  });

  it.each(operationList)("$id names the environment where it says that it does", (operation) => {
    const places = listFields(operation)
      .filter(({ name }) => name === "environment")
      .map(({ place }) => place);
    expect(places).toEqual(operation.environmentIn === null ? [] : [operation.environmentIn]);
  });

  it.each(operationList)("$id shows an example that its own schemas accept", (operation) => {
    const { example, path } = operation;
    const pattern = new RegExp(`^${path.replace(/:[a-z]+/g, "[^/]+")}$`);
    expect(example.path).toMatch(pattern);
    const query = Object.fromEntries(new URLSearchParams(example.query ?? ""));
    expect(operation.query.safeParse(query).success).toBe(true);
    if (operation.body !== null) expect(operation.body.safeParse(example.body ?? {}).success).toBe(true);
  });

  it.each(operationList)("$id refuses a field that it does not know", (operation) => {
    expect(operation.query.safeParse({ enviroment: "staging" }).success).toBe(false);
    // The content of a version is checked by core, which knows what may stand in it.
    if (operation.body === null || operation.id === "pushVersion") return;
    const body = { ...(operation.example.body as object | undefined), enviroment: "staging" };
    expect(operation.body.safeParse(body).success).toBe(false);
  });

  it.each(operationList)("$id never lets a reader change anything", (operation) => {
    // Feedback changes nothing that is released.
    if (operation.writes && operation.takesKeys !== true) expect(operation.role).not.toBe("viewer");
    if (operation.method === "GET") expect(operation.writes).toBe(false);
    if (isPromptWrite(operation)) expect(operation.statuses.problems).toContain("revision_conflict");
  });

  it.each(operationList)("$id names only problems that exist, each once", ({ statuses }) => {
    for (const code of statuses.problems) expect(PROBLEMS).toHaveProperty(code);
    expect(new Set(statuses.problems).size).toBe(statuses.problems.length);
  });

  it("fills in and encodes the parameters of a path", () => {
    expect(buildPath(OPERATIONS.getVersion, { prompt: "a/b c", version: 3 })).toBe(
      "/admin/prompts/a%2Fb%20c/versions/3",
    );
    expect(() => buildPath(OPERATIONS.getVersion, { prompt: "a" })).toThrow(TypeError);
  });

  it("takes whole numbers in a URL as digits and nothing else", () => {
    expect(readLimit("20").data?.limit).toBe(20);
    for (const wrong of ["", "0", "-1", "1.5", "1e2", "0x10", " 7", "201", "٣"]) {
      expect(readLimit(wrong).success, wrong).toBe(false);
    }
  });

  it("takes weights in steps of 0.01, zero and a hundred included", () => {
    for (const legal of [0, 0.01, 0.07, 1.15, 33.33, 99.99, 100])
      expect(takesWeight(legal), String(legal)).toBe(true);
    for (const wrong of [-0.01, 0.001, 33.333, 100.01, Number.NaN])
      expect(takesWeight(wrong), String(wrong)).toBe(false);
  });
});
