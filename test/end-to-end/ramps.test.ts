// What drives a ramp, on real workerd: the sync that brings the proof, or the object's alarm alone; and that it never goes
// on without proof. Reports are made here, so that thousands of requests take no time; ramped-traffic.test.ts has real ones.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RampEvent } from "../../src/core/ramps.ts";
import type { Release } from "../../src/core/types.ts";
import { connectAdmin, type Admin } from "../support/admin.ts";
import { startCluster, type Cluster } from "../support/cluster.ts";
import { until } from "../support/wait.ts";
import { createRig, type Rig } from "./ramps-rig.ts";

const BAKE_MS = 300;
const PLAN = { steps: [20, 50, 100], bakeMs: BAKE_MS, holdback: 10, holdbackMs: 500, askAfterMs: 3_600_000 };
const DEADLINE_MS = 30_000;

let cluster: Cluster;
let admin: Admin;

beforeAll(async () => {
  cluster = await startCluster({ edges: 0 });
  admin = connectAdmin(cluster.control.url);
});
afterAll(() => cluster?.stop());

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

describe("a ramp that is proven safe", { timeout: 60_000 }, () => {
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
