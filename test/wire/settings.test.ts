import { describe, expect, it } from "vitest";
import type { Rendered } from "../../src/core/rendered.ts";
import { PARAM_NAMES } from "../../src/core/content-params.ts";
import { PARAM_TABLE } from "../../src/wire/params.ts";
import { settingsFor } from "../../src/wire/settings.ts";
import { inject, tryInject } from "./injecting.ts";
import { renderedWith } from "./versions.ts";

describe("the table of parameters", () => {
  it("places every parameter that a version may have, and no other", () => {
    expect(Object.keys(PARAM_TABLE).toSorted()).toEqual([...PARAM_NAMES].toSorted());
    for (const places of Object.values(PARAM_TABLE)) expect(Object.keys(places).length).toBeGreaterThan(0);
  });

  it("is not asked for names that every object has", () => {
    const params = JSON.parse('{"constructor":1,"__proto__":2,"toString":3}') as { [name: string]: number };
    expect(inject("openai-chat", '{"messages":[]}', { params })).toBe('{"messages":[]}');
  });
});

describe("provider_params", () => {
  it("win over params, the provider's over the format's", () => {
    const version = {
      params: { temperature: 1 },
      responseFormat: { type: "text" },
      providerParams: {
        "openai-chat": { temperature: 2, a: 1 },
        groq: { temperature: 3, response_format: null },
      },
    };
    expect(inject("openai-chat", '{"temperature":0,"messages":[]}', version, { provider: "groq" })).toBe(
      '{"a":1,"response_format":null,"temperature":3,"messages":[]}',
    );
    expect(inject("openai-chat", '{"messages":[]}', version)).toContain('"temperature":2');
  });

  it("are for their own format or provider alone", () => {
    const providerParams = {
      anthropic: { thinking: {} },
      "openai-responses": { store: true },
      azure: { x: 1 },
    };
    expect(inject("openai-chat", '{"messages":[]}', { providerParams })).toBe('{"messages":[]}');
    expect(inject("anthropic-messages", '{"messages":[]}', { providerParams }, { provider: "bedrock" })).toBe(
      '{"thinking":{},"messages":[]}',
    );
  });

  it("may have dots in their names, which lead nowhere", () => {
    const providerParams = { openai: { "a.b": 1, "messages.x": 2, "temperature.x": 3 } };
    expect(inject("openai-chat", '{"messages":[{"role":"user","content":"Hi"}]}', { providerParams })).toBe(
      '{"a.b":1,"messages.x":2,"temperature.x":3,"messages":[{"role":"user","content":"Hi"}]}',
    );
  });

  it("never carry off the conversation", () => {
    for (const member of ["messages", "input", "prompt", "stream"]) {
      const version = { providerParams: { openai: { [member]: [] } } };
      expect(tryInject("openai-chat", '{"messages":[]}', version)).toMatchObject({
        problem: "invalid_request",
        field: `provider_params.openai.${member}`,
      });
    }
  });
});

describe("settings", () => {
  it("are encoded once per version, whatever its variables, and apart per format, provider and purpose", () => {
    const version = renderedWith({ params: { temperature: 1 }, system: "for Ada" });
    const options = { provider: "openai", count: false };
    const settings = settingsFor(version, "openai-chat", options);
    expect(settingsFor({ ...version, system: "for Bob" }, "openai-chat", options)).toBe(settings);
    expect(settingsFor({ ...version, model: "m" }, "openai-chat", options)).not.toBe(settings);
    expect(settingsFor(version, "anthropic-messages", options)).not.toBe(settings);
    expect(settingsFor(version, "openai-chat", { provider: "groq", count: false })).not.toBe(settings);
    expect(settingsFor(version, "openai-chat", { provider: "openai", count: true })).not.toBe(settings);
  });

  it("of a version that shares its parameters with another are its own", () => {
    const params = { temperature: 1 };
    const base = renderedWith({ params });
    const options = { provider: "openai", count: false };
    const others: Partial<Rendered>[] = [
      { defaults: { top_p: 0.5 } },
      { tools: [{ type: "own" }] },
      { responseFormat: { type: "text" } },
      { providerParams: { openai: { x: 1 } } },
      { model: "m" },
    ];
    for (const other of others) {
      const settings = settingsFor(base, "openai-chat", options);
      expect(settingsFor({ ...base, ...other }, "openai-chat", options)).not.toBe(settings);
    }
    for (const model of ["a", "b", "a"]) {
      expect(inject("openai-chat", '{"messages":[]}', { params, model })).toContain(`"model":"${model}"`);
    }
  });
});

function choose(format: Parameters<typeof inject>[0], tool_choice: string | { name: string }): unknown {
  const out = inject(format, '{"messages":[]}', { params: { tool_choice } });
  return (JSON.parse(out) as { tool_choice: unknown }).tool_choice;
}

describe("tools", () => {
  const tools = [{ name: "find", parameters: { type: "object" } }];

  it("of the version come first and take the place of those of the same name", () => {
    const other = '{"type":"function","function":{"name":"other","strict":false}}';
    const body = `{"tools":[{"type":"function","function":{"n\\u0061me":"f\\u0069nd"}} , ${other}],"messages":[]}`;
    expect(inject("openai-chat", body, { tools })).toBe(
      `{"tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object"}}},${other}],"messages":[]}`,
    );
  });

  it("say in Responses that they are not strict, which they would be taken to be", () => {
    expect(inject("openai-responses", '{"tools":null}', { tools })).toBe(
      '{"tools":[{"type":"function","name":"find","parameters":{"type":"object"},"strict":false}]}',
    );
    expect(inject("openai-responses", "{}", { tools: [{ ...tools[0]!, strict: true }] })).toContain(
      '"strict":true',
    );
  });

  it("of a provider's own kind take the place of their like", () => {
    const own = [{ type: "web_search", size: 1 }];
    expect(
      inject("openai-responses", '{"tools":[{"type":"web_search"},{"type":"mcp"}]}', { tools: own }),
    ).toBe('{"tools":[{"type":"web_search","size":1},{"type":"mcp"}]}');
  });

  it("have no place in what is no list", () => {
    expect(tryInject("openai-chat", '{"tools":"all","messages":[]}', { tools })).toMatchObject({
      field: "tools",
    });
  });

  it("are chosen in each format's own words", () => {
    expect(choose("openai-chat", { name: "f" })).toEqual({ type: "function", function: { name: "f" } });
    expect(choose("openai-responses", { name: "f" })).toEqual({ type: "function", name: "f" });
    expect(choose("anthropic-messages", { name: "f" })).toEqual({ type: "tool", name: "f" });
    expect(choose("openai-chat", "required")).toBe("required");
    expect(choose("anthropic-messages", "none")).toEqual({ type: "none" });
  });
});
