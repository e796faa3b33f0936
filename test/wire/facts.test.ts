import { describe, expect, it } from "vitest";
import { LONGEST_TEXT_BYTES } from "../../src/wire/first-text.ts";
import { scanProblem, scanText } from "./injecting.ts";

const chat = (text: string) => scanText("openai-chat", text);

const packed = (id: object) =>
  scanText("anthropic-messages", JSON.stringify({ metadata: { user_id: JSON.stringify(id) } }));

const turn = (...roles: string[]) =>
  chat(JSON.stringify({ messages: roles.map((role) => ({ role, content: "x" })) })).continues;

const input = (...items: object[]) =>
  scanText("openai-responses", JSON.stringify({ input: items })).continues;

const image = (extra: object = {}) => [{ type: "image", source: { data: "iVBOR" }, ...extra }];

function first(content: unknown): string | null {
  const messages = [
    { role: "system", content: "s" },
    { role: "user", content },
  ];
  return chat(JSON.stringify({ messages })).firstUserText;
}

describe("the prompt that a body names", () => {
  it("is OpenAI's prompt object, in any format", () => {
    for (const format of ["openai-chat", "openai-responses", "anthropic-messages"] as const) {
      const { promptField } = scanText(format, '{"prompt":{"id":"bot","version":"3","variables":{"a":[1]}}}');
      expect(promptField).toEqual({ id: "bot", version: 3, variables: { a: [1] } });
    }
    expect(chat('{"prompt":{"id":"bot","version":12}}').promptField).toEqual({
      id: "bot",
      version: 12,
      variables: null,
    });
    expect(chat('{"prompt":{"id":"bot","version":null,"variables":null}}').promptField?.version).toBeNull();
    expect(chat('{"prompt":"once upon a time"}').promptField).toBeNull();
    expect(chat('{"prompt":null,"model":"m"}')).toMatchObject({ promptField: null, model: "m" });
  });

  it.each([
    ['{"prompt":{}}', "prompt.id"],
    ['{"prompt":{"id":""}}', "prompt.id"],
    ['{"prompt":{"id":7}}', "prompt.id"],
    ['{"prompt":{"id":"a","version":"latest"}}', "prompt.version"],
    ['{"prompt":{"id":"a","version":"1.5"}}', "prompt.version"],
    ['{"prompt":{"id":"a","version":0}}', "prompt.version"],
    ['{"prompt":{"id":"a","version":1.5}}', "prompt.version"],
    ['{"prompt":{"id":"a","version":true}}', "prompt.version"],
    ['{"prompt":{"id":"a","variables":[]}}', "prompt.variables"],
    ['{"prompt":{"id":"a","variables":"x"}}', "prompt.variables"],
    ['{"prompt_variables":[]}', "prompt_variables"],
    ['{"prompt_variables":"{}"}', "prompt_variables"],
    ['{"prompt_id":"a"}', "prompt_id"],
    ['{"promptId":"a"}', "promptId"],
    ['{"prompt":{"prompt_id":"a"}}', "prompt.prompt_id"],
    ['{"prompt":{"id":"a","promptId":"a"}}', "prompt.promptId"],
  ])("is refused in %s, naming the field", (body, field) => {
    expect(scanProblem("openai-responses", body)).toMatchObject({ problem: "invalid_request", field });
  });

  it("may have variables called like anything", () => {
    const body = '{"prompt_variables":{"problem":"p","message":"m","__proto__":1}}';
    expect(Object.keys(chat(body).promptVariables!)).toEqual(["problem", "message", "__proto__"]);
  });
});

describe("who and which conversation", () => {
  it("is read from the formats' own fields, the first that says something", () => {
    expect(chat('{"metadata":{"session_id":"a"},"session_id":"b"}').conversationKey).toBe("a");
    expect(chat('{"metadata":{"session_id":""},"session_id":"b"}').conversationKey).toBe("b");
    expect(chat('{"conversation_id":"c","metadata":[]}').conversationKey).toBe("c");
    expect(chat('{"conversation":"c"}').conversationKey).toBeNull();
    expect(scanText("openai-responses", '{"conversation":"c"}').conversationKey).toBe("c");
    expect(scanText("openai-responses", '{"conversation":{"id":"d"}}').conversationKey).toBe("d");
    const users = [
      '"user":"u"',
      '"safety_identifier":"s"',
      '"prompt_cache_key":"p"',
      '"metadata":{"user_id":"m"}',
    ];
    for (const [index, expected] of ["u", "s", "p", "m"].entries()) {
      expect(chat(`{${users.slice(index).toReversed().join(",")}}`).userKey).toBe(expected);
    }
    expect(chat('{"user":7}').userKey).toBeNull();
  });

  it("is taken apart where Claude Code packs both into one", () => {
    const old = scanText("anthropic-messages", '{"metadata":{"user_id":"user_ab_account_cd_session_12-34"}}');
    expect(old).toMatchObject({ conversationKey: "12-34", userKey: "user_ab_account_cd" });
    expect(packed({ device_id: "d", account_uuid: "a", session_id: "s" })).toMatchObject({
      conversationKey: "s",
      userKey: "a",
    });
    expect(packed({ device_id: "d", account_uuid: "", session_id: "s" }).userKey).toBe("d");
    expect(packed({ x: 1 })).toMatchObject({ conversationKey: null, userKey: '{"x":1}' });
    expect(scanText("anthropic-messages", '{"metadata":{"user_id":"{broken"}}').userKey).toBe("{broken");
  });
});

