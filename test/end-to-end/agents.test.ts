// Coding agents behind a prompt, on the wire: their own system text arrives as it was, first and whole, with ours behind
// it; or, where the prompt's settings say so, they get no prompt, and the answer says that.

import { describe, expect, test } from "vitest";
import type { Metrics } from "../../src/admin/schemas.ts";
import { insertionOf } from "../support/fidelity.ts";
import { json } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { completion, message } from "./sdk-replies.ts";
import { useRig } from "./sdk-rig.ts";

const rig = useRig();
const SYSTEM = "House rules of Acme.";
const cache_control = { type: "ephemeral" };
const CLAUDE = {
  path: "anthropic/v1/messages?beta=true",
  headers: { "user-agent": "claude-cli/2.1.250 (external, cli)", "x-claude-code-session-id": "s-1" },
  body: {
    model: "claude-sonnet-5",
    max_tokens: 9,
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.250; cc_entrypoint=cli;" },
      { type: "text", text: "You are Claude Code.", cache_control },
      { type: "text", text: "Static part.", cache_control },
    ],
    messages: [{ role: "user", content: [{ type: "text", text: "hello", cache_control }] }],
    tools: [{ name: "Bash", input_schema: {}, cache_control }],
  },
};
const CODEX = {
  path: "openai/v1/responses",
  headers: { originator: "codex_cli_rs", "user-agent": "codex_cli_rs/0.98.0 (Ubuntu)", session_id: "s-2" },
  body: {
    model: "gpt-5.4-codex",
    instructions: "You are Codex.",
    input: [{ role: "user", content: "hello" }],
  },
};
const COUNT = { ...CLAUDE, path: "anthropic/v1/messages/count_tokens?beta=true" };

type Client = { path: string; headers: Record<string, string>; body: object };
let made = 0;

async function createPrompt(placement: string, settings = {}): Promise<string> {
  made += 1;
  const prompt = `agents-${made}`;
  await rig.admin.put(prompt, settings);
  await rig.admin.push(prompt, { system: SYSTEM, placement });
  return prompt;
}

async function send(prompt: string, { path, headers, body }: Client): Promise<Response> {
  return fetch(`${rig.clients.upstream.url}/p/${prompt}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

function bodies(): { sent: Buffer; reached: Buffer } {
  const [sent] = rig.clients.upstream.exchanges();
  const [reached] = rig.upstream.exchanges();
  return { sent: sent!.request.body, reached: reached!.request.body };
}

describe.each(["prepend", "append", "replace", "if_absent"])("a version that says %s", (placement) => {
  test.each([
    ["a message", CLAUDE],
    ["a token count", COUNT],
  ])("goes behind Claude Code's blocks, which stay as they are: %s", async (_, client) => {
    const prompt = await createPrompt(placement);
    rig.upstream.play(json(message));
    expect((await send(prompt, client)).status).toBe(200);
    const { sent, reached } = bodies();
    expect(insertionOf(sent, reached)).toBe(`,{"type":"text","text":"${SYSTEM}"}`);
    const { system } = JSON.parse(reached.toString()) as { system: object[] };
    expect(system).toEqual([...CLAUDE.body.system, { type: "text", text: SYSTEM }]);
    // Four cache marks are the most that Anthropic takes, and Claude Code sends them all.
    expect(reached.toString().match(/cache_control/g)).toHaveLength(4);
  });

  test("goes behind Codex's instructions", async () => {
    const prompt = await createPrompt(placement);
    rig.upstream.play(json({ id: "resp_1", output: [] }));
    expect((await send(prompt, CODEX)).status).toBe(200);
    const { instructions } = JSON.parse(bodies().reached.toString()) as { instructions: string };
    expect(instructions).toBe(`You are Codex.\n\n${SYSTEM}`);
  });
});

test("any other client gets what the version says", async () => {
  const prompt = await createPrompt("prepend");
  rig.upstream.play(json({ id: "resp_1", output: [] }));
  await send(prompt, { ...CODEX, headers: {} });
  const { instructions } = JSON.parse(bodies().reached.toString()) as { instructions: string };
  expect(instructions).toBe(`${SYSTEM}\n\nYou are Codex.`);
});

describe("agents: off", () => {
  test.each([
    ["claude-code", CLAUDE],
    ["codex", CODEX],
  ])("%s gets no prompt, hears so, and is in no arm's numbers", async (name, client) => {
    const prompt = await createPrompt("prepend", { agents: "off" });
    rig.upstream.play(json(message));
    const response = await send(prompt, client);
    expect(response.headers.get("prompt-skipped")).toBe(name);
    expect(response.headers.get("prompt-name")).toBe(prompt);
    expect(response.headers.get("prompt-version")).toBeNull();
    const { sent, reached } = bodies();
    expect(reached.equals(sent)).toBe(true);
    rig.upstream.play(json(completion));
    const other = await send(prompt, { ...CODEX, headers: {} });
    expect([other.headers.get("prompt-skipped"), other.headers.get("prompt-version")]).toEqual([null, "1"]);
    const { arms } = await until(async () => {
      const { body } = await rig.admin.call<Metrics>("GET", `/admin/prompts/${prompt}/metrics`);
      return body.arms.length > 0 && body;
    });
    expect(arms).toMatchObject([{ version: 1, requests: 1 }]);
  });

  test("a change of mind reaches the edges like any change of a release", async () => {
    const prompt = await createPrompt("prepend", { agents: "off" });
    rig.upstream.play(json(message));
    await send(prompt, CLAUDE);
    await rig.admin.put(prompt, { agents: "append" });
    await until(async () => (await send(prompt, CLAUDE)).headers.get("prompt-version") === "1");
  });

  test("a key that is for prompts only is no way past them", async () => {
    const prompt = await createPrompt("prepend", { agents: "off" });
    const { body } = await rig.admin.call<{ key: string }>("POST", "/admin/keys", {
      name: "bot",
      prompts: [prompt],
    });
    rig.upstream.play(json(message));
    const headers = { ...CLAUDE.headers, "x-api-key": body.key };
    const response = await send(prompt, { ...CLAUDE, headers });
    expect([response.status >= 400, rig.upstream.exchanges()]).toEqual([true, []]);
  });
});

test("all requests of one session get one version, whatever their first messages", async () => {
  const prompt = await createPrompt("prepend");
  await rig.admin.push(prompt, { system: "Other rules." });
  await rig.admin.canary(prompt, 2, 50, { transition: "now" });
  rig.upstream.play(json(message));
  const versions = new Set<string>();
  for (let session = 0; session < 12; session += 1) {
    const served = new Set<string | null>();
    for (let turn = 0; turn < 4; turn += 1) {
      const body = { ...CLAUDE.body, messages: [{ role: "user", content: `task ${turn}` }] };
      const headers = { ...CLAUDE.headers, "x-claude-code-session-id": `session-${session}` };
      served.add((await send(prompt, { ...CLAUDE, headers, body })).headers.get("prompt-version"));
    }
    expect(served.size).toBe(1);
    versions.add([...served].join());
  }
  expect(versions.size).toBe(2);
});
