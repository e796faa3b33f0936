// A ramp's life by commands: it grows by its plan and by nothing else, each step is a revision that says who and why, and
// whatever else changes who is served what puts an end to it.

import { describe, expect, it } from "vitest";
import { isProblem } from "../../src/core/problem.ts";
import { checkHistory } from "../../src/core/replay.ts";
import { viewRelease } from "../../src/core/release-view.ts";
import type { DecideInput } from "../../src/core/decide.ts";
import { RAMP_DEFAULTS } from "../../src/core/ramps.ts";
import { decide } from "../../src/core/decide.ts";
import { ADA, command, DRAIN_MS, lifeWith, type Life } from "./decide-support.ts";

function ramping(holdback = 5): Life {
  const life = lifeWith(3);
  life.do(command.ramp(2, { holdback }));
  return life;
}

function lastRow(life: Life) {
  const { action, actor, reason, ramp } = life.history.at(-1)!;
  return { action, actor, reason, ramp };
}

describe("a ramp", () => {
  it("goes through its plan, holds the old version back, and is promoted; every change says who and why", () => {
    const life = ramping();
    expect(life.ramp()).toEqual({
      version: 2,
      plan: RAMP_DEFAULTS,
      state: "running",
      step: 0,
      stepSinceMs: life.nowMs,
      startedAtMs: life.nowMs,
      startedBy: "ada",
    });
    const seen = [life.weight(2)];
    for (const step of [0, 1, 2]) {
      life.do(command.step(step, `proof of ${step}`));
      seen.push(life.weight(2));
    }
    expect(seen).toEqual([5, 25, 50, 95]);
    expect(life.ramp()).toMatchObject({ state: "holdback", step: 3, stepSinceMs: life.nowMs });
    life.do(command.step(3, "nothing was wrong"));
    expect(life.release()).toMatchObject({ baseline: 2, arms: [{ version: 2, weight: 100 }] });
    expect(life.ramp()).toBeNull();
    const steps = [5, 25, 50, 100];
    const rows = life.history.map(({ action, actor, reason, ramp }) => [action, actor, reason, ramp?.event]);
    expect(rows.slice(1)).toEqual([
      ["ramp", "ada", "", "start"],
      ["ramp", "ramp", "proof of 0", "step"],
      ["ramp", "ramp", "proof of 1", "step"],
      ["ramp", "ramp", "proof of 2", "holdback"],
      ["promote", "ramp", "nothing was wrong", "complete"],
    ]);
    expect(life.history.at(-2)!.ramp).toEqual({ event: "holdback", version: 2, step: 3, steps });
    expect(checkHistory(life.history)).toEqual([]);
  });

  it("without a holdback ends with the promotion, and a later rollback returns to the old version", () => {
    const life = ramping(0);
    life.do(command.step(0), command.step(1), command.step(2));
    expect(life.release()).toMatchObject({ baseline: 2, arms: [{ version: 2, weight: 100 }] });
    expect(life.ramp()).toBeNull();
    expect(life.do(command.rollback())).toMatchObject({ from: 2, to: 1 });
  });

  it("keeps conversations on the version they began on at every step", () => {
    const life = ramping();
    life.do(command.step(0));
    expect(life.release().drains).toHaveLength(2);
  });

  it("takes a live canary over where it is: steps up to it drop out, and nobody is moved", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 25), command.ramp(2));
    expect(life.weight(2)).toBe(25);
    expect(life.ramp()!.plan.steps).toEqual([25, 50, 100]);
    const other = lifeWith(2);
    other.do(command.canary(2, 10), command.ramp(2));
    expect(other.ramp()!.plan.steps).toEqual([10, 25, 50, 100]);
    const atNothing = lifeWith(2);
    atNothing.do(command.canary(2, 0), command.ramp(2));
    expect(atNothing.weight(2)).toBe(5);
  });

  it("never lowers a live canary: one above what the plan leaves is refused", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 97));
    expect(life.refused(command.ramp(2))).toMatchObject({ problem: "conflict", field: "version" });
    expect(life.do(command.ramp(2, { holdback: 3 }))).toMatchObject({ kind: "release" });
    expect(life.weight(2)).toBe(97);
    const whole = lifeWith(2);
    whole.do(command.canary(2, 100));
    expect(whole.refused(command.ramp(2, { holdback: 0 })).message).toContain("promote it");
  });

  it("starts in a new environment from production's baseline", () => {
    const life = lifeWith(2);
    life.do(command.ramp(2, {}, "staging"));
    expect(life.weight(2, "staging")).toBe(5);
    expect(life.ramp()).toBeNull();
  });

  it("is not started beside another ramp or a live canary, nor for the baseline or a revoked version", () => {
    const life = ramping();
    expect(life.refused(command.ramp(3))).toMatchObject({ problem: "conflict" });
    expect(life.refused(command.ramp(2)).message).toContain("ramp of version 2 is on");
    const other = lifeWith(3);
    other.do(command.canary(3, 5));
    expect(other.refused(command.ramp(2)).message).toContain("version 3 (5 %)");
    other.do(command.canary(3, 0), command.ramp(2), command.turn("stop"), command.rollback());
    expect(other.refused(command.ramp(1))).toMatchObject({ problem: "conflict", field: "version" });
    other.do(command.revoke(2));
    expect(other.refused(command.ramp(2))).toMatchObject({ problem: "version_revoked" });
    expect(other.refused(command.ramp(9))).toMatchObject({ problem: "version_not_found" });
  });

  it.each([
    [{ steps: [5, 5, 100] }, "steps", "Steps ascend: 5 may not follow 5."],
    [{ steps: [5, 25] }, "steps", "add 100"],
    [{ steps: [] }, "steps", "needs a step before 100"],
    [{ steps: [100] }, "steps", "a promotion needs no ramp"],
    [{ steps: [0, 100] }, "steps", "above 0"],
    [{ steps: [5.001, 100] }, "steps", "steps of 0.01"],
    [{ steps: [5, 101] }, "steps", "up to 100"],
    [{ steps: Array.from({ length: 21 }, (_, at) => 80 + at) }, "steps", "at most 20"],
    [{ steps: [50, 97, 100] }, "holdback", "at most 3"],
    [{ holdback: -1 }, "holdback", "percentage"],
    [{ bakeMs: 0.5 }, "bakeMs", "whole number"],
    [{ holdbackMs: 91 * 86_400_000 }, "holdbackMs", "90 days"],
    [{ askAfterMs: Number.NaN }, "askAfterMs", "whole number"],
  ])("refuses the plan %j and names the field", (plan, field, says) => {
    const refused = lifeWith(2).refused(command.ramp(2, plan));
    expect(refused).toMatchObject({ problem: "invalid_request", field });
    expect(refused.message).toContain(says);
  });
});

