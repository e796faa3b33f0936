import { describe, expect, it } from "vitest";
import { FORMATS } from "../../src/wire/formats.ts";
import { describeFormat } from "./format-suite.ts";
import { inject as injectInto, tryInject } from "./injecting.ts";

const CHAT = "openai-chat";

describeFormat({
  format: FORMATS[CHAT],
  smallest: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  counts: false,
});

const inject = (
  text: string,
  ...rest: [Parameters<typeof injectInto>[2], Parameters<typeof injectInto>[3]?]
) => injectInto(CHAT, text, ...rest);

describe("a chat's system text", () => {
  const system = "S";
  const user = '{"role":"user","content":"q"}';
  const own = '{"role":"system","content":"A"}';

  it("stands before everything, behind the caller's leading instructions, or instead of all of them", () => {
    const body = `{"messages":[${own},${user},${own}]}`;
    const ours = '{"role":"system","content":"S"}';
    expect(inject(body, { system, placement: "prepend" })).toBe(
      `{"messages":[${ours},${own},${user},${own}]}`,
    );
    expect(inject(body, { system, placement: "append" })).toBe(
      `{"messages":[${own},${ours},${user},${own}]}`,
    );
    expect(inject(body, { system, placement: "replace" })).toBe(`{"messages":[${ours},${user}]}`);
    expect(inject(body, { system, placement: "if_absent" })).toBe(body);
  });

  it("takes the role that the caller's own instructions have", () => {
    const developer = '{"role":"d\\u0065veloper","content":"A"}';
    expect(inject(`{"messages":[${developer}]}`, { system })).toBe(
      `{"messages":[{"role":"developer","content":"S"},${developer}]}`,
    );
    expect(inject(`{"messages":[${user},${developer}]}`, { system })).toContain('[{"role":"system"');
  });

  it("goes into an empty list", () => {
    for (const placement of ["prepend", "append", "replace", "if_absent"] as const) {
      expect(inject('{"messages":[ ]}', { system, placement })).toBe(
        '{"messages":[{"role":"system","content":"S"} ]}',
      );
    }
  });

  it("is followed by the examples, which follow the caller's instructions too", () => {
    const examples = [
      { role: "user" as const, content: "1" },
      { role: "assistant" as const, content: "2" },
    ];
    const written = '{"role":"user","content":"1"},{"role":"assistant","content":"2"}';
    expect(inject(`{"messages":[${own} , ${user}]}`, { examples })).toBe(
      `{"messages":[${own} , ${written},${user}]}`,
    );
    expect(inject(`{"messages":[${own}]}`, { system, examples, placement: "append" })).toBe(
      `{"messages":[${own},{"role":"system","content":"S"},${written}]}`,
    );
    expect(inject(`{"messages":[ ${own} ]}`, { system, examples, placement: "replace" })).toBe(
      `{"messages":[{"role":"system","content":"S"},${written}  ]}`,
    );
  });

  it("goes into both lists where messages stand twice", () => {
    const out = inject(`{"messages":[${user}],"messages":[]}`, { system });
    expect(out.match(/"content":"S"/g)).toHaveLength(2);
  });

  it("is the conversation, with the examples, where the caller sends no messages", () => {
    const all = `{"messages":[{"role":"system","content":"S"},{"role":"user","content":"1"}]`;
    const examples = [{ role: "user" as const, content: "1" }];
    expect(inject("{}", { system, examples })).toBe(`${all}}`);
    expect(inject('{"messages":null,"n":1.0}', { system, examples })).toBe(`${all},"n":1.0}`);
    expect(inject('{"n":1.0}', { examples })).toBe('{"messages":[{"role":"user","content":"1"}],"n":1.0}');
    expect(tryInject(CHAT, "{}", { model: "m" })).toMatchObject({ field: "messages" });
  });

  it.each(['{"messages":"hi"}', '{"messages":{}}', '{"messages":{},"messages":[]}'])(
    "is refused a place in %s",
    (body) => {
      expect(tryInject(CHAT, body, { system })).toMatchObject({
        problem: "invalid_request",
        field: "messages",
      });
    },
  );
});

describe("what the caller sent stays as it was written", () => {
  it("numbers that JavaScript cannot hold, escapes, order, white space, members twice", () => {
    const rest =
      ' "seed": 9007199254740993 ,"a":1.0,"a":0.10, "e":"\\u00e9\\/\\ud83e",\t"z":-0,"big":1e999,\n"__proto__":{"x":1} }';
    const body = `{"messages":[{"content":"\\u0041","role":"user","x":1.50}],${rest}`;
    const out = inject(body, { system: "S", model: "m", params: { temperature: 0 } });
    expect(out.endsWith(`{"content":"\\u0041","role":"user","x":1.50}],${rest}`)).toBe(true);
  });

  it("a message of 5 MB, byte for byte", () => {
    const text = "a\\n日".repeat(1_000_000);
    const out = inject(`{"messages":[{"role":"user","content":"${text}"}]}`, { system: "S" });
    expect(out.includes(text)).toBe(true);
  });
});

