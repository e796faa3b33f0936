// Canaries and promotions: what the arms and the log are after each, and what is refused.

import { describe, expect, it } from "vitest";
import { command, Life, lifeWith } from "./decide-support.ts";

const arms = (life: Life, environment?: string): [number, number][] =>
  life.release(environment).arms.map(({ version, weight }) => [version, weight]);

describe("a canary", () => {
  it("takes its weight from the baseline; other canaries stay", () => {
    const life = lifeWith(3);
    expect(life.do(command.canary(2, 5))).toEqual({ kind: "release", environment: "production" });
    life.do(command.canary(3, 12.34));
    expect(arms(life)).toEqual([
      [1, 82.66],
      [2, 5],
      [3, 12.34],
    ]);
    life.do(command.canary(2, 0.01));
    expect(arms(life)).toEqual([
      [1, 87.65],
      [2, 0.01],
      [3, 12.34],
    ]);
  });

  it("of weight 0 is legal, and routes nobody", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 0));
    expect(arms(life)).toEqual([
      [1, 100],
      [2, 0],
    ]);
    expect(life.release()).toMatchObject({ revision: 2, drains: [], table: { revision: 1 } });
  });

  it("may take everything", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 100));
    expect(arms(life)).toEqual([
      [1, 0],
      [2, 100],
    ]);
    expect(life.release().baseline).toBe(1);
  });

  it.each([-1, 100.01, 0.001, 33.333, Number.NaN, Number.POSITIVE_INFINITY])(
    "is refused a weight of %d",
    (weight) => {
      expect(lifeWith(2).refused(command.canary(2, weight))).toMatchObject({
        problem: "invalid_request",
        field: "weight",
      });
    },
  );

  it("is told how much is left when canaries would exceed 100 %", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 60.5));
    const refused = life.refused(command.canary(3, 39.51));
    expect(refused).toMatchObject({ problem: "invalid_request", field: "weight" });
    expect(refused.message).toContain("39.5 %");
    expect(refused.message).toContain("version 2 has 60.5 %");
    life.do(command.canary(3, 39.5), command.canary(2, 60.5));
  });

  it("may not be the baseline, a version that is not there, or a revoked one", () => {
    const life = lifeWith(3);
    life.do(command.revoke(3));
    expect(life.refused(command.canary(1, 5))).toMatchObject({ problem: "conflict" });
    expect(life.refused(command.canary(1, 5)).message).toContain("is the baseline");
    expect(life.refused(command.canary(9, 5))).toMatchObject({
      problem: "version_not_found",
      field: "version",
    });
    expect(life.refused(command.canary(3, 5))).toMatchObject({
      problem: "version_revoked",
      field: "version",
    });
  });

  it("at the weight it has leaves no revision", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5));
    const before = life.state;
    expect(life.do(command.canary(2, 5, { reason: "again" }))).toEqual({
      kind: "release",
      environment: "production",
    });
    expect(life.state).toBe(before);
  });

  it("at the weight it has, but `now`, ends the drains", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5), command.canary(2, 5, { transition: "now", reason: "enough waiting" }));
    expect(life.release()).toMatchObject({ revision: 3, drains: [], table: { revision: 2 } });
    const before = life.state;
    life.do(command.canary(2, 5, { transition: "now" }));
    expect(life.state).toBe(before);
  });

  it("is logged with who, why, before and after", () => {
    const life = lifeWith(2);
    const before = life.release();
    life.actor = { name: "guardrail", role: "releaser" };
    life.do(command.canary(2, 5, { reason: "try it" }));
    expect(life.history.at(-1)).toEqual({
      prompt: "support-bot",
      environment: "production",
      revision: 2,
      at: new Date(life.nowMs).toISOString(),
      actor: "guardrail",
      action: "canary",
      reason: "try it",
      before,
      after: life.release(),
    });
    expect(life.state!.releases.production).toMatchObject({
      lastAction: "canary",
      lastActor: "guardrail",
      lastReason: "try it",
    });
  });
});

describe("an environment", () => {
  it("starts from production's present baseline with the command that names it, in one revision", () => {
    const life = lifeWith(3);
    life.do(command.promote(2), command.canary(3, 20, { environment: "staging" }));
    expect(arms(life, "staging")).toEqual([
      [2, 80],
      [3, 20],
    ]);
    expect(life.release("staging")).toMatchObject({
      revision: 1,
      environment: "staging",
      drains: [],
      table: { revision: 1, salt: "support-bot:staging:1" },
    });
    expect(life.history.at(-1)).toMatchObject({ environment: "staging", revision: 1, before: null });
    expect(life.release().revision).toBe(2);
  });

  it("knows what was revoked before it was made", () => {
    const life = lifeWith(3);
    life.do(command.revoke(3), command.promote(1, { environment: "staging" }));
    expect(life.release("staging")).toMatchObject({ revoked: [3], baseline: 1, revision: 1 });
  });

  it.each(["", "Prod", "a b", "constructor!"])("is refused the name %j", (environment) => {
    expect(lifeWith(2).refused(command.canary(2, 5, { environment }))).toMatchObject({
      problem: "invalid_request",
      field: "environment",
    });
  });

  it("may be called like a property of every object", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5, { environment: "constructor" }));
    expect(life.release("constructor").revision).toBe(1);
  });
});

describe("a promotion", () => {
  it("of the only canary needs no number, gives it everything and drains", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 20));
    expect(life.do(command.promote())).toEqual({ kind: "release", environment: "production" });
    expect(life.release()).toMatchObject({ revision: 3, baseline: 2, arms: [{ version: 2, weight: 100 }] });
    expect(life.release().drains.map((drain) => drain.revision)).toEqual([1, 2]);
    expect(life.state!.releases.production?.goodBaselines).toEqual([1, 2]);
  });

  it("without a number says which canaries there are", () => {
    const life = lifeWith(3);
    expect(life.refused(command.promote())).toMatchObject({ problem: "invalid_request", field: "version" });
    expect(life.refused(command.promote()).message).toContain("no canary");
    life.do(command.canary(2, 20), command.canary(3, 5));
    const refused = life.refused(command.promote());
    expect(refused).toMatchObject({ problem: "invalid_request", field: "version" });
    expect(refused.message).toContain("2 (20 %), 3 (5 %)");
  });

  it("of the present sole baseline changes nothing", () => {
    const life = lifeWith(2);
    const before = life.state;
    expect(life.do(command.promote(1))).toEqual({ kind: "release", environment: "production" });
    expect(life.state).toBe(before);
  });

  it("of the baseline takes the canaries off and remembers it once", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 20), command.promote(1));
    expect(arms(life)).toEqual([[1, 100]]);
    expect(life.state!.releases.production?.goodBaselines).toEqual([1]);
  });

  it("of a version that is not there or revoked is refused", () => {
    const life = lifeWith(2);
    life.do(command.revoke(2));
    expect(life.refused(command.promote(2)).problem).toBe("version_revoked");
    expect(life.refused(command.promote(3)).problem).toBe("version_not_found");
  });
});
