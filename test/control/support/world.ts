// All that surrounds one prompt's object, as a test's plaything: clock, alarm, KV, Registry, and a process that dies.

import { expect } from "vitest";
import { executeCommand } from "../../../src/control/commands.ts";
import { runAlarm } from "../../../src/control/housekeeping.ts";
import type { Targets } from "../../../src/control/outbox.ts";
import { openStore } from "../../../src/control/store.ts";
import type { PromptState, Release } from "../../../src/core/types.ts";
import {
  createEnvelope,
  createPush,
  expectAccepted,
  OPTIONS,
  PROMPT,
  START_MS,
  type Step,
} from "./commands.ts";
import { Crash, createTestSql } from "./sqlite.ts";

export type Fate = "works" | "fails" | "fails after it worked" | "crashes after it worked";

/** KV and a Registry that do what fate says, and remember it. Clock and alarm are the test's. */
export function createWorld(fates: Iterator<Fate>) {
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
    /** How long every other write to KV takes to arrive. */
    slownessMs: 0,
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
      if (attempts.length % 2 === 0) world.nowMs += world.slownessMs;
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

export type World = ReturnType<typeof createWorld>;

function knowsVersions(kv: Map<string, string>, key: string, value: string): boolean {
  if (!key.startsWith("release:") || value === "null") return true;
  const release = JSON.parse(value) as Release;
  return release.arms.every(({ version }) => kv.has(`version:${PROMPT}:${version}`));
}

/** The runtime's part: the clock moves to the alarm, and the alarm goes off in a process that starts anew. One that dies
 * in the middle leaves what it had set by then. */
export async function fireAlarm(world: World): Promise<void> {
  const { sql } = world;
  if (sql.alarmMs === null) throw new Error("there is work and no alarm");
  world.nowMs = Math.max(world.nowMs, sql.alarmMs);
  sql.alarmMs = null;
  try {
    await runAlarm(
      world.store,
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

export function execute(world: World, { envelope, prepared, nowMs }: Step): void {
  world.nowMs = Math.max(world.nowMs, nowMs);
  executeCommand(world.store, envelope, prepared, world.nowMs, OPTIONS);
}

export function hasPending({ sql, store }: World): boolean {
  if (!store.created) return false;
  return sql.exec(`SELECT 1 FROM outbox WHERE pending = 1`).length > 0;
}

export function expectMirrored(world: World, state: PromptState): void {
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

export function expectSpaced(attempts: World["attempts"]): void {
  const last = new Map<string, number>();
  for (const { key, atMs } of attempts) {
    const before = last.get(key);
    if (before !== undefined) expect(atMs - before, key).toBeGreaterThanOrEqual(1_100);
    last.set(key, atMs);
  }
}

export function* always(fate: Fate): Generator<Fate> {
  for (;;) yield fate;
}

export function run(world: World, step: Pick<Step, "envelope" | "prepared">): void {
  expectAccepted(executeCommand(world.store, step.envelope, step.prepared, world.nowMs, OPTIONS));
}

export function createPromptIn(world: World): void {
  run(world, { envelope: createEnvelope({ type: "put", settings: {} }), prepared: null });
  run(world, { envelope: createEnvelope({ type: "push", content: "a" }), prepared: createPush("a") });
}
