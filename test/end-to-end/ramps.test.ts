// A ramp on real workerd, from start to end: by itself where its version is proven safe, never where it is not, frozen
// by trouble upstream, ended by a rollback, and through a restart of the object that drives it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RampEvent } from "../../src/core/ramps.ts";
import type { Release } from "../../src/core/types.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { startUpstream, json, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";
import { createRig, type Rig } from "./ramps-rig.ts";

const BAKE_MS = 300;
const PLAN = { steps: [20, 50, 100], bakeMs: BAKE_MS, holdback: 10, holdbackMs: 500, askAfterMs: 3_600_000 };
const DEADLINE_MS = 30_000;

let cluster: Cluster;
let upstream: Upstream;
let admin: Admin;

beforeAll(async () => {
  upstream = await startUpstream(json({ id: "x", object: "chat.completion", choices: [] }));
  cluster = await startCluster({ edges: 1, vars: { UPSTREAM_OPENAI: upstream.url } });
  admin = connectAdmin(cluster.control.url);
});
afterAll(async () => {
  await cluster?.stop();
  await upstream?.stop();
});

const createOne = (): Promise<Rig> =>
  createRig(
    () => admin,
    () => cluster.control,
  );

async function eventsOf(rig: Rig): Promise<(RampEvent | undefined)[]> {
  return (await rig.readLog()).flatMap(({ ramp }) => (ramp === undefined ? [] : [ramp.event]));
}

/** Good answers until `isThere` says so. */
async function feedUntil(rig: Rig, isThere: () => Promise<boolean>): Promise<void> {
  await until(
    async () => {
      if (await isThere()) return true;
      await rig.feed(1_000);
      return false;
    },
    DEADLINE_MS,
    "the ramp goes on",
  );
}

