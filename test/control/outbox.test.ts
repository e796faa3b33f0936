// What was committed reaches KV and the Registry, whatever they and the process do meanwhile. Guarantees: at least
// once, never lost, the newest state last, a version before any release that names it, and no key more often than KV allows.

import fc from "fast-check";
import { expect, test } from "vitest";
import { executeCommand } from "../../src/control/commands.ts";
import { runAlarm } from "../../src/control/housekeeping.ts";
import { deliverKey, REGISTRY_KEY, type Targets } from "../../src/control/outbox.ts";
import { openStore } from "../../src/control/store.ts";
import type { PromptState, Release } from "../../src/core/types.ts";
import {
  createEnvelope,
  createPush,
  expectAccepted,
  lives,
  OPTIONS,
  PROMPT,
  START_MS,
  type Step,
} from "./support/commands.ts";
import { Crash, createTestSql } from "./support/sqlite.ts";

type Fate = "works" | "fails" | "fails after it worked" | "crashes after it worked";

/** KV and a Registry that do what fate says, and remember it. Clock and alarm are the test's. */
function createWorld(fates: Iterator<Fate>) {
  const sql = createTestSql();
  const kv = new Map<string, string>();
  const attempts: { key: string; atMs: number }[] = [];
  const world = {
    sql,
    store: openStore(sql),
    /** Commands that arrive while a target is being told: an object goes on answering meanwhile. */
    meanwhile: [] as Step[],
    kv,
    attempts,
    /** Releases that came before a version which they name. */
    tooEarly: [] as string[],
    nowMs: START_MS,
    registry: { told: 0, aliases: new Set<string>(), description: "" },
    targets: undefined as unknown as Targets,
  };
  const suffer = async (act: () => void): Promise<void> => {
    await Promise.resolve();
    const step = world.meanwhile.shift();
    if (step !== undefined && !sql.isDead) execute(world, step);
    const fate = fates.next().value as Fate;
    if (fate !== "fails") act();
    if (fate === "crashes after it worked") sql.isDead = true;
    if (fate !== "works") throw new Error("429");
  };
  world.targets = {
    putStore(key, value) {
      attempts.push({ key, atMs: world.nowMs });
      return suffer(() => {
        if (!knowsVersions(kv, key, value)) world.tooEarly.push(value);
        kv.set(key, value);
      });
    },
    upsertPrompt: (prompt, order) =>
      suffer(() => {
        if (order < world.registry.told) return;
        world.registry = { told: order, aliases: new Set(prompt.aliases), description: prompt.description };
      }),
    resolveAlias: async (alias) => (world.registry.aliases.has(alias) ? PROMPT : null),
  };
  return world;
}

type World = ReturnType<typeof createWorld>;

function knowsVersions(kv: Map<string, string>, key: string, value: string): boolean {
  if (!key.startsWith("release:") || value === "null") return true;
  const release = JSON.parse(value) as Release;
  return release.arms.every(({ version }) => kv.has(`version:${PROMPT}:${version}`));
}

/** The runtime's part: the clock moves to the alarm, and the alarm goes off in a process that starts anew. One that dies
 * in the middle leaves what it had set by then. */
