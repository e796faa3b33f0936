// What a ramp does next. Guarantees: never without its time and its proof, never back, never on "inconclusive"; without
// data it waits and asks; trouble upstream stops the clock of a step and nothing else.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecideInput } from "../../src/core/decide.ts";
import { isProblem } from "../../src/core/problem.ts";
import { nextLookMs, noteLook, planNext } from "../../src/core/ramp-next.ts";
import { describeMs } from "../../src/core/ramp-words.ts";
import { RAMP_DEFAULTS, type Ramp, type RampHealth } from "../../src/core/ramps.ts";
import { command, Life } from "./decide-support.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const BAKE_MS = RAMP_DEFAULTS.bakeMs;
const HOUR_MS = 3_600_000;

const OPEN: RampHealth = { isOpen: true, isFrozen: false, says: "errors 3.4 of 3.0 nats" };
const SHUT: RampHealth = { isOpen: false, isFrozen: false, says: "errors 1.2 of 3.0 nats" };
const FROZEN: RampHealth = { isOpen: true, isFrozen: true, says: "upstream: errors 1 % → 9 %" };

function ramp(more: Partial<Ramp> = {}): Ramp {
  return {
    version: 2,
    plan: RAMP_DEFAULTS,
    state: "running",
    step: 1,
    stepSinceMs: NOW_MS,
    startedAtMs: NOW_MS,
    startedBy: "ada",
    ...more,
  };
}

describe("a running ramp", () => {
  it("waits for its time, whatever is proven", () => {
    expect(planNext(ramp(), OPEN, NOW_MS + BAKE_MS - 1)).toEqual({
      kind: "wait",
      says: "10 m at 25 %, 1 ms to go",
    });
  });

  it("then takes the step where it is proven safe, and says the proof", () => {
    expect(planNext(ramp(), OPEN, NOW_MS + BAKE_MS)).toEqual({
      kind: "step",
      says: "10 m at 25 % are over and proven safe: errors 3.4 of 3.0 nats",
    });
  });

  it("waits for ever where it is not proven, or there is nothing to compare, and after a day asks for a person", () => {
    for (const health of [SHUT, null]) {
      const askAtMs = NOW_MS + RAMP_DEFAULTS.askAfterMs;
      for (const atMs of [NOW_MS + BAKE_MS, askAtMs - 1]) {
        expect(planNext(ramp(), health, atMs).kind).toBe("wait");
      }
      for (const afterMs of [0, HOUR_MS, 1_000 * 86_400_000]) {
        expect(planNext(ramp(), health, askAtMs + afterMs).kind).toBe("ask");
      }
    }
    expect(planNext(ramp(), SHUT, NOW_MS + BAKE_MS).says).toBe(
      "10 m at 25 % are over, but not proven safe yet: errors 1.2 of 3.0 nats",
    );
    expect(planNext(ramp(), null, NOW_MS + 25 * HOUR_MS).says).toBe(
      "25 h at 25 % and still not proven safe, so somebody has to decide: there is nothing to compare yet",
    );
  });

  it("that was asked about goes on by itself once it is proven", () => {
    expect(planNext(ramp({ askedAtMs: NOW_MS }), OPEN, NOW_MS + 100 * HOUR_MS).kind).toBe("step");
  });

  it("completes from the last step before 100 where nothing is held back, else holds back first", () => {
    const last = ramp({ step: 2 });
    expect(planNext(last, OPEN, NOW_MS + BAKE_MS).kind).toBe("step");
    const plan = { ...RAMP_DEFAULTS, holdback: 0 };
    expect(planNext({ ...last, plan }, OPEN, NOW_MS + BAKE_MS).kind).toBe("complete");
    expect(planNext({ ...last, plan, step: 1 }, OPEN, NOW_MS + BAKE_MS).kind).toBe("step");
  });
});

describe("a paused ramp", () => {
  it("waits for a person and for nothing else", () => {
    const paused = ramp({ state: "paused" });
    expect(planNext(paused, OPEN, NOW_MS + 100 * HOUR_MS)).toEqual({
      kind: "wait",
      says: "paused at 25 %; resume it to go on",
    });
    expect(nextLookMs(paused, NOW_MS)).toBeNull();
    expect(noteLook(paused, FROZEN, NOW_MS)).toBe(paused);
  });
});