/** The version that a key is served, as the provider sees it. */
async function serve(rig: Rig, key: string): Promise<number> {
  const response = await fetch(`${cluster.edges[0]!.url}/p/${rig.prompt}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", "prompt-key": key },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] }),
  });
  await response.arrayBuffer();
  return Number(response.headers.get("prompt-version"));
}

describe("a ramp that is proven safe", { timeout: 60_000 }, () => {
  it("completes by itself, leaves a holdback, and then promotes; each step late enough and with its proof", async () => {
    const rig = await createOne();
    await rig.start(PLAN);
    await feedUntil(rig, async () => (await rig.readRamp())?.state === "holdback");
    const held = await rig.readRelease();
    expect(held.arms).toMatchObject([
      { version: 1, weight: 10 },
      { version: 2, weight: 90 },
    ]);
    await feedUntil(rig, async () => (await rig.readRelease()).baseline === 2);
    const log = await rig.readLog();
    expect(log.map(({ action, actor, ramp }) => [action, actor, ramp?.event])).toEqual([
      ["push", "admin", undefined],
      ["ramp", "admin", "start"],
      ["ramp", "ramp", "step"],
      ["ramp", "ramp", "holdback"],
      ["promote", "ramp", "complete"],
    ]);
    const weights = log.map(({ after }) => after.arms.find(({ version }) => version === 2)?.weight ?? 0);
    expect(weights).toEqual([0, 20, 50, 90, 100]);
    const times = log.slice(1).map(({ at }) => Date.parse(at));
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(BAKE_MS);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(BAKE_MS);
    expect(times[3]! - times[2]!).toBeGreaterThanOrEqual(PLAN.holdbackMs);
    for (const row of log.slice(2, 4)) {
      expect(row.reason).toMatch(/^300 ms at \d+ % are over and proven safe: .*\d+\.\d of 3\.0/);
    }
    expect(await rig.readRamp()).toBeNull();
    expect(await serve(rig, "anybody")).toBe(2);
    expect(await admin.rollback(rig.prompt)).toMatchObject({ from: 2, to: 1 });
  });

  it("takes the step in the very sync that brings the proof, whose answer carries the new weights", async () => {
    const rig = await createOne();
    await rig.start({ ...PLAN, bakeMs: 0 });
    const fed = await until(async () => {
      const one = await rig.feed(1_000);
      return one.reply.release === null ? null : one;
    }, DEADLINE_MS);
    expect(fed.reply.release).toMatchObject({ revision: fed.knownRevision + 1, arms: [{}, { weight: 50 }] });
  });

  it("takes the step that is due from its alarm alone, through a restart of everything", async () => {
    const rig = await createOne();
    await rig.start({ ...PLAN, bakeMs: 6_000 });
    await until(async () => {
      await rig.feed(1_000);
      return (await rig.ask("readHealth", "production")).comparisons[0]?.gate.isOpen === true;
    }, DEADLINE_MS);
    // Evidence is written once a second; what is not written yet goes with the process.
    const openAtMs = Date.now();
    while (Date.now() - openAtMs < 1_200) await rig.feed(20);
    expect(await rig.readRamp()).toMatchObject({ step: 0, weight: 20 });
    await cluster.restart();
    admin = connectAdmin(cluster.control.url);
    // The mirror is written by the object itself: nobody asks it for anything.
    await until(
      async () => {
        const copy = await cluster.store.get(`release:${rig.prompt}:production`);
        return copy !== null && (JSON.parse(copy) as Release).arms[1]?.weight === 50;
      },
      DEADLINE_MS,
      "the alarm took the step",
    );
    expect(await eventsOf(rig)).toEqual(["start", "step"]);
  });
});

describe("a ramp that is not proven safe", () => {
  it("waits without traffic, says so, and takes no step", async () => {
    const rig = await createOne();
    await rig.start({ ...PLAN, bakeMs: 0 });
    const waiting = await until(async () => {
      const ramp = await rig.readRamp();
      return ramp !== null && Date.now() - Date.parse(ramp.stepSince) > 5 * BAKE_MS ? ramp : null;
    });
    expect(waiting).toMatchObject({
      step: 0,
      weight: 20,
      says: expect.stringContaining("nothing to compare"),
    });
    await cluster.evict(rig.prompt);
    expect(await rig.readRamp()).toMatchObject({ step: 0, state: "running" });
    expect(await eventsOf(rig)).toEqual(["start"]);
  });

  it("asks for a person once that lasts too long, and goes on by itself when the proof comes after all", async () => {
    const rig = await createOne();
    await rig.start({ ...PLAN, bakeMs: 0, askAfterMs: 200 });
    await until(async () => (await rig.readRamp())?.asks === true);
    await feedUntil(rig, async () => (await rig.readRamp())?.step === 1);
    expect(await rig.readRamp()).toMatchObject({ weight: 50 });
  });
});

describe("a paused ramp", () => {
  it("takes no step whatever is proven, and goes on when it is resumed", async () => {
    const rig = await createOne();
    await rig.start(PLAN);
    await admin.call("POST", `/admin/prompts/${rig.prompt}/ramp/pause`, { reason: "lunch" });
    const sinceMs = Date.now();
    for (let fed = 0; fed < 12 || Date.now() - sinceMs < 3 * BAKE_MS; fed += 1) await rig.feed(1_000);
    expect(await rig.readRamp()).toMatchObject({ state: "paused", step: 0, weight: 20, notBefore: null });
    await admin.call("POST", `/admin/prompts/${rig.prompt}/ramp/resume`, {});
    await feedUntil(rig, async () => (await rig.readRamp())?.step === 1);
    expect(await eventsOf(rig)).toEqual(["start", "pause", "resume", "step"]);
  });
});

describe("trouble upstream", { timeout: 60_000 }, () => {
  it("freezes a ramp, takes nothing off, and lets it go on once it is over", async () => {
    const rig = await createOne();
    for (let fed = 0; fed < 4; fed += 1) await rig.feed(1_000);
    await rig.start({ ...PLAN, bakeMs: 1_000 });
    for (let fed = 0; fed < 2; fed += 1) await rig.feed(200);
    const broken = { errors: 0.3 };
    const frozen = await until(
      async () => {
        await rig.feed(100, broken, broken);
        const ramp = await rig.readRamp();
        return ramp?.isFrozen === true ? ramp : null;
      },
      DEADLINE_MS,
      "frozen",
    );
    expect(frozen).toMatchObject({
      step: 0,
      notBefore: null,
      says: expect.stringMatching(/^frozen at 20 %.*not the prompt: errors/),
    });
    const sinceMs = Date.now();
    // So many that last for long are taken for usual.
    while (Date.now() - sinceMs < 1_500) await rig.feed(20, broken, broken);
    expect(await rig.readRamp()).toMatchObject({ isFrozen: true, step: 0 });
    expect(await rig.readRelease()).toMatchObject({ baseline: 1, action: "ramp" });
    await feedUntil(rig, async () => (await rig.readRamp())?.step === 1);
    expect(await eventsOf(rig)).toEqual(["start", "step"]);
    const events = await rig.ask("readEvents", "production", 100, null);
    const said = events.filter(({ kind }) => kind === "ramp").map(({ says }) => says);
    expect(said.toReversed()).toEqual([
      expect.stringMatching(/^Ramp of version 2: frozen at 20 %/),
      expect.stringMatching(/^Ramp of version 2: no longer frozen, after /),
    ]);
  });
});

describe("a rollback", () => {
  it("by a guardrail ends the ramp in the same revision", async () => {
    const rig = await createOne();
    await rig.start(PLAN);
    await until(
      async () => {
        await rig.feed(100, { errors: 0.6 });
        return (await rig.readRelease()).action === "rollback";
      },
      DEADLINE_MS,
      "the rollback",
    );
    expect(await rig.readRamp()).toBeNull();
    expect((await rig.readLog()).at(-1)).toMatchObject({
      actor: "guardrail",
      action: "rollback",
      ramp: { event: "end", version: 2, step: 0 },
    });
    expect(await serve(rig, "anybody")).toBe(1);
  });

  it("by a person does, and no alarm of the past brings the version back", async () => {
    const rig = await createOne();
    await rig.start(PLAN);
    await rig.feed(1_000);
    await admin.rollback(rig.prompt, { reason: "wrong refunds" });
    const sinceMs = Date.now();
    while (Date.now() - sinceMs < 3 * BAKE_MS) await rig.feed(500);
    expect(await rig.readRelease()).toMatchObject({
      action: "rollback",
      arms: [{ version: 1, weight: 100 }],
    });
    expect(await eventsOf(rig)).toEqual(["start", "end"]);
  });
});
