// The rig behind the ramps' tests: isolates' reports, made by the code of the data plane from simulated answers and sent to
// the real object as an isolate would send them, thousands of requests in each; what a ramp does about them is read over
// the API.

import { createRandom } from "../../bench/guardrails/random.ts";
import { drawTallies, USUAL, type TrafficArm } from "../../bench/guardrails/traffic.ts";
import type { RampView } from "../../src/core/ramps.ts";
import type { ControlPort, SyncReply } from "../../src/core/ports.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import type { ReleaseView, Revision } from "../../src/core/types.ts";
import type { Admin } from "../support/admin.ts";
import type { Isolate } from "../support/cluster.ts";

/** Without a single failure, so that a thousand answers prove it. */
const GOOD: TrafficArm = { ...USUAL, errors: 0 };

export type Fed = { reply: SyncReply; knownRevision: number };

export type Rig = {
  prompt: string;
  /** One report of so many requests under the present release; what an arm is like, apart from being good. */
  feed(requests: number, canary?: Partial<TrafficArm>, baseline?: Partial<TrafficArm>): Promise<Fed>;
  readRamp(): Promise<RampView | null>;
  readRelease(): Promise<ReleaseView>;
  /** Oldest first. */
  readLog(): Promise<Revision[]>;
  start(plan: object): Promise<void>;
  /** A method of the object itself. */
  ask<Name extends keyof ControlPort>(
    method: Name,
    ...args: Parameters<ControlPort[Name]>
  ): Promise<Exclude<Awaited<ReturnType<ControlPort[Name]>>, Problem>>;
};

let made = 0;

/** A prompt of its own with versions 1 (baseline) and 2, where every request is a unit by itself. */
export async function createRig(admin: () => Admin, control: () => Isolate): Promise<Rig> {
  made += 1;
  const prompt = `ramped-${made}`;
  await admin().put(prompt, { unit: "request" });
  for (const system of ["Speak as the baseline.", "Speak as the canary."])
    await admin().push(prompt, { system });
  const random = createRandom(made);
  const isolate = `isolate-of-${prompt}`;
  let sequence = 0;
  const must = async <Body>(method: string, path: string, body?: object): Promise<Body> => {
    const answer = await admin().call<Body>(method, `/admin/prompts/${prompt}/${path}`, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const ask: Rig["ask"] = (method, ...args) =>
    callObject(control().harnessUrl, prompt, method, args) as ReturnType<Rig["ask"]> as never;
  const readRelease = () => admin().readRelease(prompt);
  return {
    prompt,
    async feed(requests, canary = {}, baseline = {}) {
      const { revision, arms, baseline: version } = await readRelease();
      const other = arms.find((arm) => arm.arm === "canary");
      const traffic = {
        revision,
        versions: { baseline: version, canary: other?.version ?? 0 },
        share: (other?.weight ?? 0) / 100,
        arms: { baseline: { ...GOOD, ...baseline }, canary: { ...GOOD, ...canary } },
      };
      sequence += 1;
      const report = { sequence, tallies: drawTallies(requests, traffic, random) };
      const environment = "production";
      const request = { prompt, environment, isolate, knownRevision: revision, report, began: [] };
      return { reply: await ask("sync", request), knownRevision: revision };
    },
    ask,
    readRelease,
    readRamp: async () => (await must<{ ramp: RampView | null }>("GET", "ramp")).ramp,
    async readLog() {
      const { revisions } = await must<{ revisions: Revision[] }>("GET", "revisions?limit=200");
      return revisions.toReversed();
    },
    async start(plan) {
      await must("POST", "ramp", { version: 2, ...plan });
    },
  };
}

async function callObject(
  harnessUrl: string,
  object: string,
  method: string,
  args: unknown[],
): Promise<unknown> {
  const call = { binding: "CONTROL", object, method, args };
  const response = await fetch(`${harnessUrl}/call`, { method: "POST", body: JSON.stringify(call) });
  if (!response.ok) throw new Error(await response.text());
  const answer: unknown = await response.json();
  if (isProblem(answer)) throw new Error(answer.message);
  return answer;
}