describe("whether a turn came before", () => {
  it("is told by an assistant's message with something behind it", () => {
    expect(turn("user")).toBe(false);
    expect(turn("system", "user", "assistant")).toBe(false);
    expect(turn("user", "assistant", "user")).toBe(true);
    expect(turn("user", "assistant", "tool")).toBe(true);
    expect(turn("assistant", "assistant")).toBe(true);
  });

  it("is told in Responses by what only an earlier turn leaves, too", () => {
    expect(input({ type: "message", role: "user", content: "x" })).toBe(false);
    expect(input({ type: "function_call", call_id: "c" })).toBe(true);
    expect(input({ role: "user", content: "x" }, { type: "reasoning", id: "r" })).toBe(true);
    expect(scanText("openai-responses", '{"input":"x"}').continues).toBe(false);
    const next = scanText("openai-responses", '{"input":"x","previous_response_id":"resp_1"}');
    expect(next).toMatchObject({ continues: true, previousResponse: "resp_1" });
    expect(scanText("openai-responses", '{"input":"x","conversation":{"id":"c"}}').continues).toBe(true);
    expect(scanText("openai-responses", '{"previous_response_id":null,"conversation":null}').continues).toBe(
      false,
    );
  });
});

describe("the first user message", () => {
  it("is the same however it is spelled, and whatever is marked for caching", () => {
    expect(first("hé")).toBe("hé");
    expect(chat('{"messages":[{"role":"user","content":"h\\u00e9"}]}').firstUserText).toBe("hé");
    expect(
      first([
        { type: "text", text: "h" },
        { type: "text", text: "é", cache_control: {} },
      ]),
    ).toBe("hé");
    expect(first([{ type: "text", text: "h" }, ...image()])).toBe("h");
    expect(first(image({ cache_control: { type: "ephemeral" } }))).toBe(first(image()));
  });

  it("without text is told from another by what it holds", () => {
    expect(first(image())).not.toBe(first([{ type: "image", source: { data: "AAAA" } }]));
    expect(first(image())?.replace("\u0000", "mark:")).toMatch(/^mark:[0-9a-f]{8}$/);
    expect(chat('{"messages":[{"role":"user"}]}').firstUserText).toBeNull();
    expect(chat("{}").firstUserText).toBeNull();
  });

  it("counts with its beginning and its length, and is never cut in a character or an escape", () => {
    const pieces = ["x", "\\n", "\\\\", "\\u00e9", "é", "日", "🦊", '\\"'];
    for (const piece of pieces) {
      for (let offset = 0; offset < 8; offset += 1) {
        const size = new TextEncoder().encode(piece).length;
        const inside = "a".repeat(offset) + piece.repeat(Math.ceil((LONGEST_TEXT_BYTES + 40) / size));
        const text = chat(`{"messages":[{"role":"user","content":"${inside}"}]}`).firstUserText!;
        const [head = "", length] = text.split("\u0000");
        expect(Number(length)).toBe(new TextEncoder().encode(inside).length);
        expect((JSON.parse(`"${inside}"`) as string).startsWith(head)).toBe(true);
        // The cut costs less than one piece.
        const pieceText = JSON.parse(`"${piece}"`) as string;
        const wholePieces = (head.length - offset) / pieceText.length;
        expect(wholePieces).toBe(Math.floor((LONGEST_TEXT_BYTES - offset) / size));
      }
    }
    const exact = "x".repeat(LONGEST_TEXT_BYTES);
    expect(first(exact)).toBe(exact);
    expect(first(`${exact}y`)).not.toBe(first(`${exact}yz`));
  });
});