async function fireAlarm(world: World): Promise<void> {
  const { sql } = world;
  if (sql.alarmMs === null) throw new Error("there is work and no alarm");
  world.nowMs = Math.max(world.nowMs, sql.alarmMs);
  sql.alarmMs = null;
  try {
    await runAlarm(
      openStore(sql),
      world.targets,
      () => world.nowMs,
      () => {},
    );
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  if (!sql.isDead) return;
  sql.isDead = false;
  world.store = openStore(sql);
}

function execute(world: World, { envelope, prepared, nowMs }: Step): void {
  world.nowMs = Math.max(world.nowMs, nowMs);
  executeCommand(world.store, envelope, prepared, world.nowMs, OPTIONS);
}

function hasPending({ sql, store }: World): boolean {
  if (!store.created) return false;
  return sql.exec(`SELECT 1 FROM outbox WHERE pending = 1`).length > 0;
}

function expectMirrored(world: World, state: PromptState): void {
  const { kv, registry } = world;
  const isArchived = state.prompt.archivedAt !== null;
  for (const [environment, { release }] of Object.entries(state.releases)) {
    const copy: unknown = JSON.parse(kv.get(`release:${PROMPT}:${environment}`)!);
    expect(copy).toEqual(isArchived ? null : release);
  }
  for (const { version, digest } of state.versions) {
    expect(JSON.parse(kv.get(`version:${PROMPT}:${version}`)!)).toMatchObject({ version, digest });
  }
  const aliases = [...kv.entries()].filter(([key]) => key.startsWith("alias:"));
  const owned = aliases.filter(([, value]) => value !== "null").map(([key]) => key.slice("alias:".length));
  expect(owned.toSorted()).toEqual(state.prompt.aliases.toSorted());
  expect(registry.description).toBe(state.prompt.description);
}

function expectSpaced(attempts: World["attempts"]): void {
  const last = new Map<string, number>();
  for (const { key, atMs } of attempts) {
    const before = last.get(key);
    if (before !== undefined) expect(atMs - before, key).toBeGreaterThanOrEqual(1_100);
    last.set(key, atMs);
  }
}

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

function* always(fate: Fate): Generator<Fate> {
  for (;;) yield fate;
}

function run(world: World, step: Pick<Step, "envelope" | "prepared">): void {
  expectAccepted(executeCommand(world.store, step.envelope, step.prepared, world.nowMs, OPTIONS));
}

function createPrompt(world: World): void {
  run(world, { envelope: createEnvelope({ type: "put", settings: {} }), prepared: null });
  run(world, { envelope: createEnvelope({ type: "push", content: "a" }), prepared: createPush("a") });
}

test("many changes in a short time become one write per key, of the newest", async () => {
  const world = createWorld(always("works"));
  createPrompt(world);
  run(world, { envelope: createEnvelope({ type: "push", content: "b" }), prepared: createPush("b") });
  for (let weight = 1; weight <= 50; weight += 1) {
    const command = {
      type: "canary",
      environment: "production",
      version: 2,
      weight,
      transition: "now",
      reason: "",
    } as const;
    run(world, { envelope: createEnvelope(command), prepared: null });
  }
  expect(world.sql.alarmMs).toBe(world.nowMs + 250);
  while (hasPending(world)) await fireAlarm(world);
  const written = world.attempts.map(({ key }) => key);
  expect(written).toEqual([`version:${PROMPT}:1`, `version:${PROMPT}:2`, `release:${PROMPT}:production`]);
  const release = JSON.parse(world.kv.get(`release:${PROMPT}:production`)!) as Release;
  expect(release.arms[1]).toEqual({ version: 2, weight: 50 });
});

test("a release waits for its version as long as KV refuses the version", async () => {
  const world = createWorld(always("works"));
  const put = world.targets.putStore;
  let refusals = 3;
  world.targets.putStore = async (key, value) => {
    if (key.startsWith("version:") && refusals-- > 0) throw new Error("429");
    await put(key, value);
  };
  createPrompt(world);
  for (let fired = 0; fired < 3; fired += 1) {
    await fireAlarm(world);
    expect([...world.kv.keys()]).toEqual([]);
  }
  while (hasPending(world)) await fireAlarm(world);
  expect([...world.kv.keys()]).toEqual([`version:${PROMPT}:1`, `release:${PROMPT}:production`]);
});

test("attempts at a dead KV grow rarer, up to five minutes apart, and never end", async () => {
  const world = createWorld(always("fails"));
  createPrompt(world);
  for (let fired = 0; fired < 60; fired += 1) await fireAlarm(world);
  const times = world.attempts.filter(({ key }) => key === `version:${PROMPT}:1`).map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - times[index]!);
  expect(gaps).toEqual(gaps.toSorted((one, other) => one - other));
  expect(gaps.at(-1)).toBe(300_000);
  expect(hasPending(world)).toBe(true);
});

test("a change that comes while its key is being written is written after it", async () => {
  const world = createWorld(always("works"));
  createPrompt(world);
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
  createPrompt(world);
  await deliverKey(world.store, world.targets, REGISTRY_KEY, () => world.nowMs);
  expect(world.registry.told).toBeGreaterThan(0);
  const { told } = world.registry;
  await fireAlarm(world);
  expect(world.registry.told).toBe(told);
});
