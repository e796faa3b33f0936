// The stand-in provider: what it answers follows from the instructions that reached it, and from nothing else.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { composeAnswer, startStandIn, type StandIn } from "../../scripts/start/stand-in.ts";

const POLICY =
  "You are the support agent of Acme.\nRefunds: 30 days. Never promise anything else.\nSign every answer with: Acme (v1)";
const WARM =
  "You are the agent of Acme. Make them happy, refunds included.\nSign every answer with: Hugs, Acme (v2)";

const ask = (system: string | null, user: string) => [
  ...(system === null ? [] : [{ role: "system", content: system }]),
  { role: "user", content: user },
];

describe("an answer of the stand-in provider", () => {
  it("keeps to a policy that its instructions state, and signs as they ask", () => {
    const answer = composeAnswer(ask(POLICY, "Can I have my money back?"));
    expect(answer).toContain("within 30 days");
    expect(answer).toMatch(/ Acme \(v1\)$/);
  });

  it("gives refunds away when the instructions do not forbid it", () => {
    const answer = composeAnswer(ask(WARM, "Can I have a refund?"));
    expect(answer).toContain("full refund");
    expect(answer).toMatch(/ Hugs, Acme \(v2\)$/);
  });

  it("says so when no prompt reached it", () => {
    expect(composeAnswer(ask(null, "Hello?"))).toContain('only your message: "Hello?"');
  });

  it("quotes instructions that it has no answer for, so that any new version shows", () => {
    expect(composeAnswer(ask("Talk like a pirate.", "Hi"))).toContain('"Talk like a pirate."');
    expect(composeAnswer(ask("x".repeat(5_000), "Hi")).length).toBeLessThan(500);
  });

  it("reads texts in parts, and the last user message of several", () => {
    const messages = [
      { role: "system", content: [{ type: "text", text: POLICY }] },
      { role: "user", content: "Hi" },
      { role: "assistant", content: null },
      { role: "user", content: [{ type: "text", text: "Refund?" }] },
    ];
    expect(composeAnswer(messages)).toContain("within 30 days");
  });
});

describe("the stand-in provider", () => {
  let standIn: StandIn;
  let second: StandIn;
  beforeAll(async () => {
    standIn = await startStandIn(4_410);
    second = await startStandIn(4_410);
  });
  afterAll(async () => {
    await standIn.stop();
    await second.stop();
  });

  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${standIn.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };

  const counted = async (path: string, body: unknown) => JSON.parse((await post(path, body)).text) as object;

  it("takes the next port when its own is taken", () => {
    expect(second.url).not.toBe(standIn.url);
  });

  it("speaks the wire formats of the real ones", async () => {
    const user = { role: "user", content: "Refund?" };
    const chat = { model: "m", messages: [{ role: "system", content: POLICY }, user] };
    expect((await post("/v1/chat/completions", chat)).text).toContain("within 30 days");
    const responses = { model: "m", instructions: POLICY, input: "Refund?" };
    expect((await post("/v1/responses", responses)).text).toContain("within 30 days");
    const messages = { model: "m", max_tokens: 99, system: POLICY, messages: [user] };
    expect((await post("/v1/messages", messages)).text).toContain("within 30 days");
    const gemini = {
      systemInstruction: { parts: [{ text: POLICY }] },
      contents: [{ role: "user", parts: [{ text: "Refund?" }] }],
    };
    expect((await post("/v1beta/models/m:generateContent", gemini)).text).toContain("within 30 days");
  });

  it("counts tokens in each format, and the prompt among them", async () => {
    const user = { role: "user", content: "Refund?" };
    const plain = { model: "m", messages: [user] };
    const [bare, whole] = [
      await counted("/v1/messages/count_tokens", plain),
      await counted("/v1/messages/count_tokens", { ...plain, system: POLICY }),
    ];
    expect(bare).toEqual({ input_tokens: 2 });
    expect(whole).toEqual({ input_tokens: Math.ceil((JSON.stringify(POLICY).length - 2 + 7) / 4) });
    expect(await counted("/v1/responses/input_tokens", { input: "Refund?" })).toEqual({
      object: "response.input_tokens",
      input_tokens: 2,
    });
    const contents = [{ parts: [{ text: "Refund?" }] }];
    expect(await counted("/v1beta/models/m:countTokens", { contents })).toEqual({ totalTokens: 2 });
    const body = Buffer.from(JSON.stringify(plain)).toString("base64");
    const packed = { input: { invokeModel: { body } } };
    expect(await counted("/model/m/count-tokens", packed)).toEqual({ inputTokens: 2 });
  });

  it("speaks Workers AI's own format, whole and as a stream", async () => {
    const messages = ask(POLICY, "Refund?");
    const path = "/accounts/a/ai/run/@cf/meta/llama-3";
    const whole = JSON.parse((await post(path, { messages })).text) as { result: { response: string } };
    expect(whole).toMatchObject({ success: true, errors: [] });
    expect(whole.result.response).toContain("within 30 days");
    const { text } = await post(path, { messages, stream: true });
    const pieces = text.split("\n\n").flatMap((event) => /^data: (\{.*)$/.exec(event)?.[1] ?? []);
    expect(pieces.map((piece) => (JSON.parse(piece) as { response: string }).response).join("")).toBe(
      whole.result.response,
    );
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  it("streams", async () => {
    const chat = { model: "m", stream: true, messages: ask(POLICY, "Refund?") };
    const { text } = await post("/v1/chat/completions", chat);
    expect(text.split("\n\n").length).toBeGreaterThan(3);
    expect(text).toContain("data: [DONE]");
  });
});