describe("a step", () => {
  it("that is late, early or repeated does nothing", () => {
    const life = ramping();
    life.do(command.step(0));
    for (const step of [0, 2, 3]) {
      expect(life.refused(command.step(step))).toMatchObject({ problem: "conflict" });
    }
    life.do(command.rollback());
    expect(life.refused(command.step(1))).toMatchObject({ problem: "conflict" });
  });

  it("is nobody's but the ramp's", () => {
    const life = ramping();
    const decision = decide(life.state, command.step(0), ADA, life.nowMs, { drainMs: DRAIN_MS });
    expect(decision).toMatchObject({ problem: "forbidden" });
  });
});

describe("pause, resume and stop", () => {
  it("keep the weights; a resumed step begins its time anew, and forgets what it was frozen for", () => {
    const life = ramping();
    life.do(command.step(0), command.turn("pause"));
    expect(lastRow(life)).toMatchObject({ action: "ramp", actor: "ada", ramp: { event: "pause", step: 1 } });
    expect(life.ramp()).toMatchObject({ state: "paused", step: 1 });
    expect(life.refused(command.step(1))).toMatchObject({ problem: "conflict" });
    const paused = life.state;
    life.do(command.turn("pause"));
    expect(life.state, "pausing again changes nothing").toBe(paused);
    life.wait(3_600_000).do(command.turn("resume"));
    expect(life.ramp()).toMatchObject({ state: "running", stepSinceMs: life.nowMs });
    life.do(command.turn("stop"));
    expect(life.weight(2)).toBe(25);
    expect(life.ramp()).toBeNull();
    expect(lastRow(life).ramp).toMatchObject({ event: "stop" });
    for (const what of ["pause", "resume", "stop"] as const) {
      expect(life.refused(command.turn(what)).message).toBe("No ramp is on in production.");
    }
  });

  it("a holdback that was paused is a holdback again", () => {
    const life = ramping();
    life.do(command.step(0), command.step(1), command.step(2), command.turn("pause"), command.turn("resume"));
    expect(life.ramp()).toMatchObject({ state: "holdback", step: 3 });
  });
});

