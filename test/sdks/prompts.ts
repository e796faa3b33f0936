// The tests of one SDK on a mount that names a prompt: the system text arrives in that format's own place and nothing
// else changes, the answer explains itself in headers, and our own errors raise the class that applications handle.
// And with a key of ours in the place of the provider's.

import { describe, expect, test } from "vitest";
import { insertionOf } from "../support/fidelity.ts";
import { headerOf } from "../support/http-messages.ts";
import { verifySignature } from "../support/sigv4.ts";
import type { Exchange } from "../support/tap.ts";
import type { Call, Client, Options, Place } from "./clients/client.ts";
import { callBothWays, type Comparison, expectFaithfulRelay, expectSameCalls } from "./compare.ts";
import { expectAsMeant, untilBothAreLeft } from "./expected.ts";
import { HELD, PROMPT, REVOKING, type Rig, SYSTEM, TEMPLATED } from "./rig.ts";
import { type ScenarioCall, SCENARIOS, standInOf } from "./scenarios.ts";

/** The tests here, as columns of the matrix. */
export const PROMPT_CELLS = {
  chat: "prompt: chat",
  stream: "prompt: stream",
  tools: "prompt: tools",
  count: "prompt: count tokens",
  variables: "prompt: variables",
  headers: "prompt: headers",
  faults: "prompt: failures",
  errors: "our errors",
  key: "proxy key",
} as const;

type Body = { [field: string]: unknown };

const FINDERS: Record<Place, (body: Body) => unknown> = {
  messages: ({ messages }) => (messages as { role: string; content: unknown }[])[0]?.content,
  instructions: ({ instructions }) => instructions,
  system: ({ system }) => system,
  systemInstruction: ({ systemInstruction, system_instruction: other }) =>
    ((systemInstruction ?? other) as { parts: { text: string }[] }).parts[0]?.text,
  systemBlocks: ({ system }) => (system as { text: string }[])[0]?.text,
};

/** The system text of what the provider got. */
function systemOf({ request }: Exchange, place: Place): unknown {
  return FINDERS[place](turnOf(JSON.parse(request.body.toString()) as Body));
}

/** The turn itself, which token counts of Gemini and Bedrock wrap up. */
function turnOf(body: Body): Body {
  const { generateContentRequest, input } = body as { generateContentRequest?: Body; input?: unknown };
  const { converse, invokeModel } = Object(input) as { converse?: Body; invokeModel?: { body: string } };
  if (invokeModel !== undefined)
    return JSON.parse(Buffer.from(invokeModel.body, "base64").toString()) as Body;
  return generateContentRequest ?? converse ?? body;
}

const NONE: Options = { retries: 0 };

function cell(
  client: Client,
  name: keyof typeof PROMPT_CELLS,
): { meta: { client: string; scenario: string } } {
  return { meta: { client: client.name, scenario: PROMPT_CELLS[name] } };
}

/** `client` has been asked both ways, the proxy with a prompt: only that prompt tells the two apart. */
async function expectPrompted(rig: Rig, client: Client, compared: Comparison, system: string): Promise<void> {
  expect(withoutEcho(compared.proxied, system)).toEqual(withoutEcho(compared.direct, system));
  expect(compared.proxied).toHaveProperty("value");
  const reached = rig.behind.exchanges();
  expectSameCalls(rig.direct.exchanges(), reached);
  await expectFaithfulRelay(rig);
  for (const [index, exchange] of reached.entries()) {
    expect(systemOf(exchange, client.place)).toBe(system);
    const sent = rig.front.exchanges()[index]!;
    expect(insertionOf(sent.request.body, exchange.request.body)).not.toBe("");
    expect(headerOf(sent.response!, "prompt-version")).toBe("1");
  }
}

/** OpenAI's Responses say in their answer which `instructions` they followed. */
function withoutEcho(outcome: unknown, system: string): unknown {
  return JSON.parse(JSON.stringify(outcome).replaceAll(JSON.stringify(system), "null"));
}

/** What takes another way through the proxy when there is a prompt. */
const FAULTS = SCENARIOS.filter(({ name }) =>
  ["500", "gzip", "error in stream", "cut stream", "abort before", "abort after"].includes(name),
);

