// What the suites of single providers run on: an edge in front of a provider that does as it is told, whatever its name,
// and one whose Worker has an AI binding that leads there too. Between client and edge sits a tap.

import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Admin, connectAdmin } from "../support/admin.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import type { Header } from "../support/http-messages.ts";
import { sendRaw } from "../support/raw.ts";
import { type Exchange, startTap, type Tap } from "../support/tap.ts";
import { json, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

export const PROMPT = "support-bot";
export const SYSTEM = "You are the support bot of Acme.";
/** A prompt whose version forces the model. */
export const MODELLED = "modelled";
export const MODEL = "forced-model-1";

export type FormatsRig = {
  cluster: Cluster;
  admin: Admin;
  upstream: Upstream;
  /** In front of the edge that reaches every provider over HTTP, and of the one with the binding. */
  clients: { http: Tap; binding: Tap };
};

export type Both = { client: Exchange; provider: Exchange };

export function useFormatsRig(): FormatsRig {
  const rig = {} as FormatsRig;
  beforeAll(async () => {
    const upstream = await startUpstream();
    const providers = ["GEMINI", "VERTEX", "AZURE", "WORKERS_AI"].map((name) => [
      `UPSTREAM_${name}`,
      upstream.url,
    ]);
    const cluster = await startCluster({
      edges: 2,
      edgeVars: [Object.fromEntries(providers) as Record<string, string>, {}],
      edgeAi: [undefined as never, upstream.url],
    });
    const [http, binding] = (await Promise.all(cluster.edges.map(({ port }) => startTap(port)))) as [
      Tap,
      Tap,
    ];
    const admin = connectAdmin(cluster.control.url);
    await admin.put(PROMPT);
    await admin.push(PROMPT, { system: SYSTEM, params: { temperature: 0.5 } });
    await admin.put(MODELLED);
    await admin.push(MODELLED, { system: SYSTEM, model: MODEL });
    Object.assign(rig, { upstream, cluster, admin, clients: { http, binding } });
  });
  afterAll(async () => {
    await Promise.all(Object.values(rig.clients ?? {}).map((tap) => tap.stop()));
    await rig.cluster?.stop();
    await rig.upstream?.stop();
  });
  beforeEach(() => {
    for (const tap of Object.values(rig.clients)) tap.clear();
    rig.upstream.play(json({ ok: true }));
  });
  return rig;
}

/** One request, as the client and the provider saw it. */
export async function send(
  rig: FormatsRig,
  url: string,
  body: string,
  headers: Header[] = [],
  through: keyof FormatsRig["clients"] = "http",
): Promise<Both> {
  const client = await refusal(rig, url, body, headers, through);
  const provider = await until(() => rig.upstream.exchanges().at(-1));
  return { client, provider };
}

/** The same of one that never gets to the provider. */
export async function refusal(
  { clients }: FormatsRig,
  url: string,
  body: string,
  headers: Header[] = [],
  through: keyof FormatsRig["clients"] = "http",
): Promise<Exchange> {
  clients[through].clear();
  await sendRaw(clients[through].port, {
    url,
    body,
    headers: [["Content-Type", "application/json"], ...headers],
  });
  return until(() => {
    const exchange = clients[through].exchanges().at(-1);
    return exchange?.response == null ? null : exchange;
  });
}

export function parsed(exchange: { body: Buffer } | null): unknown {
  return JSON.parse(String(exchange?.body)) as unknown;
}