describe("an end", () => {
  const ENDS: [string, DecideInput][] = [
    ["a rollback", command.rollback()],
    ["a draining rollback", command.rollback({ mode: "drain" })],
    ["a promotion", command.promote(2)],
    ["a promotion of another version", command.promote(3)],
    ["a manual change of its weight", command.canary(2, 10)],
    ["the weight that it has, set by a person", command.canary(2, 5)],
    ["another canary", command.canary(3, 1)],
    ["a revocation of its version", command.revoke(2)],
    ["the archive", command.archive()],
  ];

  it.each(ENDS)("is put to it by %s, in the revision of that change", (_, input) => {
    for (const turns of [[], [command.turn("pause")]]) {
      const life = ramping();
      life.do(...turns, input);
      expect(life.ramp()).toBeNull();
      expect(lastRow(life).ramp).toEqual({ event: "end", version: 2, step: 0, steps: [5, 25, 50, 100] });
      expect(checkHistory(life.history)).toEqual([]);
    }
  });

  it("is put to it by the revocation of its baseline, which is a rollback", () => {
    const life = lifeWith(3);
    life.do(command.promote(3), command.ramp(2), command.revoke(3));
    expect(life.ramp()).toBeNull();
    expect(life.release().baseline).toBe(1);
  });

  it("is not put to it by what moves nobody, nor by what happens in another environment", () => {
    const life = ramping();
    const ramp = life.ramp();
    life.do(command.put({ unit: "user" }), command.revoke(3), command.push("another"));
    life.do(command.canary(2, 50, { environment: "staging" }), command.rollback({ environment: "staging" }));
    expect(life.ramp()).toEqual(ramp);
    expect(life.history.filter((row) => row.ramp !== undefined)).toHaveLength(1);
    expect(life.do(command.step(0))).toMatchObject({ kind: "release" });
  });

  it("leaves no ramp in what an archived prompt comes back with", () => {
    const life = ramping();
    life.do(command.archive(), command.put());
    expect(life.ramp()).toBeNull();
    expect(life.weight(2)).toBe(5);
  });
});

describe("the view", () => {
  it("says where a ramp stands and what it waits for", () => {
    const life = ramping();
    const view = viewRelease(life.state!, "production", life.nowMs + 60_000);
    if (isProblem(view)) throw new Error(view.message);
    expect(view.ramp).toEqual({
      version: 2,
      state: "running",
      steps: [5, 25, 50, 100],
      step: 0,
      weight: 5,
      stepSince: new Date(life.nowMs).toISOString(),
      notBefore: new Date(life.nowMs + 600_000).toISOString(),
      bakeMs: 600_000,
      holdback: 5,
      holdbackMs: 86_400_000,
      askAfterMs: 86_400_000,
      startedAt: new Date(life.nowMs).toISOString(),
      startedBy: "ada",
      isFrozen: false,
      asks: false,
      says: "10 m at 5 %, 9 m to go",
    });
    life.do(command.turn("stop"));
    expect(viewRelease(life.state!, "production", life.nowMs)).not.toHaveProperty("ramp");
  });
});
