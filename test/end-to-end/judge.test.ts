// Judges on live traffic, on the built Worker: a stand-in provider answers for both arms and for the judge, which scores by
// what it is shown. Guarantees: scores reach the arm that answered; a canary that got worse shows; the judge is asked with the
// Worker's own secret; nothing of it reaches a request, whatever the judge does; a judge's own answers are never judged.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JudgeView } from "../../src/core/judge-view.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster, type LogLine } from "../support/cluster.ts";
import { headerOf } from "../support/http-messages.ts";
import {
  json,
  sse,
  startUpstream,
  type Reply,
  type Upstream,
  type UpstreamRequest,
} from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const JUDGE = "answer-judge";
const GOOD = "You can have a refund within 30 days.";
const BAD = "Any time, no questions asked!";
const settings = { sample: 1, maxBytes: 16_384, maxUsdPerDay: 100, concurrency: 4 };

let upstream: Upstream;
let cluster: Cluster;
let admin: Admin;
let made = 0;

beforeAll(async () => {
  upstream = await startUpstream();
  cluster = await startCluster({
    edges: 2,
    vars: { UPSTREAM_OPENAI: upstream.url, OPENAI_API_KEY: "sk-held" },
    edgeVars: [{}, { REQUIRE_KEY: "true" }],
  });
  admin = connectAdmin(cluster.control.url);
  await admin.put(JUDGE);
  await admin.push(JUDGE, {
    messages: [
      { role: "system", content: "You are a strict judge." },
      { role: "user", content: "Question: {{question}}\nAnswer: {{answer}}" },
    ],
    model: "judge-model",
    variables: { question: { required: true }, answer: { required: true } },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

const isJudge = ({ body }: Pick<UpstreamRequest, "body">) => body.includes("strict judge");
const saysOf = ({ body }: UpstreamRequest) => (body.includes("as the canary") ? BAD : GOOD);
const completion = (content: string): Reply =>
  json({
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  });
/** What the judge makes of an answer, by what it says. */
const score = ({ body }: UpstreamRequest) =>
  completion(`{"score": ${body.includes("no questions asked") ? 0.1 : 0.9}}`);

/** What the provider says to the judge; to everybody else an answer by the arm's own prompt. */
function play(toJudge: (request: UpstreamRequest) => Reply | "silent" = score): void {
  upstream.play((request) => (isJudge(request) ? toJudge(request) : completion(saysOf(request))));
}
beforeEach(() => play());

const judgeCalls = () =>
  upstream.exchanges().filter(({ request }) => isJudge({ body: request.body.toString() }));

/** A prompt with a canary, version 2, at half of the requests; each is a unit of its own. */
async function createPrompt(judge: object | null, weight = 50): Promise<string> {
  made += 1;
  const prompt = `judged-${made}`;
  await admin.put(prompt, { unit: "request" });
  await admin.push(prompt, { system: "Speak as the baseline." });
  await admin.push(prompt, { system: "Speak as the canary." });
  await admin.canary(prompt, 2, weight, { transition: "now" });
  if (judge !== null) {
    await admin.put(prompt, { judge: { ...settings, prompt: JUDGE, provider: "openai", ...judge } });
  }
  return prompt;
}

type Sent = { edge?: number; more?: object; headers?: Record<string, string> };

function ask(prompt: string, { edge = 0, more, headers = { authorization: "Bearer sk-client" } }: Sent = {}) {
  return fetch(`${cluster.edges[edge]!.url}/p/${prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Money back?" }], ...more }),
  });
}

async function askMany(prompt: string, times: number, sent: Sent = {}): Promise<string[]> {
  const texts: string[] = [];
  for (let at = 0; at < times; at += 1) texts.push(await (await ask(prompt, sent)).text());
  return texts;
}

async function readJudge(prompt: string): Promise<{ answers: number; failures: number; nanoUsd: number }> {
  const { body } = await admin.call<JudgeView>("GET", `/admin/prompts/${prompt}/judge`);
  return body.days[0] ?? { answers: 0, failures: 0, nanoUsd: 0 };
}

/** Asks until as many answers have been judged. */
function untilJudged(prompt: string, answers: number, sent: Sent = {}): Promise<true> {
  return until(async () => {
    await ask(prompt, sent).then((answer) => answer.text());
    return (await readJudge(prompt)).answers >= answers;
  }, 20_000);
}

/** What an arm says, a few letters an event. */
const events = (request: UpstreamRequest) => [
  ...saysOf(request)
    .match(/.{1,7}/g)!
    .map((content) => ({ data: { choices: [{ index: 0, delta: { content } }] } })),
  { data: { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] } },
  { data: "[DONE]" },
];

/** Requests enough for a judge to be asked, if it were. */
async function expectNone(prompt: string, sent: Sent = {}): Promise<void> {
  await askMany(prompt, 6, sent);
  // The reports of these requests are in, and with them whatever was judged.
  const control = await createPrompt({});
  await untilJudged(control, 2);
  expect(await readJudge(prompt)).toEqual({ answers: 0, failures: 0, nanoUsd: 0 });
}

const isTold = ({ message }: LogLine) => message.includes("judge_failed") && message.includes(JUDGE);

describe("with a judge", () => {
  it("a canary whose answers got worse has lower scores under its version, and is rolled back for them", async () => {
    const prompt = await createPrompt({});
    // The guardrail that watches the scores does what any other does.
    const release = await until(async () => {
      await askMany(prompt, 5);
      const found = await admin.readRelease(prompt);
      return found.action === "rollback" ? found : null;
    }, 50_000);
    expect(release).toMatchObject({ baseline: 1, changedBy: "guardrail" });
    expect(release.reason).toMatch(/score by the judge 0\.90 on v1, 0\.10 on v2/);
    expect((await readJudge(prompt)).failures).toBe(0);
  });

  it("the judge is asked as its prompt says, with the Worker's secret and never the client's", async () => {
    const prompt = await createPrompt({});
    await untilJudged(prompt, 4);
    for (const { request } of judgeCalls()) {
      expect(headerOf(request, "authorization")).toBe("Bearer sk-held");
      expect(JSON.stringify(request.headers)).not.toContain("sk-client");
      const body = JSON.parse(request.body.toString()) as { model: string; messages: { content: string }[] };
      expect(body).not.toHaveProperty("prompt_variables");
      expect(body.model).toBe("judge-model");
      const said = body.messages.map(({ content }) => content);
      expect(said).toHaveLength(3);
      expect([`Question: Money back?\nAnswer: ${GOOD}`, `Question: Money back?\nAnswer: ${BAD}`]).toContain(
        said[1],
      );
    }
  });

  it("answers that stream are judged by their text, and go down as they came", async () => {
    const prompt = await createPrompt({});
    upstream.play((request) => (isJudge(request) ? score(request) : sse(events(request))));
    const texts = new Set(await askMany(prompt, 4, { more: { stream: true } }));
    await untilJudged(prompt, 6, { more: { stream: true } });
    for (const text of texts) {
      const said = text.split("\n\n").flatMap((line) => /"content":"([^"]*)"/.exec(line)?.[1] ?? []);
      expect([GOOD, BAD]).toContain(said.join(""));
      expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    }
    const shown = judgeCalls().map(({ request }) => request.body.toString());
    for (const body of shown) expect(body.includes(GOOD) || body.includes(BAD)).toBe(true);
  });

  it("nobody else has to have a key of ours for it", async () => {
    const prompt = await createPrompt({});
    const { body } = await admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" });
    const headers = { authorization: `Bearer ${body.key}` };
    await untilJudged(prompt, 3, { edge: 1, headers });
    expect((await readJudge(prompt)).failures).toBe(0);
  });
});

describe("nothing is judged", () => {
  it("unless a judge is set", async () => {
    await expectNone(await createPrompt(null));
  });

  it("without a canary, beyond the day's budget, or of a later turn", async () => {
    await expectNone(await createPrompt({}, 0));
    await expectNone(await createPrompt({ maxUsdPerDay: 0 }));
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "Money back?" },
    ];
    await expectNone(await createPrompt({}), { more: { messages } });
  });

  it("of a judge's own, though it has a canary and a judge", async () => {
    const judge = await createPrompt({});
    const prompt = await createPrompt({ prompt: judge });
    await untilJudged(prompt, 40);
    // It answers as a prompt that is judged would, and serves both of its versions.
    const asked = upstream.exchanges().filter(({ request }) => request.body.includes("Score the answer"));
    for (const arm of ["baseline", "canary"]) {
      expect(asked.some(({ request }) => request.body.includes(`as the ${arm}`))).toBe(true);
    }
    expect(await readJudge(judge)).toEqual({ answers: 0, failures: 0, nanoUsd: 0 });
  });
});

describe("a judge that is no good", () => {
  const faults: [string, () => Reply | "silent"][] = [
    ["fails", () => json({ error: { message: "no" } }, { status: 500 })],
    ["talks", () => completion("A fine answer!")],
    ["breaks off", () => ({ body: "{", headers: [["content-length", "100"]], end: "cut" })],
  ];

  it.each(faults)("that %s is counted and logged, and no request hears of it", async (_, fault) => {
    play(fault);
    const prompt = await createPrompt({});
    const texts = await askMany(prompt, 10);
    for (const text of texts) expect(text.includes(GOOD) || text.includes(BAD)).toBe(true);
    await untilJudged(prompt, 4);
    const { answers, failures } = await readJudge(prompt);
    expect(failures).toBe(answers);
    expect(cluster.logs.some(isTold)).toBe(true);
    expect(cluster.logs.some(({ message }) => message.includes("refund") || message.includes("Money"))).toBe(
      false,
    );
  });

  it("that never answers keeps no request waiting", async () => {
    play(() => "silent");
    const prompt = await createPrompt({});
    const texts = await askMany(prompt, 12);
    expect(texts).toHaveLength(12);
    await until(() => judgeCalls().length > 0);
  });
});

it("the day's budget holds across isolates", async () => {
  // Nobody knows the price of this model: 2 cents each, so 5 answers.
  const prompt = await createPrompt({ maxUsdPerDay: 0.1 });
  await untilJudged(prompt, 5);
  const { body } = await admin.call<{ key: string }>("POST", "/admin/keys", { name: "app" });
  await askMany(prompt, 10);
  await askMany(prompt, 10, { edge: 1, headers: { authorization: `Bearer ${body.key}` } });
  const control = await createPrompt({});
  await untilJudged(control, 2);
  expect(await readJudge(prompt)).toEqual({
    answers: 5,
    failures: 0,
    nanoUsd: 100_000_000,
    day: expect.any(String),
  });
});
