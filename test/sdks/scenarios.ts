// The columns of the matrix: what is done with each SDK, and what the provider answers. A scenario knows nothing of
// SDKs; a client knows nothing of scenarios.

import { expect } from "vitest";
import { gzipped, type Reply, type Script, type UpstreamRequest } from "../support/upstream.ts";
import { CALLS, type Call, type CallName, type Client, type Options, type Site } from "./clients/client.ts";
import { STAND_INS } from "./provider/index.ts";
import type { StandIn } from "./provider/stand-in.ts";

export type Scenario = {
  name: string;
  /** For the legend of docs/sdks.md. */
  about: string;
  play: (provider: StandIn) => [Script, ...Script[]];
  /** The call, or why this SDK has none. */
  call: (client: Client) => ScenarioCall | { absent: string };
  /** The client leaves: the provider must know. */
  leaves?: boolean;
  /** The class that the SDK must raise. */
  raises?: (client: Client) => string;
  /** How often the provider is asked, and whether a second time only after the pause that it named. */
  retries?: (client: Client) => { calls: number; waits?: boolean };
  /** Else the two ways could agree in a failure that nobody meant. null: as the SDK likes. */
  ends: "value" | "error" | null;
};

/** `begun` resolves once the provider has taken the request. */
export type ScenarioCall = (site: Site, begun: () => Promise<void>) => Promise<unknown>;

const NEVER: Options = { retries: 0 };

function callOf(name: CallName, options: Options): Scenario["call"] {
  return ({ calls }) => {
    const call: Call | { absent: string } = calls[name];
    return typeof call === "function" ? (site) => call(site, options) : call;
  };
}

const FEATURES: Scenario[] = (Object.keys(CALLS) as CallName[]).map((name) => ({
  name: CALLS[name],
  about: "answered as usual",
  play: ({ answer }) => [answer],
  call: callOf(name, NEVER),
  ends: "value",
}));

export const STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 529] as const;

const ERRORS: Scenario[] = STATUSES.map((status) => ({
  name: String(status),
  about: `the provider answers ${status}; no retries`,
  play: ({ fail }) => [fail(status)],
  call: callOf("chat", NEVER),
  ends: "error",
  raises: (client) => client.raises(status),
}));

const html: Reply = {
  status: 502,
  headers: [["content-type", "text/html"]],
  body: "<html><h1>Bad gateway</h1></html>",
};

/** Compressed only if it was asked for, as servers do. */
function compressing({ answer }: StandIn): (request: UpstreamRequest) => Reply {
  return (request) => {
    const accepted = request.headers.find(([name]) => name.toLowerCase() === "accept-encoding")?.[1] ?? "";
    return accepted.includes("gzip") ? gzipped(answer(request)) : answer(request);
  };
}

const FAULTS: Scenario[] = [
  {
    name: "HTML 502",
    about: "an error page of something in between",
    play: () => [html],
    call: callOf("chat", NEVER),
    ends: "error",
  },
  {
    name: "gzip",
    about: "the answer is compressed when the SDK accepts that",
    play: (provider) => [compressing(provider)],
    call: callOf("chat", NEVER),
    ends: "value",
  },
  {
    name: "error in stream",
    about: "a 200 whose first event is an error",
    play: ({ failInStream }) => [failInStream()],
    call: callOf("stream", NEVER),
    // Some hand it on as an item like any other.
    ends: null,
  },
  {
    name: "cut stream",
    about: "the connection breaks in the middle of a stream",
    play: ({ cut }) => [cut()],
    call: callOf("stream", NEVER),
    ends: "error",
  },
];

/** As the answers of the first scenario say. */
export const RETRY_AFTER_MS = 1_000;

const RETRIES: Scenario[] = [
  {
    name: "retry-after",
    about: "429 with `retry-after: 1`, then an answer; the pause and the number of calls",
    play: ({ fail, answer }) => [fail(429, [["retry-after", String(RETRY_AFTER_MS / 1_000)]]), answer],
    call: callOf("chat", { retries: 2 }),
    ends: "value",
    retries: ({ obeys }) => ({ calls: 2, waits: obeys["retry-after"] }),
  },
  {
    name: "x-should-retry: false",
    about: "500 that says not to retry; the number of calls",
    play: ({ fail }) => [fail(500, [["x-should-retry", "false"]])],
    call: callOf("chat", { retries: 1 }),
    ends: "error",
    retries: ({ obeys }) => ({ calls: obeys["x-should-retry"] ? 1 : 2 }),
  },
  {
    name: "x-should-retry: true",
    about: "400 that says to retry, then an answer; the number of calls",
    play: ({ fail, answer }) => [fail(400, [["x-should-retry", "true"]]), answer],
    call: callOf("chat", { retries: 1 }),
    ends: null,
    retries: ({ obeys }) => ({ calls: obeys["x-should-retry"] ? 2 : 1 }),
  },
];

/** Reads the first item of a stream and gives up. */
export async function leaveMidStream({ readOn }: Client, site: Site): Promise<unknown> {
  const controller = new AbortController();
  try {
    return await readOn(site, { retries: 0, signal: controller.signal }, () => controller.abort());
  } finally {
    expect(controller.signal.aborted, "something had been read").toBe(true);
  }
}

const LEAVING: Scenario[] = [
  {
    name: "abort before",
    about: "the application gives up before the first byte",
    play: () => ["silent"],
    call: ({ calls: { chat } }) => {
      if (typeof chat !== "function") return chat;
      return async (site, begun) => {
        const controller = new AbortController();
        const calling = chat(site, { retries: 0, signal: controller.signal });
        // Whoever awaits it hears of its failure below.
        calling.catch(() => undefined);
        await begun();
        controller.abort();
        return calling;
      };
    },
    leaves: true,
    ends: "error",
  },
  {
    name: "abort after",
    about: "the application gives up in the middle of a stream",
    play: ({ stall }) => [stall()],
    call: (client) => (site) => leaveMidStream(client, site),
    leaves: true,
    ends: null,
  },
  {
    name: "timeout",
    about: "the SDK's own timeout",
    play: () => ["silent"],
    call: callOf("chat", { retries: 0, timeoutMs: 400 }),
    leaves: true,
    ends: "error",
  },
];

export const SCENARIOS: Scenario[] = [...FEATURES, ...ERRORS, ...FAULTS, ...RETRIES, ...LEAVING];

export function standInOf(client: Client): StandIn {
  return STAND_INS[client.standIn];
}
