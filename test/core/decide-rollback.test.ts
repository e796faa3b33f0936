// Rollback and revocation: where the weight goes, that a repeat changes nothing, and that a revoked version is gone.

import { describe, expect, it } from "vitest";
import type { DecideResult } from "../../src/core/decide.ts";
import { GOOD_BASELINES_MAX } from "../../src/core/decide-release.ts";
import { command, DRAIN_MS, Life, lifeWith } from "./decide-support.ts";

const good = (life: Life): number[] => life.state!.releases.production!.goodBaselines;

function promoted(...versions: number[]): Life {
  const life = lifeWith(Math.max(...versions));
  for (const version of versions) life.do(command.promote(version));
  return life;
}

function revoke(life: Life, version: number): DecideResult {
  return life.do(command.revoke(version, "leaks"));
}

describe("a rollback", () => {
  it("with a canary live puts all weight on its baseline, and ends the drains", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 5), command.canary(3, 30));
    expect(life.do(command.rollback({ reason: "errors" }))).toEqual({
      kind: "rollback",
      environment: "production",
      revision: 4,
      from: 3,
      to: 1,
      committedAtMs: life.nowMs,
      repeated: false,
    });
    expect(life.release()).toMatchObject({ baseline: 1, arms: [{ version: 1, weight: 100 }], drains: [] });
    expect(life.history.at(-1)).toMatchObject({ action: "rollback", reason: "errors", revision: 4 });
    expect(good(life)).toEqual([1]);
  });

  it("without a canary goes to the last known-good baseline before the present one, even while that drains", () => {
    const life = promoted(1, 2, 3);
    expect(life.do(command.rollback())).toMatchObject({ from: 3, to: 2 });
    expect(life.release().baseline).toBe(2);
    expect(good(life)).toEqual([1, 2]);
  });

  it("never slips further back when it is repeated", () => {
    const life = promoted(1, 2, 3);
    const first = life.do(command.rollback());
    const before = life.state;
    for (const again of [
      command.rollback(),
      command.rollback({ mode: "drain" }),
      command.rollback({ to: 2 }),
    ]) {
      expect(life.do(again)).toEqual({ ...first, repeated: true });
      expect(life.state).toBe(before);
    }
    life.wait(30 * DRAIN_MS);
    expect(life.do(command.rollback())).toEqual({ ...first, repeated: true });
  });

  it("never slips further back because settings changed or another version was revoked in between", () => {
    const life = promoted(1, 2, 3);
    const first = life.do(command.rollback());
    life.do(command.put({ unit: "user" }), command.revoke(3), command.archive(), command.put());
    const again = life.do(command.rollback());
    expect(again).toEqual({ ...first, revision: life.release().revision, repeated: true });
    expect(life.release().baseline).toBe(2);
  });

  it("goes further back after a new promotion or canary", () => {
    const life = promoted(1, 2, 3);
    life.do(command.rollback(), command.canary(3, 10));
    expect(life.do(command.rollback())).toMatchObject({ from: 3, to: 2, repeated: false });
    life.do(command.promote(3));
    expect(life.do(command.rollback())).toMatchObject({ from: 3, to: 2, repeated: false });
    life.do(command.canary(3, 10), command.canary(3, 0, { transition: "now" }));
    expect(life.do(command.rollback())).toMatchObject({ from: 2, to: 1, repeated: false });
  });

  it("counts a canary of weight 0 as live while its conversations drain", () => {
    const life = promoted(1, 2);
    life.wait(DRAIN_MS).do(command.canary(1, 10), command.canary(1, 0));
    expect(life.do(command.rollback())).toMatchObject({ from: 1, to: 2, repeated: false });
    expect(life.release()).toMatchObject({ drains: [], arms: [{ version: 2, weight: 100 }] });
  });

  it("by `drain` lets conversations finish; `now` after it moves them too, to the same version", () => {
    const life = promoted(1, 2);
    life.do(command.push("digest-3"), command.canary(3, 20));
    expect(life.do(command.rollback({ mode: "drain" }))).toMatchObject({ from: 3, to: 2, repeated: false });
    expect(life.release().drains.some((drain) => drain.slots.some((slot) => slot.version === 3))).toBe(true);
    expect(life.do(command.rollback({ mode: "drain" }))).toMatchObject({ from: 3, to: 2, repeated: true });
    const harder = life.do(command.rollback());
    expect(harder).toMatchObject({ from: 3, to: 2, repeated: false, committedAtMs: life.nowMs });
    expect(life.release().drains).toEqual([]);
    expect(life.do(command.rollback())).toEqual({ ...harder, repeated: true });
  });

  it("refuses where there is nothing to go back to, and says so", () => {
    const refused = lifeWith(2).refused(command.rollback());
    expect(refused).toMatchObject({ problem: "conflict", field: "to" });
    expect(refused.message).toContain("no known-good baseline before version 1");
  });

  it("goes `to` any version that is there and not revoked", () => {
    const life = promoted(1, 2, 3);
    expect(life.do(command.rollback({ to: 1 }))).toMatchObject({ from: 3, to: 1 });
    expect(good(life)).toEqual([1]);
    const other = lifeWith(4);
    other.do(command.promote(2), command.canary(3, 60), command.revoke(4));
    expect(other.do(command.rollback({ to: 3 }))).toMatchObject({ from: 2, to: 3 });
    expect(good(other)).toEqual([1, 3]);
    expect(other.refused(command.rollback({ to: 4 }))).toMatchObject({ problem: "version_revoked" });
    expect(other.refused(command.rollback({ to: 9 }))).toMatchObject({ problem: "version_not_found" });
  });

  it("`to` what is in force alone changes nothing, whoever put it there", () => {
    const life = promoted(1, 2);
    life.wait(DRAIN_MS);
    const before = life.state;
    expect(life.do(command.rollback({ to: 2 }))).toEqual({
      kind: "rollback",
      environment: "production",
      revision: 2,
      from: 2,
      to: 2,
      committedAtMs: Date.parse(life.release().changedAt),
      repeated: true,
    });
    expect(life.state).toBe(before);
  });

  it("`to` the present baseline while another drains ends the drain", () => {
    const life = promoted(1, 2);
    expect(life.do(command.rollback({ to: 2, mode: "drain" }))).toMatchObject({
      from: 1,
      to: 2,
      repeated: true,
    });
    expect(life.do(command.rollback({ to: 2 }))).toMatchObject({ from: 1, to: 2, repeated: false });
    expect(life.release().drains).toEqual([]);
  });

  it("makes an environment that had no release, but only where it knows where to", () => {
    const life = promoted(1, 2);
    expect(life.refused(command.rollback({ environment: "staging" })).problem).toBe("conflict");
    expect(life.state!.releases).not.toHaveProperty("staging");
    expect(life.do(command.rollback({ environment: "staging", to: 1 }))).toMatchObject({
      revision: 1,
      from: 2,
      to: 1,
    });
    expect(life.release("staging")).toMatchObject({ baseline: 1, revision: 1 });
    expect(life.release().baseline).toBe(2);
  });

  it("remembers a bounded number of baselines", () => {
    const life = lifeWith(2);
    for (let turn = 0; turn < GOOD_BASELINES_MAX; turn++)
      life.do(command.promote(2 - (turn % 2)), command.promote(1 + (turn % 2)));
    expect(good(life).length).toBeLessThanOrEqual(GOOD_BASELINES_MAX);
    expect(good(life).at(-1)).toBe(life.release().baseline);
  });
});

