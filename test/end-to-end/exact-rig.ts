// The rig behind the exactness test and `node bench/exact.ts`: several edge isolates against one Control in a process of its
// own, under load. Control is killed and started again, answers to syncs are lost, syncs arrive twice, the split changes, the
// canary fails now and then. In the end what the metrics say is held against what the provider saw.

import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../../src/admin/schemas-metrics.ts";
import { startProcesses, type Processes } from "../support/processes.ts";
import { until } from "../support/wait.ts";
import { BASELINE_TEXT, callAdmin, CANARY_TEXT, createPrompt, send } from "./rollback-rig.ts";

export type ExactOptions = {
  requests: number;
  edges: number;
  /** Requests under way at any time. */
  atOnce: number;
  /** Times that Control is killed without a word, spread evenly over the load. */
  kills: number;
  /** Of syncs: every so manieth answer is lost, every so manieth call arrives twice. */
  loseEvery: number;
  repeatEvery: number;
  /** Every so manieth request is one that the canary answers with an error. */
  failEvery: number;
  /** How long the last reports may take. */
  settleMs: number;
  bundle?: string;
};

/** Of one version: what the provider saw, and what was counted. `outputTokens` of good answers, `timed` those whose time is
 * known. */
export type Counted = {
  seen: number;
  failed: number;
  requests: number;
  errors: number;
  fallbacks: number;
  outputTokens: number;
  timed: number;
};

export type Exact = {
  versions: { [version: number]: Counted };
  /** Calls under way and lost ones, of all arms. */
  open: number;
  lost: number;
  /** What clients got that was no answer of the provider's. */
  failures: string[];
  syncs: { sent: number; lost: number; repeated: number };
  kills: number;
  revisions: number;
  tookMs: number;
};

const PROMPT = "exact";
const FAIL_MARK = "fails on the canary";
const FAILING_STATUS = 503;
/** Of each good answer. */
export const OUTPUT_TOKENS = 7;
const ANSWER = JSON.stringify({
  id: "x",
  object: "chat.completion",
  model: "m-1",
  choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 11, completion_tokens: OUTPUT_TOKENS, total_tokens: 11 + OUTPUT_TOKENS },
});

export async function countExactly(options: ExactOptions): Promise<Exact> {
  const provider = await startCounter();
  const vars = { UPSTREAM_OPENAI: provider.url };
  const { edges: count, bundle } = options;
  const processes = await startProcesses({ edges: count, vars, ...(bundle !== undefined && { bundle }) });
  const startedMs = performance.now();
  try {
    const adminUrl = processes.edges[0]!.url;
    await createPrompt(adminUrl, PROMPT);
    // Its errors are meant.
    await callAdmin(adminUrl, "PUT", path, { guardrails: { errors: { action: "off" } } });
    await setCanary(adminUrl, 30);
    const { loseEvery, repeatEvery } = options;
    await Promise.all(processes.edges.map((edge) => edge.setFaults({ control: { loseEvery, repeatEvery } })));
    const failures = await load(processes, options);
    await Promise.all(processes.edges.map((edge) => edge.setFaults({ control: "none" })));
    const metrics = await settle(processes, provider.total, options.settleMs);
    const { revision } = await callAdmin<{ revision: number }>(adminUrl, "GET", `${path}/release`);
    return {
      versions: compare(metrics, provider.seen),
      open: metrics.arms.reduce((sum, { open }) => sum + open, 0),
      lost: metrics.arms.reduce((sum, { lost }) => sum + lost, 0),
      failures,
      syncs: await countSyncs(processes),
      kills: options.kills,
      revisions: revision,
      tookMs: performance.now() - startedMs,
    };
  } finally {
    await processes.stop();
    await provider.stop();
  }
}

const path = `/admin/prompts/${PROMPT}`;

function setCanary(adminUrl: string, weight: number): Promise<unknown> {
  return callAdmin(adminUrl, "POST", `${path}/canary`, { version: 2, weight, transition: "now" });
}

type Seen = { [version: number]: { all: number; failed: number } };