describe("a holdback", () => {
  const holdback = ramp({ state: "holdback", step: 3 });

  it("ends after its time with the promotion; it was proven safe before it", () => {
    expect(planNext(holdback, SHUT, NOW_MS + 24 * HOUR_MS - 1)).toMatchObject({ kind: "wait" });
    expect(planNext(holdback, SHUT, NOW_MS + 24 * HOUR_MS)).toEqual({
      kind: "complete",
      says: "24 h at 95 % are over, the holdback ends: errors 1.2 of 3.0 nats",
    });
  });

  it("does not end while something is wrong, nor while nobody watches", () => {
    expect(planNext(holdback, FROZEN, NOW_MS + 48 * HOUR_MS)).toMatchObject({ kind: "wait" });
    expect(planNext(holdback, null, NOW_MS + 48 * HOUR_MS).kind).toBe("ask");
  });
});

describe("trouble upstream", () => {
  it("stops the clock of the step, which goes on where it was", () => {
    const minute = 60_000;
    const began = noteLook(ramp(), FROZEN, NOW_MS + 4 * minute);
    expect(planNext(began, FROZEN, NOW_MS + 100 * minute)).toEqual({
      kind: "wait",
      says: "frozen at 25 %, its time stands still: upstream: errors 1 % → 9 %",
    });
    expect(noteLook(began, FROZEN, NOW_MS + 50 * minute), "nothing new").toBe(began);
    const over = noteLook(began, OPEN, NOW_MS + 104 * minute);
    expect(over).toMatchObject({ frozenMs: 100 * minute });
    expect(over).not.toHaveProperty("frozenSinceMs");
    expect(planNext(over, OPEN, NOW_MS + 110 * minute - 1).kind).toBe("wait");
    expect(planNext(over, OPEN, NOW_MS + 110 * minute).kind).toBe("step");
    const twice = noteLook(noteLook(over, FROZEN, NOW_MS + 105 * minute), OPEN, NOW_MS + 106 * minute);
    expect(planNext(twice, OPEN, NOW_MS + 110 * minute).kind).toBe("wait");
    expect(planNext(twice, OPEN, NOW_MS + 111 * minute).kind).toBe("step");
  });

  it("that lasts for a day asks for a person, and still goes on by itself once it is over", () => {
    const began = noteLook(ramp(), FROZEN, NOW_MS);
    const dayMs = RAMP_DEFAULTS.askAfterMs;
    expect(planNext(began, FROZEN, NOW_MS + dayMs - 1).kind).toBe("wait");
    expect(planNext(began, FROZEN, NOW_MS + dayMs)).toEqual({
      kind: "ask",
      says: "frozen at 25 % for 24 h, so somebody has to decide: upstream: errors 1 % → 9 %",
    });
    const asked = noteLook(began, FROZEN, NOW_MS + dayMs);
    expect(asked).toEqual({ ...began, askedAtMs: NOW_MS + dayMs });
    expect(noteLook(asked, OPEN, NOW_MS + dayMs)).not.toHaveProperty("askedAtMs");
    expect(planNext(noteLook(asked, OPEN, NOW_MS + dayMs), OPEN, NOW_MS + dayMs + BAKE_MS).kind).toBe("step");
  });

  it("lasts until the watch says that it is over: silence does not thaw", () => {
    const began = noteLook(ramp(), FROZEN, NOW_MS);
    expect(noteLook(began, null, NOW_MS + HOUR_MS)).toBe(began);
    expect(planNext(began, null, NOW_MS + 23 * HOUR_MS).kind).toBe("wait");
    expect(planNext(began, null, NOW_MS + 100 * HOUR_MS).kind).toBe("ask");
  });
});

describe("a look", () => {
  it("changes nothing where there is nothing new, and remembers once that a person was asked for", () => {
    const one = ramp();
    expect(noteLook(one, SHUT, NOW_MS + HOUR_MS)).toBe(one);
    const asked = noteLook(one, SHUT, NOW_MS + 24 * HOUR_MS);
    expect(asked).toEqual({ ...one, askedAtMs: NOW_MS + 24 * HOUR_MS });
    expect(noteLook(asked, SHUT, NOW_MS + 25 * HOUR_MS)).toBe(asked);
  });

  it("after the clock went back lets the step begin now, so that it takes no longer than its plan", () => {
    const back = noteLook(ramp(), OPEN, NOW_MS - 24 * HOUR_MS);
    expect(back.stepSinceMs).toBe(NOW_MS - 24 * HOUR_MS);
    const frozen = noteLook(ramp({ frozenSinceMs: NOW_MS }), FROZEN, NOW_MS - HOUR_MS);
    expect(frozen.frozenSinceMs).toBe(NOW_MS - HOUR_MS);
  });

  it("is due when the time of the step is over, and then again every minute until somebody was asked", () => {
    expect(nextLookMs(ramp(), NOW_MS)).toBe(NOW_MS + BAKE_MS);
    expect(nextLookMs(ramp(), NOW_MS + BAKE_MS)).toBe(NOW_MS + BAKE_MS + 60_000);
    expect(nextLookMs(ramp({ frozenSinceMs: NOW_MS }), NOW_MS)).toBe(NOW_MS + 60_000);
    const late = NOW_MS + 25 * HOUR_MS;
    expect(nextLookMs(ramp({ askedAtMs: late }), late)).toBe(late + HOUR_MS);
  });
});