describe("a revocation", () => {
  it("takes the version out of every environment's arms, drains and baselines, one revision each", () => {
    const life = promoted(1, 2, 3);
    life.do(command.push("digest-4"), command.canary(2, 20), command.canary(4, 10));
    life.do(command.canary(2, 30, { environment: "staging" }), command.promote(1, { environment: "qa" }));
    const { table } = life.release();
    expect(revoke(life, 2)).toEqual({
      kind: "revoke",
      version: 2,
      revokedAtMs: life.nowMs,
      environments: ["production", "qa", "staging"],
    });
    for (const environment of ["production", "staging", "qa"]) {
      const text = JSON.stringify(life.release(environment));
      expect(text).not.toContain('"version":2');
      expect(life.release(environment).revoked).toEqual([2]);
    }
    expect(good(life)).toEqual([1, 3]);
    expect(life.release().arms).toEqual([
      { version: 3, weight: 90 },
      { version: 4, weight: 10 },
    ]);
    expect(life.release().table.slots.filter((slot) => slot.version === 4)).toEqual(
      table.slots.filter((slot) => slot.version === 4),
    );
    expect(life.state!.versions[1]?.revoked).toEqual({
      at: new Date(life.nowMs).toISOString(),
      by: "ada",
      reason: "leaks",
    });
    expect(life.history.slice(-3).map((row) => `${row.action}: ${row.reason}`)).toEqual([
      "revoke: leaks",
      "revoke: leaks",
      "revoke: leaks",
    ]);
  });

  it("of a baseline rolls back to the last known-good one, and a rollback after it goes no further", () => {
    const life = promoted(1, 2, 3);
    life.do(command.push("digest-4"), command.canary(4, 10));
    revoke(life, 3);
    expect(life.release()).toMatchObject({
      baseline: 2,
      arms: [{ version: 2, weight: 100 }],
      drains: [],
      revoked: [3],
    });
    expect(life.do(command.rollback())).toMatchObject({ from: 3, to: 2, repeated: true });
  });

  it("skips known-good baselines that were revoked, and neighbours that became equal", () => {
    const life = promoted(1, 2, 1, 3);
    revoke(life, 2);
    expect(good(life)).toEqual([1, 3]);
    expect(life.do(command.rollback())).toMatchObject({ from: 3, to: 1 });
    expect(life.refused(command.revoke(1)).problem).toBe("conflict");
  });

  it("is refused as a whole where one environment would be left with nothing", () => {
    const life = lifeWith(2);
    life.do(command.promote(2), command.rollback({ environment: "staging", to: 2 }));
    life.do(command.rollback({ to: 1 }));
    const before = life.state;
    const refused = life.refused(command.revoke(2));
    expect(refused).toMatchObject({ problem: "conflict" });
    expect(refused.message).toContain("staging");
    expect(life.state).toBe(before);
  });

  it("is irreversible and happens once", () => {
    const life = lifeWith(3);
    const first = revoke(life, 2);
    const before = life.state;
    expect(revoke(life, 2)).toEqual({ ...first, environments: [] });
    expect(life.state).toBe(before);
    expect(life.refused(command.revoke(9)).problem).toBe("version_not_found");
    for (const input of [
      command.canary(2, 1),
      command.promote(2),
      command.rollback({ to: 2 }),
      command.push("digest-2"),
    ]) {
      expect(life.refused(input).problem).toBe("version_revoked");
    }
  });
});
