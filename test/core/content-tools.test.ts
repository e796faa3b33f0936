import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/types.ts";
import { read, refusal } from "./content-reading.ts";

function choose(choice: Json): Json | undefined {
  return read({ params: { tool_choice: choice } }).params?.["tool_choice"];
}

describe("params", () => {
  it.each([
    ["temperature", 2.1, "at most 2"],
    ["temperature", -0.1, "at least 0"],
    ["temperature", "hot", "must be a number, not string"],
    ["temperature", null, "must be a number, not null"],
    ["top_p", 1.1, "at most 1"],
    ["top_k", 1.5, "whole number"],
    ["max_output_tokens", 0, "at least 1"],
    ["stop", "", "empty"],
    ["stop", [], "empty"],
    ["stop", ["a", 1], "1 to 64 texts"],
    ["seed", 2 ** 53, "at most"],
    ["frequency_penalty", 3, "at most 2"],
    ["presence_penalty", -3, "at least -2"],
    ["reasoning_effort", "huge", '"xhigh" or "max"'],
    ["verbosity", "loud", '"medium" or "high"'],
    ["parallel_tool_calls", "yes", "boolean"],
    ["tool_choice", "maybe", '{"name": "<tool>"}'],
    ["tool_choice", {}, '{"name": "<tool>"}'],
    ["tool_choice", { type: "web_search", name: "x" }, '{"name": "<tool>"}'],
    ["tool_choice", null, '{"name": "<tool>"}'],
    ["service_tier", "", "empty"],
    ["logprobs", 1, "boolean"],
    ["top_logprobs", 21, "at most 20"],
  ])("refuse %s: %j", (name, value, mend) => {
    for (const place of ["params", "defaults"]) {
      const found = refusal({ system: "s", [place]: { [name]: value } });
      expect(found.field).toBe(`${place}.${name}`);
      expect(found.errors?.[0]?.message).toContain(mend);
    }
  });

  it("bring every way to choose a tool into one", () => {
    for (const choice of ["required", "any", { type: "any" }, { type: "required" }])
      expect(choose(choice)).toBe("required");
    expect(choose({ type: "auto" })).toBe("auto");
    expect(choose("none")).toBe("none");
    for (const choice of [
      { type: "function", function: { name: "f" } },
      { type: "function", name: "f" },
      { type: "tool", name: "f" },
      { name: "f" },
    ]) {
      expect(choose(choice)).toEqual({ name: "f" });
    }
  });
});

function toolOf(tool: Json): Json | undefined {
  return read({ tools: [tool] }).tools?.[0];
}

describe("tools", () => {
  const schema = { type: "object", properties: { q: { type: "string" } }, required: ["q"] };

  it("become one neutral function from each provider's way to write one", () => {
    const neutral = { name: "find", description: "d", parameters: schema, strict: true };
    const ways: Json[] = [
      neutral,
      { type: "function", function: neutral },
      { type: "function", ...neutral },
      { name: "find", description: "d", input_schema: schema, strict: true },
      { type: "custom", name: "find", description: "d", input_schema: schema, strict: true },
    ];
    for (const way of ways) expect(toolOf(way)).toEqual(neutral);
    expect(toolOf({ name: "now" })).toEqual({ name: "now", parameters: { type: "object", properties: {} } });
    expect(toolOf({ name: "now", strict: null })).not.toHaveProperty("strict");
  });

  it("of a provider's own kind stay as they are", () => {
    const own: Json[] = [
      { type: "web_search", filters: { allowed_domains: ["a"] } },
      { type: "web_search_20250305", name: "web_search", max_uses: 3 },
      { type: "custom", custom: { name: "x", format: { type: "text" } } },
      { type: "custom", name: "x", input_schema: schema, cache_control: { type: "ephemeral" } },
    ];
    for (const tool of own) expect(toolOf(tool)).toEqual(tool);
  });

  it.each<[Json, string, RegExp]>([
    [{ name: "a b" }, "tools[0].name", /letters/],
    [{ description: "x" }, "tools[0].name", /required/],
    [{ name: "a", parameters: [] }, "tools[0].parameters", /object/],
    [{ type: "function", function: { parameters: {} } }, "tools[0].function.name", /required/],
    [{ name: "a", input_schema: {}, cache_control: {} }, "tools[0].cache_control", /"type"/],
    [{ name: "a", input_schema: {}, parameters: {} }, "tools[0].parameters", /not known/],
    [{ googleSearch: {} }, "tools[0].name", /required/],
    [{ type: 7 }, "tools[0].type", /string/],
  ])("are refused as %j", (tool, field, mend) => {
    const found = refusal({ tools: [tool] });
    expect(found.field).toBe(field);
    expect(found.errors?.[0]?.message).toMatch(mend);
  });

  it("must not share a name", () => {
    expect(refusal({ tools: [{ name: "a" }, { type: "function", function: { name: "a" } }] }).field).toBe(
      "tools[1].name",
    );
  });
});

describe("the response format", () => {
  const body = { name: "answer", schema: { type: "object" }, strict: true };

  it("becomes flat", () => {
    const flat = { type: "json_schema", ...body };
    expect(read({ response_format: { type: "json_schema", json_schema: body } }).response_format).toEqual(
      flat,
    );
    expect(read({ response_format: flat }).response_format).toEqual(flat);
    expect(read({ response_format: { type: "json_object" } }).response_format).toEqual({
      type: "json_object",
    });
  });

  it.each<[Json, string]>([
    [{ type: "xml" }, "response_format.type"],
    [{}, "response_format.type"],
    ["json_object", "response_format"],
    [{ type: "text", schema: {} }, "response_format.schema"],
    [{ type: "json_schema", schema: {} }, "response_format.name"],
    [{ type: "json_schema", name: "a" }, "response_format.schema"],
    [{ type: "json_schema", json_schema: { name: "a b", schema: {} } }, "response_format.json_schema.name"],
    [{ type: "json_schema", json_schema: body, name: "x" }, "response_format.name"],
  ])("is refused as %j", (format, field) => {
    expect(refusal({ system: "s", response_format: format }).field).toBe(field);
  });
});
