// Ramps on real traffic through the shipped Worker: chats on two edges, a provider, and no other evidence than what the
// data plane metered. A version that is proven safe goes on by itself; what goes wrong for everybody freezes its ramp, what
// is wrong with it alone ends it; and where a ramp stands outlives the process that drives it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProcess } from "../cli/run.ts";
import { ADMIN_TOKEN, startCluster, type Cluster } from "../support/cluster.ts";
import { startProcesses } from "../support/processes.ts";
import { startProvider, type Behaviour, type Provider } from "./guardrails-rig.ts";
import { DEADLINE_MS, rampUnderTraffic, timeoutOf, type Ramped } from "./ramped-traffic-rig.ts";
import type { RollbackBody } from "./rollback-rig.ts";

const BAKE_MS = 100;
const PLAN = { steps: [40, 60, 100], bakeMs: BAKE_MS, holdback: 10 };
/** A step does not end while the test looks. */
const NEVER_BAKED = { ...PLAN, bakeMs: 3_600_000 };
/** So long that a kill falls within the step, and the next one still comes by itself. */
const KILLED_BAKE_MS = 5_000;
const LEASE_MS = 2_000;
const PROOF =
  /^100 ms at \d+ % are over and proven safe: proof (\d+\.\d) of 3\.0 for errors, (\d+\.\d) of 3\.0 for times$/;

let provider: Provider;
let cluster: Cluster;

beforeAll(async () => {
  provider = await startProvider();
  cluster = await startCluster({ edges: 2, vars: { UPSTREAM_OPENAI: provider.url } });
});
afterAll(async () => {
  await cluster?.stop();
  await provider?.stop();
});

function ramp(prompt: string, plan: object, options: { isKnown?: boolean } = {}): Promise<Ramped> {
  const { control, edges } = cluster;
  return rampUnderTraffic({ adminUrl: control.url, edges, provider }, prompt, plan, options);
}

async function untilSomeProof(rig: Ramped): Promise<void> {
  await rig.chats.until(
    async () => (await rig.health()).comparisons[0]!.gate.errors > 0.3,
    DEADLINE_MS,
    "some proof",
  );
}

/** Chats go on, and none of those that set out after a time is on the canary. */
async function expectOnlyBaselineAfter(rig: Ramped, sinceMs: number): Promise<void> {
  await rig.chats.until(
    () => rig.servedBy("baseline", sinceMs).length > 30,
    DEADLINE_MS,
    "chats after that time",
  );
  expect(rig.servedBy("canary", sinceMs)).toEqual([]);
}

describe("a ramp that is proven safe", timeoutOf(2), () => {
  it("completes by itself, leaves a holdback, and then promotes; each step late enough and with its proof", async () => {
    const plan = { ...PLAN, holdbackMs: 500 };
    const rig = await ramp("proven-safe", plan);
    await rig.chats.until(
      async () => (await rig.readRelease()).baseline === 2,
      DEADLINE_MS,
      "version 2 is the baseline",
    );
    await rig.chats.stop();
    expect(await rig.readSteps()).toEqual([
      "start by admin: 40 %",
      "step by ramp: 60 %",
      "holdback by ramp: 90 %",
      "complete by ramp: 100 %",
    ]);
    expect(await rig.readRamp()).toBeNull();
    const log = (await rig.revisions()).toReversed().slice(-4);
    const atMs = log.map(({ at }) => Date.parse(at));
    expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(BAKE_MS);
    expect(atMs[2]! - atMs[1]!).toBeGreaterThanOrEqual(BAKE_MS);
    expect(atMs[3]! - atMs[2]!).toBeGreaterThanOrEqual(plan.holdbackMs);
    for (const { reason } of log.slice(1, 3)) {
      const [, errors, times] = PROOF.exec(reason ?? "") ?? [];
      expect(Number(errors), reason ?? "").toBeGreaterThanOrEqual(3);
      expect(Number(times), reason ?? "").toBeGreaterThanOrEqual(3);
    }
    expect(log[2]!.after.arms).toEqual([
      { version: 1, weight: 10 },
      { version: 2, weight: 90 },
    ]);
    console.log(`${rig.chats.answered()} answers — ${log.map(({ reason }) => reason).join(" | ")}`);
    expect(await rig.must("POST", "rollback")).toMatchObject({ from: 2, to: 1 });
  });
});