describe("the longest answer", () => {
  const params = { max_output_tokens: 5 };

  it("is set under the name that the provider knows", () => {
    expect(inject('{"messages":[]}', { params })).toBe('{"max_completion_tokens":5,"messages":[]}');
    expect(inject('{"messages":[]}', { params }, { provider: "azure" })).toContain("max_completion_tokens");
    expect(inject('{"messages":[]}', { params }, { provider: "mistral" })).toBe(
      '{"max_tokens":5,"messages":[]}',
    );
  });

  it("is set under the name that the caller used, and never under two", () => {
    expect(inject('{"max_tokens":9,"messages":[]}', { params })).toBe('{"max_tokens":5,"messages":[]}');
    expect(inject('{"max_tokens":9,"messages":[],"max_completion_tokens":8}', { params })).toBe(
      '{"messages":[],"max_completion_tokens":5}',
    );
    expect(inject('{"max_tokens":9,"max_tokens":8,"messages":[]}', { params })).toBe(
      '{"max_tokens":5,"max_tokens":5,"messages":[]}',
    );
  });

  it("leaves Mistral no seed under OpenAI's name, which it refuses", () => {
    const version = { params: { seed: 7 } };
    const mistral = { provider: "mistral" };
    expect(inject('{"seed":1,"messages":[]}', version, mistral)).toBe('{"random_seed":7,"messages":[]}');
    expect(inject('{"random_seed":1,"messages":[]}', version, mistral)).toBe(
      '{"random_seed":7,"messages":[]}',
    );
    expect(inject('{"seed":1,"messages":[]}', { defaults: { seed: 7 } }, mistral)).toBe(
      '{"seed":1,"messages":[]}',
    );
    expect(inject('{"messages":[]}', version, { provider: "groq" })).toBe('{"seed":7,"messages":[]}');
  });

  it("is left to the caller, under whatever name, where it is but a default", () => {
    for (const name of ["max_tokens", "max_completion_tokens", "m\\u0061x_tokens"]) {
      const body = `{"${name}":9,"messages":[]}`;
      expect(inject(body, { defaults: params })).toBe(body);
    }
    expect(inject('{"messages":[]}', { defaults: params })).toBe('{"max_completion_tokens":5,"messages":[]}');
  });

  it("set by provider_params leaves no other name behind", () => {
    const version = { params, providerParams: { openai: { max_completion_tokens: 7 } } };
    expect(inject('{"max_tokens":9,"messages":[]}', version)).toBe(
      '{"max_completion_tokens":7,"messages":[]}',
    );
  });
});

describe("our own members", () => {
  it("never go upstream, and leave no comma behind", () => {
    const prompt = '"prompt":{"id":"p","variables":{"a":{"b":[1]}}}';
    expect(inject(`{${prompt},"messages":[]}`, {})).toBe('{"messages":[]}');
    expect(inject(`{"messages":[] , ${prompt} }`, {})).toBe('{"messages":[] }');
    expect(inject(`{"prompt_variables":{},"messages":[],${prompt},"pr\\u006fmpt_variables":null}`, {})).toBe(
      '{"messages":[]}',
    );
    expect(inject(`{"prompt":"text","messages":[],${prompt}}`, {})).toBe('{"messages":[]}');
  });

  it("are told from another API's prompt", () => {
    for (const prompt of ['"once upon"', "null", '["a"]']) {
      const body = `{"prompt":${prompt},"messages":[]}`;
      expect(inject(body, {})).toBe(body);
    }
  });
});

describe("the model", () => {
  it("is forced wherever it stands", () => {
    expect(inject('{"model":"a","messages":[],"model" : null}', { model: "b" })).toBe(
      '{"model":"b","messages":[],"model" : "b"}',
    );
    expect(inject('{"messages":[]}', { model: "b" })).toBe('{"model":"b","messages":[]}');
  });

  it("that only names the prompt is refused when the version names none", () => {
    const body = '{"model":"prompt:support-bot","messages":[]}';
    expect(tryInject(CHAT, body, {})).toMatchObject({ problem: "invalid_request", field: "model" });
    expect(inject(body, { model: "m" })).toBe('{"model":"m","messages":[]}');
    expect(inject(body, { providerParams: { openai: { model: "m" } } })).toBe('{"model":"m","messages":[]}');
  });
});
