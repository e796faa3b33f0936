// The tests of one SDK on a mount that names a prompt: the system text arrives in that format's own place and nothing
// else changes, the answer explains itself in headers, and our own errors raise the class that applications handle.

import { describe, expect, test } from "vitest";
import { insertionOf } from "../support/fidelity.ts";
import { headerOf } from "../support/http-messages.ts";
import type { Absent, Call, Client, Options } from "./clients/client.ts";
import { callBothWays, expectFaithfulRelay, expectSameCalls } from "./compare.ts";
import { expectAsMeant, untilBothAreLeft } from "./expected.ts";
import { systemOf } from "./place.ts";
import { CANARY, PROMPT, REVOKING, type Rig, SHIELDED, SYSTEM, TEMPLATED } from "./rig.ts";
import { type Scenario, type ScenarioCall, SCENARIOS, standInOf } from "./scenarios.ts";

/** The tests of prompts and keys, as columns of the matrix. */
export const PROMPT_CELLS = {
  chat: "prompt: chat",
  stream: "prompt: stream",
  tools: "prompt: tools",
  count: "prompt: count tokens",
  variables: "prompt: variables",
  headers: "prompt: headers",
  faults: "prompt: failures",
  shield: "canary shield",
  errors: "our errors",
  key: "proxy key",
} as const;

type CellName = keyof typeof PROMPT_CELLS;

/** Which cell of the matrix a test fills. */
export function cellOf(client: Client, name: CellName): { meta: { client: string; scenario: string } } {
  return { meta: { client: client.name, scenario: PROMPT_CELLS[name] } };
}

/** What takes another way through the proxy when there is a prompt. */
const FAULTS = SCENARIOS.filter(({ name }) =>
  ["500", "gzip", "error in stream", "cut stream", "abort before", "abort after"].includes(name),
);

type Refusal = [code: string, status: number, prompt: string, more: Partial<Options>];

const REFUSALS: Refusal[] = [
  ["variable_missing", 400, TEMPLATED, {}],
  ["unauthenticated", 401, PROMPT, { key: "sb_unknown" }],
  ["prompt_not_found", 404, "no-such-prompt", {}],
  ["version_revoked", 410, REVOKING, { headers: { "Prompt-Version": "2" } }],
];

export function promptAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))("%s, with a prompt", (_, client) => {
    const check = (name: CellName, run: () => Promise<void>, title: string = PROMPT_CELLS[name]): void =>
      test(title, cellOf(client, name), run);

    for (const name of ["chat", "stream", "tools", "count"] as const) {
      const call: Call | Absent = client.calls[name];
      if (typeof call === "function") check(name, () => checkPrompted(rig, client, call));
    }
    check("variables", () => checkVariables(rig, client));
    const { headersOf } = client;
    if (typeof headersOf === "function") check("headers", () => checkHeaders(rig, client, headersOf));
    for (const fault of FAULTS) {
      check("faults", () => checkFault(rig, client, fault), `${PROMPT_CELLS.faults}, ${fault.name}`);
    }
    check("shield", () => checkShield(rig, client));
    for (const refusal of REFUSALS) {
      check("errors", () => checkRefusal(rig, client, refusal), `${PROMPT_CELLS.errors}, ${refusal[0]}`);
    }
  });
}

const NONE: Options = { retries: 0 };

function mountOf(client: Client, prompt: string): string {
  return `/p/${prompt}/${client.provider}`;
}

/** Asked both ways, the proxy with a prompt: only that prompt tells the two apart. */
async function checkPrompted(rig: Rig, client: Client, call: Call): Promise<void> {
  rig.play(standInOf(client).answer);
  const compared = await callBothWays(rig, mountOf(client, PROMPT), (site) => call(site, NONE));
  expectAlike(compared, SYSTEM);
  expect(compared.proxied).toHaveProperty("value");
  const reached = rig.behind.exchanges();
  expectSameCalls(rig.direct.exchanges(), reached);
  for (const exchange of reached) expect(systemOf(exchange, client.place)).toBe(SYSTEM);
  const sent = rig.front.exchanges();
  for (const { response } of sent) expect(headerOf(response!, "prompt-version")).toBe("1");
  // Bodies of token counts may be wrapped up anew; a turn's never are.
  if (call === client.calls.count) return;
  await expectFaithfulRelay(rig);
  for (const [index, { request }] of reached.entries()) {
    expect(insertionOf(sent[index]!.request.body, request.body)).not.toBe("");
  }
}