describe("a ramp while both arms", timeoutOf(8), () => {
  const TROUBLES: { metric: string; trouble: Partial<Behaviour>; says: RegExp }[] = [
    {
      metric: "errors",
      trouble: { status: 503, failing: 1 },
      says: /not the prompt: errors [\d.]+ % → [\d.]+ % on the baseline since \d\d:\d\d UTC, mostly overloaded/,
    },
    {
      metric: "latency_tail",
      // On a busy machine one usual answer in twenty takes more than a second.
      trouble: { firstTokenMs: 1_000, totalMs: 2_000, isLongTailed: false },
      says: /not the prompt: .*slow answers [\d.]+ % → [\d.]+ % on the baseline since \d\d:\d\d UTC/,
    },
  ];

  it("fail, and then are slow, is frozen each time, thaws by itself, is proven anew and goes on to its holdback", async () => {
    const prompt = "both-in-trouble";
    const rig = await ramp(prompt, { ...PLAN, steps: [40, 100] }, { isKnown: true });
    // It is to be lost.
    await untilSomeProof(rig);
    for (const { metric, trouble, says } of TROUBLES) {
      rig.behave(trouble);
      const isFound = async () => (await rig.health()).upstream.some((one) => one.metric === metric);
      await rig.chats.until(isFound, DEADLINE_MS, `${metric} are found upstream`);
      expect(await rig.readRamp()).toMatchObject({
        state: "running",
        step: 0,
        weight: 40,
        isFrozen: true,
        notBefore: null,
        says: expect.stringMatching(/^frozen at 40 %, its time stands still: /),
      });
      const health = await rig.health();
      expect(health).toMatchObject({ verdict: "upstream", isFrozen: true });
      expect(health.says).toMatch(says);
      const status = await readStatus(prompt);
      expect(status).toContain("ramp of v2 frozen, step 1 of 2");
      expect(status).toMatch(says);
      rig.behave({});
      await rig.untilRamp(({ isFrozen }) => !isFrozen, "it thaws");
    }
    await rig.untilRamp(({ state }) => state === "holdback", "it goes on");
    await rig.chats.stop();
    const events = await rig.readRampEvents();
    expect(events.length).toBeGreaterThanOrEqual(2 * TROUBLES.length);
    // On a machine that is busy enough there may be a third trouble: it ends as the others do.
    for (const [at, event] of events.entries()) expect(event).toMatch(at % 2 === 0 ? FROZEN : THAWED);
    expect(await rig.readSteps()).toEqual(["start by admin: 40 %", "holdback by ramp: 90 %"]);
  });
});

const FROZEN = /^Ramp of version 2: frozen at 40 %, its time stands still: not the prompt: /;
const THAWED =
  /^Ramp of version 2: no longer frozen, after .* not proven safe yet: proof 0\.0 of 3\.0 for errors, 0\.0 of 3\.0 for times/;

/** What a person reads, in one line. */
async function readStatus(prompt: string): Promise<string> {
  const variables = { SWITCHBACK_URL: cluster.control.url, SWITCHBACK_TOKEN: ADMIN_TOKEN };
  const { out } = await runProcess(["status", prompt], { variables });
  return out.replaceAll(/\s+/g, " ");
}