it("times are said in at most two units, and never as nothing while some is left", () => {
  const said = [
    0,
    1,
    999,
    1_000,
    61_000,
    599_001,
    3_600_000,
    5_400_000,
    86_400_000,
    176_400_000,
    8 * 86_400_000,
  ];
  expect(said.map(describeMs)).toEqual([
    "0 ms",
    "1 ms",
    "999 ms",
    "1 s",
    "1 m 1 s",
    "10 m",
    "1 h",
    "1 h 30 m",
    "24 h",
    "2 d 1 h",
    "8 d",
  ]);
});

// ── whatever happens ────────────────────────────────────────────────────────────────────────────────────────────

const health = fc.constantFrom<RampHealth | null>(OPEN, OPEN, OPEN, SHUT, FROZEN, null);
const anyMove = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      look: health,
      afterMs: fc.constantFrom(0, 1_000, BAKE_MS, 25 * HOUR_MS, -HOUR_MS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<DecideInput>(
      command.turn("pause"),
      command.turn("resume"),
      command.put({ unit: "user" }),
      command.put({ unit: "request" }),
      command.step(0),
      command.step(2),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<DecideInput>(
      command.turn("stop"),
      command.rollback(),
      command.rollback({ mode: "drain" }),
      command.promote(2),
      command.canary(2, 7),
      command.canary(3, 1),
      command.revoke(2),
      command.archive(),
    ),
  },
);
const plan = fc.record({
  steps: fc
    .uniqueArray(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 6 })
    .map((buckets) => [...buckets.toSorted((a, b) => a - b).map((one) => one / 100), 100]),
  holdback: fc.constantFrom(0, 5, 10),
});

describe("any life of a ramp", () => {
  it("only grows, never beyond its plan, goes on only by time and proof, and any rollback ends it", () => {
    let completed = 0;
    let ended = 0;
    const property = fc.property(plan, fc.array(anyMove, { maxLength: 30, size: "max" }), (given, moves) => {
      const life = new Life();
      life.do(command.put(), command.push("1"), command.push("2"), command.push("3"), command.ramp(2, given));
      for (const move of moves) {
        const before = life.ramp();
        if (before === null) break;
        const was = life.weight(2);
        if ("look" in move) look(life, move.look, move.afterMs);
        else if (isProblem(life.attempt(move))) expect(life.ramp()).toEqual(before);
        const after = life.ramp();
        const row = life.history.at(-1)!;
        if (after === null) {
          expect(row.ramp?.event).toMatch(/^(complete|stop|end)$/);
          if (row.ramp?.event === "complete") completed += 1;
          else ended += 1;
        } else {
          expect(life.weight(2)).toBeGreaterThanOrEqual(was);
          const allowed =
            after.step === given.steps.length - 1 ? 100 - given.holdback : given.steps[after.step];
          expect(life.weight(2)).toBe(allowed);
          expect(after.step - before.step).toBeLessThanOrEqual(1);
        }
        if (row.action === "rollback") expect(life.ramp()).toBeNull();
      }
    });
    fc.assert(property, { numRuns: 3_000 });
    expect(completed).toBeGreaterThan(200);
    expect(ended).toBeGreaterThan(200);
  });
});

/** What Control does, without its storage; a step is checked against what was known. */
function look(life: Life, known: RampHealth | null, afterMs: number): void {
  life.nowMs = Math.max(life.nowMs + afterMs, NOW_MS - 1_000 * 86_400_000);
  const noted = noteLook(life.ramp()!, known, life.nowMs);
  const { production } = life.state!.releases;
  life.state = {
    ...life.state!,
    releases: { ...life.state!.releases, production: { ...production!, ramp: noted } },
  };
  const next = planNext(noted, known, life.nowMs);
  if (next.kind !== "step" && next.kind !== "complete") return;
  const isHoldback = noted.state === "holdback";
  expect(known !== null && !known.isFrozen && (known.isOpen || isHoldback)).toBe(true);
  const least = isHoldback ? noted.plan.holdbackMs : noted.plan.bakeMs;
  expect(life.nowMs - noted.stepSinceMs).toBeGreaterThanOrEqual(least);
  life.do(command.step(noted.step, next.says));
}