export function promptAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))("%s, with a prompt", (_, client) => {
    const mountOf = (prompt: string) => `/p/${prompt}/${client.provider}`;
    const chat = client.calls.chat as Call;

    for (const name of ["chat", "stream", "tools"] as const) {
      const call = client.calls[name];
      if (typeof call !== "function") continue;
      test(PROMPT_CELLS[name], cell(client, name), async () => {
        rig.play(standInOf(client).answer);
        const compared = await callBothWays(rig, mountOf(PROMPT), (site) => call(site, NONE));
        await expectPrompted(rig, client, compared, SYSTEM);
      });
    }

    const { count } = client.calls;
    if (typeof count === "function") {
      test(PROMPT_CELLS.count, cell(client, "count"), async () => {
        rig.play(standInOf(client).answer);
        const compared = await callBothWays(rig, mountOf(PROMPT), (site) => count(site, NONE));
        expect(compared.proxied).toEqual(compared.direct);
        expectSameCalls(rig.direct.exchanges(), rig.behind.exchanges());
        const [reached] = rig.behind.exchanges();
        expect(systemOf(reached!, client.place)).toBe(SYSTEM);
      });
    }

    test(PROMPT_CELLS.variables, cell(client, "variables"), async () => {
      rig.play(standInOf(client).answer);
      const variables = JSON.stringify({ product: "bread", city: "Oslo" });
      const proxied = await chat(rig.front.url + mountOf(TEMPLATED), {
        ...NONE,
        headers: { "Prompt-Variables": variables },
      });
      const direct = await chat(rig.direct.url, NONE);
      const system = "You sell bread in Oslo.";
      expect(withoutEcho(proxied, system)).toEqual(withoutEcho(direct, system));
      const [reached] = rig.behind.exchanges();
      expect(systemOf(reached!, client.place)).toBe(system);
      expect(headerOf(reached!.request, "prompt-variables")).toBeNull();
    });

    for (const scenario of FAULTS) {
      const call = scenario.call(client) as ScenarioCall;
      test(`${PROMPT_CELLS.faults}, ${scenario.name}`, cell(client, "faults"), async () => {
        rig.play(...scenario.play(standInOf(client)));
        const compared = await callBothWays(rig, mountOf(PROMPT), call);
        if (scenario.leaves === true) await untilBothAreLeft(rig);
        // The proxy says in the format's own words that a stream broke off; directly the connection says it alone.
        if (scenario.name === "cut stream") expect(compared.proxied).toHaveProperty("error");
        else expect(withoutEcho(compared.proxied, SYSTEM)).toEqual(withoutEcho(compared.direct, SYSTEM));
        await expectFaithfulRelay(rig);
        expectAsMeant(compared, scenario, client);
      });
    }

    const { headersOf } = client;
    if (typeof headersOf === "function") {
      test(PROMPT_CELLS.headers, cell(client, "headers"), async () => {
        rig.play(standInOf(client).answer);
        const headers = await headersOf(rig.front.url + mountOf(PROMPT), NONE);
        expect(Object.fromEntries(headers)).toMatchObject({
          "prompt-name": PROMPT,
          "prompt-version": "1",
          "prompt-arm": "baseline",
          "prompt-reason": "static",
          "prompt-request-id": expect.stringMatching(/./) as string,
        });
      });
    }

    describe.each(REFUSALS)("%s", (code, status, prompt, more) => {
      test(PROMPT_CELLS.errors, cell(client, "errors"), async () => {
        rig.play(standInOf(client).answer);
        // Twice is what most SDKs would retry, unless told that it cannot help.
        const options = { retries: 2, ...more };
        const { proxied } = await callBothWays(rig, mountOf(prompt), (site) => chat(site, options));
        const raised = client.raisesOurs?.[status] ?? client.raises(status);
        expect(proxied).toMatchObject({ error: { class: raised } });
        const sent = rig.front.exchanges();
        expect(sent).toHaveLength(client.insistsOn?.includes(status) === true ? 1 + options.retries : 1);
        expect(sent[0]!.response?.status).toBe(status);
        expect(headerOf(sent[0]!.response!, "prompt-error")).toBe(code);
        expect(rig.behind.exchanges()).toEqual([]);
      });
    });
  });
}

type Refusal = [code: string, status: number, prompt: string, more: Partial<Options>];

const REFUSALS: Refusal[] = [
  ["variable_missing", 400, TEMPLATED, {}],
  ["unauthenticated", 401, PROMPT, { key: "sb_unknown" }],
  ["prompt_not_found", 404, "no-such-prompt", {}],
  ["version_revoked", 410, REVOKING, { headers: { "Prompt-Version": "2" } }],
];

/** Which header of each provider carries the secret that the Worker holds; Bedrock's is a signature. */
const CREDENTIALS = {
  openai: ["authorization", `Bearer ${HELD.OPENAI_API_KEY}`],
  anthropic: ["x-api-key", HELD.ANTHROPIC_API_KEY],
  gemini: ["x-goog-api-key", HELD.GEMINI_API_KEY],
} as const;

export function keyAll(rig: Rig, clients: Client[]): void {
  describe.each(clients.map((client) => [client.name, client] as const))(
    "%s, with a key of ours",
    (_, client) => {
      test(PROMPT_CELLS.key, cell(client, "key"), async () => {
        for (const name of ["chat", "stream"] as const) {
          const call = client.calls[name] as Call;
          rig.play(standInOf(client).answer);
          const { provider } = client;
          const proxied = await call(`${rig.front.url}/${provider}`, { ...NONE, key: rig.proxyKey });
          expect(proxied).toEqual(await call(rig.direct.url, NONE));
          const [reached] = rig.behind.exchanges();
          expect(JSON.stringify(reached!.request.headers)).not.toContain("sb_");
          if (provider === "bedrock") expectSigned(reached!);
          else expect(headerOf(reached!.request, CREDENTIALS[provider][0])).toBe(CREDENTIALS[provider][1]);
        }
      });
    },
  );
}

/** As AWS would check it, by the secret that the Worker holds. */
export function expectSigned({ request }: Exchange): void {
  const verdict = verifySignature(request, HELD.AWS_SECRET_ACCESS_KEY);
  expect(verdict).toMatchObject({
    valid: true,
    accessKeyId: HELD.AWS_ACCESS_KEY_ID,
    region: HELD.AWS_REGION,
    service: "bedrock",
  });
}
