// Random lives of a prompt: whatever commands come in whatever order, the releases stay sound, the history chains
// and rebuilds the present, nothing revoked is routable, and a repeated rollback changes nothing.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign } from "../../src/core/assign.ts";
import { decide, type DecideInput, type Decision } from "../../src/core/decide.ts";
import { DRAINS_MAX } from "../../src/core/decide-release.ts";
import { isProblem, type Problem } from "../../src/core/problem.ts";
import { viewRelease } from "../../src/core/release-view.ts";
import { checkHistory, replayRevisions } from "../../src/core/replay.ts";
import { compileSlots, countBuckets, soleOwner, validateSlots, weightBuckets } from "../../src/core/slots.ts";
import type { PromptState, Release, ReleaseState, Unit } from "../../src/core/types.ts";
import { actorOf, command, DRAIN_MS, Life } from "./decide-support.ts";

const environment = fc.constantFrom("production", "production", "production", "staging");
const version = fc.integer({ min: 1, max: 4 });
const transition = fc.constantFrom("drain", "drain", "now");
const weight = fc.oneof(
  fc.constantFrom(0, 5, 25, 100),
  fc.integer({ min: 0, max: 10_000 }).map((one) => one / 100),
);

const anyCommand: fc.Arbitrary<DecideInput> = fc.oneof(
  { weight: 3, arbitrary: version.map((one) => command.push(`digest-${one}`)) },
  {
    weight: 6,
    arbitrary: fc
      .record({ version, weight, more: fc.record({ environment, transition }) })
      .map((one) => command.canary(one.version, one.weight, one.more)),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ version: fc.option(version, { nil: undefined }), environment })
      .map((one) => command.promote(one.version, { environment: one.environment })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ environment, mode: transition, to: fc.option(version, { nil: undefined, freq: 2 }) })
      .map(({ to, ...more }) => command.rollback({ ...more, ...(to === undefined ? {} : { to }) })),
  },
  { weight: 1, arbitrary: version.map((one) => command.revoke(one)) },
  {
    weight: 3,
    arbitrary: fc
      .record({ version, holdback: fc.constantFrom(0, 5), environment })
      .map((one) => command.ramp(one.version, { holdback: one.holdback }, one.environment)),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ step: fc.integer({ min: 0, max: 3 }), environment })
      .map((one) => command.step(one.step, "proven", one.environment)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ what: fc.constantFrom("pause", "resume", "stop"), environment })
      .map((one) => command.turn(one.what, one.environment)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      command.archive(),
      ...["user", "request", "conversation"].map((unit) => command.put({ unit: unit as Unit })),
    ),
  },
);

/** Commands and the time that passes before each, so that drains run out now and then. */
const anyLife = fc.array(fc.tuple(anyCommand, fc.constantFrom(0, 0, 0, DRAIN_MS / 2, DRAIN_MS)), {
  minLength: 1,
  maxLength: 12,
  size: "max",
});

function requireThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function checkRelease(release: Release, nowMs: number): void {
  const { arms, table, drains, baseline, revoked, revision } = release;
  requireThat(arms[0]?.version === baseline, "the baseline is the first arm");
  requireThat(new Set(arms.map((arm) => arm.version)).size === arms.length, "a version is one arm");
  const buckets = arms.map((arm) => weightBuckets(arm.weight) ?? Number.NaN);
  requireThat(buckets.reduce((sum, one) => sum + one, 0) === 10_000, "weights add up to 100");
  const counts = countBuckets(table.slots);
  for (const [at, arm] of arms.entries()) {
    requireThat((counts.get(arm.version) ?? 0) === buckets[at], "slots are what the weights say");
  }
  for (const one of [table, ...drains])
    requireThat(validateSlots(one.slots) === null, "slots are a partition");
  const since = [...drains, table].map((one) => one.revision);
  requireThat(
    since.every((one, at) => at === 0 || one > since[at - 1]!),
    "tables are in order",
  );
  requireThat(since.at(-1)! <= revision && drains.length <= DRAINS_MAX, "tables are of the past, and few");
  const routed = new Set(
    [...arms, ...table.slots, ...drains.flatMap((one) => one.slots)].map((one) => one.version),
  );
  requireThat(!revoked.some((one) => routed.has(one)), "nothing revoked is routable");
  for (const key of ["a", "b", "c"]) {
    for (const began of [null, 1, revision]) {
      const question = { release, key, conversation: "c", continues: true, leaseIsLive: true, nowMs };
      const result = assign({ ...question, pin: null, began: () => began });
      requireThat("version" in result && routed.has(result.version), "every conversation is assigned");
    }
  }
}