describe("a paused ramp", timeoutOf(6), () => {
  it("keeps its weights whatever is proven, for it or against it, and goes on when it is resumed", async () => {
    const rig = await ramp("paused", { ...PLAN, steps: [50, 100] });
    const settings = { guardrails: { errors: { action: "notify" } } };
    await rig.must("PUT", "", settings);
    await rig.must("POST", "ramp/pause", { reason: "lunch" });
    const expectKept = async (weight: number): Promise<void> => {
      const answered = rig.chats.answered();
      await rig.chats.until(() => rig.chats.answered() > answered + 100, DEADLINE_MS, "chats go on");
      expect(await rig.readRamp()).toMatchObject({ state: "paused", weight, notBefore: null });
      expect((await rig.readRelease()).arms[1]).toMatchObject({ version: 2, weight });
    };
    await rig.chats.until(
      async () => (await rig.health()).comparisons[0]!.gate.isOpen,
      DEADLINE_MS,
      "proven safe",
    );
    await expectKept(50);
    await rig.must("POST", "ramp/resume");
    await rig.untilRamp(({ state }) => state === "holdback", "it goes on");
    await rig.must("POST", "ramp/pause");
    rig.behave({}, { status: 500, failing: 1 });
    await rig.chats.until(async () => (await rig.health()).verdict === "prompt", DEADLINE_MS, "proven bad");
    await expectKept(90);
    await rig.chats.stop();
    expect(await rig.readSteps()).toEqual([
      "start by admin: 50 %",
      "pause by admin: 50 %",
      "resume by admin: 50 %",
      "holdback by ramp: 90 %",
      "pause by admin: 90 %",
    ]);
  });
});

describe("a rollback", timeoutOf(4), () => {
  it("by a guardrail ends the ramp in the same revision, and no request is on its version any more", async () => {
    const rig = await ramp("fails-on-its-way", NEVER_BAKED);
    await untilSomeProof(rig);
    rig.behave({}, { status: 500, failing: 1 });
    const row = await rig.untilRolledBack(DEADLINE_MS);
    expect(row).toMatchObject({
      actor: "guardrail",
      ramp: { event: "end", version: 2, step: 0 },
      after: { arms: [{ version: 1, weight: 100 }] },
    });
    await expectOnlyBaselineAfter(rig, Date.parse(row.at) + LEASE_MS);
    await rig.chats.stop();
    expect(await rig.readRamp()).toBeNull();
    expect(await rig.readSteps()).toEqual(["start by admin: 40 %", "end by guardrail: 0 %"]);
  });

  it("by a person does so, and no alarm of the past brings the version back", async () => {
    const rig = await ramp("rolled-back-on-its-way", NEVER_BAKED);
    const { to, enforcedBy } = await rig.must<RollbackBody>("POST", "rollback", { reason: "wrong refunds" });
    expect(to).toBe(1);
    await expectOnlyBaselineAfter(rig, Date.parse(enforcedBy));
    await rig.chats.stop();
    expect(await rig.readRamp()).toBeNull();
    expect(await rig.readSteps()).toEqual(["start by admin: 40 %", "end by admin: 0 %"]);
    expect(await rig.readRelease()).toMatchObject({
      action: "rollback",
      arms: [{ version: 1, weight: 100 }],
    });
  });
});

describe("a ramp whose Control is killed and started again", timeoutOf(6), () => {
  it("goes on where it was, no step skipped and none taken twice; meanwhile only the baseline is served", async () => {
    const processes = await startProcesses({ edges: 2, vars: { UPSTREAM_OPENAI: provider.url } });
    try {
      const { edges } = processes;
      const rig = await rampUnderTraffic({ adminUrl: edges[0]!.url, edges, provider }, "killed-on-its-way", {
        ...PLAN,
        bakeMs: KILLED_BAKE_MS,
      });
      // Even if it is past it by now.
      await rig.untilRamp(({ step }) => step >= 1, "the first step");
      await untilSomeProof(rig);
      const before = await rig.revisions();
      await processes.killControl();
      await expectOnlyBaselineAfter(rig, Date.now() + LEASE_MS);
      const startedMs = Date.now();
      await processes.startControl();
      await rig.chats.until(
        () => rig.servedBy("canary", startedMs).length > 0,
        DEADLINE_MS,
        "the canary is served again",
      );
      await rig.untilRamp(({ state }) => state === "holdback", "it goes on");
      await rig.chats.stop();
      expect(await rig.readSteps()).toEqual([
        "start by admin: 40 %",
        "step by ramp: 60 %",
        "holdback by ramp: 90 %",
      ]);
      const after = await rig.revisions();
      expect(after.slice(-before.length)).toEqual(before);
      const since = after.slice(0, -before.length).map(({ ramp: done }) => done?.event);
      expect(since.filter((event) => event !== "holdback")).toEqual([]);
    } finally {
      await processes.stop();
    }
  });
});
