// What the SDK suites run on: two edges with one prompt, the first in front of a provider that behaves, the second in
// front of one that does as it is told, a third that is cut off. Between each SDK and its edge sits a tap that passes
// departures on as resets, as the network in front of a deployed Worker does.

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Admin, connectAdmin } from "../support/admin.ts";
import { type Aimock, startAimock } from "../support/aimock.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type Exchange, startTap, type Tap } from "../support/tap.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

export const PROMPT = "support-bot";
export const SYSTEM = "You are the support bot of Acme.";
export const TEMPLATED = "templated";
export const MODELLED = { name: "modelled", content: { system: "Be brief.", model: "gpt-5.4-nano" } };

/** How long a departure may take to reach the provider (the contract of the design: it is cancelled). */
export const ABORT_DEADLINE_MS = 1_000;
export const FIRST_BYTE_TIMEOUT_MS = 2_500;
export const MAX_BODY_BYTES = 64 * 1024;

export type Rig = {
  cluster: Cluster;
  admin: Admin;
  aimock: Aimock;
  upstream: Upstream;
  /** Taps in front of the edges, named by what is behind them. */
  clients: { aimock: Tap; upstream: Tap; nothing: Tap };
  stop(): Promise<void>;
};

/** A rig for the whole test file, clean before each test. Its fields are there once the first `beforeAll` has run. */
export function useRig(): Rig {
  const rig = {} as Rig;
  beforeAll(async () => {
    Object.assign(rig, await startRig());
  });
  afterAll(() => rig.stop?.());
  beforeEach(() => {
    for (const tap of Object.values(rig.clients)) tap.clear();
    rig.aimock.clear();
    rig.aimock.mock.reset();
    rig.upstream.play({ status: 404 });
  });
  return rig;
}

async function startRig(): Promise<Rig> {
  const aimock = await startAimock();
  const upstream = await startUpstream();
  const cluster = await startCluster({
    edges: 3,
    vars: { FIRST_BYTE_TIMEOUT_MS: String(FIRST_BYTE_TIMEOUT_MS), MAX_BODY_BYTES: String(MAX_BODY_BYTES) },
    edgeVars: [behind(aimock.url), behind(upstream.url), behind("http://127.0.0.1:1")],
  });
  const taps = await Promise.all(cluster.edges.map((edge) => startTap(edge.port, { resetOnLeave: true })));
  const [toAimock, toUpstream, toNothing] = taps as [Tap, Tap, Tap];
  const admin = connectAdmin(cluster.control.url);
  await admin.put(PROMPT);
  await admin.push(PROMPT, { system: SYSTEM });
  await admin.put(MODELLED.name);
  await admin.push(MODELLED.name, MODELLED.content);
  await admin.put(TEMPLATED);
  await admin.push(TEMPLATED, {
    system: "You sell {{product}} in {{count}} shops.",
    variables: { product: { type: "string", required: true }, count: { type: "number", required: true } },
  });
  return {
    cluster,
    admin,
    aimock,
    upstream,
    clients: { aimock: toAimock, upstream: toUpstream, nothing: toNothing },
    async stop() {
      await Promise.all(taps.map((tap) => tap.stop()));
      await cluster.stop();
      await upstream.stop();
      await aimock.stop();
    },
  };
}

function behind(url: string): Record<string, string> {
  return { UPSTREAM_OPENAI: url, UPSTREAM_ANTHROPIC: url, UPSTREAM_GROQ: url };
}

type Options = { prompt?: string | null; maxRetries?: number; timeout?: number; apiKey?: string };

/** The official SDK with nothing but its base URL changed. `prompt: null`: the mount that names none. */
export function openai(tap: { url: string }, options: Options = {}): OpenAI {
  const { prompt = PROMPT, apiKey = "sk-client", maxRetries = 0, ...rest } = options;
  return new OpenAI({ baseURL: `${mount(tap, prompt)}/openai/v1`, apiKey, maxRetries, ...rest });
}

export function anthropic(tap: { url: string }, options: Options = {}): Anthropic {
  const { prompt = PROMPT, apiKey = "sk-ant-client", maxRetries = 0, ...rest } = options;
  return new Anthropic({ baseURL: `${mount(tap, prompt)}/anthropic`, apiKey, maxRetries, ...rest });
}

function mount(tap: { url: string }, prompt: string | null): string {
  return prompt === null ? tap.url : `${tap.url}/p/${prompt}`;
}

/** The body of a recorded request, parsed. */
export function bodyOf<Body = Record<string, unknown>>(exchange: Exchange | undefined): Body {
  if (exchange === undefined) throw new Error("no request was recorded");
  return JSON.parse(exchange.request.body.toString()) as Body;
}

/** Resolves with the milliseconds from now until the provider saw the one who asked leave. */
export async function untilProviderIsLeft(upstream: Upstream): Promise<number> {
  const startedAtMs = performance.now();
  const { atMs } = await until(() => upstream.exchanges().at(-1)?.clientClosed, 3 * ABORT_DEADLINE_MS);
  return atMs - startedAtMs;
}

/** All that a stream yields. */
export async function collect<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Reads one item of a stream and leaves: the SDKs abort their request on that. */
export async function readOne<Item>(stream: AsyncIterable<Item>): Promise<Item | null> {
  for await (const item of stream) return item;
  return null;
}

/** The error that a promise rejects with; fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail");
}
