// What was committed reaches KV and the Registry, whatever they and the process do meanwhile. Guarantees: at least
// once, never lost, the newest state last, a version before any release that names it, and no key more often than KV allows.

import fc from "fast-check";
import { expect, test } from "vitest";
import { deliverKey, REGISTRY_KEY } from "../../src/control/outbox.ts";
import type { Command } from "../../src/core/ports.ts";
import type { Release } from "../../src/core/types.ts";
import { createEnvelope, createPush, lives, PROMPT } from "./support/commands.ts";
import {
  always,
  createPromptIn,
  createWorld,
  execute,
  expectMirrored,
  expectSpaced,
  fireAlarm,
  hasPending,
  run,
  type Fate,
} from "./support/world.ts";

const anyFate = fc.constantFrom<Fate>(
  "works",
  "works",
  "fails",
  "fails after it worked",
  "crashes after it worked",
);

test("in the end KV and the Registry hold the newest state, through any failures and crashes (2,000 lives)", async () => {
  const alarmsBetween = fc.infiniteStream(fc.integer({ min: 0, max: 2 }));
  const property = fc.asyncProperty(
    lives(8),
    fc.infiniteStream(anyFate),
    alarmsBetween,
    async (life, fates, alarms) => {
      const world = createWorld(fates);
      world.slownessMs = 900;
      for (const step of life) {
        const due = alarms.next().value ?? 0;
        // Every third command finds the object in the middle of telling.
        if (due === 2) world.meanwhile.push(step);
        else execute(world, step);
        for (let fired = 0; fired < due && world.sql.alarmMs !== null; fired += 1) await fireAlarm(world);
      }
      for (const step of world.meanwhile.splice(0)) execute(world, step);
      for (let fired = 0; hasPending(world); fired += 1) {
        if (fired > 500) throw new Error("the outbox does not come to an end");
        await fireAlarm(world);
      }
      if (world.store.state !== null) expectMirrored(world, world.store.state);
      expectSpaced(world.attempts);
      expect(world.tooEarly).toEqual([]);
    },
  );
  await fc.assert(property, { numRuns: 2_000 });
});

function createCanary(weight: number): Command {
  return {
    type: "canary",
    environment: "production",
    version: 2,
    weight,
    transition: "now",
    reason: "",
  };
}

test("many changes in a short time become one write per key, of the newest", async () => {
  const world = createWorld(always("works"));
  createPromptIn(world);
  run(world, { envelope: createEnvelope({ type: "push", content: "b" }), prepared: createPush("b") });
  for (let weight = 1; weight <= 50; weight += 1) {
    run(world, { envelope: createEnvelope(createCanary(weight)), prepared: null });
  }
  expect(world.sql.alarmMs).toBe(world.nowMs + 250);
  while (hasPending(world)) await fireAlarm(world);
  const written = world.attempts.map(({ key }) => key);
  expect(written).toEqual([`version:${PROMPT}:1`, `version:${PROMPT}:2`, `release:${PROMPT}:production`]);
  const release = JSON.parse(world.kv.get(`release:${PROMPT}:production`)!) as Release;
  expect(release.arms[1]).toEqual({ version: 2, weight: 50 });
});

test.each<Fate>(["works", "fails after it worked"])(
  "a slow write that %s is followed by the next one of its key no sooner than KV allows",
  async (fate) => {
    const world = createWorld(always("works"));
    createPromptIn(world);
    run(world, { envelope: createEnvelope({ type: "push", content: "b" }), prepared: createPush("b") });
    while (hasPending(world)) await fireAlarm(world);
    const put = world.targets.putStore;
    let isSlow = true;
    world.targets.putStore = async (key, value) => {
      if (isSlow) world.nowMs += 3_000;
      await put(key, value);
      if (isSlow && fate !== "works") throw new Error("no answer in time");
    };
    for (const weight of [1, 2]) {
      run(world, { envelope: createEnvelope(createCanary(weight)), prepared: null });
      const before = world.attempts.length;
      while (world.attempts.length === before) await fireAlarm(world);
      isSlow = false;
    }
    while (hasPending(world)) await fireAlarm(world);
    expectSpaced(world.attempts);
    expect(world.attempts.at(-1)?.key).toBe(`release:${PROMPT}:production`);
  },
);

test("a release waits for its version as long as KV refuses the version", async () => {
  const world = createWorld(always("works"));
  const put = world.targets.putStore;
  let refusals = 3;
  world.targets.putStore = async (key, value) => {
    if (key.startsWith("version:") && refusals-- > 0) throw new Error("429");
    await put(key, value);
  };
  createPromptIn(world);
  for (let fired = 0; fired < 3; fired += 1) {
    await fireAlarm(world);
    expect([...world.kv.keys()]).toEqual([]);
  }
  while (hasPending(world)) await fireAlarm(world);
  expect([...world.kv.keys()]).toEqual([`version:${PROMPT}:1`, `release:${PROMPT}:production`]);
});

test("attempts at a dead KV grow rarer, up to five minutes apart, and never end", async () => {
  const world = createWorld(always("fails"));
  createPromptIn(world);
  for (let fired = 0; fired < 60; fired += 1) await fireAlarm(world);
  const times = world.attempts.filter(({ key }) => key === `version:${PROMPT}:1`).map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
  expect(gaps).toEqual(gaps.toSorted((one, other) => one - other));
  expect(gaps.at(-1)).toBe(300_000);
  expect(hasPending(world)).toBe(true);
});

test("a change that comes while its key is being written is written after it", async () => {
  const world = createWorld(always("works"));
  createPromptIn(world);
  const put = world.targets.putStore;
  let changed = false;
  world.targets.putStore = async (key, value) => {
    if (key.startsWith("release:") && !changed) {
      changed = true;
      run(world, { envelope: createEnvelope({ type: "archive", reason: "" }), prepared: null });
    }
    await put(key, value);
  };
  // One process: the command meets the alarm in the middle of its work.
  while (hasPending(world)) await fireAlarm(world);
  expect(world.kv.get(`release:${PROMPT}:production`)).toBe("null");
  expectSpaced(world.attempts);
});

test("a prompt's summary is told at once when asked to, due or not, and then not again", async () => {
  const world = createWorld(always("works"));
  createPromptIn(world);
  await deliverKey(world.store, world.targets, REGISTRY_KEY, () => world.nowMs);
  expect(world.registry.told).toBeGreaterThan(0);
  const { told } = world.registry;
  await fireAlarm(world);
  expect(world.registry.told).toBe(told);
});
