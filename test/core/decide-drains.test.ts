// The salt, and the tables that conversations begun before a change still follow: which are kept, and for how long.

import { describe, expect, it } from "vitest";
import { assign } from "../../src/core/assign.ts";
import { DRAINS_MAX } from "../../src/core/decide-release.ts";
import { command, DRAIN_MS, lifeWith } from "./decide-support.ts";

describe("the salt", () => {
  it("changes exactly when one version comes to own every bucket", () => {
    const life = lifeWith(3);
    const salts = [
      command.canary(2, 5),
      command.canary(2, 50),
      command.canary(2, 0),
      command.canary(3, 5),
      command.promote(3),
      command.canary(1, 0),
      command.canary(1, 10),
      command.rollback(),
    ].map((input) => {
      life.do(input);
      return Number(life.release().table.salt.replace("support-bot:production:", ""));
    });
    expect(salts).toEqual([1, 1, 4, 4, 6, 6, 6, 9]);
  });
});

describe("drains", () => {
  it("hold the tables before each draining change, until the window is over", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5));
    const changedMs = life.nowMs;
    life.do(command.canary(2, 25));
    expect(life.release().drains).toMatchObject([
      { revision: 1, until: changedMs + DRAIN_MS },
      { revision: 2, until: changedMs + 1000 + DRAIN_MS },
    ]);
    life.wait(DRAIN_MS - 1500).do(command.canary(2, 50));
    expect(life.release().drains.map((drain) => drain.revision)).toEqual([2, 3]);
  });

  it("are cleared by a canary that takes effect `now`", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5), command.canary(2, 25, { transition: "now" }));
    expect(life.release().drains).toEqual([]);
  });

  it("do not hold what is the same in effect: neighbours become one, in force since the earlier", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 5), command.canary(3, 0), command.put({ unit: "user" }));
    expect(life.release()).toMatchObject({ revision: 4, table: { revision: 2 } });
    life.do(command.canary(2, 10));
    expect(life.release().drains.map((drain) => drain.revision)).toEqual([1, 2]);
  });

  it("that a revocation makes the same run out with the later of the two", () => {
    const life = lifeWith(3);
    life.do(command.canary(2, 5));
    life.wait(5000).do(command.canary(3, 10));
    const [, second] = life.release().drains;
    life.do(command.revoke(2));
    expect(life.release().drains).toMatchObject([{ revision: 1, until: second!.until }]);
    expect(life.release().table.revision).toBe(3);
  });

  it("keep a table that came back apart from the one between, which other conversations began under", () => {
    const life = lifeWith(2);
    life.do(command.canary(2, 5), command.canary(2, 10), command.canary(2, 5), command.canary(2, 20));
    expect(life.release().drains.map((drain) => drain.revision)).toEqual([1, 2, 3, 4]);
  });

  it("are no more than sixteen, the oldest and the newest among them", () => {
    const life = lifeWith(2);
    for (let weight = 1; weight <= 20; weight++) life.do(command.canary(2, weight));
    expect(life.release().drains).toHaveLength(DRAINS_MAX);
    expect(life.release().drains[0]?.revision).toBe(1);
    expect(life.release().drains.at(-1)?.revision).toBe(20);
  });

  it("past sixteen do without the table that was in force for the shortest time", () => {
    const life = lifeWith(2);
    for (let weight = 1; weight <= 17; weight++) {
      life.wait(weight === 6 ? 60_000 : 600_000).do(command.canary(2, weight));
    }
    const kept = life.release().drains.map((drain) => drain.revision);
    expect(kept).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
    const untilMs = life.release().drains.map((drain) => drain.until);
    expect(untilMs).toEqual(untilMs.toSorted((a, b) => a - b));
    expect(untilMs[4]).toBe(untilMs[3]! + 660_000 + 2_000);
  });

  it("keep every conversation begun before a ramp where it was, however many steps the ramp has", () => {
    const life = lifeWith(2);
    for (let weight = 1; weight <= 50; weight++) life.wait(600_000).do(command.canary(2, weight));
    const release = life.release();
    for (let index = 0; index < 500; index++) {
      const key = `conversation-${index}`;
      const turn = { release, key, conversation: key, continues: true, pin: null, leaseIsLive: true };
      expect(assign({ ...turn, nowMs: life.nowMs, began: () => null })).toMatchObject({ version: 1 });
    }
  });

  it("are none where the window is nothing", () => {
    const life = lifeWith(2);
    life.drainMs = 0;
    life.do(command.canary(2, 5), command.canary(2, 25));
    expect(life.release().drains).toEqual([]);
  });
});