async function checkVariables(rig: Rig, client: Client): Promise<void> {
  const chat = client.calls.chat as Call;
  rig.play(standInOf(client).answer);
  const headers = { "Prompt-Variables": JSON.stringify({ product: "bread", city: "Oslo" }) };
  const proxied = await chat(rig.front.url + mountOf(client, TEMPLATED), { ...NONE, headers });
  const direct = await chat(rig.direct.url, NONE);
  const system = "You sell bread in Oslo.";
  expectAlike({ direct, proxied }, system);
  const [reached] = rig.behind.exchanges();
  expect(systemOf(reached!, client.place)).toBe(system);
  expect(headerOf(reached!.request, "prompt-variables")).toBeNull();
}

async function checkHeaders(
  rig: Rig,
  client: Client,
  headersOf: (site: string, options: Options) => Promise<Headers>,
): Promise<void> {
  rig.play(standInOf(client).answer);
  const headers = await headersOf(rig.front.url + mountOf(client, PROMPT), NONE);
  expect(Object.fromEntries(headers)).toMatchObject({
    "prompt-name": PROMPT,
    "prompt-version": "1",
    "prompt-arm": "baseline",
    "prompt-reason": "static",
    "prompt-request-id": expect.stringMatching(/./) as string,
  });
}

async function checkFault(rig: Rig, client: Client, fault: Scenario): Promise<void> {
  rig.play(...fault.play(standInOf(client)));
  const compared = await callBothWays(rig, mountOf(client, PROMPT), fault.call(client) as ScenarioCall);
  if (fault.leaves === true) await untilBothAreLeft(rig);
  // The proxy says in the format's own words that a stream broke off; directly the connection says it alone.
  if (fault.name === "cut stream") expect(compared.proxied).toHaveProperty("error");
  else expectAlike(compared, SYSTEM);
  await expectFaithfulRelay(rig);
  expectAsMeant(compared, fault, client);
}

/** With what the canary fails before the baseline answers. */
const SHIELDED_FROM = [
  ["chat", 400],
  ["stream", 500],
] as const;

async function checkShield(rig: Rig, client: Client): Promise<void> {
  const { answer, fail } = standInOf(client);
  for (const [name, status] of SHIELDED_FROM) {
    const call = client.calls[name] as Call;
    rig.play(fail(status), answer);
    const proxied = await call(rig.front.url + mountOf(client, SHIELDED), NONE);
    rig.direct.play(answer);
    expectAlike({ direct: await call(rig.direct.url, NONE), proxied }, SYSTEM);
    const asked = rig.behind.exchanges().map((exchange) => systemOf(exchange, client.place));
    expect(asked).toEqual([CANARY, SYSTEM]);
    const [sent] = rig.front.exchanges();
    expect(headerOf(sent!.response!, "prompt-reason")).toBe("fallback");
    expect(headerOf(sent!.response!, "prompt-assigned-version")).toBe("2");
  }
}

async function checkRefusal(rig: Rig, client: Client, [code, status, prompt, more]: Refusal): Promise<void> {
  rig.play(standInOf(client).answer);
  // Twice is what most SDKs would retry, unless told that it cannot help.
  const options = { retries: 2, ...more };
  const chat = client.calls.chat as Call;
  const { proxied } = await callBothWays(rig, mountOf(client, prompt), (site) => chat(site, options));
  const raised = client.raisesOurs?.[status] ?? client.raises(status);
  expect(proxied).toMatchObject({ error: { class: raised } });
  const sent = rig.front.exchanges();
  expect(sent).toHaveLength(client.insistsOn?.includes(status) === true ? 1 + options.retries : 1);
  expect(sent[0]!.response?.status).toBe(status);
  expect(headerOf(sent[0]!.response!, "prompt-error")).toBe(code);
  expect(rig.behind.exchanges()).toEqual([]);
}

/** The same, but that OpenAI's Responses say in their answer which `instructions` they followed. */
function expectAlike({ direct, proxied }: { direct: unknown; proxied: unknown }, system: string): void {
  const [one, other] = [proxied, direct].map((outcome): unknown =>
    JSON.parse(JSON.stringify(outcome).replaceAll(JSON.stringify(system), "null")),
  );
  expect(one).toEqual(other);
}