function checkState(state: PromptState, nowMs: number): void {
  for (const [name, one] of Object.entries(state.releases)) {
    checkRelease(one.release, nowMs);
    const good = one.goodBaselines;
    requireThat(good.at(-1) === one.release.baseline, "the last good baseline is the present one");
    requireThat(!good.some((each) => one.release.revoked.includes(each)), "no good baseline is revoked");
    requireThat(!good.some((each, at) => each === good[at - 1]), "no good baseline stands twice in a row");
    checkLastRollback(one);
    requireThat(!isProblem(viewRelease(state, name, nowMs)), "every release can be viewed");
  }
}

function checkLastRollback({ release, lastRollback }: ReleaseState): void {
  if (lastRollback === null) return;
  requireThat(release.baseline === lastRollback.to, "a remembered rollback is in force");
  requireThat(soleOwner(release.table.slots) === lastRollback.to, "and alone");
}

function checkDecision(life: Life, input: DecideInput, before: PromptState | null, decision: Decision): void {
  const revisions = decision.revisions.map((row) => [row.environment, row.revision, row.at, row.actor]);
  const expected = decision.revisions.map((row) => [
    row.environment,
    (before?.releases[row.environment]?.release.revision ?? 0) + 1,
    new Date(life.nowMs).toISOString(),
    actorOf(input, life.actor).name,
  ]);
  expect(revisions).toEqual(expected);
  for (const { action, before: past, after } of decision.revisions) {
    if (past === null || action === "revoke") continue;
    const fewest = compileSlots(past.table.slots, after.arms);
    expect(after.table.slots, "slots move as little as can be").toEqual(fewest);
  }
  if (input.type === "rollback") checkRepeated(life, input);
}

/** The same again, later and harder or softer, is the same answer; only `now` after `drain` may say more. */
function checkRepeated(life: Life, input: Extract<DecideInput, { type: "rollback" }>): void {
  for (const mode of ["drain", input.mode] as const) {
    const again = decide(life.state, { ...input, mode }, life.actor, life.nowMs + 1, { drainMs: DRAIN_MS });
    requireThat(!isProblem(again) && again.state === life.state, "a repeated rollback changes nothing");
    requireThat(!isProblem(again) && again.revisions.length === 0, "a repeated rollback leaves no row");
  }
}

function attemptTwice(life: Life, input: DecideInput): Decision | Problem {
  const actor = actorOf(input, life.actor);
  const twin = decide(structuredClone(life.state), structuredClone(input), actor, life.nowMs + 1000, {
    drainMs: life.drainMs,
  });
  const decision = life.attempt(input);
  requireThat(JSON.stringify(twin) === JSON.stringify(decision), "decide is a function of its input");
  return decision;
}

describe("any sequence of commands", () => {
  it("keeps every promise of a release and its history", () => {
    let accepted = 0;
    let rolledBack = 0;
    fc.assert(
      fc.property(anyLife, (steps) => {
        const life = new Life();
        life.do(command.put());
        for (const digest of ["digest-1", "digest-2", "digest-3"]) life.do(command.push(digest));
        for (const [input, pauseMs] of steps) {
          life.wait(pauseMs);
          const before = life.state;
          const decision = attemptTwice(life, input);
          if (isProblem(decision)) continue;
          accepted++;
          if (input.type === "rollback") rolledBack++;
          checkDecision(life, input, before, decision);
          checkState(life.state!, life.nowMs);
        }
        expect(checkHistory(life.history)).toEqual([]);
        const present = Object.entries(life.state!.releases).map(([name, one]) => [name, one.release]);
        expect(replayRevisions(life.history)).toEqual(Object.fromEntries(present));
      }),
      { numRuns: 10_000 },
    );
    // The generator must not spend itself on refusals.
    expect(accepted).toBeGreaterThan(20_000);
    expect(rolledBack).toBeGreaterThan(2_000);
  });
});