/** A provider that counts whole requests by the version that is in them. */
async function startCounter() {
  const seen: Seen = { 1: { all: 0, failed: 0 }, 2: { all: 0, failed: 0 } };
  let total = 0;
  const server = createServer((request, answer) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const version = text.includes(CANARY_TEXT) ? 2 : text.includes(BASELINE_TEXT) ? 1 : 0;
      const fails = version === 2 && text.includes(FAIL_MARK);
      const counts = (seen[version] ??= { all: 0, failed: 0 });
      counts.all += 1;
      if (fails) counts.failed += 1;
      total += 1;
      answer.writeHead(fails ? FAILING_STATUS : 200, { "content-type": "application/json" });
      answer.end(fails ? `{"error":{"message":"no"}}` : ANSWER);
    });
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    total: () => total,
    stop: () => new Promise<void>((resolve) => (server.closeAllConnections(), server.close(() => resolve()))),
  };
}

/** Sends all requests, and does to Control meanwhile what is to be done; what went wrong for clients. */
async function load(processes: Processes, options: ExactOptions): Promise<string[]> {
  const { requests, atOnce, kills, failEvery } = options;
  const failures: string[] = [];
  // No more connections than are in use: an edge closes what is idle, and a request on its way then would be cut off.
  const agent = new Agent({ keepAlive: true, maxSockets: Math.ceil(atOnce / processes.edges.length) });
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < requests) {
      sent += 1;
      const edge = processes.edges[sent % processes.edges.length]!;
      const content = `${sent % failEvery === 0 ? FAIL_MARK : "request"} ${sent}`;
      const body = JSON.stringify({ model: "m", messages: [{ role: "user", content }] });
      const url = `${edge.url}/p/${PROMPT}/openai/v1/chat/completions`;
      const answer = await send(url, "POST", body, {}, agent);
      if (answer.status !== 200) failures.push(`${answer.status} ${answer.body.slice(0, 200)}`);
    }
  };
  const disturb = async (): Promise<void> => {
    for (let kill = 1; kill <= kills; kill += 1) {
      await until(() => sent >= (kill * requests) / (kills + 1), 600_000, `request ${sent}`);
      await processes.killControl();
      await processes.startControl();
      // Another epoch each time.
      await until(() => setCanary(processes.edges[0]!.url, 30 + 5 * kill), 20_000, "Control is back");
    }
  };
  await Promise.all([disturb(), ...Array.from({ length: atOnce }, worker)]);
  return failures;
}

/** Once all that the provider saw is counted, or nothing more is to be expected. */
async function settle(processes: Processes, total: () => number, settleMs: number): Promise<Metrics> {
  let metrics: Metrics | null = null;
  const read = async (): Promise<boolean> => {
    metrics = await callAdmin<Metrics>(processes.edges[0]!.url, "GET", `${path}/metrics`);
    const all = [...metrics.arms, ...metrics.fallbacks];
    const under = all.reduce((sum, { open }) => sum + open, 0);
    return under === 0 && all.reduce((sum, { requests }) => sum + requests, 0) >= total();
  };
  // What is missing at the end is for the caller to see, with its numbers.
  await until(read, settleMs, "all is counted").catch(() => false);
  if (metrics === null) throw new Error("there are no metrics");
  return metrics;
}

function compare({ versions, fallbacks }: Metrics, seen: Seen): Exact["versions"] {
  const counted: Exact["versions"] = {};
  for (const [number, { all, failed }] of Object.entries(seen)) {
    const version = Number(number);
    const own = versions.find((one) => one.version === version);
    const fallen = fallbacks.find((one) => one.version === version);
    const both = [own, fallen].filter((stats) => stats !== undefined);
    counted[version] = {
      outputTokens: both.reduce((sum, { tokens }) => sum + (tokens.output ?? 0), 0),
      timed: both.reduce((sum, { latencyMs }) => sum + (latencyMs.all?.answers ?? 0), 0),
      seen: all,
      failed,
      requests: own?.requests ?? 0,
      errors: own?.errors ?? 0,
      fallbacks: fallen?.requests ?? 0,
    };
  }
  return counted;
}

async function countSyncs({ edges }: Processes): Promise<Exact["syncs"]> {
  const calls = await Promise.all(edges.map((edge) => edge.readCalls()));
  const sum = (name: string) => calls.reduce((all, each) => all + (each[name] ?? 0), 0);
  return {
    sent: sum("control.sync"),
    lost: sum("control.sync lost"),
    repeated: sum("control.sync repeated"),
  };
}
